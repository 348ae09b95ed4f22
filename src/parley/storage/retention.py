"""Forgetting history, a few hundred rows a transaction, so that nobody waits long for the writer.

Ids rise with time, so a table is walked along its primary key from the oldest row up to a bound;
only events, whose ids are text, and timers have an index by time. What is walked over and kept,
such as dead letters, is little. Each step takes up where the last one ended.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import sqlalchemy as sa

from parley.events.threads import Head
from parley.kernel.incoming import LOCAL
from parley.kernel.message_json import to_json
from parley.kernel.messages import Message, Text
from parley.kernel.ports.retention import Keep, Pruned
from parley.storage import search
from parley.storage.clock import from_ms, in_ms
from parley.storage.database import Database
from parley.storage.ids import first_id
from parley.storage.rows import time_now
from parley.storage.schema import (
    STATE_PENDING,
    destinations,
    digests,
    events,
    heads,
    notices,
    outbox,
    room_changes,
    room_messages,
    rooms,
    timers,
)

PORTION = 250
"""Rows that one transaction looks at."""

_EMPTIED = to_json(Message(Text("This message is not kept any more")))
_OVER = ("sent", "superseded", "digested")


@dataclass(frozen=True, slots=True)
class _Bounds:
    """Milliseconds since 1970: what was done before `rows` goes, before `content` is emptied.

    `first` is an id that nothing younger than `content` has.
    """

    rows: int
    content: int

    @property
    def first(self) -> int:
        return first_id(from_ms(self.content))


_Step = Callable[[sa.Connection, _Bounds, Any], tuple[int, Any]]
"""Prunes one portion after a cursor; returns how many rows, and the next cursor, none at the end.

The first cursor is none.
"""


class StoredRetention:
    """Retention on a database. See `parley.kernel.ports.retention.Retention`."""

    def __init__(self, database: Database) -> None:
        """Take the database."""
        self._database = database

    async def prune(self, keep: Keep) -> AsyncIterator[Pruned]:
        """See `Retention.prune`."""
        now = await self._database.read(time_now)
        history, ids = (now - in_ms(one) for one in (keep.history, keep.ids))
        bounds = _Bounds(rows=min(history, ids), content=history)
        for table, step in _STEPS:
            cursor: Any = None
            while True:
                unit = partial(_run, step, bounds, cursor)
                rows, cursor = await self._database.write(unit)
                yield Pruned(table, rows)
                if cursor is None:
                    break


def _run(step: _Step, bounds: _Bounds, cursor: Any, connection: sa.Connection) -> tuple[int, Any]:
    return step(connection, bounds, cursor)


def _deliveries(connection: sa.Connection, bounds: _Bounds, after: Any) -> tuple[int, Any]:
    rows = _walk(connection, outbox, bounds, after, outbox.c.state, _DONE_AT)
    over = [row for row in rows if row.state in _OVER and row.done_at is not None]
    gone = [row.id for row in over if row.done_at < bounds.rows]
    empty = [row.id for row in over if bounds.rows <= row.done_at < bounds.content]
    count = _delete(connection, outbox, gone)
    if empty:
        change = sa.update(outbox).where(outbox.c.id.in_(empty), outbox.c.message != _EMPTIED)
        count += connection.execute(change.values(message=_EMPTIED)).rowcount
    return count, _next(rows)


def _events(connection: sa.Connection, bounds: _Bounds, after: Any) -> tuple[int, Any]:
    query = (
        sa.select(events.c.id, events.c.received_at, _NEEDED, _KNOWN)
        .where(events.c.received_at < bounds.content)
        .order_by(events.c.received_at, events.c.id)
        .limit(PORTION)
    )
    if after is not None:
        place = sa.tuple_(events.c.received_at, events.c.id)
        query = query.where(place > sa.tuple_(*map(sa.literal, after)))
    rows = connection.execute(query).all()
    gone = [row.id for row in rows if row.received_at < bounds.rows and not row.known]
    empty = [row.id for row in rows if row.received_at >= bounds.rows and not row.needed]
    count = _delete(connection, events, gone)
    if empty:
        change = sa.update(events).where(events.c.id.in_(empty), events.c.raw != "")
        count += connection.execute(change.values(raw="", title="")).rowcount
    full = len(rows) == PORTION
    return count, (rows[-1].received_at, rows[-1].id) if full else None


def _digests(connection: sa.Connection, bounds: _Bounds, after: Any) -> tuple[int, Any]:
    rows = _walk(connection, digests, bounds, after, digests.c.closed_at, digests.c.due_at)
    gone = [
        row.id
        for row in rows
        if row.due_at is None and row.closed_at is not None and row.closed_at < bounds.content
    ]
    return _delete(connection, digests, gone), _next(rows)


def _heads(connection: sa.Connection, bounds: _Bounds, after: Any) -> tuple[int, Any]:
    rows = _walk(
        connection, heads, bounds, after, heads.c.latest, heads.c.state, heads.c.updated_at, _IN_USE
    )
    gone = [
        row.id
        for row in rows
        if row.updated_at < bounds.content
        and not row.in_use
        and not (row.latest and _is_open(row.state))
    ]
    return _delete(connection, heads, gone), _next(rows)


def _is_open(state: str) -> bool:
    head = Head.from_json(state)
    return head.alarmed and head.ended_at is None


def _messages(connection: sa.Connection, bounds: _Bounds, after: Any) -> tuple[int, Any]:
    """Remove whole threads whose last sign of life is old, but none that an alarm will change."""
    columns = (room_messages.c[name] for name in ("root", *_SIGNS))
    rows = _walk(connection, room_messages, bounds, after, *columns)
    old = {
        row.id
        for row in rows
        if row.root is None and all((getattr(row, sign) or 0) < bounds.content for sign in _SIGNS)
    }
    if not old:
        return 0, _next(rows)
    shown = connection.execute(_SHOWN_HEADS, {"first": bounds.first}).scalars()
    gone = old - {int(handle) for handle in shown if handle.isdigit()}
    of_gone = sa.select(room_messages.c.id).where(room_messages.c.root.in_(gone)).limit(PORTION)
    replies = connection.execute(of_gone).scalars().all()
    if len(replies) == PORTION:
        _forget(connection, replies)
        return len(replies), after or 0  # there may be more before the heads can go
    _forget(connection, [*gone, *replies])
    return len(gone) + len(replies), _next(rows)


def _forget(connection: sa.Connection, ids: Sequence[int]) -> None:
    if ids:
        search.drop(connection, ids)
        _delete(connection, room_messages, ids)


def _changes(connection: sa.Connection, bounds: _Bounds, after: Any) -> tuple[int, Any]:
    """Remove the changes before the oldest young message of a room: its old pages start anew."""
    room, is_done = after or ("", True)
    if is_done:
        following = sa.select(sa.func.min(rooms.c.name)).where(rooms.c.name > room)
        room = connection.execute(following).scalar()
        if room is None:
            return 0, None
    values = {"room": room, "first": bounds.first}
    keep = connection.execute(_OLDEST_YOUNG, values).scalar()
    oldest = connection.execute(_OLDEST_CHANGE, values).scalar()
    if keep is None or oldest is None or oldest >= keep:
        return 0, (room, True)
    up_to = min(keep, oldest + PORTION)
    gone = sa.delete(room_changes).where(room_changes.c.room == room, room_changes.c.seq < up_to)
    return connection.execute(gone).rowcount, (room, up_to == keep)


def _timers(connection: sa.Connection, bounds: _Bounds, _after: Any) -> tuple[int, Any]:
    query = (
        sa.select(timers.c.id)
        .where(timers.c.state == sa.literal_column("'done'"), timers.c.done_at < bounds.content)
        .limit(PORTION)
    )
    gone = connection.execute(query).scalars().all()
    return _delete(connection, timers, gone), _again(gone)


def _notices(connection: sa.Connection, bounds: _Bounds, _after: Any) -> tuple[int, Any]:
    query = sa.select(notices.c.cause).where(notices.c.told_at < bounds.content).limit(PORTION)
    gone = connection.execute(query).scalars().all()
    if gone:
        connection.execute(sa.delete(notices).where(notices.c.cause.in_(gone)))
    return len(gone), _again(gone)


def _walk(
    connection: sa.Connection,
    table: sa.Table,
    bounds: _Bounds,
    after: int | None,
    *columns: sa.ColumnElement[Any],
) -> Sequence[sa.Row[Any]]:
    query = (
        sa.select(table.c.id, *columns)
        .where(table.c.id > (after or 0), table.c.id < bounds.first)
        .order_by(table.c.id)
        .limit(PORTION)
    )
    return connection.execute(query).all()


def _next(rows: Sequence[sa.Row[Any]]) -> int | None:
    return int(rows[-1].id) if len(rows) == PORTION else None


def _again(gone: Sequence[object]) -> int | None:
    return 0 if len(gone) == PORTION else None


def _delete(connection: sa.Connection, table: sa.Table, ids: Sequence[object]) -> int:
    if not ids:
        return 0
    return connection.execute(sa.delete(table).where(table.c.id.in_(ids))).rowcount


_DONE_AT = sa.func.coalesce(outbox.c.done_at, outbox.c.created_at).label("done_at")

# A delivery that waits, is owed or was given up still needs its event.
_delivery = outbox.alias("delivery")
_KNOWN = sa.exists().where(_delivery.c.event_id == events.c.id).label("known")
_NEEDED = (
    sa.exists()
    .where(_delivery.c.event_id == events.c.id, _delivery.c.state.not_in(_OVER))
    .label("needed")
)

_step = outbox.alias("step")
_IN_USE = sa.or_(
    sa.exists().where(_step.c.head_id == heads.c.id, _step.c.state == STATE_PENDING),
    heads.c.id.in_(
        # One by one, so that each finds its partial index.
        sa.union_all(
            *(
                sa.select(outbox.c.head_id).where(outbox.c.state == sa.literal_column(state))
                for state in ("'dead'", "'owed'")
            )
        )
    ),
    sa.exists().where(digests.c.id == heads.c.id),
).label("in_use")

_SIGNS = ("created_at", "edited_at", "last_reply_at")
"""When a message was last alive."""

_FIRST = sa.bindparam("first", type_=sa.BigInteger)
_ROOM = sa.bindparam("room", type_=sa.Text)

# A message is younger than its head's id, so the heads of old messages are old; few are left.
_SHOWN_HEADS = (
    sa.select(heads.c.handle)
    .join(destinations, destinations.c.id == heads.c.destination_id)
    .where(heads.c.id < _FIRST, destinations.c.platform == LOCAL)
)

_OLDEST_YOUNG = (
    sa.select(room_messages.c.seq)
    .where(
        room_messages.c.room == _ROOM, room_messages.c.root.is_(None), room_messages.c.id >= _FIRST
    )
    .order_by(room_messages.c.id)
    .limit(1)
)
_OLDEST_CHANGE = sa.select(sa.func.min(room_changes.c.seq)).where(room_changes.c.room == _ROOM)

_STEPS: Sequence[tuple[str, _Step]] = (
    ("outbox", _deliveries),
    ("events", _events),
    ("digests", _digests),
    ("heads", _heads),
    ("room_messages", _messages),
    ("room_changes", _changes),
    ("timers", _timers),
    ("notices", _notices),
)
