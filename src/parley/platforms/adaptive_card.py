"""A message as an Adaptive Card 1.5, of the core elements that every renderer knows.

The web chat shows this card with Microsoft's own renderer. Text of ours or of strangers goes into
TextRuns, which show it letter for letter; only the authors of custom notifications get markdown.
"""

import zlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

import orjson

from parley.kernel.message_json import to_json
from parley.kernel.messages import Block, LinkButton, Markup, Message, Tone, plain_title
from parley.platforms.card_blocks import elements
from parley.platforms.card_elements import Element, link, markdown, rich, run, small
from parley.platforms.clipping import clean, clip
from parley.platforms.fitting import fitted
from parley.platforms.links import host_of, masks, safe_url

SCHEMA = "http://adaptivecards.io/schemas/adaptive-card.json"
MAX_BYTES = 80 * 1024
"""Teams refuses a message above 100 KB and counts in UTF-16; its documentation advises 80 KB."""

_STYLES = {Tone.GOOD: "good", Tone.INFO: "accent", Tone.WARN: "warning", Tone.BAD: "attention"}
_CUTS = ((8_500, 100), (2_000, 50), (400, 15))
"""How much of a block is shown, in steps: characters of a text, and items of a list."""
_MOST_ELEMENTS = 1_000
_REMARK = "More is in the source of this message: it is too long to be shown here."


def card(message: Message) -> dict[str, Any]:
    """Return the card, below 80 KB for any message: what is too long is cut with a remark."""
    above, below = [*_head(message)], [*_foot(message)]
    remark = rich([run(_REMARK, size="Small", isSubtle=True)])
    frame = {
        "$schema": SCHEMA,
        "type": "AdaptiveCard",
        "version": "1.5",
        "fallbackText": clean(clip(plain_title(message), 500)),
    }
    left = MAX_BYTES - _size([frame, *above, *below, remark])
    # Unique among the cards of one page, and the same whenever the message is.
    seed = f"{zlib.crc32(to_json(message).encode('utf-8', 'replace')):08x}"
    between, whole = fitted(
        [
            partial(_drawn, block, f"fold-{seed}-{number}")
            for number, block in enumerate(message.blocks)
        ],
        len(_CUTS),
        _size,
        left,
        _MOST_ELEMENTS,
    )
    if not whole:
        between.append(remark)
    body = above + between + below
    return {**frame, "body": body or [small("(empty message)")]}


def _drawn(block: Block, name: str, step: int) -> list[Element]:
    return [*elements(block, name, *_CUTS[step])]


def _size(shown: Sequence[Element]) -> int:
    text = orjson.dumps(shown).decode()
    return max(len(text.encode()), len(text.encode("utf-16-le")))


def _head(message: Message) -> Iterator[Element]:
    if message.summary:
        yield small(clip(message.summary, 500))
    title = _title(message)
    if message.state:
        chip = rich([run(clip(message.state, 40), size="Small", weight="Bolder")])
        columns = [
            {
                "type": "Column",
                "width": "auto",
                "style": _STYLES[message.tone],
                "verticalContentAlignment": "Center",
                "items": [chip],
            },
            {
                "type": "Column",
                "width": "stretch",
                "verticalContentAlignment": "Center",
                "items": [title] if title else [],
            },
        ]
        yield {"type": "ColumnSet", "columns": columns}
    elif title:
        yield title
    yield from _where_and_when(message)


def _title(message: Message) -> Element | None:
    title = message.title
    text = clip(title.text, 500)
    if not text.strip():
        return None
    look = {"size": "Medium", "weight": "Bolder"}
    if title.markup is Markup.CLIENT:
        return markdown(text, **look, style="heading")
    return rich([run(text, **look)])


def _where_and_when(message: Message) -> Iterator[Element]:
    where = " · ".join(clip(one, 100) for one in message.context[:10] if one)
    when = [_moment(message.at)] if message.at else []
    note = clip(message.note, 200)
    if not where and not when and not note:
        return
    right: list[Element] = []
    if when:
        right += when
    if note:
        right.append({**small(note), "horizontalAlignment": "Right", "spacing": "None"})
    columns = [{"type": "Column", "width": "stretch", "items": [small(where)] if where else []}]
    if right:
        columns.append({"type": "Column", "width": "auto", "items": right})
    yield {"type": "ColumnSet", "spacing": "Small", "columns": columns}


def _moment(at: datetime) -> Element:
    """Return the time, which the reader's own client shows in the reader's zone."""
    try:
        utc = (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError:
        utc = at.replace(tzinfo=UTC)
    # The macro takes whole seconds and a year of four digits.
    stamp = utc.replace(microsecond=0, tzinfo=None).isoformat() + "Z"
    return {
        "type": "TextBlock",
        "text": f"{{{{DATE({stamp}, SHORT)}}}} {{{{TIME({stamp})}}}}",
        "size": "Small",
        "isSubtle": True,
        "horizontalAlignment": "Right",
    }


def _foot(message: Message) -> Iterator[Element]:
    if actions := [*_buttons(message.buttons)]:
        yield {"type": "ActionSet", "actions": actions}
    if message.footer:
        yield small(clip(message.footer, 500))


def _buttons(buttons: Sequence[LinkButton]) -> Iterator[Element]:
    for button in buttons[:6]:
        url = safe_url(clean(button.url), limit=2_000)
        if url:
            label = clip(button.label, 100) or host_of(url)
            title = f"{label} ({clip(host_of(url), 100)})" if masks(label, url) else label
            yield {**link(url), "title": clean(title)}
