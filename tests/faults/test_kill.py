"""kill -9 under load, a short part; `make soak` has the long one.

A failure prints its seed: FAULT_SEED=... repeats the same draws.
"""

import os
import random
from pathlib import Path

from tests.faults.kill import killed

KILLS = 3


async def test_nothing_accepted_is_lost_or_shown_twice_when_the_server_is_killed(
    tmp_path: Path,
) -> None:
    seed = int(os.environ.get("FAULT_SEED") or random.randrange(2**32))  # noqa: S311 - chance
    figures = await killed(tmp_path / "data", KILLS, seed)
    assert figures.accepted > 100, str(figures)
    assert (figures.lost, figures.duplicates) == (0, 0), str(figures)
