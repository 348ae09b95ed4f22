"""Messages as JSON and back: how they are stored and how pages get them."""

from datetime import datetime
from typing import Any

import orjson

from parley.kernel.messages import (
    Block,
    Bullets,
    Code,
    Fact,
    Facts,
    Folded,
    LinkButton,
    Markup,
    Message,
    Table,
    Tags,
    Text,
    Tone,
)


def to_json(message: Message) -> str:
    """Return the message as compact JSON; `from_json` gives an equal one back."""
    # A lone surrogate (half an emoji, as cut by a careless sender) is not valid UTF-8:
    # orjson refuses it, so it is shown as the replacement character.
    try:
        return orjson.dumps(message).decode()
    except (orjson.JSONEncodeError, TypeError):
        return orjson.dumps(_without_surrogates(message)).decode()


def from_json(data: str | bytes) -> Message:
    """Rebuild a message that `to_json` wrote.

    Fields that are missing take their defaults, unknown ones are ignored, so that rows written by
    the release before and the release after can be read.
    """
    raw: dict[str, Any] = orjson.loads(data)
    return Message(
        title=_text(raw["title"]),
        tone=Tone(raw.get("tone", Tone.INFO)),
        state=raw.get("state", ""),
        context=tuple(raw.get("context", ())),
        at=datetime.fromisoformat(raw["at"]) if raw.get("at") else None,
        note=raw.get("note", ""),
        summary=raw.get("summary", ""),
        blocks=tuple(_block(one) for one in raw.get("blocks", ())),
        buttons=tuple(LinkButton(one["label"], one["url"]) for one in raw.get("buttons", ())),
        footer=raw.get("footer", ""),
        event_id=raw.get("event_id", ""),
        group_mentions=raw.get("group_mentions", False),
    )


def _text(raw: dict[str, Any]) -> Text:
    return Text(raw["text"], Markup(raw.get("markup", Markup.PLAIN)), raw.get("subtle", False))


def _facts(raw: dict[str, Any]) -> Facts:
    return Facts(
        tuple(Fact(one["label"], one["value"], one.get("url", "")) for one in raw["facts"])
    )


def _simple(raw: dict[str, Any]) -> Text | Code | Facts:
    match raw.get("kind"):
        case "code":
            return Code(raw["text"])
        case "facts":
            return _facts(raw)
        case _:
            return _text(raw)


def _block(raw: dict[str, Any]) -> Block:
    match raw.get("kind"):
        case "bullets":
            return Bullets(tuple(_text(one) for one in raw["items"]), raw.get("label", ""))
        case "tags":
            return Tags(tuple(raw["tags"]), raw.get("label", ""))
        case "table":
            return Table(tuple(raw["columns"]), tuple(tuple(row) for row in raw["rows"]))
        case "folded":
            return Folded(raw["label"], tuple(_simple(one) for one in raw["blocks"]))
        case _:
            return _simple(raw)


def _without_surrogates(value: Any) -> Any:
    """Return plain data in which every string can be encoded."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, (tuple, list)):
        return [_without_surrogates(one) for one in value]
    if hasattr(value, "__dataclass_fields__"):
        names = value.__dataclass_fields__
        return {name: _without_surrogates(getattr(value, name)) for name in names}
    return value
