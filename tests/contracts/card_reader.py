"""What people get to see of an Adaptive Card: its words and its links.

Markdown is read by markdown-it's Python port, which the renderers of the web chat and of Teams are
close relatives of.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

# Renderers put the time in place of these, wherever in one text they stand.
_MACRO = re.compile(r"\{\{(?:DATE|TIME)\([^)]*\)\}\}")


@dataclass(slots=True)
class Seen:
    """The words in order, the links with what they are called, macros, and what may not be."""

    words: list[str] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)
    macros: list[str] = field(default_factory=list)
    forbidden: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Return all words, a paragraph a line."""
        return "\n".join(self.words)


def read(card: Mapping[str, Any]) -> Seen:
    """Return what a reader sees of a card with everything unfolded."""
    seen = Seen()
    for element in elements(card["body"]):
        match element["type"]:
            case "TextBlock":
                _markdown(element["text"], seen)
            case "RichTextBlock":
                seen.words.append("".join(_run(one, seen) for one in element["inlines"]))
            case "ActionSet":
                for action in element["actions"]:
                    seen.words.append(f"[{action['title']}]")
                    if "url" in action:
                        seen.links.append((action["title"], action["url"]))
            case _:
                pass
    return seen


def elements(body: Any) -> Iterator[dict[str, Any]]:
    """Yield the elements of a card in order, each before what is inside it."""
    for one in body:
        if "type" in one:
            yield one
        for inside in ("items", "columns", "rows", "cells"):
            yield from elements(one.get(inside, ()))


def _run(run: Mapping[str, Any], seen: Seen) -> str:
    text: str = run["text"]
    seen.macros += _MACRO.findall(text)
    if "selectAction" in run:
        seen.links.append((text, run["selectAction"]["url"]))
    return text


def _markdown(text: str, seen: Seen) -> None:
    seen.macros += _MACRO.findall(text)
    # As the web chat reads it, and with more switched on than it switches on: tables, HTML.
    for token in MarkdownIt("js-default", {"html": True}).parse(text):
        if token.type in {"html_block", "fence", "code_block", "heading_open", "table_open", "hr"}:
            seen.forbidden.append(f"{token.type}: {token.content}")
        if token.children:
            _inline(token.children, seen)


def _inline(children: list[Token], seen: Seen) -> None:
    words, label, url = "", "", ""
    for token in children:
        content = "\n" if token.type in {"softbreak", "hardbreak"} else token.content
        match token.type:
            case "link_open":
                label, url = "", str(token.attrs["href"])
            case "link_close":
                seen.links.append((label, url))
            case "html_inline" | "image":
                seen.forbidden.append(f"{token.type}: {token.content}")
            case _:
                words += content
                label += content
    seen.words.append(words)
