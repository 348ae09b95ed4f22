"""The faults in short: `make soak` has the long runs.

A failure prints its row with its seed: FAULT_SEED=... draws the same again.
"""

import os
import random
from pathlib import Path

import pytest

from tests import installed
from tests.faults.dead_channel import beside_a_dead_channel
from tests.faults.disk_full import full, may_mount
from tests.faults.disorder import disordered, repeated
from tests.faults.faulty_sink import answered_wrongly
from tests.faults.oracle import Row
from tests.faults.outage import down
from tests.faults.trouble import troubled
from tests.postgres import postgres_cluster

LEASE = 3.0
PATIENCE = 2.0
"""Seconds after which a call that hangs is given up."""


@pytest.fixture
def seed() -> int:
    """Return the seed of the run: the same each time, for chance is the long runs' part."""
    return int(os.environ.get("FAULT_SEED") or 20261120)


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


async def test_a_killed_server_loses_nothing(data: Path, seed: int) -> None:
    held(await troubled(data, seed, ["kill"] * 2, may_read=bool(seed % 2), rate=80.0), 30)


async def test_kills_pauses_and_restarts_on_postgresql_lose_nothing(data: Path, seed: int) -> None:
    kinds = ["kill", "pause", "restart"]
    random.Random(seed).shuffle(kinds)  # noqa: S311 - chance
    with postgres_cluster(installed.postgres_binaries()) as server:
        row = await troubled(data, seed, kinds, server=server, workers=1, lease=LEASE, rate=50.0)
        held(row, 50)


async def test_whatever_the_sink_answers_everything_arrives(data: Path, seed: int) -> None:
    held(await answered_wrongly(data, 80, 1, seed, patience=PATIENCE), 70)


async def test_a_platform_that_was_down_for_six_hours_gets_what_it_missed(
    data: Path, seed: int
) -> None:
    held(await down(data, 6, seed), 90)


async def test_repetitions_are_shown_once(data: Path, seed: int) -> None:
    held(await repeated(data, 10, seed), 10)


async def test_alarms_in_any_order_show_their_newest_state(data: Path, seed: int) -> None:
    held(await disordered(data, 10, seed), 80)


async def test_a_full_disk_loses_nothing(data: Path, seed: int) -> None:
    """On a disk of 16 MiB where this user may mount one, else with `ulimit -f`."""
    held(await full(data, seed, mounted=may_mount(), seconds=1), 50)


async def test_a_dead_channel_does_not_slow_the_others(data: Path, seed: int) -> None:
    held(await beside_a_dead_channel(data, 1, 2.0, seed, patience=PATIENCE), 100)
