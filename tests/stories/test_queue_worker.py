"""What waits in a queue is stored, then deleted; nothing is lost on the way, or when we stop."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from parley.events.model import Event
from parley.kernel.configuration import Configuration
from parley.kernel.errors import Overloaded, Refused, Unavailable
from parley.kernel.ports.queues import QueueMessage
from parley.workers import queue_reader
from parley.workers.queue import QueueWorker
from tests.signing import TOPIC
from tests.stories.ingest import CONFIGURATION, Admin

URL = "https://sqs.eu-west-1.amazonaws.com/123456789012/parley"
OTHER_URL = URL + "-2"
ARN = "arn:aws:sqs:eu-west-1:123456789012:parley"


@dataclass
class Queue:
    """A queue as SQS keeps it: what is received is hidden until it is deleted or given back."""

    visible: list[QueueMessage] = field(default_factory=list)
    hidden: dict[str, QueueMessage] = field(default_factory=dict)
    kept_hidden: list[int] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    failures: list[Exception] = field(default_factory=list)

    def put(self, *bodies: str) -> None:
        """Put messages into it."""
        for body in bodies:
            number = len(self.visible) + len(self.hidden)
            self.visible.append(QueueMessage(ARN, f"m-{number}", f"r-{body}", body, None))
        self.arrived.set()

    async def receive(self) -> Sequence[QueueMessage]:
        """Wait for messages and hide them."""
        if self.failures:
            raise self.failures.pop(0)
        while not self.visible:
            self.arrived.clear()
            await self.arrived.wait()
        batch, self.visible = self.visible[:10], self.visible[10:]
        self.hidden.update((message.receipt, message) for message in batch)
        return batch

    @property
    def empty(self) -> bool:
        """Whether nothing is left, neither to be seen nor hidden."""
        return not self.visible and not self.hidden


@dataclass
class Sqs:
    """Queues by their URL."""

    queues: dict[str, Queue]

    async def receive(self, url: str) -> Sequence[QueueMessage]:
        """See the port."""
        return await self.queues[url].receive()

    async def delete(self, url: str, messages: Sequence[QueueMessage]) -> None:
        """See the port."""
        for message in messages:
            del self.queues[url].hidden[message.receipt]

    async def hide(self, url: str, messages: Sequence[QueueMessage], seconds: int) -> None:
        """See the port."""
        queue = self.queues[url]
        if seconds == 0:
            queue.visible += [queue.hidden.pop(message.receipt) for message in messages]
        else:
            queue.kept_hidden.append(seconds)


@dataclass
class Notify:
    """Stores events unless it is told not to; `gate` holds it up."""

    events: list[Event] = field(default_factory=list)
    failing: dict[str, Exception] = field(default_factory=dict)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    at_work: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, event: Event, configurations: Sequence[Configuration]) -> bool:
        """Store an event."""
        assert list(configurations) == [CONFIGURATION]
        self.at_work.set()
        await self.gate.wait()
        failure = self.failing.get(str(event.detail)) or self.failing.get("*")
        if failure:
            raise failure
        self.events.append(event)
        return True


@dataclass
class Gateway:
    """A queue worker at work."""

    sqs: Sqs
    notify: Notify
    admin: Admin
    configured: dict[str, Sequence[Configuration]]
    worker: QueueWorker

    @property
    def details(self) -> list[str]:
        """What was stored, sorted."""
        return sorted(str(event.detail) for event in self.notify.events)


async def until(condition: Callable[[], object]) -> None:
    """Wait until something has come true."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - conditions of several kinds
            await asyncio.sleep(0.005)


@asynccontextmanager
async def gateway(*urls: str, failures: Sequence[Exception] = ()) -> AsyncIterator[Gateway]:
    """Run a worker on the first of these queues."""
    sqs = Sqs({url: Queue() for url in urls or (URL, OTHER_URL)})
    notify, admin = Notify(), Admin()
    notify.gate.set()
    configured: dict[str, Sequence[Configuration]] = {URL: [CONFIGURATION]}

    class Directory:
        async def queues(self) -> Mapping[str, Sequence[Configuration]]:
            return dict(configured)

    sqs.queues[URL].failures += failures
    worker = QueueWorker(Directory(), sqs, notify, admin, admin.mark, look_again=0.01)
    worker.start()
    yield Gateway(sqs, notify, admin, configured, worker)
    await worker.stop()


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the pauses after failures."""
    monkeypatch.setattr(queue_reader, "_LONGEST_PAUSE", 0.01)


async def test_everything_is_stored_and_then_deleted() -> None:
    async with gateway() as parley:
        queue = parley.sqs.queues[URL]
        queue.put(*(f"text {number}" for number in range(35)))
        await until(lambda: queue.empty)
        assert parley.details == sorted(f"text {number}" for number in range(35))


async def test_nothing_is_deleted_before_it_is_stored() -> None:
    async with gateway() as parley:
        queue = parley.sqs.queues[URL]
        parley.notify.gate.clear()
        queue.put("a")
        await parley.notify.at_work.wait()
        await asyncio.sleep(0.05)
        assert list(queue.hidden) == ["r-a"]
        parley.notify.gate.set()
        await until(lambda: queue.empty)


async def test_an_envelope_is_taken_whatever_its_topic() -> None:
    envelope = {
        "Type": "Notification",
        "MessageId": "s-1",
        "TopicArn": TOPIC + "-of-others",
        "Message": "text",
        "Timestamp": "2020-01-01T00:00:00.000Z",
    }
    async with gateway() as parley:
        parley.sqs.queues[URL].put(json.dumps(envelope), "raw")
        await until(lambda: len(parley.notify.events) == 2)
    ids = sorted(event.id for event in parley.notify.events)
    assert ids == [f"sns:{TOPIC}-of-others:s-1", f"sqs:{ARN}:m-1"]


@pytest.mark.parametrize("failure", [Overloaded(), Unavailable("The disk is full.")])
async def test_what_cannot_be_stored_now_is_held_and_tried_again(failure: Exception) -> None:
    async with gateway() as parley:
        queue = parley.sqs.queues[URL]
        parley.notify.failing["*"] = failure
        queue.put("a", "b")
        await until(lambda: len(queue.kept_hidden) > 2)
        assert len(queue.hidden) == 2
        assert min(queue.kept_hidden) >= 60
        parley.notify.failing.clear()
        await until(lambda: queue.empty)
        assert parley.details == ["a", "b"]


async def test_what_can_never_be_stored_stays_in_the_queue_and_is_told() -> None:
    async with gateway() as parley:
        queue = parley.sqs.queues[URL]
        parley.notify.failing["bad"] = RuntimeError("bug")
        queue.put("a", "bad", "b")
        await until(lambda: list(queue.hidden) == ["r-bad"])
        queue.put("c")
        await until(lambda: list(queue.hidden) == ["r-bad"] and not queue.visible)
        assert parley.details == ["a", "b", "c"]
    assert parley.admin.told == [f"queue-message:{URL}"]
    assert list(queue.hidden) == ["r-bad"]


async def test_a_queue_that_nobody_may_read_is_told_once_it_is_well_again_too() -> None:
    failures = [Refused("It needs sqs:ReceiveMessage.")] * 2
    async with gateway(failures=failures) as parley:
        parley.sqs.queues[URL].put("a")
        await until(lambda: parley.sqs.queues[URL].empty)
        assert parley.details == ["a"]
    cause = f"queue:{URL}"
    assert set(parley.admin.told) == {cause}
    assert parley.admin.well_again == [cause]
    assert all(queue == URL for queue, _ in parley.admin.marked)
    reasons = [reason for _, reason in parley.admin.marked]
    assert reasons[0] != ""
    assert reasons[-1] == ""


@pytest.mark.parametrize("times,told", [(2, False), (3, True)])
async def test_a_network_that_fails_now_and_then_is_not_told(times: int, told: bool) -> None:
    async with gateway(failures=[Unavailable("No route.")] * times) as parley:
        parley.sqs.queues[URL].put("a")
        await until(lambda: parley.sqs.queues[URL].empty)
    assert bool(parley.admin.told) is told


async def test_a_bug_in_reading_ends_nothing() -> None:
    async with gateway(failures=[ValueError("bug"), TypeError("bug")]) as parley:
        parley.sqs.queues[URL].put("a")
        await until(lambda: parley.sqs.queues[URL].empty)


async def test_queues_come_and_go_with_the_configurations() -> None:
    async with gateway() as parley:
        one, two = parley.sqs.queues.values()
        two.put("early")
        one.put("a")
        await until(lambda: one.empty)
        assert two.visible
        parley.configured[OTHER_URL] = [CONFIGURATION]
        await until(lambda: two.empty)
        del parley.configured[URL]
        await asyncio.sleep(0.05)
        one.put("late")
        two.put("b")
        await until(lambda: two.empty)
        assert [message.body for message in one.visible] == ["late"]
        assert parley.details == ["a", "b", "early"]


async def test_stopping_gives_back_what_is_not_stored() -> None:
    async with gateway() as parley:
        queue = parley.sqs.queues[URL]
        parley.notify.failing["*"] = Overloaded()
        queue.put(*(f"{number}" for number in range(25)))
        await until(lambda: len(queue.hidden) == 20)
    assert queue.hidden == {}
    assert len(queue.visible) == 25


async def test_stopping_waits_for_what_is_being_stored() -> None:
    async with gateway() as parley:
        queue = parley.sqs.queues[URL]
        parley.notify.gate.clear()
        queue.put("a")
        await parley.notify.at_work.wait()
        stopping = asyncio.create_task(parley.worker.stop())
        await asyncio.sleep(0.05)
        assert not stopping.done()
        parley.notify.gate.set()
        await stopping
        assert queue.empty
        assert parley.details == ["a"]


async def test_a_store_that_hangs_does_not_hold_up_the_stop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(queue_reader, "_STOP", 0.1)
    async with gateway() as parley:
        queue = parley.sqs.queues[URL]
        parley.notify.gate.clear()
        queue.put("a")
        await parley.notify.at_work.wait()
    assert [message.body for message in queue.visible] == ["a"]
