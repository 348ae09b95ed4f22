"""What is said of a channel's health: again and again until it could be said."""

from dataclasses import dataclass, field
from typing import cast

import pytest

from parley.kernel.errors import Unavailable
from parley.kernel.incoming import Destination
from parley.kernel.messages import Message
from parley.kernel.ports.configurations import Configurations
from parley.kernel.ports.notices import Notices
from parley.usecases.health import Health

OPS = Destination("slack", "C0123456789")


@dataclass
class Database:
    """Configurations and notices, away for so many calls."""

    away: int
    marked: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    async def mark(self, _place: Destination, unhealthy: str) -> list[str]:
        """Keep what is wrong, unless away."""
        self._answer()
        self.marked.append(unhealthy)
        return ["ops"]

    async def well(self, cause: str, _message: Message) -> bool:
        """Keep what is well again, unless away."""
        self._answer()
        self.told.append(cause)
        return True

    def _answer(self) -> None:
        self.away -= 1
        if self.away >= 0:
            raise Unavailable


async def test_a_channel_is_well_only_when_that_could_be_stored() -> None:
    database = Database(away=1)
    health = Health(cast("Configurations", database), cast("Notices", database))
    with pytest.raises(Unavailable):
        await health.well(OPS)
    await health.well(OPS)
    assert database.marked == [""]
    told = list(database.told)
    assert f"destination:{OPS}" in told

    await health.well(OPS)
    assert (database.marked, database.told) == ([""], told)
