"""A worker that stands still for longer than its lease: when it goes on, it changes nothing more.

On PostgreSQL the server (first) or a worker is stopped with SIGSTOP under load, at moments drawn
from the seed, until another has taken its channels over, and then let go on.
"""

import asyncio
import os
import random
import signal
from pathlib import Path

from parley.workers.delivery import LEASE
from tests.contracts.slack_double import SlackDouble
from tests.faults.oracle import Row, judge
from tests.faults.site import Site, busy, site

ANSWERS = 0.08
"""Seconds that the sink takes at most: a pause mostly finds calls in flight."""

DRAIN = 120.0


async def paused(
    data: Path, pauses: int, seed: int, *, database: str, lease: float | None = None, workers: int
) -> Row:
    """Run the load over so many pauses; return the figures. `lease` is one shorter than usual."""
    seconds = lease or LEASE.total_seconds()
    async with site(
        data,
        seed,
        database=database,
        workers=workers,
        lease=lease,
        rate=80.0,
        slack=SlackDouble(may_read=False),
    ) as made:
        busy(made.slack, seed, ANSWERS)
        await made.start()
        sending = asyncio.create_task(made.load.run())
        await _pause(made, pauses, seconds)
        made.load.stopping = True
        await sending
        stored = await made.drained(DRAIN)
        logs = [made.station.log, *(worker.log for worker in made.workers)]
        lost = sum(log.read_text().count("lease_lost") for log in logs)
        return judge(
            {
                "fault": f"{pauses} pauses beyond a lease of {seconds:g} s, PostgreSQL",
                "seed": seed,
                "refused": made.load.refused,
                "seconds": made.seconds(),
                "note": f"{lost} leases found lost, {made.load.uncertain} not acknowledged",
            },
            stored,
            made.load.accepted.values(),
            made.slack,
            made.ends,
        )


async def _pause(made: Site, pauses: int, lease: float) -> None:
    chance = random.Random(f"{made.seed}/pauses")  # noqa: S311 - chance of a test
    for number in range(pauses):
        await asyncio.sleep(1 + chance.random())
        victim = chance.randrange(1 + len(made.workers)) if number > 1 else number
        pid = made.workers[victim - 1].pid if victim else made.station.pid
        os.kill(pid, signal.SIGSTOP)
        made.ends.append(asyncio.get_running_loop().time())
        await asyncio.sleep(lease * (1.2 + chance.random() / 2))
        os.kill(pid, signal.SIGCONT)
    await asyncio.sleep(1)
