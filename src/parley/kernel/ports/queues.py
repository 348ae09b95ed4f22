"""Queues that events wait in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class QueueMessage:
    """A message that was received and is hidden from others for a while.

    `receipt` names this receiving of it; the message is deleted or given back by it.
    """

    queue_arn: str
    id: str
    receipt: str
    body: str
    sent_at: datetime | None


class Queues(Protocol):
    """Reads queues by their URL.

    Every method raises `InvalidRequest` for a URL that is none, `Refused` when somebody has to do
    something about it (permissions, a queue that does not exist), and `Unavailable` when it may
    work in a moment.
    """

    async def receive(self, url: str) -> Sequence[QueueMessage]:
        """Return up to ten messages; wait up to 20 seconds for the first."""
        ...

    async def delete(self, url: str, messages: Sequence[QueueMessage]) -> None:
        """Remove up to ten messages for good."""
        ...

    async def hide(self, url: str, messages: Sequence[QueueMessage], seconds: int) -> None:
        """Keep up to ten messages hidden for so long from now; 0 gives them back at once."""
        ...
