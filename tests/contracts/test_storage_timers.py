"""A timer is done by one worker, once, and what was set anew is not ended by what was before."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from parley.kernel.ports.timers import Timer
from parley.storage import timers as stored
from parley.storage.database import Database
from parley.storage.ids import Ids
from parley.storage.schema import timers as rows
from parley.storage.timers import StoredTimers

NOW = timedelta()
MINUTE = timedelta(minutes=1)
OVER = timedelta(seconds=-1)
"""A lease of this length is over as soon as it is taken: its worker died."""


@pytest.fixture
def timers(database: Database, ids: Ids) -> StoredTimers:
    """Return the timers."""
    return StoredTimers(database, ids, MINUTE)


@pytest.fixture
def dying(database: Database, ids: Ids) -> StoredTimers:
    """Return the timers as a worker has them that is killed after its claim."""
    return StoredTimers(database, ids, OVER)


async def claim(timers: StoredTimers, owner: str = "me", most: int = 10) -> list[Timer]:
    """Claim what is due of the kind `expiry`."""
    return list(await timers.claim(owner, {"expiry": most}))


def row(database: Database) -> Any:
    """Return the only row."""
    return database.run(lambda c: c.execute(sa.select(rows)).one())


async def test_what_is_due_first_is_done_first_by_one_worker_each(timers: StoredTimers) -> None:
    for number in range(5):
        await timers.set("expiry", str(number), timedelta(seconds=-5 + number))
    await timers.set("expiry", "tomorrow", timedelta(days=1))
    await timers.set("other", "kind", NOW)
    first, second = await claim(timers, "a", 3), await claim(timers, "b", 3)
    assert [one.subject for one in first] == ["0", "1", "2"]
    assert [one.subject for one in second] == ["3", "4"]
    assert await claim(timers, "c") == []
    [other] = await timers.claim("a", {"expiry": 5, "other": 5})
    assert (other.kind, other.subject) == ("other", "kind")


async def test_workers_that_claim_at_once_share_them(timers: StoredTimers) -> None:
    for number in range(40):
        await timers.set("expiry", str(number), NOW)
    claims = await asyncio.gather(*(claim(timers, f"worker-{one}", 5) for one in range(8)))
    claimed = [one.subject for timers_of_one in claims for one in timers_of_one]
    claimed += [one.subject for one in await claim(timers, "last", 40)]
    assert sorted(claimed, key=int) == [str(number) for number in range(40)]


async def test_it_is_done_once(timers: StoredTimers, database: Database) -> None:
    await timers.set("expiry", "grant", NOW, "payload")
    [timer] = await claim(timers)
    assert timer.payload == "payload"
    assert await timers.done(timer)
    assert not await timers.done(timer)
    assert row(database).state == "done"
    assert await claim(timers) == []
    assert await timers.next_due(["expiry"]) is None


async def test_of_doing_and_cancelling_one_succeeds(timers: StoredTimers) -> None:
    await timers.set("expiry", "grant", NOW)
    [timer] = await claim(timers)
    assert await timers.cancel("expiry", "grant")
    assert not await timers.done(timer)
    await timers.set("expiry", "grant", NOW)
    [timer] = await claim(timers)
    assert await timers.done(timer)
    assert not await timers.cancel("expiry", "grant")


async def test_what_was_set_anew_is_not_ended_by_what_was_before(timers: StoredTimers) -> None:
    await timers.set("expiry", "grant", NOW, "old")
    [old] = await claim(timers)
    await timers.set("expiry", "grant", NOW, "new")
    assert not await timers.done(old)
    [new] = await claim(timers, "other")
    assert new.payload == "new"
    assert await timers.done(new)


async def test_what_is_set_already_stays_as_it_is(timers: StoredTimers) -> None:
    await timers.ensure("expiry", "grant", timedelta(days=1), "first")
    await timers.ensure("expiry", "grant", NOW, "second")
    assert await claim(timers) == []


async def test_a_dead_workers_timer_is_taken_over_and_ended_by_the_new_one_alone(
    timers: StoredTimers, dying: StoredTimers
) -> None:
    await timers.set("expiry", "grant", NOW)
    [lost] = await claim(dying, "dying")
    [taken] = await claim(timers, "next")
    assert await timers.renew([lost, taken]) == []  # asked as the dead one
    assert not await timers.done(lost)
    assert not await timers.retry(lost, "busy", NOW)
    assert not await timers.bury(lost, "busy")
    await timers.release(lost)
    assert await timers.renew([taken]) == [taken]
    assert await timers.done(taken)


async def test_a_retry_waits_and_counts_and_a_repetition_begins_anew(
    timers: StoredTimers, database: Database
) -> None:
    await timers.set("expiry", "grant", NOW)
    [timer] = await claim(timers)
    assert await timers.retry(timer, "busy\x00", MINUTE)
    assert await claim(timers) == []
    wait = await timers.next_due(["expiry"])
    assert wait
    assert timedelta(seconds=50) < wait <= MINUTE
    assert (row(database).attempts, row(database).error[:4]) == (1, "busy")
    database.run(lambda c: c.execute(sa.update(rows).values(due_at=1)))
    [timer] = await claim(timers)
    assert timer.attempts == 1
    assert await timers.done(timer, again=timedelta(hours=1))
    assert (row(database).attempts, row(database).state) == (0, "pending")
    wait = await timers.next_due(["expiry"])
    assert wait
    assert timedelta(minutes=59) < wait <= timedelta(hours=1)


async def test_what_is_given_up_stays_to_be_seen(timers: StoredTimers, database: Database) -> None:
    await timers.set("expiry", "grant", NOW)
    [timer] = await claim(timers)
    assert await timers.bury(timer, "AWS says no")
    assert (row(database).state, row(database).error) == ("dead", "AWS says no")
    assert await claim(timers) == []


async def test_the_next_one_is_told_whether_it_waits_or_is_being_done(
    timers: StoredTimers,
) -> None:
    assert await timers.next_due(["expiry", "other"]) is None
    await timers.set("expiry", "late", timedelta(seconds=-30))
    assert await timers.next_due(["other"]) is None
    assert await timers.next_due(["expiry", "other"]) == NOW
    await claim(timers)
    wait = await timers.next_due(["expiry"])
    assert wait
    assert timedelta(seconds=50) < wait <= MINUTE  # when its worker is dead, and not earlier
    await timers.set("expiry", "soon", timedelta(seconds=10))
    wait = await timers.next_due(["expiry"])
    assert wait
    assert wait <= timedelta(seconds=10)


async def test_the_server_that_starts_again_goes_on_at_once(timers: StoredTimers) -> None:
    await timers.set("expiry", "grant", NOW)
    [killed] = await claim(timers, "killed")
    await timers.forget_leases()
    [taken] = await claim(timers, "next")
    assert not await timers.done(killed)
    assert await timers.done(taken)


async def test_what_it_did_stands_only_when_it_ended_it(
    timers: StoredTimers, database: Database
) -> None:
    """The effect of a timer and its end are stored together, or neither is."""
    await timers.set("expiry", "grant", NOW)
    [timer] = await claim(timers)

    def end(connection: sa.Connection) -> bool:
        return stored.finish(connection, timer)

    assert database.run(end)
    assert not database.run(end)


def test_the_claim_reads_the_index_of_what_is_pending(database: Database) -> None:
    def plans(connection: sa.Connection) -> list[str]:
        if connection.dialect.name != "sqlite":
            return []
        found = []
        for statement in (stored._DUE, stored._NEXT_FREE, stored._NEXT_LEASE_END):  # noqa: SLF001 - the statements themselves
            text = str(statement.compile(connection, compile_kwargs={"literal_binds": False}))
            values = ("expiry",) * text.count("?")
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", values)
            found += [str(row[-1]) for row in rows]
        return found

    for step in database.run(plans):
        assert "USING INDEX timers_due" in step
