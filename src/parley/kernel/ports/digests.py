"""Digests: a storm in a channel as one message, and everything that it stands for."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from parley.kernel.incoming import Destination
from parley.kernel.messages import Message
from parley.kernel.ports.outbox import Lease


@dataclass(frozen=True, slots=True)
class Weather:
    """What a channel has before it.

    `posts` are the messages of their own that wait, counted up to a limit (and where nothing is
    the matter there may be fewer); `down` is for how long
    the channel could not be reached, none when it can. A digest that is `open` takes them in; one
    that is `due` has something to say now, one that is `waiting` has something to say later.
    """

    posts: int
    down: timedelta | None
    open: bool
    due: bool
    waiting: bool


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for a step.

    Whether a digest may be opened; how often one is edited; after what silence, or after what time
    with no more than `calm` deliveries in such a silence, it ends; from what time on a channel
    counts as down; how many alarms that are owed a message of their own may wait at once.
    """

    opening: bool
    every: timedelta
    quiet: timedelta
    longest: timedelta
    calm: int
    down: timedelta
    owed_at_once: int


@dataclass(frozen=True, slots=True)
class Step:
    """What a step did.

    `taken` counts the events that were taken in, by configuration; `more` says that others wait,
    `shown` that everything taken in before was already sent.
    """

    taken: Mapping[str, int]
    more: bool
    shown: bool


class Digests(Protocol):
    """Digests of leased channels. Every step is one transaction, and times are the database's."""

    async def weather(self, lease: Lease, most: int) -> Weather:
        """Look at a channel; count no further than one beyond `most`."""
        ...

    async def advance(self, lease: Lease, terms: Terms) -> Step | None:
        """Take in what waits, edit or end the digest if it is time, release what is owed.

        Return none, and change nothing, when the lease was lost.
        """
        ...

    async def unreachable(self, lease: Lease) -> None:
        """Remember since when the channel cannot be reached; sending something forgets it."""
        ...


@dataclass(frozen=True, slots=True)
class Digested:
    """An event in a digest. `id` is that of its delivery, `state` what became of that."""

    id: int
    event_id: str
    received_at: datetime
    source: str
    title: str
    tone: str
    state: str


@dataclass(frozen=True, slots=True)
class StoredDigest:
    """A digest with some of its events, oldest first. `closed_at` is none while it is open."""

    id: int
    destination: Destination
    opened_at: datetime
    closed_at: datetime | None
    message: Message
    count: int
    events: tuple[Digested, ...]


class DigestPages(Protocol):
    """Reads digests."""

    async def digest(self, digest_id: int, after: int, limit: int) -> StoredDigest | None:
        """Return a digest with the events after a delivery's id."""
        ...
