"""An event as AWS said it, unwrapped, and what a formatter makes of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from parley.kernel.messages import Message
from parley.kernel.threads import Thread


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened.

    `id` is ours and unique: `sns:<topic arn>:<MessageId>` (also through SQS),
    `eb:<account>:<region>:<id>` for a bare EventBridge event, else
    `sqs:<queue arn>:<message id>`. `kind` is the detail-type of EventBridge, `alarm`, `custom`,
    `json` or `text`. `detail` is the whole unwrapped payload: an object, any other JSON value, or
    the text itself. `raw` is what arrived, letter for letter, for "Show source".
    """

    id: str
    source: str
    kind: str
    time: datetime | None
    account: str
    region: str
    topic: str
    subject: str
    detail: Any
    raw: str


@dataclass(frozen=True, slots=True)
class Notification:
    """A formatter's output.

    `thread` says how it belongs together with earlier ones: an alarm's episode, a custom
    notification's thread, or nothing. `variables` are the names that custom actions can use.
    `recognised` is false when only the catch-all for unknown JSON or plain text would take it.
    """

    message: Message
    thread: Thread | None = None
    resources: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    recognised: bool = True
