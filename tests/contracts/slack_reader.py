"""What people get to see of a Slack message: its words, its links, and who is notified.

Written from Slack's reference, not from what Parley writes, so that it can find Parley wrong.
"""

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

_CONTROL = re.compile(r"<([^<>]*)>")
_EMOJI = re.compile(r":[a-z0-9_+-]+:")
_BARE_ADDRESS = re.compile(r"https?://[^\s<>|]+")


@dataclass(slots=True)
class Seen:
    """The words in order, the links with what they are called, and the ids of the notified."""

    words: list[str] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)
    notified: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Return all words, a block a line."""
        return "\n".join(self.words)


def read(content: Mapping[str, Any]) -> Seen:
    """Return what a reader of the channel sees of a `chat.postMessage` call."""
    seen = Seen()
    for block in all_blocks(content):
        seen.words.append("".join(_block(block, seen)))
    # Mentions in the text of notifications notify as those in blocks do.
    "".join(_mrkdwn(content.get("text", ""), seen, verbatim=content.get("parse") == "none"))
    return seen


def all_blocks(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the blocks of a message, those of its attachments included."""
    attached = [block for one in content.get("attachments", []) for block in one["blocks"]]
    return [*content.get("blocks", []), *attached]


def _block(block: Mapping[str, Any], seen: Seen) -> Iterator[str]:
    match block["type"]:
        case "section":
            yield from _text_object(block["text"], seen)
        case "context":
            for number, element in enumerate(block["elements"]):
                yield "   " if number else ""
                yield from _text_object(element, seen)
        case "actions":
            for button in block["elements"]:
                label = "".join(_text_object(button["text"], seen))
                seen.links.append((label, button["url"]))
                yield f"[{label}]"
        case "rich_text":
            for element in block["elements"]:
                yield from _rich_text(element, seen)
        case kind:
            raise ValueError(kind)


def _rich_text(element: Mapping[str, Any], seen: Seen) -> Iterator[str]:
    match element["type"]:
        case "text":
            yield element["text"]
        case "emoji":
            yield f":{element['name']}:"
        case "link":
            label = element.get("text") or element["url"]
            seen.links.append((label, element["url"]))
            yield label
        case "user" | "usergroup" | "broadcast" | "channel":
            seen.notified.append(str(element))
        case "rich_text_list":
            for item in element["elements"]:
                yield "\n• "
                yield from _rich_text(item, seen)
        case _:
            for inner in element["elements"]:
                yield from _rich_text(inner, seen)


def _text_object(text: Mapping[str, Any], seen: Seen) -> Iterator[str]:
    if text["type"] == "plain_text":
        # Names of emoji are replaced by them unless Slack is told not to.
        yield text["text"] if text.get("emoji") is False else _EMOJI.sub("(emoji)", text["text"])
    else:
        yield from _mrkdwn(text["text"], seen, verbatim=text.get("verbatim", False))


def _mrkdwn(text: str, seen: Seen, *, verbatim: bool) -> Iterator[str]:
    start = 0
    for found in _CONTROL.finditer(text):
        yield _words(text[start : found.start()], seen, verbatim=verbatim)
        yield _control(found[1], seen)
        start = found.end()
    yield _words(text[start:], seen, verbatim=verbatim)


def _words(text: str, seen: Seen, *, verbatim: bool) -> str:
    shown = html.unescape(text)
    if not verbatim:
        # Slack makes links and, for certain words, mentions of plain text unless told not to.
        seen.links += [(url, url) for url in _BARE_ADDRESS.findall(shown)]
        seen.notified += re.findall(r"@(?:here|channel|everyone)\b", shown)
    return shown


def _control(inside: str, seen: Seen) -> str:
    target, _, label = inside.partition("|")
    target, label = html.unescape(target), html.unescape(label)
    if target.startswith("!date^"):
        return label
    if target.startswith(("@", "!")):
        seen.notified.append(target)
        return f"@{label or target[1:]}"
    if target.startswith("#"):
        return f"#{label or target[1:]}"
    seen.links.append((label or target, target))
    return label or target
