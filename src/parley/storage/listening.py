"""Hearing at once that another process changed a room: PostgreSQL's NOTIFY.

Every transaction that writes into rooms notifies; the server folds that into one for each commit.
What is missed while the connection is away is found by whoever looks from time to time.
"""

import asyncio
from collections.abc import Callable

import sqlalchemy as sa

from parley.observe import log

_CHANNEL = "parley_rooms"
_LISTEN = f"LISTEN {_CHANNEL}"
_NOTIFY = sa.select(sa.func.pg_notify(_CHANNEL, ""))
_AGAIN = 1.0


def tell_listeners(connection: sa.Connection) -> None:
    """Let other processes know of this transaction when it commits. On SQLite there are none."""
    if connection.dialect.name == "postgresql":
        connection.execute(_NOTIFY)


class RoomListener:
    """Calls `changed` whenever some process has changed a room."""

    def __init__(self, url: str, changed: Callable[[], None]) -> None:
        """Take the URL of a PostgreSQL database."""
        _, _, rest = url.partition("://")
        self._url = f"postgresql://{rest}"
        self._changed = changed
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to listen, in the running event loop."""
        self._task = asyncio.create_task(self._run(), name="room-listener")

    async def stop(self) -> None:
        """End."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        import psycopg  # noqa: PLC0415 - 11 MB that SQLite does without

        while True:
            try:
                await self._listen()
            except (psycopg.Error, OSError) as error:
                log.warning("rooms_not_heard", error=str(error).strip())
            await asyncio.sleep(_AGAIN)

    async def _listen(self) -> None:
        import psycopg  # noqa: PLC0415 - as above

        connection = await psycopg.AsyncConnection.connect(self._url, autocommit=True)
        async with connection:
            await connection.execute(_LISTEN)
            self._changed()  # something may have happened while nobody listened
            async for _ in connection.notifies():
                self._changed()
