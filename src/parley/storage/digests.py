"""Digests on a database: each step takes in, says, ends or releases in one transaction.

Everything that a step needs is in the database, and a step that was done is not done again: a
worker may end between any two of them, and whoever leases the channel next goes on.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from parley.events.digest_message import digest_message
from parley.events.digests import Digest, Seen, taking_in
from parley.events.services import service_name
from parley.events.threads import ALARM, Head
from parley.kernel.message_json import from_json, to_json
from parley.kernel.ports.digests import Step, Terms, Weather
from parley.kernel.ports.outbox import Lease
from parley.storage import digest_sql as sql
from parley.storage.clock import from_ms, in_ms
from parley.storage.database import Database
from parley.storage.ids import Ids
from parley.storage.outbox_sql import HOLD
from parley.storage.rows import index_key, lease_values, time_now
from parley.storage.schema import digests, heads, outbox

PORTION = 500
"""Events that one step takes in at most: a step must not hold up other writers for long."""

_MARKS_AT_ONCE = 5000
_LOOKED_AT = 100
"""More alarms than may be released: those that are OK by now are owed nothing."""

_NOTHING: Mapping[str, int] = {}


class StoredDigests:
    """Digests on a database. See `parley.kernel.ports.digests.Digests`."""

    def __init__(
        self, database: Database, ids: Ids, pages_url: str, portion: int = PORTION
    ) -> None:
        """Take where people open the pages, and how many events a step takes in at most."""
        self._database = database
        self._ids = ids
        self._pages = pages_url.rstrip("/")
        self._portion = portion

    async def weather(self, lease: Lease, most: int) -> Weather:
        """See `Digests.weather`."""
        return await self._database.read(lambda c: _weather(c, lease, most))

    async def advance(self, lease: Lease, terms: Terms) -> Step | None:
        """See `Digests.advance`."""

        def step(connection: sa.Connection) -> Step | None:
            if connection.execute(HOLD, lease_values(lease)).first() is None:
                return None
            return _Channel(
                connection, self._ids, lease.destination_id, self._pages, terms
            ).advance(self._portion)

        return await self._database.write(step)

    async def unreachable(self, lease: Lease) -> None:
        """See `Digests.unreachable`."""
        await self._database.write(lambda c: c.execute(sql.UNREACHABLE, lease_values(lease)))


def _weather(connection: sa.Connection, lease: Lease, most: int) -> Weather:
    here = {"destination": lease.destination_id}
    rows = connection.execute(sql.WEATHER, here).all()
    known = [row for row in rows if row.digest_id is not None]
    down = rows[0].down if rows else None
    posts = int(connection.execute(sql.CROWD, {**here, "most": most + 1}).scalar_one())
    if known or down is not None or posts > most:
        # Only now it matters how many of them would be messages of their own.
        posts = int(connection.execute(sql.WAITING, {**here, "most": most + 1}).scalar_one())
    return Weather(
        posts=posts,
        down=None if down is None else timedelta(milliseconds=down),
        open=any(row.digest_state == "open" for row in known),
        due=any(row.is_due for row in known),
        waiting=bool(known),
    )


@dataclass(slots=True)
class _Storm:
    """An open digest as this transaction has it."""

    id: int
    content: Digest
    opened_at: int
    last_event_at: int
    unsaid: bool
    """Whether the content says more than the message that was written last."""

    @property
    def own_event(self) -> str:
        """Return the event id under which its own deliveries are kept."""
        return f"digest:{self.id}"


@dataclass(frozen=True, slots=True)
class _Channel:
    """One leased channel in one transaction."""

    connection: sa.Connection
    ids: Ids
    destination_id: int
    pages: str
    terms: Terms

    def advance(self, portion: int) -> Step:
        """See `Digests.advance`."""
        now = time_now(self.connection)
        storm = self._open()
        shown = storm is None or self._is_shown(storm)
        taken, more = _NOTHING, False
        if storm is not None or self.terms.opening:
            wanted = self._read(sql.NEXT_EVENTS, most=portion).scalars().all()
            more = len(wanted) == portion
            if wanted:
                storm, taken = self._take_in(storm, wanted, now)
        if storm is not None:
            self._go_on(storm, now, more=more)
        self._settle(now)
        return Step(taken, more, shown)

    def _read(self, statement: Any, **values: Any) -> sa.CursorResult[Any]:
        return self.connection.execute(statement, {"destination": self.destination_id, **values})

    def _open(self) -> _Storm | None:
        row = self._read(sql.OPEN).first()
        if row is None:
            return None
        quiet_at = row.last_event_at + in_ms(self.terms.quiet)
        return _Storm(
            id=row.id,
            content=Digest.from_json(row.content),
            opened_at=row.opened_at,
            last_event_at=row.last_event_at,
            # What is due before the end is an edit that waited for its time.
            unsaid=row.due_at is None or row.due_at < quiet_at,
        )

    def _take_in(
        self, storm: _Storm | None, wanted: Sequence[str], now: int
    ) -> tuple[_Storm, Mapping[str, int]]:
        rows = self._read(sql.OF_EVENTS, wanted=list(dict.fromkeys(wanted))).all()
        by_event: dict[str, list[Any]] = {}
        for row in rows:
            by_event.setdefault(row.event_id, []).append(row)
        if storm is None:
            storm = self._begin(rows[0].configuration, now)
        storm.content = taking_in(storm.content, (_seen(steps) for steps in by_event.values()))
        storm.last_event_at = max(storm.last_event_at, *(row.created_at for row in rows))
        storm.unsaid = True
        self.connection.execute(
            sql.TAKE_IN, {"wanted": [row.id for row in rows], "digest": storm.id}
        )
        return storm, Counter(steps[0].configuration for steps in by_event.values())

    def _begin(self, configuration: str, now: int) -> _Storm:
        """Open a digest. Its own head is none of a thread: no event ever continues it."""
        storm = _Storm(self.ids.next(), Digest(), now, 0, unsaid=True)
        message = to_json(digest_message(storm.content, "", over=False))
        self.connection.execute(
            sa.insert(digests).values(
                id=storm.id,
                destination_id=self.destination_id,
                content=storm.content.to_json(),
                opened_at=now,
                last_event_at=0,
            )
        )
        self.connection.execute(
            sa.insert(heads).values(
                id=storm.id,
                destination_id=self.destination_id,
                thread_key=storm.own_event,
                latest=False,
                state=Head().to_json(),
                message=message,
                updated_at=now,
            )
        )
        self._add(storm, 0, configuration, message, now)
        return storm

    def _go_on(self, storm: _Storm, now: int, *, more: bool) -> None:
        """Write what is to be said now, and when the digest has to be looked at again."""
        own = self._own(storm)
        waits = own.state == "pending"
        down = self._notice_outage(storm, now) and waits
        self._read(sql.COLLAPSE_REPLIES)
        quiet_at = storm.last_event_at + in_ms(self.terms.quiet)
        # Between two edits lies a while; what was not sent yet is changed in place.
        free_at = now if waits else (own.done_at or 0) + in_ms(self.terms.every)
        free = now >= free_at
        if free and not more and not down and (now >= quiet_at or self._is_calm(storm, now)):
            self._end(storm, own, now)
            return
        if storm.unsaid and free:
            self._say(storm, own, now, over=False)
        if more:
            due_at = now
        elif down:
            due_at = now + in_ms(self.terms.every)
        else:
            due_at = free_at if storm.unsaid and not free else max(free_at, quiet_at)
        self._keep(storm, due_at)

    def _notice_outage(self, storm: _Storm, now: int) -> bool:
        """Put into the content from when to when the channel could not be reached."""
        since = self._read(sql.DOWN_SINCE).scalar_one()
        content = storm.content
        if since is not None:
            if now - since >= in_ms(self.terms.down) and (
                content.down_from is None or content.down_until is not None
            ):
                begun = content.down_from or from_ms(since)
                storm.content = replace(content, down_from=begun, down_until=None)
                storm.unsaid = True
            return True
        if content.down_from is not None and content.down_until is None:
            storm.content = replace(content, down_until=from_ms(now))
            storm.unsaid = True
        return False

    def _is_calm(self, storm: _Storm, now: int) -> bool:
        """Whether a storm of some age has become what the channel carries without a digest."""
        if now - storm.opened_at < in_ms(self.terms.longest):
            return False
        values = {"within_ms": in_ms(self.terms.quiet), "most": self.terms.calm + 1}
        recent = self._read(sql.RECENT, digest=storm.id, **values).scalar_one()
        return int(recent) <= self.terms.calm

    def _end(self, storm: _Storm, own: Any, now: int) -> None:
        """Say the last word. Alarms that are in ALARM are owed messages of their own."""
        owed: dict[int, int] = {}
        for row in self._read(sql.SHOWN_HEADS, digest=storm.id):
            if Head.from_json(row.state).state == ALARM:
                owed.setdefault(row.head_id, row.id)
        marks = list(owed.values())
        for start in range(0, len(marks), _MARKS_AT_ONCE):
            self._read(sql.OWE, wanted=marks[start : start + _MARKS_AT_ONCE])
        self._say(storm, own, now, over=True, owed=len(owed))
        self._keep(storm, now, state="closed", closed_at=now)

    def _keep(self, storm: _Storm, due_at: int, **values: Any) -> None:
        self.connection.execute(
            sa.update(digests)
            .where(digests.c.id == storm.id)
            .values(
                content=storm.content.to_json(),
                last_event_at=storm.last_event_at,
                due_at=due_at,
                **values,
            )
        )

    def _say(self, storm: _Storm, own: Any, now: int, *, over: bool, owed: int = 0) -> None:
        url = f"{self.pages}/digests/{storm.id}"
        message = to_json(digest_message(storm.content, url, over=over, owed=owed))
        # One that a worker may have sent before it died is perhaps only looked up, not sent again.
        if own.state == "pending" and not own.possible_duplicate:
            change = sa.update(outbox).where(outbox.c.id == own.id).values(message=message)
            self.connection.execute(change)
        else:
            self._add(storm, own.step + 1, own.configuration, message, now)
        shown = sa.update(heads).where(heads.c.id == storm.id)
        self.connection.execute(shown.values(message=message, updated_at=now))

    def _add(self, storm: _Storm, step: int, configuration: str, message: str, now: int) -> None:
        self.connection.execute(
            sa.insert(outbox).values(
                id=self.ids.next() if step else storm.id,
                event_id=storm.own_event,
                destination_id=self.destination_id,
                step=step,
                configuration=configuration,
                action="edit" if step else "post",
                head_id=storm.id,
                message=message,
                due_at=now,
                created_at=now,
                digest_id=storm.id,
            )
        )

    def _own(self, storm: _Storm) -> Any:
        return self._read(sql.OWN_LAST, own_event=storm.own_event).one()

    def _is_shown(self, storm: _Storm) -> bool:
        return not storm.unsaid and self._own(storm).state == "sent"

    def _settle(self, now: int) -> None:
        """Let as many alarms have their messages as the channel has room for beside the rest."""
        settling = self._read(sql.SETTLING).scalars().all()
        if not settling:
            return
        leading = int(self._read(sql.LEADING).scalar_one())
        room = max(0, self.terms.owed_at_once - leading)
        owed = self._read(sql.OWED, most=room + _LOOKED_AT).all()
        still = [row for row in owed if not row.handle and Head.from_json(row.state).state == ALARM]
        if over := [row.id for row in owed if row not in still]:
            self._read(sql.SETTLE, wanted=over)
        if now_posted := still[:room]:
            self.connection.execute(
                sql.RELEASE, [{"delivery": row.id, "shown": row.message} for row in now_posted]
            )
        busy = bool(owed) or leading > 0
        due_at = now + in_ms(self.terms.every) if busy else None
        self.connection.execute(
            sa.update(digests).where(digests.c.id.in_(settling)).values(due_at=due_at)
        )


def _seen(steps: Sequence[Any]) -> Seen:
    """Return an event as the digest takes it.

    Of an alarm the post or the edit says the most, of another thread the reply.
    """
    row = steps[0]
    alarm = bool(row.head_state and Head.from_json(row.head_state).state)
    preferred = "edit" if alarm else "reply"
    row = next((one for one in steps if one.action in {"post", preferred}), row)
    message = from_json(row.message)
    received = from_ms(row.created_at)
    source = "CloudWatch alarms" if alarm else service_name(row.source or "")
    return Seen(
        subject=row.thread_key or index_key(f"{row.source}\n{message.title.text}"),
        alarm=alarm,
        source=source,
        title=message.title.text,
        tone=message.tone,
        state=message.state,
        context=message.context,
        at=message.at or received,
        received=received,
    )
