"""The admin room is told each cause once an hour, and once when it is well again."""

import asyncio

import pytest
import sqlalchemy as sa

from parley.kernel.message_json import from_json
from parley.storage.database import Database
from parley.storage.ids import Ids
from parley.storage.notices import StoredNotices
from parley.storage.schema import destinations, notices, outbox
from tests.arrivals import message

HOUR = 60 * 60 * 1000


@pytest.fixture
def told(database: Database, ids: Ids) -> StoredNotices:
    """Return the notices."""
    return StoredNotices(database, ids)


def posted(database: Database) -> list[str]:
    """Return the titles of what goes to the admin room, in order."""
    query = (
        sa.select(outbox.c.message)
        .join(destinations, destinations.c.id == outbox.c.destination_id)
        .where(destinations.c.platform == "local", destinations.c.channel == "admin")
        .where(destinations.c.due_at.is_not(None))
        .order_by(outbox.c.id)
    )
    rows = database.run(lambda c: c.execute(query).scalars().all())
    return [from_json(row).title.text for row in rows]


def pass_time(database: Database, milliseconds: int) -> None:
    """Make everything older."""
    older = sa.update(notices).values(told_at=notices.c.told_at - milliseconds)
    database.run(lambda c: c.execute(older))


async def test_a_cause_is_told_once_an_hour(database: Database, told: StoredNotices) -> None:
    assert await told.tell("slack", message("broken"))
    assert not await told.tell("slack", message("broken again"))
    assert await told.tell("other", message("something else"))
    pass_time(database, HOUR)
    assert await told.tell("slack", message("still broken"))
    assert posted(database) == ["broken", "something else", "still broken"]


async def test_many_who_see_the_same_tell_it_once(database: Database, told: StoredNotices) -> None:
    outcomes = await asyncio.gather(*(told.tell("slack", message("broken")) for _ in range(12)))
    assert outcomes.count(True) == 1
    assert posted(database) == ["broken"]


async def test_that_it_is_well_again_is_told_once_and_only_after_it_was_told(
    database: Database, told: StoredNotices
) -> None:
    assert not await told.well("slack", message("well"))
    await told.tell("slack", message("broken"))
    assert [await told.well("slack", message("well")) for _ in range(2)] == [True, False]
    assert posted(database) == ["broken", "well"]


async def test_what_breaks_again_is_told_again(database: Database, told: StoredNotices) -> None:
    await told.tell("slack", message("broken"))
    await told.well("slack", message("well"))
    assert await told.tell("slack", message("broken again"))
    assert posted(database) == ["broken", "well", "broken again"]


async def test_a_cause_may_be_any_text(database: Database, told: StoredNotices) -> None:
    for cause in ("\x00\ud83d", "é" * 100_000, "é" * 100_000 + "!"):
        assert await told.tell(cause, message("odd"))
        assert not await told.tell(cause, message("odd"))
        assert await told.well(cause, message("well"))
    assert len(posted(database)) == 6
