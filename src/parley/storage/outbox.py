"""Deliveries and the leases of their destinations.

A lease is owner and epoch on the destination's row: taking it adds one to the epoch, and every
later write is conditional on both, so that a worker that was paused beyond its lease changes
nothing. All times are the database's own.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import CursorResult

from parley.kernel.incoming import Destination
from parley.kernel.message_json import from_json
from parley.kernel.ports.outbox import Action, Delivery, Lease
from parley.storage.clock import from_ms, now_ms
from parley.storage.database import Database
from parley.storage.ids import Ids
from parley.storage.rooms import show
from parley.storage.schema import destinations, heads, outbox

_PENDING = outbox.c.state == "pending"


class StoredOutbox:
    """The outbox on a database. See `parley.kernel.ports.outbox.Outbox`."""

    def __init__(self, database: Database, ids: Ids, lease: timedelta) -> None:
        """Take how long a lease lasts when it is not renewed."""
        self._database = database
        self._ids = ids
        self._lease_ms = int(lease.total_seconds() * 1000)

    async def claim(self, owner: str, limit: int) -> Sequence[Lease]:
        """See `Outbox.claim`."""
        return await self._database.write(lambda c: _claim(c, owner, limit, self._lease_ms))

    async def renew(self, leases: Sequence[Lease]) -> Sequence[Lease]:
        """See `Outbox.renew`."""
        if not leases:
            return []
        return await self._database.write(lambda c: _renew(c, leases, self._lease_ms))

    async def pending(self, lease: Lease, limit: int) -> Sequence[Delivery]:
        """See `Outbox.pending`."""
        rows = await self._database.read(lambda c: _pending(c, lease, limit))
        newest_edit = {one.head_id: one.id for one in rows if one.action is Action.EDIT}
        outdated = [
            one.id
            for one in rows
            if one.action is Action.EDIT and newest_edit[one.head_id] > one.id
        ]
        if outdated:
            await self._database.write(lambda c: _close(c, lease, outdated, "superseded"))
        return [one for one in rows if one.id not in outdated]

    async def delivered(self, lease: Lease, delivery: Delivery, handle: str, tokens: float) -> bool:
        """See `Outbox.delivered`."""
        return await self._database.write(lambda c: _delivered(c, lease, delivery, handle, tokens))

    async def shown(self, lease: Lease, deliveries: Sequence[Delivery]) -> bool:
        """See `Outbox.shown`."""
        return await self._database.write(lambda c: _shown(c, lease, deliveries, self._ids))

    async def retry(self, lease: Lease, delivery: Delivery, error: str, after: timedelta) -> bool:
        """See `Outbox.retry`."""
        values = {
            "attempts": outbox.c.attempts + 1,
            "error": error,
            "due_at": now_ms() + int(after.total_seconds() * 1000),
        }
        return await self._database.write(lambda c: _set(c, lease, delivery.id, values))

    async def bury(self, lease: Lease, delivery: Delivery, error: str) -> bool:
        """See `Outbox.bury`."""
        values = {
            "attempts": outbox.c.attempts + 1,
            "error": error,
            "state": "dead",
            "done_at": now_ms(),
        }
        return await self._database.write(lambda c: _set(c, lease, delivery.id, values))

    async def release(self, lease: Lease, not_before: timedelta = timedelta()) -> None:
        """See `Outbox.release`."""
        wait_ms = int(not_before.total_seconds() * 1000)
        await self._database.write(lambda c: _release(c, lease, wait_ms))

    async def sweep(self) -> int:
        """See `Outbox.sweep`."""
        return await self._database.write(_sweep)

    async def backlog(self) -> int:
        """See `Outbox.backlog`."""
        query = sa.select(sa.func.count()).select_from(outbox).where(_PENDING)
        return await self._database.read(lambda c: int(c.execute(query).scalar_one()))


def _mine(lease: Lease) -> sa.ColumnElement[bool]:
    return sa.and_(
        destinations.c.id == lease.destination_id,
        destinations.c.owner == lease.owner,
        destinations.c.epoch == lease.epoch,
    )


def _changed(result: CursorResult[Any]) -> int:
    return result.rowcount


def _claim(connection: sa.Connection, owner: str, limit: int, lease_ms: int) -> Sequence[Lease]:
    free = sa.or_(destinations.c.lease_until.is_(None), destinations.c.lease_until < now_ms())
    due = (
        sa.select(destinations.c.id)
        .where(destinations.c.due_at <= now_ms(), free)
        .order_by(destinations.c.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    wanted = connection.execute(due).scalars().all()
    if not wanted:
        return []
    take = (
        sa.update(destinations)
        .where(destinations.c.id.in_(wanted))
        .values(owner=owner, epoch=destinations.c.epoch + 1, lease_until=now_ms() + lease_ms)
        .returning(
            destinations.c.id,
            destinations.c.platform,
            destinations.c.channel,
            destinations.c.epoch,
            destinations.c.tokens,
            (now_ms() - destinations.c.tokens_at).label("rested"),
        )
    )
    return [
        Lease(
            row.id,
            Destination(row.platform, row.channel),
            owner,
            row.epoch,
            row.tokens,
            -1.0 if row.rested is None else row.rested / 1000,
        )
        for row in connection.execute(take)
    ]


def _renew(connection: sa.Connection, leases: Sequence[Lease], lease_ms: int) -> Sequence[Lease]:
    held = set(
        connection.execute(
            sa.update(destinations)
            .where(
                sa.tuple_(destinations.c.id, destinations.c.epoch).in_(
                    [(lease.destination_id, lease.epoch) for lease in leases]
                ),
                destinations.c.owner == leases[0].owner,
            )
            .values(lease_until=now_ms() + lease_ms)
            .returning(destinations.c.id)
        ).scalars()
    )
    return [lease for lease in leases if lease.destination_id in held]


def _pending(connection: sa.Connection, lease: Lease, limit: int) -> list[Delivery]:
    earlier = outbox.alias("earlier")
    waits = sa.exists().where(
        earlier.c.head_id == outbox.c.head_id,
        earlier.c.state == "pending",
        earlier.c.id <= outbox.c.id,
        earlier.c.due_at > now_ms(),
    )
    query = (
        sa.select(
            outbox.c.id,
            outbox.c.event_id,
            outbox.c.configuration,
            outbox.c.action,
            outbox.c.head_id,
            outbox.c.message,
            outbox.c.attempts,
            outbox.c.created_at,
            (now_ms() - outbox.c.created_at).label("age"),
            heads.c.handle.label("head_handle"),
        )
        .select_from(outbox.outerjoin(heads, heads.c.id == outbox.c.head_id))
        .where(outbox.c.destination_id == lease.destination_id, _PENDING, ~waits)
        .order_by(outbox.c.id)
        .limit(limit)
    )
    return [
        Delivery(
            id=row.id,
            event_id=row.event_id,
            configuration=row.configuration,
            created_at=from_ms(row.created_at),
            action=Action(row.action),
            head_id=row.head_id,
            head_handle=row.head_handle or "",
            message=from_json(row.message),
            attempts=row.attempts,
            age=timedelta(milliseconds=row.age),
        )
        for row in connection.execute(query)
    ]


def _set(connection: sa.Connection, lease: Lease, delivery_id: int, values: dict[str, Any]) -> bool:
    """Change one pending delivery if the lease is still held."""
    held = sa.exists().where(_mine(lease))
    changed = connection.execute(
        sa.update(outbox).where(outbox.c.id == delivery_id, _PENDING, held).values(values)
    )
    return _changed(changed) == 1


def _close(connection: sa.Connection, lease: Lease, ids: Sequence[int], state: str) -> None:
    held = sa.exists().where(_mine(lease))
    connection.execute(
        sa.update(outbox)
        .where(outbox.c.id.in_(ids), _PENDING, held)
        .values(state=state, done_at=now_ms())
    )


def _delivered(
    connection: sa.Connection, lease: Lease, delivery: Delivery, handle: str, tokens: float
) -> bool:
    kept = connection.execute(
        sa.update(destinations).where(_mine(lease)).values(tokens=tokens, tokens_at=now_ms())
    )
    if _changed(kept) != 1:
        return False
    values = {"state": "sent", "done_at": now_ms(), "handle": handle, "error": ""}
    marked = _set(connection, lease, delivery.id, values)
    if marked:
        _keep_handle(connection, delivery, handle)
    return marked


def _keep_handle(connection: sa.Connection, delivery: Delivery, handle: str) -> None:
    if handle and not delivery.head_handle:
        connection.execute(
            sa.update(heads)
            .where(heads.c.id == delivery.head_id, heads.c.handle == "")
            .values(handle=handle)
        )


def _shown(
    connection: sa.Connection, lease: Lease, deliveries: Sequence[Delivery], ids: Ids
) -> bool:
    # Holding the row keeps a worker that took the lease over from showing the same.
    held = connection.execute(
        sa.update(destinations).where(_mine(lease)).values(tokens_at=now_ms())
    )
    if _changed(held) != 1:
        return False
    handles: dict[int, str] = {}
    for delivery in deliveries:
        head = handles.get(delivery.head_id) or delivery.head_handle
        handle = show(connection, ids, lease.destination.channel, delivery, head)
        handles.setdefault(delivery.head_id, head or handle)
        values = {"state": "sent", "done_at": now_ms(), "handle": handle, "error": ""}
        _set(connection, lease, delivery.id, values)
        _keep_handle(connection, delivery, handle)
    return True


def _next_due(destination_id: Any) -> sa.ScalarSelect[int]:
    return (
        sa.select(sa.func.min(outbox.c.due_at))
        .where(outbox.c.destination_id == destination_id, _PENDING)
        .scalar_subquery()
    )


def _release(connection: sa.Connection, lease: Lease, wait_ms: int) -> None:
    due = _next_due(lease.destination_id)
    earliest = now_ms() + wait_ms
    connection.execute(
        sa.update(destinations)
        .where(_mine(lease))
        .values(
            owner="",
            lease_until=None,
            due_at=sa.case((due.is_(None), None), (due < earliest, earliest), else_=due),
        )
    )


def _sweep(connection: sa.Connection) -> int:
    due = _next_due(destinations.c.id)
    changed = connection.execute(
        sa.update(destinations)
        .where(
            destinations.c.due_at.is_(None),
            destinations.c.id.in_(sa.select(outbox.c.destination_id).where(_PENDING).distinct()),
        )
        .values(due_at=due)
    )
    return _changed(changed)
