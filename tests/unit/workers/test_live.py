"""Open pages wake when their room changes: at once for this process, soon for others."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import cast

import pytest

from parley.kernel.errors import Unavailable
from parley.kernel.ports.rooms import Rooms
from parley.workers.live import LiveRooms


@dataclass
class Numbers:
    """The last change of each room."""

    last: dict[str, int] = field(default_factory=lambda: {"ops": 1, "builds": 1})
    failures: int = 0

    async def last_changes(self) -> dict[str, int]:
        """Return them, or fail."""
        if self.failures:
            self.failures -= 1
            raise Unavailable
        return dict(self.last)


@pytest.fixture
def numbers() -> Numbers:
    """Return two rooms."""
    return Numbers()


@pytest.fixture
async def live(numbers: Numbers) -> AsyncIterator[LiveRooms]:
    """Yield what watches them."""
    live = LiveRooms(cast("Rooms", numbers))
    live.start()
    yield live
    await live.stop()


async def waited(live: LiveRooms, room: str, after: int, most: float = 5.0) -> float:
    """Return how many seconds a page waited."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    await live.wait(room, after, most)
    return loop.time() - began


async def test_a_change_of_this_process_wakes_at_once_and_only_its_room(
    live: LiveRooms, numbers: Numbers
) -> None:
    ops = asyncio.create_task(waited(live, "ops", 1))
    builds = asyncio.create_task(waited(live, "builds", 1, 0.4))
    await asyncio.sleep(0.05)
    numbers.last["ops"] = 2
    live.changed()
    assert await ops < 0.5
    assert await builds >= 0.39


async def test_a_change_of_another_process_is_seen_within_a_second(
    live: LiveRooms, numbers: Numbers
) -> None:
    ops = asyncio.create_task(waited(live, "ops", 1))
    numbers.last["ops"] = 2
    assert await ops < 1.6


async def test_a_page_that_is_behind_does_not_wait(live: LiveRooms, numbers: Numbers) -> None:
    live.changed()
    await asyncio.sleep(0.05)
    assert await waited(live, "ops", 0) < 0.1


async def test_a_database_that_fails_for_a_moment_ends_nothing(
    live: LiveRooms, numbers: Numbers
) -> None:
    numbers.failures = 1
    ops = asyncio.create_task(waited(live, "ops", 1))
    await asyncio.sleep(0.05)
    numbers.last["ops"] = 2
    live.changed()
    assert await ops < 2.5


async def test_stopping_lets_every_page_go(numbers: Numbers) -> None:
    live = LiveRooms(cast("Rooms", numbers))
    live.start()
    pages = [asyncio.create_task(waited(live, "ops", 1, 30)) for _ in range(3)]
    await asyncio.sleep(0.05)
    await live.stop()
    assert max(await asyncio.gather(*pages)) < 5
