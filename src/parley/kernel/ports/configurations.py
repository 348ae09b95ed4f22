"""Where configurations are kept."""

from collections.abc import Sequence
from typing import Protocol

from parley.kernel.configuration import Configuration
from parley.kernel.incoming import Destination


class Configurations(Protocol):
    """The rows behind every way of configuring Parley."""

    async def all(self) -> Sequence[Configuration]:
        """Return every configuration, by name."""
        ...

    async def add(self, configuration: Configuration) -> None:
        """Store a new one. Raises `Conflict` when the account has one of that name."""
        ...

    async def remove(self, account: str, name: str) -> bool:
        """Delete one; return whether it was there. Its history stays."""
        ...

    async def mark(self, destination: Destination, unhealthy: str) -> Sequence[str]:
        """Say what is wrong with the configurations of a channel, empty when well again.

        Returns the names of those whose state changed by it.
        """
        ...

    async def mark_queue(self, queue: str, unhealthy: str) -> Sequence[str]:
        """Say what is wrong with the configurations that name a queue, empty when well again.

        Returns the names of those whose state changed by it.
        """
        ...
