"""A copy of an SQLite database while it is being worked with."""

import os
import sqlite3
from pathlib import Path
from urllib.parse import quote

from parley.kernel.errors import Conflict, InvalidRequest, NotFound, Unavailable


def back_up(database_url: str, target: Path) -> int:
    """Write a copy as of one moment into a new file; return its size in bytes.

    The file appears only when it is whole and on the disk. Raises `InvalidRequest` for PostgreSQL,
    `NotFound` without a database, `Conflict` when the file exists, `Unavailable` when reading or
    writing fails.
    """
    if not database_url.startswith("sqlite:///"):
        raise InvalidRequest(
            "PostgreSQL has its own means, which work while Parley runs: "
            "pg_dump --format=custom --file=FILE DATABASE."
        )
    source = Path(database_url.removeprefix("sqlite:///"))
    if not source.is_file():
        raise NotFound(f"There is no database {source}: give its folder with --data.")
    if target.exists():
        raise Conflict(f"{target} exists already: give the copy another name.")
    part = target.with_name(f".{target.name}.part")
    try:
        # What is in it is nobody else's business: sessions, and what happened in AWS.
        os.close(os.open(part, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600))
        _copy(source, part)
        _to_disk(part)
        part.rename(target)
        _to_disk(target.parent)
        return target.stat().st_size
    except (OSError, sqlite3.Error) as error:
        part.unlink(missing_ok=True)
        raise Unavailable(f"{target} cannot be written: {error}.") from error


def _copy(source: Path, target: Path) -> None:
    connection = sqlite3.connect(
        f"file:{quote(str(source))}?mode=ro", uri=True, isolation_level=None, timeout=30
    )
    try:
        connection.execute("VACUUM INTO ?", [str(target)])
    finally:
        connection.close()


def _to_disk(path: Path) -> None:
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
