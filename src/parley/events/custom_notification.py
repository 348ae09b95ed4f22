"""Custom notifications 1.0: what a valid one holds, and every mistake of one that is not.

The rules are those of the AWS Chatbot Administrator Guide, "Custom notifications".
custom_notification.yaml states them as an OpenAPI schema.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from parley.events.reading import cut, dict_at, one_line, scalar_text, text_at

VERSION = "1.0"
SOURCE = "custom"
TEXT_TYPE = "client-markdown"

LONGEST_TITLE = 250
LONGEST_DESCRIPTION = 8000
LONGEST_NEXT_STEP = 350
LONGEST_KEYWORD = 75

_CONTENT_KEYS = frozenset({"textType", "title", "description", "nextSteps", "keywords"})
_METADATA_KEYS = frozenset({"threadId", "summary", "eventType", "relatedResources"})
_LONGEST_QUOTE = 60


@dataclass(frozen=True, slots=True)
class CustomNotification:
    """What could be read. `mistakes` is empty for a valid one; lengths are not mistakes."""

    id: str
    title: str
    description: str
    next_steps: tuple[str, ...]
    keywords: tuple[str, ...]
    thread_id: str
    summary: str
    event_type: str
    related_resources: tuple[str, ...]
    additional_context: Mapping[str, str]
    mistakes: tuple[str, ...]


def looks_custom(payload: object) -> bool:
    """Say whether somebody meant to send a custom notification, perhaps a broken one.

    Events of EventBridge never do, even if their source is called `custom`.
    """
    if not isinstance(payload, dict) or "detail-type" in payload:
        return False
    if text_at(payload, "source").strip().lower() == SOURCE:
        return True
    return scalar_text(payload.get("version")) in {VERSION, "1"} and _has_custom_parts(payload)


def _has_custom_parts(payload: Mapping[str, Any]) -> bool:
    content = dict_at(payload, "content")
    metadata = dict_at(payload, "metadata")
    return not (_CONTENT_KEYS.isdisjoint(content) and _METADATA_KEYS.isdisjoint(metadata))


def read_custom(payload: Mapping[str, Any]) -> CustomNotification:
    """Read everything that can be read, and name each mistake with its place and its remedy."""
    mistakes: list[str] = list(_constants(payload))
    content = _object(payload, "content", mistakes, required=True)
    metadata = _object(payload, "metadata", mistakes)
    text_type = content.get("textType")
    if text_type is not None and text_type != TEXT_TYPE:
        mistakes.append(f'content.textType must be "{TEXT_TYPE}" or left out; {_it_is(text_type)}.')
    description = _text(content, "content", "description", mistakes)
    # A content that is missing as a whole is one mistake, not two.
    if content.get("description") is None and isinstance(payload.get("content"), dict):
        mistakes.append("content.description is missing; it is the text of the notification.")
    elif isinstance(content.get("description"), str) and not description.strip():
        mistakes.append("content.description is empty; it is the text of the notification.")
    return CustomNotification(
        id=_text(payload, "", "id", mistakes),
        title=_text(content, "content", "title", mistakes),
        description=description,
        next_steps=_texts(content, "content", "nextSteps", mistakes),
        keywords=_texts(content, "content", "keywords", mistakes),
        thread_id=_text(metadata, "metadata", "threadId", mistakes),
        summary=_text(metadata, "metadata", "summary", mistakes),
        event_type=_text(metadata, "metadata", "eventType", mistakes),
        related_resources=_texts(metadata, "metadata", "relatedResources", mistakes),
        additional_context=_context(metadata, mistakes),
        mistakes=tuple(mistakes),
    )


def _constants(payload: Mapping[str, Any]) -> Iterator[str]:
    for key, expected in (("version", VERSION), ("source", SOURCE)):
        value = payload.get(key)
        if value is None:
            yield f'{key} is missing; it must be "{expected}".'
        elif value != expected:
            yield f'{key} must be "{expected}"; {_it_is(value)}.'


def _object(
    holder: Mapping[str, Any], key: str, mistakes: list[str], *, required: bool = False
) -> Mapping[str, Any]:
    value = holder.get(key)
    if isinstance(value, dict):
        return value
    if value is not None:
        mistakes.append(f"{key} must be an object; {_it_is(value)}.")
    elif required:
        mistakes.append(f"{key} is missing; it must be an object with a description.")
    return {}


def _text(holder: Mapping[str, Any], place: str, key: str, mistakes: list[str]) -> str:
    """Read a text. A number or truth value is shown and named; null counts as left out."""
    value = holder.get(key)
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    mistakes.append(f"{_path(place, key)} must be text; {_it_is(value)}.")
    return scalar_text(value) or ""


def _texts(holder: Mapping[str, Any], place: str, key: str, mistakes: list[str]) -> tuple[str, ...]:
    value = holder.get(key)
    if value is None:
        return ()
    path = _path(place, key)
    if not isinstance(value, list):
        mistakes.append(f"{path} must be a list of texts; {_it_is(value)}.")
        return (value,) if isinstance(value, str) else ()
    texts: list[str] = []
    for place_in_list, one in enumerate(value):
        if isinstance(one, str):
            texts.append(one)
            continue
        mistakes.append(f"{path}[{place_in_list}] must be text; {_it_is(one)}.")
        shown = scalar_text(one)
        if shown is not None:
            texts.append(shown)
    return tuple(texts)


def _context(metadata: Mapping[str, Any], mistakes: list[str]) -> Mapping[str, str]:
    value = metadata.get("additionalContext")
    if value is None:
        return {}
    if not isinstance(value, dict):
        mistakes.append(f"metadata.additionalContext must be an object of texts; {_it_is(value)}.")
        return {}
    texts = {key: _text(value, "metadata.additionalContext", key, mistakes) for key in value}
    return {key: text for key, text in texts.items() if value[key] is not None}


def _path(place: str, key: str) -> str:
    name = cut(one_line(key), _LONGEST_QUOTE)
    return f"{place}.{name}" if place else name


def _it_is(value: object) -> str:
    """Return what a wrong value is, for a sentence: `it is "2.0"`, `it is a list`."""
    match value:
        case str():
            return f'it is "{cut(one_line(value), _LONGEST_QUOTE)}"'
        case bool():
            return f"it is {scalar_text(value)}, a truth value"
        case int() | float():
            return f"it is {scalar_text(value)}, a number"
        case list():
            return "it is a list"
        case dict():
            return "it is an object"
        case _:
            return "it is null"
