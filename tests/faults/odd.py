"""The command `parley` with shorter leases, less patience, or a clock that a test moves.

`FAULT_LEASE` is how many seconds a lease lasts; no call is begun in the last third of it.
`FAULT_PATIENCE` is how many seconds a call to a chat platform may take.
`FAULT_CLOCK` names a file that holds by how many seconds the clock of this process is wrong. Of
SQLite's clock, too: that is the one of the process.
"""

import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from parley import observe
from parley.cli import main
from parley.platforms import outgoing
from parley.workers import delivery

_JULIAN_1970 = 2440587.5
_DAY = 86400


def shorten_leases(seconds: float) -> None:
    """Let leases last so long, in everything that is imported from now on."""
    delivery.LEASE = timedelta(seconds=seconds)
    delivery.CALL = delivery.LEASE / 3


def move_clock(file: Path) -> None:
    """Let the clock be wrong by what the file holds at each moment."""

    def now(_clock: observe.SystemClock) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=float(file.read_text()))

    def julian_day(*_: Any) -> float:
        return _JULIAN_1970 + now(observe.SystemClock()).timestamp() / _DAY

    def on_connect(raw: Any, _record: Any) -> None:
        if hasattr(raw, "create_function"):
            raw.create_function("julianday", -1, julian_day)

    setattr(observe.SystemClock, "now", now)  # noqa: B010 - a method is not assigned otherwise
    sa.event.listen(sa.Engine, "connect", on_connect)


if __name__ == "__main__":
    if "FAULT_LEASE" in os.environ:
        shorten_leases(float(os.environ["FAULT_LEASE"]))
    if "FAULT_PATIENCE" in os.environ:
        outgoing.TIMEOUT_SECONDS = float(os.environ["FAULT_PATIENCE"])
    if "FAULT_CLOCK" in os.environ:
        move_clock(Path(os.environ["FAULT_CLOCK"]))
    sys.exit(main())
