"""A gateway of its own for each story."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gateway import TOPIC
from tests.station import Station


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    """Yield a gateway with the room `ops`, whose topic is an emulator's; not started yet."""
    station = Station(tmp_path / "data")
    station.write_settings(f'[sns]\nunsigned_topics = ["{TOPIC.format(room="ops")}"]\n')
    station.add("ops")
    yield station
    station.kill()
