"""How a message belongs together with earlier ones."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class AlarmChange:
    """A CloudWatch alarm changed its state.

    `key` is account, region and name; `state` ALARM, OK or INSUFFICIENT_DATA.
    """

    key: str
    state: str
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Threaded:
    """One of several messages that stand under one head. `summary` goes on the head."""

    key: str
    summary: str = ""


Thread = AlarmChange | Threaded
