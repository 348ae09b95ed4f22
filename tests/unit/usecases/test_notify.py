"""What is said of a formatter's health never hinders the event, and is said until it could be."""

from dataclasses import dataclass, field
from typing import cast

from parley.events.envelope import event_from_sqs
from parley.kernel.errors import Unavailable
from parley.kernel.messages import Message
from parley.kernel.ports.inbox import Arrival, Inbox
from parley.kernel.ports.notices import Notices
from parley.observe import Metrics, SystemClock
from parley.usecases.notify import Notify


@dataclass
class Kept:
    """Events and notices; no notice can be kept for so many calls."""

    away: int
    events: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    async def accept(self, arrival: Arrival) -> bool:
        """Keep the event."""
        self.events.append(arrival.event_id)
        return True

    async def well(self, cause: str, _message: Message) -> bool:
        """Keep what is well again, unless away."""
        self.away -= 1
        if self.away >= 0:
            raise Unavailable
        self.told.append(cause)
        return True


async def test_an_event_is_kept_though_its_formatters_health_cannot_be() -> None:
    kept = Kept(away=1)
    notify = Notify(
        cast("Inbox", kept), cast("Notices", kept), Metrics(), SystemClock(), lambda _: None
    )
    for number in range(3):
        assert await notify(event_from_sqs("arn", str(number), "the disk is full"), [])
    assert kept.events == ["sqs:arn:0", "sqs:arn:1", "sqs:arn:2"]
    assert kept.told == ["formatter:sqs:text"]
