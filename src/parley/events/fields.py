"""Finding, in an event of any shape, the few fields that a person would read first."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any

from parley.events.console import parse_arn, resource_page, short_name
from parley.events.reading import cut, one_line, scalar_text, text_at, value_at
from parley.kernel.messages import Fact

_SCORES = {
    "severity": 95,
    "error": 94,
    "errorcode": 93,
    "eventname": 92,
    "name": 90,
    "user": 86,
    "username": 86,
    "reason": 85,
    "cause": 84,
    "message": 80,
    "description": 78,
    "type": 60,
    "action": 58,
    "operation": 58,
    "result": 57,
    "phase": 56,
    "environment": 55,
    "customer": 54,
    "amount": 54,
    "total": 54,
    "version": 40,
    "count": 40,
    "duration": 40,
    "origin": 35,
    "id": 24,
    "arn": 22,
}
"""How much a reader wants a field, by its name without separators and in small letters."""

_ENDINGS = (
    ("status", 88),
    ("state", 88),
    ("severity", 87),
    ("reason", 83),
    ("message", 76),
    ("name", 74),
    ("user", 72),
    ("code", 62),
    ("type", 52),
    ("id", 50),
    ("arn", 45),
    ("count", 38),
    ("percentage", 38),
    ("days", 38),
    ("expiry", 38),
)

_DULL = re.compile(
    r"token|schema|version\d|hash|checksum|eventid|requestid|accountid|accesskey|principalid"
    r"|useragent|invocationid|eventversion|region|timestamp|createdat|updatedat|analyzedat"
    r"|^(?:start|stop|end|event|create|creation|completion|update)(?:ed)?(?:time|date|by)$|^uuid$"
)
_OTHER = 20
_WORTH_SHOWING = 20
_LONGEST_LABEL = 60
_DEEPEST = 3
_MOST_LOOKED_AT = 300
"""Members of an object; events with more of them are data, and nobody reads data in chat."""

_LONGEST_VALUE = 300
_LONG_ENOUGH_TO_TELL = 5
_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
_PLAIN = re.compile(r"[^a-z0-9]")
_ACRONYMS = frozenset(
    {"ami", "api", "arn", "az", "cpu", "db", "dns", "ebs", "ec2", "ecr", "ecs", "eks", "iam", "id"}
    | {"ip", "kms", "rds", "sns", "sqs", "ttl", "uri", "url", "vpc"}
)
_VAGUE = frozenset(
    {"id", "name", "arn", "type", "value", "status", "state", "version", "key", "code", "count"}
)
"""Keys that say little without the key above them."""

STATE_KEYS = (
    "state",
    "status",
    "currentphasestatus",
    "buildstatus",
    "jobstatus",
    "executionstatus",
    "compliancestatus",
    "laststatus",
    "newstate",
    "result",
    "outcome",
)
_LONGEST_STATE = 40


@dataclass(frozen=True, slots=True)
class Field:
    """A value inside an event: its path of keys, and its text letter for letter."""

    path: tuple[str, ...]
    text: str

    @property
    def key(self) -> str:
        """The last key in small letters, without separators."""
        return plain_key(self.path[-1])


def plain_key(key: str) -> str:
    """Return `instance-id`, `InstanceId` and `instance_id` as `instanceid`."""
    return _PLAIN.sub("", key[:_LONGEST_LABEL].lower())


def label_of(key: str) -> str:
    """Return a key as a label: `stateMachineArn` reads `State machine`, `vpc-id` reads `VPC ID`.

    A key that is written as words already keeps its letters.
    """
    return _label(key[: 2 * _LONGEST_LABEL])


@lru_cache(maxsize=1024)
def _label(key: str) -> str:
    words = _WORD.findall(key[:_LONGEST_LABEL])
    if " " in key or not words:
        return cut(one_line(key), _LONGEST_LABEL) or "Value"
    if len(words) > 1 and words[-1].lower() == "arn":
        words.pop()
    shown = [_word(word) for word in words]
    shown[0] = shown[0][:1].upper() + shown[0][1:]
    return " ".join(shown)


def _word(word: str) -> str:
    if word.lower() in _ACRONYMS:
        return word.upper()
    return word if word.isupper() and len(word) > 1 else word.lower()


def _by_key(detail: Mapping[str, Any]) -> dict[str, Any]:
    return {plain_key(key): value for key, value in islice(detail.items(), _MOST_LOOKED_AT)}


def state_of(detail: Mapping[str, Any]) -> str:
    """Return the word for the state that an event speaks of, letter for letter, or nothing."""
    by_key = _by_key(detail)
    for key in STATE_KEYS:
        value = by_key.get(key)
        if isinstance(value, dict):
            value = value_at(value, "value") or value_at(value, "name") or value_at(value, "status")
        if isinstance(value, str) and 0 < len(value.strip()) <= _LONGEST_STATE:
            return value.strip()
    return ""


def fields_of(detail: Mapping[str, Any]) -> Iterator[Field]:
    """Yield texts, numbers and truth values of an event, nearest first, some hundred at most."""
    left = _MOST_LOOKED_AT
    level: list[tuple[tuple[str, ...], Mapping[str, Any]]] = [((), detail)]
    for _ in range(_DEEPEST):
        below: list[tuple[tuple[str, ...], Mapping[str, Any]]] = []
        for path, node in level:
            for key, value in islice(node.items(), left):
                left -= 1
                if isinstance(value, dict):
                    below.append(((*path, key), value))
                    continue
                text = scalar_text(value)
                if text is not None and text.strip():
                    yield Field((*path, key), text)
        level = below


def score(field: Field) -> int:
    """Return how much a reader wants the field; deeper ones count less."""
    key = field.key
    found = _SCORES.get(key)
    if found is None:
        if _DULL.search(key):
            return 0
        found = next((points for ending, points in _ENDINGS if key.endswith(ending)), _OTHER)
    if len(field.text) > _LONGEST_VALUE or field.text[:1] in "{[":
        return 0
    return found - 12 * (len(field.path) - 1)


def telling_facts(
    detail: Mapping[str, Any], most: int, said: tuple[str, ...] = ()
) -> tuple[Fact, ...]:
    """Return the best fields as facts, in the order of the event.

    Values that `said` holds are shown elsewhere, and so are those that the last of it, the
    sentence why, contains.
    """
    seen = set(said)
    sentence = said[-1] if said else ""
    scored: list[tuple[int, int, Field]] = []
    for place, field in enumerate(fields_of(detail)):
        name = short_name(field.text)
        if field.text in seen or name in seen:
            continue
        if len(field.text) >= _LONG_ENOUGH_TO_TELL and field.text in sentence:
            continue
        seen.add(name)
        points = score(field)
        if points >= _WORTH_SHOWING:
            scored.append((-points, place, field))
    best = sorted(scored, key=lambda one: one[:2])[:most]
    return tuple(fact_of(field) for _, _, field in sorted(best, key=lambda one: one[1]))


def fact_of(field: Field) -> Fact:
    """Return a field as a fact; ARNs become their name with a link to the console."""
    label = label_of(field.path[-1])
    if len(field.path) > 1 and field.key in _VAGUE:
        label = f"{label_of(field.path[-2])} {label if label.isupper() else label.lower()}"
    if parse_arn(field.text):
        return Fact(label, short_name(field.text), resource_page(field.text))
    return Fact(label, cut(field.text, _LONGEST_VALUE))


def first_text(detail: Mapping[str, Any], keys: tuple[str, ...]) -> str:
    """Return the first text that is not blank under one of the keys, without regard to case."""
    by_key = _by_key(detail)
    for key in keys:
        value = by_key.get(key)
        if isinstance(value, str) and value.strip():
            return value.strip()
        if isinstance(value, list) and value:
            text = text_at(value[0], "latestDescription")
            if text.strip():
                return text.strip()
    return ""


def ending_text(detail: Mapping[str, Any], endings: tuple[str, ...]) -> str:
    """Return the first text that is not blank under a key with one of the endings."""
    for ending in endings:
        for key, value in islice(detail.items(), _MOST_LOOKED_AT):
            if isinstance(value, str) and value.strip() and plain_key(key).endswith(ending):
                return value.strip()
    return ""
