"""Laws of delivery: whatever happens to workers and calls, nothing is lost and order is kept."""

import asyncio
import random
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from parley.kernel.incoming import Destination
from parley.kernel.ports.inbox import Arrival
from parley.kernel.ports.outbox import Delivery, Lease
from parley.observe import SystemClock
from parley.storage.database import Database, open_database
from parley.storage.ids import Ids
from parley.storage.inbox import store
from parley.storage.outbox import StoredOutbox
from parley.storage.rooms import StoredRooms
from parley.storage.schema import outbox
from tests.arrivals import OPS, SLACK, alarm, arrival, route, threaded
from tests.databases import sqlite_copy

NOW = timedelta()
PLACES = st.sampled_from([SLACK, OPS, Destination("slack", "C9")])
STATES = st.sampled_from(["ALARM", "OK", "INSUFFICIENT_DATA"])
MINUTES = st.integers(0, 40)
ARRIVALS = st.one_of(
    st.builds(alarm, STATES, MINUTES, PLACES, st.sampled_from(["latency", "errors"])),
    st.builds(threaded, st.sampled_from(["deploy", "backup"]), st.text("abc", max_size=3), PLACES),
    st.builds(lambda to: arrival(route(to, "alone")), PLACES),
)
BATCHES = st.lists(st.lists(ARRIVALS, max_size=6), min_size=1, max_size=5)


@dataclass
class World:
    """Workers that are slow, forgetful or dead, and a record of what was sent."""

    database: Database
    chance: random.Random
    ids: Ids = field(default_factory=lambda: Ids(SystemClock()))
    held: list[tuple[StoredOutbox, Lease]] = field(default_factory=list)
    sent: list[Delivery] = field(default_factory=list)
    shown: int = 0

    async def step(self) -> None:
        """Let one worker do one thing, well or badly."""
        # A lease of no length is lost to the next one who asks: so it goes to a paused worker.
        lease = timedelta(seconds=self.chance.choice([-1, 60]))
        worker = StoredOutbox(self.database, self.ids, lease)
        if not self.held or self.chance.random() < 0.3:
            owner = f"worker-{self.chance.randrange(3)}"
            self.held += [(worker, one) for one in await worker.claim(owner, 3)]
            return
        at = self.chance.randrange(len(self.held))
        worker, own = self.held[at]
        if self.chance.random() < 0.2:
            del self.held[at]
            if self.chance.random() < 0.5:
                await worker.release(own)
            else:  # killed
                await worker.forget_leases()
                self.held.clear()
            return
        for delivery in (await worker.pending(own, 4))[: self.chance.randrange(1, 4)]:
            if not await self.attempt(worker, own, delivery):
                return

    async def attempt(self, worker: StoredOutbox, lease: Lease, delivery: Delivery) -> bool:
        """Send one message; return whether the next of the same list may follow."""
        if lease.destination.platform == "local":
            done = await worker.shown(lease, [delivery])
            if done:
                self.sent.append(delivery)
                self.shown += 1
            return done
        outcome = self.chance.random()
        if outcome < 0.2:
            await worker.retry(lease, delivery, "no answer", NOW)
            return False
        if outcome < 0.3:
            return await worker.bury(lease, delivery, "too long")
        if await worker.delivered(lease, delivery, f"handle-{delivery.id}", 1.0):
            self.sent.append(delivery)
            return True
        return False

    async def finish(self) -> None:
        """Let a worker without faults do the rest."""
        worker = StoredOutbox(self.database, self.ids, timedelta(minutes=1))
        await worker.forget_leases()
        await worker.sweep()
        for own in await worker.claim("last", 100):
            while waiting := await worker.pending(own, 100):
                for delivery in waiting:
                    if own.destination.platform == "local":
                        assert await worker.shown(own, [delivery])
                        self.shown += 1
                    else:
                        assert await worker.delivered(own, delivery, f"h{delivery.id}", 1.0)
                    self.sent.append(delivery)
            await worker.release(own)

    def rows(self) -> Sequence[Any]:
        """Return id, event and state of every delivery."""
        query = sa.select(outbox.c.id, outbox.c.event_id, outbox.c.state).order_by(outbox.c.id)
        return self.database.run(lambda c: c.execute(query).all())


async def live(world: World, batches: list[list[Arrival]]) -> None:
    """Let things arrive while workers work."""
    for batch in batches:
        if batch:
            await world.database.write(
                lambda c, batch=batch: store(c, batch, world.ids, timedelta(minutes=10))  # type: ignore[misc]
            )
        for _ in range(world.chance.randrange(12)):
            await world.step()
    await world.finish()


@settings(max_examples=40)
@given(BATCHES, st.integers(0, 2**32))
def test_every_accepted_event_ends_and_each_thread_keeps_its_order(
    batches: list[list[Arrival]], seed: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        database = open_database(sqlite_copy(Path(folder)))
        try:
            world = World(database, random.Random(seed))  # noqa: S311 - chance of a test
            asyncio.run(live(world, batches))
            rows = world.rows()
            last = asyncio.run(StoredRooms(database, world.ids).last_changes())
        finally:
            database.close()
    accepted = {one.event_id for batch in batches for one in batch if one.routes}
    assert {row.event_id for row in rows} == accepted
    assert {row.state for row in rows} <= {"sent", "dead", "superseded"}
    sent = {row.id for row in rows if row.state == "sent"}
    assert sorted(one.id for one in world.sent) == sorted(sent)  # each marked exactly once
    by_thread: dict[int, list[int]] = {}
    for delivery in world.sent:
        by_thread.setdefault(delivery.head_id, []).append(delivery.id)
    assert all(ids == sorted(ids) for ids in by_thread.values())
    # One change of a room for each delivery there: shown exactly once.
    assert sum(last.values()) == world.shown
