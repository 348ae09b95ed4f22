"""Events that arrived, as they arrived."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class StoredDelivery:
    """What became of one step: `state` is one of `kernel.ports.deliveries.STATES`.

    `digest_id` names the digest in which it is shown.
    """

    id: int
    configuration: str
    destination: str
    action: str
    state: str
    attempts: int
    error: str
    done_at: datetime | None
    digest_id: int | None


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event with its source text and its deliveries."""

    id: str
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
    deliveries: tuple[StoredDelivery, ...]


class History(Protocol):
    """Reads what arrived."""

    async def event(self, event_id: str) -> StoredEvent | None:
        """Return one event with its deliveries."""
        ...
