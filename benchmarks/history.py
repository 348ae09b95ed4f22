"""CPU of one notification on a database with 1,000,000 delivered rows, against an empty one.

In one process, without HTTP: notify, store, lease, render for Slack, mark. Pairs are interleaved,
each on a copy of its database, so that both meet the same moment of the machine.
"""

import asyncio
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks.pipeline import CHANNELS, alarm_text, topic_of
from parley.bootstrap import Stores, open_stores
from parley.events.envelope import event_from_sns, parse_sns
from parley.kernel.configuration import Configuration
from parley.kernel.incoming import Destination
from parley.kernel.messages import Message
from parley.kernel.ports.platform import Pace
from parley.observe import Metrics, start_log
from parley.platforms.slack.render import render
from parley.settings import read_settings
from parley.storage.schema import events, outbox
from parley.usecases.deliver import Deliver
from parley.usecases.health import Health
from parley.usecases.notify import Notify
from parley.workers.delivery import DeliveryWorker
from parley.workers.live import LiveRooms
from tests.signing import signer

ROWS = 1_000_000
COUNT = 2000
PAIRS = 3
GOAL = 1.2


@dataclass
class Renderer:
    """A platform that renders and sends nothing."""

    name: str = "slack"
    pace: Pace = field(default_factory=lambda: Pace(1_000_000.0, 1000))
    sent: int = 0
    done: asyncio.Event = field(default_factory=asyncio.Event)

    async def post(self, channel: str, message: Message, thread: str = "", key: str = "") -> str:
        """Render as for Slack; return a handle."""
        render(message, "http://127.0.0.1:8080")
        self.sent += 1
        if self.sent == COUNT:
            self.done.set()
        return f"{channel}:{key}{thread}"

    async def edit(self, channel: str, handle: str, message: Message) -> None:
        """Render as for Slack."""
        await self.post(channel, message, handle)


def main() -> None:
    """Fill one database, then compare."""
    start_log("warning", "text")
    with tempfile.TemporaryDirectory() as folder:
        empty, full = Path(folder, "empty"), Path(folder, "full")
        for path in (empty, full):
            with open_stores(read_settings({"data": path}, {})) as stores:
                asyncio.run(_configure(stores))
        began = time.monotonic()
        with open_stores(read_settings({"data": full}, {})) as stores:
            _fill(stores)
        print(f"\n{ROWS:,} delivered rows written in {time.monotonic() - began:.0f} s")
        ratios = []
        for _ in range(PAIRS):
            one, other = _measure(empty, folder), _measure(full, folder)
            ratios.append(other / one)
            print(f"  empty {one:.3f}, full {other:.3f} s CPU per 1,000; ratio {ratios[-1]:.2f}")
        print(f"  median ratio {statistics.median(ratios):.2f} (goal: at most {GOAL})")


async def _configure(stores: Stores) -> None:
    manage = stores.manage_configurations()
    for number in range(CHANNELS):
        place = Destination("slack", f"C0000{number:04d}")
        await manage.add(Configuration(f"bench-{number}", "", place, (topic_of(number),)))


def _fill(stores: Stores) -> None:
    def rows() -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        now = 1_790_000_000_000
        for number in range(ROWS):
            event_id = f"sns:{topic_of(number)}:{number:036d}"
            event = {"id": event_id, "received_at": now + number, "raw": "{}"}
            step = {
                "id": number + 1,
                "event_id": event_id,
                "destination_id": number % CHANNELS,
                "step": 0,
                "action": "post",
                "head_id": number + 1,
                "message": "{}",
                "state": "sent",
                "due_at": now,
                "created_at": now,
                "done_at": now,
            }
            yield event, step

    every = rows()
    while batch := list(islice(every, 20_000)):

        def write(connection: sa.Connection, batch: list[Any] = batch) -> None:
            connection.execute(sa.insert(events), [event for event, _ in batch])
            connection.execute(sa.insert(outbox), [step for _, step in batch])

        stores.database.run(write)


def _measure(data: Path, folder: str) -> float:
    with tempfile.TemporaryDirectory(dir=folder) as work:
        copy = Path(work, "data")
        shutil.copytree(data, copy)
        with open_stores(read_settings({"data": copy}, {})) as stores:
            return asyncio.run(_run(stores))


async def _run(stores: Stores) -> float:
    now = datetime.now(UTC)
    sns = signer(now - timedelta(days=1))
    bodies = [
        sns.notification(alarm_text(number, now), at=now, topic=topic_of(number))
        for number in range(COUNT)
    ]
    metrics, platform = Metrics(), Renderer()
    health = Health(stores.configurations, stores.notices)
    live = LiveRooms(stores.rooms)
    deliver = Deliver(stores.outbox, {"slack": platform}, health, live, metrics, stores.clock)
    worker = DeliveryWorker(stores.outbox, deliver, "bench")
    notify = Notify(stores.inbox, stores.notices, metrics, stores.clock, worker.nudge)
    by_topic = {one.topics[0]: one for one in await stores.configurations.all()}
    waiting = iter(bodies)

    async def caller() -> None:
        for body in waiting:
            message = parse_sns(body)
            await notify(event_from_sns(message), [by_topic[message.topic.arn]])

    worker.start()
    began = time.process_time()
    await asyncio.gather(*(caller() for _ in range(16)))
    async with asyncio.timeout(120):
        await platform.done.wait()
    cpu = time.process_time() - began
    await worker.stop()
    return cpu / COUNT * 1000
