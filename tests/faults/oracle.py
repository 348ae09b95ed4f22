"""What must be true at the end of every fault, told from the database and from the sink.

Accepted and lost is none: each event that was acknowledged has its deliveries, each delivery has
come to an end, and what is said to be sent is there. Accepted and doubled in the sink is counted
by the key that every message carries, and each must be marked as a possible duplicate.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from typing import Any

import sqlalchemy as sa

from parley.storage.database import open_database
from parley.storage.schema import destinations, events, outbox, room_changes, room_messages, rooms
from tests.contracts.slack_double import Posted, SlackDouble
from tests.faults.load import Sent

ENDED = frozenset({"sent", "superseded", "digested", "dead"})
LATE = 0.5
"""Seconds for which the sink may be behind a kill: it reads what was sent before."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table of figures. `good` is whether everything is as promised."""

    fault: str
    seed: int
    accepted: int
    refused: int
    delivered: int
    duplicates: int
    dead: int
    lost: int
    seconds: float
    wrong: tuple[str, ...] = ()
    note: str = ""

    @property
    def good(self) -> bool:
        """Whether nothing is wrong."""
        return not self.lost and not self.wrong

    def __str__(self) -> str:
        """Return the row of a table in Markdown."""
        cells = [self.fault, self.seed, self.accepted, self.refused, self.delivered]
        cells += [self.duplicates, self.dead, self.lost, f"{self.seconds:.0f}"]
        said = "; ".join([*([self.note] if self.note else []), *self.wrong])
        return " | ".join(["", *map(str, cells), said, ""]).strip()

    @staticmethod
    def heading() -> str:
        """Return the head of the table."""
        names = [one.name for one in fields(Row) if one.name not in {"wrong", "note"}]
        line = " | ".join(["", *names, "note", ""]).strip()
        return f"{line}\n{'|---' * (len(names) + 1)}|"


@dataclass(frozen=True, slots=True)
class Step:
    """A delivery as the database has it."""

    id: int
    event_id: str
    place: str
    action: str
    state: str
    handle: str
    maybe_twice: bool


@dataclass(frozen=True, slots=True)
class Stored:
    """What the database holds. `gaps` and `doubled` are changes of rooms that miss or repeat."""

    events: frozenset[str]
    steps: Sequence[Step]
    shown: Counter[str]
    gaps: int
    doubled: int

    @property
    def unfinished(self) -> int:
        """Return how many deliveries have not come to an end."""
        return sum(step.state not in ENDED for step in self.steps)


def read(url: str) -> Stored:
    """Read a database as anybody could."""
    database = open_database(url)
    try:
        return database.run(_read)
    finally:
        database.close()


def _read(connection: sa.Connection) -> Stored:
    joined = outbox.join(destinations, destinations.c.id == outbox.c.destination_id)
    columns = (
        outbox.c.id,
        outbox.c.event_id,
        destinations.c.platform + ":" + destinations.c.channel,
        outbox.c.action,
        outbox.c.state,
        outbox.c.handle,
        outbox.c.possible_duplicate,
    )
    steps = [Step(*row) for row in connection.execute(sa.select(*columns).select_from(joined))]
    count = sa.func.count()
    [changes] = connection.execute(sa.select(count).select_from(room_changes)).scalars()
    [last] = connection.execute(sa.select(sa.func.sum(rooms.c.last_seq))).scalars()
    # The head of an alarm carries the event that edited it last.
    shown = sa.select(room_messages.c.event_id, count).where(room_messages.c.edited_at.is_(None))
    local = sum(step.state == "sent" and step.place.startswith("local:") for step in steps)
    return Stored(
        events=frozenset(connection.execute(sa.select(events.c.id)).scalars()),
        steps=steps,
        shown=Counter(
            {row[0]: row[1] for row in connection.execute(shown.group_by(room_messages.c.event_id))}
        ),
        gaps=int(last or 0) - changes,
        doubled=changes - local,
    )


def key_of(posted: Posted) -> int:
    """Return the id of the delivery that posted a message."""
    return int(posted.content["metadata"]["event_payload"]["id"])


def judge(
    row: dict[str, Any],
    stored: Stored,
    accepted: Collection[Sent],
    slack: SlackDouble | None,
    ends: Sequence[float] = (),
) -> Row:
    """Return the figures. `ends` are the moments at which a worker was killed or paused."""
    lost = [one for one in accepted if one.event_id not in stored.events]
    planned = {step.event_id for step in stored.steps}
    lost += [one for one in accepted if one.event_id not in planned]
    in_rooms = {step.event_id for step in stored.steps if step.place.startswith("local:")}
    unseen = [
        one
        for one in accepted
        if one.text and one.event_id in in_rooms and not stored.shown[one.event_id]
    ]
    wrong = _wrong_in_rooms(stored)
    doubled = 0
    missing: list[Step] = []
    if slack is not None:
        found = Counter(key_of(one) for one in slack.messages)
        missing = _missing(stored, slack, found)
        doubles = {key for key, times in found.items() if times > 1}
        doubled = sum(found[key] - 1 for key in doubles)
        wrong += _wrong_doubles(stored, slack, doubles, ends)
    states = Counter(step.state for step in stored.steps)
    known = {one.event_id for one in accepted}
    done = {step.event_id for step in stored.steps if step.state in ENDED}
    return Row(
        **row,
        accepted=len(accepted),
        delivered=len(known & done),
        duplicates=doubled,
        dead=states["dead"],
        lost=len(lost) + len(unseen) + len(missing) + stored.unfinished + stored.gaps,
        wrong=tuple(wrong),
    )


def _wrong_in_rooms(stored: Stored) -> list[str]:
    twice = [event for event, times in stored.shown.items() if event and times > 1]
    wrong = [f"{len(twice)} shown twice in a room"] if twice else []
    return [*wrong, *([f"{stored.doubled} changes of rooms too many"] if stored.doubled else [])]


def _missing(stored: Stored, slack: SlackDouble, found: Counter[int]) -> list[Step]:
    """Return the deliveries that are said to be sent, and are not in the sink."""
    there = {f"{one.channel}:{one.ts}" for one in slack.messages}
    return [
        step
        for step in stored.steps
        if step.state == "sent" and step.place.startswith("slack:")
        if step.handle not in there or (step.action != "edit" and not found[step.id])
    ]


def _wrong_doubles(
    stored: Stored, slack: SlackDouble, doubles: set[int], ends: Sequence[float]
) -> list[str]:
    """Say which duplicates break the promise: one per channel and end of a worker, marked."""
    marked = {step.id for step in stored.steps if step.maybe_twice}
    wrong = [f"{len(doubles - marked)} doubles not marked"] if doubles - marked else []
    first: dict[int, Posted] = {}
    for one in slack.messages:
        first.setdefault(key_of(one), one)
    causes = Counter((first[key].channel, _end_after(first[key].at, ends)) for key in doubles)
    crowded = [cause for cause, times in causes.items() if times > 1 or cause[1] is None]
    return [*wrong, *([f"more than one double for {crowded}"] if ends and crowded else [])]


def _end_after(moment: float, ends: Sequence[float]) -> int | None:
    return next((number for number, end in enumerate(ends) if end >= moment - LATE), None)
