"""What is old and done goes, in small portions; what anybody may still need stays."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from parley.kernel.incoming import Destination, Person
from parley.kernel.messages import plain_title
from parley.kernel.ports.inbox import Arrival
from parley.kernel.ports.outbox import Lease
from parley.kernel.ports.retention import Keep
from parley.observe import SystemClock
from parley.storage import retention
from parley.storage.database import Database, open_database
from parley.storage.deliveries import StoredDeliveries
from parley.storage.ids import Ids
from parley.storage.inbox import store
from parley.storage.outbox import StoredOutbox
from parley.storage.retention import StoredRetention
from parley.storage.rooms import StoredRooms
from parley.storage.schema import (
    digests,
    events,
    heads,
    notices,
    outbox,
    room_changes,
    room_messages,
    timers,
)
from parley.storage.timers import StoredTimers
from tests.arrivals import OPS, SLACK, alarm, arrival, route
from tests.clock import SetClock
from tests.databases import sqlite_copy

DAY = timedelta(days=1)
KEEP = Keep(90 * DAY, 15 * DAY)
MINUTE = timedelta(minutes=1)
ANA = Person("ana", "Ana")


class Past:
    """A database in which things happen some days ago."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._clock = SetClock(datetime.now(UTC))
        self.ids = Ids(self._clock)
        self.now_ids = Ids(SystemClock())
        self.outbox = StoredOutbox(database, self.now_ids, MINUTE)
        self.rooms = StoredRooms(database, self.now_ids)

    def ago(self, days: float) -> None:
        """Let what is stored from now on have happened so many days ago."""
        self._clock = SetClock(datetime.now(UTC) - days * DAY)
        self.ids = Ids(self._clock)
        self._days = days

    def accept(self, *arrivals: Arrival) -> None:
        """Accept events then."""
        self.database.run(lambda c: store(c, arrivals, self.ids, MINUTE))
        self._age(events, "received_at")
        self._age(outbox, "due_at", "created_at")
        self._age(heads, "updated_at")

    async def deliver(self, outcome: str = "sent") -> None:
        """Deliver then what waits, or give it up."""
        for lease in await self.outbox.claim("worker", 10):
            await self._work(lease, outcome)
            await self.outbox.release(lease)
        self._age(outbox, "done_at")
        self._age(room_messages, "created_at", "edited_at", "last_reply_at")

    async def _work(self, lease: Lease, outcome: str) -> None:
        found = await self.outbox.pending(lease, 100)
        if lease.destination.platform == "local":
            writing = StoredOutbox(self.database, self.ids, MINUTE)
            assert await writing.shown(lease, found)
            return
        for one in found:
            if outcome == "dead":
                assert await self.outbox.bury(lease, one, "the channel is gone")
            else:
                assert await self.outbox.delivered(lease, one, f"C1:{one.id}", 1.0)

    def _age(self, table: sa.Table, *columns: str) -> None:
        """Move times of the last minutes back."""
        recent = int((datetime.now(UTC) - DAY / 2).timestamp() * 1000)
        by = int(self._days * DAY.total_seconds() * 1000)
        for name in columns:
            change = (
                sa.update(table).where(table.c[name] > recent).values({name: table.c[name] - by})
            )
            self.database.run(lambda c, change=change: c.execute(change))  # type: ignore[misc]

    def count(self, table: sa.Table) -> int:
        """Return how many rows a table has."""
        query = sa.select(sa.func.count()).select_from(table)
        return int(self.database.run(lambda c: c.execute(query).scalar_one()))

    async def prune(self, keep: Keep = KEEP) -> dict[str, int]:
        """Prune; return how many rows of each table went, where any did."""
        found: dict[str, int] = {}
        async for pruned in StoredRetention(self.database).prune(keep):
            assert pruned.rows <= 2 * retention.PORTION
            found[pruned.table] = found.get(pruned.table, 0) + pruned.rows
        return {table: rows for table, rows in found.items() if rows}


@pytest.fixture
def past(database: Database) -> Past:
    """Return the past."""
    return Past(database)


def titled(*titles: str, to: Destination = SLACK) -> Sequence[Arrival]:
    return [arrival(route(to, title), title=title) for title in titles]


async def test_what_was_delivered_long_ago_goes_with_its_event(past: Past) -> None:
    past.ago(100)
    past.accept(*titled("old", "also old"))
    await past.deliver()
    past.ago(80)
    past.accept(*titled("young"))
    await past.deliver()
    assert await past.prune() == {"outbox": 2, "events": 2}
    assert (past.count(outbox), past.count(events)) == (1, 1)
    assert await past.prune() == {}


async def test_what_waits_and_what_was_given_up_stays_with_its_event(past: Past) -> None:
    past.ago(400)
    past.accept(*titled("given up"))
    await past.deliver("dead")
    past.accept(*titled("waits"))
    assert await past.prune() == {}
    [dead] = await StoredDeliveries(past.database).replay(
        past.database.run(lambda c: c.execute(sa.select(outbox.c.id)).scalars().all())
    )
    assert await past.prune() == {}
    [lease] = await past.outbox.claim("me", 1)
    assert {one.id for one in await past.outbox.pending(lease, 10)} >= {dead}


async def test_an_alarm_that_is_not_over_keeps_its_head_and_one_that_is_does_not(
    past: Past,
) -> None:
    past.ago(200)
    past.accept(alarm("ALARM", 0, SLACK, "open"))
    past.accept(alarm("ALARM", 0, SLACK, "over"), alarm("OK", 5, SLACK, "over"))
    await past.deliver()
    gone = await past.prune()
    assert gone["heads"] == 1
    past.ago(0)
    past.accept(alarm("OK", 60 * 24, SLACK, "open"))
    [lease] = await past.outbox.claim("me", 1)
    found = await past.outbox.pending(lease, 10)
    assert [str(one.action) for one in found] == ["edit", "reply"]
    assert found[0].head_handle


async def test_a_room_forgets_whole_threads_by_their_last_sign_of_life(past: Past) -> None:
    past.ago(120)
    past.accept(*titled("old", to=OPS))
    await past.deliver()
    past.accept(alarm("ALARM", 0, OPS, "open"))
    await past.deliver()
    past.accept(alarm("ALARM", 0, OPS, "over"), alarm("OK", 5, OPS, "over"))
    await past.deliver()
    past.ago(10)
    past.accept(*titled("young", to=OPS))
    await past.deliver()
    assert (await past.prune())["room_messages"] == 3  # a message, and a head with its reply
    shown = [plain_title(one.message) for one in await past.rooms.history("ops", None, 10)
             if one.message]  # fmt: skip
    assert shown == ["ALARM: open ALARM at 0", "young"]
    assert await past.rooms.search("old", "", None, 10) == []
    assert len(await past.rooms.search("young", "", None, 10)) == 1
    # The alarm that is not over changes its message still.
    past.ago(0)
    past.accept(alarm("OK", 60 * 24, OPS, "open"))
    await past.deliver()
    [first, _] = await past.rooms.history("ops", None, 10)
    assert first.message
    assert first.message.state == "OK"


async def test_a_page_that_has_missed_what_is_forgotten_can_know_it(past: Past) -> None:
    past.ago(120)
    past.accept(*titled("one", "two", "three", to=OPS))
    await past.deliver()
    assert await past.rooms.first_change("ops") == 1
    past.ago(10)
    past.accept(*titled("four", to=OPS))
    await past.deliver()
    assert (await past.prune())["room_changes"] == 3
    assert await past.rooms.first_change("ops") == 4
    [change] = await past.rooms.changes("ops", 3, 10)
    assert change.seq == 4
    assert await past.rooms.first_change("nowhere") == 1


async def test_a_long_thread_goes_in_portions(past: Past, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "PORTION", 5)
    past.ago(120)
    past.accept(*titled("head", "other", to=OPS))
    await past.deliver()
    head, _ = await past.rooms.history("ops", None, 10)
    old = StoredRooms(past.database, past.ids)
    for number in range(13):
        await old.say("ops", ANA, f"reply {number}", head.id, None)
    past._age(room_messages, "created_at", "last_reply_at")  # noqa: SLF001 - as deliver does
    assert (await past.prune())["room_messages"] == 15
    assert past.count(room_messages) == 0


async def test_contents_may_go_before_the_ids_that_repetitions_are_known_by(past: Past) -> None:
    past.ago(10)
    secret = arrival(route(SLACK, "secret"), event_id="sns:t:1", title="secret")
    past.accept(secret)
    await past.deliver()
    past.accept(*titled("secret that waits"))
    keep = Keep(3 * DAY, 15 * DAY)
    assert await past.prune(keep) == {"outbox": 1, "events": 1}
    assert await past.prune(keep) == {}
    left = [
        past.database.run(lambda c, query=query: c.execute(query).all())  # type: ignore[misc]
        for query in (
            sa.select(events.c.title, events.c.raw).where(events.c.id == "sns:t:1"),
            sa.select(outbox.c.message).where(outbox.c.event_id == "sns:t:1"),
        )
    ]
    assert "secret" not in str(left)
    again = past.database.run(lambda c: store(c, [secret], past.now_ids, MINUTE))
    assert list(again) == [False]
    assert past.count(outbox) == 2
    waits = past.database.run(
        lambda c: c.execute(sa.select(events.c.raw).where(events.c.title != "")).scalars().all()
    )
    assert len(waits) == 1


async def test_digests_timers_and_notices_go_when_they_are_over(past: Past) -> None:
    def row(state: str, **more: int | None) -> dict[str, object]:
        past.ago(120)
        at = int((datetime.now(UTC) - 120 * DAY).timestamp() * 1000)
        times = {"opened_at": at, "last_event_at": at, "closed_at": at, "due_at": None}
        row_id = past.ids.next()
        return (
            {"id": row_id, "destination_id": row_id, "state": state, "content": "{}"} | times | more
        )

    rows = [row("closed"), row("open", closed_at=None), row("closed", due_at=1)]
    past.database.run(lambda c: c.execute(sa.insert(digests), rows))
    old = StoredTimers(past.database, past.ids, MINUTE)
    for name in ("done", "waits", "dead"):
        await old.set("expiry", name, -DAY)
    claimed = {one.subject: one for one in await old.claim("me", {"expiry": 10})}
    assert await old.done(claimed["done"])
    assert await old.bury(claimed["dead"], "no")
    past._age(timers, "done_at")  # noqa: SLF001 - as deliver does
    told = [{"cause": "old", "told_at": 1}, {"cause": "new", "told_at": 2**50}]
    past.database.run(lambda c: c.execute(sa.insert(notices), told))
    assert await past.prune() == {"digests": 1, "timers": 1, "notices": 1}
    assert past.count(timers) == 2


async def test_much_goes_in_many_small_transactions(
    past: Past, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "PORTION", 20)
    past.ago(100)
    for _ in range(6):
        past.accept(*titled(*(f"event {number}" for number in range(20))))
        await past.deliver()
    steps = [one async for one in StoredRetention(past.database).prune(KEEP)]
    assert all(one.rows <= 20 for one in steps)
    assert sum(one.rows for one in steps if one.table == "outbox") == 120
    assert (past.count(outbox), past.count(events), past.count(room_changes)) == (0, 0, 0)


def test_no_step_reads_the_whole_of_history(tmp_path: Path) -> None:
    """Each walks a primary key or an index up to its bound; small tables may be read whole."""
    database = open_database(sqlite_copy(tmp_path))
    bounds = retention._Bounds(10**12, 10**12)  # noqa: SLF001 - the statements themselves
    seen: list[tuple[str, Any]] = []

    def see(*told: Any) -> None:
        seen.append((str(told[2]), told[3]))

    def run(connection: sa.Connection) -> list[str]:
        sa.event.listen(connection, "before_cursor_execute", see)
        for _, step in retention._STEPS:  # noqa: SLF001 - as above
            step(connection, bounds, None)
        return [
            str(found[-1])
            for sql, values in list(seen)
            if sql.startswith("SELECT")
            for found in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values)
        ]

    small = ("SCAN notices", "SCAN digests", "SCAN destinations", "SCAN rooms")
    steps = database.run(run)
    database.close()
    for step in steps:
        scans = step.startswith("SCAN") and not step.startswith(small)
        assert not scans or "outbox_dead" in step or "outbox_owed" in step, step
