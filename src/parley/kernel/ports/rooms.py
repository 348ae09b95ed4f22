"""The web chat: rooms, their messages, and what each person has read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from parley.kernel.incoming import Person
from parley.kernel.messages import Message


@dataclass(frozen=True, slots=True)
class Room:
    """A room as one person sees it. `last_seq` is the id of its last change."""

    name: str
    last_seq: int
    unread: int
    muted: bool


@dataclass(frozen=True, slots=True)
class Posted:
    """A message in a room: a line that a person typed (`text`), or `message` from Parley.

    `id` never changes, `seq` is the room's change that posted it. `root` is the head of its
    thread, none for a head. `author` is none for Parley.
    """

    id: int
    room: str
    seq: int
    root: int | None
    author: Person | None
    text: str
    message: Message | None
    event_id: str
    created_at: datetime
    edited_at: datetime | None
    replies: int
    last_reply_at: datetime | None


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a room, numbered without gaps: `kind` is `posted` or `edited`.

    `posted` shows the message as it stands now.
    """

    seq: int
    kind: str
    posted: Posted


class Rooms(Protocol):
    """Reads and writes the web chat."""

    async def list(self, person: Person) -> Sequence[Room]:
        """Return the rooms, `admin` last."""
        ...

    async def history(self, room: str, before: int | None, limit: int) -> Sequence[Posted]:
        """Return the newest heads with an id below `before`, oldest first."""
        ...

    async def thread(self, root: int) -> Sequence[Posted]:
        """Return a head and its replies, oldest first; empty when there is no such head."""
        ...

    async def message(self, message_id: int) -> Posted | None:
        """Return one message."""
        ...

    async def changes(self, room: str, after: int, limit: int) -> Sequence[Change]:
        """Return what changed in a room after the change `after`, in order, without gaps."""
        ...

    async def first_change(self, room: str) -> int:
        """Return the number of the oldest change that is kept, of the next one if none is.

        A page that knows less than the one before it has missed what is forgotten now.
        """
        ...

    async def last_changes(self) -> dict[str, int]:
        """Return the id of the last change of every room: what a live page compares with."""
        ...

    async def search(
        self, words: str, room: str, before: int | None, limit: int
    ) -> Sequence[Posted]:
        """Return messages that hold all the words, newest first; an empty room means every one."""
        ...

    async def say(
        self, room: str, person: Person, text: str, root: int | None, answer: Message | None
    ) -> Posted:
        """Store what a person typed, and Parley's answer right after it, in one transaction.

        Raises `NotFound` for an unknown room or thread.
        """
        ...

    async def mark_read(self, person: Person, room: str, seq: int) -> None:
        """Remember that the person has seen the room up to a change; never goes back."""
        ...

    async def mute(self, person: Person, room: str, *, muted: bool) -> None:
        """Switch a room's unread mark off or on for one person."""
        ...
