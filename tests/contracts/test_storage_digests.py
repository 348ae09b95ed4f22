"""A storm in a channel becomes one digest: what it takes in, says and leaves behind."""

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from parley.events.digests import Digest
from parley.storage.database import Database
from parley.storage.digest_pages import StoredDigestPages
from parley.storage.history import StoredHistory
from parley.storage.ids import Ids
from parley.storage.outbox import StoredOutbox
from parley.storage.schema import destinations, digests, outbox
from tests.arrivals import SLACK, arrival, route, threaded
from tests.stormy import LATER, MINUTE, TERMS, Channel, bad, bullets, texts


@pytest.fixture
def channel(database: Database, ids: Ids) -> Channel:
    """Return a channel of Slack."""
    return Channel(database, ids)


async def test_posts_join_one_message_and_each_event_counts_once(channel: Channel) -> None:
    channel.put(*(arrival(route(SLACK, f"note {number % 3}")) for number in range(7)))
    channel.put(bad("latency"), bad("latency", "OK", 1), threaded("deploy", "started", SLACK))
    own = await channel.lease()
    for most, posts in ((5, 6), (9, 9), (10, 9)):  # an alarm with two changes is one of them
        weather = await channel.digests.weather(own, most)
        assert (weather.posts, weather.open, weather.waiting) == (posts, False, False)
    step = await channel.step(own, TERMS)
    assert step.taken == {"ops": 10}
    assert not step.more
    assert await channel.send(own) == ["post 10 notifications"]
    assert {one.partition(" ")[2] for one in channel.states()} == {"digested"}
    message = channel.says()
    assert bullets(message) == ["OK again: latency ALARM at 0"]
    assert message.buttons[0].url == f"https://parley.example/digests/{channel.digest().id}"
    assert message.buttons[0].label == "See all 10"


@pytest.mark.parametrize("portion", [1, 2, 3, 100])
async def test_portions_change_nothing(channel: Channel, portion: int) -> None:
    channel.put(
        bad("a"), bad("b"), bad("a", "OK", 1), threaded("t", "one", SLACK, "first"),
        threaded("t", "two", SLACK, "second"), arrival(route(SLACK)), bad("a", "ALARM", 2),
    )  # fmt: skip
    own = await channel.lease()
    taken = 0
    step = await channel.step(own, TERMS, portion)
    while True:
        taken += sum(step.taken.values())
        assert len(await channel.outbox.pending(own, 100)) == 1
        if not step.more:
            break
        step = await channel.step(own, LATER, portion)
    assert taken == 7
    content = Digest.from_json(channel.digest().content)
    assert content.count == 7
    assert {one.title: one.count for one in content.subjects} == {
        "a ALARM at 2": 3, "b ALARM at 0": 1, "two": 2, "Something happened": 1,
    }  # fmt: skip


async def test_while_it_is_open_new_messages_wait_and_older_ones_go_on(channel: Channel) -> None:
    channel.put(bad("known"))
    own = await channel.lease()
    await channel.send(own)
    channel.put(arrival(route(SLACK, "one")))
    await channel.step(own, TERMS)
    channel.put(bad("known", "OK", 1), arrival(route(SLACK, "two")), bad("new"))
    assert await channel.send(own) == [
        "post 1 notification",
        "edit known OK at 1",
        "reply known OK at 1",
    ]
    await channel.outbox.release(own)
    own = await channel.lease("next")  # what waits to be taken in is a reason to be leased
    assert own.stormy
    assert sum((await channel.step(own)).taken.values()) == 2


async def test_of_several_replies_to_a_message_the_last_is_enough(channel: Channel) -> None:
    channel.put(bad("known"))
    own = await channel.lease()
    await channel.send(own)
    channel.put(bad("known", "OK", 1), bad("known", "ALARM", 2), bad("known", "OK", 3))
    channel.put(arrival(route(SLACK, "one")))
    await channel.step(own, TERMS)
    assert await channel.send(own) == [
        "edit known OK at 3",
        "reply known OK at 3",
        "post 1 notification",
    ]


async def test_a_worker_without_its_lease_changes_nothing(channel: Channel) -> None:
    channel.put(bad("a"))
    never = StoredOutbox(channel.database, channel.ids, timedelta(seconds=-1))
    [old] = await never.claim("paused", 10)
    new = await channel.lease("other")
    assert await channel.digests.advance(old, TERMS) is None
    await channel.digests.unreachable(old)
    assert channel.states() == ["post pending"]
    assert channel.digest() is None
    assert (await channel.digests.weather(new, 10)).down is None


async def test_it_is_edited_in_place_until_it_is_sent_and_then_only_every_so_often(
    channel: Channel,
) -> None:
    channel.put(bad("a"))
    own = await channel.lease()
    await channel.step(own, TERMS)
    channel.put(bad("b"))
    await channel.step(own)
    assert await channel.send(own) == ["post 2 notifications"]
    for name in "cd":
        channel.put(bad(name))
        assert (await channel.step(own)).shown == (name == "c")
        assert await channel.send(own) == []
    assert not (await channel.digests.weather(own, 10)).due
    channel.passes(timedelta(seconds=5))
    assert (await channel.digests.weather(own, 10)).due
    await channel.step(own)
    await channel.step(own)
    assert await channel.send(own) == ["edit 4 notifications"]
    assert (await channel.step(own)).shown


async def test_the_channel_is_due_again_when_its_digest_is(channel: Channel) -> None:
    channel.put(bad("a"))
    own = await channel.lease()
    await channel.step(own, TERMS)
    await channel.send(own)
    await channel.outbox.release(own)
    assert await channel.outbox.claim("me", 10) == []

    def due_in() -> float:
        columns = (destinations.c.due_at, digests.c.last_event_at)
        here = digests.c.destination_id == destinations.c.id
        query = sa.select(*columns).join(digests, here)
        due_at, last = channel.database.run(lambda c: c.execute(query).one())
        return float(due_at - last) / 1000

    assert due_in() == pytest.approx(60, abs=0.01)
    channel.database.run(lambda c: c.execute(sa.update(destinations).values(due_at=None)))
    assert await channel.outbox.sweep() == 1
    assert due_in() == pytest.approx(60, abs=0.01)


async def test_at_its_end_what_is_still_in_alarm_gets_its_message_and_nothing_else_does(
    channel: Channel,
) -> None:
    channel.put(*(bad(name) for name in "abcd"), arrival(route(SLACK)), bad("c", "OK", 1))
    own = await channel.lease()
    await channel.step(own, TERMS)
    await channel.send(own)
    channel.passes(2 * MINUTE)
    await channel.step(own)
    assert channel.digest().state == "closed"
    last = channel.says()
    assert "3 alarms are still in ALARM; each gets a message of its own." in texts(last)
    assert bullets(last)[2] == "OK again: c ALARM at 0"
    # The first step after the end may already let some go, no more than there is room for.
    assert len(await channel.send(own)) <= 1 + TERMS.owed_at_once
    for _ in range(4):
        channel.passes(timedelta(seconds=5))
        await channel.step(own)
        assert len(await channel.send(own)) <= TERMS.owed_at_once
    assert sorted(one for one in channel.sent if "notifications" not in one) == [
        f"post {name} ALARM at 0" for name in "abd"
    ]
    assert channel.states().count("post digested") == 2
    weather = await channel.digests.weather(own, 10)
    assert (weather.waiting, weather.open) == (False, False)
    await channel.outbox.release(own)
    assert await channel.outbox.claim("me", 10) == []
    # From now on they are messages like all others.
    channel.put(bad("a", "OK", 5))
    own = await channel.lease()
    assert not own.stormy
    assert await channel.send(own) == ["edit a OK at 5", "reply a OK at 5"]


async def test_what_gets_its_message_at_last_is_not_taken_in_again(channel: Channel) -> None:
    channel.put(*(bad(name) for name in "abc"))
    own = await channel.lease()
    await channel.step(own, TERMS)
    await channel.send(own)
    channel.passes(2 * MINUTE)
    await channel.step(own)
    await channel.send(own)
    channel.passes(timedelta(seconds=5))
    channel.put(bad("c", "OK", 1), bad("x"), bad("y"))
    step = await channel.step(own, replace(TERMS, owed_at_once=100))
    # Two messages are on their way, and what changes in them follows: a new storm keeps the rest.
    assert step.taken == {"ops": 3}
    channel.put(bad("b", "OK", 2), bad("z"))
    assert (await channel.step(own)).taken == {"ops": 1}
    await channel.send(own)
    await channel.send(own)
    assert [one for one in channel.sent if " b " in one] == [
        "post b ALARM at 0",
        "edit b OK at 2",
        "reply b OK at 2",
    ]


async def test_an_owed_alarm_that_is_ok_by_its_turn_is_shown_as_it_is(channel: Channel) -> None:
    channel.put(*(bad(name) for name in "abc"))
    own = await channel.lease()
    few = replace(LATER, owed_at_once=1)
    await channel.step(own, replace(TERMS, owed_at_once=1))
    await channel.send(own)
    channel.passes(2 * MINUTE)
    await channel.step(own, few)
    channel.put(bad("c", "OK", 1))
    for _ in range(5):
        await channel.send(own)
        channel.passes(timedelta(seconds=5))
        await channel.step(own, few)
    about = [one for one in channel.sent if " c " in one]
    assert about == ["edit c OK at 1", "reply c OK at 1"]  # the edit posts it: it had no head


async def test_a_storm_that_has_become_a_drizzle_ends(channel: Channel) -> None:
    channel.put(arrival(route(SLACK)))
    own = await channel.lease()
    await channel.step(own, TERMS)
    await channel.send(own)
    for _ in range(6):  # more than five within a minute are no drizzle
        channel.put(arrival(route(SLACK)))
    channel.passes(timedelta(seconds=1))
    late = replace(LATER, longest=timedelta(), every=timedelta())
    await channel.step(own, late)
    assert channel.digest().state == "open"
    channel.passes(timedelta(seconds=59.5))
    channel.put(arrival(route(SLACK)))
    await channel.step(own, late)
    assert channel.digest().state == "closed"


async def test_a_channel_that_was_unreachable_says_from_when_to_when(channel: Channel) -> None:
    channel.put(*(arrival(route(SLACK)) for _ in range(5)))
    own = await channel.lease()
    await channel.digests.unreachable(own)
    await channel.outbox.release(own)
    channel.passes(timedelta(minutes=30))
    await channel.digests.unreachable(own)  # the first time counts
    own = await channel.lease()
    assert own.stormy
    down = (await channel.digests.weather(own, 10)).down
    assert down is not None
    assert down > timedelta(minutes=29)
    await channel.step(own, TERMS)
    channel.passes(2 * MINUTE)
    await channel.step(own)
    assert channel.digest().state == "open"  # nobody has seen it yet
    assert "could not be reached since" in texts(channel.says())
    assert len(await channel.send(own)) == 1
    assert (await channel.digests.weather(own, 10)).down is None
    channel.passes(timedelta(seconds=5))
    await channel.step(own)
    assert channel.digest().state == "closed"
    assert await channel.send(own) == ["edit 5 notifications"]
    assert "could not be reached from" in texts(channel.says())


async def test_a_digest_that_may_have_been_sent_is_not_changed_behind_its_back(
    channel: Channel,
) -> None:
    """It is perhaps only looked up: what came later then is an edit."""
    channel.put(bad("a"))
    own = await channel.lease()
    await channel.step(own, TERMS)
    doubt = sa.update(outbox).where(outbox.c.head_id == channel.digest().id)
    channel.database.run(lambda c: c.execute(doubt.values(possible_duplicate=True)))
    channel.put(bad("b"))
    await channel.step(own)
    assert await channel.send(own) == ["post 1 notification", "edit 2 notifications"]


async def test_every_event_is_listed_once_with_its_digest(
    database: Database, channel: Channel
) -> None:
    events = [bad("a"), bad("a", "OK", 1), *(arrival(route(SLACK, str(one))) for one in range(5))]
    channel.put(*events)
    own = await channel.lease()
    await channel.step(own, TERMS)
    digest_id = channel.digest().id
    pages = StoredDigestPages(database)
    first = await pages.digest(digest_id, 0, 4)
    assert first is not None
    rest = await pages.digest(digest_id, first.events[-1].id, 100)
    assert rest is not None
    assert [one.event_id for one in (*first.events, *rest.events)] == [
        one.event_id for one in events
    ]
    assert first.count == 7
    assert first.message.title.text.startswith("7 notifications")
    assert await pages.digest(1, 0, 10) is None
    event = await StoredHistory(database).event(events[1].event_id)
    assert event is not None
    assert {(one.state, one.digest_id) for one in event.deliveries} == {("digested", digest_id)}
