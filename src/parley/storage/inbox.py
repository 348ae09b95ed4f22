"""Storing arrivals with their deliveries: one transaction for a whole batch."""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from parley.events.threads import Edit, Head, Post, Reply, advance
from parley.kernel.incoming import Destination
from parley.kernel.message_json import from_json, to_json
from parley.kernel.messages import Message
from parley.kernel.ports.inbox import Arrival, Route
from parley.kernel.ports.outbox import Action
from parley.storage.clock import to_ms
from parley.storage.database import Database
from parley.storage.ids import Ids
from parley.storage.records import Records
from parley.storage.rows import (
    ensure_destinations,
    index_key,
    storable,
    time_now,
    touch,
)
from parley.storage.schema import IS_LATEST, events, heads, outbox

_WAITING_BYTES = 64 * 1024 * 1024
_LOCK = sa.text("SELECT pg_advisory_xact_lock(:key)")


class StoredInbox:
    """The inbox on a database. See `parley.kernel.ports.inbox.Inbox`."""

    def __init__(self, database: Database, ids: Ids, reopen_within: timedelta) -> None:
        """Take the time within which a returning alarm continues its last episode."""
        self._ids = ids
        self._reopen_within = reopen_within
        self._records = Records[Arrival, bool](
            database, self._store, lambda arrival: len(arrival.raw), _WAITING_BYTES
        )

    async def accept(self, arrival: Arrival) -> bool:
        """See `Inbox.accept`."""
        return await self._records.put(arrival)

    def _store(self, connection: sa.Connection, arrivals: Sequence[Arrival]) -> Sequence[bool]:
        return store(connection, arrivals, self._ids, self._reopen_within)


@dataclass(slots=True)
class _Thread:
    """The newest head of a thread in one channel, as this transaction has it."""

    head: Head
    message: Message
    head_id: int
    fresh: bool
    """Whether this transaction makes the row."""


@dataclass(slots=True)
class _Batch:
    now: int
    ids: Ids
    destinations: dict[Destination, int]
    threads: dict[tuple[int, str], _Thread] = field(default_factory=dict)
    outbox: list[dict[str, Any]] = field(default_factory=list)
    retired: list[int] = field(default_factory=list)
    """Stored heads that are the newest of their thread no longer."""
    outlived: list[tuple[tuple[int, str], _Thread]] = field(default_factory=list)
    """Heads that this transaction makes and that are not the newest any more."""
    encoded: dict[int, tuple[Message, str]] = field(default_factory=dict)

    def json_of(self, message: Message) -> str:
        """Return the message as JSON; one that several rows hold is encoded once."""
        known = self.encoded.get(id(message))
        if known is None:
            known = self.encoded[id(message)] = (message, to_json(message))
        return known[1]


def store(
    connection: sa.Connection, arrivals: Sequence[Arrival], ids: Ids, reopen_within: timedelta
) -> Sequence[bool]:
    """Store the events that are new, with their deliveries; say of each whether it was new.

    An event that is known may still be new to a destination: its topic reaches one configuration
    over HTTP and another through a queue.
    """
    now = time_now(connection)
    fresh = _insert_events(connection, arrivals, now)
    wanted = {route.destination for arrival in arrivals for route in arrival.routes}
    if not wanted:
        return fresh
    batch = _Batch(now, ids, ensure_destinations(connection, wanted, ids))
    known = [arrival for arrival, is_new in zip(arrivals, fresh, strict=True) if not is_new]
    planned = _planned_before(connection, known)
    _load_threads(connection, batch, arrivals)
    for arrival in arrivals:
        for route in arrival.routes:
            # Two configurations of one channel: one message is enough.
            place = (index_key(arrival.event_id), batch.destinations[route.destination])
            if place not in planned:
                planned.add(place)
                _plan(batch, arrival, route, reopen_within)
    if batch.outbox:
        _write(connection, batch)
    return fresh


_ADD_EVENTS = {
    "sqlite": sqlite.insert(events).on_conflict_do_nothing().returning(events.c.id),
    "postgresql": postgresql.insert(events).on_conflict_do_nothing().returning(events.c.id),
}

_LATEST_HEADS = sa.select(
    heads.c.id, heads.c.destination_id, heads.c.thread_key, heads.c.state, heads.c.message
).where(heads.c.thread_key.in_(sa.bindparam("keys", expanding=True)), IS_LATEST)

_PLANNED = sa.select(outbox.c.event_id, outbox.c.destination_id).where(
    outbox.c.event_id.in_(sa.bindparam("events", expanding=True))
)

_RETIRE = (
    sa.update(heads)
    .where(heads.c.id.in_(sa.bindparam("wanted", expanding=True)))
    .values(latest=False)
)
_KEEP_HEAD = sa.update(heads).where(heads.c.id == sa.bindparam("wanted"))
_ADD_HEADS = sa.insert(heads)
_ADD_STEPS = sa.insert(outbox)


def _planned_before(connection: sa.Connection, arrivals: Sequence[Arrival]) -> set[tuple[str, int]]:
    """Return the places to which these events have been delivered already."""
    if not arrivals:
        return set()
    event_ids = {index_key(arrival.event_id) for arrival in arrivals}
    rows = connection.execute(_PLANNED, {"events": list(event_ids)})
    return {(row.event_id, row.destination_id) for row in rows}


def _insert_events(
    connection: sa.Connection, arrivals: Sequence[Arrival], now: int
) -> Sequence[bool]:
    rows = {
        index_key(arrival.event_id): {
            "id": index_key(arrival.event_id),
            "received_at": now,
            "occurred_at": to_ms(arrival.occurred_at) if arrival.occurred_at else None,
            "source": storable(arrival.source),
            "kind": storable(arrival.kind),
            "account": storable(arrival.account),
            "region": storable(arrival.region),
            "topic": storable(arrival.topic),
            "title": storable(arrival.title),
            "tone": arrival.tone,
            "raw": storable(arrival.raw),
        }
        for arrival in reversed(arrivals)
    }
    statement = _ADD_EVENTS[connection.dialect.name]
    # In order: processes that store the same events at once wait for each other in turn.
    inserted = set(connection.execute(statement, [rows[key] for key in sorted(rows)]).scalars())
    fresh: list[bool] = []
    for arrival in arrivals:
        event_id = index_key(arrival.event_id)
        fresh.append(event_id in inserted)
        inserted.discard(event_id)  # a second one in the same batch is a duplicate
    return fresh


def _lock_threads(connection: sa.Connection, places: Collection[tuple[int, str]]) -> None:
    """Keep other processes from advancing the same threads until this transaction ends.

    SQLite has one writer; on PostgreSQL a thread may have no row yet that could be locked.
    """
    if connection.dialect.name == "postgresql":
        locks = {
            int.from_bytes(hashlib.blake2b(f"{place}:{key}".encode(), digest_size=7).digest())
            for place, key in places
        }
        connection.execute(_LOCK, [{"key": key} for key in sorted(locks)])


def _load_threads(connection: sa.Connection, batch: _Batch, arrivals: Sequence[Arrival]) -> None:
    places = {
        (batch.destinations[route.destination], index_key(route.thread.key))
        for arrival in arrivals
        for route in arrival.routes
        if route.thread
    }
    if not places:
        return
    _lock_threads(connection, places)
    keys = {key for _, key in places}
    for head_id, destination_id, key, state, message in connection.execute(
        _LATEST_HEADS, {"keys": list(keys)}
    ):
        if (destination_id, key) in places:
            batch.threads[destination_id, key] = _Thread(
                Head.from_json(state), from_json(message), head_id, fresh=False
            )


class _Steps:
    """The steps of one event in one channel, in the order in which they are sent."""

    def __init__(self, batch: _Batch, arrival: Arrival, route: Route) -> None:
        self._batch = batch
        self._event_id = index_key(arrival.event_id)
        self._configuration = route.configuration
        self._destination_id = batch.destinations[route.destination]
        self._count = 0

    def add(self, action: Action, message: Message, head_id: int | None) -> int:
        """Add a step; without a head the message is one itself. Return the step's id."""
        row_id = self._batch.ids.next()
        self._batch.outbox.append(
            {
                "id": row_id,
                "event_id": self._event_id,
                "destination_id": self._destination_id,
                "step": self._count,
                "configuration": self._configuration,
                "action": action.value,
                "head_id": row_id if head_id is None else head_id,
                "message": self._batch.json_of(message),
                "due_at": self._batch.now,
                "created_at": self._batch.now,
            }
        )
        self._count += 1
        return row_id


def _plan(batch: _Batch, arrival: Arrival, route: Route, reopen_within: timedelta) -> None:
    steps = _Steps(batch, arrival, route)
    if route.thread is None:
        steps.add(Action.POST, route.message, None)
        return
    place = (batch.destinations[route.destination], index_key(route.thread.key))
    thread = batch.threads.get(place)
    plan = advance(
        thread.head if thread else None,
        thread.message if thread else None,
        route.thread,
        route.message,
        reopen_within=reopen_within,
    )
    head_id = thread.head_id if thread and not plan.new_head else None
    shown = thread.message if thread else route.message
    for step in plan.steps:
        match step:
            case Post(message):
                head_id = steps.add(Action.POST, message, None)
                shown = message
            case Edit(message):
                steps.add(Action.EDIT, message, head_id)
                shown = message
            case Reply(message):
                steps.add(Action.REPLY, message, head_id)
    if head_id is not None:
        _remember(batch, place, _Thread(plan.head, shown, head_id, fresh=True))


def _remember(batch: _Batch, place: tuple[int, str], now: _Thread) -> None:
    before = batch.threads.get(place)
    if before and before.head_id == now.head_id:
        now.fresh = before.fresh
    elif before and before.fresh:
        batch.outlived.append((place, before))
    elif before:
        batch.retired.append(before.head_id)
    batch.threads[place] = now


def _write(connection: sa.Connection, batch: _Batch) -> None:
    if batch.retired:
        connection.execute(_RETIRE, {"wanted": batch.retired})
    new = [_head_row(batch, place, thread, latest=False) for place, thread in batch.outlived]
    known = []
    for place, thread in batch.threads.items():
        if thread.fresh:
            new.append(_head_row(batch, place, thread, latest=True))
        else:
            known.append(_head_state(batch, thread) | {"wanted": thread.head_id})
    if new:
        connection.execute(_ADD_HEADS, new)
    if known:
        connection.execute(_KEEP_HEAD, known)
    connection.execute(_ADD_STEPS, batch.outbox)
    touch(connection, set(batch.destinations.values()), batch.now)


def _head_state(batch: _Batch, thread: _Thread) -> dict[str, Any]:
    return {
        "state": thread.head.to_json(),
        "message": batch.json_of(thread.message),
        "updated_at": batch.now,
    }


def _head_row(
    batch: _Batch, place: tuple[int, str], thread: _Thread, *, latest: bool
) -> dict[str, Any]:
    destination_id, key = place
    identity = {"id": thread.head_id, "destination_id": destination_id, "thread_key": key}
    return _head_state(batch, thread) | identity | {"latest": latest}
