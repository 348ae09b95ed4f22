"""A platform that is down for hours, on clocks that a test sets: the process's and SQLite's."""

import asyncio
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import sqlalchemy as sa

from parley.bootstrap import Stores, open_stores
from parley.kernel.errors import Reason
from parley.kernel.incoming import Destination
from parley.observe import Metrics
from parley.settings import Settings
from parley.storage.clock import from_ms, to_ms
from parley.storage.digests import StoredDigests
from parley.storage.schema import destinations
from parley.usecases import storm
from parley.usecases.deliver import Deliver
from parley.usecases.health import Health
from parley.usecases.storm import Storm
from parley.workers.live import LiveRooms
from tests.arrivals import arrival, route
from tests.clock import SetClock
from tests.faults.oracle import ENDED, Row, read
from tests.scripted import ScriptedPlatform, failed

CHANNELS = 2
EVERY = timedelta(minutes=4)
AFTERWARDS = timedelta(minutes=20)
LONGEST_PAUSE = timedelta(minutes=5)
_JULIAN_1970 = 2440587.5
_DAY_MS = 86_400_000


@contextmanager
def databases_on(clock: SetClock) -> Iterator[None]:
    """Let SQLite take its time from the clock, on every connection that is made meanwhile."""

    def on_connect(raw: Any, _record: Any) -> None:
        raw.create_function(
            "julianday", -1, lambda *_: _JULIAN_1970 + (to_ms(clock.now()) + 0.5) / _DAY_MS
        )

    sa.event.listen(sa.Engine, "connect", on_connect)
    try:
        yield
    finally:
        sa.event.remove(sa.Engine, "connect", on_connect)


@dataclass
class AwayPlatform(ScriptedPlatform):
    """Cannot be reached while it is `away`. `tries` counts the calls of each channel meanwhile."""

    away: bool = False
    tries: Counter[str] = field(default_factory=Counter)

    def _call(self, line: str) -> None:
        if self.away:
            self.tries[line.partition(":")[0]] += 1
            raise failed(Reason.UNREACHABLE)
        super()._call(line)


@dataclass(slots=True)
class _Desk:
    stores: Stores
    clock: SetClock
    platform: AwayPlatform
    deliver: Deliver
    accepted: list[str] = field(default_factory=list)

    async def work_until(self, seconds: timedelta) -> None:
        """Do everything that falls due within this time, each at its time."""
        end = self.clock.now() + seconds
        query = sa.select(sa.func.min(destinations.c.due_at))
        while True:
            for lease in await self.stores.outbox.claim("me", 100):
                await self.deliver(lease, lambda: True)
            due = self.stores.database.run(lambda c: c.execute(query).scalar())
            next_at = max(from_ms(due), self.clock.now()) if due is not None else end
            if next_at >= end:
                self.clock.move(end - self.clock.now())
                return
            self.clock.move(next_at - self.clock.now() + timedelta(milliseconds=1))

    async def arrive(self, chance: random.Random, number: int) -> None:
        """Take an event for one of the channels and a room."""
        places = (Destination("slack", f"C{chance.randrange(CHANNELS)}"), Destination("local", "a"))
        one = arrival(*(route(place, f"event {number}") for place in places))
        self.accepted.append(one.event_id)
        await self.stores.inbox.accept(one)


async def down(data: Path, hours: float, seed: int) -> Row:
    """Let the platform be down for so many hours, while events arrive; return the figures."""
    began = asyncio.get_running_loop().time()
    chance = random.Random(f"{seed}/outage")  # noqa: S311 - chance of a test
    clock, platform = SetClock(), AwayPlatform()
    outage = timedelta(hours=hours)
    with (
        databases_on(clock),
        patch.object(storm, "_STEP_AGAIN", 0.0),  # seconds of the loop's clock, which is not set
        open_stores(Settings(data=data), clock) as stores,
    ):
        metrics = Metrics()
        desk = _Desk(
            stores,
            clock,
            platform,
            Deliver(
                stores.outbox,
                {"slack": platform},
                Health(stores.configurations, stores.notices),
                LiveRooms(stores.rooms),
                metrics,
                clock,
                Storm(
                    StoredDigests(stores.database, stores.ids, "https://parley.example"), metrics
                ),
            ),
        )
        platform.away = True
        for number in range(int(outage / EVERY)):
            await desk.arrive(chance, number)
            await desk.work_until(EVERY)
        assert not platform.calls
        platform.away = False
        await desk.work_until(LONGEST_PAUSE + timedelta(seconds=10))
        first = list(platform.calls)
        await desk.work_until(AFTERWARDS)
        url = stores.settings.database_url
    stored = await asyncio.to_thread(read, url)
    calls = ", ".join(str(platform.tries[f"C{number}"]) for number in range(CHANNELS))
    fates = Counter(step.state for step in stored.steps)
    known = {step.event_id for step in stored.steps if step.state in ENDED}
    back = {one.partition(":")[0] for one in first}
    wrong = [] if len(back) == CHANNELS and len(first) <= 2 * CHANNELS else [f"first {first}"]
    # It is asked often enough to come back soon, and seldom enough to be no load.
    most, least = outage / (LONGEST_PAUSE / 2) + 12, outage / LONGEST_PAUSE
    if not all(least <= tries <= most for tries in platform.tries.values()):
        wrong.append(f"{calls} tries")
    return Row(
        fault=f"{hours:g} h down, on a set clock",
        seed=seed,
        accepted=len(desk.accepted),
        refused=0,
        delivered=len(known & set(desk.accepted)),
        duplicates=0,
        dead=fates["dead"],
        lost=stored.unfinished + len(set(desk.accepted) - known),
        seconds=asyncio.get_running_loop().time() - began,
        wrong=tuple(wrong),
        note=f"{calls} tries, {len(platform.calls)} calls afterwards, {fates['digested']} digested",
    )
