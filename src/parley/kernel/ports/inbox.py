"""Storing what arrived, with what has to be sent for it, in one transaction."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from parley.kernel.incoming import Destination
from parley.kernel.messages import Message
from parley.kernel.threads import Thread


@dataclass(frozen=True, slots=True)
class Route:
    """A message for one destination, by way of one configuration."""

    configuration: str
    destination: Destination
    message: Message
    thread: Thread | None


@dataclass(frozen=True, slots=True)
class Arrival:
    """An event ready to be stored. `raw` is what arrived, letter for letter."""

    event_id: str
    received_at: datetime
    occurred_at: datetime | None
    source: str
    kind: str
    account: str
    region: str
    topic: str
    title: str
    tone: str
    raw: str
    routes: tuple[Route, ...]


class Inbox(Protocol):
    """Accepts arrivals."""

    async def accept(self, arrival: Arrival) -> bool:
        """Store the event and its deliveries; return whether it is new (false: a duplicate).

        Returns only after the commit. Raises `Overloaded` when too much waits already and
        `Unavailable` when the database cannot be written.
        """
        ...
