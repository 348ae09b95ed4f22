"""Ids that are made before a row is written: 63 bits, in the order of time."""

import secrets
import threading
from datetime import datetime, timedelta

import sqlalchemy as sa

from parley.kernel.ports.clock import Clock
from parley.storage.schema import outbox, room_messages

_NODE_BITS = 10
_COUNTER_BITS = 12
_EPOCH_MS = 1_700_000_000_000  # so that 41 bits of milliseconds last beyond 2090
_APART = timedelta(minutes=5)
"""How far the clocks of those who make ids may be apart, and from the database's."""


def first_id(moment: datetime) -> int:
    """Return an id below every one that is made at that time or later: a bound for a search.

    What must be exact compares a time of the row as well.
    """
    milliseconds = int((moment - _APART).timestamp() * 1000) - _EPOCH_MS
    return max(0, milliseconds) << (_NODE_BITS + _COUNTER_BITS)


def last_id(connection: sa.Connection) -> int:
    """Return the greatest id that was given to a delivery or to a message of a room, else 0."""
    found = [
        connection.execute(sa.select(sa.func.max(table.c.id))).scalar()
        for table in (outbox, room_messages)
    ]
    return max(one or 0 for one in found)


class Ids:
    """Makes ids that rise within a process; 10 random bits keep processes apart."""

    def __init__(self, clock: Clock, after: int = 0) -> None:
        """Draw this process's bits; every id is greater than `after`, whatever the clock says."""
        self._clock = clock
        self._node = secrets.randbits(_NODE_BITS)
        self._lock = threading.Lock()
        self._last = ((after >> (_NODE_BITS + _COUNTER_BITS)) + 1) << _COUNTER_BITS

    def next(self) -> int:
        """Return an id greater than every one that this object returned before."""
        with self._lock:
            milliseconds = int(self._clock.now().timestamp() * 1000)
            slot = (milliseconds - _EPOCH_MS) << _COUNTER_BITS
            # A full millisecond borrows from the next one; so does a clock that steps back.
            self._last = max(slot, self._last + 1)
            moment, counter = divmod(self._last, 1 << _COUNTER_BITS)
        return (((moment << _NODE_BITS) | self._node) << _COUNTER_BITS) | counter
