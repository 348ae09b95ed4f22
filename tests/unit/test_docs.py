"""The documentation: its links lead somewhere, and what it tells people to type is understood."""

import argparse
import json
import re
import shlex
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from parley.cli import COMMANDS
from parley.events.envelope import event_from_sqs
from parley.events.formatters import format_event
from parley.settings import read_settings

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])

_LINK = re.compile(r"\]\((?!https?:)([^)\s]+)\)")
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(language: str) -> Iterator[tuple[Path, str]]:
    """Yield the code blocks of a language, with the page that each stands on."""
    for page in PAGES:
        for name, text in _BLOCK.findall(page.read_text("utf-8")):
            if name == language:
                yield page, text


def typed() -> Iterator[tuple[str, list[str]]]:
    """Yield the command lines of Parley that people are told to type."""
    for page, text in blocks("sh"):
        for line in text.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if words and Path(words[0]).name == "parley":
                yield f"{page.relative_to(ROOT)}: {line.strip()}", words[1:]


def anchor(heading: str) -> str:
    return re.sub(r"[^\w -]", "", heading.strip().lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    dead = []
    for link in _LINK.findall(page.read_text("utf-8")):
        name, _, fragment = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists():
            dead.append(link)
        elif fragment:
            headings = re.findall(r"^#+ (.+)$", target.read_text("utf-8"), re.MULTILINE)
            if fragment not in map(anchor, headings):
                dead.append(link)
    assert dead == []


def test_every_page_can_be_found_from_the_readme() -> None:
    found, waiting = set[Path](), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in found or page.suffix != ".md":
            continue
        found.add(page)
        links = (link.partition("#")[0] for link in _LINK.findall(page.read_text("utf-8")))
        waiting += [(page.parent / link).resolve() for link in links if link]
    assert [str(page.relative_to(ROOT)) for page in PAGES if page not in found] == []


@pytest.mark.parametrize("line, words", [pytest.param(*one, id=one[0]) for one in typed()])
def test_commands_are_understood(line: str, words: list[str]) -> None:
    [command] = [one for one in COMMANDS if one.name == words[0]]
    parser = argparse.ArgumentParser(prog=line, exit_on_error=False)
    import_module(f"parley.cli.{command.module}").arguments(parser)
    parser.parse_args(words[1:])


def test_settings_files_are_valid(tmp_path: Path) -> None:
    for _, text in blocks("toml"):
        (tmp_path / "parley.toml").write_text(text, "utf-8")
        read_settings({"data": tmp_path}, {})


def test_custom_notifications_are_shown_as_such() -> None:
    texts = [text for _, text in blocks("json") if json.loads(text).get("source") == "custom"]
    shown = [format_event(event_from_sqs("arn", "id", text)) for text in texts]
    assert [one.formatter for one in shown] == ["custom"]
    assert shown[0].notification.message.title.text == ":rocket: checkout-api 2.41.0 is live"
