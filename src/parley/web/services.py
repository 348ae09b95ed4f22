"""What the pages need from the rest of Parley; bootstrap fills it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.routing import BaseRoute

from parley.kernel.incoming import Said
from parley.kernel.messages import Message
from parley.kernel.ports.clock import Clock
from parley.kernel.ports.digests import DigestPages
from parley.kernel.ports.history import History
from parley.kernel.ports.live import Live
from parley.kernel.ports.people import People
from parley.kernel.ports.rooms import Posted, Rooms
from parley.usecases.deliveries import ManageDeliveries

Routes = Sequence[BaseRoute]
"""Routes that a part of this package hands over whole."""

Card = Callable[[Message], dict[str, Any]]
"""A message as the Adaptive Card 1.5 that Microsoft Teams would get."""

Converse = Callable[[Said, int | None], Awaitable[Posted]]
"""Store what somebody wrote, in the thread of a head when one is given, and answer it.

Raises `NotFound` for an unknown room or thread, `InvalidRequest` for an empty or over-long text.
"""


@dataclass(frozen=True, slots=True)
class Services:
    """The ports behind the pages.

    `allowed_hosts` are host names without port, lower case: what a Host header may say.
    `secure_cookie` is true where the pages are served over HTTPS. `extra_routes` are for
    machines (ingest, health, metrics, schemas): they stand behind neither session nor Host check.
    `stopping` is set when the server begins to stop: open streams end then.
    """

    rooms: Rooms
    people: People
    history: History
    deliveries: ManageDeliveries
    digests: DigestPages
    live: Live
    converse: Converse
    card: Card
    clock: Clock
    allowed_hosts: frozenset[str]
    secure_cookie: bool = False
    extra_routes: Routes = ()
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
