"""Senders that never rest, as SNS sends: what was not acknowledged is sent again, mostly.

What is sent is drawn from the seed and the number of the message, so that a seed sends the same
messages again however the machine schedules the senders.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import aiohttp

from tests.gateway import TOPIC, alarm, custom
from tests.station import envelope

SENDERS = 48
OK = 200


@dataclass(frozen=True, slots=True)
class Sent:
    """A message: its event, and a text that nothing else shows; an alarm has none."""

    event_id: str
    room: str
    text: str
    body: bytes


@dataclass(slots=True)
class Load:
    """The senders, and what they were told. `refused` counts the answers that were not 200."""

    seed: int
    post: Callable[[aiohttp.ClientSession, bytes], Awaitable[int]]
    rooms: Sequence[str]
    per_second: float
    most: int | None = None
    alarms: float = 0.2
    """The share of alarms; as much again are messages of threads."""
    accepted: dict[str, Sent] = field(default_factory=dict)
    posted_at: dict[str, float] = field(default_factory=dict)
    """When each was posted for the first time, by the loop's clock."""
    refused: int = 0
    stopping: bool = False
    number: int = 0
    next_at: float = 0.0

    async def run(self) -> None:
        """Send until told to stop, or as many as wanted."""
        connections = aiohttp.TCPConnector(limit=SENDERS)
        timeout = aiohttp.ClientTimeout(total=5)
        async with aiohttp.ClientSession(connector=connections, timeout=timeout) as session:
            await asyncio.gather(*(self._send_on(session) for _ in range(SENDERS)))

    @property
    def uncertain(self) -> int:
        """Return how many were sent and never acknowledged: they may be stored or not."""
        return len(self.posted_at) - len(self.accepted)

    async def _send_on(self, session: aiohttp.ClientSession) -> None:
        while not self.stopping and (self.most is None or self.number < self.most):
            self.number += 1
            chance = random.Random(f"{self.seed}/{self.number}")  # noqa: S311 - chance of a test
            await self._turn()
            await self._send(session, self.message(chance), chance)

    async def _turn(self) -> None:
        """Wait for the next moment of an even pace; pauses of the server are not made up for."""
        now = asyncio.get_running_loop().time()
        self.next_at = max(self.next_at + 1 / self.per_second, now - 0.05)
        await asyncio.sleep(max(0.0, self.next_at - now))

    def message(self, chance: random.Random) -> Sent:
        """Return a plain message, one of a thread, or an alarm's change."""
        room = chance.choice(self.rooms)
        message_id = f"{chance.getrandbits(128):032x}"
        kind, own = chance.random(), chance.randrange(4)
        text = f"message {message_id}"
        content: object = text
        if kind < self.alarms:
            content, text = alarm(chance.choice(["ALARM", "OK"]), f"alarm-{own}"), ""
        elif kind < 2 * self.alarms:
            content = custom(text) | {"metadata": {"threadId": f"thread-{own}-{self.number // 50}"}}
        event_id = f"sns:{TOPIC.format(room=room)}:{message_id}"
        return Sent(event_id, room, text, envelope(room, content, message_id))

    async def _send(
        self, session: aiohttp.ClientSession, sent: Sent, chance: random.Random
    ) -> None:
        """Send until it is acknowledged, or give up; sometimes once more for nothing."""
        self.posted_at.setdefault(sent.event_id, asyncio.get_running_loop().time())
        for _ in range(100):
            try:
                status = await self.post(session, sent.body)
            except (aiohttp.ClientError, OSError, TimeoutError):
                status = 0
            if status == OK:
                self.accepted[sent.event_id] = sent
                if chance.random() < 0.95:
                    return
                continue
            self.refused += 1
            if self.stopping or chance.random() < 0.02:
                return
            await asyncio.sleep(0.1)
