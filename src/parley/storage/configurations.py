"""Configurations with their topics and queues."""

from collections.abc import Sequence

import orjson
import sqlalchemy as sa

from parley.kernel.configuration import Configuration, Routing
from parley.kernel.errors import Conflict
from parley.kernel.incoming import Destination
from parley.storage.clock import from_ms
from parley.storage.database import Database
from parley.storage.ids import Ids
from parley.storage.rows import ensure_destinations, insert, storable, time_now
from parley.storage.schema import configuration_queues, configuration_topics, configurations


class StoredConfigurations:
    """Configurations on a database. See `parley.kernel.ports.configurations.Configurations`."""

    def __init__(self, database: Database, ids: Ids) -> None:
        """Take the database and what makes ids."""
        self._database = database
        self._ids = ids

    async def all(self) -> Sequence[Configuration]:
        """See `Configurations.all`."""
        return await self._database.read(_all)

    async def add(self, configuration: Configuration) -> None:
        """See `Configurations.add`."""
        await self._database.write(lambda c: _add(c, self._ids, configuration))

    async def remove(self, account: str, name: str) -> bool:
        """See `Configurations.remove`."""
        return await self._database.write(lambda c: _remove(c, account, name))

    async def mark(self, destination: Destination, unhealthy: str) -> Sequence[str]:
        """See `Configurations.mark`."""
        in_channel = sa.and_(
            configurations.c.platform == destination.platform,
            configurations.c.channel == destination.channel,
        )
        return await self._database.write(lambda c: _mark(c, in_channel, unhealthy))

    async def mark_queue(self, queue: str, unhealthy: str) -> Sequence[str]:
        """See `Configurations.mark_queue`."""
        named = sa.select(configuration_queues.c.configuration_id).where(
            configuration_queues.c.queue == queue
        )
        of_queue = configurations.c.id.in_(named)
        return await self._database.write(lambda c: _mark(c, of_queue, unhealthy))


def _mark(
    connection: sa.Connection, which: sa.ColumnElement[bool], unhealthy: str
) -> Sequence[str]:
    # A chat platform chooses the words of its errors.
    said = storable(unhealthy)
    statement = (
        sa.update(configurations)
        .where(which, configurations.c.unhealthy != said)
        .values(unhealthy=said)
        .returning(configurations.c.name)
    )
    return connection.execute(statement).scalars().all()


def _all(connection: sa.Connection) -> Sequence[Configuration]:
    topics = _lists(connection, configuration_topics, "topic")
    queues = _lists(connection, configuration_queues, "queue")
    rows = connection.execute(
        sa.select(configurations).order_by(configurations.c.name, configurations.c.account)
    )
    return [
        Configuration(
            name=row.name,
            account=row.account,
            destination=Destination(row.platform, row.channel),
            topics=tuple(topics.get(row.id, ())),
            queues=tuple(queues.get(row.id, ())),
            routing=_routing(row.routing),
            group_mentions=bool(row.group_mentions),
            unhealthy=row.unhealthy,
            created_at=from_ms(row.created_at),
        )
        for row in rows
    ]


def _lists(connection: sa.Connection, table: sa.Table, column: str) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for owner, value in connection.execute(
        sa.select(table.c.configuration_id, table.c[column]).order_by(table.c[column])
    ):
        found.setdefault(owner, []).append(value)
    return found


def _routing(stored: str) -> Routing:
    raw = orjson.loads(stored)
    return Routing(tuple(raw.get("sources", ())), tuple(raw.get("accounts", ())))


def _add(connection: sa.Connection, ids: Ids, configuration: Configuration) -> None:
    row_id = ids.next()
    place = configuration.destination
    statement = insert(connection, configurations).values(
        id=row_id,
        name=configuration.name,
        account=configuration.account,
        platform=place.platform,
        channel=place.channel,
        group_mentions=configuration.group_mentions,
        routing=orjson.dumps(configuration.routing).decode(),
        created_at=time_now(connection),
    )
    added = connection.execute(
        statement.on_conflict_do_nothing(index_elements=["account", "name"]).returning(
            configurations.c.id
        )
    ).first()
    if added is None:
        raise Conflict(
            f"Account {configuration.account} has a configuration named {configuration.name} "
            "already. Names never change: remove that one first, or take another name."
        )
    for table, column, values in (
        (configuration_topics, "topic", configuration.topics),
        (configuration_queues, "queue", configuration.queues),
    ):
        if values:
            rows = [{"configuration_id": row_id, column: value} for value in values]
            connection.execute(sa.insert(table), rows)
    ensure_destinations(connection, [place], ids)


def _remove(connection: sa.Connection, account: str, name: str) -> bool:
    row_id = connection.execute(
        sa.delete(configurations)
        .where(configurations.c.account == account, configurations.c.name == name)
        .returning(configurations.c.id)
    ).scalar()
    for table in (configuration_topics, configuration_queues):
        connection.execute(sa.delete(table).where(table.c.configuration_id == row_id))
    return row_id is not None
