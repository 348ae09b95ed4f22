"""What an event does to the earlier messages of its thread, in one channel.

An alarm has one message per episode: the head, which always shows the present. A thread under it
keeps every change. The newest change wins, whatever the order in which changes arrive.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import orjson

from parley.events.times import span_words
from parley.kernel.messages import Message, Text
from parley.kernel.threads import AlarmChange, Thread, Threaded

ALARM = "ALARM"
OK = "OK"


@dataclass(frozen=True, slots=True)
class Head:
    """What must be known about the head of a thread to place the next message.

    `state` and `changed_at` are those of the newest change, `first_at` the first ALARM of the
    head, `alarm_at` its last one, `ended_at` when it was over, `count` how often it was raised.
    `alarmed` is false for an OK or INSUFFICIENT_DATA that stands alone. A thread of custom
    notifications has a `summary` and no times. `replies` counts the messages under the head.
    """

    state: str = ""
    changed_at: datetime | None = None
    first_at: datetime | None = None
    alarm_at: datetime | None = None
    ended_at: datetime | None = None
    count: int = 0
    alarmed: bool = False
    summary: str = ""
    replies: int = 0

    def to_json(self) -> str:
        """Return the head as JSON; `from_json` gives an equal one back."""
        return orjson.dumps(self).decode()

    @staticmethod
    def from_json(data: str | bytes) -> "Head":
        """Rebuild a head; missing fields take their defaults, unknown ones are ignored."""
        raw: dict[str, Any] = orjson.loads(data)
        return Head(
            state=raw.get("state", ""),
            changed_at=_time(raw.get("changed_at")),
            first_at=_time(raw.get("first_at")),
            alarm_at=_time(raw.get("alarm_at")),
            ended_at=_time(raw.get("ended_at")),
            count=raw.get("count", 0),
            alarmed=raw.get("alarmed", False),
            summary=raw.get("summary", ""),
            replies=raw.get("replies", 0),
        )


def _time(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None


@dataclass(frozen=True, slots=True)
class Post:
    """Post the message into the channel: it becomes the head."""

    message: Message


@dataclass(frozen=True, slots=True)
class Edit:
    """Show this message in place of the head."""

    message: Message


@dataclass(frozen=True, slots=True)
class Reply:
    """Put the message into the thread under the head."""

    message: Message


Step = Post | Edit | Reply


@dataclass(frozen=True, slots=True)
class Plan:
    """The head from now on, whether it is a new message, and what to do, in this order."""

    head: Head
    new_head: bool
    steps: tuple[Step, ...]


def advance(
    previous: Head | None,
    head_message: Message | None,
    thread: Thread,
    message: Message,
    *,
    reopen_within: timedelta,
) -> Plan:
    """Say what one event does to its thread.

    `previous` is the head of the same key in this channel and `head_message` what it shows now;
    without `head_message` a new summary cannot be put on top. An ALARM less than `reopen_within`
    after the last episode belongs to that episode. Every event yields at least one step.
    """
    match thread:
        case AlarmChange():
            return _alarm(previous, thread, message, reopen_within)
        case Threaded():
            return _threaded(previous, head_message, thread, message)


def _alarm(
    head: Head | None, change: AlarmChange, message: Message, reopen_within: timedelta
) -> Plan:
    if head is None or head.changed_at is None:
        return _new_episode(change, message)
    if change.changed_at < head.changed_at:
        return _late(head, change, message)
    if change.state == ALARM:
        if head.state == ALARM:
            return _edited(head, replace(head, changed_at=change.changed_at), message)
        if _recent(head, change, reopen_within):
            return _raised_again(head, change, message)
    elif head.alarmed and (head.state != OK or _recent(head, change, reopen_within)):
        return _quiet(head, change, message)
    return _new_episode(change, message)


def _recent(head: Head, change: AlarmChange, reopen_within: timedelta) -> bool:
    return (
        head.alarmed
        and head.ended_at is not None
        and change.changed_at - head.ended_at < reopen_within
    )


def _new_episode(change: AlarmChange, message: Message) -> Plan:
    alarmed = change.state == ALARM
    head = Head(
        state=change.state,
        changed_at=change.changed_at,
        first_at=change.changed_at,
        alarm_at=change.changed_at if alarmed else None,
        count=1 if alarmed else 0,
        alarmed=alarmed,
    )
    return Plan(head, new_head=True, steps=(Post(message),))


def _late(head: Head, change: AlarmChange, message: Message) -> Plan:
    """Keep a change that newer ones have overtaken: the head shows the present, not the past."""
    after = replace(head, replies=head.replies + 1)
    if change.state == ALARM and not head.alarmed:
        # The ALARM to which the lone OK belonged: with it the head stands for an episode.
        after = replace(
            after,
            alarmed=True,
            count=1,
            first_at=change.changed_at,
            alarm_at=change.changed_at,
            ended_at=head.changed_at,
        )
    late = replace(_line(message), note="arrived late")
    return Plan(after, new_head=False, steps=(Reply(late),))


def _raised_again(head: Head, change: AlarmChange, message: Message) -> Plan:
    after = replace(
        head,
        state=ALARM,
        changed_at=change.changed_at,
        alarm_at=change.changed_at,
        ended_at=None,
        count=head.count + 1,
    )
    return _edited(head, after, message)


def _quiet(head: Head, change: AlarmChange, message: Message) -> Plan:
    """Edit the head to OK or INSUFFICIENT_DATA; the reply says how long the ALARM lasted.

    INSUFFICIENT_DATA ends an episode for the time being; the OK that follows ends it for good.
    """
    still = head.state in (OK, change.state)
    after = replace(
        head,
        state=change.state,
        changed_at=change.changed_at,
        ended_at=head.ended_at if still else change.changed_at,
    )
    lasted = ""
    if head.state == ALARM and head.alarm_at is not None:
        lasted = f"after {span_words(change.changed_at - head.alarm_at)}"
    return _edited(head, after, message, note=_counted(after) or lasted, reply_note=lasted)


def _edited(
    before: Head, after: Head, message: Message, note: str | None = None, reply_note: str = ""
) -> Plan:
    shown = replace(message, note=_counted(after) if note is None else note)
    reply = replace(_line(message), note=reply_note)
    return Plan(
        replace(after, replies=before.replies + 1),
        new_head=False,
        steps=(Edit(shown), Reply(reply)),
    )


def _counted(head: Head) -> str:
    """Return `3rd time in 20 min`: from the first ALARM to the last; nothing for the first."""
    if head.count <= 1 or head.first_at is None or head.alarm_at is None:
        return ""
    return f"{_ordinal(head.count)} time in {span_words(head.alarm_at - head.first_at)}"


def _ordinal(number: int) -> str:
    if number % 100 in (11, 12, 13):
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"


def _line(message: Message) -> Message:
    """Return what the thread keeps of a change: state, title, time and the sentence why."""
    why = next((block for block in message.blocks if isinstance(block, Text)), None)
    return Message(
        title=message.title,
        tone=message.tone,
        state=message.state,
        at=message.at,
        blocks=(why,) if why else (),
        event_id=message.event_id,
    )


def _threaded(
    head: Head | None, head_message: Message | None, thread: Threaded, message: Message
) -> Plan:
    if head is None:
        first = replace(message, summary=thread.summary)
        return Plan(Head(summary=thread.summary), new_head=True, steps=(Post(first),))
    after = replace(head, replies=head.replies + 1)
    if head_message is None or thread.summary in ("", head.summary):
        return Plan(after, new_head=False, steps=(Reply(message),))
    updates = f"{after.replies} update{'' if after.replies == 1 else 's'}"
    shown = replace(head_message, summary=thread.summary, note=updates)
    return Plan(
        replace(after, summary=thread.summary),
        new_head=False,
        steps=(Reply(message), Edit(shown)),
    )
