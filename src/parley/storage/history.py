"""Events as they arrived, with what became of them."""

import sqlalchemy as sa

from parley.kernel.ports.history import StoredDelivery, StoredEvent
from parley.storage.clock import from_ms
from parley.storage.database import Database
from parley.storage.rows import index_key
from parley.storage.schema import destinations, events, outbox


class StoredHistory:
    """History on a database. See `parley.kernel.ports.history.History`."""

    def __init__(self, database: Database) -> None:
        """Take the database."""
        self._database = database

    async def event(self, event_id: str) -> StoredEvent | None:
        """See `History.event`."""
        return await self._database.read(lambda c: _event(c, index_key(event_id)))


def _event(connection: sa.Connection, event_id: str) -> StoredEvent | None:
    row = connection.execute(sa.select(events).where(events.c.id == event_id)).first()
    if row is None:
        return None
    return StoredEvent(
        id=row.id,
        received_at=from_ms(row.received_at),
        occurred_at=from_ms(row.occurred_at) if row.occurred_at is not None else None,
        source=row.source,
        kind=row.kind,
        account=row.account,
        region=row.region,
        topic=row.topic,
        title=row.title,
        tone=row.tone,
        raw=row.raw,
        deliveries=_deliveries(connection, event_id),
    )


def _deliveries(connection: sa.Connection, event_id: str) -> tuple[StoredDelivery, ...]:
    rows = connection.execute(
        sa.select(outbox, destinations.c.platform, destinations.c.channel)
        .join(destinations, destinations.c.id == outbox.c.destination_id)
        .where(outbox.c.event_id == event_id)
        .order_by(outbox.c.id)
    )
    return tuple(
        StoredDelivery(
            id=row.id,
            configuration=row.configuration,
            destination=f"{row.platform}:{row.channel}",
            action=row.action,
            state=row.state,
            attempts=row.attempts,
            error=row.error,
            done_at=from_ms(row.done_at) if row.done_at is not None else None,
            digest_id=row.digest_id,
        )
        for row in rows
    )
