"""What arrives, made up: events with the messages that they bring."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from parley.kernel.incoming import Destination
from parley.kernel.messages import Message, Text
from parley.kernel.ports.inbox import Arrival, Route
from parley.kernel.threads import AlarmChange, Thread, Threaded

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
OPS = Destination("local", "ops")
SLACK = Destination("slack", "C0123456789")
TOPIC = "arn:aws:sns:eu-west-1:123456789012:alarms"


def message(title: str = "Something happened", state: str = "") -> Message:
    """Return a message that is known by its title."""
    return Message(Text(title), state=state)


def route(
    to: Destination = OPS,
    title: str = "Something happened",
    thread: Thread | None = None,
    configuration: str = "ops",
    state: str = "",
) -> Route:
    """Return a message on its way to a channel."""
    return Route(configuration, to, message(title, state), thread)


def arrival(
    *routes: Route, event_id: str = "", raw: str = '{"text": "it happened"}', title: str = ""
) -> Arrival:
    """Return an event with its messages; without an id it is a new one."""
    return Arrival(
        event_id=event_id or f"sns:{TOPIC}:{uuid4()}",
        received_at=NOON,
        occurred_at=NOON,
        source="aws.cloudwatch",
        kind="alarm",
        account="123456789012",
        region="eu-west-1",
        topic=TOPIC,
        title=title or "Something happened",
        tone="info",
        raw=raw,
        routes=routes,
    )


def alarm(
    state: str,
    minute: float,
    to: Destination = OPS,
    name: str = "latency",
    event_id: str = "",
) -> Arrival:
    """Return the change of an alarm, so many minutes after noon."""
    change = AlarmChange(f"123456789012:eu-west-1:{name}", state, NOON + timedelta(minutes=minute))
    title = f"{name} {state} at {minute:g}"
    return arrival(route(to, title, change, state=state), event_id=event_id, title=title)


def threaded(key: str, title: str, to: Destination = OPS, summary: str = "") -> Arrival:
    """Return a custom notification of a thread."""
    return arrival(route(to, title, Threaded(key, summary)), title=title)
