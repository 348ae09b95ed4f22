"""Write docs/reference from the tables that the program itself runs on."""

import argparse
import ast
import importlib
import inspect
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from prometheus_client.metrics import MetricWrapperBase
from pydantic import BaseModel, SecretStr

from parley.cli import COMMANDS
from parley.observe import Metrics
from parley.settings import Settings
from parley.settings import model as declared

FOLDER = Path(__file__).parents[1] / "docs/reference"

_SETTINGS = """# Settings

What a process needs to start. Each is read once, from the first place that says it:

1. the command line (`--data`, `--listen`),
2. the environment (`PARLEY_...`),
3. a file: the one that `PARLEY_CONFIG` names, else `parley.toml` in the data folder, else
   `parley.toml` in the current folder.

`parley config check` prints what is in force, secrets hidden, and every mistake with its place.

In the environment, words of a list stand between commas, and a table is written as JSON. Which
topic speaks in which channel is no setting but a configuration:
[parley configurations add](command-line.md#parley-configurations-add).
"""

_COMMANDS = """# Command line

Every command ends with status 0 when it did what was asked, with 1 when it could not and says why,
with 2 when it was not understood. `parley --version` prints the version; `--help` behind any
command says what it takes.
"""

_METRICS = """# Metrics

`GET /metrics` answers in Prometheus's text format: to programs on the same machine, and to whoever
sends [`metrics.token`](settings.md#metrics) as `Authorization: Bearer TOKEN`. What AWS Chatbot
counts too has the name that it has there.

Beside it, `GET /healthz` answers `ok` while the process runs, and `GET /readyz` answers 503 with
the reason while the database cannot be written or has a schema that is too old, and while
Parley is stopping.
"""

_DEFAULTS = Settings.model_construct()


def pages() -> dict[str, str]:
    """Return the pages by the name of their file."""
    return {
        "settings.md": "\n".join([_SETTINGS, *_settings()]),
        "command-line.md": "\n".join([_COMMANDS, *_commands()]),
        "metrics.md": "\n".join([_METRICS, *_metrics()]),
    }


def write(folder: Path = FOLDER) -> None:
    """Write every page."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / name).write_text(text, "utf-8")


def _settings() -> Iterator[str]:
    groups = {name: type(value) for name, value in _DEFAULTS if isinstance(value, BaseModel)}
    explained = _explained()
    yield from ["## In general", ""]
    yield from _table(
        ("setting", "variable", "default", "meaning"),
        [
            _row("", name, explained["Settings"])
            for name in Settings.model_fields
            if name not in groups
        ],
    )
    for group, model in groups.items():
        yield from ["", f"## {group}", "", inspect.cleandoc(model.__doc__ or ""), ""]
        names = model.model_fields
        yield from _table(
            ("setting", "variable", "default", "meaning"),
            [_row(group, name, explained[model.__name__]) for name in names],
        )
    yield ""


def _row(group: str, name: str, explained: Mapping[str, str]) -> tuple[str, ...]:
    model = getattr(_DEFAULTS, group) if group else _DEFAULTS
    path = f"{group}.{name}" if group else name
    variable = f"PARLEY_{path}".replace(".", "_").upper()
    return f"`{path}`", f"`{variable}`", _default(getattr(model, name)), explained.get(name, "")


def _default(value: Any) -> str:
    if value in (None, "", (), {}) or isinstance(value, SecretStr):
        return ""
    return f"`{value}`"


def _explained() -> dict[str, dict[str, str]]:
    """Return the text below each setting in the source, by class and name."""
    classes = {}
    for node in ast.parse(inspect.getsource(declared)).body:
        if isinstance(node, ast.ClassDef):
            pairs = zip(node.body, node.body[1:], strict=False)
            classes[node.name] = {
                ast.unparse(field.target): inspect.cleandoc(text.value.value)
                for field, text in pairs
                if isinstance(field, ast.AnnAssign)
                and isinstance(text, ast.Expr)
                and isinstance(text.value, ast.Constant)
                and isinstance(text.value.value, str)
            }
    return classes


def _commands() -> Iterator[str]:
    for command in COMMANDS:
        parser = argparse.ArgumentParser(prog=f"parley {command.name}", description=command.help)
        importlib.import_module(f"parley.cli.{command.module}").arguments(parser)
        yield from _command(parser, command.help)


def _command(parser: argparse.ArgumentParser, text: str) -> Iterator[str]:
    actions = parser._actions  # noqa: SLF001 - argparse has no public way to list them
    inner = [one for one in actions if isinstance(one, argparse._SubParsersAction)]  # noqa: SLF001 - as above
    if not inner:
        yield from [f"## {parser.prog}", "", _sentence(text), ""]
        rows = [_argument(one) for one in actions if one.dest != "help"]
        yield from _table(("argument", "meaning"), rows)
        yield ""
    for one in inner:
        texts = {choice.dest: choice.help or "" for choice in one._choices_actions}  # noqa: SLF001 - as above
        for name, child in one.choices.items():
            yield from _command(child, texts[name])


def _argument(action: argparse.Action) -> tuple[str, str]:
    value = "" if action.nargs == 0 else f" {action.metavar or action.dest.upper()}"
    shown = f"{action.option_strings[0]}{value}" if action.option_strings else value.strip()
    return f"`{shown}`", _sentence(action.help or "")


def _metrics() -> Iterator[str]:
    rows = []
    for metric in vars(Metrics()).values():
        if isinstance(metric, MetricWrapperBase):
            described = next(iter(metric.describe()))
            suffix = "_total" if described.type == "counter" else ""
            labels = cast("tuple[str, ...]", metric._labelnames)  # noqa: SLF001 - not public elsewhere
            named = ", ".join(f"`{one}`" for one in labels)
            rows.append(
                (f"`{described.name}{suffix}`", described.type, named, described.documentation)
            )
    yield from _table(("metric", "kind", "labels", "meaning"), rows)
    yield ""


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    for cells in (head, tuple("---" for _ in head), *rows):
        yield "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


if __name__ == "__main__":
    write()
