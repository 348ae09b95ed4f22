"""The long runs: each fault with its figures as a row of a table.

    python -m tests.faults --seed 1
    python -m tests.faults --seed 1 --only kills-sqlite --kills 200

A run draws everything from its seed. Exit status 1: something was lost, or doubled and not marked.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import traceback
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from parley.observe import start_log
from tests import installed
from tests.faults.dead_channel import beside_a_dead_channel
from tests.faults.disk_full import full, may_mount
from tests.faults.disorder import disordered, jumping, repeated
from tests.faults.faulty_sink import answered_wrongly
from tests.faults.oracle import Row
from tests.faults.outage import down
from tests.faults.trouble import troubled
from tests.postgres import PostgresServer, postgres_cluster

KILLS = 200
LEASE = 6.0
"""Seconds: what a killed worker had leased goes on after this, not only after a minute."""

Run = Callable[[Path, int, int], Coroutine[Any, Any, Row]]
OnPostgres = Callable[[Path, int, int, PostgresServer], Coroutine[Any, Any, Row]]

RUNS: dict[str, Run] = {
    "kills-sqlite": lambda data, seed, kills: troubled(data, seed, ["kill"] * (kills // 2)),
    "kills-sqlite-300-a-second": lambda data, seed, kills: troubled(
        data, seed, ["kill"] * (kills // 10), rate=300.0
    ),
    "kills-sqlite-may-read": lambda data, seed, kills: troubled(
        data, seed, ["kill"] * (kills // 2), may_read=True
    ),
    "sink": lambda data, seed, _: answered_wrongly(data, 1500, 6, seed),
    "down": lambda data, seed, _: down(data, 6, seed),
    "repeated": lambda data, seed, _: repeated(data, 200, seed),
    "order": lambda data, seed, _: disordered(data, 60, seed),
    "clock": lambda data, seed, _: jumping(data, 30, seed),
    "disk": lambda data, seed, _: full(data, seed, mounted=may_mount(), seconds=10),
    "dead-channel": lambda data, seed, _: beside_a_dead_channel(data, 3, 10, seed),
}
ON_POSTGRES: dict[str, OnPostgres] = {
    "kills-postgresql": lambda data, seed, kills, server: troubled(
        data, seed, ["kill"] * (kills // 2), server=server, lease=LEASE
    ),
    "kills-postgresql-may-read": lambda data, seed, kills, server: troubled(
        data, seed, ["kill"] * (kills // 2), server=server, lease=LEASE, may_read=True
    ),
    # The lease as it is: a process stands still for more than a minute.
    "pauses": lambda data, seed, _, server: troubled(
        data, seed, ["pause"] * 4, server=server, rate=80.0
    ),
    "restarts": lambda data, seed, _, server: troubled(
        data, seed, ["restart"] * 10, server=server, rate=80.0
    ),
}


def run(name: str, seed: int, kills: int) -> Row:
    """Run one of them in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="parley-fault-") as folder:
        data = Path(folder) / "data"
        if name in RUNS:
            return asyncio.run(RUNS[name](data, seed, kills))
        with postgres_cluster(installed.postgres_binaries()) as server:
            return asyncio.run(ON_POSTGRES[name](data, seed, kills, server))


def main() -> int:
    """Run what is wanted, one after the other; return 1 when something was wrong."""
    names = [*RUNS, *ON_POSTGRES]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))  # noqa: S311 - chance of a test
    parser.add_argument("--kills", type=int, default=KILLS, help="of each database")
    parser.add_argument("--only", choices=names, action="append", help="(may be given repeatedly)")
    options = parser.parse_args()
    start_log("error", "text")
    print(Row.heading(), flush=True)  # noqa: T201 - a script talks by printing
    failed = []
    for name in options.only or names:
        try:
            row = run(name, options.seed, options.kills)
        except Exception:  # noqa: BLE001 - the other runs are of use all the same
            traceback.print_exc()
            failed.append(name)
            continue
        print(row, flush=True)  # noqa: T201 - as above
        if not row.good:
            failed.append(name)
    for name in failed:
        print(f"FAILED: python -m tests.faults --seed {options.seed} --only {name}")  # noqa: T201 - as above
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
