"""Things to do at a time, each by one process: rows that outlive whoever set them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Timer:
    """A timer that is due and leased: every write names its id, owner and epoch.

    `kind` says who handles it, `subject` what it is about: there is one of a kind for a subject.
    `payload` is what its handler needs; `attempts` have failed before.
    """

    id: int
    kind: str
    subject: str
    payload: str
    due_at: datetime
    attempts: int
    owner: str
    epoch: int


class Timers(Protocol):
    """Keeps timers. Times are the database's own.

    Whether something has expired is decided by `done` and `cancel`, of which one succeeds: never
    by the moment in which somebody wakes up.
    """

    async def set(self, kind: str, subject: str, after: timedelta, payload: str = "") -> None:
        """Have it done after so long; what was set for the subject before is replaced."""
        ...

    async def ensure(self, kind: str, subject: str, after: timedelta, payload: str = "") -> None:
        """Have it done after so long, unless it is set already."""
        ...

    async def cancel(self, kind: str, subject: str) -> bool:
        """Forget it; return false when it was done already, or never set."""
        ...

    async def claim(self, owner: str, most: Mapping[str, int]) -> Sequence[Timer]:
        """Lease up to so many of each kind that are due and free, the longest due first."""
        ...

    async def renew(self, timers: Sequence[Timer]) -> Sequence[Timer]:
        """Prolong the leases; return those still held."""
        ...

    async def done(self, timer: Timer, again: timedelta | None = None) -> bool:
        """End it, or have it done again after so long.

        Return false when it was replaced, cancelled or taken over meanwhile.
        """
        ...

    async def retry(self, timer: Timer, error: str, after: timedelta) -> bool:
        """Try it again later; return false as `done` does."""
        ...

    async def bury(self, timer: Timer, error: str) -> bool:
        """Give it up; return false as `done` does."""
        ...

    async def release(self, timer: Timer) -> None:
        """Let somebody else do it at once."""
        ...

    async def next_due(self, kinds: Sequence[str]) -> timedelta | None:
        """Return how long until one of these kinds can be claimed; none when none is set."""
        ...
