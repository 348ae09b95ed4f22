"""Processes that die, stand still or are restarted under load: what was acknowledged arrives.

On SQLite the server is killed (kill -9); on PostgreSQL the server or one of the workers is killed,
or paused with SIGSTOP until its leases are over, or the database itself is restarted. Who, when and
how is drawn from the seed. Rooms show everything once. Slack may show one message twice for each
channel that the process was writing to; where the app may read the channel, none is doubled.
"""

import asyncio
import os
import random
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from parley.workers.delivery import LEASE
from tests.contracts.slack_double import SlackDouble
from tests.faults.oracle import Row, judge
from tests.faults.site import Site, busy, site
from tests.postgres import PostgresServer

DRAIN = 120.0


@dataclass(slots=True)
class Trouble:
    """Who makes trouble for a site. `lease` is how long a lease lasts, in seconds."""

    made: Site
    server: PostgresServer | None
    lease: float
    chance: random.Random = field(init=False)
    paused: int = 0

    def __post_init__(self) -> None:
        """Draw from the seed of the site."""
        self.chance = random.Random(f"{self.made.seed}/trouble")  # noqa: S311 - chance of a test

    async def kill(self) -> None:
        """Kill the server or a worker, and start it again."""
        await asyncio.sleep(0.3 + self.chance.random() * 1.2)
        made, victim = self.made, self.chance.randrange(1 + len(self.made.workers))
        if victim:
            worker = made.workers[victim - 1]
            await asyncio.to_thread(worker.kill)
            self._note_end()
            worker.start()
        else:
            await asyncio.to_thread(made.station.kill)
            self._note_end()
            await asyncio.to_thread(lambda: made.station.start(**made.environment))

    async def pause(self) -> None:
        """Let a process stand still for longer than its leases; the server is the first."""
        await asyncio.sleep(1 + self.chance.random())
        workers = self.made.workers
        victim = self.chance.randrange(1 + len(workers)) if self.paused > 1 else self.paused
        self.paused += 1
        pid = workers[victim - 1].pid if victim else self.made.station.pid
        os.kill(pid, signal.SIGSTOP)
        self._note_end()
        await asyncio.sleep(self.lease * (1.2 + self.chance.random() / 2))
        os.kill(pid, signal.SIGCONT)

    async def restart(self) -> None:
        """Stop PostgreSQL, orderly or by a crash, and start it again."""
        assert self.server
        await asyncio.sleep(1 + self.chance.random())
        how = self.chance.choice([signal.SIGINT, signal.SIGQUIT])
        await asyncio.to_thread(self.server.stop, how)
        self._note_end()
        await asyncio.sleep(self.chance.random() * 2)
        await asyncio.to_thread(self.server.start)

    def _note_end(self) -> None:
        self.made.ends.append(asyncio.get_running_loop().time())


KINDS: Mapping[str, Callable[[Trouble], Awaitable[None]]] = {
    "kill": Trouble.kill,
    "pause": Trouble.pause,
    "restart": Trouble.restart,
}


async def troubled(
    data: Path,
    seed: int,
    kinds: Sequence[str],
    *,
    server: PostgresServer | None = None,
    workers: int = 3,
    lease: float | None = None,
    may_read: bool = False,
    rate: float = 150.0,
) -> Row:
    """Run the load through these kinds of trouble; return the figures.

    Without a `server` the database is SQLite, and there are no workers beside the server. `lease`
    is one that is shorter than usual, `rate` how many events arrive a second.
    """
    slack = SlackDouble(may_read=may_read)
    async with site(
        data,
        seed,
        database=server.url if server else "",
        workers=workers if server else 0,
        lease=lease,
        slack=slack,
        rate=rate,
    ) as made:
        # A process that stands still should mostly do so in the middle of a call.
        busy(slack, seed, 0.08 if "pause" in kinds else 0.02)
        await made.start()
        sending = asyncio.create_task(made.load.run())
        trouble = Trouble(made, server, lease or LEASE.total_seconds())
        for kind in kinds:
            await KINDS[kind](trouble)
        await asyncio.sleep(1)
        made.load.stopping = True
        await sending
        stored = await made.drained(DRAIN)
        logs = [made.station.log, *(worker.log for worker in made.workers)]
        lost_leases = sum(log.read_text().count("lease_lost") for log in logs)
        assert await asyncio.to_thread(made.station.stop) == 0
        row = judge(
            {
                "fault": ", ".join([_counted(kinds), _where(made, trouble, may_read=may_read)]),
                "seed": seed,
                "refused": made.load.refused,
                "seconds": made.seconds(),
                "note": f"{len(slack.messages)} posts, {made.load.uncertain} not acknowledged,"
                f" {lost_leases} leases found lost",
            },
            stored,
            made.load.accepted.values(),
            slack,
            made.ends,
        )
        assert not (may_read and row.duplicates), str(row)
        return row


def _counted(kinds: Sequence[str]) -> str:
    return ", ".join(f"{kinds.count(kind)} x {kind}" for kind in KINDS if kind in kinds)


def _where(made: Site, trouble: Trouble, *, may_read: bool) -> str:
    reads = "may read the channel" if may_read else "may not read"
    if trouble.server is None:
        return f"SQLite, {reads}"
    return f"PostgreSQL with {len(made.workers)} workers, lease {trouble.lease:g} s, {reads}"
