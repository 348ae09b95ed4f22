"""A topic of an emulated AWS posts to our endpoint: subscribed, confirmed, notified, ended."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from tests.emulators.conftest import Emulator
from tests.stories.ingest import Endpoint, endpoint

TOPIC = "arn:aws:sns:eu-west-1:123456789012:emulated"


@pytest.fixture
async def parley(ministack: Emulator) -> AsyncIterator[Endpoint]:
    """Yield an endpoint whose unsigned topic is one of the emulator."""
    now = datetime.now(UTC)
    async with endpoint(unsigned_topic=TOPIC, confirms_at=ministack.url, at=now) as running:
        yield running


async def test_the_handshake_and_a_notification(ministack: Emulator, parley: Endpoint) -> None:
    sns = ministack.client("sns")
    assert sns.create_topic(Name="emulated")["TopicArn"] == TOPIC
    await asyncio.to_thread(sns.subscribe, TopicArn=TOPIC, Protocol="http", Endpoint=parley.url)
    async with asyncio.timeout(10):
        while not parley.admin.told:  # noqa: ASYNC110 - a plain record has no event
            await asyncio.sleep(0.02)
    (subscription,) = sns.list_subscriptions_by_topic(TopicArn=TOPIC)["Subscriptions"]
    assert parley.admin.told == [f"confirmed:{subscription['SubscriptionArn']}"]
    sent = await asyncio.to_thread(sns.publish, TopicArn=TOPIC, Message="é 🚨", Subject="Disk")
    async with asyncio.timeout(10):
        while not parley.stored.events:  # noqa: ASYNC110 - a plain record has no event
            await asyncio.sleep(0.02)
    (event,) = parley.stored.events.values()
    assert (event.id, event.detail) == (f"sns:{TOPIC}:{sent['MessageId']}", "é 🚨")
    assert event.subject == "Disk"
