"""Arrivals are stored once, with everything that has to be sent for them."""

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa

from parley.kernel.incoming import Destination
from parley.kernel.message_json import from_json
from parley.kernel.messages import plain_title
from parley.kernel.ports.inbox import Arrival
from parley.observe import SystemClock
from parley.storage.database import Database, open_database
from parley.storage.history import StoredHistory
from parley.storage.ids import Ids, last_id
from parley.storage.inbox import StoredInbox, store
from parley.storage.schema import destinations, events, heads, outbox
from tests.arrivals import NOON, OPS, SLACK, alarm, arrival, route, threaded
from tests.clock import SetClock

REOPEN = timedelta(minutes=10)


@pytest.fixture
def inbox(database: Database, ids: Ids) -> StoredInbox:
    """Return an inbox in which an alarm that comes back within ten minutes continues."""
    return StoredInbox(database, ids, REOPEN)


def stored(database: Database) -> int:
    """Return how many events are stored."""
    return database.run(
        lambda c: c.execute(sa.select(sa.func.count()).select_from(events)).scalar_one()
    )


def steps(database: Database, to: Destination = OPS) -> list[tuple[str, str]]:
    """Return what is to be done in a channel, in order: the action and the message in a line."""
    query = (
        sa.select(outbox.c.action, outbox.c.message)
        .join(destinations, destinations.c.id == outbox.c.destination_id)
        .where(destinations.c.platform == to.platform, destinations.c.channel == to.channel)
        .order_by(outbox.c.id)
    )
    rows = database.run(lambda c: c.execute(query).all())
    return [(row.action, plain_title(from_json(row.message))) for row in rows]


def one_batch(database: Database, ids: Ids, *arrivals: Arrival) -> list[bool]:
    """Store arrivals in one transaction, as the inbox does under load."""
    return list(database.run(lambda c: store(c, arrivals, ids, REOPEN)))


async def test_a_repetition_is_known_whatever_batch_it_comes_in(
    database: Database, ids: Ids, inbox: StoredInbox
) -> None:
    first = arrival(route(), event_id="sns:topic:1")
    assert one_batch(database, ids, first, first, arrival(route(), event_id="sns:topic:2")) == [
        True,
        False,
        True,
    ]
    assert await inbox.accept(first) is False
    together = await asyncio.gather(
        *(inbox.accept(arrival(route(), event_id="sns:topic:3")) for _ in range(20))
    )
    assert together.count(True) == 1
    assert stored(database) == 3
    assert len(steps(database)) == 3


async def test_the_same_message_through_two_topics_is_two_events(inbox: StoredInbox) -> None:
    assert await inbox.accept(arrival(route(), event_id="sns:arn:one:id"))
    assert await inbox.accept(arrival(route(), event_id="sns:arn:two:id"))


async def test_two_configurations_of_one_channel_give_one_message(
    database: Database, inbox: StoredInbox
) -> None:
    both = (route(configuration="first"), route(configuration="second"), route(SLACK))
    await inbox.accept(arrival(*both))
    assert len(steps(database, OPS)) == 1
    assert len(steps(database, SLACK)) == 1
    names = database.run(lambda c: c.execute(sa.select(outbox.c.configuration)).scalars().all())
    assert "first" in names
    assert "second" not in names


async def test_a_known_event_still_reaches_a_channel_that_it_is_new_to(
    database: Database, ids: Ids, inbox: StoredInbox
) -> None:
    # One configuration takes the topic over HTTP, the other takes it from a queue.
    by_http = arrival(route(OPS), event_id="sns:topic:1")
    by_queue = arrival(route(SLACK), event_id="sns:topic:1")
    assert await inbox.accept(by_http) is True
    assert await inbox.accept(by_queue) is False
    assert one_batch(database, ids, by_queue, by_http, by_queue) == [False] * 3
    assert len(steps(database, OPS)) == 1
    assert len(steps(database, SLACK)) == 1
    assert stored(database) == 1


async def test_an_event_that_goes_nowhere_is_stored_all_the_same(
    database: Database, inbox: StoredInbox
) -> None:
    assert await inbox.accept(arrival(event_id="sns:topic:silent"))
    assert await StoredHistory(database).event("sns:topic:silent") is not None
    assert steps(database) == []


EPISODE = [
    ("post", "ALARM: latency ALARM at 0"),
    ("edit", "OK: latency OK at 1"),
    ("reply", "OK: latency OK at 1"),
    ("edit", "ALARM: latency ALARM at 2"),
    ("reply", "ALARM: latency ALARM at 2"),
]


@pytest.mark.parametrize("batches", [(3,), (1, 2), (2, 1), (1, 1, 1)])
async def test_an_alarm_that_comes_back_soon_stays_one_message(
    database: Database, ids: Ids, batches: tuple[int, ...]
) -> None:
    changes = [alarm("ALARM", 0), alarm("OK", 1), alarm("ALARM", 2)]
    for size in batches:
        one_batch(database, ids, *changes[:size])
        del changes[:size]
    assert steps(database) == EPISODE
    rows = database.run(lambda c: c.execute(sa.select(heads.c.id, heads.c.latest)).all())
    posted = database.run(
        lambda c: c.execute(sa.select(outbox.c.id).where(outbox.c.action == "post")).scalars().all()
    )
    assert [(row.id, bool(row.latest)) for row in rows] == [(posted[0], True)]


@pytest.mark.parametrize("batches", [(3,), (1, 2), (2, 1), (1, 1, 1)])
async def test_an_alarm_that_comes_back_later_is_a_new_message(
    database: Database, ids: Ids, batches: tuple[int, ...]
) -> None:
    changes = [alarm("ALARM", 0), alarm("OK", 1), alarm("ALARM", 30)]
    for size in batches:
        one_batch(database, ids, *changes[:size])
        del changes[:size]
    assert steps(database) == [*EPISODE[:3], ("post", "ALARM: latency ALARM at 30")]
    newest = database.run(lambda c: c.execute(sa.select(heads.c.id).where(heads.c.latest)).all())
    posted = database.run(
        lambda c: (
            c.execute(sa.select(outbox.c.id).where(outbox.c.action == "post").order_by(outbox.c.id))
            .scalars()
            .all()
        )
    )
    assert [row.id for row in newest] == [posted[1]]
    assert database.run(
        lambda c: c.execute(sa.select(sa.func.count()).select_from(heads)).scalar_one()
    ) == len(posted)


async def test_a_thread_keeps_its_order_over_a_restart_with_a_clock_set_back(
    database: Database,
) -> None:
    clock = SetClock(NOON)
    changes = [alarm("ALARM", 0), alarm("OK", 1), alarm("ALARM", 2)]
    for change in changes:
        one_batch(database, Ids(clock, after=database.run(last_id)), change)
        clock.move(-timedelta(hours=1))
    assert steps(database) == EPISODE


async def test_threads_of_one_batch_do_not_meet(database: Database, ids: Ids) -> None:
    one_batch(
        database,
        ids,
        alarm("ALARM", 0, name="latency"),
        alarm("ALARM", 0, name="errors"),
        alarm("ALARM", 0, to=SLACK, name="latency"),
        threaded("deploy", "started"),
        alarm("OK", 1, name="errors"),
        threaded("deploy", "finished"),
        alarm("OK", 1, name="latency"),
    )
    assert steps(database) == [
        ("post", "ALARM: latency ALARM at 0"),
        ("post", "ALARM: errors ALARM at 0"),
        ("post", "started"),
        ("edit", "OK: errors OK at 1"),
        ("reply", "OK: errors OK at 1"),
        ("reply", "finished"),
        ("edit", "OK: latency OK at 1"),
        ("reply", "OK: latency OK at 1"),
    ]
    assert steps(database, SLACK) == [("post", "ALARM: latency ALARM at 0")]


def test_processes_that_share_a_database_agree_on_the_head(
    database_url: str, database: Database
) -> None:
    """Two inboxes, as of two processes, take the changes of the same alarms at the same time."""

    async def take(minutes: list[int]) -> None:
        own = open_database(database_url)
        inbox = StoredInbox(own, Ids(SystemClock()), REOPEN)
        try:
            for minute in minutes:
                names = [f"alarm-{number}" for number in range(5)]
                names = names if minute % 2 else names[::-1]
                await asyncio.gather(
                    *(inbox.accept(alarm("ALARM", minute, name=name)) for name in names)
                )
        finally:
            await asyncio.to_thread(own.close)

    async def both() -> None:
        await asyncio.gather(take([0, 1, 2]), take([3, 4, 5]))

    asyncio.run(both())
    count = sa.select(sa.func.count()).select_from(outbox).where(outbox.c.action == "post")
    assert database.run(lambda c: c.execute(count).scalar_one()) == 5
    latest = sa.select(sa.func.count()).select_from(heads).where(heads.c.latest)
    assert database.run(lambda c: c.execute(latest).scalar_one()) == 5


async def test_a_record_that_cannot_be_stored_fails_alone(
    database: Database, inbox: StoredInbox
) -> None:
    """Its neighbours of the same batch are stored: nobody loses a message by somebody else's."""
    # No configuration is called so; each database has one of these two that it does not take.
    poison = arrival(route(configuration="\x00\ud83d"), event_id="sns:topic:poison")
    good = [arrival(route(), event_id=f"sns:topic:{number}") for number in range(10)]
    results = await asyncio.gather(
        *(inbox.accept(one) for one in [*good[:5], poison, *good[5:]]), return_exceptions=True
    )
    assert [one for one in results if one is True] == [True] * 10
    assert len([one for one in results if isinstance(one, Exception)]) == 1
    assert stored(database) == 10


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param("half of an emoji: \ud83d", id="lone surrogate"),
        pytest.param("nothing: \x00.", id="NUL"),
        pytest.param("ü" * 250_000, id="as long as SNS allows"),
    ],
)
async def test_odd_text_is_stored(database: Database, inbox: StoredInbox, raw: str) -> None:
    odd = arrival(
        route(title=raw[:300], thread=None), event_id=f"sns:topic:{raw[:40]}", raw=raw, title=raw
    )
    assert await inbox.accept(odd)
    assert await inbox.accept(odd) is False
    event = await StoredHistory(database).event(odd.event_id)
    assert event is not None
    assert len(event.raw) == len(raw)
    assert len(event.deliveries) == 1


async def test_names_of_any_length_are_kept_apart(database: Database, inbox: StoredInbox) -> None:
    """An index takes no key beyond a few thousand bytes, and senders choose these."""
    names = ["é" * 100_000 + end for end in ("a", "b")]
    for name in names:
        assert await inbox.accept(arrival(*threaded(name, "started").routes, event_id=f"eb:{name}"))
        assert not await inbox.accept(arrival(route(), event_id=f"eb:{name}"))
        assert await inbox.accept(threaded(name, "finished"))
        event = await StoredHistory(database).event(f"eb:{name}")
        assert event is not None
        assert [one.action for one in event.deliveries] == ["post"]
    assert [action for action, _ in steps(database)] == ["post", "reply", "post", "reply"]


async def test_a_busy_channel_is_left_alone_and_an_idle_one_is_woken(
    database: Database, inbox: StoredInbox
) -> None:
    query = sa.select(
        destinations.c.due_at, destinations.c.owner, destinations.c.epoch, destinations.c.tokens
    )

    def row() -> tuple[object, ...]:
        return tuple(database.run(lambda c: c.execute(query).one()))

    await inbox.accept(arrival(route()))
    woken = row()
    assert woken[0] is not None
    database.run(lambda c: c.execute(sa.update(destinations).values(owner="w", epoch=7, due_at=5)))
    await inbox.accept(arrival(route()))
    assert row() == (5, "w", 7, woken[3])
