"""Forgetting what is old: a timer that repeats, and never holds others up."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from parley.kernel.ports.retention import Keep, Retention
from parley.kernel.ports.timers import Timer
from parley.observe import log

AGAIN = timedelta(hours=1)
PAUSE = 0.05
"""Seconds between two portions: the writer is free for most of the time."""


@dataclass(frozen=True, slots=True)
class Retain:
    """Prunes history whenever its timer is due."""

    retention: Retention
    keep: Keep
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def __call__(self, _timer: Timer) -> timedelta:
        """Remove everything that is too old; return when to look again."""
        rows: Counter[str] = Counter()
        async for pruned in self.retention.prune(self.keep):
            rows[pruned.table] += pruned.rows
            await self.sleep(PAUSE)
        removed = {table: count for table, count in rows.items() if count}
        if removed:
            log.info("history_pruned", **removed)
        return AGAIN
