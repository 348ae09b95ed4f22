"""The delivery worker: leases destinations that are due and works each in a task of its own."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta

from parley.kernel.errors import ParleyError
from parley.kernel.incoming import Destination
from parley.kernel.ports.outbox import Lease, Outbox
from parley.observe import log_failure

LEASE = timedelta(seconds=60)
"""How long a lease lasts; it is renewed every third of this."""

CALL = timedelta(seconds=20)
"""More than the longest platform call; no call is begun on a lease that ends sooner."""

_MOST = 500
_IDLE = 1.0
_LINGER = 0.25
"""Seconds that a channel stays leased when nothing waits: the next message may be near."""
_SWEEP = 5.0
_STOP = 6.0

Deliver = Callable[[Lease, Callable[[], bool], Callable[[], Awaitable[bool]]], Awaitable[None]]


class _Held:
    """A lease as this worker holds it."""

    __slots__ = ("lease", "new", "task", "until")

    def __init__(self, lease: Lease, until: float) -> None:
        self.lease = lease
        self.until = until
        self.new = asyncio.Event()
        self.task: asyncio.Task[None] | None = None


class DeliveryWorker:
    """Runs until it is stopped. Any number may work on one database."""

    def __init__(self, outbox: Outbox, deliver: Deliver, owner: str) -> None:
        """Take a name that no other worker has."""
        self._outbox = outbox
        self._deliver = deliver
        self._owner = owner
        self._held: dict[Destination, _Held] = {}
        self._due = asyncio.Event()
        self._stopping = False
        self._loops: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to work, in the running event loop."""
        self._loops = [
            asyncio.create_task(self._claim(), name="delivery-claim"),
            asyncio.create_task(self._every(LEASE.total_seconds() / 3, self._renew)),
            asyncio.create_task(self._every(_SWEEP, self._sweep)),
        ]

    def nudge(self, destinations: Iterable[Destination]) -> None:
        """Look for work now: something was just committed for these."""
        for destination in destinations:
            held = self._held.get(destination)
            if held:
                held.new.set()
            else:
                self._due.set()

    async def stop(self) -> None:
        """Take nothing new, finish the calls in flight, give every lease back.

        A call that does not end in time may have arrived: its delivery is marked when the next
        worker takes the channel over.
        """
        self._stopping = True
        for held in self._held.values():
            held.new.set()
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        tasks = [held.task for held in self._held.values() if held.task]
        if tasks:
            await asyncio.wait(tasks, timeout=_STOP)
        for held in list(self._held.values()):
            if held.task and not held.task.done():
                held.task.cancel()
                await asyncio.gather(held.task, return_exceptions=True)
                with contextlib.suppress(ParleyError):  # it runs out by itself
                    await self._outbox.abandon(held.lease)

    async def _claim(self) -> None:
        while True:
            self._due.clear()
            try:
                began = asyncio.get_running_loop().time()
                room = _MOST - len(self._held)
                mine = {held.lease.destination_id for held in self._held.values()}
                leases = await self._outbox.claim(self._owner, room, mine) if room else ()
            except Exception as error:  # noqa: BLE001 - nobody else would claim
                log_failure("claim_failed", error)
                await asyncio.sleep(_IDLE)
                continue
            for lease in leases:
                self._begin(lease, began)
            await self._wait()

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(_IDLE):
                await self._due.wait()
        except TimeoutError:
            return

    def _begin(self, lease: Lease, began: float) -> None:
        held = _Held(lease, began + LEASE.total_seconds())
        self._held[lease.destination] = held
        held.task = asyncio.create_task(self._work(held), name=f"deliver-{lease.destination}")

    async def _work(self, held: _Held) -> None:
        loop = asyncio.get_running_loop()

        def outlasts_a_call() -> bool:
            return not self._stopping and held.until - loop.time() > CALL.total_seconds()

        async def more() -> bool:
            try:
                async with asyncio.timeout(_LINGER):
                    await held.new.wait()
            except TimeoutError:
                return False
            held.new.clear()
            return not self._stopping

        try:
            await self._deliver(held.lease, outlasts_a_call, more)
        except Exception as error:  # noqa: BLE001 - one channel must not end the worker
            log_failure("delivery_interrupted", error, to=str(held.lease.destination))
            await self._give_back(held)
        finally:
            if self._held.get(held.lease.destination) is held:
                del self._held[held.lease.destination]
            self._due.set()

    async def _give_back(self, held: _Held) -> None:
        """Let the channel go on soon after the database does, not only when the lease runs out."""
        while not self._stopping:
            await asyncio.sleep(_IDLE)
            try:
                await self._outbox.release(held.lease)
            except Exception as error:  # noqa: BLE001 - whatever it is, it may pass
                log_failure("release_failed", error, to=str(held.lease.destination))
            else:
                return

    async def _renew(self) -> None:
        began = asyncio.get_running_loop().time()
        mine = list(self._held.values())
        renewed = await self._outbox.renew([held.lease for held in mine])
        kept = {(lease.destination_id, lease.epoch) for lease in renewed}
        for held in mine:
            if (held.lease.destination_id, held.lease.epoch) in kept:
                held.until = began + LEASE.total_seconds()

    async def _sweep(self) -> None:
        if await self._outbox.sweep():
            self._due.set()

    async def _every(self, seconds: float, job: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(seconds)
            try:
                await job()
            except Exception as error:  # noqa: BLE001 - the next time may go well
                log_failure("delivery_upkeep_failed", error)
