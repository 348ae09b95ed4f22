"""A storm as a channel sees it: one message that is kept up to date, and nothing lost."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from parley.kernel.errors import Reason
from parley.kernel.messages import Tone
from parley.kernel.ports.inbox import Arrival
from parley.kernel.ports.platform import ChatPlatform, Pace
from parley.observe import Metrics, SystemClock
from parley.platforms.outgoing import open_session
from parley.platforms.slack.config import SlackConfig
from parley.platforms.slack.platform import Slack
from parley.storage.configurations import StoredConfigurations
from parley.storage.database import Database, open_database
from parley.storage.digests import StoredDigests
from parley.storage.ids import Ids
from parley.storage.inbox import store
from parley.storage.notices import StoredNotices
from parley.storage.outbox import StoredOutbox
from parley.storage.rooms import StoredRooms
from parley.storage.schema import digests, outbox
from parley.usecases.deliver import Deliver
from parley.usecases.health import Health
from parley.usecases.storm import Rules, Storm
from parley.workers.delivery import DeliveryWorker
from parley.workers.live import LiveRooms
from tests.arrivals import SLACK, alarm, arrival, route
from tests.contracts.slack_double import CHANNEL, TOKEN, SlackDouble, slack_double
from tests.databases import sqlite_copy
from tests.scripted import ScriptedPlatform, failed

SHORT = Rules(
    backlog=timedelta(seconds=1),
    every=timedelta(seconds=0.5),
    quiet=timedelta(seconds=1.5),
    down=timedelta(milliseconds=200),
)
PACE = Pace(20.0, 3)
PAGES = "https://parley.example"
PATIENCE = 30.0


@dataclass
class Watch:
    """Parley's part behind one channel, its workers included, and what it counts."""

    database: Database
    platform: ChatPlatform
    rules: Rules = SHORT
    metrics: Metrics = field(default_factory=Metrics)
    ids: Ids = field(default_factory=lambda: Ids(SystemClock()))

    def put(self, *arrivals: Arrival) -> None:
        """Store what arrived at once."""
        self.database.run(lambda c: store(c, arrivals, self.ids, timedelta(minutes=10)))

    def worker(self) -> DeliveryWorker:
        """Return a worker that is not started yet."""
        waiting = StoredOutbox(self.database, self.ids, timedelta(minutes=1))
        configurations = StoredConfigurations(self.database, self.ids)
        health = Health(configurations, StoredNotices(self.database, self.ids))
        storms = StoredDigests(self.database, self.ids, PAGES)
        deliver = Deliver(
            waiting,
            {"slack": self.platform},
            health,
            LiveRooms(StoredRooms(self.database, self.ids)),
            self.metrics,
            SystemClock(),
            Storm(storms, self.metrics, self.rules),
        )
        return DeliveryWorker(waiting, deliver, f"worker-{self.ids.next()}")

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Let a worker work for as long as the block lasts."""
        worker = self.worker()
        worker.start()
        try:
            yield
        finally:
            await worker.stop()

    def states(self) -> list[str]:
        """Return the states of the deliveries to Slack, in order."""
        query = sa.select(outbox.c.state).where(~outbox.c.event_id.startswith("notice:"))
        return list(self.database.run(lambda c: c.execute(query).scalars().all()))

    def over(self) -> bool:
        """Return whether a storm was there, and nothing is left of it to do."""
        query = sa.select(digests.c.due_at)
        found = self.database.run(lambda c: c.execute(query).scalars().all())
        return bool(found) and set(found) == {None} and "pending" not in self.states()

    def counted(self, name: str) -> float:
        """Return a metric of the configuration."""
        name = f'{name}{{ConfigurationName="ops"'
        lines = self.metrics.render().decode().splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    """Yield a channel with a scripted platform, on a database of its own."""
    database = open_database(sqlite_copy(tmp_path))
    yield Watch(database, ScriptedPlatform(pace=PACE))
    database.close()


async def until(wanted: Callable[[], bool], what: str = "it did not happen") -> None:
    """Wait until something is so."""
    async with asyncio.timeout(PATIENCE):
        while not wanted():  # noqa: ASYNC110 - it shows in a database
            await asyncio.sleep(0.05)
    assert wanted(), what


def toned(change: Arrival) -> Arrival:
    """Return an alarm's change in its tone, as the formatter gives it."""
    way = change.routes[0]
    tone = {"ALARM": Tone.BAD, "OK": Tone.GOOD}[way.message.state]
    return replace(
        change, tone=tone, routes=(replace(way, message=replace(way.message, tone=tone)),)
    )


def alarms(state: str, minute: float, names: range) -> list[Arrival]:
    """Return the changes of many alarms."""
    return [toned(alarm(state, minute, SLACK, f"alarm-{number:03}")) for number in names]


def tried(watch: Watch) -> list[str]:
    """Return what was asked of the scripted platform."""
    assert isinstance(watch.platform, ScriptedPlatform)
    return watch.platform.tried


async def test_a_storm_is_a_few_calls_and_what_is_still_wrong_stands_there_at_last(
    watch: Watch,
) -> None:
    watch.put(*alarms("ALARM", 0, range(200)))
    async with watch.working():
        await until(lambda: any("notifications" in one for one in tried(watch)))
        before = len(tried(watch))
        watch.put(*alarms("OK", 1, range(10, 200)))
        await until(watch.over)
    assert before == 1  # there was a storm before anything was sent
    calls = tried(watch)[before:]
    assert 1 <= len([one for one in calls if "notifications" in one]) <= 8
    assert len(calls) < 20
    # Those that are OK again never got a message of their own.
    for number in range(200):
        named = any(f"alarm-{number:03} " in one for one in calls)
        assert named == (number < 10)


async def test_a_quiet_channel_knows_nothing_of_storms(watch: Watch) -> None:
    watch.put(*alarms("ALARM", 0, range(15)))
    async with watch.working():
        await until(lambda: set(watch.states()) == {"sent"})
    assert len(tried(watch)) == 15
    assert watch.counted("EventsThrottled_total") == 0


async def test_an_edit_of_a_known_message_does_not_wait_for_the_storm(watch: Watch) -> None:
    async with watch.working():
        watch.put(*alarms("ALARM", 0, range(1)))
        await until(lambda: watch.states() == ["sent"])
        watch.put(*(arrival(route(SLACK, f"note {number}")) for number in range(300)))
        await until(lambda: any("notifications" in one for one in tried(watch)))
        watch.put(*alarms("OK", 1, range(1)), arrival(route(SLACK, "one more")))
        await until(lambda: any("= alarm-000 OK at 1" in one for one in tried(watch)))
        query = sa.select(digests.c.state)
        assert watch.database.run(lambda c: c.execute(query).scalars().all()) == ["open"]
    assert not any("one more" in one for one in tried(watch))


async def test_a_channel_that_comes_back_gets_one_digest_of_what_it_missed(watch: Watch) -> None:
    platform = watch.platform
    assert isinstance(platform, ScriptedPlatform)
    platform.script.extend([failed(Reason.UNREACHABLE)] * 3)
    watch.put(*(arrival(route(SLACK, f"note {number}")) for number in range(6)))
    async with watch.working():
        await until(watch.over)
    [first, *rest] = platform.calls
    assert "6 notifications" in first
    assert all("6 notifications" in one for one in rest)
    assert len(rest) <= 2
    assert watch.counted("EventsThrottled_total") == 6
    # Six events that are represented, and the calls that did it.
    assert watch.counted("MessageDeliverySuccess_total") == 6 + len(platform.calls)


async def test_the_end_comes_though_nobody_says_anything_and_the_worker_is_another(
    watch: Watch,
) -> None:
    watch.put(*(arrival(route(SLACK, f"note {number}")) for number in range(300)))
    async with watch.working():
        await until(lambda: any("notifications" in one for one in tried(watch)))
    assert not watch.over()
    async with watch.working():
        await until(watch.over)
    assert len([one for one in tried(watch) if "notifications" in one]) == 2


class Reader:
    """What a person sees of a channel of Slack."""

    def __init__(self, slack: SlackDouble) -> None:
        self.slack = slack

    def heads(self) -> list[str]:
        """Return the messages of the channel."""
        return [one.seen.text for one in self.slack.posted(CHANNEL)]

    def represented(self) -> int:
        """Return how many alarms have a message of their own or are counted in a digest."""
        counts = [re.search(r"DIGEST\s+([\d,]+) notification", one) for one in self.heads()]
        digested = [int(one[1].replace(",", "")) for one in counts if one]
        return len(counts) - len(digested) + sum(digested)


async def test_300_alarms_in_3_s_into_slack_at_5_messages_a_second(tmp_path: Path) -> None:
    """The short form of `python -m tests.faults.storm`, with its end."""
    loop = asyncio.get_running_loop()
    database = open_database(sqlite_copy(tmp_path))
    rules = replace(SHORT, backlog=timedelta(seconds=4), quiet=timedelta(seconds=3))
    async with slack_double(SlackDouble(per_second=5.0)) as slack, await open_session() as session:
        reader = Reader(slack)
        platform = Slack(SlackConfig(TOKEN, slack.url, PAGES, 5.0), session)
        watch = Watch(database, platform, rules)
        place = replace(SLACK, channel=CHANNEL)
        async with watch.working():
            began = loop.time()
            for portion in range(30):
                numbers = range(portion * 10, portion * 10 + 10)
                changes = [toned(alarm("ALARM", 0, place, f"alarm-{one:03}")) for one in numbers]
                watch.put(*changes)
                await asyncio.sleep(0.1)
            await until(lambda: reader.represented() >= 300)
            represented_after = loop.time() - began
            watch.put(*(toned(alarm("OK", 1, place, f"alarm-{one:03}")) for one in range(297)))
            await until(watch.over)
        first_after = slack.calls[0][1] - began
        heads = reader.heads()
    database.close()
    assert first_after < 2
    assert represented_after < 25
    assert slack.limited <= 0.01 * len(slack.calls), (slack.limited, len(slack.calls))
    [digest] = [one for one in heads if "DIGEST" in one]
    assert "It is over" in digest
    assert "3 alarms are still in ALARM" in digest
    assert "[See all" in digest
    for number in range(297, 300):
        assert any(f"alarm-{number:03} ALARM" in one and "DIGEST" not in one for one in heads)
