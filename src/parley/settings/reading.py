"""Reading the settings: the command line beats the environment beats the file.

Every mistake is told with its place, not only the first.
"""

import difflib
import os
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    InitSettingsSource,
    PydanticBaseSettingsSource,
)

from parley.kernel.errors import InvalidRequest
from parley.settings.model import Group, Settings

_NOT_SETTINGS = frozenset({"PARLEY_APT", "PARLEY_CONFIG"})


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong in the settings, and where it stands."""

    place: str
    problem: str


class BadSettings(InvalidRequest):
    """The settings have mistakes; `parley config check` lists them."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        """Take every mistake that was found."""
        lines = [f"  {one.place}: {one.problem}" for one in mistakes]
        super().__init__("\n".join(["The settings have mistakes:", *lines]))
        self.mistakes = mistakes


def find_file(data: Path | None, environ: Mapping[str, str] = os.environ) -> Path | None:
    """Return the settings file: PARLEY_CONFIG, else DATA/parley.toml, else ./parley.toml."""
    if environ.get("PARLEY_CONFIG"):
        return Path(environ["PARLEY_CONFIG"])
    folder = data or Path(environ.get("PARLEY_DATA", "data"))
    for path in (folder / "parley.toml", Path("parley.toml")):
        try:
            if path.is_file():
                return path
        except OSError as error:
            raise BadSettings([Mistake(str(path), f"cannot be read: {error.strerror}")]) from error
    return None


def read_settings(
    given: Mapping[str, Any] | None = None, environ: Mapping[str, str] = os.environ
) -> Settings:
    """Read the settings; `given` (the command line) beats the environment beats the file.

    Raises `BadSettings` with all mistakes, not only the first.
    """
    given = {name: value for name, value in (given or {}).items() if value is not None}
    path = find_file(given.get("data"), environ)
    text, table = _read_file(path)
    sources = _sources_type(given, table, environ)
    mistakes = list(_unknown_variables(environ))
    try:
        settings = sources()
    except ValidationError as error:
        mistakes.extend(_mistakes(error, path, text, environ))
    else:
        if not mistakes:
            return settings
    raise BadSettings(mistakes)


def _read_file(path: Path | None) -> tuple[str, dict[str, Any]]:
    if path is None:
        return "", {}
    try:
        text = path.read_text("utf-8")
        return text, tomllib.loads(text)
    except OSError as error:
        raise BadSettings([Mistake(str(path), f"cannot be read: {error.strerror}")]) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadSettings([Mistake(str(path), f"is not TOML: {error}")]) from error


def _sources_type(
    given: Mapping[str, Any], table: dict[str, Any], environ: Mapping[str, str]
) -> type[Settings]:
    class _Environment(EnvSettingsSource):
        def _load_env_vars(self) -> Mapping[str, str | None]:
            # Others are told as mistakes; read, they would be taken for groups in JSON.
            known = set(_variables())
            return {name.lower(): value for name, value in environ.items() if name.upper() in known}

    class _Read(Settings):
        @classmethod
        def settings_customise_sources(
            cls, settings_cls: type[BaseSettings], *_: Any, **__: Any
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return (
                InitSettingsSource(settings_cls, dict(given)),
                _Environment(settings_cls),
                InitSettingsSource(settings_cls, table),
            )

    return _Read


def _variables() -> Iterator[str]:
    for name, setting in Settings.model_fields.items():
        group = setting.annotation
        if isinstance(group, type) and issubclass(group, Group):
            yield from (f"PARLEY_{name}_{inner}".upper() for inner in group.model_fields)
        else:
            yield f"PARLEY_{name}".upper()


def _unknown_variables(environ: Mapping[str, str]) -> Iterator[Mistake]:
    known = set(_variables())
    for name in sorted(environ):
        if name.startswith("PARLEY_") and name not in known | _NOT_SETTINGS:
            yield Mistake(f"environment {name}", "is no setting." + _suggestion(name, known))


def _suggestion(name: str, known: set[str]) -> str:
    close = difflib.get_close_matches(name, known, 1)
    return f" Did you mean {close[0]}?" if close else ""


def _mistakes(
    error: ValidationError, path: Path | None, text: str, environ: Mapping[str, str]
) -> Iterator[Mistake]:
    errors = error.errors(include_url=False, include_input=False)
    for line, one in sorted(((_line(text, one["loc"]), one) for one in errors), key=itemgetter(0)):
        name = ".".join(str(part) for part in one["loc"])
        variable = "PARLEY_" + "_".join(name.upper().split(".")[:2])
        at = f"{path}, line {line}, " if line else ""
        place = f"environment {variable}" if variable in environ else at + name
        yield Mistake(place, _problem(one, name))


def _problem(error: ErrorDetails, name: str) -> str:
    if error["type"] == "extra_forbidden":
        known = {one.removeprefix("PARLEY_").lower().replace("_", ".", 1) for one in _variables()}
        return "is no setting." + _suggestion(name, known)
    # "Input should be a valid integer, unable to parse string as an integer": half will do.
    said = re.sub("^Input should be(.*?)(, unable to .*|, got .*)?$", r"must be\1", error["msg"])
    return said.removeprefix("Value error, ")


def _line(text: str, names: Sequence[str | int]) -> int:
    """Return the line of the file that sets a name, 0 when it cannot be told."""
    table: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[\s*([^\]]+?)\s*\]", line):
            table = header[1].split(".")
            if table == list(names):
                return number
        elif assignment := re.match(r"\s*\"?([\w.-]+)\"?\s*=", line):
            path = table + assignment[1].split(".")
            if path == list(names[: len(path)]):
                return number
    return 0
