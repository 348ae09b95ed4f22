"""What a worker may have sent before it ended is marked by whoever takes its channel over."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa

from parley.kernel.incoming import Destination
from parley.kernel.ports.inbox import Arrival
from parley.storage.database import Database
from parley.storage.deliveries import StoredDeliveries
from parley.storage.ids import Ids
from parley.storage.inbox import store
from parley.storage.outbox import StoredOutbox
from parley.storage.schema import outbox as rows
from tests.arrivals import OPS, SLACK, alarm, arrival, route, threaded

MINUTE = timedelta(minutes=1)
OVER = timedelta(seconds=-1)
"""A lease of this length is over as soon as it is taken: its worker died."""

Put = Callable[..., None]


@pytest.fixture
def put(database: Database, ids: Ids) -> Put:
    """Return what stores arrivals."""

    def put_all(*arrivals: Arrival) -> None:
        for one in arrivals:
            database.run(lambda c, one=one: store(c, [one], ids, MINUTE))  # type: ignore[misc]

    return put_all


@pytest.fixture
def dying(database: Database, ids: Ids) -> StoredOutbox:
    """Return the outbox as a worker has it that is killed after its next claim."""
    return StoredOutbox(database, ids, OVER)


@pytest.fixture
def next_one(database: Database, ids: Ids) -> StoredOutbox:
    """Return the outbox as the worker has it that comes afterwards."""
    return StoredOutbox(database, ids, MINUTE)


async def marked(outbox: StoredOutbox) -> list[str]:
    """Let a worker take the channel; return the titles of what may be doubled."""
    [lease] = await outbox.claim("next", 10)
    pending = await outbox.pending(lease, 100)
    return [one.message.title.text for one in pending if one.possible_duplicate]


def titled(*titles: str, to: Destination = SLACK) -> list[Arrival]:
    """Return messages of no thread."""
    return [arrival(route(to, title)) for title in titles]


async def test_the_first_that_waited_is_marked_and_no_other(
    put: Put, dying: StoredOutbox, next_one: StoredOutbox
) -> None:
    put(*titled("one", "two", "three"))
    await dying.claim("dying", 10)
    assert await marked(next_one) == ["one"]


async def test_what_was_marked_as_sent_is_not_in_doubt(
    put: Put, dying: StoredOutbox, next_one: StoredOutbox
) -> None:
    put(*titled("one", "two"))
    [lease] = await dying.claim("dying", 10)
    [first, _] = await dying.pending(lease, 10)
    assert await dying.delivered(lease, first, "C1:1.1", 1.0)
    assert await marked(next_one) == ["two"]


async def test_a_channel_that_was_given_back_holds_no_doubt(
    put: Put, dying: StoredOutbox, next_one: StoredOutbox
) -> None:
    put(*titled("one"))
    [lease] = await dying.claim("orderly", 10)
    await dying.release(lease)
    assert await marked(next_one) == []


async def test_a_channel_that_was_abandoned_is_free_at_once_and_in_doubt(
    put: Put, next_one: StoredOutbox
) -> None:
    put(*titled("one"))
    [lease] = await next_one.claim("stopping", 10)
    await next_one.abandon(lease)
    assert await marked(next_one) == ["one"]


async def test_the_server_that_starts_again_has_its_doubts(
    put: Put, next_one: StoredOutbox
) -> None:
    put(*titled("one"))
    [lease] = await next_one.claim("killed", 10)
    await next_one.forget_leases()
    assert await next_one.renew([lease]) == []
    assert await marked(next_one) == ["one"]


async def test_a_second_takeover_changes_nothing(
    put: Put, dying: StoredOutbox, next_one: StoredOutbox
) -> None:
    put(*titled("one", "two"))
    await dying.claim("dying", 10)
    await dying.claim("dying, too", 10)
    assert await marked(next_one) == ["one"]


async def test_the_web_chat_is_never_in_doubt(
    put: Put, dying: StoredOutbox, next_one: StoredOutbox
) -> None:
    put(*titled("one", to=OPS))
    await dying.claim("dying", 10)
    assert await marked(next_one) == []


async def test_an_edit_is_repeated_without_doubt(
    put: Put, dying: StoredOutbox, next_one: StoredOutbox, database: Database
) -> None:
    put(alarm("ALARM", 0, SLACK))
    [lease] = await next_one.claim("first", 10)
    for one in await next_one.pending(lease, 10):
        assert await next_one.delivered(lease, one, "C1:1.1", 1.0)
    await next_one.release(lease)
    put(alarm("OK", 1, SLACK))
    await dying.claim("dying", 10)
    assert await marked(next_one) == []
    edits = sa.select(rows.c.action).where(rows.c.state == "pending").order_by(rows.c.id)
    assert database.run(lambda c: c.execute(edits).scalars().first()) == "edit"


async def test_where_a_retry_may_have_been_passed_by_both_are_marked(
    put: Put, dying: StoredOutbox, next_one: StoredOutbox
) -> None:
    put(*titled("failed before", "one", "two"))
    [lease] = await next_one.claim("first", 10)
    [failed, *_] = await next_one.pending(lease, 10)
    assert await next_one.retry(lease, failed, "busy", timedelta())
    await next_one.release(lease)
    await dying.claim("dying", 10)
    assert await marked(next_one) == ["failed before", "one"]


async def test_of_several_retries_any_may_have_been_under_way(
    put: Put, dying: StoredOutbox, next_one: StoredOutbox
) -> None:
    put(*titled("one", "two", "three", "four"))
    [lease] = await next_one.claim("first", 10)
    first, second, *_ = await next_one.pending(lease, 10)
    assert await next_one.retry(lease, first, "busy", timedelta(milliseconds=300))
    assert await next_one.retry(lease, second, "busy", timedelta())
    await next_one.release(lease)
    [lease] = await dying.claim("dying", 10)
    under_way, *_ = await dying.pending(lease, 10)
    assert under_way.id == second.id  # the first waits for its time still
    await asyncio.sleep(0.35)
    assert await marked(next_one) == ["one", "two", "three"]


async def test_what_came_later_does_not_stand_in_for_what_was_under_way(
    put: Put, dying: StoredOutbox, next_one: StoredOutbox, database: Database
) -> None:
    put(*titled("given up", "under way", "behind it"))
    [lease] = await next_one.claim("first", 10)
    given_up, *_ = await next_one.pending(lease, 10)
    assert await next_one.bury(lease, given_up, "no")
    await next_one.release(lease)
    await dying.claim("dying", 10)
    await asyncio.sleep(0.01)
    assert await StoredDeliveries(database).replay([given_up.id])
    assert await marked(next_one) == ["given up", "under way"]


async def test_what_waits_for_its_thread_was_not_under_way(
    put: Put, dying: StoredOutbox, next_one: StoredOutbox
) -> None:
    put(threaded("deploy", "started", SLACK), threaded("deploy", "done", SLACK))
    put(*titled("alone"))
    [lease] = await dying.claim("dying", 10)
    first, *_ = await dying.pending(lease, 10)
    assert await dying.retry(lease, first, "busy", timedelta())
    assert await marked(next_one) == ["started", "alone"]


async def test_an_unanswered_call_leaves_a_doubt_that_stays(
    put: Put, next_one: StoredOutbox
) -> None:
    put(*titled("one", "two"))
    [lease] = await next_one.claim("first", 10)
    [first, second] = await next_one.pending(lease, 10)
    assert await next_one.retry(lease, first, "no answer", timedelta(), unanswered=True)
    assert await next_one.retry(lease, first, "busy", timedelta())
    assert await next_one.retry(lease, second, "busy", timedelta())
    await next_one.release(lease)
    assert await marked(next_one) == ["one"]


async def test_a_worker_does_not_take_its_own_channel_over(
    put: Put, dying: StoredOutbox, next_one: StoredOutbox
) -> None:
    put(*titled("one"))
    [lease] = await dying.claim("still at it", 10)
    mine = {lease.destination_id}
    assert await dying.claim("still at it", 10, mine) == []
    put(*titled("two", to=Destination("slack", "C2")))
    [other] = await dying.claim("still at it", 1, mine)
    assert other.destination.channel == "C2"
    assert len(await next_one.claim("next", 10)) == 2
