"""A backup is whole, is of one moment, and is taken while the database is written."""

import asyncio
import sqlite3
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa

from parley.cli import main
from parley.kernel.errors import Conflict, InvalidRequest, NotFound, Unavailable
from parley.storage.backup import back_up
from parley.storage.database import open_database
from parley.storage.migrate import migrate
from parley.storage.schema import notices, rooms
from tests.databases import sqlite_copy


async def test_a_copy_is_of_one_moment_while_others_write(tmp_path: Path) -> None:
    url = sqlite_copy(tmp_path)
    database = open_database(url)
    going = True

    def both(number: int, connection: sa.Connection) -> None:
        connection.execute(sa.insert(rooms), {"name": str(number), "last_seq": 0, "created_at": 0})
        connection.execute(sa.insert(notices), {"cause": str(number), "told_at": 0})

    async def write() -> int:
        number = 0
        while going:
            await database.write(partial(both, number))
            number += 1
        return number

    writing = asyncio.create_task(write())
    await asyncio.sleep(0.1)
    for number in range(5):
        size = await asyncio.to_thread(back_up, url, tmp_path / f"copy-{number}.db")
        assert size == (tmp_path / f"copy-{number}.db").stat().st_size
    going = False
    written = await writing
    database.close()
    counts = [counted(tmp_path / f"copy-{number}.db") for number in range(5)]
    assert all(one == other for one, other in counts)
    assert 0 < counts[0][0] <= counts[4][0] <= written
    # It is a database that Parley starts on.
    restored = open_database(f"sqlite:///{tmp_path / 'copy-4.db'}")
    migrate(restored)
    restored.close()
    assert (tmp_path / "copy-0.db").stat().st_mode & 0o077 == 0


def counted(path: Path) -> tuple[int, int]:
    """Return how many rows of each table a copy holds, after SQLite checked it."""
    connection = sqlite3.connect(path)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        [(one,)] = connection.execute("SELECT count(*) FROM rooms").fetchall()
        [(other,)] = connection.execute("SELECT count(*) FROM notices").fetchall()
        return one, other
    finally:
        connection.close()


def test_nothing_is_overwritten_and_nothing_half_is_left(tmp_path: Path) -> None:
    url = sqlite_copy(tmp_path)
    (tmp_path / "there.db").write_text("precious")
    with pytest.raises(Conflict, match="exists already"):
        back_up(url, tmp_path / "there.db")
    assert (tmp_path / "there.db").read_text() == "precious"
    with pytest.raises(Unavailable, match="cannot be written"):
        back_up(url, tmp_path / "nowhere" / "copy.db")
    (tmp_path / "broken.db").write_bytes(b"no database" * 1000)
    with pytest.raises(Unavailable, match="not a database"):
        back_up(f"sqlite:///{tmp_path}/broken.db", tmp_path / "copy.db")
    assert {one.name for one in tmp_path.iterdir()} == {"parley.db", "there.db", "broken.db"}


def test_what_cannot_be_copied_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InvalidRequest, match="pg_dump"):
        back_up("postgresql://parley@db/parley", tmp_path / "copy.db")
    with pytest.raises(NotFound):
        back_up(f"sqlite:///{tmp_path}/parley.db", tmp_path / "copy.db")
    sqlite_copy(tmp_path)
    words = ["backup", str(tmp_path / "copy.db"), "--data", str(tmp_path)]
    assert main(words) == 0
    assert "bytes" in capsys.readouterr().out
    assert main(words) == 1
    assert "exists already" in capsys.readouterr().err
