"""Small pieces of SQL that several tables need."""

import hashlib
from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from parley.kernel.incoming import LOCAL, Destination
from parley.kernel.ports.outbox import Lease
from parley.storage.clock import now_ms
from parley.storage.ids import Ids
from parley.storage.schema import destinations, rooms

_LONGEST_KEY = 600  # characters, of up to four bytes each
_KEPT_OF_KEY = 500


def insert(connection: sa.Connection, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
    """Return an INSERT that knows ON CONFLICT in the connection's dialect."""
    if connection.dialect.name == "sqlite":
        return sqlite.insert(table)
    return postgresql.insert(table)


def storable(text: str) -> str:
    """Return the text as both databases can hold it: no NUL, no half of a surrogate pair."""
    if "\x00" in text:
        text = text.replace("\x00", "\N{SYMBOL FOR NULL}")
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


def index_key(text: str) -> str:
    """Return the text as an index can hold it: what is too long keeps its start and its hash.

    PostgreSQL refuses keys beyond some 2,700 bytes, and senders choose ids and threads.
    """
    text = storable(text)
    if len(text) <= _LONGEST_KEY:
        return text
    return f"{text[:_KEPT_OF_KEY]}...{hashlib.sha256(text.encode()).hexdigest()}"


def time_now(connection: sa.Connection) -> int:
    """Return the database's time in milliseconds."""
    return int(connection.execute(_TIME).scalar_one())


def lease_values(lease: Lease) -> dict[str, Any]:
    """Return the parameters by which a worker's write names its lease."""
    return {
        "lease_destination": lease.destination_id,
        "lease_owner": lease.owner,
        "lease_epoch": lease.epoch,
    }


def ensure_destinations(
    connection: sa.Connection, wanted: Collection[Destination], ids: Ids
) -> dict[Destination, int]:
    """Return the ids of the destinations; rows, and the rooms of the web chat, are made."""
    found = _destinations(connection, wanted)
    missing = [place for place in wanted if place not in found]
    if missing:
        connection.execute(
            insert(connection, destinations).on_conflict_do_nothing(),
            [
                {"id": ids.next(), "platform": place.platform, "channel": place.channel}
                for place in sorted(missing, key=str)
            ],
        )
        ensure_rooms(connection, {one.channel for one in missing if one.platform == LOCAL})
        found = _destinations(connection, wanted)
    return found


def ensure_rooms(connection: sa.Connection, names: Collection[str]) -> None:
    """Make the rooms that are not there yet."""
    if names:
        connection.execute(
            insert(connection, rooms).on_conflict_do_nothing(),
            [{"name": name, "last_seq": 0, "created_at": time_now(connection)} for name in names],
        )


def _destinations(
    connection: sa.Connection, wanted: Collection[Destination]
) -> dict[Destination, int]:
    channels = list({place.channel for place in wanted})
    rows = connection.execute(_BY_CHANNEL, {"wanted": channels})
    return {Destination(platform, channel): row_id for row_id, platform, channel in rows}


def touch(connection: sa.Connection, ids: Collection[int], now: int) -> None:
    """Make idle destinations due, in the order of their ids so that writers never deadlock.

    One that waits for the retry of some thread is idle for all the others; one that was asked to
    wait, or is leased, is left alone.
    """
    idle = connection.execute(_IDLE, {"wanted": list(ids), "now": now}).scalars().all()
    if idle:
        connection.execute(_TOUCH, {"wanted": idle, "now": now})


_BY_CHANNEL = sa.select(destinations.c.id, destinations.c.platform, destinations.c.channel).where(
    destinations.c.channel.in_(sa.bindparam("wanted", expanding=True))
)
_TIME = sa.select(now_ms())

_NOW = sa.bindparam("now", type_=sa.BigInteger)
_ALLOWED = sa.case(
    (destinations.c.retry_after > _NOW, destinations.c.retry_after),
    else_=_NOW,
)
_WANTED = destinations.c.id.in_(sa.bindparam("wanted", expanding=True))

_IDLE = (
    sa.select(destinations.c.id)
    .where(_WANTED, sa.or_(destinations.c.due_at.is_(None), destinations.c.due_at > _ALLOWED))
    .order_by(destinations.c.id)
    .with_for_update()
)
_TOUCH = sa.update(destinations).where(_WANTED).values(due_at=_ALLOWED)
