"""Forgetting what is old, in small portions."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Keep:
    """How long what was done is kept, and how long at least the ids that repetitions are known by.

    What waits, what was given up, alarms that are not over and the audit are kept for ever.
    """

    history: timedelta
    ids: timedelta


@dataclass(frozen=True, slots=True)
class Pruned:
    """How many rows of a table one transaction removed or emptied."""

    table: str
    rows: int


class Retention(Protocol):
    """Removes history."""

    def prune(self, keep: Keep) -> AsyncIterator[Pruned]:
        """Remove what is older, at most some hundred rows in each transaction.

        Who iterates may pause as long as it likes: others write meanwhile.
        """
        ...
