"""A bounded queue of records in front of the writer: many callers, one multi-row statement."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import sqlalchemy as sa

from parley.kernel.errors import Overloaded, ParleyError
from parley.storage.database import Database

Item = TypeVar("Item")
Result = TypeVar("Result")

_BATCH = 256


class Records(Generic[Item, Result]):
    """Collects what arrives while the last batch is being committed, and writes it as the next."""

    def __init__(
        self,
        database: Database,
        store: Callable[[sa.Connection, Sequence[Item]], Sequence[Result]],
        size: Callable[[Item], int],
        limit: int,
    ) -> None:
        """Take the function that stores a batch, and how many bytes may wait at the most."""
        self._database = database
        self._store = store
        self._size = size
        self._limit = limit
        self._waiting: deque[tuple[Item, asyncio.Future[Result]]] = deque()
        self._bytes = 0
        self._flusher: asyncio.Task[None] | None = None

    async def put(self, item: Item) -> Result:
        """Store the item; return after its commit. Raises `Overloaded` when too much waits."""
        size = self._size(item)
        if self._bytes and self._bytes + size > self._limit:
            raise Overloaded
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        self._bytes += size
        if self._flusher is None:
            self._flusher = asyncio.create_task(self._flush())
        try:
            return await future
        finally:
            self._bytes -= size

    async def _flush(self) -> None:
        try:
            while self._waiting:
                count = min(_BATCH, len(self._waiting))
                await self._write([self._waiting.popleft() for _ in range(count)])
        finally:
            self._flusher = None

    async def _write(self, batch: list[tuple[Item, asyncio.Future[Result]]]) -> None:
        items = [item for item, _ in batch]
        try:
            results = await self._database.write(lambda connection: self._store(connection, items))
        except ParleyError as error:
            # The database itself: one by one would fare no better.
            _fail(batch, error)
        except Exception as error:  # noqa: BLE001 - one bad record must not fail its neighbours
            if len(batch) == 1:
                _fail(batch, error)
            else:
                for one in batch:
                    await self._write([one])
        else:
            for (_, future), result in zip(batch, results, strict=True):
                if not future.done():
                    future.set_result(result)


def _fail(batch: list[tuple[Item, asyncio.Future[Result]]], error: Exception) -> None:
    for _, future in batch:
        if not future.done():
            future.set_exception(error)
