"""kill -9 under load: what was acknowledged must be shown, and shown once.

    python -m tests.faults.kill --kills 20 --seed 1

Senders post over keep-alive connections, as SNS does: what was not acknowledged is sent again with
the same id, mostly; some of what was acknowledged is repeated all the same. The server is killed
at moments drawn from the seed and started again on the same data.
"""

import argparse
import asyncio
import random
import sqlite3
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from tests.gateway import TOPIC, alarm, custom
from tests.station import Station, envelope

ROOMS = ("orders", "payments", "search", "mail")
SENDERS = 48
PER_SECOND = 300.0
DRAIN_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Figures:
    """What became of a run. `uncertain` were never acknowledged and may be shown or not."""

    seed: int
    kills: int
    accepted: int
    uncertain: int
    delivered: int
    lost: int
    duplicates: int
    per_second: float
    seconds: float

    def __str__(self) -> str:
        """Return the figures in a line."""
        return (
            f"seed {self.seed}: {self.kills} kills, {self.accepted} accepted"
            f" ({self.per_second:.0f}/s while up), {self.uncertain} not acknowledged,"
            f" {self.delivered} delivered, {self.lost} lost, {self.duplicates} duplicates,"
            f" {self.seconds:.0f} s"
        )


@dataclass(slots=True)
class Load:
    """Senders that never rest, and what they were told."""

    station: Station
    chance: random.Random
    accepted: set[str] = field(default_factory=set)
    sent: set[str] = field(default_factory=set)
    alarms: set[str] = field(default_factory=set)
    stopping: bool = False
    next_at: float = 0.0

    async def run(self) -> None:
        """Send until told to stop."""
        connections = aiohttp.TCPConnector(limit=SENDERS)
        timeout = aiohttp.ClientTimeout(total=5)
        async with aiohttp.ClientSession(connector=connections, timeout=timeout) as session:
            senders = [self._send_on(session) for _ in range(SENDERS)]
            await asyncio.gather(*senders)

    async def _send_on(self, session: aiohttp.ClientSession) -> None:
        while not self.stopping:
            await self._turn()
            await self._send(session, *self._message())

    async def _turn(self) -> None:
        """Wait for the next moment of an even pace; pauses of the server are not made up for."""
        now = asyncio.get_running_loop().time()
        self.next_at = max(self.next_at + 1 / PER_SECOND, now - 0.05)
        await asyncio.sleep(max(0.0, self.next_at - now))

    def _message(self) -> tuple[str, bytes]:
        room = self.chance.choice(ROOMS)
        message_id = f"{self.chance.getrandbits(128):032x}"
        kind = self.chance.random()
        content: object = f"message {message_id}"
        if kind < 0.2:
            content = alarm(self.chance.choice(["ALARM", "OK"]), f"alarm-{kind * 20:.0f}")
        elif kind < 0.4:
            thread = {"threadId": f"thread-{kind * 20:.0f}"}
            content = custom(f"message {message_id}") | {"metadata": thread}
        event_id = f"sns:{TOPIC.format(room=room)}:{message_id}"
        self.sent.add(event_id)
        if isinstance(content, dict) and "AlarmName" in content:
            self.alarms.add(event_id)
        return room, envelope(room, content, message_id)

    async def _send(self, session: aiohttp.ClientSession, room: str, body: bytes) -> None:
        """Send until it is acknowledged, or give up; sometimes once more for nothing."""
        event_id = f"sns:{TOPIC.format(room=room)}:{_message_id(body)}"
        for _ in range(40):
            try:
                status = await self.station.post(session, body)
            except (aiohttp.ClientError, OSError, TimeoutError):
                status = 0
            if status == 200:
                self.accepted.add(event_id)
                if self.chance.random() < 0.95:
                    return
            elif self.stopping or self.chance.random() < 0.02:
                return
            else:
                await asyncio.sleep(0.1)


def _message_id(body: bytes) -> str:
    return body.partition(b'"MessageId": "')[2][:32].decode()


@dataclass(frozen=True, slots=True)
class Stored:
    """What the database holds at the end."""

    events: set[str]
    unfinished: set[str]
    shown: dict[str, int]
    doubled_changes: int
    gaps: int

    @staticmethod
    def read(data: Path) -> "Stored":
        """Read it as anybody could."""
        connection = sqlite3.connect(data / "parley.db")
        try:
            events = {row[0] for row in connection.execute("SELECT id FROM events")}
            unfinished = {
                row[0]
                for row in connection.execute(
                    "SELECT event_id FROM outbox WHERE state NOT IN ('sent', 'superseded')"
                    " UNION SELECT id FROM events WHERE id NOT IN (SELECT event_id FROM outbox)"
                )
            }
            # The head of an alarm carries the event that edited it last.
            counts = connection.execute(
                "SELECT event_id, count(*) FROM room_messages WHERE edited_at IS NULL GROUP BY 1"
            )
            shown = dict(counts.fetchall())
            [(changes,)] = connection.execute("SELECT count(*) FROM room_changes").fetchall()
            [(sent,)] = connection.execute("SELECT count(*) FROM outbox WHERE state = 'sent'")
            [(last,)] = connection.execute("SELECT sum(last_seq) FROM rooms").fetchall()
        finally:
            connection.close()
        return Stored(events, unfinished, shown, changes - sent, last - changes)


async def _until_drained(data: Path) -> None:
    end = time.monotonic() + DRAIN_SECONDS
    while time.monotonic() < end:
        connection = sqlite3.connect(data / "parley.db")
        [(pending,)] = connection.execute("SELECT count(*) FROM outbox WHERE state = 'pending'")
        connection.close()
        if not pending:
            return
        await asyncio.sleep(0.2)


async def killed(data: Path, kills: int, seed: int) -> Figures:
    """Run the load over so many kills; return the figures."""
    began, chance = time.monotonic(), random.Random(seed)  # noqa: S311 - chance of a test
    station = Station(data)
    topics = ", ".join(f'"{TOPIC.format(room=room)}"' for room in ROOMS)
    station.write_settings(f"[sns]\nunsigned_topics = [{topics}]\n")
    for room in ROOMS:
        station.add(room)
    load = Load(station, chance)
    await asyncio.to_thread(station.start)
    sending = asyncio.create_task(load.run())
    up = 0.0
    try:
        for _ in range(kills):
            life = 0.4 + chance.random() * 2
            await asyncio.sleep(life)
            up += life
            await asyncio.to_thread(station.kill)
            await asyncio.to_thread(station.start)
        load.stopping = True
        await sending
        await _until_drained(data)
        assert await asyncio.to_thread(station.stop) == 0
    finally:
        load.stopping = True
        await asyncio.to_thread(station.kill)
    stored = await asyncio.to_thread(Stored.read, data)
    unseen = {one for one in load.accepted - load.alarms if one not in stored.shown}
    lost = (load.accepted - stored.events) | stored.unfinished | unseen
    doubled = sum(count - 1 for count in stored.shown.values() if count > 1)
    return Figures(
        seed=seed,
        kills=kills,
        accepted=len(load.accepted),
        uncertain=len(load.sent - load.accepted),
        delivered=len(stored.events - stored.unfinished),
        lost=len(lost) + stored.gaps,
        duplicates=doubled + stored.doubled_changes,
        per_second=len(load.accepted) / up if up else 0.0,
        seconds=time.monotonic() - began,
    )


def main() -> int:
    """Run once; return 1 when something was lost or doubled."""
    parser = argparse.ArgumentParser(description="kill -9 under load")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))  # noqa: S311 - as above
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="parley-kill-") as folder:
        figures = asyncio.run(killed(Path(folder), options.kills, options.seed))
    sys.stdout.write(f"{figures}\n")
    return 1 if figures.lost or figures.duplicates else 0


if __name__ == "__main__":
    sys.exit(main())
