"""Deliveries: one platform call each, sent by the worker that leases their destination."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from parley.kernel.incoming import Destination
from parley.kernel.messages import Message


class Action(StrEnum):
    """What the platform is asked to do."""

    POST = "post"
    EDIT = "edit"
    REPLY = "reply"


@dataclass(frozen=True, slots=True)
class Lease:
    """A destination that one worker owns for a while. Every write names owner and epoch.

    `tokens` is what the channel's pace had left when it was last written to, `rested` the seconds
    since then; a channel that was never written to has neither: -1. `stormy` says that a digest
    of the channel waits for something, or that the channel could not be reached.
    """

    destination_id: int
    destination: Destination
    owner: str
    epoch: int
    tokens: float
    rested: float
    stormy: bool = False


@dataclass(frozen=True, slots=True)
class Delivery:
    """One step of one event. `head_handle` is the head's handle, empty until it is posted.

    `age` is the time since the event was accepted. `possible_duplicate`: it may have been sent
    already, by a worker that ended before it marked it, or in a call that was not answered.
    """

    id: int
    event_id: str
    configuration: str
    created_at: datetime
    action: Action
    head_id: int
    head_handle: str
    message: Message
    attempts: int
    age: timedelta
    possible_duplicate: bool = False


class Outbox(Protocol):
    """The deliveries that wait, by destination. Times are the database's own."""

    async def claim(self, owner: str, limit: int, besides: Collection[int] = ()) -> Sequence[Lease]:
        """Lease up to `limit` destinations that are due and free, the longest waiting first.

        `besides` are ids of destinations that the worker still works on. Where a lease ran out
        and was not given back, what its worker may have been sending is marked.
        """
        ...

    async def renew(self, leases: Sequence[Lease]) -> Sequence[Lease]:
        """Prolong the leases; return those still held."""
        ...

    async def pending(self, lease: Lease, limit: int) -> Sequence[Delivery]:
        """Return what may be sent now, oldest first.

        A delivery that waits for its retry holds up those of its own thread, not the others. Of
        several pending edits of one head only the last is returned; the others are closed.
        """
        ...

    async def delivered(self, lease: Lease, delivery: Delivery, handle: str, tokens: float) -> bool:
        """Mark as sent and store the pace; return false when the lease was lost meanwhile.

        `delivery` says whether it may appear twice.
        """
        ...

    async def shown(self, lease: Lease, deliveries: Sequence[Delivery]) -> bool:
        """Write messages of the web chat and mark them, in one transaction: exactly once."""
        ...

    async def retry(
        self,
        lease: Lease,
        delivery: Delivery,
        error: str,
        after: timedelta,
        *,
        unanswered: bool = False,
    ) -> bool:
        """Try again later; the thread waits. Return false when the lease was lost.

        `unanswered`: the platform may have taken it, so the next attempt may double it.
        """
        ...

    async def bury(self, lease: Lease, delivery: Delivery, error: str) -> bool:
        """Give up: the delivery becomes a dead letter and its thread goes on.

        Return false when the lease was lost.
        """
        ...

    async def release(self, lease: Lease, not_before: timedelta = timedelta()) -> None:
        """Give the destination back, due again when its next delivery is, but not earlier."""
        ...

    async def abandon(self, lease: Lease) -> None:
        """Let others take the destination over while it is not known whether a call arrived."""
        ...

    async def sweep(self) -> int:
        """Make destinations due that have pending deliveries and are not; return how many."""
        ...

    async def backlog(self) -> int:
        """Return how many deliveries are pending."""
        ...
