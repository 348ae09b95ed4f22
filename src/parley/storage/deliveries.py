"""Deliveries for people: lists, and dead letters that are sent again."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from parley.kernel.incoming import Destination
from parley.kernel.message_json import from_json
from parley.kernel.ports.deliveries import Listed, Tally, Wanted
from parley.storage.clock import from_ms, to_ms
from parley.storage.database import Database
from parley.storage.ids import first_id
from parley.storage.rows import time_now, touch
from parley.storage.schema import STATE_PENDING, destinations, outbox

# Compared with as they stand, because a partial index is of no use to a parameter.
_IS_DEAD = outbox.c.state == sa.literal_column("'dead'", sa.Text)
_IS_PENDING = outbox.c.state == STATE_PENDING

_LISTED = sa.select(outbox, destinations.c.platform, destinations.c.channel).join(
    destinations, destinations.c.id == outbox.c.destination_id
)


class StoredDeliveries:
    """Deliveries on a database. See `parley.kernel.ports.deliveries.Deliveries`."""

    def __init__(self, database: Database) -> None:
        """Take the database."""
        self._database = database

    async def list(self, wanted: Wanted) -> Sequence[Listed]:
        """See `Deliveries.list`."""
        query = _page(wanted)
        return await self._database.read(lambda c: [_one(row) for row in c.execute(query)])

    async def one(self, delivery_id: int) -> Listed | None:
        """See `Deliveries.one`."""
        query = _LISTED.where(outbox.c.id == delivery_id)
        row = await self._database.read(lambda c: c.execute(query).first())
        return None if row is None else _one(row)

    async def tally(self) -> Tally:
        """See `Deliveries.tally`."""
        return await self._database.read(
            lambda c: Tally(_count(c, _IS_PENDING), _count(c, _IS_DEAD))
        )

    async def replay(self, ids: Sequence[int]) -> Sequence[int]:
        """See `Deliveries.replay`."""
        chosen = sa.select(outbox.c.id).where(_IS_DEAD, outbox.c.id.in_(ids))
        return await self._database.write(lambda c: _replay(c, chosen))

    async def replay_all(self, configuration: str, limit: int) -> int:
        """See `Deliveries.replay_all`."""
        chosen = sa.select(outbox.c.id).where(_IS_DEAD).order_by(outbox.c.id).limit(limit)
        if configuration:
            chosen = chosen.where(outbox.c.configuration == configuration)
        return len(await self._database.write(lambda c: _replay(c, chosen)))


def _page(wanted: Wanted) -> sa.Select[Any]:
    query = _LISTED.order_by(outbox.c.id.desc()).limit(wanted.limit)
    if wanted.state == "dead":
        query = query.where(_IS_DEAD)
    elif wanted.state == "pending":
        query = query.where(_IS_PENDING)
    elif wanted.state:
        query = query.where(outbox.c.state == wanted.state)
    if wanted.configuration:
        query = query.where(outbox.c.configuration == wanted.configuration)
    if wanted.since is not None:
        query = query.where(outbox.c.created_at >= to_ms(wanted.since))
        if wanted.state not in {"dead", "pending"}:
            # These have no index of their own: without a bound all of history would be read.
            query = query.where(outbox.c.id >= first_id(wanted.since))
    if wanted.before is not None:
        query = query.where(outbox.c.id < wanted.before)
    return query


def _replay(connection: sa.Connection, chosen: sa.Select[Any]) -> Sequence[int]:
    """Let dead letters begin anew: their age, too, so that they get a whole budget of retries."""
    ids = connection.execute(chosen.with_for_update(skip_locked=True)).scalars().all()
    if not ids:
        return []
    now = time_now(connection)
    revived = connection.execute(
        sa.update(outbox)
        .where(outbox.c.id.in_(ids), _IS_DEAD)
        .values(state="pending", attempts=0, error="", due_at=now, created_at=now, done_at=None)
        .returning(outbox.c.id, outbox.c.destination_id)
    ).all()
    touch(connection, {row.destination_id for row in revived}, now)
    return [row.id for row in revived]


def _count(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> int:
    query = sa.select(sa.func.count()).select_from(outbox).where(condition)
    return int(connection.execute(query).scalar_one())


def _one(row: Any) -> Listed:
    return Listed(
        id=row.id,
        event_id=row.event_id,
        configuration=row.configuration,
        destination=Destination(row.platform, row.channel),
        action=row.action,
        message=from_json(row.message),
        state=row.state,
        attempts=row.attempts,
        error=row.error,
        possible_duplicate=bool(row.possible_duplicate),
        created_at=from_ms(row.created_at),
        due_at=from_ms(row.due_at),
        done_at=from_ms(row.done_at) if row.done_at is not None else None,
    )
