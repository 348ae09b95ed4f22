"""Empty databases with this release's schema, each test's own: copies of one that was migrated."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from uuid import uuid4

import psycopg

from parley.storage.database import open_database
from parley.storage.migrate import migrate

_SHARED = "parley_shared"


@cache
def _sqlite_template() -> bytes:
    folder = Path(mkdtemp(prefix="parley-template-"))
    try:
        migrate_and_close(f"sqlite:///{folder / 'parley.db'}")
        return (folder / "parley.db").read_bytes()
    finally:
        shutil.rmtree(folder)


def migrate_and_close(url: str) -> None:
    """Bring a database to this release's schema."""
    database = open_database(url)
    try:
        migrate(database)
    finally:
        database.close()


def sqlite_copy(folder: Path, name: str = "parley.db") -> str:
    """Return the URL of a new SQLite database in a folder."""
    path = folder / name
    path.write_bytes(_sqlite_template())
    return f"sqlite:///{path}"


def named(server_url: str, name: str) -> str:
    """Return the URL of another database of the same server."""
    before, _, host = server_url.partition("?")
    return f"{before.rpartition('/')[0]}/{name}?{host}"


def execute(server_url: str, statement: str) -> None:
    """Run one statement on the server, outside of any transaction."""
    with psycopg.connect(server_url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(statement.encode())


@contextmanager
def postgres_database(server_url: str) -> Iterator[str]:
    """Yield the URL of a new database on the server without any table, gone afterwards."""
    name = f"parley_{uuid4().hex}"
    execute(server_url, f"CREATE DATABASE {name}")
    try:
        yield named(server_url, name)
    finally:
        execute(server_url, f"DROP DATABASE {name} WITH (FORCE)")


@cache
def _postgres_shared(server_url: str) -> str:
    execute(server_url, f"CREATE DATABASE {_SHARED}")
    url = named(server_url, _SHARED)
    migrate_and_close(url)
    return url


def postgres_emptied(server_url: str) -> str:
    """Return the URL of a database with this release's schema and no rows.

    The tests take turns with it: a database for each would cost half a second of fsync.
    """
    url = _postgres_shared(server_url)
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        tables = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
            " AND tablename <> 'alembic_version'"
        ).fetchall()
        connection.execute("; ".join(f"DELETE FROM {table}" for (table,) in tables).encode())  # noqa: S608 - our own tables
    return url
