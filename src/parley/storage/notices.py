"""Notices to the admin room: through the outbox like every other message."""

import sqlalchemy as sa

from parley.kernel.incoming import LOCAL, Destination
from parley.kernel.message_json import to_json
from parley.kernel.messages import Message
from parley.kernel.ports.outbox import Action
from parley.storage.database import Database
from parley.storage.ids import Ids
from parley.storage.rooms import ADMIN
from parley.storage.rows import ensure_destinations, index_key, insert, time_now, touch
from parley.storage.schema import notices, outbox

_AGAIN_MS = 60 * 60 * 1000
_PLACE = Destination(LOCAL, ADMIN)


class StoredNotices:
    """Notices on a database. See `parley.kernel.ports.notices.Notices`."""

    def __init__(self, database: Database, ids: Ids) -> None:
        """Take the database and what makes ids."""
        self._database = database
        self._ids = ids

    async def tell(self, cause: str, message: Message) -> bool:
        """See `Notices.tell`."""
        return await self._database.write(lambda c: _tell(c, self._ids, index_key(cause), message))

    async def well(self, cause: str, message: Message) -> bool:
        """See `Notices.well`."""
        return await self._database.write(lambda c: _well(c, self._ids, index_key(cause), message))


def _tell(connection: sa.Connection, ids: Ids, cause: str, message: Message) -> bool:
    now = time_now(connection)
    statement = insert(connection, notices).values(cause=cause, told_at=now, well=False)
    told = connection.execute(
        statement.on_conflict_do_update(
            index_elements=["cause"],
            set_={"told_at": now, "well": False},
            # Broken again within the hour of being well: that is news, too.
            where=sa.or_(notices.c.told_at <= now - _AGAIN_MS, notices.c.well),
        ).returning(notices.c.cause)
    ).first()
    if told is not None:
        _post(connection, ids, cause, message, now)
    return told is not None


def _well(connection: sa.Connection, ids: Ids, cause: str, message: Message) -> bool:
    now = time_now(connection)
    ended = connection.execute(
        sa.update(notices)
        .where(notices.c.cause == cause, ~notices.c.well)
        .values(well=True)
        .returning(notices.c.cause)
    ).first()
    if ended is not None:
        _post(connection, ids, cause, message, now)
    return ended is not None


def _post(connection: sa.Connection, ids: Ids, cause: str, message: Message, now: int) -> None:
    destination_id = ensure_destinations(connection, [_PLACE], ids)[_PLACE]
    row_id = ids.next()
    connection.execute(
        sa.insert(outbox),
        {
            "id": row_id,
            "event_id": f"notice:{cause}:{row_id}",
            "destination_id": destination_id,
            "step": 0,
            "configuration": "",
            "action": Action.POST.value,
            "head_id": row_id,
            "message": to_json(message),
            "due_at": now,
            "created_at": now,
        },
    )
    touch(connection, [destination_id], now)
