"""One queue: messages are received, stored, and only then deleted."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from enum import Enum, auto

from parley.events.envelope import event_from_sqs
from parley.events.model import Event
from parley.kernel.configuration import Configuration
from parley.kernel.errors import InvalidRequest, ParleyError, Refused, Unavailable
from parley.kernel.messages import Fact, Facts, Message, Text, Tone
from parley.kernel.ports.notices import Notices
from parley.kernel.ports.queues import QueueMessage, Queues
from parley.observe import log

Mark = Callable[[str, str], Awaitable[object]]
"""Says what is wrong with the configurations of a queue, nothing when they are well."""

Notify = Callable[[Event, Sequence[Configuration]], Awaitable[bool]]

_LONGEST_PAUSE = 60.0
_TOLD_AFTER = 3
"""Failures in a row: one that passes by itself is nobody's concern."""

_HIDDEN = 60
"""Seconds beyond the next attempt that a message stays hidden which could not be stored yet."""

_STOP = 4.0
"""Seconds to let what is being stored end, and as many to give the rest back: a stop takes ten."""


class _Fate(Enum):
    STORED = auto()
    LATER = auto()
    NEVER = auto()


class QueueReader:
    """Reads a queue until it is stopped.

    The next messages are asked for while the last are being stored. `configurations` returns whom
    the queue speaks to now.
    """

    def __init__(
        self,
        url: str,
        queues: Queues,
        notify: Notify,
        notices: Notices,
        *,
        configurations: Callable[[], Sequence[Configuration]],
        mark: Mark,
    ) -> None:
        """Take the queue's URL and what its messages need."""
        self._mark = mark
        self._url = url
        self._queues = queues
        self._notify = notify
        self._notices = notices
        self._configurations = configurations
        self._held: dict[str, QueueMessage] = {}
        self._reading: asyncio.Task[None] | None = None
        self._taking: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()
        self._troubled = True
        """Whether something may have been told of it, perhaps by the process before this one."""

    def start(self) -> None:
        """Begin to read, in the running event loop."""
        self._reading = asyncio.create_task(self._read(), name=f"queue {self._url}")

    async def stop(self) -> None:
        """Receive nothing more, let what is being stored end soon, give the rest back."""
        self._stopping.set()
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait({self._reading})
        if self._taking is not None and not self._taking.done():
            await asyncio.wait({self._taking}, timeout=_STOP)
            self._taking.cancel()
            await asyncio.wait({self._taking})
        with suppress(ParleyError, TimeoutError):
            async with asyncio.timeout(_STOP):
                for batch in _tens(list(self._held.values())):
                    await self._queues.hide(self._url, batch, 0)

    async def _read(self) -> None:
        while True:
            messages = await self._receive()
            self._held.update((message.receipt, message) for message in messages)
            if self._taking is not None:
                # Awaited by itself, it would be cancelled together with this.
                await asyncio.wait({self._taking})
            self._taking = asyncio.create_task(self._take(messages))

    async def _receive(self) -> Sequence[QueueMessage]:
        """Return the next messages, however often it takes."""
        failures = 0
        while True:
            try:
                messages = await self._queues.receive(self._url)
            except Exception as error:  # noqa: BLE001 - reading goes on whatever happens
                failures += 1
                await self._report(error, failures)
                await asyncio.sleep(_pause(failures))
            else:
                await self._report_well()
                return messages

    async def _take(self, messages: Sequence[QueueMessage]) -> None:
        """Store the messages and delete them; keep at it while storing fails."""
        waiting, failures = messages, 0
        try:
            while waiting and not self._stopping.is_set():
                waiting = await self._store_all(waiting)
                if waiting:
                    failures += 1
                    await self._hold(waiting, _pause(failures))
        except Exception:  # noqa: BLE001 - they come again; reading goes on
            log.exception("queue_messages_left", queue=self._url, messages=len(waiting))

    async def _store_all(self, messages: Sequence[QueueMessage]) -> Sequence[QueueMessage]:
        """Return what has to be tried again."""
        fates = await asyncio.gather(*(self._store(message) for message in messages))
        by_fate = {fate: _of(fate, messages, fates) for fate in _Fate}
        await self._delete(by_fate[_Fate.STORED])
        for message in by_fate[_Fate.STORED] + by_fate[_Fate.NEVER]:
            self._held.pop(message.receipt, None)
        return by_fate[_Fate.LATER]

    async def _hold(self, messages: Sequence[QueueMessage], pause: float) -> None:
        # Given back, they would use up the receives after which a queue sorts them out.
        with suppress(ParleyError):
            await self._queues.hide(self._url, messages, round(pause) + _HIDDEN)
        with suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await self._stopping.wait()

    async def _store(self, message: QueueMessage) -> _Fate:
        configurations = self._configurations()
        if not configurations:
            return _Fate.LATER
        try:
            event = event_from_sqs(message.queue_arn, message.id, message.body, message.sent_at)
            await self._notify(event, configurations)
        except Unavailable as error:
            log.warning("queue_message_waits", queue=self._url, error=str(error))
            return _Fate.LATER
        except Exception as error:  # noqa: BLE001 - one message must not stop the others
            log.exception("queue_message_not_stored", queue=self._url, message=message.id)
            await self._report_never(message, error)
            return _Fate.NEVER
        return _Fate.STORED

    async def _delete(self, messages: Sequence[QueueMessage]) -> None:
        if messages:
            try:
                await self._queues.delete(self._url, messages)
            except ParleyError as error:
                # They come again and are then known as duplicates.
                log.warning("queue_messages_not_deleted", queue=self._url, error=str(error))

    async def _report(self, error: Exception, failures: int) -> None:
        log.warning("queue_not_read", queue=self._url, error=str(error), failures=failures)
        lasting = isinstance(error, (Refused, InvalidRequest))
        if not lasting and failures < _TOLD_AFTER:
            return
        self._troubled = True
        said = _said(error)
        message = Message(
            Text("A queue cannot be read"),
            Tone.BAD,
            state="FAILED",
            blocks=(Text(said), Facts((Fact("Queue", self._url),))),
        )
        await _told(self._mark(self._url, said))
        await _told(self._notices.tell(f"queue:{self._url}", message))

    async def _report_well(self) -> None:
        if self._troubled:
            well = Message(
                Text("A queue is read again"),
                Tone.GOOD,
                state="OK",
                blocks=(Facts((Fact("Queue", self._url),)),),
            )
            marked = await _told(self._mark(self._url, ""))
            if await _told(self._notices.well(f"queue:{self._url}", well)) and marked:
                self._troubled = False

    async def _report_never(self, message: QueueMessage, error: Exception) -> None:
        said = _said(error)
        notice = Message(
            Text("A message of a queue cannot be stored"),
            Tone.BAD,
            state="FAILED",
            blocks=(
                Text(
                    f"{said} It stays in the queue, which tries it again and moves it to its"
                    " dead-letter queue if it has one."
                ),
                Facts((Fact("Queue", self._url), Fact("Message", message.id))),
            ),
        )
        await _told(self._notices.tell(f"queue-message:{self._url}", notice))


def _said(error: Exception) -> str:
    """Return what people can do something with: the texts of others are for the log."""
    return str(error) if isinstance(error, ParleyError) else "The log has the details."


def _pause(failures: int) -> float:
    """Return seconds: twice as long each time, and never the same for all who wait."""
    longest: float = min(_LONGEST_PAUSE, 2.0 ** min(failures, 10))
    return random.uniform(longest / 2, longest)  # noqa: S311 - spreads load, guards nothing


def _of(
    fate: _Fate, messages: Sequence[QueueMessage], fates: Sequence[_Fate]
) -> list[QueueMessage]:
    return [message for message, its in zip(messages, fates, strict=True) if its is fate]


def _tens(messages: Sequence[QueueMessage]) -> Iterator[Sequence[QueueMessage]]:
    for start in range(0, len(messages), 10):
        yield messages[start : start + 10]


async def _told(telling: Awaitable[object]) -> bool:
    """Return whether it could be told: reading goes on without."""
    try:
        await telling
    except Exception:  # noqa: BLE001 - whatever hinders it, reading matters more
        log.exception("queue_trouble_not_told")
        return False
    return True
