"""The schema is made once, by one process at a time, and is the one that the code speaks of."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from parley.kernel.errors import Refused
from parley.storage.database import Database, open_database
from parley.storage.migrate import REVISIONS, migrate, probe, revision
from parley.storage.schema import metadata
from tests.databases import postgres_database

SCRIPT = """
import sys
from parley.storage.database import open_database
from parley.storage.migrate import migrate
database = open_database(sys.argv[1])
print(migrate(database), "alembic" in sys.modules)
database.close()
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Yield the URL of a database without any table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/new/parley.db"
        return
    with postgres_database(request.getfixturevalue("postgres_url")) as url:
        yield url


def test_a_new_database_gets_the_schema_and_the_next_start_imports_no_alembic(
    new_url: str,
) -> None:
    command = [sys.executable, "-c", SCRIPT, new_url]
    outputs = [subprocess.check_output(command, text=True) for _ in range(2)]
    assert outputs == [f"{REVISIONS[-1]} True\n", f"{REVISIONS[-1]} False\n"]


def test_processes_that_start_at_once_make_it_once(new_url: str) -> None:
    command = [sys.executable, "-c", SCRIPT, new_url]
    started = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    ended = [(one.communicate(timeout=60), one.returncode) for one in started]
    assert [status for _, status in ended] == [0, 0, 0], ended
    assert all(out.startswith(REVISIONS[-1]) for (out, _), _ in ended)


def test_a_database_of_a_newer_release_is_left_alone(database: Database) -> None:
    database.run(lambda c: c.execute(sa.text("UPDATE alembic_version SET version_num = '9999'")))
    try:
        with pytest.raises(Refused, match="schema 9999, which is newer"):
            migrate(database)
        assert database.run(revision) == "9999"
        assert database.run(probe) == ""  # who runs already works on: migrations only add
    finally:
        values = {"now": REVISIONS[-1]}
        database.run(
            lambda c: c.execute(sa.text("UPDATE alembic_version SET version_num = :now"), values)
        )
    assert database.run(probe) == ""


def test_a_database_without_our_tables_is_not_ready(new_url: str) -> None:
    database = open_database(new_url)
    assert "schema none" in database.run(probe)
    database.close()


def test_the_migrated_schema_is_the_one_that_the_code_speaks_of(database: Database) -> None:
    def ours(name: str | None, kind: str, _parents: object) -> bool:
        return not (kind == "table" and (name or "").startswith("room_search"))

    def default_differs(
        _context: object, _found: object, _wanted: object, found: str, _default: object, wanted: str
    ) -> bool | None:
        # Alembic does not recognise '' on SQLite; for all others it decides itself.
        return False if found == "('')" and not wanted else None

    def differences(connection: sa.Connection) -> object:
        context = MigrationContext.configure(
            connection,
            opts={
                "include_name": ours,
                "compare_type": True,
                "compare_server_default": default_differs,
            },
        )
        return compare_metadata(context, metadata)

    assert database.run(differences) == []
