"""Digests for people: each with the events that it stands for."""

import sqlalchemy as sa

from parley.kernel.incoming import Destination
from parley.kernel.message_json import from_json
from parley.kernel.ports.digests import Digested, StoredDigest
from parley.storage.clock import from_ms
from parley.storage.database import Database
from parley.storage.schema import destinations, digests, events, heads, outbox


class StoredDigestPages:
    """Digests on a database. See `parley.kernel.ports.digests.DigestPages`."""

    def __init__(self, database: Database) -> None:
        """Take the database."""
        self._database = database

    async def digest(self, digest_id: int, after: int, limit: int) -> StoredDigest | None:
        """See `DigestPages.digest`."""
        return await self._database.read(lambda c: _digest(c, digest_id, after, limit))


def _digest(
    connection: sa.Connection, digest_id: int, after: int, limit: int
) -> StoredDigest | None:
    row = connection.execute(_ONE, {"digest": digest_id}).first()
    if row is None:
        return None
    values = {"digest": digest_id, "after": after, "most": limit}
    return StoredDigest(
        id=row.id,
        destination=Destination(row.platform, row.channel),
        opened_at=from_ms(row.opened_at),
        closed_at=None if row.closed_at is None else from_ms(row.closed_at),
        message=from_json(row.message),
        count=int(connection.execute(_COUNT, {"digest": digest_id}).scalar_one()),
        events=tuple(
            Digested(
                id=one.id,
                event_id=one.event_id,
                received_at=from_ms(one.received_at or one.created_at),
                source=one.source or "",
                title=one.title if one.title is not None else from_json(one.message).title.text,
                tone=one.tone or "info",
                state=one.state,
            )
            for one in connection.execute(_EVENTS, values)
        ),
    )


_DIGEST = sa.bindparam("digest", type_=sa.BigInteger)

_ONE = (
    sa.select(digests, heads.c.message, destinations.c.platform, destinations.c.channel)
    .join(heads, heads.c.id == digests.c.id)
    .join(destinations, destinations.c.id == digests.c.destination_id)
    .where(digests.c.id == _DIGEST)
)

_sibling = outbox.alias("sibling")
_OF_DIGEST = sa.and_(
    outbox.c.digest_id == _DIGEST,
    outbox.c.head_id != _DIGEST,  # the digest's own
    ~sa.exists().where(
        _sibling.c.event_id == outbox.c.event_id,
        _sibling.c.destination_id == outbox.c.destination_id,
        _sibling.c.digest_id == outbox.c.digest_id,
        _sibling.c.step < outbox.c.step,
    ),
)
"""The first step of each event: an event is listed once."""

_COUNT = sa.select(sa.func.count()).select_from(outbox).where(_OF_DIGEST)

_EVENTS = (
    sa.select(
        outbox.c.id,
        outbox.c.event_id,
        outbox.c.created_at,
        outbox.c.message,
        outbox.c.state,
        events.c.received_at,
        events.c.source,
        events.c.title,
        events.c.tone,
    )
    .select_from(outbox.outerjoin(events, events.c.id == outbox.c.event_id))
    .where(_OF_DIGEST, outbox.c.id > sa.bindparam("after", type_=sa.BigInteger))
    .order_by(outbox.c.id)
    .limit(sa.bindparam("most", type_=sa.BigInteger))
)
