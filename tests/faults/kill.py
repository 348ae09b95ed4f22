"""kill -9 under load: what was acknowledged arrives, and what may be doubled is marked.

On SQLite the server is killed, on PostgreSQL the server or one of three workers, at moments drawn
from the seed, and started again on the same data. Rooms show everything once. Slack may show one
message twice for each channel that the killed process was writing to; where the app may read the
channel, Parley looks it up, and none is doubled.
"""

import asyncio
import random
from pathlib import Path

from tests.contracts.slack_double import SlackDouble
from tests.faults.oracle import Row, judge
from tests.faults.site import Site, busy, site

WORKERS = 3
LEASE = 6.0
"""Seconds: what a killed worker had leased goes on after this, not only after a minute."""

DRAIN = 120.0


async def killed(
    data: Path,
    kills: int,
    seed: int,
    *,
    database: str = "",
    workers: int = WORKERS,
    lease: float = LEASE,
    may_read: bool = False,
) -> Row:
    """Run the load over so many kills; return the figures.

    `database` is one of PostgreSQL; without it there are no workers beside the server.
    """
    workers = workers if database else 0
    async with site(
        data,
        seed,
        database=database,
        workers=workers,
        lease=lease if database else None,
        slack=SlackDouble(may_read=may_read),
    ) as made:
        busy(made.slack, seed)
        await made.start()
        sending = asyncio.create_task(made.load.run())
        await _kill(made, kills)
        made.load.stopping = True
        await sending
        stored = await made.drained(DRAIN)
        assert await asyncio.to_thread(made.station.stop) == 0
        kind = f"PostgreSQL, {workers} workers" if database else "SQLite"
        reads = "may read" if may_read else "may not read"
        row = judge(
            {
                "fault": f"{kills} kills, {kind}, {reads}",
                "seed": seed,
                "refused": made.load.refused,
                "seconds": made.seconds(),
                "note": f"{len(made.slack.messages)} posts, {made.load.uncertain} not acknowledged",
            },
            stored,
            made.load.accepted.values(),
            made.slack,
            made.ends,
        )
        assert not (may_read and row.duplicates), str(row)
        return row


async def _kill(made: Site, kills: int) -> None:
    chance = random.Random(f"{made.seed}/kills")  # noqa: S311 - chance of a test
    for _ in range(kills):
        await asyncio.sleep(0.3 + chance.random() * 1.2)
        victim = chance.randrange(1 + len(made.workers))
        if victim == 0:
            await asyncio.to_thread(made.station.kill)
            made.ends.append(asyncio.get_running_loop().time())
            await asyncio.to_thread(lambda: made.station.start(**made.environment))
        else:
            worker = made.workers[victim - 1]
            await asyncio.to_thread(worker.kill)
            made.ends.append(asyncio.get_running_loop().time())
            worker.start()
