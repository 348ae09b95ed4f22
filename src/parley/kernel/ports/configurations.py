"""Where configurations are kept."""

from collections.abc import Sequence
from typing import Protocol

from parley.kernel.configuration import Configuration


class Configurations(Protocol):
    """The rows behind every way of configuring Parley."""

    async def all(self) -> Sequence[Configuration]:
        """Return every configuration, by name."""
        ...

    async def add(self, configuration: Configuration) -> None:
        """Store a new one. Raises `Conflict` when the name is taken."""
        ...

    async def remove(self, name: str) -> bool:
        """Delete one; return whether it was there. Its history stays."""
        ...

    async def mark(self, platform: str, channel: str, unhealthy: str) -> Sequence[str]:
        """Say what is wrong with the configurations of a channel, empty when well again.

        Returns the names of those whose state changed by it.
        """
        ...
