"""`parley config check`: what is in force, and every mistake with its place."""

import argparse
import re
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, SecretStr

from parley.cli.options import add_data, settings_of
from parley.settings import find_file

# To the last @: a password may hold one, and rather too much is hidden than a part of it shown.
_PASSWORD = re.compile(r"(://[^:/@\s]*:)\S+(?=@)|([?&]\w*password=)[^&\s]+", re.IGNORECASE)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    add_data(parser)
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    one = actions.add_parser("check", help="print the settings in force, or what is wrong")
    add_data(one)
    one.add_argument("--listen", metavar="HOST:PORT", help="as for serve")


def run(options: argparse.Namespace) -> int:
    """Print the settings, secrets masked; raises `BadSettings` with every mistake."""
    settings = settings_of(options)
    file = find_file(settings.data)
    print(f"# {file or 'no parley.toml'}, then the environment, then the command line")
    for name, value in shown(settings):
        print(f"{name} = {value}")
    return 0


def shown(group: BaseModel, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield the name of each setting and its value as a person may see it."""
    for name in type(group).model_fields:
        value: Any = getattr(group, name)
        if isinstance(value, BaseModel):
            yield from shown(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", _shown(value)


def _shown(value: Any) -> str:
    match value:
        case _ if value in (None, "", (), {}):
            return "(not set)"
        case SecretStr():
            return "(set, hidden)"
        case tuple():
            return ", ".join(str(one) for one in value)
        case dict():
            return ", ".join(f"{key} -> {_without_password(one)}" for key, one in value.items())
        case _:
            return _without_password(str(value))


def _without_password(text: str) -> str:
    return _PASSWORD.sub(r"\g<1>\g<2>(hidden)", text)
