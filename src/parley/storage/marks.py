"""Marks of what was sent: those of many channels in a few statements."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from parley.kernel.ports.outbox import Delivery, Lease
from parley.storage import outbox_sql as sql


@dataclass(frozen=True, slots=True)
class Mark:
    """A delivery that the platform took, its handle, and what is left of the channel's pace."""

    lease: Lease
    delivery: Delivery
    handle: str
    tokens: float


def mark_all(connection: sa.Connection, marks: Sequence[Mark]) -> Sequence[bool]:
    """Mark those whose lease is still held; say of each whether it was marked."""
    holders = _holders(connection, marks)
    waiting = set(
        connection.execute(
            sql.STILL_PENDING, {"wanted": [mark.delivery.id for mark in marks]}
        ).scalars()
    )
    results = [
        holders.get(mark.lease.destination_id) == (mark.lease.owner, mark.lease.epoch)
        and mark.delivery.id in waiting
        for mark in marks
    ]
    ours = [mark for mark, is_ours in zip(marks, results, strict=True) if is_ours]
    if ours:
        _write(connection, ours)
    return results


def _holders(connection: sa.Connection, marks: Sequence[Mark]) -> dict[int, tuple[str, int]]:
    """Return who holds the channels now, and keep it so until this transaction ends."""
    wanted = list({mark.lease.destination_id for mark in marks})
    rows = connection.execute(sql.LEASES, {"wanted": wanted})
    return {row.id: (row.owner, row.epoch) for row in rows}


def _write(connection: sa.Connection, marks: Sequence[Mark]) -> None:
    connection.execute(
        sql.MARK_SENT,
        [
            {
                "delivery": mark.delivery.id,
                "given_handle": mark.handle,
                "doubt": mark.delivery.possible_duplicate,
            }
            for mark in marks
        ],
    )
    connection.execute(
        sql.SET_PACE,
        [{"lease_destination": mark.lease.destination_id, "left": mark.tokens} for mark in marks],
    )
    heads = [
        {"head": mark.delivery.head_id, "given_handle": mark.handle}
        for mark in marks
        if mark.handle and not mark.delivery.head_handle
    ]
    if heads:
        connection.execute(sql.KEEP_HANDLE, heads)
