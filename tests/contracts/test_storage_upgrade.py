"""What the first release wrote is read by this one, and a process of it may go on writing."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from parley.kernel.incoming import Destination, Person
from parley.kernel.messages import plain_title
from parley.kernel.ports.deliveries import Wanted
from parley.observe import SystemClock
from parley.storage import migrate as migrating
from parley.storage.configurations import StoredConfigurations
from parley.storage.database import Database, open_database
from parley.storage.deliveries import StoredDeliveries
from parley.storage.history import StoredHistory
from parley.storage.ids import Ids
from parley.storage.inbox import store
from parley.storage.migrate import REVISIONS, migrate, probe, revision
from parley.storage.outbox import StoredOutbox
from parley.storage.rooms import StoredRooms
from tests.arrivals import SLACK, alarm
from tests.databases import postgres_database

MINUTE = timedelta(minutes=1)
MESSAGE = '{"title":{"text":"TITLE","kind":"text"},"tone":"bad","state":"ALARM"}'
HEAD = (
    '{"key":"123456789012:eu-west-1:latency","state":"ALARM","count":1,"alarmed":true,'
    '"changed_at":"2026-05-04T12:00:00+00:00","first_at":"2026-05-04T12:00:00+00:00",'
    '"alarm_at":"2026-05-04T12:00:00+00:00","ended_at":null,"summary":"","replies":0}'
)

# As the first release wrote them: with its columns, letter for letter.
FIRST = """
INSERT INTO configurations (id, name, account, platform, channel, routing, created_at)
VALUES (1, 'ops', '123456789012', 'slack', 'C0123456789', '{}', 1);

INSERT INTO configuration_topics (configuration_id, topic)
VALUES (1, 'arn:aws:sns:eu-west-1:123456789012:alarms');

INSERT INTO destinations (id, platform, channel, due_at)
VALUES (10, 'slack', 'C0123456789', 1), (11, 'local', 'admin', NULL);

INSERT INTO rooms (name, last_seq, created_at) VALUES ('admin', 1, 1);

INSERT INTO room_messages (id, room, seq, author_id, author_name, text, created_at)
VALUES (50, 'admin', 1, 'ana', 'Ana', 'who is on call?', 1);

INSERT INTO room_changes (room, seq, kind, message_id) VALUES ('admin', 1, 'posted', 50);

INSERT INTO notices (cause, told_at) VALUES ('queue:x', 1)
"""
STEP = """
INSERT INTO events (id, received_at, source, kind, title, tone, raw)
VALUES ('EVENT', 1, 'aws.cloudwatch', 'alarm', 'TITLE', 'bad', '{}');

INSERT INTO heads (id, destination_id, thread_key, latest, state, message, handle, updated_at)
VALUES (ROW, 10, 'THREAD', TRUE, 'HEAD', 'MESSAGE', '', 1);

INSERT INTO outbox (id, event_id, destination_id, step, configuration, action, head_id,
                    message, state, due_at, created_at)
VALUES (ROW, 'EVENT', 10, 0, 'ops', 'post', ROW, 'MESSAGE', 'STATE', 1, 1)
"""


def step(row_id: int, title: str, state: str, thread: str = "") -> str:
    """Return what stores an event with its delivery."""
    values = {
        "ROW": str(row_id),
        "EVENT": f"sns:{title}",
        "THREAD": thread or title,
        "HEAD": HEAD,
        "MESSAGE": MESSAGE,
        "STATE": state,
        "TITLE": title,
    }
    text = STEP
    for name, value in values.items():
        text = re.sub(rf"(?<!\w){name}(?!\w)", value, text)
    return text


def run(database: Database, script: str) -> None:
    """Run statements as they stand."""

    def unit(connection: sa.Connection) -> None:
        for statement in script.split(";\n"):
            connection.exec_driver_sql(statement)

    database.run(unit)


@pytest.fixture(params=["sqlite", "postgresql"])
def first(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """Yield a database with the first release's schema and data."""

    def make(url: str) -> Iterator[Database]:
        database = open_database(url)

        def upgrade(connection: sa.Connection) -> None:
            config = Config()
            folder = Path(migrating.__file__).parent / "migrations"
            config.set_main_option("script_location", str(folder))
            config.attributes["connection"] = connection
            command.upgrade(config, REVISIONS[0])

        database.run(upgrade)
        run(database, FIRST)
        run(database, step(100, "latency", "pending", "123456789012:eu-west-1:latency"))
        run(database, step(101, "gone", "dead"))
        yield database
        database.close()

    if request.param == "sqlite":
        yield from make(f"sqlite:///{tmp_path}/first.db")
    else:
        with postgres_database(request.getfixturevalue("postgres_url")) as url:
            yield from make(url)


async def test_what_the_first_release_stored_is_read_by_this_one(first: Database) -> None:
    ids = Ids(SystemClock())
    assert first.run(revision) == REVISIONS[0]
    assert "this release needs" in first.run(probe)
    assert migrate(first) == REVISIONS[-1]
    assert first.run(probe) == ""

    [configuration] = await StoredConfigurations(first, ids).all()
    assert configuration.destination == Destination("slack", "C0123456789")
    assert configuration.topics == ("arn:aws:sns:eu-west-1:123456789012:alarms",)
    [room] = await StoredRooms(first, ids).list(Person("ben", "Ben"))
    assert (room.name, room.unread) == ("admin", 1)
    [said] = await StoredRooms(first, ids).history("admin", None, 10)
    assert said.text == "who is on call?"
    event = await StoredHistory(first).event("sns:latency")
    assert event
    assert [one.state for one in event.deliveries] == ["pending"]

    manage = StoredDeliveries(first)
    [dead] = await manage.list(Wanted("dead"))
    assert plain_title(dead.message) == "ALARM: gone"
    outbox = StoredOutbox(first, ids, MINUTE)
    [lease] = await outbox.claim("me", 10)
    [waiting] = await outbox.pending(lease, 10)
    assert (waiting.id, plain_title(waiting.message)) == (100, "ALARM: latency")
    assert await outbox.delivered(lease, waiting, "C0123456789:1.1", 1.0)
    assert await manage.replay([dead.id]) == [101]
    # The alarm goes on in its thread.
    first.run(lambda c: store(c, [alarm("OK", 5, SLACK)], ids, MINUTE))
    later = await outbox.pending(lease, 10)
    assert [str(one.action) for one in later if one.head_id == 100] == ["edit", "reply"]


async def test_the_release_before_goes_on_writing_beside_this_one(first: Database) -> None:
    migrate(first)
    run(first, step(102, "later", "pending"))
    outbox = StoredOutbox(first, Ids(SystemClock()), MINUTE)
    [lease] = await outbox.claim("me", 10)
    assert [one.id for one in await outbox.pending(lease, 10)] == [100, 102]
