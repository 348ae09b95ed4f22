"""Queues of an emulated AWS: what SNS and EventBridge put into them, read as we read real ones."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest
from aiohttp import ClientSession

from parley.aws.queues import SqsQueues
from parley.kernel.configuration import Configuration
from parley.kernel.errors import InvalidRequest, Refused, Unavailable
from parley.workers.queue import QueueWorker
from tests.emulators.conftest import ACCOUNT, REGION, Emulator
from tests.stories.ingest import CONFIGURATION, Admin, Stored


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give Parley credentials where the AWS SDK looks first."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.delenv("AWS_PROFILE", raising=False)


@pytest.fixture
def queue_url(ministack: Emulator) -> str:
    """Return the URL of a new queue."""
    created = ministack.client("sqs").create_queue(QueueName=f"parley-{uuid4().hex[:8]}")
    return str(created["QueueUrl"])


@pytest.fixture
async def queues(ministack: Emulator) -> AsyncIterator[SqsQueues]:
    """Yield what is tested, with the emulator as AWS."""
    async with ClientSession() as session:
        yield SqsQueues(session, ministack.url, REGION)


def arn(queue_url: str) -> str:
    """Return the ARN of a queue of the emulator."""
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue_url.rsplit('/', 1)[1]}"


def left(ministack: Emulator, queue_url: str) -> tuple[int, int]:
    """Return how many messages can be received, and how many are hidden."""
    counted = ministack.client("sqs").get_queue_attributes(
        QueueUrl=queue_url, AttributeNames=["All"]
    )["Attributes"]
    return (
        int(counted["ApproximateNumberOfMessages"]),
        int(counted["ApproximateNumberOfMessagesNotVisible"]),
    )


async def test_messages_are_received_hidden_given_back_and_deleted(
    ministack: Emulator, queues: SqsQueues, queue_url: str
) -> None:
    sqs = ministack.client("sqs")
    sent = sqs.send_message(QueueUrl=queue_url, MessageBody='"é 🚨" \n <b>')["MessageId"]
    (message,) = await queues.receive(queue_url)
    assert (message.id, message.body, message.queue_arn) == (sent, '"é 🚨" \n <b>', arn(queue_url))
    assert message.sent_at is not None
    assert left(ministack, queue_url) == (0, 1)
    await queues.hide(queue_url, [message], 0)
    (again,) = await queues.receive(queue_url)
    assert again.id == sent
    await queues.hide(queue_url, [again], 120)
    await queues.delete(queue_url, [again])
    assert left(ministack, queue_url) == (0, 0)


async def test_waiting_ends_when_a_message_comes(
    ministack: Emulator, queues: SqsQueues, queue_url: str
) -> None:
    waiting = asyncio.create_task(queues.receive(queue_url))
    done, _ = await asyncio.wait({waiting}, timeout=0.5)
    assert not done
    ministack.client("sqs").send_message(QueueUrl=queue_url, MessageBody="late")
    async with asyncio.timeout(5):
        assert [message.body for message in await waiting] == ["late"]


async def test_waiting_can_be_given_up(queues: SqsQueues, queue_url: str) -> None:
    waiting = asyncio.create_task(queues.receive(queue_url))
    await asyncio.wait({waiting}, timeout=0.3)
    waiting.cancel()
    async with asyncio.timeout(1):
        await asyncio.wait({waiting})
    assert waiting.cancelled()


async def test_a_queue_that_does_not_exist_is_named(queues: SqsQueues, ministack: Emulator) -> None:
    with pytest.raises(Refused, match="arn:aws:sqs:eu-west-1:123456789012:missing") as caught:
        await queues.receive(f"{ministack.url}/{ACCOUNT}/missing")
    assert "Create the queue" in str(caught.value)


async def test_without_credentials_it_says_where_they_are_looked_for(
    queues: SqsQueues, queue_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(Refused, match="environment variables"):
        await queues.receive(queue_url)


async def test_an_endpoint_that_is_gone_or_is_none_may_come_back(ministack: Emulator) -> None:
    async with ClientSession() as session:
        gone = SqsQueues(session, "http://127.0.0.1:1", REGION)
        with pytest.raises(Unavailable, match="cannot be reached"):
            await gone.receive(f"http://127.0.0.1:1/{ACCOUNT}/parley")
        with pytest.raises(InvalidRequest, match="not the URL"):
            await SqsQueues(session).receive(f"{ministack.url}/{ACCOUNT}/parley")


@asynccontextmanager
async def reading(queues: SqsQueues, queue_url: str) -> AsyncIterator[tuple[Stored, Admin]]:
    """Run a worker on one queue."""

    class Directory:
        async def queues(self) -> Mapping[str, Sequence[Configuration]]:
            return {queue_url: [CONFIGURATION]}

    stored, admin = Stored(), Admin()
    worker = QueueWorker(Directory(), queues, stored, admin, admin.mark)
    worker.start()
    try:
        yield stored, admin
    finally:
        await worker.stop()


async def until_stored(stored: Stored, count: int) -> None:
    """Wait until so many events are stored."""
    async with asyncio.timeout(15):
        while len(stored.events) < count:  # noqa: ASYNC110 - a plain record has no event
            await asyncio.sleep(0.02)


async def test_a_topic_a_raw_topic_and_a_rule_reach_us_through_a_queue(
    ministack: Emulator, queues: SqsQueues, queue_url: str
) -> None:
    sns, events = ministack.client("sns"), ministack.client("events")
    ids = []
    for name, raw in (("wrapped", "false"), ("raw", "true")):
        topic = sns.create_topic(Name=f"{name}-{uuid4().hex[:8]}")["TopicArn"]
        sns.subscribe(
            TopicArn=topic,
            Protocol="sqs",
            Endpoint=arn(queue_url),
            Attributes={"RawMessageDelivery": raw},
        )
        sent = sns.publish(TopicArn=topic, Message=f"text {name}", Subject="Subject")["MessageId"]
        ids.append(f"sns:{topic}:{sent}")
    rule = f"rule-{uuid4().hex[:8]}"
    events.put_rule(Name=rule, EventPattern=json.dumps({"source": ["acme.shop"]}))
    events.put_targets(Rule=rule, Targets=[{"Id": "queue", "Arn": arn(queue_url)}])
    put = events.put_events(
        Entries=[{"Source": "acme.shop", "DetailType": "Order", "Detail": '{"id": 7}'}]
    )
    async with reading(queues, queue_url) as (stored, admin):
        await until_stored(stored, 3)
    by_id = stored.events
    assert by_id[ids[0]].detail == "text wrapped"
    ordered = by_id[f"eb:{ACCOUNT}:{REGION}:{put['Entries'][0]['EventId']}"]
    assert (ordered.source, ordered.kind) == ("acme.shop", "Order")
    assert ordered.detail["detail"] == {"id": 7}
    (raw_event,) = [event for id_, event in by_id.items() if id_.startswith("sqs:")]
    assert (raw_event.detail, raw_event.kind) == ("text raw", "text")
    assert admin.told == []
    assert left(ministack, queue_url) == (0, 0)


async def test_a_backlog_is_read_to_its_end(
    ministack: Emulator, queues: SqsQueues, queue_url: str
) -> None:
    sqs = ministack.client("sqs")
    for batch in range(12):
        sqs.send_message_batch(
            QueueUrl=queue_url,
            Entries=[{"Id": str(n), "MessageBody": f"text {batch * 10 + n}"} for n in range(10)],
        )
    async with reading(queues, queue_url) as (stored, _):
        await until_stored(stored, 120)
    assert {event.detail for event in stored.events.values()} == {f"text {n}" for n in range(120)}
    assert left(ministack, queue_url) == (0, 0)


async def test_stopping_leaves_what_could_not_be_stored_to_be_received_at_once(
    ministack: Emulator, queues: SqsQueues, queue_url: str
) -> None:
    sqs = ministack.client("sqs")
    sqs.send_message(QueueUrl=queue_url, MessageBody="text")
    async with reading(queues, queue_url) as (stored, _):
        stored.failure = Unavailable("The disk is full.")
        async with asyncio.timeout(10):
            while left(ministack, queue_url) != (0, 1):  # noqa: ASYNC110 - asked, not told
                await asyncio.sleep(0.05)
    assert stored.events == {}
    assert left(ministack, queue_url) == (1, 0)
