"""The queue worker: follows which queues are configured, and reads each in a task of its own."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Protocol

from parley.kernel.configuration import Configuration
from parley.kernel.ports.notices import Notices
from parley.kernel.ports.queues import Queues
from parley.observe import log
from parley.workers.queue_reader import Mark, Notify, QueueReader

_LOOK_AGAIN = 5.0


class QueueDirectory(Protocol):
    """Knows which queues are configured."""

    async def queues(self) -> Mapping[str, Sequence[Configuration]]:
        """Return every queue's URL with the configurations that name it."""
        ...


class QueueWorker:
    """Runs until it is stopped. Any number may read the same queues: each message goes to one."""

    def __init__(
        self,
        directory: QueueDirectory,
        queues: Queues,
        notify: Notify,
        notices: Notices,
        mark: Mark,
        *,
        look_again: float = _LOOK_AGAIN,
    ) -> None:
        """Look every `look_again` seconds whether queues were added or removed."""
        self._directory = directory
        self._queues = queues
        self._notify = notify
        self._notices = notices
        self._mark = mark
        self._look_again = look_again
        self._known: Mapping[str, Sequence[Configuration]] = {}
        self._readers: dict[str, QueueReader] = {}
        self._leaving: set[asyncio.Task[None]] = set()
        self._loop: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to follow the configurations, in the running event loop."""
        self._loop = asyncio.create_task(self._follow(), name="queues")

    async def stop(self) -> None:
        """Receive nothing new, finish what can be stored at once, give the rest back."""
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.wait({self._loop})
        for url in list(self._readers):
            self._leave(url)
        await asyncio.gather(*self._leaving)

    async def _follow(self) -> None:
        while True:
            try:
                self._known = await self._directory.queues()
            except Exception:  # noqa: BLE001 - the queues known so far are read on
                log.exception("queues_unknown")
            else:
                for url in self._readers.keys() - self._known.keys():
                    self._leave(url)
                for url in self._known.keys() - self._readers.keys():
                    self._join(url)
            await asyncio.sleep(self._look_again)

    def _join(self, url: str) -> None:
        def configurations() -> Sequence[Configuration]:
            return self._known.get(url, ())

        reader = QueueReader(
            url,
            self._queues,
            self._notify,
            self._notices,
            configurations=configurations,
            mark=self._mark,
        )
        reader.start()
        self._readers[url] = reader
        log.info("queue_joined", queue=url)

    def _leave(self, url: str) -> None:
        # Giving back what was received takes a moment; the other queues go on meanwhile.
        leaving = asyncio.create_task(self._readers.pop(url).stop())
        self._leaving.add(leaving)
        leaving.add_done_callback(self._leaving.discard)
        log.info("queue_left", queue=url)
