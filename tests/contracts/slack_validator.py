"""Slack's rules for the form of a message: its reference, its SDK's and a third party's limits."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import orjson
from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block
from slackblocks import _limits as third_party

# Slack stops at some 13,200 characters over all blocks, below any single limit.
ALL_BLOCKS = 13_000
TEXT = 40_000

_KEYS: dict[str, tuple[set[str], set[str]]] = {
    # type: what it must have, what it may have besides; from the Block Kit reference
    "section": ({"text"}, {"block_id", "fields", "accessory", "expand"}),
    "context": ({"elements"}, {"block_id"}),
    "actions": ({"elements"}, {"block_id"}),
    "rich_text": ({"elements"}, {"block_id"}),
    "plain_text": ({"text"}, {"emoji"}),
    "mrkdwn": ({"text"}, {"verbatim"}),
    "button": ({"text", "action_id"}, {"url", "value", "style", "confirm", "accessibility_label"}),
    "rich_text_section": ({"elements"}, set()),
    "rich_text_list": ({"elements", "style"}, {"indent", "offset", "border"}),
    "rich_text_preformatted": ({"elements"}, {"border"}),
    "rich_text_quote": ({"elements"}, {"border"}),
    "text": ({"text"}, {"style"}),
    "link": ({"url"}, {"text", "unsafe", "style"}),
    "emoji": ({"name"}, {"unicode"}),
}
_INSIDE = {
    "section": {"plain_text", "mrkdwn"},
    "context": {"plain_text", "mrkdwn", "image"},
    "actions": {"button"},
    "button": {"plain_text"},
    "rich_text": {
        "rich_text_section",
        "rich_text_list",
        "rich_text_preformatted",
        "rich_text_quote",
    },
    "rich_text_list": {"rich_text_section"},
    "rich_text_section": {"text", "link", "emoji"},
    "rich_text_preformatted": {"text", "link"},
    "rich_text_quote": {"text", "link", "emoji"},
}
_MOST = {
    "context": third_party.CONTEXT_ELEMENTS_MAX_ITEMS,
    "actions": third_party.ACTIONS_ELEMENTS_MAX_ITEMS,
}
_BLOCKS = {"section", "context", "actions", "rich_text"}
_CONTROL = re.compile(
    r"@[UW][A-Z0-9]+|#[CDG][A-Z0-9]+|!(?:here|channel|everyone)|!subteam\^S[A-Z0-9]+"
    r"|!date\^-?\d+\^[^|]+\|[^|]+|(?:https?://|mailto:)[^|\s]+(?:\|.+)?",
    re.DOTALL,
)


def problems(content: Mapping[str, Any]) -> list[str]:
    """Return what Slack would find wrong with a message, empty when nothing is."""
    return [*_message(content)]


def _message(content: Mapping[str, Any]) -> Iterator[str]:
    blocks, attachments = content.get("blocks", []), content.get("attachments", [])
    everything = [*blocks, *(block for one in attachments for block in one.get("blocks", []))]
    yield from _text(content.get("text", ""))
    if "blocks" in content and not blocks:
        yield "blocks: empty"
    for attachment in attachments:
        yield from _attachment(attachment)
    yield from _together(everything)
    for block in everything:
        if block.get("type") not in _BLOCKS:
            yield f"block of type {block.get('type')!r}"
        else:
            yield from _part(block)
            yield from _by_the_sdk(block)


def _text(text: object) -> Iterator[str]:
    if not isinstance(text, str) or not text.strip():
        yield "text: missing, so notifications and screen readers have none"
        return
    if _units(text) > TEXT:
        yield f"text: more than {TEXT} characters"
    yield from _controls(text)


def _attachment(attachment: Mapping[str, Any]) -> Iterator[str]:
    # Blocks do not go with the older fields, nor with colours by name.
    if set(attachment) != {"color", "blocks"} or not attachment["blocks"]:
        yield f"attachment: {sorted(attachment)}"
    elif not re.fullmatch("#[0-9a-f]{6}", attachment["color"]):
        yield f"attachment: colour {attachment['color']!r}"


def _together(everything: list[dict[str, Any]]) -> Iterator[str]:
    if len(everything) > third_party.MESSAGE_BLOCKS_MAX_ITEMS:
        yield f"{len(everything)} blocks"
    if _units(orjson.dumps(everything).decode()) > ALL_BLOCKS:
        yield "msg_blocks_too_long"
    actions = [one["action_id"] for block in everything for one in _buttons(block)]
    if len(set(actions)) != len(actions):
        yield "action_id: used twice"


def _by_the_sdk(block: dict[str, Any]) -> Iterator[str]:
    try:
        parsed = Block.parse(block)
        if parsed is None or parsed.to_dict() != block:
            yield f"the SDK reads it as something else: {block}"
    except SlackObjectFormationError as error:
        yield f"the SDK refuses it: {error}"


def _part(part: Mapping[str, Any]) -> Iterator[str]:
    kind = part["type"]
    needed, allowed = _KEYS[kind]
    if missing := needed - set(part):
        yield f"{kind}: {missing} missing"
        return
    if extra := set(part) - needed - allowed - {"type"}:
        yield f"{kind}: {extra} is not known"
    yield from _limits(part)
    inside = part.get("elements", [])
    if kind in {"section", "button"}:
        inside = [part["text"]]
    for one in inside:
        if one.get("type") not in _INSIDE[kind]:
            yield f"{kind}: {one.get('type')!r} does not go in there"
        else:
            yield from _part(one)


def _limits(part: Mapping[str, Any]) -> Iterator[str]:
    kind = part["type"]
    if "elements" in part and not 1 <= len(part["elements"]) <= _MOST.get(kind, 1_000):
        yield f"{kind}: {len(part['elements'])} elements"
    if kind in {"plain_text", "mrkdwn", "text"} and not part["text"]:
        yield f"{kind}: empty text"
    if kind in {"plain_text", "mrkdwn"}:
        yield from _text_object(part["text"], kind)
    if kind == "button" and _units(part["text"]["text"]) > third_party.BUTTON_TEXT_MAX_LENGTH:
        yield f"button: {part['text']['text']!r} is too long"
    if _units(part.get("url", "")) > third_party.BUTTON_URL_MAX_LENGTH:
        yield f"{kind}: address of {len(part['url'])} characters"


def _text_object(text: str, kind: str) -> Iterator[str]:
    if not text.strip():
        yield f"{kind}: blank text"
    if _units(text) > third_party.TEXT_MAX_LENGTH:
        yield f"{kind}: {_units(text)} characters"
    if kind == "mrkdwn":
        yield from _controls(text)


def _controls(text: str) -> Iterator[str]:
    """Every control character stands in a sequence that Slack knows, or is escaped."""
    rest = re.sub(r"<([^<>]*)>", "", text)
    for found in re.finditer(r"<([^<>]*)>", text):
        if not _CONTROL.fullmatch(found[1]):
            yield f"mrkdwn: {found[0]!r} means nothing"
    if "<" in rest or re.search(r"&(?!amp;|lt;|gt;)", rest):
        yield f"mrkdwn: not escaped in {rest!r}"


def _buttons(block: Mapping[str, Any]) -> list[dict[str, Any]]:
    return list(block["elements"]) if block.get("type") == "actions" else []


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
