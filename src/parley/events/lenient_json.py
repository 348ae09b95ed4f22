"""JSON as senders really write it: kept where it can be read safely, otherwise taken as text."""

import json
import math
import re
from typing import Any

import orjson

_DEEPEST = 100
"""Levels of nesting. Deeper JSON is shown as text: walking it could exhaust the stack."""

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_ESCAPED_UNSTORABLE = re.compile(r"\\u(?:0000|[dD][89abAB][0-9a-fA-F]{2})")


def storable(text: str) -> str:
    """Return the text with NUL characters and halves of emoji shown as the replacement character.

    Databases refuse the first, UTF-8 cannot write the second.
    """
    if text.isascii():
        return text.replace("\x00", "\ufffd")
    return _UNSTORABLE.sub("\ufffd", text)


def decode(body: bytes) -> str:
    """Return the text of a body without byte-order mark; NUL and what is not UTF-8 is replaced."""
    text = body.decode("utf-8", "replace").removeprefix("\ufeff")
    return text.replace("\x00", "\ufffd")


def read_object(text: str) -> dict[str, Any] | None:
    """Return the object that a text spells out, letter for letter; none if it does not.

    Strings may hold what `storable` replaces.
    """
    value, _ = _read(text)
    return value if isinstance(value, dict) else None


def read_structure(text: str) -> dict[str, Any] | list[Any] | None:
    """Return the object or array that a text spells out, fit to be stored; none if it does not.

    Takes what strict parsers refuse and senders do write: a byte-order mark, NaN (kept as the
    word), half an emoji, JSON encoded twice. A bare number, word or string is text to a reader.
    """
    value, clean = _read(text)
    if isinstance(value, str):
        value, clean = _read(value)
    if not isinstance(value, (dict, list)):
        return None
    return value if clean else _storable_tree(value)


def write_text(value: dict[str, Any] | list[Any]) -> str:
    """Return compact JSON; the opposite of both readers."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _read(text: str) -> tuple[Any, bool]:
    """Return the value, none if there is none, and whether it can be stored as it is."""
    text = text.removeprefix("\ufeff")
    if not text.lstrip().startswith(("{", "[", '"')):
        return None, True
    try:
        value = orjson.loads(text)
        # Escapes of whole emoji look like halves too: worth a walk, changed by none.
        clean = _ESCAPED_UNSTORABLE.search(text) is None
    except ValueError:
        value, clean = _read_loosely(text), False
    if text.count("{") + text.count("[") > _DEEPEST and _too_deep(value):
        return None, True
    return value, clean


def _read_loosely(text: str) -> Any:
    try:
        return json.loads(text, strict=False, parse_constant=str)
    except (ValueError, RecursionError):
        return None


def _too_deep(value: Any) -> bool:
    level = [value] if isinstance(value, (dict, list)) else []
    for _ in range(_DEEPEST):
        # Empty ones end here: a body of nothing but them is wide, and costs one pass.
        level = [
            child
            for node in level
            for child in (node.values() if isinstance(node, dict) else node)
            if child and isinstance(child, (dict, list))
        ]
        if not level:
            return False
    return True


def _storable_tree(value: Any) -> Any:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        return float(value) if abs(value) < 10**300 else str(value)
    if isinstance(value, list):
        return [_storable_tree(one) for one in value]
    if isinstance(value, dict):
        return {storable(name): _storable_tree(one) for name, one in value.items()}
    return value
