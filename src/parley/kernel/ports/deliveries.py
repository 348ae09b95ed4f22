"""What became of deliveries, for people: to look through, and to send again what was given up."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from parley.kernel.incoming import Destination
from parley.kernel.messages import Message

STATES = ("pending", "sent", "superseded", "digested", "owed", "dead")
"""Every state of a delivery.

A superseded edit was overtaken by a later one of the same message; what is digested stands in a
digest, and what is owed stood in one and gets a message of its own.
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which deliveries to list, the newest first: empty means every one.

    `before` is the id of the last one of the page before.
    """

    state: str = ""
    configuration: str = ""
    since: datetime | None = None
    before: int | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class Listed:
    """One delivery as it stands. `event_id` may name an event that is not kept any more.

    `possible_duplicate`: a worker ended between sending and marking it, so it may appear twice.
    """

    id: int
    event_id: str
    configuration: str
    destination: Destination
    action: str
    message: Message
    state: str
    attempts: int
    error: str
    possible_duplicate: bool
    created_at: datetime
    due_at: datetime
    done_at: datetime | None


@dataclass(frozen=True, slots=True)
class Tally:
    """How many deliveries wait, and how many were given up."""

    pending: int
    dead: int


class Deliveries(Protocol):
    """Reads deliveries, and makes dead ones pending again."""

    async def list(self, wanted: Wanted) -> Sequence[Listed]:
        """Return a page of deliveries, the newest first."""
        ...

    async def one(self, delivery_id: int) -> Listed | None:
        """Return one delivery."""
        ...

    async def tally(self) -> Tally:
        """Return how many wait and how many are dead."""
        ...

    async def replay(self, ids: Sequence[int]) -> Sequence[int]:
        """Make dead letters pending, as if they had just been accepted; return which were dead."""
        ...

    async def replay_all(self, configuration: str, limit: int) -> int:
        """Make up to `limit` dead letters pending, oldest first; return how many.

        An empty configuration means every one.
        """
        ...
