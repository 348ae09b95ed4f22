"""An event arrived: it is formatted, routed and stored with everything that has to be sent."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from parley.events.formatters import Formatted, format_event
from parley.events.model import Event, Notification
from parley.events.routing import routed
from parley.kernel.configuration import Configuration
from parley.kernel.errors import ParleyError
from parley.kernel.incoming import Destination
from parley.kernel.messages import Fact, Facts, Message, Text, Tone
from parley.kernel.ports.clock import Clock
from parley.kernel.ports.inbox import Arrival, Inbox, Route
from parley.kernel.ports.notices import Notices
from parley.kernel.threads import AlarmChange, Thread
from parley.observe import Metrics, log

_MOST_KINDS = 10_000  # senders choose the names of their sources

_AHEAD = timedelta(minutes=5)
"""How far the sender's clock may be ahead of ours."""

Format = Callable[[Event], Formatted]


@dataclass(frozen=True, slots=True)
class Notify:
    """Accepts an event for the configurations by whose topic or queue it came."""

    inbox: Inbox
    notices: Notices
    metrics: Metrics
    clock: Clock
    accepted: Callable[[Iterable[Destination]], None]
    """Called after the commit: there is something to deliver to these."""
    format: Format = format_event
    known_well: set[str] = field(default_factory=set)
    """Kinds of events whose formatter this process has seen at work."""

    async def __call__(self, event: Event, configurations: Sequence[Configuration]) -> bool:
        """Return after the commit, whether the event was new.

        Raises `Unavailable` when it could not be stored: the sender must try again.
        """
        formatted = self.format(event)
        cause = f"formatter:{event.source}:{event.kind}"
        if formatted.failure:
            await self._report(cause, event, formatted)
        elif cause not in self.known_well:
            await self._report_well(cause, event)
        notification = formatted.notification
        speaking = [one for one in configurations if routed(one.routing, event)]
        arrival = self._arrival(event, notification, speaking)
        new = await self.inbox.accept(arrival)
        # A known event may be new to a channel: its topic comes over HTTP and by a queue.
        self.accepted(route.destination for route in arrival.routes)
        if not new:
            self.metrics.duplicates.inc()
            return False
        for configuration in configurations:
            self.metrics.events_processed.labels(configuration.name).inc()
            if not notification.recognised:
                self.metrics.unsupported_events.labels(configuration.name).inc()
        return True

    def _arrival(
        self, event: Event, notification: Notification, configurations: Sequence[Configuration]
    ) -> Arrival:
        message = replace(notification.message, event_id=event.id)
        now = self.clock.now()
        thread = _not_ahead(notification.thread, now)
        return Arrival(
            event_id=event.id,
            received_at=now,
            occurred_at=event.time,
            source=event.source,
            kind=event.kind,
            account=event.account,
            region=event.region,
            topic=event.topic,
            title=message.title.text,
            tone=message.tone,
            raw=event.raw,
            routes=tuple(
                Route(
                    one.name,
                    one.destination,
                    replace(message, group_mentions=True) if one.group_mentions else message,
                    thread,
                )
                for one in configurations
            ),
        )

    async def _report_well(self, cause: str, event: Event) -> None:
        if len(self.known_well) >= _MOST_KINDS:
            self.known_well.clear()
        self.known_well.add(cause)
        message = Message(
            title=Text(f"Events of {event.source} are formatted by their own formatter again"),
            tone=Tone.GOOD,
            state="OK",
            context=("Parley",),
        )
        try:
            await self.notices.well(cause, message)
        except ParleyError as error:
            self.known_well.discard(cause)  # The next event of the kind says it.
            log.error("notice_failed", event_id=event.id, error=str(error))

    async def _report(self, cause: str, event: Event, formatted: Formatted) -> None:
        self.known_well.discard(cause)
        failure = formatted.failure
        name = failure.partition(":")[0]
        self.metrics.formatter_failures.labels(name).inc()
        log.error("formatter_failed", event_id=event.id, formatter=name, error=failure)
        message = Message(
            title=Text("A formatter failed"),
            tone=Tone.WARN,
            state="DEGRADED",
            context=("Parley",),
            blocks=(
                Text("The event was shown by the general formatter instead; nothing is missing."),
                Facts((Fact("Event", event.id), Fact("Error", failure))),
            ),
            event_id=event.id,
        )
        try:
            await self.notices.tell(cause, message)
        except ParleyError as error:
            # The event itself matters more: whether it can be stored is seen next.
            log.error("notice_failed", event_id=event.id, error=str(error))


def _not_ahead(thread: Thread | None, now: datetime) -> Thread | None:
    """Return the thread with a change of an alarm that has happened already.

    The newest change wins: one from next year would have the alarm pass for well until then, and
    senders write the time themselves.
    """
    if isinstance(thread, AlarmChange) and thread.changed_at - now > _AHEAD:
        return replace(thread, changed_at=now)
    return thread
