"""The blocks of a message as Adaptive Card elements."""

from collections.abc import Iterator, Sequence
from typing import Any

from parley.kernel.messages import (
    Block,
    Bullets,
    Code,
    Fact,
    Facts,
    Folded,
    Markup,
    Table,
    Tags,
    Text,
)
from parley.platforms.card_elements import Element, link, markdown, rich, run, small
from parley.platforms.clipping import clean, clip
from parley.platforms.links import host_of, masks, safe_url

_NOTHING = "-"
_ACROSS = ((18, 4), (26, 3), (42, 2))
"""Facts in a row, by the length of the longest value: each stays on one line as far as it can."""


def elements(block: Block, name: str, characters: int, items: int) -> Iterator[Element]:
    """Return the elements of a block; `name` is the id that a fold may use.

    At most so many characters of a text and so many items of a list are shown.
    """
    match block:
        case Text():
            yield from _text(block, characters)
        case Code():
            yield from _code(block, characters)
        case Facts():
            yield from _facts(block.facts, characters, items)
        case Bullets():
            yield from _bullets(block, characters, items)
        case Tags():
            yield from _tags(block, items)
        case Table():
            yield from _table(block, characters, items)
        case Folded():
            yield from _folded(block, name, characters, items)


def _text(text: Text, characters: int) -> Iterator[Element]:
    shown = clip(text.text, characters)
    if not shown.strip():
        return
    look: dict[str, Any] = {"isSubtle": True, "size": "Small"} if text.subtle else {}
    if text.markup is Markup.CLIENT:
        yield markdown(shown, **look)
    else:
        yield rich([run(shown, **look)])


def _code(code: Code, characters: int) -> Iterator[Element]:
    if code.text.strip():
        shown = run(clip(code.text, characters), fontType="Monospace", size="Small")
        yield {"type": "Container", "style": "emphasis", "items": [rich([shown])]}


def _facts(facts: Sequence[Fact], characters: int, items: int) -> Iterator[Element]:
    shown = facts[:items]
    if not shown:
        return
    longest = max(len(fact.value) for fact in shown)
    across = next((count for length, count in _ACROSS if longest <= length), 1)
    across = min(across, len(shown))
    for start in range(0, len(shown), across):
        row = [_fact(fact, characters) for fact in shown[start : start + across]]
        row += [{"type": "Column", "width": "stretch", "items": []}] * (across - len(row))
        yield {"type": "ColumnSet", "columns": row}
    yield from _not_shown(len(facts) - len(shown))


def _fact(fact: Fact, characters: int) -> Element:
    value = rich(_value_runs(fact, characters))
    return {
        "type": "Column",
        "width": "stretch",
        "items": [small(clip(fact.label, 100) or _NOTHING), {**value, "spacing": "None"}],
    }


def _value_runs(fact: Fact, characters: int) -> list[Element]:
    value = clip(fact.value, characters) or _NOTHING
    url = safe_url(clean(fact.url), limit=min(3_000, characters))
    if not url:
        return [run(value, weight="Bolder")]
    opens = link(url)
    if masks(value, url):
        host = clip(host_of(url), 100)
        return [run(f"{value} ", weight="Bolder"), run(f"↗ {host}", selectAction=opens)]
    return [run(value, weight="Bolder", selectAction=opens)]


def _bullets(bullets: Bullets, characters: int, items: int) -> Iterator[Element]:
    if bullets.label and bullets.items:
        yield small(clip(bullets.label, 200))
    for item in bullets.items[:items]:
        for content in _text(item, min(characters, 1_000)):
            columns = [
                {"type": "Column", "width": "auto", "items": [rich([run("•")])]},
                {"type": "Column", "width": "stretch", "spacing": "Small", "items": [content]},
            ]
            yield {"type": "ColumnSet", "spacing": "Small", "columns": columns}
    yield from _not_shown(len(bullets.items) - items)


def _tags(tags: Tags, items: int) -> Iterator[Element]:
    shown = [clip(one, 200) for one in tags.tags if one][:items]
    if not shown:
        return
    if tags.label:
        yield small(clip(tags.label, 200))
    yield {**rich([run("  ·  ".join(shown))]), "spacing": "None" if tags.label else "Default"}
    yield from _not_shown(len(tags.tags) - items)


def _table(table: Table, characters: int, items: int) -> Iterator[Element]:
    width = min(len(table.columns), 8)
    if not width:
        return
    limit = min(characters, 300)
    rows = [_row(table.columns[:width], limit, weight="Bolder")]
    rows += [_row(row[:width], limit) for row in table.rows[:items]]
    yield {
        "type": "Table",
        "columns": [{"width": 1}] * width,
        "firstRowAsHeader": True,
        "showGridLines": False,
        "rows": rows,
    }
    yield from _not_shown(len(table.rows) - items)
    yield from _not_shown(len(table.columns) - width, "columns")


def _row(cells: Sequence[str], limit: int, **look: str) -> Element:
    return {
        "type": "TableRow",
        "cells": [
            {"type": "TableCell", "items": [rich([run(clip(one, limit) or " ", **look)])]}
            for one in cells
        ],
    }


def _folded(folded: Folded, name: str, characters: int, items: int) -> Iterator[Element]:
    inside: list[Element] = []
    for block in folded.blocks[:items]:
        inside += elements(block, name, characters, items)
    if not inside:
        return
    action = {
        "type": "Action.ToggleVisibility",
        "title": clean(clip(folded.label, 100)) or "More",
        "targetElements": [name],
    }
    yield {"type": "ActionSet", "actions": [action]}
    yield {"type": "Container", "id": name, "isVisible": False, "items": inside}


def _not_shown(count: int, what: str = "") -> Iterator[Element]:
    if count > 0:
        yield small(f"{count} more {what}".rstrip() + " in the source of this message")
