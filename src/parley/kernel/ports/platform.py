"""A chat platform that messages are sent to over a network."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from parley.kernel.messages import Message


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast one channel may be written to: calls a second, and how many at once after a rest."""

    per_second: float
    burst: int


class ChatPlatform(Protocol):
    """Sends messages. A handle names a message on the platform and is opaque to everybody else."""

    @property
    def name(self) -> str:
        """Return the platform's name in destinations: `slack`, `teams`."""
        ...

    @property
    def pace(self) -> Pace:
        """Return the pace that the platform asks of its clients for one channel."""
        ...

    async def post(self, channel: str, message: Message, thread: str = "", key: str = "") -> str:
        """Post a message, as a reply when `thread` is the handle of a head; return its handle.

        `key` is what a platform that can find its messages finds this one by. Raises
        `DeliveryFailed`.
        """
        ...

    async def edit(self, channel: str, handle: str, message: Message) -> None:
        """Replace a message in place. Raises `DeliveryFailed`."""
        ...


@runtime_checkable
class Finds(Protocol):
    """What a platform has besides that can find a message which it may have taken already."""

    async def find(self, channel: str, key: str, thread: str, since: datetime) -> str:
        """Return the handle of the message posted with `key` since then.

        Empty when it is not there, or when the platform does not let us look. Raises
        `DeliveryFailed` when it may say in a moment.
        """
        ...
