"""A formatter that fails loses nothing: the event is shown, the admin room hears of it once."""

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

import orjson
import pytest

from parley.events.envelope import event_from_sqs
from parley.events.formatters import FORMATTERS, Formatted, Formatter, format_event
from parley.events.model import Event, Notification
from parley.kernel.configuration import Configuration
from parley.kernel.incoming import Destination
from parley.kernel.messages import plain_title
from parley.kernel.ports.outbox import Lease
from parley.observe import Metrics, SystemClock
from parley.storage.database import Database, open_database
from parley.storage.ids import Ids
from parley.storage.inbox import StoredInbox
from parley.storage.notices import StoredNotices
from parley.storage.outbox import StoredOutbox
from parley.storage.rooms import StoredRooms
from parley.usecases.notify import Notify
from tests.databases import sqlite_copy

OPS = Configuration("ops", "123456789012", Destination("local", "ops"))
EVENT = {
    "version": "0",
    "id": "one",
    "detail-type": "EC2 Instance State-change Notification",
    "source": "aws.ec2",
    "account": "123456789012",
    "time": "2026-11-20T08:00:00Z",
    "region": "eu-west-1",
    "resources": [],
    "detail": {"instance-id": "i-0123", "state": "stopped"},
}


class Switch:
    """A table of formatters whose first fails while it is on."""

    def __init__(self) -> None:
        self.broken = True

    def __call__(self, event: Event) -> Formatted:
        own = Formatter("ec2", lambda _: self.broken, self._fail)
        return format_event(event, (own, *FORMATTERS))

    def _fail(self, event: Event) -> Notification:
        raise KeyError(event.detail["detail"]["state"])


@pytest.fixture
def database(tmp_path: Path) -> Iterable[Database]:
    database = open_database(sqlite_copy(tmp_path))
    yield database
    database.close()


async def shown(database: Database, ids: Ids, room: str) -> list[str]:
    """Deliver what waits for the rooms; return the titles in one."""
    outbox, rooms = StoredOutbox(database, ids, timedelta(minutes=1)), StoredRooms(database, ids)
    leases: Iterable[Lease] = await outbox.claim("me", 10)
    for lease in leases:
        await outbox.shown(lease, await outbox.pending(lease, 100))
        await outbox.release(lease)
    history = await rooms.history(room, None, 100)
    return [plain_title(one.message) for one in history if one.message]


async def test_the_event_is_shown_and_the_failure_told_once_and_again_when_it_is_well(
    database: Database,
) -> None:
    clock, metrics, switch = SystemClock(), Metrics(), Switch()
    ids = Ids(clock)
    inbox = StoredInbox(database, ids, timedelta(minutes=10))
    notices = StoredNotices(database, ids)
    notify = Notify(inbox, notices, metrics, clock, lambda _: None, switch)

    async def arrive(number: int) -> None:
        body = orjson.dumps(EVENT | {"id": str(number)}).decode()
        assert await notify(event_from_sqs("queue", str(number), body), [OPS])

    await arrive(1)
    await arrive(2)
    assert len(await shown(database, ids, "ops")) == 2
    assert all("i-0123" in title for title in await shown(database, ids, "ops"))
    assert await shown(database, ids, "admin") == ["DEGRADED: A formatter failed"]
    counted = 'parley_formatter_failures_total{formatter="ec2"} 2.0'
    assert counted in metrics.render().decode()

    switch.broken = False
    await arrive(3)
    await arrive(4)
    assert await shown(database, ids, "admin") == [
        "DEGRADED: A formatter failed",
        "OK: Events of aws.ec2 are formatted by their own formatter again",
    ]
