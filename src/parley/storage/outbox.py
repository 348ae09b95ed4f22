"""Deliveries and the leases of their destinations.

A lease is owner and epoch on the destination's row: taking it adds one to the epoch, and every
later write is conditional on both, so that a worker that was paused beyond its lease changes
nothing. All times are the database's own.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from parley.kernel.incoming import LOCAL, Destination
from parley.kernel.message_json import from_json
from parley.kernel.ports.outbox import Action, Delivery, Lease
from parley.storage import outbox_sql as sql
from parley.storage.clock import from_ms, in_ms
from parley.storage.database import Database
from parley.storage.ids import Ids
from parley.storage.marks import Mark, mark_all
from parley.storage.records import Records
from parley.storage.rows import lease_values, storable
from parley.storage.showing import show_all

_MOST_MARKS = 100_000  # one for each channel that is being written to
_MOST_DOUBTED = 1000


class StoredOutbox:
    """The outbox on a database. See `parley.kernel.ports.outbox.Outbox`."""

    def __init__(self, database: Database, ids: Ids, lease: timedelta) -> None:
        """Take how long a lease lasts when it is not renewed."""
        self._database = database
        self._ids = ids
        self._lease_ms = in_ms(lease)
        self._marks = Records[Mark, bool](database, mark_all, lambda _: 1, _MOST_MARKS)

    async def claim(self, owner: str, limit: int, besides: Collection[int] = ()) -> Sequence[Lease]:
        """See `Outbox.claim`."""
        values = {"by": owner, "lease_ms": self._lease_ms}
        return await self._database.write(lambda c: _claim(c, values, limit, besides))

    async def renew(self, leases: Sequence[Lease]) -> Sequence[Lease]:
        """See `Outbox.renew`."""
        if not leases:
            return []
        return await self._database.write(lambda c: _renew(c, leases, self._lease_ms))

    async def pending(self, lease: Lease, limit: int) -> Sequence[Delivery]:
        """See `Outbox.pending`."""
        rows = await self._database.read(lambda c: _pending(c, lease, limit))
        newest = {one.head_id: one.id for one in rows if one.action is Action.EDIT}
        outdated = [
            one.id for one in rows if one.action is Action.EDIT and newest[one.head_id] > one.id
        ]
        if outdated:
            values = {"wanted": outdated, **lease_values(lease)}
            await self._database.write(lambda c: _if_held(c, sql.SUPERSEDE, values))
        return [one for one in rows if one.id not in outdated]

    async def delivered(self, lease: Lease, delivery: Delivery, handle: str, tokens: float) -> bool:
        """See `Outbox.delivered`."""
        return await self._marks.put(Mark(lease, delivery, handle, tokens))

    async def shown(self, lease: Lease, deliveries: Sequence[Delivery]) -> bool:
        """See `Outbox.shown`."""
        return await self._database.write(lambda c: _shown(c, lease, deliveries, self._ids))

    async def retry(
        self,
        lease: Lease,
        delivery: Delivery,
        error: str,
        after: timedelta,
        *,
        unanswered: bool = False,
    ) -> bool:
        """See `Outbox.retry`."""
        values = {
            "delivery": delivery.id,
            "unanswered": unanswered,
            "why": storable(error),
            "wait_ms": in_ms(after),
            **lease_values(lease),
        }
        return await self._database.write(lambda c: _if_held(c, sql.RETRY, values))

    async def bury(self, lease: Lease, delivery: Delivery, error: str) -> bool:
        """See `Outbox.bury`."""
        values = {"delivery": delivery.id, "why": storable(error), **lease_values(lease)}
        return await self._database.write(lambda c: _if_held(c, sql.BURY, values))

    async def release(self, lease: Lease, not_before: timedelta = timedelta()) -> None:
        """See `Outbox.release`."""
        values = {"wait_ms": in_ms(not_before), **lease_values(lease)}
        await self._database.write(lambda c: c.execute(sql.RELEASE, values))

    async def abandon(self, lease: Lease) -> None:
        """See `Outbox.abandon`."""
        await self._database.write(lambda c: c.execute(sql.ABANDON, lease_values(lease)))

    async def sweep(self) -> int:
        """See `Outbox.sweep`."""
        return await self._database.write(lambda c: c.execute(sql.SWEEP).rowcount)

    async def forget_leases(self) -> None:
        """Free every destination: where one process owns the database, the last one has ended.

        Should it live on all the same, the epochs keep it from changing anything. The owners stay:
        who takes a channel over must know that it was not given back.
        """
        await self._database.write(lambda c: c.execute(sql.FORGET_LEASES))

    async def backlog(self) -> int:
        """See `Outbox.backlog`."""
        return await self._database.read(lambda c: int(c.execute(sql.BACKLOG).scalar_one()))


def _if_held(connection: sa.Connection, statement: sa.Update, values: dict[str, Any]) -> bool:
    """Change something if the lease is held; return whether anything was changed."""
    if connection.execute(sql.HOLD, values).first() is None:
        return False
    return connection.execute(statement, values).rowcount > 0


def _claim(
    connection: sa.Connection, values: dict[str, Any], limit: int, besides: Collection[int]
) -> Sequence[Lease]:
    due = connection.execute(sql.DUE, {"most": limit + len(besides)}).all()
    wanted = [row for row in due if row.id not in besides][:limit]
    if not wanted:
        return []
    for row in wanted:
        # The web chat is written in the transaction of the mark: nothing of it is ever in flight.
        if row.owner and row.platform != LOCAL:
            _mark_in_flight(connection, row.id)
    stormy = {row.id for row in wanted if row.stormy}
    taken = connection.execute(sql.TAKE, {"wanted": [row.id for row in wanted], **values})
    return [
        Lease(
            row.id,
            Destination(row.platform, row.channel),
            values["by"],
            row.epoch,
            float(row.tokens),
            -1.0 if row.rested is None else row.rested / 1000,
            row.id in stormy,
        )
        for row in taken
    ]


def _mark_in_flight(connection: sa.Connection, destination_id: int) -> None:
    """Mark what a worker may have sent before it ended: the first that it could have taken.

    What had failed before is sent when its time has come, whatever came before it in line, so each
    of those is marked, too. What waits for another of its thread was not sent, and to repeat an
    edit doubles nothing.
    """
    values = {"destination": destination_id, "most": _MOST_DOUBTED}
    untried = connection.execute(sql.PENDING_UNTRIED, values).all()
    candidates = {row.id: row for row in _first_at_some_time(untried)}
    tried = connection.execute(sql.PENDING_TRIED, values)
    candidates |= {row.id: row for row in tried}
    candidates |= {row.id: row for row in connection.execute(sql.PENDING_OF_DIGESTS, values)}
    doubtful = [
        row.id for row in candidates.values() if row.action != Action.EDIT or not row.head_handle
    ]
    if doubtful:
        connection.execute(sql.DOUBT, {"wanted": doubtful})


def _first_at_some_time(rows: Sequence[Any]) -> Iterator[Any]:
    """Return those that were the first in line at some time; the line is in the order of ids.

    Mostly that is one. But a dead letter that is sent again, or an event from a process whose clock
    is behind, goes before what may be on its way already.
    """
    earliest: int | None = None
    for row in rows:
        if earliest is None or row.due_at < earliest:
            earliest = row.due_at
            yield row


def _renew(connection: sa.Connection, leases: Sequence[Lease], lease_ms: int) -> Sequence[Lease]:
    values = {
        "leases": [(lease.destination_id, lease.epoch) for lease in leases],
        "by": leases[0].owner,
        "lease_ms": lease_ms,
    }
    held = {(row.id, row.epoch) for row in connection.execute(sql.RENEW, values)}
    return [lease for lease in leases if (lease.destination_id, lease.epoch) in held]


def _pending(connection: sa.Connection, lease: Lease, limit: int) -> list[Delivery]:
    values = {"destination": lease.destination_id, "most": limit}
    rows = connection.execute(sql.PENDING, values).all()
    if len(rows) == limit:
        urgent = connection.execute(sql.PENDING_OF_DIGESTS, values).all()
        first = {row.id for row in urgent}
        rows = [*urgent, *(row for row in rows if row.id not in first)][:limit]
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
            possible_duplicate=bool(row.possible_duplicate),
        )
        for row in rows
    ]


def _shown(
    connection: sa.Connection, lease: Lease, deliveries: Sequence[Delivery], ids: Ids
) -> bool:
    held = lease_values(lease)
    if connection.execute(sql.KEEP_PACE, {"left": -1.0, **held}).rowcount != 1:
        return False
    handles = show_all(connection, ids, lease.destination.channel, deliveries)
    marks = [{"delivery": one, "given_handle": handle, **held} for one, handle in handles.items()]
    connection.execute(sql.SENT, marks)
    kept = {one.head_id: handles[one.id] for one in reversed(deliveries) if not one.head_handle}
    if kept:
        heads = [{"head": head, "given_handle": handle} for head, handle in kept.items()]
        connection.execute(sql.KEEP_HANDLE, heads)
    return True
