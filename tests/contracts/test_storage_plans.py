"""No query of the hot paths reads what history has left behind: the planner says so."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from parley.storage import digest_sql, inbox, outbox_sql, rows
from parley.storage.database import Database, open_database
from tests.databases import sqlite_copy

GROWING = ("outbox", "events", "heads", "room_messages", "room_changes")

LEASE = {"lease_destination": 1, "lease_owner": "me", "lease_epoch": 1}
HOT: dict[str, tuple[Any, dict[str, Any]]] = {
    "due": (outbox_sql.DUE, {"most": 10}),
    "pending": (outbox_sql.PENDING, {"destination": 1, "most": 10}),
    "pending digests": (outbox_sql.PENDING_OF_DIGESTS, {"destination": 1, "most": 10}),
    "crowd": (digest_sql.CROWD, {"destination": 1, "most": 10}),
    "waiting": (digest_sql.WAITING, {"destination": 1, "most": 10}),
    "weather": (digest_sql.WEATHER, {"destination": 1}),
    "next events": (digest_sql.NEXT_EVENTS, {"destination": 1, "most": 10}),
    "of events": (digest_sql.OF_EVENTS, {"destination": 1, "wanted": ["a", "b"]}),
    "collapse": (digest_sql.COLLAPSE_REPLIES, {"destination": 1}),
    "own": (digest_sql.OWN_LAST, {"own_event": "digest:1"}),
    "recent": (digest_sql.RECENT, {"digest": 1, "within_ms": 1, "most": 10}),
    "shown heads": (digest_sql.SHOWN_HEADS, {"digest": 1}),
    "owed": (digest_sql.OWED, {"destination": 1, "most": 10}),
    "leading": (digest_sql.LEADING, {"destination": 1}),
    "settling": (digest_sql.SETTLING, {"destination": 1}),
    "release": (outbox_sql.RELEASE, {"wait_ms": 0, **LEASE}),
    "sweep": (outbox_sql.SWEEP, {}),
    "backlog": (outbox_sql.BACKLOG, {}),
    "supersede": (outbox_sql.SUPERSEDE, {"wanted": [1], **LEASE}),
    "still pending": (outbox_sql.STILL_PENDING, {"wanted": [1, 2]}),
    "mark": (outbox_sql.MARK_SENT, {"delivery": 1, "given_handle": "h", "doubt": False}),
    "heads": (inbox._LATEST_HEADS, {"keys": ["a", "b"]}),  # noqa: SLF001 - the statement itself
    "planned": (inbox._PLANNED, {"events": ["a", "b"]}),  # noqa: SLF001 - as above
    "idle": (rows._IDLE, {"wanted": [1], "now": 1}),  # noqa: SLF001 - as above
}


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    folder: Path = tmp_path_factory.mktemp("plans")
    database = open_database(sqlite_copy(folder))
    yield database
    database.close()


def plan(database: Database, statement: Any, values: dict[str, Any]) -> list[str]:
    """Return SQLite's plan for a statement, letter for letter as the product prepares it."""
    seen: list[tuple[str, Any]] = []

    def run(connection: sa.Connection) -> list[str]:
        def see(*told: Any) -> None:
            seen.append((told[2], told[3]))

        sa.event.listen(connection, "before_cursor_execute", see)
        connection.execute(statement, values)
        sql, parameters = seen[0]
        found = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", parameters)
        return [str(row[-1]) for row in found]

    return database.run(run)


@pytest.mark.parametrize("name", HOT)
def test_no_hot_query_scans_a_table_that_grows(database: Database, name: str) -> None:
    statement, values = HOT[name]
    steps = plan(database, statement, values)
    assert steps
    for step in steps:
        words = step.split()
        scans = words[0] == "SCAN" and words[1] in {*GROWING, "earlier", "ahead"}
        assert not scans or "INDEX outbox_pending" in step, steps


def test_a_scan_would_be_seen(database: Database) -> None:
    statement = sa.text("SELECT id FROM heads WHERE latest = 1")
    assert plan(database, statement, {}) == ["SCAN heads"]
