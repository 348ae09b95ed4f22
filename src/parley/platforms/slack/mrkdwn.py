"""Text of custom notifications as Slack's mrkdwn: what its author may do passes, the rest is text.

Meant for text objects with `verbatim`: Slack then reads only what stands between angle brackets,
and all that stands there is written here.
"""

import re
from collections.abc import Iterator

from parley.platforms.client_text import (
    ChannelMention,
    GroupMention,
    LabelledLink,
    Mention,
    Plain,
    UserMention,
    tokens,
)
from parley.platforms.clipping import clean, clip
from parley.platforms.links import WEB, masks, safe_url
from parley.platforms.slack.limits import SECTION_TEXT, length

_AMPERSAND = re.compile(r"&(?!(?:amp|lt|gt);)")
_QUOTE = re.compile(r"^([ \t]*)&gt;", re.MULTILINE)
_ADDRESS = re.compile(r"https?://(?:(?!&[lg]t;)[^\s<>|`])+", re.IGNORECASE)
_TRAILING = ".,;:!?)]}'\"*_~"
_LONGEST_LINK = 2_500
_STEP = 500


def escape(text: str) -> str:
    """Return the text with Slack's three control characters escaped."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def to_mrkdwn(text: str, *, group_mentions: bool) -> str:
    """Return the text as mrkdwn, of any length."""
    return "".join(_pieces(text, group_mentions=group_mentions))


def sections(text: str, *, group_mentions: bool) -> list[str]:
    """Return the text as mrkdwn in parts that fit into one section each, cut between lines."""
    parts, current = [], ""
    for piece in _pieces(text, group_mentions=group_mentions):
        if current and length(current + piece) > SECTION_TEXT:
            parts.append(current)
            current = ""
        current += piece
    return [part for part in (*parts, current) if part.strip()]


def _pieces(text: str, *, group_mentions: bool) -> Iterator[str]:
    """Return parts that must not be cut, each far below the length of a section."""
    for token in tokens(clean(text)):
        match token:
            case Plain(plain):
                yield from _plain(plain)
            case LabelledLink(url, label):
                yield from _link(url, label)
            case _:
                yield _mention(token, group_mentions=group_mentions)


def _mention(token: Mention, *, group_mentions: bool) -> str:
    match token:
        case UserMention(id=user):
            return f"<@{user}>"
        case ChannelMention(id=channel):
            return f"<#{channel}>"
        case GroupMention(id=group, name=name):
            if not group_mentions:
                return escape_once(f"@{clip(name, 80) or group}")
            return f"<!subteam^{group}>" if group.startswith("S") else f"<!{group}>"


def _plain(text: str) -> Iterator[str]:
    start = 0
    for found in _ADDRESS.finditer(text):
        url = found[0].rstrip(_TRAILING)
        yield from _words(text[start : found.start()])
        yield from _link(url, "")
        start = found.start() + len(url)
    yield from _words(text[start:])


def _words(text: str) -> Iterator[str]:
    for line in text.splitlines(keepends=True):
        for start in range(0, len(line), _STEP):
            yield escape_once(line[start : start + _STEP])


def _link(url: str, label: str) -> Iterator[str]:
    written = url.replace("&amp;", "&")
    target = safe_url(written, (*WEB, "mailto"))
    label = " ".join(label.split())
    link = f"<{escape(target)}|{escape_once(label)}>" if label else f"<{escape(target)}>"
    if not target or length(link) > _LONGEST_LINK:
        yield from _words(f"{label} ({written})" if label else written)
    elif label and masks(label, target):
        yield from _words(f"{label} (")
        yield f"<{escape(target)}>"
        yield ")"
    else:
        yield link


def escape_once(text: str) -> str:
    """Escape a text whose author may have escaped it already; a quote stays a quote."""
    text = _AMPERSAND.sub("&amp;", text).replace("<", "&lt;").replace(">", "&gt;")
    return _QUOTE.sub(r"\1>", text)
