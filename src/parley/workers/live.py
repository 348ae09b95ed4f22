"""Live rooms: one look at the database wakes everybody who watches."""

import asyncio

from parley.kernel.ports.rooms import Rooms
from parley.observe import log

_POLL = 1.0


class LiveRooms:
    """Wakes watchers at once for what this process wrote, within a second for the others'.

    See `parley.kernel.ports.live.Live`.
    """

    def __init__(self, rooms: Rooms) -> None:
        """Take where the rooms are read."""
        self._rooms = rooms
        self._last: dict[str, int] = {}
        self._watchers: set[tuple[str, int, asyncio.Future[None]]] = set()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look, in the running event loop."""
        self._task = asyncio.create_task(self._run(), name="live-rooms")

    async def stop(self) -> None:
        """End, and let every watcher go."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        for _, _, future in self._watchers:
            if not future.done():
                future.set_result(None)

    def changed(self) -> None:
        """See `Live.changed`."""
        self._wake.set()

    async def wait(self, room: str, after: int, timeout: float) -> None:  # noqa: ASYNC109 - the port's word
        """See `Live.wait`."""
        if self._last.get(room, 0) > after:
            return
        watcher = (room, after, asyncio.get_running_loop().create_future())
        self._watchers.add(watcher)
        try:
            async with asyncio.timeout(timeout):
                await watcher[2]
        except TimeoutError:
            return
        finally:
            self._watchers.discard(watcher)

    async def _run(self) -> None:
        while True:
            try:
                async with asyncio.timeout(_POLL):
                    await self._wake.wait()
            except TimeoutError:
                if not self._watchers:
                    continue
            self._wake.clear()
            try:
                self._last = await self._rooms.last_changes()
            except Exception as error:  # noqa: BLE001 - pages wait for the next look
                log.warning("live_rooms_wait", error=str(error))
                continue
            for room, after, future in self._watchers:
                if self._last.get(room, 0) > after and not future.done():
                    future.set_result(None)
