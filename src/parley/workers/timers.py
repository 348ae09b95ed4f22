"""The timer worker: does what is due, each kind with its own concurrency and back-off."""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from parley.kernel.errors import ParleyError
from parley.kernel.ports.timers import Timer, Timers
from parley.observe import log_failure

LEASE = timedelta(seconds=60)
"""How long a lease lasts; it is renewed every third of this."""

_LOOK = 1.0
"""Seconds between two looks for what another process has set meanwhile: one indexed query."""
_TAKEN = 0.05
"""Seconds to leave alone what another worker was quicker to take."""
_AHEAD = 8
"""How many times its concurrency a kind is leased at the most: often many are due together."""
_STOP = 4.0

Handler = Callable[[Timer], Awaitable[timedelta | None]]
"""Does one; returns after how long it is to be done again, none when it is done for good."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How timers of one kind are done: how many at once, and how long to wait after failures.

    Without `most_attempts` it is tried for ever.
    """

    handle: Handler
    concurrency: int = 10
    first_pause: timedelta = timedelta(seconds=1)
    longest_pause: timedelta = timedelta(minutes=5)
    most_attempts: int | None = None

    def pause(self, attempts: int) -> timedelta:
        """Return how long to wait after so many failures before this one: doubling, with jitter."""
        longest = min(self.longest_pause, self.first_pause * 2.0 ** min(attempts, 20))
        return longest * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, guards nothing


class TimerWorker:
    """Runs until it is stopped. Any number may work on one database."""

    def __init__(self, timers: Timers, kinds: Mapping[str, Kind], owner: str) -> None:
        """Take the handlers by kind, and a name that no other worker has."""
        self._timers = timers
        self._kinds = kinds
        self._owner = owner
        self._held: dict[int, tuple[Timer, asyncio.Task[None]]] = {}
        self._at_work = {name: asyncio.Semaphore(kind.concurrency) for name, kind in kinds.items()}
        self._changed = asyncio.Event()
        self._loops: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to work, in the running event loop."""
        self._loops = [
            asyncio.create_task(self._run(), name="timers"),
            asyncio.create_task(self._renew(), name="timers-renew"),
        ]

    def nudge(self) -> None:
        """Look now: a timer was just set."""
        self._changed.set()

    async def stop(self) -> None:
        """Begin nothing new, let what is being done end soon, give the rest back."""
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        tasks = [task for _, task in self._held.values()]
        if tasks:
            await asyncio.wait(tasks, timeout=_STOP)
        for timer, task in list(self._held.values()):
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            with contextlib.suppress(ParleyError):  # its lease runs out by itself
                await self._timers.release(timer)

    async def _run(self) -> None:
        while True:
            self._changed.clear()
            try:
                wait = await self._begin_due()
            except Exception as error:  # noqa: BLE001 - nobody else would look
                log_failure("timers_not_read", error)
                wait = _LOOK
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._changed.wait()

    async def _begin_due(self) -> float:
        """Begin what is due and fits; return how many seconds to wait for the next."""
        room = self._room()
        wait = await self._timers.next_due(list(room)) if room else None
        if wait is None or wait > timedelta():
            return _LOOK if wait is None else min(_LOOK, wait.total_seconds())
        claimed = await self._timers.claim(self._owner, room)
        for timer in claimed:
            self._begin(timer)
        # When one of them ends, `_changed` is set.
        return 0.0 if claimed else _TAKEN

    def _begin(self, timer: Timer) -> None:
        if timer.id in self._held:
            # It was set anew while it was being done: what is done for the old one is void.
            self._held[timer.id][1].cancel()
        task = asyncio.create_task(self._do(timer), name=f"timer-{timer.kind}")
        self._held[timer.id] = (timer, task)

    def _room(self) -> dict[str, int]:
        """Return how many of each kind to take, where that is worth a question."""
        held = Counter(timer.kind for timer, _ in self._held.values())
        ahead = {name: kind.concurrency * _AHEAD for name, kind in self._kinds.items()}
        room = {name: most - held[name] for name, most in ahead.items()}
        return {
            name: count for name, count in room.items() if count >= self._kinds[name].concurrency
        }

    async def _do(self, timer: Timer) -> None:
        try:
            await self._attempt(timer)
        except Exception as error:  # noqa: BLE001 - the lease runs out, and it is tried again
            log_failure("timer_not_kept", error, kind=timer.kind, subject=timer.subject)
        finally:
            if self._held.get(timer.id, (None, None))[0] is timer:
                del self._held[timer.id]
            self._changed.set()

    async def _attempt(self, timer: Timer) -> None:
        kind = self._kinds[timer.kind]
        try:
            async with self._at_work[timer.kind]:
                again = await kind.handle(timer)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is tried again
            log_failure("timer_failed", error, kind=timer.kind, subject=timer.subject)
            said = str(error) if isinstance(error, ParleyError) else type(error).__name__
            if kind.most_attempts is not None and timer.attempts + 1 >= kind.most_attempts:
                await self._timers.bury(timer, said)
            else:
                await self._timers.retry(timer, said, kind.pause(timer.attempts))
        else:
            await self._timers.done(timer, again)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(LEASE.total_seconds() / 3)
            held = list(self._held.values())
            try:
                kept = await self._timers.renew([timer for timer, _ in held])
            except Exception as error:  # noqa: BLE001 - the next time may go well
                log_failure("timers_not_renewed", error)
                continue
            for timer, task in held:
                if timer not in kept:
                    # Somebody set it anew, cancelled it, or took it over.
                    task.cancel()
