"""A chat message, the same for every platform: the only thing that crosses to one.

A platform renders it with its own parts and may leave nothing important out. Text is shown letter
for letter unless it is marked as written in the markdown of a chat client by somebody who may
publish to the topic (custom notifications).
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal


class Tone(StrEnum):
    """What colour a message has; the state says the same in a word."""

    GOOD = "good"
    INFO = "info"
    WARN = "warn"
    BAD = "bad"


class Markup(StrEnum):
    """How a text may be read."""

    PLAIN = "plain"
    """Untrusted or our own: every character stands for itself, nobody is mentioned."""

    CLIENT = "client"
    """The chat client's own markdown, by the author of a custom notification."""


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph. `subtle` is small and grey: remarks, earlier values."""

    text: str
    markup: Markup = Markup.PLAIN
    subtle: bool = False
    kind: Literal["text"] = field(default="text", init=False)


@dataclass(frozen=True, slots=True)
class Code:
    """Text in a fixed-width box: logs, JSON, command lines."""

    text: str
    kind: Literal["code"] = field(default="code", init=False)


@dataclass(frozen=True, slots=True)
class Fact:
    """A label and its value; `url` makes the value a link to where it is explained."""

    label: str
    value: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """Two to six things a person would look for."""

    facts: tuple[Fact, ...]
    kind: Literal["facts"] = field(default="facts", init=False)


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list of points: next steps."""

    items: tuple[Text, ...]
    label: str = ""
    kind: Literal["bullets"] = field(default="bullets", init=False)


@dataclass(frozen=True, slots=True)
class Tags:
    """Short words in a row: keywords, related resources."""

    tags: tuple[str, ...]
    label: str = ""
    kind: Literal["tags"] = field(default="tags", init=False)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of plain text under column names; every row is as long as `columns`."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    kind: Literal["table"] = field(default="table", init=False)


@dataclass(frozen=True, slots=True)
class Folded:
    """What only some readers want: behind one click where the platform can, otherwise linked."""

    label: str
    blocks: "tuple[Text | Code | Facts, ...]"
    kind: Literal["folded"] = field(default="folded", init=False)


Block = Text | Code | Facts | Bullets | Tags | Table | Folded


@dataclass(frozen=True, slots=True)
class LinkButton:
    """A button that opens a page."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Message:
    """Everything a reader sees, top to bottom.

    `state` is the word in the chip (ALARM, OK, FAILED), `context` account, region and service,
    `at` when it happened, `note` what stands beside the time ("3rd time in 20 min"), `summary`
    the line on top of a thread, `event_id` the event it came from (platforms link to its page).
    """

    title: Text
    tone: Tone = Tone.INFO
    state: str = ""
    context: tuple[str, ...] = ()
    at: datetime | None = None
    note: str = ""
    summary: str = ""
    blocks: tuple[Block, ...] = ()
    buttons: tuple[LinkButton, ...] = ()
    footer: str = ""
    event_id: str = ""
    group_mentions: bool = False
    """Whether CLIENT text may notify a whole channel or group; the configuration decides."""


def plain_title(message: Message) -> str:
    """Return one line that says it all, for lists, previews and logs."""
    return f"{message.state}: {message.title.text}" if message.state else message.title.text
