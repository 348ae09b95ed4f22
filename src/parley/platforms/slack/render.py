"""A message as what Slack is sent: text for notifications, the title, and the rest beside a bar.

The bar in the colour of the tone is an attachment's; the title stands above it in blocks, so that
Slack takes the text for notifications and screen readers and does not show it once more.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any
from urllib.parse import quote

from parley.kernel.messages import Block, LinkButton, Markup, Message, Text, Tone
from parley.platforms.clipping import clean, clip
from parley.platforms.fitting import fitted
from parley.platforms.links import safe_url
from parley.platforms.slack import limits
from parley.platforms.slack.blocks import parts
from parley.platforms.slack.limits import weight
from parley.platforms.slack.mrkdwn import sections, to_mrkdwn
from parley.platforms.slack.parts import (
    Part,
    button,
    context,
    escaped,
    line,
    literal,
    moment,
    plain,
    rich,
    section,
)

_COLOURS = {Tone.GOOD: "#1a7f4b", Tone.INFO: "#2f5bea", Tone.WARN: "#b26a00", Tone.BAD: "#c9352b"}
_CIRCLES = {
    Tone.GOOD: "large_green_circle",
    Tone.INFO: "large_blue_circle",
    Tone.WARN: "large_orange_circle",
    Tone.BAD: "red_circle",
}
_CUTS = ((8_500, 50), (3_000, 25), (800, 10), (200, 5))
"""How much of a block is shown, in steps: characters of a text, and items of a list."""

_LONGEST_PAGE = 1_000
_ROOM_FOR_BUTTONS = 4_000
_REMARK = "More is in this message: it is too long to be shown in Slack"


def render(message: Message, console_url: str = "") -> dict[str, Any]:
    """Return text, blocks, attachments and how to read them, within Slack's limits for any message.

    With `console_url` the message links to its page there, and what is folded waits on that page.
    """
    page = _page(message, console_url)
    above = [*_title(message)]
    first, last = [*_where_and_when(message)], [*_foot(message, page)]
    left = limits.MESSAGE - weight([*above, *first, *last, context([plain(_REMARK)])])
    room = limits.BLOCKS - len(above) - len(first) - len(last) - 1
    between, whole = fitted(
        [partial(_drawn, block, message, bool(page)) for block in message.blocks],
        len(_CUTS),
        weight,
        left,
        room,
    )
    if not whole:
        between.append(context([plain(_REMARK)]))
    beside = [*first, *between, *last]
    # Nothing but colour and blocks: Slack refuses blocks beside the older fields of attachments.
    bar = {"color": _COLOURS[message.tone], "blocks": beside}
    return {
        "text": _fallback(message),
        "blocks": above,
        "attachments": [bar] if beside else [],
        # Plain words are never made into mentions: `chat.update` would, if it were not told.
        "parse": "none",
        "link_names": False,
    }


def _drawn(block: Block, message: Message, linked: bool, step: int) -> list[Part]:  # noqa: FBT001 - for partial
    characters, items = _CUTS[step]
    mentions = message.group_mentions
    return [*parts(block, characters, items, group_mentions=mentions, linked=linked)]


def _page(message: Message, console_url: str) -> str:
    if not console_url or not message.event_id:
        return ""
    url = f"{console_url.rstrip('/')}/events/{quote(clean(message.event_id), safe='')}"
    return safe_url(url, limit=_LONGEST_PAGE)


def _title(message: Message) -> Iterator[Part]:
    if message.summary.strip():
        yield context([plain(clip(message.summary, 300))])
    title = clip(message.title.text, 500)
    state = [
        {"type": "emoji", "name": _CIRCLES[message.tone]},
        literal(f" {clip(message.state, 40)}", bold=True),
    ]
    if message.title.markup is Markup.CLIENT and title.strip():
        if message.state:
            yield rich([line(state)])
        for one in sections(title, group_mentions=message.group_mentions):
            yield section(_bold(one))
        return
    words = [literal(title, bold=True)] if title.strip() else []
    if message.state:
        between = [literal("  ")] if words else []
        words = [*state, *between, *words]
    yield rich([line(words or [literal("(message without a title)")])])


def _bold(text: str) -> str:
    """Return a title in bold, unless its author has chosen the look of it."""
    return text if any(one in text for one in "*_~`\n") or text != text.strip() else f"*{text}*"


def _where_and_when(message: Message) -> Iterator[Part]:
    elements: list[Part] = []
    if where := " · ".join(clip(one, 100) for one in message.context[:10] if one.strip()):
        elements.append(plain(where))
    if message.at:
        elements.append(moment(message.at))
    if message.note.strip():
        elements.append(plain(clip(message.note, 200)))
    if elements:
        yield context(elements)


def _foot(message: Message, page: str) -> Iterator[Part]:
    if shown := [*_buttons(message.buttons, page)]:
        yield {"type": "actions", "elements": shown}
    if message.footer.strip():
        yield context([plain(clip(message.footer, 500))])


def _buttons(buttons: Sequence[LinkButton], page: str) -> Iterator[Part]:
    ours = button(LinkButton("Open in Parley", page), 0) if page else None
    left = _ROOM_FOR_BUTTONS
    for number, one in enumerate(buttons[:5], 1):
        shown = button(one, number)
        # An address that is too long for the message is on the page that the last button opens.
        if shown and weight([shown]) <= left:
            left -= weight([shown])
            yield shown
    if ours:
        yield ours


def _fallback(message: Message) -> str:
    """Return the whole in a few lines, for notifications and screen readers."""
    state = f"{escaped(message.state, 40)}: " if message.state else ""
    lines = [state + _plain_text(message.title, message, 250)]
    if where := " · ".join(one for one in message.context[:10] if one.strip()):
        lines.append(escaped(where, 200))
    why = next((one for one in message.blocks if isinstance(one, Text) and one.text.strip()), None)
    if why:
        lines.append(_plain_text(why, message, 250))
    return "\n".join(one for one in lines if one.strip()) or "(message without a title)"


def _plain_text(text: Text, message: Message, characters: int) -> str:
    if text.markup is Markup.PLAIN:
        return escaped(text.text, characters)
    return to_mrkdwn(clip(text.text, characters), group_mentions=message.group_mentions)
