"""Delivering what waits for one channel, while its lease is held.

One call at a time, marked before the next one starts: a crash repeats at most the call in flight.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from math import ceil

from parley.kernel.errors import DeliveryFailed, Reason, Unavailable
from parley.kernel.incoming import LOCAL
from parley.kernel.ports.clock import Clock
from parley.kernel.ports.live import Live
from parley.kernel.ports.outbox import Action, Delivery, Lease, Outbox
from parley.kernel.ports.platform import ChatPlatform, Finds
from parley.observe import Metrics, log
from parley.usecases.health import Health
from parley.usecases.pace import Bucket
from parley.usecases.storm import Storm

_BATCH = 100
_AHEAD = 2.0
"""Seconds of its pace for which a channel looks ahead, before it looks again what is to be sent."""
_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 300.0
_GIVE_UP_AFTER = timedelta(hours=48)
_HOLDS_UP_CHANNEL = frozenset({Reason.RATE_LIMITED, Reason.UNREACHABLE})
_NOT_SET_UP = timedelta(minutes=1)
_MARK_AGAIN = 0.5


async def _nothing_more() -> bool:
    return False


@dataclass(slots=True)
class _Run:
    """What is known of one channel while its lease is held."""

    lease: Lease
    held: Callable[[], bool]
    more: Callable[[], Awaitable[bool]]
    platform: ChatPlatform
    bucket: Bucket
    watch: bool
    """Whether there may be a storm."""
    handles: dict[int, str] = field(default_factory=dict)
    pause: timedelta = timedelta()
    """How long the channel must be left alone; ends the run."""
    lost: bool = False
    """Whether another worker owns the channel now; ends the run."""

    @property
    def batch(self) -> int:
        """Return how many deliveries to look at together."""
        return max(1, min(_BATCH, ceil(self.platform.pace.per_second * _AHEAD)))


@dataclass(frozen=True, slots=True)
class Deliver:
    """Sends everything that is due in a leased channel, then gives the lease back."""

    outbox: Outbox
    platforms: Mapping[str, ChatPlatform]
    health: Health
    live: Live
    metrics: Metrics
    clock: Clock
    storm: Storm | None = None

    async def __call__(
        self,
        lease: Lease,
        held: Callable[[], bool],
        more: Callable[[], Awaitable[bool]] = _nothing_more,
    ) -> None:
        """Work until nothing is due.

        `held` says whether the lease outlasts one more call. `more` waits a little for something
        new: a busy channel keeps its lease, which is cheaper than taking it for every message.
        """
        platform = self.platforms.get(lease.destination.platform)
        if lease.destination.platform == LOCAL:
            pause = await self._show(lease, held, more)
        elif platform is None:
            await self.health.not_set_up(lease.destination)
            pause = _NOT_SET_UP
        else:
            now = asyncio.get_running_loop().time()
            pause = await self._send_all(
                _Run(
                    lease,
                    held,
                    more,
                    platform,
                    Bucket(platform.pace, lease, now),
                    watch=lease.stormy,
                )
            )
        await self.outbox.release(lease, pause)

    async def _show(
        self, lease: Lease, held: Callable[[], bool], more: Callable[[], Awaitable[bool]]
    ) -> timedelta:
        """Write messages of the web chat in the transaction that marks them: exactly once."""
        while held():
            deliveries = await self.outbox.pending(lease, _BATCH)
            if deliveries:
                if not await self.outbox.shown(lease, deliveries):
                    break
                self.live.changed()
                for delivery in deliveries:
                    self._count(lease, delivery)
            # A short batch was the last for now: whoever adds to it says so.
            if len(deliveries) < _BATCH and not await more():
                break
        return timedelta()

    async def _send_all(self, run: _Run) -> timedelta:
        while run.held():
            deliveries = await self._next(run)
            blocked: set[int] = set()
            for delivery in deliveries:
                if delivery.head_id in blocked:
                    continue
                await asyncio.sleep(run.bucket.wait(asyncio.get_running_loop().time()))
                if not run.held():
                    return timedelta()
                if not await self._attempt(run, delivery):
                    blocked.add(delivery.head_id)
                if run.pause or run.lost:
                    return run.pause
            # A short batch was the last for now: whoever adds to it says so.
            if len(deliveries) < run.batch and not await run.more():
                break
        return timedelta()

    async def _next(self, run: _Run) -> Sequence[Delivery]:
        """Return what to send now, after a storm has taken in what joins its digest."""
        if run.watch:
            await self._watch(run)
        deliveries = await self.outbox.pending(run.lease, run.batch)
        if not run.watch and len(deliveries) == run.batch and await self._watch(run):
            deliveries = await self.outbox.pending(run.lease, run.batch)
        return deliveries

    async def _watch(self, run: _Run) -> bool:
        """Return whether there is a storm, which then has done what is due."""
        pace = run.platform.pace
        run.watch = bool(self.storm and await self.storm(run.lease, pace, run.held))
        return run.watch

    async def _attempt(self, run: _Run, delivery: Delivery) -> bool:
        """Make one call; return whether the delivery is done with, one way or the other."""
        tokens = run.bucket.take(asyncio.get_running_loop().time())
        try:
            handle = await self._found(run, delivery)
            if handle:
                delivery = replace(delivery, possible_duplicate=False)
            else:
                handle = await self._call(run, delivery)
                run.bucket.arrived(asyncio.get_running_loop().time())
        except DeliveryFailed as error:
            return await self._failed(run, delivery, error)
        except Exception as error:  # noqa: BLE001 - one message must not hold up its channel for ever
            log.exception("delivery_broke", id=delivery.id, event_id=delivery.event_id)
            return await self._failed(run, delivery, _our_own(error))
        if not self._still_ours(run, await self._mark(run, delivery, handle, tokens)):
            return False
        run.handles.setdefault(delivery.head_id, handle)
        self._count(run.lease, delivery)
        await self.health.well(run.lease.destination)
        return True

    async def _mark(self, run: _Run, delivery: Delivery, handle: str, tokens: float) -> bool:
        """Mark what was sent, as soon as the database allows: to send it again would double it.

        Even when the lease has run out meanwhile: whether somebody took it over, only the
        database can say.
        """
        while True:
            try:
                return await self.outbox.delivered(run.lease, delivery, handle, tokens)
            except Unavailable as error:
                log.error("mark_waits", id=delivery.id, error=str(error))
                await asyncio.sleep(_MARK_AGAIN)

    def _still_ours(self, run: _Run, done: bool) -> bool:  # noqa: FBT001 - an outcome, not a switch
        """Take note when a write changed nothing: somebody else owns the channel."""
        if not done:
            log.warning("lease_lost", destination=str(run.lease.destination))
            run.lost = True
        return done

    async def _found(self, run: _Run, delivery: Delivery) -> str:
        """Return the handle of what was sent already, where the platform can tell."""
        platform = run.platform
        if not delivery.possible_duplicate or not isinstance(platform, Finds):
            return ""
        head = _head(run, delivery)
        if delivery.action is Action.EDIT and head:
            return ""  # to repeat it doubles nothing
        thread = head if delivery.action is Action.REPLY else ""
        channel, key = run.lease.destination.channel, str(delivery.id)
        return await platform.find(channel, key, thread, delivery.created_at)

    async def _call(self, run: _Run, delivery: Delivery) -> str:
        """Send the step; without a head (a dead letter) it becomes a message of its own."""
        channel, key = run.lease.destination.channel, str(delivery.id)
        head = _head(run, delivery)
        match delivery.action:
            case Action.EDIT if head:
                await run.platform.edit(channel, head, delivery.message)
                return head
            case Action.REPLY if head:
                return await run.platform.post(channel, delivery.message, head, key)
            case _:
                return await run.platform.post(channel, delivery.message, key=key)

    async def _failed(self, run: _Run, delivery: Delivery, error: DeliveryFailed) -> bool:
        lease, place = run.lease, run.lease.destination
        self.metrics.delivery_failure.labels(delivery.configuration, error.reason).inc()
        log.warning(
            "delivery_failed", destination=str(place), id=delivery.id, reason=error.reason,
            attempt=delivery.attempts + 1, error=str(error),
        )  # fmt: skip
        if error.permanent or delivery.age > _GIVE_UP_AFTER:
            if not self._still_ours(run, await self.outbox.bury(lease, delivery, str(error))):
                return False
            await self.health.dead_letter(place, delivery, error)
            return True
        after = timedelta(seconds=pause_before_retry(delivery.attempts, error.retry_after))
        kept = await self.outbox.retry(
            lease, delivery, str(error), after, unanswered=error.unanswered
        )
        if not self._still_ours(run, kept):
            return False
        if error.reason is Reason.RATE_LIMITED:
            self.metrics.events_throttled.labels(delivery.configuration).inc()
        if error.reason in _HOLDS_UP_CHANNEL:
            run.pause = after
        if error.reason is Reason.UNREACHABLE:
            await self.health.unreachable(place, error)
            if self.storm:
                await self.storm.unreachable(lease)
        return False

    def _count(self, lease: Lease, delivery: Delivery) -> None:
        self.metrics.delivery_success.labels(delivery.configuration).inc()
        waited = (self.clock.now() - delivery.created_at).total_seconds()
        seconds = self.metrics.delivery_seconds.labels(lease.destination.platform)
        seconds.observe(max(0.0, waited))


def _head(run: _Run, delivery: Delivery) -> str:
    """Return the handle of the head that the step belongs to, empty while there is none."""
    return delivery.head_handle or run.handles.get(delivery.head_id, "")


def _our_own(error: Exception) -> DeliveryFailed:
    text = f"Parley could not make this call: {type(error).__name__}. The log has the details."
    return DeliveryFailed(text, Reason.CLIENT)


def pause_before_retry(attempts: int, asked: float | None) -> float:
    """Return the seconds until the next attempt: what was asked, else doubling with jitter."""
    if asked is not None:
        return asked + random.uniform(0.0, 0.5)  # noqa: S311 - spreads retries, guards nothing
    longest = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(attempts, 10))
    return random.uniform(longest / 2, longest)  # noqa: S311 - as above
