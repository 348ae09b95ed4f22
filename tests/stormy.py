"""A channel of Slack whose storms are taken step by step, and what people would see of it."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from parley.kernel.message_json import from_json
from parley.kernel.messages import Bullets, Message, Text
from parley.kernel.ports.digests import Step, Terms
from parley.kernel.ports.inbox import Arrival
from parley.kernel.ports.outbox import Delivery, Lease
from parley.storage.database import Database
from parley.storage.digests import StoredDigests
from parley.storage.ids import Ids
from parley.storage.inbox import store
from parley.storage.outbox import StoredOutbox
from parley.storage.schema import destinations, digests, outbox
from tests.arrivals import SLACK, alarm

MINUTE = timedelta(minutes=1)
TERMS = Terms(
    opening=True,
    every=timedelta(seconds=5),
    quiet=MINUTE,
    longest=timedelta(minutes=10),
    calm=5,
    down=timedelta(seconds=30),
    owed_at_once=2,
)
LATER = replace(TERMS, opening=False)
"""No digest is opened any more."""


class Channel:
    """One channel under one lease, with what people would see of it."""

    def __init__(self, database: Database, ids: Ids) -> None:
        """Keep what is given."""
        self.database = database
        self.ids = ids
        self.outbox = StoredOutbox(database, ids, MINUTE)
        self.digests = StoredDigests(database, ids, "https://parley.example/")
        self.sent: list[str] = []

    def put(self, *arrivals: Arrival) -> None:
        """Store what arrived, one transaction each."""
        for one in arrivals:
            self.database.run(lambda c, one=one: store(c, [one], self.ids, 10 * MINUTE))  # type: ignore[misc]

    async def lease(self, owner: str = "me") -> Lease:
        """Lease the channel."""
        [one] = await self.outbox.claim(owner, 10)
        return one

    async def step(self, lease: Lease, terms: Terms = LATER, portion: int = 500) -> Step:
        """Let the digests of the channel go one step."""
        storms = StoredDigests(self.database, self.ids, "https://parley.example/", portion)
        step = await storms.advance(lease, terms)
        assert step is not None
        return step

    async def send(self, lease: Lease) -> list[str]:
        """Send everything that may be sent; return it as `action title`."""
        now: list[str] = []
        while waiting := await self.outbox.pending(lease, 100):
            for one in waiting:
                assert await self.outbox.delivered(lease, one, f"C:{one.id}", 1.0)
                now.append(line(one))
        self.sent += now
        return now

    def passes(self, time: timedelta) -> None:
        """Let time pass: everything that was happened that much earlier."""
        ms = int(time.total_seconds() * 1000)
        places = [
            (outbox, ("created_at", "due_at", "done_at")),
            (digests, ("opened_at", "last_event_at", "due_at")),
            (destinations, ("down_since",)),
        ]
        for table, columns in places:
            values = {name: table.c[name] - ms for name in columns}
            self.database.run(lambda c, t=table, v=values: c.execute(sa.update(t).values(v)))  # type: ignore[misc]

    def rows(self) -> Sequence[Any]:
        """Return all deliveries, in order."""
        query = sa.select(outbox).order_by(outbox.c.id)
        return self.database.run(lambda c: c.execute(query).all())

    def states(self) -> list[str]:
        """Return `action state` of the deliveries of events, in order."""
        rows = (one for one in self.rows() if not one.event_id.startswith("digest:"))
        return [f"{one.action} {one.state}" for one in rows]

    def digest(self) -> Any:
        """Return the newest digest."""
        query = sa.select(digests).order_by(digests.c.id.desc())
        return self.database.run(lambda c: c.execute(query).first())

    def says(self) -> Message:
        """Return what the newest digest says now."""
        of_digest = [one for one in self.rows() if one.head_id == self.digest().id]
        return from_json(of_digest[-1].message)


def line(delivery: Delivery) -> str:
    """Return a delivery as `action title`; how long a storm took depends on the machine."""
    title = re.sub(r"(notifications) (at once|in .*)", r"\1", delivery.message.title.text)
    return f"{delivery.action} {title}"


def bullets(message: Message) -> list[str]:
    """Return the points of a message."""
    lists = [one for one in message.blocks if isinstance(one, Bullets)]
    return [item.text for one in lists for item in one.items]


def texts(message: Message) -> str:
    """Return the paragraphs of a message."""
    return " ".join(one.text for one in message.blocks if isinstance(one, Text))


def bad(name: str, state: str = "ALARM", minute: float = 0) -> Arrival:
    """Return an alarm's change in the tone that it has."""
    one = alarm(state, minute, SLACK, name)
    tone = {"ALARM": "bad", "OK": "good"}[state]
    way = one.routes[0]
    return replace(one, tone=tone, routes=(replace(way, message=_toned(way.message, tone)),))


def _toned(message: Message, tone: str) -> Message:
    return replace(message, tone=type(message.tone)(tone))
