"""What Slack accepts in one message, from its Block Kit reference, and how lengths are counted."""

from collections.abc import Sequence
from typing import Any

import orjson

BLOCKS = 50
SECTION_TEXT = 3_000
BUTTON_TEXT = 75
BUTTON_URL = 3_000

MESSAGE = 12_000
"""Slack answers `msg_blocks_too_long` to some 13,200 characters over all blocks together, though
no single limit is exceeded; what counts is not documented, so the JSON is counted whole."""


def length(text: str) -> int:
    """Return the length as JavaScript counts it: an emoji is two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def weight(blocks: Sequence[dict[str, Any]]) -> int:
    """Return what blocks count towards the limit of the whole message."""
    return length(orjson.dumps(blocks).decode())
