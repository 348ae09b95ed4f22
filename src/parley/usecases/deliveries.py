"""Looking through deliveries, and sending dead letters again: the one way for every door."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from parley.kernel.errors import Conflict, InvalidRequest, NotFound
from parley.kernel.ports.clock import Clock
from parley.kernel.ports.deliveries import STATES, Deliveries, Listed, Tally, Wanted
from parley.kernel.ports.history import History, StoredEvent

LARGEST_PAGE = 1000
_AT_ONCE = 500
"""Dead letters made pending in one transaction: others write in between."""

_SPAN = re.compile(r"(\d{1,5})\s*([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True, slots=True)
class ManageDeliveries:
    """Lists, shows and replays deliveries."""

    deliveries: Deliveries
    history: History
    clock: Clock

    async def list(self, wanted: Wanted) -> Sequence[Listed]:
        """Return a page, the newest first. Raises `InvalidRequest` for a state that is none."""
        if wanted.state and wanted.state not in STATES:
            raise InvalidRequest(
                f"{wanted.state!r} is no state of a delivery: use {', '.join(STATES)}."
            )
        if not 1 <= wanted.limit <= LARGEST_PAGE:
            raise InvalidRequest(f"A page has 1 to {LARGEST_PAGE} deliveries.")
        return await self.deliveries.list(wanted)

    async def show(self, delivery_id: int) -> tuple[Listed, StoredEvent | None]:
        """Return a delivery with its event, where that is kept. Raises `NotFound`."""
        found = await self.deliveries.one(delivery_id)
        if found is None:
            raise NotFound(
                f"There is no delivery {delivery_id}. Delivered ones are removed after the days "
                "that retention.days says."
            )
        return found, await self.history.event(found.event_id)

    async def tally(self) -> Tally:
        """Return how many wait and how many are dead."""
        return await self.deliveries.tally()

    async def replay(self, ids: Sequence[int]) -> Sequence[int]:
        """Send dead letters again. Raises `NotFound` or `Conflict` if none of them is dead."""
        if not ids:
            raise InvalidRequest("Say which deliveries: their ids, or --all-dead.")
        revived = await self.deliveries.replay(ids)
        if not revived:
            found, _ = await self.show(ids[0])
            raise Conflict(
                f"Delivery {found.id} is {found.state}: only dead ones can be sent again."
            )
        return revived

    async def replay_all(self, configuration: str = "") -> int:
        """Send every dead letter again, of one configuration or of all; return how many."""
        count = 0
        while done := await self.deliveries.replay_all(configuration, _AT_ONCE):
            count += done
            if done < _AT_ONCE:
                break
        return count

    def since(self, text: str) -> datetime:
        """Read a time: `90m`, `2h`, `3d` ago, or as ISO 8601. Raises `InvalidRequest`."""
        if span := _SPAN.fullmatch(text.strip()):
            return self.clock.now() - timedelta(**{_UNITS[span[2]]: int(span[1])})
        try:
            moment = datetime.fromisoformat(text.strip())
        except ValueError:
            raise InvalidRequest(
                f"{text!r} is no time: write 90m, 2h or 3d for as long ago, or a time such as "
                "2026-05-04T12:00 (UTC unless it says its zone)."
            ) from None
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
