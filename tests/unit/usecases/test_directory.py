"""The hot path asks for configurations at most once a second, however many ask at once."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

from parley.kernel.configuration import Configuration
from parley.kernel.incoming import Destination
from parley.kernel.ports.configurations import Configurations
from parley.usecases.directory import Directory

TOPIC = "arn:aws:sns:eu-west-1:123456789012:alarms"
QUEUE = "https://sqs.eu-west-1.amazonaws.com/123456789012/parley"


def configuration(name: str) -> Configuration:
    """Return a configuration of one topic and one queue."""
    place = Destination("local", name)
    return Configuration(name, "123456789012", place, topics=(TOPIC,), queues=(QUEUE,))


@dataclass
class Kept:
    """Configurations that count how often they are read."""

    rows: list[Configuration] = field(default_factory=list)
    reads: int = 0

    async def all(self) -> Sequence[Configuration]:
        """Return every configuration, after a moment."""
        self.reads += 1
        await asyncio.sleep(0)
        return list(self.rows)


async def test_many_who_ask_at_once_read_once() -> None:
    kept = Kept([configuration("ops"), configuration("second")])
    directory = Directory(cast("Configurations", kept))
    found = await asyncio.gather(*(directory.by_topic(TOPIC) for _ in range(50)))
    assert [[one.name for one in each] for each in found] == [["ops", "second"]] * 50
    assert list(await directory.queues()) == [QUEUE]
    assert await directory.by_topic(TOPIC + "2") == ()
    assert kept.reads == 1


async def test_what_other_processes_change_is_seen_within_a_second() -> None:
    kept = Kept()
    directory = Directory(cast("Configurations", kept))
    assert await directory.by_topic(TOPIC) == ()
    kept.rows.append(configuration("late"))
    assert await directory.by_topic(TOPIC) == ()
    await asyncio.sleep(1.05)
    assert [one.name for one in await directory.by_topic(TOPIC)] == ["late"]
