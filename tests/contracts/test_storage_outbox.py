"""Deliveries wait in order, and only who holds a channel's lease changes anything."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest
import sqlalchemy as sa

from parley.kernel.incoming import Destination, Person
from parley.kernel.messages import plain_title
from parley.kernel.ports.inbox import Arrival
from parley.kernel.ports.outbox import Delivery, Lease
from parley.storage.clock import now_ms
from parley.storage.database import Database
from parley.storage.ids import Ids
from parley.storage.inbox import store
from parley.storage.outbox import StoredOutbox
from parley.storage.rooms import StoredRooms
from parley.storage.schema import destinations, outbox
from tests.arrivals import OPS, SLACK, alarm, arrival, route, threaded

MINUTE = timedelta(minutes=1)
NEVER = timedelta(seconds=-1)
"""A lease of this length is over as soon as it is taken."""


@pytest.fixture
def waiting(database: Database, ids: Ids) -> StoredOutbox:
    """Return the outbox."""
    return StoredOutbox(database, ids, MINUTE)


def put(database: Database, ids: Ids, *arrivals: Arrival) -> None:
    """Store what arrived, one transaction each."""
    for one in arrivals:
        database.run(lambda c, one=one: store(c, [one], ids, timedelta(minutes=10)))  # type: ignore[misc]


async def lease(waiting: StoredOutbox, owner: str = "me") -> Lease:
    """Lease the one channel that is due."""
    [one] = await waiting.claim(owner, 10)
    return one


def lines(deliveries: Sequence[Delivery]) -> list[str]:
    """Return deliveries as `action title`."""
    return [f"{one.action} {one.message.title.text}" for one in deliveries]


def states(database: Database) -> list[tuple[str, str]]:
    """Return the action and the state of every delivery, in order."""
    query = sa.select(outbox.c.action, outbox.c.state).order_by(outbox.c.id)
    return [(row.action, row.state) for row in database.run(lambda c: c.execute(query).all())]


def due_in(database: Database, to: Destination = SLACK) -> float | None:
    """Return in how many seconds the channel is due, none if never."""
    query = sa.select((destinations.c.due_at - now_ms()) / 1000.0).where(
        destinations.c.channel == to.channel
    )
    found = database.run(lambda c: c.execute(query).scalar())
    return None if found is None else float(found)


async def test_the_longest_waiting_channels_are_leased_first_and_only_once(
    database: Database, ids: Ids, waiting: StoredOutbox
) -> None:
    channels = [Destination("slack", f"C{number}") for number in range(5)]
    for channel in channels:
        put(database, ids, arrival(route(channel)))
        await asyncio.sleep(0.002)
    first, second = await waiting.claim("a", 3), await waiting.claim("b", 3)
    assert {one.destination for one in first} == set(channels[:3])
    assert {one.destination for one in second} == set(channels[3:])
    assert await waiting.claim("c", 3) == []
    assert {(one.tokens, one.rested) for one in first} == {(-1.0, -1.0)}


async def test_workers_that_claim_at_once_share_the_channels(
    database: Database, ids: Ids, waiting: StoredOutbox
) -> None:
    put(database, ids, *(arrival(route(Destination("slack", f"C{one}"))) for one in range(20)))
    claims = await asyncio.gather(*(waiting.claim(f"worker-{one}", 4) for one in range(8)))
    leased = [lease.destination_id for leases in claims for lease in leases]
    leased += [lease.destination_id for lease in await waiting.claim("last", 20)]
    assert sorted(leased) == sorted(set(leased))
    assert len(leased) == 20


async def test_a_worker_that_was_paused_beyond_its_lease_changes_nothing(
    database: Database, ids: Ids
) -> None:
    put(
        database, ids, arrival(route(SLACK, "one")), alarm("ALARM", 0, SLACK), alarm("OK", 1, SLACK)
    )
    paused, other = StoredOutbox(database, ids, NEVER), StoredOutbox(database, ids, MINUTE)
    old = await lease(paused, "paused")
    [one, *_] = await paused.pending(old, 10)
    new = await lease(other, "other")
    assert new.epoch == old.epoch + 1
    before = states(database)

    assert await paused.renew([old]) == []
    assert await paused.delivered(old, one, "handle", 0.0) is False
    assert await paused.retry(old, one, "late", MINUTE) is False
    assert await paused.bury(old, one, "late") is False
    assert await paused.shown(old, [one]) is False
    await paused.release(old, MINUTE)
    assert states(database) == before
    assert list(await other.renew([new])) == [new]
    assert await other.delivered(new, one, "handle", 0.0) is True


async def test_a_paused_worker_closes_no_edits(database: Database, ids: Ids) -> None:
    put(database, ids, alarm("ALARM", 0, SLACK), alarm("OK", 1, SLACK))
    paused = StoredOutbox(database, ids, NEVER)
    old = await lease(paused, "paused")
    await lease(StoredOutbox(database, ids, MINUTE), "other")
    put(database, ids, alarm("ALARM", 2, SLACK))
    await paused.pending(old, 10)
    assert {state for _, state in states(database)} == {"pending"}


async def test_the_same_name_in_a_new_life_does_not_hold_the_old_lease(
    database: Database, ids: Ids
) -> None:
    put(database, ids, arrival(route(SLACK)))
    old = await lease(StoredOutbox(database, ids, NEVER), "me")
    new = await lease(StoredOutbox(database, ids, MINUTE), "me")
    both = StoredOutbox(database, ids, MINUTE)
    assert list(await both.renew([old, new])) == [new]


async def test_a_renewed_lease_lasts(database: Database, ids: Ids, waiting: StoredOutbox) -> None:
    put(database, ids, arrival(route(SLACK)))
    old = await lease(StoredOutbox(database, ids, NEVER), "me")
    assert list(await waiting.renew([old])) == [old]
    assert await waiting.claim("other", 10) == []


async def test_messages_are_sent_in_the_order_in_which_they_came(
    database: Database, ids: Ids, waiting: StoredOutbox
) -> None:
    put(database, ids, *(arrival(route(SLACK, str(number))) for number in range(7)))
    own = await lease(waiting)
    assert lines(await waiting.pending(own, 3)) == ["post 0", "post 1", "post 2"]


async def test_a_retry_holds_up_its_own_thread_and_no_other(
    database: Database, ids: Ids, waiting: StoredOutbox
) -> None:
    put(
        database,
        ids,
        threaded("deploy", "started", SLACK),
        threaded("deploy", "half way", SLACK),
        threaded("backup", "started too", SLACK),
        arrival(route(SLACK, "alone")),
    )
    own = await lease(waiting)
    started = (await waiting.pending(own, 10))[0]
    assert await waiting.retry(own, started, "no answer", MINUTE)
    assert lines(await waiting.pending(own, 10)) == ["post started too", "post alone"]
    put(database, ids, threaded("deploy", "done", SLACK))
    assert lines(await waiting.pending(own, 10)) == ["post started too", "post alone"]


async def test_the_channel_sleeps_while_all_that_is_left_waits_for_a_retry(
    database: Database, ids: Ids, waiting: StoredOutbox
) -> None:
    """Replies that have long been due behind a head that waits must not keep a worker spinning."""
    put(database, ids, threaded("deploy", "started", SLACK), threaded("deploy", "done", SLACK))
    own = await lease(waiting)
    [started, _] = await waiting.pending(own, 10)
    await waiting.retry(own, started, "no answer", MINUTE)
    await waiting.release(own)
    assert await waiting.claim("me", 10) == []
    assert due_in(database) == pytest.approx(60, abs=5)


async def test_what_arrives_meanwhile_does_not_wait_for_the_retry_of_another_thread(
    database: Database, ids: Ids, waiting: StoredOutbox
) -> None:
    put(database, ids, threaded("deploy", "started", SLACK))
    own = await lease(waiting)
    [started] = await waiting.pending(own, 10)
    await waiting.retry(own, started, "no answer", MINUTE)
    await waiting.release(own)
    put(database, ids, arrival(route(SLACK, "news")))
    again = await lease(waiting)
    assert lines(await waiting.pending(again, 10)) == ["post news"]


async def test_what_arrives_meanwhile_waits_until_the_channel_may_be_written_to(
    database: Database, ids: Ids, waiting: StoredOutbox
) -> None:
    put(database, ids, arrival(route(SLACK, "one")))
    own = await lease(waiting)
    await waiting.release(own, MINUTE)
    put(database, ids, arrival(route(SLACK, "two")))
    await waiting.sweep()
    assert await waiting.claim("me", 10) == []
    assert due_in(database) == pytest.approx(60, abs=5)


async def test_an_emptied_channel_keeps_to_what_it_was_asked(
    database: Database, ids: Ids, waiting: StoredOutbox
) -> None:
    put(database, ids, arrival(route(SLACK, "one")))
    own = await lease(waiting)
    [one] = await waiting.pending(own, 10)
    await waiting.bury(own, one, "gone")
    await waiting.release(own, MINUTE)
    assert due_in(database) is None
    put(database, ids, arrival(route(SLACK, "two")))
    assert await waiting.claim("me", 10) == []


async def test_of_several_edits_only_the_last_is_sent(
    database: Database, ids: Ids, waiting: StoredOutbox
) -> None:
    put(database, ids, alarm("ALARM", 0, SLACK), alarm("OK", 1, SLACK), alarm("ALARM", 2, SLACK))
    own = await lease(waiting)
    assert lines(await waiting.pending(own, 10)) == [
        "post latency ALARM at 0",
        "reply latency OK at 1",
        "edit latency ALARM at 2",
        "reply latency ALARM at 2",
    ]
    assert states(database)[1] == ("edit", "superseded")


async def test_the_head_is_known_to_what_follows_it(
    database: Database, ids: Ids, waiting: StoredOutbox
) -> None:
    put(database, ids, alarm("ALARM", 0, SLACK), alarm("OK", 1, SLACK))
    own = await lease(waiting)
    [head, edit, reply] = await waiting.pending(own, 10)
    assert (head.head_handle, edit.head_handle, reply.head_handle) == ("", "", "")
    await waiting.delivered(own, head, "C:1", 2.0)
    assert {one.head_handle for one in await waiting.pending(own, 10)} == {"C:1"}
    assert [one.head_id for one in (edit, reply)] == [head.id, head.id]


async def test_a_dead_head_lets_its_thread_go_on_and_the_next_message_takes_its_place(
    database: Database, ids: Ids, waiting: StoredOutbox
) -> None:
    put(
        database,
        ids,
        *(threaded("deploy", title, SLACK) for title in ("started", "half way", "done")),
    )
    own = await lease(waiting)
    [head, half, _] = await waiting.pending(own, 10)
    assert await waiting.bury(own, head, "too long")
    assert lines(await waiting.pending(own, 10)) == ["reply half way", "reply done"]
    await waiting.delivered(own, half, "C:2", 0.0)
    [done] = await waiting.pending(own, 10)
    assert done.head_handle == "C:2"
    assert states(database) == [("post", "dead"), ("reply", "sent"), ("reply", "pending")]


async def test_attempts_and_the_last_error_are_kept(
    database: Database, ids: Ids, waiting: StoredOutbox
) -> None:
    put(database, ids, arrival(route(SLACK)))
    own = await lease(waiting)
    for number, error in enumerate(["first", "second \x00\ud83d"], 1):
        [one] = await waiting.pending(own, 10)
        assert one.attempts == number - 1
        assert await waiting.retry(own, one, error, timedelta())
    row = database.run(lambda c: c.execute(sa.select(outbox)).one())
    assert row.attempts == 2
    assert row.error.startswith("second ")


async def test_pace_is_handed_on_with_the_lease(
    database: Database, ids: Ids, waiting: StoredOutbox
) -> None:
    put(database, ids, arrival(route(SLACK)), arrival(route(SLACK)))
    own = await lease(waiting)
    [one, _] = await waiting.pending(own, 10)
    await waiting.delivered(own, one, "C:1", 1.5)
    await waiting.release(own)
    again = await lease(waiting)
    assert again.tokens == 1.5
    assert 0 <= again.rested < 5


async def test_an_empty_channel_is_not_due(
    database: Database, ids: Ids, waiting: StoredOutbox
) -> None:
    put(database, ids, arrival(route(SLACK)))
    own = await lease(waiting)
    [one] = await waiting.pending(own, 10)
    await waiting.delivered(own, one, "C:1", 1.0)
    await waiting.release(own)
    assert due_in(database) is None
    assert await waiting.backlog() == 0


@pytest.mark.parametrize("stranded_at", [None, 10**15])
async def test_the_sweep_finds_what_was_stranded(
    database: Database, ids: Ids, waiting: StoredOutbox, stranded_at: int | None
) -> None:
    put(database, ids, arrival(route(SLACK)), arrival(route(OPS)))
    values = {"due_at": stranded_at}
    slack = destinations.c.platform == "slack"
    database.run(lambda c: c.execute(sa.update(destinations).where(slack).values(values)))
    assert await waiting.sweep() == 1
    assert await waiting.sweep() == 0
    assert len(await waiting.claim("me", 10)) == 2


async def test_where_one_process_owns_the_database_its_next_life_goes_on_at_once(
    database: Database, ids: Ids, waiting: StoredOutbox
) -> None:
    put(database, ids, arrival(route(SLACK)))
    killed = await lease(waiting, "killed")
    await waiting.forget_leases()
    [own] = await waiting.claim("next", 10)
    assert own.epoch > killed.epoch
    assert list(await waiting.renew([killed])) == []


async def test_a_room_shows_a_message_exactly_once_however_many_believe_to_hold_it(
    database: Database, ids: Ids
) -> None:
    put(database, ids, *(arrival(route(OPS, str(number))) for number in range(20)))
    paused, other = StoredOutbox(database, ids, NEVER), StoredOutbox(database, ids, MINUTE)
    old = await lease(paused, "paused")
    mine = await paused.pending(old, 5)
    new = await lease(other, "other")
    theirs = await other.pending(new, 20)
    outcomes = await asyncio.gather(
        *(paused.shown(old, mine) for _ in range(3)), other.shown(new, theirs)
    )
    assert outcomes == [False, False, False, True]
    rooms = StoredRooms(database, ids)
    history = await rooms.history("ops", None, 100)
    assert [plain_title(one.message) for one in history if one.message] == [
        str(number) for number in range(20)
    ]
    [room] = await rooms.list(Person("ana", "ana"))
    assert room.last_seq == 20


async def test_a_room_shows_an_episode_as_one_message_with_its_thread(
    database: Database, ids: Ids, waiting: StoredOutbox
) -> None:
    rooms = StoredRooms(database, ids)
    for change in (alarm("ALARM", 0), alarm("OK", 1), alarm("ALARM", 2)):
        put(database, ids, change)
        own = await lease(waiting)
        assert await waiting.shown(own, await waiting.pending(own, 10))
        await waiting.release(own)
    [head] = await rooms.history("ops", None, 10)
    assert head.message is not None
    assert plain_title(head.message) == "ALARM: latency ALARM at 2"
    assert head.message.note == "2nd time in 2 min"
    assert head.replies == 2
    thread = await rooms.thread(head.id)
    assert [plain_title(one.message) for one in thread[1:] if one.message] == [
        "OK: latency OK at 1",
        "ALARM: latency ALARM at 2",
    ]
    changes = await rooms.changes("ops", 0, 100)
    assert [(one.seq, one.kind) for one in changes] == [
        (1, "posted"),
        (2, "edited"),
        (3, "posted"),
        (4, "edited"),
        (5, "posted"),
    ]


async def test_what_was_never_tried_does_not_wait_for_a_clock_that_was_set_back(
    database: Database, ids: Ids, waiting: StoredOutbox
) -> None:
    put(database, ids, arrival(route(SLACK, "one")), arrival(route(SLACK, "two")))
    ahead = 40 * 60 * 1000
    for table in (outbox, destinations):
        later = sa.update(table).values(due_at=table.c.due_at + ahead)
        database.run(lambda c, later=later: c.execute(later))  # type: ignore[misc]
    assert await waiting.sweep() == 1
    taken = await lease(waiting)
    assert lines(await waiting.pending(taken, 10)) == ["post one", "post two"]
    await waiting.release(taken)
    assert due_in(database) == pytest.approx(0, abs=5)
