"""More than a channel can carry: what would be new messages joins one that is kept up to date."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from math import ceil

from parley.kernel.ports.digests import Digests, Step, Terms, Weather
from parley.kernel.ports.outbox import Lease
from parley.kernel.ports.platform import Pace
from parley.observe import Metrics, log

_LOOK_AGAIN = 1.0
"""Seconds between two looks at a channel without a storm."""

_STEP_AGAIN = 0.5
"""Seconds between two steps of a storm: many events are then taken in at once."""


@dataclass(frozen=True, slots=True)
class Rules:
    """When a storm begins and ends.

    `backlog` is how much of its pace may wait in a channel, `every` how often a digest is edited,
    `quiet` the silence that ends one. After `longest` it also ends when no more comes than the
    channel carries with half of its pace. A channel that was `down` for this long, with more than
    `missed` posts waiting, comes back with a digest.
    """

    backlog: timedelta = timedelta(seconds=30)
    every: timedelta = timedelta(seconds=5)
    quiet: timedelta = timedelta(seconds=60)
    longest: timedelta = timedelta(minutes=10)
    down: timedelta = timedelta(seconds=30)
    missed: int = 3


@dataclass(slots=True)
class _Watched:
    """What this process knows of a channel. `unshown` events were taken in and not sent yet."""

    stormy: bool = False
    looked_at: float = float("-inf")
    stepped_at: float = float("-inf")
    unshown: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Storm:
    """Watches over the channels that this process leases."""

    digests: Digests
    metrics: Metrics
    rules: Rules = Rules()
    watched: dict[int, _Watched] = field(default_factory=dict)

    async def __call__(self, lease: Lease, pace: Pace, held: Callable[[], bool]) -> bool:
        """Do what is due in a channel before more is sent; return whether to come again."""
        watched = self.watched.setdefault(lease.destination_id, _Watched())
        now = asyncio.get_running_loop().time()
        known = lease.stormy or watched.stormy
        if not known and now - watched.looked_at < _LOOK_AGAIN:
            return False
        watched.looked_at = now
        enough = ceil(self.rules.backlog.total_seconds() * pace.per_second)
        weather = await self.digests.weather(lease, max(enough, self.rules.missed))
        begins = not weather.open and self._begins(weather, enough)
        if begins:
            log.warning("storm", destination=str(lease.destination), waiting=weather.posts)
        if begins or weather.due or (weather.open and weather.posts):
            await self._go_on(lease, self._terms(pace, opening=begins), watched, held)
        watched.stormy = begins or weather.waiting or weather.down is not None
        return watched.stormy

    async def unreachable(self, lease: Lease) -> None:
        """Take note that the channel cannot be reached."""
        await self.digests.unreachable(lease)

    def _begins(self, weather: Weather, enough: int) -> bool:
        if weather.down is not None and weather.down > self.rules.down:
            return weather.posts > self.rules.missed
        return weather.posts > enough

    async def _go_on(
        self, lease: Lease, terms: Terms, watched: _Watched, held: Callable[[], bool]
    ) -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(max(0.0, watched.stepped_at + _STEP_AGAIN - loop.time()))
        while held():
            step = await self.digests.advance(lease, terms)
            if step is None:
                break
            self._count(step, watched)
            if not step.more:
                break
        watched.stepped_at = loop.time()

    def _count(self, step: Step, watched: _Watched) -> None:
        if step.shown:
            for configuration, number in watched.unshown.items():
                self.metrics.delivery_success.labels(configuration).inc(number)
            watched.unshown.clear()
        for configuration, number in step.taken.items():
            self.metrics.events_throttled.labels(configuration).inc(number)
            watched.unshown[configuration] += number

    def _terms(self, pace: Pace, *, opening: bool) -> Terms:
        carried = self.rules.quiet.total_seconds() * pace.per_second
        return Terms(
            opening=opening,
            every=self.rules.every,
            quiet=self.rules.quiet,
            longest=self.rules.longest,
            calm=int(carried / 2),
            down=self.rules.down,
            owed_at_once=max(1, int(self.rules.every.total_seconds() * pace.per_second / 2)),
        )
