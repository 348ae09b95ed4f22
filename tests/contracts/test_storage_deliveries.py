"""Dead letters are found page by page, and begin anew when somebody asks for it."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from parley.kernel.errors import Conflict, InvalidRequest, NotFound
from parley.kernel.messages import plain_title
from parley.kernel.ports.deliveries import Wanted
from parley.kernel.ports.outbox import Delivery
from parley.storage.database import Database
from parley.storage.deliveries import StoredDeliveries
from parley.storage.history import StoredHistory
from parley.storage.ids import Ids
from parley.storage.inbox import store
from parley.storage.outbox import StoredOutbox
from parley.storage.schema import outbox as rows
from parley.usecases.deliveries import ManageDeliveries
from tests.arrivals import SLACK, arrival, route
from tests.clock import SetClock

MINUTE = timedelta(minutes=1)
NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


@pytest.fixture
def manage(database: Database) -> ManageDeliveries:
    """Return the use case on a real database."""
    return ManageDeliveries(StoredDeliveries(database), StoredHistory(database), SetClock(NOW))


async def bury(database: Database, ids: Ids, *titles: str, of: str = "ops") -> list[int]:
    """Accept messages and give each of them up; return their ids."""
    for title in titles:
        one = arrival(route(SLACK, title, configuration=of))
        database.run(lambda c, one=one: store(c, [one], ids, MINUTE))  # type: ignore[misc]
    outbox = StoredOutbox(database, ids, MINUTE)
    [lease] = await outbox.claim("worker", 1)
    found = await outbox.pending(lease, 100)
    for delivery in found:
        assert await outbox.bury(lease, delivery, "the channel is archived")
    await outbox.release(lease)
    return [one.id for one in found]


async def waiting(database: Database, ids: Ids) -> list[Delivery]:
    """Return what a worker finds to be sent."""
    outbox = StoredOutbox(database, ids, MINUTE)
    leases = await outbox.claim("next", 1)
    return [one for lease in leases for one in await outbox.pending(lease, 100)]


async def test_dead_letters_are_listed_newest_first_page_by_page(
    database: Database, ids: Ids, manage: ManageDeliveries
) -> None:
    await bury(database, ids, "one", "two", "three")
    first = await manage.list(Wanted("dead", limit=2))
    assert [plain_title(one.message) for one in first] == ["three", "two"]
    assert {(one.error, one.attempts, one.state) for one in first} == {
        ("the channel is archived", 1, "dead")
    }
    [last] = await manage.list(Wanted("dead", limit=2, before=first[-1].id))
    assert plain_title(last.message) == "one"
    assert await manage.list(Wanted("dead", before=last.id)) == []
    tally = await manage.tally()
    assert (tally.pending, tally.dead) == (0, 3)


async def test_filters_say_which(database: Database, ids: Ids, manage: ManageDeliveries) -> None:
    await bury(database, ids, "one")
    await bury(database, ids, "other", of="dev")
    [found] = await manage.list(Wanted("dead", configuration="dev"))
    assert plain_title(found.message) == "other"
    assert len(await manage.list(Wanted())) == 2
    assert await manage.list(Wanted("sent")) == []
    for state in ("dead", ""):
        assert len(await manage.list(Wanted(state, since=datetime.now(UTC) - MINUTE))) == 2
        assert await manage.list(Wanted(state, since=datetime.now(UTC) + 20 * MINUTE)) == []
    with pytest.raises(InvalidRequest, match="no state"):
        await manage.list(Wanted("lost"))


async def test_a_replayed_letter_is_as_if_it_had_just_been_accepted(
    database: Database, ids: Ids, manage: ManageDeliveries
) -> None:
    first, second = await bury(database, ids, "one", "two")
    long_ago = sa.update(rows).values(created_at=rows.c.created_at - 3 * 86_400_000)
    database.run(lambda c: c.execute(long_ago))
    assert await waiting(database, ids) == []
    assert await manage.replay([first, 1]) == [first]
    [found] = await waiting(database, ids)
    assert (found.id, found.attempts) == (first, 0)
    assert found.age < MINUTE
    assert [one.id for one in await manage.list(Wanted("dead"))] == [second]
    shown, event = await manage.show(first)
    assert (shown.state, shown.error, shown.done_at) == ("pending", "", None)
    assert event
    assert event.id == shown.event_id


async def test_all_dead_letters_of_a_configuration_are_replayed(
    database: Database, ids: Ids, manage: ManageDeliveries
) -> None:
    await bury(database, ids, "one", "two")
    [other] = await bury(database, ids, "three", of="dev")
    assert await manage.replay_all("ops") == 2
    assert [one.id for one in await manage.list(Wanted("dead"))] == [other]
    assert await manage.replay_all() == 1
    assert await manage.replay_all() == 0
    assert len(await waiting(database, ids)) == 3


async def test_only_dead_letters_are_sent_again(
    database: Database, ids: Ids, manage: ManageDeliveries
) -> None:
    [dead] = await bury(database, ids, "one")
    await manage.replay([dead])
    with pytest.raises(Conflict, match="is pending"):
        await manage.replay([dead])
    with pytest.raises(NotFound):
        await manage.replay([17])
    with pytest.raises(InvalidRequest):
        await manage.replay([])


@pytest.mark.parametrize(
    "text, expected",
    [
        ("90m", NOW - timedelta(minutes=90)),
        (" 3d ", NOW - timedelta(days=3)),
        ("2026-05-01", datetime(2026, 5, 1, tzinfo=UTC)),
        ("2026-05-01T10:00+02:00", datetime(2026, 5, 1, 8, tzinfo=UTC)),
    ],
)
def test_times_are_read_as_people_write_them(text: str, expected: datetime) -> None:
    manage = ManageDeliveries(None, None, SetClock(NOW))  # type: ignore[arg-type]
    assert manage.since(text) == expected


@pytest.mark.parametrize("text", ["", "yesterday", "3 apples", "99999999d", "2026-13-01"])
def test_other_times_are_refused_with_an_example(text: str) -> None:
    manage = ManageDeliveries(None, None, SetClock(NOW))  # type: ignore[arg-type]
    with pytest.raises(InvalidRequest, match="write 90m"):
        manage.since(text)
