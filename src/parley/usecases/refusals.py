"""What the endpoint refuses is told in the room `admin`, without letting senders flood it."""

from datetime import datetime, timedelta

from parley.kernel.errors import Unavailable
from parley.kernel.messages import Message, Text, Tone
from parley.kernel.ports.clock import Clock
from parley.kernel.ports.notices import Notices

_HOUR = timedelta(hours=1)
_OTHERS = "refused:others"
_MOST_UNWELL = 1_000  # strangers choose the names of topics, twenty an hour


class Refusals:
    """Remembers what was told in the last hour, so that a repetition costs nothing.

    Anybody can make up topics. Only `strangers` of them an hour are told one by one. Anybody can
    also forge messages of a known topic, between those that are good: a cause that is gone and
    comes back within the hour is not told again, and neither is its end.
    """

    def __init__(self, notices: Notices, clock: Clock, *, strangers: int = 20) -> None:
        self._notices = notices
        self._clock = clock
        self._strangers = strangers
        self._told: dict[str, datetime] = {}
        self._told_of_strangers: dict[str, datetime] = {}
        self._unwell: dict[str, None] = {}

    async def tell(self, cause: str, message: Message) -> None:
        """Tell a cause that only we, or who may sign for a known topic, can bring about."""
        await self._tell(self._told, cause, message)

    async def tell_of_stranger(self, cause: str, message: Message) -> None:
        """Tell a cause that anybody can bring about; when there are too many, only that."""
        told = self._told_of_strangers
        self._forget_old(told)
        if cause in told or len(told) < self._strangers:
            await self._tell(told, cause, message)
            return
        await self._tell(
            self._told,
            _OTHERS,
            Message(
                Text("Messages for many unknown topics are refused"),
                Tone.WARN,
                state="REFUSED",
                blocks=(
                    Text(
                        f"More than {self._strangers} topics that no configuration names were"
                        " tried within an hour. The others are refused without being listed here."
                    ),
                ),
            ),
        )

    async def well(self, cause: str, message: Message) -> None:
        """Tell that a cause is gone, if it was told since the start."""
        if cause in self._unwell:
            del self._unwell[cause]
            try:
                await self._notices.well(cause, message)
            except Unavailable:
                self._unwell[cause] = None

    async def _tell(self, told: dict[str, datetime], cause: str, message: Message) -> None:
        self._forget_old(told)
        if cause in told:
            return
        told[cause] = self._clock.now()
        if len(self._unwell) >= _MOST_UNWELL:
            del self._unwell[next(iter(self._unwell))]
        self._unwell[cause] = None
        try:
            await self._notices.tell(cause, message)
        except Unavailable:
            # What the sender is answered does not depend on it, and the next one tells it again.
            told.pop(cause, None)

    def _forget_old(self, told: dict[str, datetime]) -> None:
        now = self._clock.now()
        for old in [one for one, at in told.items() if now - at >= _HOUR]:
            del told[old]
