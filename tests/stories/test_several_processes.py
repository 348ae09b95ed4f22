"""Several processes on one PostgreSQL: workers deliver, and every open page hears at once."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from parley.bootstrap import open_stores, start
from parley.cli import main
from parley.events.envelope import event_from_sqs
from parley.kernel.configuration import Configuration
from parley.kernel.incoming import Destination, Person
from parley.kernel.ports.rooms import Rooms
from parley.observe import Metrics
from parley.settings import Settings
from parley.storage.database import open_database
from parley.usecases.notify import Notify
from tests.contracts.slack_double import CHANNEL, TOKEN, SlackDouble, slack_double
from tests.databases import postgres_emptied

ANA = Person("ana", "Ana")
SLACK = Configuration("ops", "123456789012", Destination("slack", CHANNEL))
ROOM = Configuration("room", "123456789012", Destination("local", "ops"))


@pytest.fixture
def settings(postgres_url: str, tmp_path: Path) -> Settings:
    """Return settings that name an empty database of the server."""
    return Settings(data=tmp_path, database=postgres_emptied(postgres_url))


@contextmanager
def worker(settings: Settings, slack: SlackDouble) -> Iterator[subprocess.Popen[bytes]]:
    """Run `parley worker` until the block ends."""
    environment = os.environ | {
        "PARLEY_DATABASE": settings.database,
        "PARLEY_SLACK_BOT_TOKEN": TOKEN,
        "PARLEY_SLACK_BASE_URL": slack.url,
        "PARLEY_SLACK_PER_SECOND": "1000",
    }
    command = [sys.executable, "-m", "parley", "worker", "--data", str(settings.data)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)
    assert process.stdout
    try:
        # Before it is ready it does not know yet what to do when it is asked to stop.
        assert any(b"ready" in line for line in iter(process.stdout.readline, b""))
        yield process
    finally:
        process.kill()
        process.communicate()


async def until(done: Callable[[], bool], seconds: float = 30) -> None:
    """Wait until a function says yes."""
    async with asyncio.timeout(seconds):
        while not done():  # noqa: ASYNC110 - another process does it
            await asyncio.sleep(0.02)


async def test_workers_deliver_each_message_once_and_stop_when_asked(settings: Settings) -> None:
    channels = [f"C{number}" for number in range(5)]
    async with slack_double(SlackDouble(channels=set(channels))) as slack:
        with open_stores(settings) as stores:
            notify = Notify(stores.inbox, stores.notices, Metrics(), stores.clock, lambda _: None)
            configurations = [
                Configuration(name, "123456789012", Destination("slack", name)) for name in channels
            ]
            with worker(settings, slack) as first, worker(settings, slack) as second:
                for number in range(20):
                    event = event_from_sqs("queue", str(number), f"event {number}")
                    assert await notify(event, configurations)
                await until(lambda: len(slack.messages) >= 100)
                for one in (first, second):
                    one.send_signal(signal.SIGTERM)
                assert await asyncio.to_thread(first.wait, 10) == 0
                assert await asyncio.to_thread(second.wait, 10) == 0
            assert len(slack.messages) == 100
            tally = await stores.manage_deliveries().tally()
            assert (tally.pending, tally.dead) == (0, 0)


def test_on_sqlite_a_second_worker_is_refused_and_told_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["worker", "--data", str(tmp_path)]) == 1
    assert "Several workers need PostgreSQL" in capsys.readouterr().err


@pytest.fixture
async def rooms(settings: Settings) -> AsyncIterator[tuple[Rooms, Rooms, "asyncio.Queue[float]"]]:
    """Yield the rooms of two processes, and the times at which the first one hears of a change."""
    heard: asyncio.Queue[float] = asyncio.Queue()
    with open_stores(settings) as ours, open_stores(settings) as theirs:
        await ours.configurations.add(ROOM)
        async with start(ours, ("127.0.0.1", 0)) as running:
            live = running.live

            async def watch() -> None:
                after = 0
                while True:
                    await live.wait("ops", after, 5)
                    last = (await ours.rooms.last_changes()).get("ops", 0)
                    if last > after:
                        after = last
                        heard.put_nowait(time.monotonic())

            watching = asyncio.create_task(watch())
            yield ours.rooms, theirs.rooms, heard
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)


async def test_a_page_hears_at_once_what_another_process_wrote(
    rooms: tuple[Rooms, Rooms, "asyncio.Queue[float]"],
) -> None:
    _, theirs, heard = rooms
    await theirs.say("ops", ANA, "begin", None, None)
    await asyncio.wait_for(heard.get(), 10)  # by now the first process listens
    delays = []
    for number in range(5):
        await asyncio.sleep(0.1)
        await theirs.say("ops", ANA, f"line {number}", None, None)
        said = time.monotonic()
        delays.append(await asyncio.wait_for(heard.get(), 10) - said)
    # The look from time to time comes each second: half of the lines would wait longer than this.
    assert sorted(delays)[2] < 0.3, delays


async def test_a_listener_that_lost_its_connection_listens_again(
    rooms: tuple[Rooms, Rooms, "asyncio.Queue[float]"], settings: Settings
) -> None:
    _, theirs, heard = rooms
    await theirs.say("ops", ANA, "begin", None, None)
    await asyncio.wait_for(heard.get(), 10)
    database = open_database(settings.database)
    listeners = sa.text(
        "SELECT pid FROM pg_stat_activity"
        " WHERE datname = current_database() AND query LIKE 'LISTEN parley_rooms%'"
    )

    def found() -> list[int]:
        return list(database.run(lambda c: c.execute(listeners).scalars().all()))

    await until(lambda: len(found()) == 1)
    [lost] = found()
    database.run(lambda c: c.execute(sa.text(f"SELECT pg_terminate_backend({lost})")).all())
    await until(lambda: len(found()) == 1 and found() != [lost])
    delays = []
    for number in range(5):
        await asyncio.sleep(0.1)
        await theirs.say("ops", ANA, f"line {number}", None, None)
        said = time.monotonic()
        delays.append(await asyncio.wait_for(heard.get(), 10) - said)
    database.close()
    assert sorted(delays)[2] < 0.3, delays
