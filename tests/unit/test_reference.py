"""docs/reference says what the program says of itself."""

from argparse import ArgumentParser
from collections.abc import Iterator
from importlib import import_module

from pydantic import BaseModel

from parley.cli import COMMANDS
from parley.observe import Metrics
from parley.settings import Settings
from scripts.write_reference import FOLDER, pages


def page(name: str) -> str:
    return (FOLDER / name).read_text("utf-8")


def settings() -> Iterator[str]:
    for name, field in Settings.model_fields.items():
        group = field.annotation
        if isinstance(group, type) and issubclass(group, BaseModel):
            yield from (f"{name}.{inner}" for inner in group.model_fields)
        else:
            yield name


def test_the_pages_are_those_that_the_script_writes() -> None:
    old = [name for name, text in pages().items() if page(name) != text]
    assert old == [], "run .venv/bin/python scripts/write_reference.py"


def test_every_setting_has_a_row_and_a_meaning() -> None:
    rows = {
        row.split("`")[1]: row.rstrip(" |").rpartition("|")[2].strip()
        for row in page("settings.md").splitlines()
        if row.startswith("| `")
    }
    assert sorted(rows) == sorted(settings())
    assert [name for name, meaning in rows.items() if len(meaning.split()) < 2] == []


def test_every_command_and_option_has_its_place() -> None:
    text = page("command-line.md")
    for command in COMMANDS:
        parser = ArgumentParser(prog=f"parley {command.name}")
        import_module(f"parley.cli.{command.module}").arguments(parser)
        assert f"\n## {parser.prog}" in text
    assert "| . |" not in text, "an argument without help"


def test_every_metric_has_a_row() -> None:
    exposed = Metrics().render().decode().splitlines()
    named = [line.split()[2] for line in exposed if line.startswith("# HELP")]
    names = [name for name in named if not name.endswith("_created")]  # times, not counts
    text = page("metrics.md")
    assert [name for name in names if f"| `{name}` |" not in text] == []
