"""A channel that hangs for ever: the others must be as fast as before.

Times with and without it are taken in turns in one run; a time is from the post of the event to
its message in the sink.
"""

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.contracts.slack_double import Fault, SlackDouble
from tests.faults.oracle import Row, Stored, judge, key_of
from tests.faults.site import Site, channel_of, site

ROOMS = tuple(f"room{number}" for number in range(8))
DEAD = channel_of(ROOMS[0])
DRAIN = 90.0
TIMES = 2.0
LEAST = 0.05
"""Seconds: what is faster than this is not told apart from a busy machine."""


async def beside_a_dead_channel(
    data: Path, turns: int, seconds: float, seed: int, *, patience: float | None = None
) -> Row:
    """Let one of eight channels hang in every second turn; return the figures."""
    hanging = False

    def choose(_method: str, content: Mapping[str, Any]) -> Fault | None:
        dead = hanging and content.get("channel") == DEAD
        return Fault(delay=30.0, drop=True) if dead else None

    slack = SlackDouble(may_read=False, choose=choose)
    async with site(
        data, seed, rooms=ROOMS, rate=60.0, slack=slack, local=False, patience=patience
    ) as made:
        made.load.alarms = 0.0
        await made.start()
        sending = asyncio.create_task(made.load.run())
        await asyncio.sleep(1)  # until everything is warm
        changes: list[float] = []
        for _ in range(turns):
            for dead in (False, True):
                hanging = dead
                changes.append(time.monotonic())
                await asyncio.sleep(seconds)
        changes.append(time.monotonic())
        hanging = False
        made.load.stopping = True
        await sending
        stored = await made.drained(DRAIN)
        base, beside = (_p99(_times(made, stored, changes, dead)) for dead in (False, True))
        row = judge(
            {
                "fault": "a dead channel",
                "seed": seed,
                "refused": made.load.refused,
                "seconds": made.seconds(),
                "note": f"p99 of the others {base * 1000:.0f} ms, beside it {beside * 1000:.0f} ms",
            },
            stored,
            made.load.accepted.values(),
            slack,
        )
        assert beside <= TIMES * max(base, LEAST), str(row)
        return row


def _times(made: Site, stored: Stored, changes: list[float], dead: int) -> list[float]:
    """Return the times of the other channels' events in the turns with a dead one or without."""
    events = {step.id: step.event_id for step in stored.steps}
    times: list[float] = []
    for one in made.slack.messages:
        sent = made.load.posted_at.get(events[key_of(one)])
        turn = sum(sent >= change for change in changes) - 1 if sent else -1
        if one.channel != DEAD and sent and 0 <= turn < len(changes) - 1 and turn % 2 == dead:
            times.append(one.at - sent)
    return times


def _p99(times: list[float]) -> float:
    return sorted(times)[int(len(times) * 0.99)]
