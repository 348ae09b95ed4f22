"""The timer worker: on time, each kind by its own rules, and nothing forgotten."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from parley.kernel.errors import Unavailable
from parley.kernel.ports.timers import Timer
from parley.observe import SystemClock
from parley.storage.database import Database, open_database
from parley.storage.ids import Ids
from parley.storage.schema import timers as rows
from parley.storage.timers import StoredTimers
from parley.workers.timers import Kind, TimerWorker
from tests.databases import postgres_emptied, sqlite_copy

NOW = timedelta()
SECOND = timedelta(seconds=1)
QUICK = timedelta(milliseconds=20)


class Desk:
    """Timers on a database, and what workers did."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.timers = StoredTimers(database, Ids(SystemClock()), timedelta(minutes=1))
        self.done: list[str] = []
        self.late: list[float] = []

    async def do(self, timer: Timer) -> timedelta | None:
        """Note that it was done, and how late."""
        self.done.append(timer.subject)
        self.late.append((datetime.now(UTC) - timer.due_at).total_seconds())
        return None

    @asynccontextmanager
    async def working(self, kinds: Mapping[str, Kind]) -> AsyncIterator[TimerWorker]:
        """Run a worker until the block ends."""
        worker = TimerWorker(self.timers, kinds, "worker")
        worker.start()
        try:
            yield worker
        finally:
            await worker.stop()

    def set_many(self, count: int, due: timedelta) -> None:
        """Set timers of the kind `expiry`, all due at the same moment."""
        at = int((datetime.now(UTC) + due).timestamp() * 1000)
        found = [
            {"id": number + 1, "kind": "expiry", "subject": str(number), "due_at": at}
            for number in range(count)
        ]
        self.database.run(lambda c: c.execute(sa.insert(rows), found))


@pytest.fixture(params=["sqlite", "postgresql"])
async def desk(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Desk]:
    """Yield the desk on either database."""
    if request.param == "sqlite":
        url = sqlite_copy(tmp_path)
    else:
        url = postgres_emptied(request.getfixturevalue("postgres_url"))
    database = open_database(url)
    yield Desk(database)
    await asyncio.to_thread(database.close)


async def until(done: Callable[[], bool], seconds: float = 20) -> None:
    """Wait until a function says yes."""
    async with asyncio.timeout(seconds):
        while not done():  # noqa: ASYNC110 - tasks of the worker do it
            await asyncio.sleep(0.005)


async def test_a_thousand_due_together_are_done_within_a_second(desk: Desk) -> None:
    desk.set_many(1000, SECOND)
    async with desk.working({"expiry": Kind(desk.do)}):
        await until(lambda: len(desk.done) == 1000)
    assert len(set(desk.done)) == 1000
    assert min(desk.late) >= 0
    assert max(desk.late) <= 1.0, max(desk.late)


async def test_what_came_due_while_nobody_worked_is_caught_up_with(desk: Desk) -> None:
    desk.set_many(50, -timedelta(days=3))
    async with desk.working({"expiry": Kind(desk.do)}):
        await until(lambda: len(desk.done) == 50)


async def test_waiting_costs_next_to_nothing(desk: Desk) -> None:
    desk.set_many(900, timedelta(hours=1))
    async with desk.working({"expiry": Kind(desk.do)}):
        await asyncio.sleep(0.5)
        began, spent = time.monotonic(), time.process_time()
        await asyncio.sleep(5)
        share = (time.process_time() - spent) / (time.monotonic() - began)
    assert desk.done == []
    assert share <= 0.01, f"{share:.2%} of a CPU"


async def test_a_timer_is_done_on_time_and_what_is_set_meanwhile_soon(desk: Desk) -> None:
    async with desk.working({"expiry": Kind(desk.do)}) as worker:
        await desk.timers.set("expiry", "later", 2 * SECOND)
        await desk.timers.set("expiry", "by another process", NOW)
        await until(lambda: len(desk.done) == 1, 2)
        await desk.timers.set("expiry", "by this one", NOW)
        worker.nudge()
        await until(lambda: len(desk.done) == 2, 0.5)
        await until(lambda: len(desk.done) == 3, 3)
    assert desk.done == ["by another process", "by this one", "later"]
    assert desk.late[2] < 0.5


async def test_each_kind_has_its_own_room(desk: Desk) -> None:
    release = asyncio.Event()
    at_work = most = 0

    async def slow(_timer: Timer) -> timedelta | None:
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        await release.wait()
        at_work -= 1
        return None

    for number in range(6):
        await desk.timers.set("slow", str(number), NOW)
    await desk.timers.set("expiry", "quick", NOW)
    async with desk.working({"slow": Kind(slow, concurrency=2), "expiry": Kind(desk.do)}):
        await until(lambda: at_work == 2)
        await until(lambda: desk.done == ["quick"])
        await asyncio.sleep(0.1)
        assert most == 2
        release.set()
        await until(lambda: states(desk) == {"done": 7})
    assert most == 2


def states(desk: Desk) -> dict[str, int]:
    """Return how many timers are in which state."""
    query = sa.select(rows.c.state, sa.func.count()).group_by(rows.c.state)
    found = desk.database.run(lambda c: c.execute(query).all())
    return {row[0]: row[1] for row in found}


async def test_what_fails_is_tried_again_and_given_up_where_its_kind_says_so(desk: Desk) -> None:
    tried: list[int] = []

    async def fail(timer: Timer) -> timedelta | None:
        tried.append(timer.attempts)
        if len(tried) % 2:
            raise ZeroDivisionError
        raise Unavailable("AWS is away.")

    await desk.timers.set("fails", "it", NOW)
    kind = Kind(fail, first_pause=QUICK, longest_pause=QUICK, most_attempts=4)
    async with desk.working({"fails": kind}):
        await until(lambda: states(desk) == {"dead": 1})
    assert tried == [0, 1, 2, 3]
    assert (
        desk.database.run(lambda c: c.execute(sa.select(rows.c.error)).scalar()) == "AWS is away."
    )


async def test_a_repeating_timer_goes_on(desk: Desk) -> None:
    async def again(timer: Timer) -> timedelta | None:
        await desk.do(timer)
        return QUICK

    await desk.timers.ensure("tick", "it", NOW)
    async with desk.working({"tick": Kind(again)}):
        await until(lambda: len(desk.done) >= 5)
    assert states(desk) == {"pending": 1}


async def test_a_kind_that_nobody_handles_here_waits_for_who_does(desk: Desk) -> None:
    await desk.timers.set("of tomorrow", "it", NOW)
    async with desk.working({"expiry": Kind(desk.do)}):
        await asyncio.sleep(0.2)
    assert states(desk) == {"pending": 1}


async def test_what_is_being_done_at_the_end_is_left_to_the_next(desk: Desk) -> None:
    begun = asyncio.Event()

    async def hang(_timer: Timer) -> timedelta | None:
        begun.set()
        await asyncio.sleep(60)
        return None

    await desk.timers.set("expiry", "it", NOW)
    began = time.monotonic()
    async with desk.working({"expiry": Kind(hang)}):
        await begun.wait()
    assert time.monotonic() - began < 8
    async with desk.working({"expiry": Kind(desk.do)}):
        await until(lambda: desk.done == ["it"], 5)
