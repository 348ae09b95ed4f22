"""The configurations as the hot path sees them: a snapshot that is at most a second old."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from parley.kernel.configuration import Configuration
from parley.kernel.ports.configurations import Configurations

_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class _Snapshot:
    taken: float = float("-inf")
    topics: Mapping[str, Sequence[Configuration]] = field(default_factory=dict)
    queues: Mapping[str, Sequence[Configuration]] = field(default_factory=dict)


class Directory:
    """Looks configurations up by topic and queue; changes made by other processes are seen too."""

    def __init__(self, configurations: Configurations) -> None:
        """Take where configurations are kept."""
        self._configurations = configurations
        self._snapshot = _Snapshot()
        self._lock = asyncio.Lock()

    async def by_topic(self, arn: str) -> Sequence[Configuration]:
        """Return the configurations that name the topic."""
        return (await self._fresh()).topics.get(arn, ())

    async def queues(self) -> Mapping[str, Sequence[Configuration]]:
        """Return every queue's URL with the configurations that name it."""
        return (await self._fresh()).queues

    async def _fresh(self) -> _Snapshot:
        loop = asyncio.get_running_loop()
        if loop.time() - self._snapshot.taken < _SECONDS:
            return self._snapshot
        async with self._lock:
            if loop.time() - self._snapshot.taken >= _SECONDS:
                self._snapshot = _index(await self._configurations.all(), loop.time())
            return self._snapshot


def _index(configurations: Sequence[Configuration], taken: float) -> _Snapshot:
    topics: dict[str, list[Configuration]] = {}
    queues: dict[str, list[Configuration]] = {}
    for one in configurations:
        for topic in one.topics:
            topics.setdefault(topic, []).append(one)
        for queue in one.queues:
            queues.setdefault(queue, []).append(one)
    return _Snapshot(taken, topics, queues)
