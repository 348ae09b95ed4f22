"""The faults in short: `make soak` has the long runs.

A failure prints its row with its seed: FAULT_SEED=... draws the same again.
"""

import os
import random
from pathlib import Path

import pytest

from tests import installed
from tests.databases import postgres_database
from tests.faults.dead_channel import beside_a_dead_channel
from tests.faults.disk_full import full, may_mount
from tests.faults.disorder import disordered, jumping, repeated
from tests.faults.faulty_sink import answered_wrongly
from tests.faults.kill import killed
from tests.faults.oracle import Row
from tests.faults.outage import down
from tests.faults.pause import paused
from tests.faults.restart import restarted
from tests.postgres import postgres_cluster

LEASE = 2.0


@pytest.fixture
def seed() -> int:
    """Return the seed of the run."""
    return int(os.environ.get("FAULT_SEED") or random.randrange(2**32))  # noqa: S311 - chance


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return a data folder that is not made yet."""
    return tmp_path / "data"


def held(row: Row, accepted: int) -> None:
    """Check the promises, on no fewer accepted events than this."""
    print(row)  # noqa: T201 - the figures, for those who look
    assert row.good, str(row)
    assert row.accepted >= accepted, str(row)
    assert row.delivered == row.accepted, str(row)


@pytest.mark.parametrize("may_read", [False, True])
async def test_a_killed_server_loses_nothing(data: Path, seed: int, may_read: bool) -> None:
    row = await killed(data, 2, seed, may_read=may_read)
    held(row, 50)


async def test_killed_workers_on_postgresql_lose_nothing(
    data: Path, seed: int, postgres_url: str
) -> None:
    with postgres_database(postgres_url) as database:
        held(await killed(data, 4, seed, database=database, workers=1, lease=LEASE), 50)


async def test_a_worker_that_stood_still_changes_nothing_more(
    data: Path, seed: int, postgres_url: str
) -> None:
    with postgres_database(postgres_url) as database:
        row = await paused(data, 2, seed, database=database, lease=LEASE, workers=1)
        held(row, 50)


async def test_whatever_the_sink_answers_everything_arrives(data: Path, seed: int) -> None:
    held(await answered_wrongly(data, 80, 0, seed), 70)


async def test_a_platform_that_was_down_for_six_hours_gets_what_it_missed(
    data: Path, seed: int
) -> None:
    held(await down(data, 6, seed), 180)


async def test_repetitions_are_shown_once(data: Path, seed: int) -> None:
    held(await repeated(data, 10, seed), 10)


async def test_alarms_in_any_order_show_their_newest_state(data: Path, seed: int) -> None:
    held(await disordered(data, 10, seed), 80)


async def test_a_clock_that_jumps_loses_nothing(data: Path, seed: int) -> None:
    held(await jumping(data, 3, seed), 50)


async def test_postgresql_may_restart_at_any_time(data: Path, seed: int) -> None:
    with postgres_cluster(installed.postgres_binaries()) as server:
        held(await restarted(data, 1, seed, server), 50)


@pytest.mark.parametrize("mounted", [False, True], ids=["ulimit", "disk"])
async def test_a_full_disk_loses_nothing(data: Path, seed: int, mounted: bool) -> None:
    if mounted and not may_mount():
        pytest.skip("a disk of 16 MiB: this user may not mount (the run with ulimit -f stands)")
    held(await full(data, seed, mounted=mounted, seconds=1), 50)


async def test_a_dead_channel_does_not_slow_the_others(data: Path, seed: int) -> None:
    held(await beside_a_dead_channel(data, 2, 1.5, seed), 100)
