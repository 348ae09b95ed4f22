"""PostgreSQL is restarted in the middle, orderly or by a crash, under load."""

import asyncio
import random
import signal
from pathlib import Path

from tests.contracts.slack_double import SlackDouble
from tests.faults.oracle import Row, judge
from tests.faults.site import busy, site
from tests.postgres import PostgresServer

DRAIN = 90.0


async def restarted(data: Path, times: int, seed: int, server: PostgresServer) -> Row:
    """Run the load over so many restarts of the server; return the figures."""
    chance = random.Random(f"{seed}/restarts")  # noqa: S311 - chance of a test
    slack = SlackDouble(may_read=False)
    async with site(data, seed, database=server.url, workers=1, rate=80.0, slack=slack) as made:
        busy(slack, seed)
        await made.start()
        sending = asyncio.create_task(made.load.run())
        for _ in range(times):
            await asyncio.sleep(1 + chance.random())
            how = chance.choice([signal.SIGINT, signal.SIGQUIT])
            await asyncio.to_thread(server.stop, how)
            made.ends.append(asyncio.get_running_loop().time())
            await asyncio.sleep(chance.random() * 2)
            await asyncio.to_thread(server.start)
        await asyncio.sleep(2)
        made.load.stopping = True
        await sending
        stored = await made.drained(DRAIN)
        return judge(
            {
                "fault": f"{times} restarts of PostgreSQL",
                "seed": seed,
                "refused": made.load.refused,
                "seconds": made.seconds(),
                "note": f"{made.load.uncertain} not acknowledged",
            },
            stored,
            made.load.accepted.values(),
            slack,
            made.ends,
        )
