"""Each storage contract is held on both databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from parley.observe import SystemClock
from parley.storage.database import Database, open_database
from parley.storage.ids import Ids
from tests.databases import postgres_emptied, sqlite_copy


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of an empty database with this release's schema."""
    if request.param == "sqlite":
        return sqlite_copy(tmp_path)
    return postgres_emptied(request.getfixturevalue("postgres_url"))


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """Yield the database, open."""
    database = open_database(database_url)
    yield database
    database.close()


@pytest.fixture
def ids() -> Ids:
    """Return what makes ids."""
    return Ids(SystemClock())
