"""A call returns after its commit. A unit's mistake is its own, a failed commit everybody's."""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event

import pytest
import sqlalchemy as sa

from parley.kernel.errors import InvalidRequest, Unavailable
from parley.storage.database import Database, SqliteDatabase, open_database
from parley.storage.schema import notices, rooms
from tests.databases import sqlite_copy

ADD = sa.insert(rooms)
NAMES = sa.select(rooms.c.name).order_by(rooms.c.name)


def add(name: str) -> Callable[[sa.Connection], str]:
    """Return a unit that makes a room and returns its name."""

    def unit(connection: sa.Connection) -> str:
        connection.execute(ADD, {"name": name, "last_seq": 0, "created_at": 0})
        return name

    return unit


async def names(database: Database) -> list[str]:
    """Return the rooms that are there."""
    return list(await database.read(lambda c: c.execute(NAMES).scalars().all()))


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[SqliteDatabase]:
    """Yield an SQLite database, open."""
    database = open_database(sqlite_copy(tmp_path))
    assert isinstance(database, SqliteDatabase)
    yield database
    database.close()


async def test_a_unit_that_fails_fails_only_its_caller(database: Database) -> None:
    def broken(connection: sa.Connection) -> str:
        add("half")(connection)
        raise ZeroDivisionError

    units = [add("one"), broken, add("two"), add("one"), add("three")]
    results = await asyncio.gather(
        *(database.write(unit) for unit in units), return_exceptions=True
    )
    assert sorted(one for one in results if isinstance(one, str)) == ["one", "three", "two"]
    assert isinstance(results[1], ZeroDivisionError)
    assert len([one for one in results if isinstance(one, sa.exc.IntegrityError)]) == 1
    assert await names(database) == ["one", "three", "two"]


async def test_what_is_written_is_read_back_by_the_next_who_opens(database_url: str) -> None:
    first = open_database(database_url)
    await first.write(add("kept"))
    first.close()
    second = open_database(database_url)
    assert await names(second) == ["kept"]
    second.close()


async def test_a_reader_sees_one_moment(database: Database) -> None:
    """A configuration and its topics are read by several statements that must belong together."""
    looked, written = Event(), Event()

    def look_twice(connection: sa.Connection) -> tuple[int, int]:
        before = len(connection.execute(NAMES).all())
        looked.set()
        assert written.wait(10)
        return before, len(connection.execute(NAMES).all())

    reading = asyncio.create_task(database.read(look_twice))
    await asyncio.to_thread(looked.wait, 10)
    await database.write(add("meanwhile"))
    written.set()
    assert await reading == (0, 0)
    assert await names(database) == ["meanwhile"]


async def test_a_reader_writes_nothing(database: Database) -> None:
    with pytest.raises((Unavailable, sa.exc.DBAPIError)):
        await database.read(add("sneaked in"))
    assert await names(database) == []


async def test_a_caller_that_leaves_does_not_disturb_the_others(database: Database) -> None:
    leaving = asyncio.create_task(database.write(add("left")))
    staying = asyncio.create_task(database.write(add("stayed")))
    await asyncio.sleep(0)
    leaving.cancel()
    assert await staying == "stayed"
    with pytest.raises(asyncio.CancelledError):
        await leaving


async def test_nothing_is_taken_after_the_end(database_url: str) -> None:
    database = open_database(database_url)
    await database.write(add("before"))
    database.close()
    for call in (database.write, database.read):
        with pytest.raises(Unavailable, match="stopping"):
            await call(add("after"))
    database.close()


async def test_what_was_begun_is_finished_at_the_end(database_url: str) -> None:
    database = open_database(database_url)
    writing = [asyncio.create_task(database.write(add(str(number)))) for number in range(50)]
    await asyncio.sleep(0)
    await asyncio.to_thread(database.close)
    assert await asyncio.gather(*writing) == [str(number) for number in range(50)]


# --- SQLite: many callers share a transaction -----------------------------------------------


async def blocked(database: SqliteDatabase) -> tuple[asyncio.Task[None], Event]:
    """Keep the writer busy until the event is set: what comes meanwhile makes one group."""
    begun, go_on = Event(), Event()

    def unit(_connection: sa.Connection) -> None:
        begun.set()
        assert go_on.wait(10)

    task = asyncio.create_task(database.write(unit))
    await asyncio.to_thread(begun.wait, 10)
    return task, go_on


async def test_a_failing_commit_fails_everybody_and_keeps_nothing(sqlite: SqliteDatabase) -> None:
    busy, go_on = await blocked(sqlite)

    def no_commit(connection: sa.Connection) -> None:
        def decide(action: int, argument: str | None, *_: object) -> int:
            commits = action == sqlite3.SQLITE_TRANSACTION and argument == "COMMIT"
            return sqlite3.SQLITE_DENY if commits else sqlite3.SQLITE_OK

        raw = connection.connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)
        raw.set_authorizer(decide)

    units = [sqlite.write(add("one")), sqlite.write(no_commit), sqlite.write(add("two"))]
    group = [asyncio.ensure_future(unit) for unit in units]
    await asyncio.sleep(0.01)
    go_on.set()
    await busy
    results = await asyncio.gather(*group, return_exceptions=True)
    assert all(isinstance(one, Exception) for one in results)
    assert await names(sqlite) == []
    assert await sqlite.write(add("later")) == "later"


async def test_a_full_disk_is_told_and_overcome(sqlite: SqliteDatabase) -> None:
    def full(connection: sa.Connection) -> None:
        connection.exec_driver_sql("PRAGMA max_page_count = 1")

    def large(connection: sa.Connection) -> None:
        rows = [
            {"cause": f"{number} {'x' * 2000}", "told_at": 0, "well": False}
            for number in range(500)
        ]
        connection.execute(sa.insert(notices), rows)

    await sqlite.write(full)
    with pytest.raises(Unavailable, match="full"):
        await sqlite.write(large)
    assert await names(sqlite) == []

    def room_again(connection: sa.Connection) -> None:
        connection.exec_driver_sql("PRAGMA max_page_count = 1000000")

    await sqlite.write(room_again)
    await sqlite.write(large)
    assert await sqlite.write(add("later")) == "later"


async def test_a_database_that_somebody_else_holds_is_told(
    sqlite: SqliteDatabase, tmp_path: Path
) -> None:
    def patient(connection: sa.Connection) -> None:
        connection.exec_driver_sql("PRAGMA busy_timeout = 50")

    await sqlite.write(patient)
    holder = sqlite3.connect(tmp_path / "parley.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable, match="locked"):
        await sqlite.write(add("one"))
    holder.execute("ROLLBACK")
    holder.close()
    assert await sqlite.write(add("two")) == "two"


async def test_many_writers_share_the_cost_of_the_disk(sqlite: SqliteDatabase) -> None:
    """Reading goes on meanwhile."""
    busy, go_on = await blocked(sqlite)
    assert await names(sqlite) == []
    writing = [asyncio.create_task(sqlite.write(add(str(number)))) for number in range(1000)]
    await asyncio.sleep(0.01)
    began = time.monotonic()
    go_on.set()
    await busy
    await asyncio.gather(*writing)
    assert len(await names(sqlite)) == 1000
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("name", ["my data", "100% #1?", "ü&=+", "file:x"])
def test_the_folder_may_be_called_anything(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    database = open_database(sqlite_copy(tmp_path / name))
    database.run(add("here"))
    assert asyncio.run(names(database)) == ["here"]
    database.close()
    assert {path.name for path in tmp_path.iterdir()} == {name}


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match="cannot be made"):
        open_database(f"sqlite:///{tmp_path}/file/data/parley.db")


def test_other_kinds_of_databases_are_refused_without_telling_the_password() -> None:
    with pytest.raises(InvalidRequest, match=r"mysql://\.\.\.") as refused:
        open_database("mysql://me:secret@host/name")
    assert "secret" not in str(refused.value)


async def test_a_server_that_does_not_answer_is_told_without_the_password() -> None:
    database = open_database("postgresql://me:secret@127.0.0.1:1/name")
    with pytest.raises(Unavailable) as told:
        await database.write(add("one"))
    assert "secret" not in str(told.value)
    database.close()
