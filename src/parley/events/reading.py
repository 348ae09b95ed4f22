"""Reading JSON whose types nobody promised: what is missing or of another type reads as empty."""

import json
from collections.abc import Mapping
from typing import Any

import orjson

from parley.kernel.messages import Code, Folded, Text

LONGEST_FOLDED = 20_000
"""Characters of JSON or text that one fold shows; the event's page has the whole."""

LONGEST_TITLE = 250
_LONGEST_PART = 100
_MOST_INDENTS = 6
"""Times its compact form. A megabyte of numbers a hundred levels deep has a hundred of indents."""


def text_at(value: object, *path: str) -> str:
    """Return the text at the end of a path of keys, `""` where there is none."""
    for key in path:
        if not isinstance(value, dict):
            return ""
        value = value.get(key)
    return value if isinstance(value, str) else ""


def dict_at(value: object, *path: str) -> Mapping[str, Any]:
    """Return the object at the end of a path of keys, an empty one where there is none."""
    found = value_at(value, *path)
    return found if isinstance(found, dict) else {}


def list_at(value: object, *path: str) -> list[Any]:
    """Return the list at the end of a path of keys, an empty one where there is none."""
    found = value_at(value, *path)
    return found if isinstance(found, list) else []


def texts_at(value: object, *path: str) -> tuple[str, ...]:
    """Return the texts in the list at the end of a path; what is no text is left out."""
    return tuple(one for one in list_at(value, *path) if isinstance(one, str))


def number_at(value: object, *path: str) -> float | None:
    """Return the number at the end of a path, also where it is written as text."""
    found = value_at(value, *path)
    if isinstance(found, bool):
        return None
    if isinstance(found, (int, float)):
        return found
    if isinstance(found, str):
        try:
            return float(found)
        except ValueError:
            return None
    return None


def value_at(value: object, *path: str) -> object:
    """Return whatever stands at the end of a path of keys."""
    for key in path:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def scalar_text(value: object) -> str | None:
    """Return a text, number or truth value as JSON writes it, without quotes; else nothing."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | float():
            try:
                return orjson.dumps(value).decode()
            except TypeError:
                return str(value)  # an integer of more than 64 bits
        case _:
            return None


def pretty_json(value: object) -> str:
    """Return JSON with one member a line."""
    try:
        return indented_json(value)
    except TypeError:
        pass
    try:
        return json.dumps(value, indent=2, default=repr)
    except (ValueError, RecursionError):
        return "(nested too deeply to be shown)"


def indented_json(value: object) -> str:
    """Return JSON with one member a line, compact where it would become mostly indents.

    Raises `TypeError` for what orjson cannot write.
    """
    compact = orjson.dumps(value)
    if len(compact) > LONGEST_FOLDED and _indents(value) > _MOST_INDENTS * len(compact):
        return compact.decode()
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


def _indents(value: object) -> int:
    """Return how many characters of indents a value would get."""
    count, depth, level = 0, 0, [value]
    while level:
        count += 2 * depth * len(level)
        depth += 1
        level = [
            child
            for node in level
            if isinstance(node, (dict, list))
            for child in (node.values() if isinstance(node, dict) else node)
        ]
    return count


def one_line(text: str) -> str:
    """Return the text with every run of white space as one space."""
    return " ".join(text.split())


def cut(text: str, longest: int) -> str:
    """Return at most so many characters; an ellipsis stands for what is missing."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


def context_of(*parts: str) -> tuple[str, ...]:
    """Return where something happened, without what is not known."""
    return tuple(cut(part, _LONGEST_PART) for part in parts if part.strip())


def title_text(text: str) -> Text:
    """Return a title: one line of at most 250 characters, letter for letter."""
    # The cut before keeps splitting cheap for a text of 256 KiB.
    return Text(cut(one_line(text[: 4 * LONGEST_TITLE]), LONGEST_TITLE))


def folded_code(label: str, text: str) -> Folded:
    """Return text in a fixed-width box behind one click, cut with a remark if it is very long."""
    if len(text) <= LONGEST_FOLDED:
        return Folded(label, (Code(text),))
    remark = f"The first {LONGEST_FOLDED:,} of {len(text):,} characters; the event's page has all."
    return Folded(label, (Code(text[:LONGEST_FOLDED]), Text(remark, subtle=True)))


def folded_json(label: str, value: object) -> Folded:
    """Return JSON behind one click, cut with a remark if it is very long."""
    return folded_code(label, pretty_json(value))
