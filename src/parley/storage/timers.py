"""Durable timers: rows that are leased one by one, as destinations are.

Every write of who does one is conditional on state, owner and epoch. Setting a timer anew adds one
to its epoch, too, so that a handler at work on the old one ends nothing.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from parley.kernel.ports.timers import Timer
from parley.storage.clock import from_ms, in_ms, now_ms
from parley.storage.database import Database
from parley.storage.ids import Ids
from parley.storage.records import Records
from parley.storage.rows import index_key, insert, storable
from parley.storage.schema import STATE_PENDING, timers

_End = tuple[Timer, timedelta | None]
_MOST_AT_WORK = 100_000


class StoredTimers:
    """Timers on a database. See `parley.kernel.ports.timers.Timers`."""

    def __init__(self, database: Database, ids: Ids, lease: timedelta) -> None:
        """Take how long a lease lasts when it is not renewed."""
        self._database = database
        self._ids = ids
        self._lease_ms = in_ms(lease)
        self._ends = Records[_End, bool](database, _finish_all, lambda _: 1, _MOST_AT_WORK)

    async def set(self, kind: str, subject: str, after: timedelta, payload: str = "") -> None:
        """See `Timers.set`."""
        row = self._row(kind, subject, payload)
        await self._database.write(lambda c: set_timer(c, row, after, replace=True))

    async def ensure(self, kind: str, subject: str, after: timedelta, payload: str = "") -> None:
        """See `Timers.ensure`."""
        row = self._row(kind, subject, payload)
        await self._database.write(lambda c: set_timer(c, row, after, replace=False))

    async def cancel(self, kind: str, subject: str) -> bool:
        """See `Timers.cancel`."""
        statement = sa.delete(timers).where(
            timers.c.kind == kind, timers.c.subject == index_key(subject), _IS_PENDING
        )
        return await self._database.write(lambda c: c.execute(statement).rowcount > 0)

    async def claim(self, owner: str, most: Mapping[str, int]) -> Sequence[Timer]:
        """See `Timers.claim`."""
        return await self._database.write(lambda c: _claim(c, owner, most, self._lease_ms))

    async def renew(self, timers: Sequence[Timer]) -> Sequence[Timer]:
        """See `Timers.renew`."""
        if not timers:
            return []
        return await self._database.write(lambda c: _renew(c, timers, self._lease_ms))

    async def done(self, timer: Timer, again: timedelta | None = None) -> bool:
        """See `Timers.done`."""
        return await self._ends.put((timer, again))

    async def retry(self, timer: Timer, error: str, after: timedelta) -> bool:
        """See `Timers.retry`."""
        values = {"why": storable(error), "wait_ms": in_ms(after), **_named(timer)}
        return await self._database.write(lambda c: c.execute(_RETRY, values).rowcount > 0)

    async def bury(self, timer: Timer, error: str) -> bool:
        """See `Timers.bury`."""
        values = {"why": storable(error), **_named(timer)}
        return await self._database.write(lambda c: c.execute(_BURY, values).rowcount > 0)

    async def release(self, timer: Timer) -> None:
        """See `Timers.release`."""
        await self._database.write(lambda c: c.execute(_RELEASE, _named(timer)))

    async def next_due(self, kinds: Sequence[str]) -> timedelta | None:
        """See `Timers.next_due`."""
        return await self._database.read(lambda c: _next_due(c, kinds))

    async def forget_leases(self) -> None:
        """Free every timer: where one process owns the database, the last one has ended."""
        await self._database.write(lambda c: c.execute(_FORGET_LEASES))

    def _row(self, kind: str, subject: str, payload: str) -> dict[str, Any]:
        return {
            "id": self._ids.next(),
            "kind": kind,
            "subject": index_key(subject),
            "payload": storable(payload),
        }


def set_timer(
    connection: sa.Connection, row: Mapping[str, Any], after: timedelta, *, replace: bool
) -> None:
    """Set a timer in somebody's transaction: `row` holds id, kind, subject and payload."""
    due_at = now_ms() + in_ms(after)
    statement = insert(connection, timers).values(due_at=due_at, **row)
    place = ["kind", "subject"]
    if not replace:
        connection.execute(statement.on_conflict_do_nothing(index_elements=place))
        return
    anew = {
        "payload": row["payload"],
        "due_at": due_at,
        "epoch": timers.c.epoch + 1,
        **_FRESH,
        **_FREE,
    }
    connection.execute(statement.on_conflict_do_update(index_elements=place, set_=anew))


def finish(connection: sa.Connection, timer: Timer, again: timedelta | None = None) -> bool:
    """End a timer, or set it again, in the transaction that stores what it did.

    Return false when it is somebody else's: what the transaction did must not stand then.
    """
    if again is None:
        return connection.execute(_DONE, _named(timer)).rowcount > 0
    values = {"wait_ms": in_ms(again), **_named(timer)}
    return connection.execute(_AGAIN, values).rowcount > 0


def _finish_all(connection: sa.Connection, ends: Sequence[_End]) -> Sequence[bool]:
    """End many in one statement: often a thousand are due together."""
    for_good = [(one.id, one.owner, one.epoch) for one, again in ends if again is None]
    ended: set[tuple[int, str, int]] = set()
    if for_good:
        rows = connection.execute(_DONE_ALL, {"leases": for_good}).scalars().all()
        ended = {one for one in for_good if one[0] in rows}
    return [
        (timer.id, timer.owner, timer.epoch) in ended
        if again is None
        else finish(connection, timer, again)
        for timer, again in ends
    ]


def _claim(
    connection: sa.Connection, owner: str, most: Mapping[str, int], lease_ms: int
) -> Sequence[Timer]:
    wanted: list[int] = []
    for kind, limit in sorted(most.items()):
        wanted += connection.execute(_DUE, {"kind": kind, "most": limit}).scalars()
    if not wanted:
        return []
    values = {"wanted": wanted, "by": owner, "lease_ms": lease_ms}
    taken = [_timer(row) for row in connection.execute(_TAKE, values)]
    return sorted(taken, key=lambda timer: timer.due_at)


def _renew(connection: sa.Connection, held: Sequence[Timer], lease_ms: int) -> Sequence[Timer]:
    values = {
        "leases": [(timer.id, timer.epoch) for timer in held],
        "by": held[0].owner,
        "lease_ms": lease_ms,
    }
    kept = {(row.id, row.epoch) for row in connection.execute(_RENEW, values)}
    return [timer for timer in held if (timer.id, timer.epoch) in kept]


def _next_due(connection: sa.Connection, kinds: Sequence[str]) -> timedelta | None:
    waits: list[int] = []
    for kind in kinds:
        for statement in (_NEXT_FREE, _NEXT_LEASE_END):
            found = connection.execute(statement, {"kind": kind}).scalar()
            waits += [] if found is None else [found]
    return timedelta(milliseconds=max(0, min(waits))) if waits else None


def _timer(row: Any) -> Timer:
    return Timer(
        row.id,
        row.kind,
        row.subject,
        row.payload,
        from_ms(row.due_at),
        row.attempts,
        row.owner,
        row.epoch,
    )


def _named(timer: Timer) -> dict[str, Any]:
    return {"timer": timer.id, "timer_owner": timer.owner, "timer_epoch": timer.epoch}


def _given(name: str) -> sa.BindParameter[int]:
    return sa.bindparam(name, type_=sa.BigInteger)


_FREE: dict[str, Any] = {"owner": "", "lease_until": None}
_FRESH: dict[str, Any] = {"state": "pending", "attempts": 0, "error": "", "done_at": None}

_IS_PENDING = timers.c.state == STATE_PENDING
_OF_KIND = sa.and_(timers.c.kind == sa.bindparam("kind", type_=sa.Text), _IS_PENDING)

_DUE = (
    sa.select(timers.c.id)
    .where(
        _OF_KIND,
        timers.c.due_at <= now_ms(),
        sa.or_(timers.c.lease_until.is_(None), timers.c.lease_until < now_ms()),
    )
    .order_by(timers.c.due_at)
    .limit(_given("most"))
    .with_for_update(skip_locked=True)
)

_TAKE = (
    sa.update(timers)
    .where(timers.c.id.in_(sa.bindparam("wanted", expanding=True)))
    .values(
        owner=sa.bindparam("by", type_=sa.Text),
        epoch=timers.c.epoch + 1,
        lease_until=now_ms() + _given("lease_ms"),
    )
    .returning(timers)
)

_RENEW = (
    sa.update(timers)
    .where(
        sa.tuple_(timers.c.id, timers.c.epoch).in_(sa.bindparam("leases", expanding=True)),
        timers.c.owner == sa.bindparam("by", type_=sa.Text),
        _IS_PENDING,
    )
    .values(lease_until=now_ms() + _given("lease_ms"))
    .returning(timers.c.id, timers.c.epoch)
)

_MINE = sa.update(timers).where(
    timers.c.id == _given("timer"),
    timers.c.owner == sa.bindparam("timer_owner", type_=sa.Text),
    timers.c.epoch == _given("timer_epoch"),
    _IS_PENDING,
)
_LATER = now_ms() + _given("wait_ms")
_WHY = sa.bindparam("why", type_=sa.Text)

_DONE = _MINE.values(state="done", done_at=now_ms(), error="", **_FREE)
_DONE_ALL = (
    sa.update(timers)
    .where(
        sa.tuple_(timers.c.id, timers.c.owner, timers.c.epoch).in_(
            sa.bindparam("leases", expanding=True)
        ),
        _IS_PENDING,
    )
    .values(state="done", done_at=now_ms(), error="", **_FREE)
    .returning(timers.c.id)
)
_AGAIN = _MINE.values(due_at=_LATER, **_FRESH, **_FREE)
_RETRY = _MINE.values(attempts=timers.c.attempts + 1, error=_WHY, due_at=_LATER, **_FREE)
_BURY = _MINE.values(
    attempts=timers.c.attempts + 1, error=_WHY, state="dead", done_at=now_ms(), **_FREE
)
_RELEASE = _MINE.values(**_FREE)

# By the order of the index: what is at work stands at its beginning, and is not much.
_NEXT_FREE = (
    sa.select(timers.c.due_at - now_ms())
    .where(_OF_KIND, timers.c.lease_until.is_(None))
    .order_by(timers.c.due_at)
    .limit(1)
)
_NEXT_LEASE_END = sa.select(sa.func.min(timers.c.lease_until) - now_ms()).where(
    _OF_KIND, timers.c.due_at <= now_ms(), timers.c.lease_until.is_not(None)
)

_FORGET_LEASES = (
    sa.update(timers)
    .where(_IS_PENDING, timers.c.lease_until.is_not(None))
    .values(epoch=timers.c.epoch + 1, **_FREE)
)
