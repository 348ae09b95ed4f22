"""Parley at work in a process of its own, and what can be seen of it from outside."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp

from parley.cli import main
from parley.kernel.incoming import Person
from parley.kernel.messages import plain_title
from parley.kernel.ports.rooms import Posted
from parley.observe import SystemClock
from parley.storage.database import open_database
from parley.storage.ids import Ids
from parley.storage.rooms import StoredRooms
from tests.databases import sqlite_copy
from tests.gateway import TOPIC, sns_time

PATIENCE = 20.0
PROGRAM = (sys.executable, "-m", "parley")
SLACK_TOKEN = "xoxb-1-test-token"


def clean_environment(**more: str) -> dict[str, str]:
    """Return this process's environment without any setting of Parley's or of AWS's."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PARLEY_", "AWS_"))
    }
    return kept | more


def parley(
    *words: str, environment: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run one command of the command line to its end."""
    return subprocess.run(
        [*PROGRAM, *words],
        env=clean_environment(**(environment or {})),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def envelope(room: str, message: object, message_id: str = "", subject: str = "") -> bytes:
    """Return what an emulator of SNS posts for a message to the room's topic."""
    body = {
        "Type": "Notification",
        "MessageId": message_id or str(uuid4()),
        "TopicArn": TOPIC.format(room=room),
        "Message": message if isinstance(message, str) else json.dumps(message),
        "Timestamp": sns_time(),
    }
    return json.dumps(body | ({"Subject": subject} if subject else {})).encode()


class Station:
    """`parley serve` on a data folder. `url` is known once it is ready."""

    def __init__(self, data: Path, program: Sequence[str] = PROGRAM) -> None:
        self.data = data
        self.program = program
        self.url = ""
        self.link = ""
        self.log = data / "serve.log"
        self._process: subprocess.Popen[bytes] | None = None
        data.mkdir(parents=True, exist_ok=True)
        sqlite_copy(data)

    def write_settings(self, text: str) -> None:
        """Write `parley.toml`."""
        (self.data / "parley.toml").write_text(text)

    def parley(self, *words: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        """Run a command on the same data."""
        ended = parley(*words, "--data", str(self.data))
        assert ended.returncode == 0 or not check, ended.stderr
        return ended

    def add(self, name: str, *more: str, topic: str = "") -> None:
        """Add a configuration for the topic of that name, without the cost of a process."""
        words = ["configurations", "add", name, "--topic", TOPIC.format(room=topic or name), *more]
        words += ["--data", str(self.data)]
        # A loop may be running in this thread; and what a command prints is of no interest here.
        with ThreadPoolExecutor(1) as thread, redirect_stdout(StringIO()):
            assert thread.submit(main, words).result() == 0

    def start(self, **environment: str) -> float:
        """Start the server and wait until it is ready; return the seconds that it took."""
        began = time.monotonic()
        with self.log.open("wb") as out:
            self._process = subprocess.Popen(
                [
                    *(*self.program, "serve"),
                    *("--data", str(self.data), "--listen", "127.0.0.1:0"),
                ],
                stdout=out,
                stderr=subprocess.STDOUT,
                env=clean_environment(**environment),
            )
        while "Another link later" not in self.log.read_text():
            if self._process.poll() is not None or time.monotonic() - began > PATIENCE:
                self.kill()
                raise AssertionError(f"parley serve did not start:\n{self.log.read_text()}")
            time.sleep(0.01)
        took = time.monotonic() - began
        words = self.log.read_text().split()
        self.url = words[words.index("ready:") + 1]
        self.link = next(word for word in words if "/sign-in?token=" in word)
        return took

    @property
    def pid(self) -> int:
        """Return the server's process id."""
        assert self._process
        return self._process.pid

    def terminate(self) -> None:
        """Ask the server to stop."""
        assert self._process
        self._process.send_signal(signal.SIGTERM)

    def stop(self) -> int:
        """Ask the server to stop; return its exit status."""
        assert self._process
        self.terminate()
        return self._process.wait(PATIENCE)

    def kill(self) -> None:
        """End the server without a word."""
        if self._process:
            self._process.kill()
            self._process.wait(PATIENCE)

    def wait(self) -> int:
        """Wait for the server's end; return its exit status."""
        assert self._process
        return self._process.wait(PATIENCE)

    async def post(self, session: aiohttp.ClientSession, body: bytes, **headers: str) -> int:
        """Post to the SNS endpoint; return the status."""
        address = f"{self.url}/ingest/sns"
        async with session.post(address, data=body, headers=headers) as answer:
            await answer.read()
            return answer.status

    async def get(self, path: str, **headers: str) -> tuple[int, str]:
        """Get a page; return its status and text."""
        async with (
            aiohttp.ClientSession() as session,
            session.get(self.url + path, headers=headers) as answer,
        ):
            return answer.status, await answer.text()

    async def room(self, name: str) -> list[Posted]:
        """Return the heads of a room, oldest first."""
        return list(await self._read(lambda rooms: rooms.history(name, None, 10_000)))

    async def thread(self, head: Posted) -> list[str]:
        """Return the replies to a head, in a line each."""
        found: Sequence[Posted] = await self._read(lambda rooms: rooms.thread(head.id))
        return lines(found[1:])

    async def changes(self, name: str) -> list[int]:
        """Return the numbers of all changes of a room."""
        found = await self._read(lambda rooms: rooms.changes(name, 0, 100_000))
        return [one.seq for one in found]

    async def names(self) -> list[str]:
        """Return the names of the rooms."""
        found = await self._read(lambda rooms: rooms.list(Person("tests", "tests")))
        return [one.name for one in found]

    async def until_room(self, name: str, wanted: Callable[[list[Posted]], bool]) -> list[Posted]:
        """Wait until a room is as wanted; return its heads."""
        end = time.monotonic() + PATIENCE
        while not wanted(found := await self.room(name)):
            assert time.monotonic() < end, f"{name} shows {lines(found)}"
            await asyncio.sleep(0.05)
        return found

    async def _read(self, look: Callable[[StoredRooms], Any]) -> Any:
        database = open_database(f"sqlite:///{self.data / 'parley.db'}")
        try:
            return await look(StoredRooms(database, Ids(SystemClock())))
        finally:
            await asyncio.to_thread(database.close)


def lines(posted: Sequence[Posted]) -> list[str]:
    """Return messages in a line each."""
    return [plain_title(one.message) if one.message else one.text for one in posted]


@asynccontextmanager
async def running(station: Station, **environment: str) -> AsyncIterator[aiohttp.ClientSession]:
    """Run the server for as long as the block lasts; yield a session for calls to it."""
    await asyncio.to_thread(station.start, **environment)
    try:
        async with aiohttp.ClientSession() as session:
            yield session
    finally:
        await asyncio.to_thread(station.kill)


async def until(wanted: Callable[[], bool], what: str = "") -> None:
    """Wait until something is so."""
    end = time.monotonic() + PATIENCE
    while not wanted():
        assert time.monotonic() < end, what or "it did not happen"
        await asyncio.sleep(0.02)
