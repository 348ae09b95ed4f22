"""A configuration: which topics and queues speak in which channel."""

from dataclasses import dataclass
from datetime import datetime

from parley.kernel.incoming import Destination


@dataclass(frozen=True, slots=True)
class Routing:
    """Which events of the topics go to the channel; an empty tuple lets everything through.

    `sources` are patterns of the event's source (`aws.health`, `aws.*`, `custom`), `accounts` are
    account ids.
    """

    sources: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Configuration:
    """One row of `parley configurations list`. `name` is unique in its account and never
    changes.

    `topics` are SNS topic ARNs, `queues` SQS queue URLs. `group_mentions` lets custom
    notifications notify a whole channel. `unhealthy` says what is wrong, empty when well.
    """

    name: str
    account: str
    destination: Destination
    topics: tuple[str, ...] = ()
    queues: tuple[str, ...] = ()
    routing: Routing = Routing()
    group_mentions: bool = False
    unhealthy: str = ""
    created_at: datetime | None = None
