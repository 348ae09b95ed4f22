"""Laws of storms: whatever happens to workers, each event is sent or stands in a digest."""

import asyncio
import random
import tempfile
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from parley.events.digests import Digest
from parley.events.threads import ALARM, Head
from parley.kernel.message_json import from_json
from parley.kernel.ports.digests import Terms
from parley.kernel.ports.inbox import Arrival
from parley.kernel.ports.outbox import Delivery, Lease
from parley.observe import SystemClock
from parley.storage.database import Database, open_database
from parley.storage.digests import StoredDigests
from parley.storage.ids import Ids
from parley.storage.inbox import store
from parley.storage.outbox import StoredOutbox
from parley.storage.schema import digests, heads, outbox
from tests.arrivals import SLACK, alarm, arrival, route, threaded
from tests.databases import sqlite_copy

NOW = timedelta()
ARRIVALS = st.one_of(
    st.builds(
        alarm,
        st.sampled_from(["ALARM", "ALARM", "OK", "INSUFFICIENT_DATA"]),
        st.integers(0, 40),
        st.just(SLACK),
        st.sampled_from(["latency", "errors", "queue"]),
    ),
    st.builds(threaded, st.sampled_from(["deploy", "backup"]), st.text("abc", max_size=3),
              st.just(SLACK)),
    st.builds(lambda: arrival(route(SLACK, "alone"))),
)  # fmt: skip
BATCHES = st.lists(st.lists(ARRIVALS, max_size=6), min_size=1, max_size=6)


@dataclass
class World:
    """Workers that end at any moment, in a channel whose storms come and go by chance."""

    database: Database
    chance: random.Random
    ids: Ids = field(default_factory=lambda: Ids(SystemClock()))
    shown: dict[int, Delivery] = field(default_factory=dict)
    """What the channel shows, by the head's id."""
    held: Lease | None = None

    def terms(self) -> Terms:
        """Let some storms begin, and some end."""
        quiet = timedelta(milliseconds=self.chance.choice([0, 0, 3_600_000]))
        every = timedelta(milliseconds=self.chance.choice([0, 0, 3_600_000]))
        opening = self.chance.random() < 0.6
        room = self.chance.choice([1, 2, 100])
        return Terms(opening, every, quiet, timedelta(hours=1), 0, NOW, room)

    async def step(self) -> None:
        """Let a worker do one thing: another may have been killed before it."""
        waiting = StoredOutbox(self.database, self.ids, timedelta(minutes=1))
        if self.held is None:
            for one in await waiting.claim("worker", 1):
                self.held = one
            return
        outcome = self.chance.random()
        if outcome < 0.1:
            await waiting.release(self.held)
            self.held = None
        elif outcome < 0.2:  # killed
            await waiting.forget_leases()
            self.held = None
        elif outcome < 0.3:
            await StoredDigests(self.database, self.ids, "").unreachable(self.held)
        elif outcome < 0.6:
            portion = self.chance.choice([1, 2, 100])
            storms = StoredDigests(self.database, self.ids, "", portion)
            assert await storms.advance(self.held, self.terms()) is not None
        else:
            await self.send_some(waiting, self.held)

    async def send_some(self, waiting: StoredOutbox, lease: Lease) -> None:
        """Send up to three messages; end at the first that fails."""
        for delivery in (await waiting.pending(lease, 3))[: self.chance.randrange(1, 4)]:
            if not await self.send(waiting, lease, delivery):
                return

    async def send(self, waiting: StoredOutbox, lease: Lease, delivery: Delivery) -> bool:
        """Send one message, or fail to; return whether it was sent."""
        if self.chance.random() < 0.1:
            await waiting.retry(lease, delivery, "no answer", NOW)
            return False
        assert await waiting.delivered(lease, delivery, f"handle-{delivery.id}", 1.0)
        if delivery.action != "reply" or delivery.head_id not in self.shown:
            self.shown[delivery.head_id] = delivery
        return True

    async def finish(self) -> None:
        """Let a worker without faults do the rest, until the channel is not due any more."""
        waiting = StoredOutbox(self.database, self.ids, timedelta(minutes=1))
        storms = StoredDigests(self.database, self.ids, "", 100)
        await waiting.forget_leases()
        for _ in range(200):
            for table in (digests, outbox):
                due = table.c.due_at.is_not(None)
                self.database.run(
                    lambda c, t=table, d=due: c.execute(sa.update(t).where(d).values(due_at=0))  # type: ignore[misc]
                )
            await waiting.sweep()
            [*leases] = await waiting.claim("last", 1)
            if not leases:
                return
            [own] = leases
            terms = Terms(False, NOW, NOW, timedelta(hours=1), 0, NOW, 100)
            assert await storms.advance(own, terms) is not None
            for delivery in await waiting.pending(own, 100):
                assert await waiting.delivered(own, delivery, f"handle-{delivery.id}", 1.0)
                if delivery.action != "reply" or delivery.head_id not in self.shown:
                    self.shown[delivery.head_id] = delivery
            await waiting.release(own)
        raise AssertionError("the channel never comes to rest")

    def all(self, table: sa.Table) -> list[Any]:
        """Return all rows of a table, in order."""
        query = sa.select(table).order_by(table.c.id)
        return list(self.database.run(lambda c: c.execute(query).all()))


async def live(world: World, batches: list[list[Arrival]]) -> None:
    """Let things arrive while workers work."""
    for batch in batches:
        if batch:
            await world.database.write(
                lambda c, batch=batch: store(c, batch, world.ids, timedelta(minutes=10))  # type: ignore[misc]
            )
        for _ in range(world.chance.randrange(15)):
            await world.step()
    await world.finish()


@settings(max_examples=150)
@given(BATCHES, st.integers(0, 2**32))
def test_each_event_is_sent_or_stands_in_a_digest_and_alarms_are_shown_as_they_are(
    batches: list[list[Arrival]], seed: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        database = open_database(sqlite_copy(Path(folder)))
        try:
            world = World(database, random.Random(seed))  # noqa: S311 - chance of a test
            asyncio.run(live(world, batches))
            check(world, {one.event_id for batch in batches for one in batch})
        finally:
            database.close()


def check(world: World, accepted: set[str]) -> None:
    """Hold what came of it against the promises."""
    rows = world.all(outbox)
    events = [row for row in rows if not row.event_id.startswith("digest:")]
    assert {row.event_id for row in events} == accepted
    assert {row.state for row in rows} <= {"sent", "superseded", "digested"}
    for digest in world.all(digests):
        assert digest.state == "closed"
        assert digest.due_at is None
        content = Digest.from_json(digest.content)
        # Each event is in one digest at most, whole, and is counted there once.
        assert content.count == len({row.event_id for row in events if row.digest_id == digest.id})
        said = world.shown[digest.id].message
        assert said.title.text.startswith(f"{content.count} notification")
        assert said.note != "until now"
    by_event: dict[str, set[int | None]] = {}
    for row in events:
        if row.state != "superseded":
            by_event.setdefault(row.event_id, set()).add(row.digest_id)
    assert all(len(one) == 1 for one in by_event.values()), by_event
    # What is in ALARM has a message of its own, and every such message says what is.
    for head in world.all(heads):
        state = Head.from_json(head.state).state
        if head.latest and state == ALARM:
            assert head.handle
        # A change that arrived late, after its alarm's digest had ended, speaks for itself.
        if head.latest and head.handle and state and not is_late(world.shown[head.id]):
            assert world.shown[head.id].message.state == from_json(head.message).state


def is_late(delivery: Delivery) -> bool:
    """Whether it says that newer changes had overtaken it."""
    return delivery.message.note == "arrived late"
