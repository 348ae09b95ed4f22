"""Configurations come back as they were stored, names are unique in their account."""

import asyncio
from dataclasses import replace

import pytest

from parley.kernel.configuration import Configuration, Routing
from parley.kernel.errors import Conflict
from parley.kernel.incoming import Destination
from parley.storage.configurations import StoredConfigurations
from parley.storage.database import Database
from parley.storage.history import StoredHistory
from parley.storage.ids import Ids
from parley.storage.inbox import store
from tests.arrivals import NOON, SLACK, arrival, route

WHOLE = Configuration(
    name="ops",
    account="123456789012",
    destination=SLACK,
    topics=("arn:aws:sns:eu-west-1:123456789012:a", "arn:aws:sns:eu-west-1:123456789012:b"),
    queues=("https://sqs.eu-west-1.amazonaws.com/123456789012/parley",),
    routing=Routing(("aws.health", "aws.ec*"), ("210987654321",)),
    group_mentions=True,
)
PLAIN = Configuration("builds", "123456789012", Destination("local", "builds"))


@pytest.fixture
def configurations(database: Database, ids: Ids) -> StoredConfigurations:
    """Return where they are kept."""
    return StoredConfigurations(database, ids)


async def test_what_was_stored_comes_back_by_name(configurations: StoredConfigurations) -> None:
    assert await configurations.all() == []
    await configurations.add(WHOLE)
    await configurations.add(PLAIN)
    builds, ops = await configurations.all()
    assert builds.created_at is not None
    assert replace(ops, created_at=None) == WHOLE
    assert replace(builds, created_at=None) == PLAIN


async def test_a_name_is_taken_once_in_an_account(configurations: StoredConfigurations) -> None:
    other = replace(WHOLE, account="210987654321")
    outcomes = await asyncio.gather(
        *(configurations.add(one) for one in (WHOLE, other, WHOLE)), return_exceptions=True
    )
    [refused] = [one for one in outcomes if one is not None]
    assert isinstance(refused, Conflict)
    assert "named ops already" in str(refused)
    assert len(await configurations.all()) == 2


async def test_removing_leaves_the_others_and_what_was_delivered(
    database: Database, ids: Ids, configurations: StoredConfigurations
) -> None:
    other = replace(WHOLE, account="210987654321")
    await configurations.add(WHOLE)
    await configurations.add(other)
    database.run(lambda c: store(c, [arrival(route(SLACK), event_id="e")], ids, NOON - NOON))
    assert await configurations.remove("123456789012", "ops") is True
    assert await configurations.remove("123456789012", "ops") is False
    [left] = await configurations.all()
    assert replace(left, created_at=None) == other
    event = await StoredHistory(database).event("e")
    assert event is not None
    assert [one.destination for one in event.deliveries] == ["slack:C0123456789"]
    await configurations.add(WHOLE)
    assert len(await configurations.all()) == 2


async def test_health_is_marked_by_channel_and_told_once(
    configurations: StoredConfigurations,
) -> None:
    for one in (WHOLE, replace(WHOLE, name="second"), PLAIN):
        await configurations.add(one)
    assert sorted(await configurations.mark(SLACK, "revoked")) == ["ops", "second"]
    assert await configurations.mark(SLACK, "revoked") == []
    states = {one.name: one.unhealthy for one in await configurations.all()}
    assert states == {"builds": "", "ops": "revoked", "second": "revoked"}
    assert sorted(await configurations.mark(SLACK, "")) == ["ops", "second"]


async def test_health_is_kept_whatever_characters_a_platform_says_it_with(
    configurations: StoredConfigurations,
) -> None:
    await configurations.add(WHOLE)
    said = "refused \x00 \ud83d"
    assert await configurations.mark(SLACK, said) == ["ops"]
    assert await configurations.mark(SLACK, said) == []
    assert await configurations.mark_queue(WHOLE.queues[0], said) == []
    [kept] = await configurations.all()
    assert kept.unhealthy == "refused ␀ ?"


async def test_an_event_is_shown_with_what_became_of_it(database: Database, ids: Ids) -> None:
    both = arrival(route(SLACK), route(Destination("local", "ops")), event_id="e", raw="{}")
    database.run(lambda c: store(c, [both], ids, NOON - NOON))
    event = await StoredHistory(database).event("e")
    assert event is not None
    assert (event.occurred_at, event.source, event.raw) == (NOON, "aws.cloudwatch", "{}")
    assert {(one.destination, one.action, one.state) for one in event.deliveries} == {
        ("slack:C0123456789", "post", "pending"),
        ("local:ops", "post", "pending"),
    }
    assert await StoredHistory(database).event("unknown \x00\ud83d") is None


async def test_a_queue_that_cannot_be_read_is_said_of_those_that_name_it(
    configurations: StoredConfigurations,
) -> None:
    await configurations.add(WHOLE)
    await configurations.add(PLAIN)
    [queue] = WHOLE.queues
    assert await configurations.mark_queue(queue, "needs sqs:ReceiveMessage") == ["ops"]
    assert await configurations.mark_queue(queue, "needs sqs:ReceiveMessage") == []
    builds, ops = await configurations.all()
    assert (builds.unhealthy, ops.unhealthy) == ("", "needs sqs:ReceiveMessage")
    assert await configurations.mark_queue(queue, "") == ["ops"]
