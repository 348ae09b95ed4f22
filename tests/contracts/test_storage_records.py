"""Records of many callers are written together, and each caller hears what became of its own."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

import pytest
import sqlalchemy as sa

from parley.kernel.errors import Overloaded, Unavailable
from parley.storage.database import open_database
from parley.storage.records import Records
from tests.databases import sqlite_copy

LIMIT = 1000


@dataclass
class Desk:
    """Stores texts: returns their lengths, refuses `bad`, and waits while `open` is not set."""

    batches: list[list[str]] = field(default_factory=list)
    open: Event = field(default_factory=Event)

    def store(self, connection: sa.Connection, texts: Sequence[str]) -> Sequence[int]:
        """Take one batch."""
        assert self.open.wait(10)
        self.batches.append(list(texts))
        if "broken" in texts:
            raise Unavailable("The disk is full.")
        if "bad" in texts:
            raise ValueError("bad")
        connection.execute(sa.select(1))
        return [len(text) for text in texts]


@dataclass
class Office:
    """Records with their desk."""

    desk: Desk
    records: Records[str, int]


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    """Yield records on a real database."""
    database = open_database(sqlite_copy(tmp_path))
    desk = Desk()
    yield Office(desk, Records[str, int](database, desk.store, len, LIMIT))
    desk.open.set()
    await asyncio.to_thread(database.close)


def put(office: Office, *texts: str) -> list["asyncio.Task[int]"]:
    """Hand texts in, each by a caller of its own."""
    return [asyncio.create_task(office.records.put(text)) for text in texts]


async def test_each_caller_hears_its_own_result_and_few_statements_are_needed(
    office: Office,
) -> None:
    first = put(office, "first")
    await asyncio.sleep(0.01)
    texts = ["x" * (number % 7) for number in range(150)]
    rest = put(office, *texts)
    await asyncio.sleep(0.01)
    office.desk.open.set()
    assert await asyncio.gather(*first, *rest) == [5, *(len(text) for text in texts)]
    assert [len(batch) for batch in office.desk.batches] == [1, 150]


async def test_a_bad_record_fails_alone(office: Office) -> None:
    office.desk.open.set()
    tasks = put(office, "one", "bad", "two")
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert results[0::2] == [3, 3]
    assert isinstance(results[1], ValueError)


async def test_a_database_that_fails_is_not_asked_again_for_each(office: Office) -> None:
    office.desk.open.set()
    results = await asyncio.gather(*put(office, "one", "broken", "two"), return_exceptions=True)
    assert [str(one) for one in results] == ["The disk is full."] * 3
    assert len(office.desk.batches) == 1
    assert await office.records.put("later") == 5


async def test_what_is_too_much_to_keep_is_refused_at_once(office: Office) -> None:
    waiting = put(office, *(["x" * 100] * 10))
    await asyncio.sleep(0)
    with pytest.raises(Overloaded):
        await office.records.put("one more")
    office.desk.open.set()
    assert await asyncio.gather(*waiting) == [100] * 10
    assert await office.records.put("room again") == 10


async def test_one_record_is_taken_however_large(office: Office) -> None:
    office.desk.open.set()
    assert await office.records.put("x" * LIMIT * 2) == LIMIT * 2


async def test_a_caller_that_leaves_gives_its_room_back(office: Office) -> None:
    leaving = put(office, "x" * LIMIT)
    await asyncio.sleep(0.01)
    leaving[0].cancel()
    await asyncio.gather(*leaving, return_exceptions=True)
    office.desk.open.set()
    assert await office.records.put("x" * LIMIT) == LIMIT
