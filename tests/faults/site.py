"""A whole Parley for faults: the server, workers beside it, a Slack, and rooms with topics."""

import asyncio
import json
import random
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.contracts.slack_double import Fault, SlackDouble, slack_double
from tests.faults.load import Load
from tests.faults.oracle import Stored, read
from tests.gateway import TOPIC
from tests.station import PATIENCE, SLACK_TOKEN, Station, clean_environment

ODD = (sys.executable, str(Path(__file__).with_name("odd.py")))
ROOMS = ("orders", "payments", "search", "mail")
EVERY = 0.2


def channel_of(room: str) -> str:
    """Return the Slack channel that hears what a room hears."""
    return f"C0000{room.upper()}"


@dataclass(slots=True)
class Worker:
    """A `parley worker` that can be killed and paused."""

    station: Station
    name: str
    environment: dict[str, str]
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def log(self) -> Path:
        """Return where it writes what happens to it."""
        return self.station.data / f"{self.name}.log"

    def start(self) -> None:
        """Start it; it is ready some time later."""
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                [*self.station.program, "worker", "--data", str(self.station.data)],
                stdout=out,
                stderr=subprocess.STDOUT,
                env=clean_environment(**self.environment),
            )

    def ready(self) -> bool:
        """Return whether it has said that it is ready."""
        return b"ready" in self.log.read_bytes()

    @property
    def pid(self) -> int:
        """Return its process id."""
        assert self.process
        return self.process.pid

    def kill(self) -> None:
        """End it without a word."""
        if self.process:
            self.process.kill()
            self.process.wait(PATIENCE)


@dataclass(slots=True)
class Site:
    """Everything of one run. `ends` are the moments of kills and pauses."""

    seed: int
    slack: SlackDouble
    station: Station
    load: Load
    url: str
    environment: dict[str, str]
    workers: list[Worker] = field(default_factory=list)
    ends: list[float] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    async def start(self) -> None:
        """Start the server and the workers; wait until they are ready."""
        await asyncio.to_thread(lambda: self.station.start(**self.environment))
        for worker in self.workers:
            worker.start()
        async with asyncio.timeout(PATIENCE):
            while not all(worker.ready() for worker in self.workers):  # noqa: ASYNC110 - they say it
                await asyncio.sleep(EVERY)

    async def drained(self, seconds: float) -> Stored:
        """Wait until nothing waits any more, or so long; return what is stored."""
        end = time.monotonic() + seconds
        while True:
            stored = await asyncio.to_thread(read, self.url)
            if not stored.unfinished or time.monotonic() > end:
                return stored
            await asyncio.sleep(EVERY)

    def end(self) -> None:
        """Kill whatever runs."""
        self.load.stopping = True
        for worker in self.workers:
            worker.kill()
        self.station.kill()

    def seconds(self) -> float:
        """Return how long the run has taken."""
        return time.monotonic() - self.began


@asynccontextmanager
async def site(
    data: Path,
    seed: int,
    *,
    database: str = "",
    workers: int = 0,
    lease: float | None = None,
    patience: float | None = None,
    rooms: tuple[str, ...] = ROOMS,
    rate: float = 150.0,
    most: int | None = None,
    slack: SlackDouble | None = None,
    local: bool = True,
    station: Station | None = None,
    **environment: str,
) -> AsyncIterator[Site]:
    """Yield a Parley that is set up and not started; at the end everything is killed."""
    station = station or Station(data, ODD)
    slack = slack or SlackDouble()
    slack.channels = {channel_of(room) for room in rooms}
    slack.page = 200
    if lease:
        environment["FAULT_LEASE"] = str(lease)
    if patience:
        environment["FAULT_PATIENCE"] = str(patience)
    async with slack_double(slack):
        topics = json.dumps([TOPIC.format(room=room) for room in rooms])
        station.write_settings(
            (f'database = "{database}"\n' if database else "")
            + f"[sns]\nunsigned_topics = {topics}\n"
            + f'[slack]\nbot_token = "{SLACK_TOKEN}"\nbase_url = "{slack.url}"\n'
            + "per_second = 1000\n"
        )
        for room in rooms:
            if local:
                station.add(room)
            words = ("--platform", "slack", "--channel", channel_of(room))
            station.add(f"slack-{room}", *words, topic=room)
        url = database or f"sqlite:///{station.data / 'parley.db'}"
        load = Load(seed, station.post, rooms, rate, most)
        made = Site(seed, slack, station, load, url, environment)
        made.workers = [
            Worker(station, f"worker-{number}", environment) for number in range(workers)
        ]
        try:
            yield made
        finally:
            await asyncio.to_thread(made.end)


def busy(slack: SlackDouble, seed: int, most: float = 0.02, failing: float = 0.05) -> None:
    """Let the sink take a little time for each call, so that faults find calls in flight.

    A share of the calls fails, so that retries are on their way, too.
    """
    chance = random.Random(f"{seed}/sink")  # noqa: S311 - chance of a test

    def choose(_method: str, _content: object) -> Fault:
        delay = chance.random() * most
        if chance.random() < failing:
            return Fault("internal_error", 500, delay=delay)
        return Fault(delay=delay, right=True)

    slack.choose = choose
