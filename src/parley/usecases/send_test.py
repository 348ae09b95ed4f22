"""Sending a test notification through the whole path, and seeing where it stops."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

import orjson

from parley.events.envelope import event_from_sqs
from parley.kernel.configuration import Configuration
from parley.kernel.errors import ParleyError
from parley.kernel.ports.history import History, StoredDelivery, StoredEvent
from parley.usecases.notify import Notify


class Publisher(Protocol):
    """Publishes to SNS with the credentials of this machine."""

    async def publish(self, topic: str, message: str) -> str:
        """Return the MessageId. Raises `ParleyError` that says what AWS answered."""
        ...


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the path, and the seconds since the beginning."""

    text: str
    ok: bool
    seconds: float = 0.0


_TEXT = {
    "version": "1.0",
    "source": "custom",
    "content": {
        "textType": "client-markdown",
        "title": ":white_check_mark: Parley test notification",
        "description": "This came the whole way. Nothing has happened in AWS.",
        "keywords": ["test"],
    },
}


@dataclass(frozen=True, slots=True)
class SendTest:
    """Publishes a custom notification and watches it arrive.

    Without a topic, or with `inside`, it starts behind the door: the rest of the path is the same.
    """

    history: History
    notify: Notify
    publisher: Publisher
    new_id: Callable[[], str]
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    patience: float = 30.0

    async def __call__(self, configuration: Configuration, *, inside: bool) -> AsyncIterator[Step]:
        """Yield each step as it ends; the last one that is not ok says where the path stops."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        topic = "" if inside or not configuration.topics else configuration.topics[0]
        try:
            event_id = await self._send(configuration, topic)
        except ParleyError as error:
            yield Step(str(error), ok=False, seconds=loop.time() - began)
            return
        how = f"published to {topic}" if topic else "handed in (topics and queues are not tested)"
        yield Step(f"{how}, event {event_id}", ok=True, seconds=loop.time() - began)
        stored = await self._wait(event_id, lambda _: True)
        if stored is None:
            yield Step(_not_arrived(topic), ok=False, seconds=loop.time() - began)
            return
        yield Step("arrived and stored", ok=True, seconds=loop.time() - began)
        place = str(configuration.destination)
        if not _of(stored, place):
            hint = "not routed: the configuration lets only some sources or accounts through"
            yield Step(hint, ok=False, seconds=loop.time() - began)
            return
        stored = await self._wait(event_id, lambda event: _settled(_of(event, place))) or stored
        for delivery in _of(stored, place):
            yield _outcome(delivery, loop.time() - began, configuration.unhealthy)

    async def _send(self, configuration: Configuration, topic: str) -> str:
        body = orjson.dumps(_TEXT).decode()
        if topic:
            return f"sns:{topic}:{await self.publisher.publish(topic, body)}"
        event = event_from_sqs("send-test", self.new_id(), body)
        await self.notify(event, [configuration])
        return event.id

    async def _wait(
        self, event_id: str, enough: Callable[[StoredEvent], bool]
    ) -> StoredEvent | None:
        """Look until it is enough or patience ends; return what there is."""
        loop = asyncio.get_running_loop()
        end = loop.time() + self.patience
        while True:
            event = await self.history.event(event_id)
            if (event and enough(event)) or loop.time() > end:
                return event
            await self.sleep(0.1)


def _of(event: StoredEvent, place: str) -> list[StoredDelivery]:
    return [one for one in event.deliveries if one.destination == place]


def _settled(deliveries: list[StoredDelivery]) -> bool:
    return all(one.state != "pending" for one in deliveries)


def _not_arrived(topic: str) -> str:
    if not topic:
        return "it was accepted but cannot be found: is this the database of the running gateway?"
    return (
        "it did not arrive. Is the gateway running on this database? Has the topic a confirmed "
        "subscription to this gateway's /ingest/sns, or to its queue, without raw delivery?"
    )


def _outcome(delivery: StoredDelivery, seconds: float, unhealthy: str) -> Step:
    match delivery.state:
        case "sent" | "superseded":
            return Step(f"delivered to {delivery.destination}", ok=True, seconds=seconds)
        case "dead":
            return Step(f"given up: {delivery.error}", ok=False, seconds=seconds)
        case _:
            idle = "nothing took it up: is the gateway running (parley serve)?"
            text = f"still waiting: {delivery.error or unhealthy or idle}"
            return Step(text, ok=False, seconds=seconds)
