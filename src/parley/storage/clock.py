"""The database's own clock, as milliseconds since 1970."""

from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement


class now_ms(FunctionElement[int]):  # noqa: N801 - reads as the SQL function that it is
    """The current time in an SQL expression."""

    type = sa.BigInteger()
    inherit_cache = True


@compiles(now_ms, "sqlite")
def _sqlite(_element: Any, _compiler: Any, **_: Any) -> str:
    return "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"


@compiles(now_ms, "postgresql")
def _postgresql(_element: Any, _compiler: Any, **_: Any) -> str:
    return "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)"


_NEVER = 2**62
_MILLISECOND = timedelta(milliseconds=1)


class earlier(FunctionElement[int]):  # noqa: N801 - reads as the SQL function that it is
    """The earlier of two times in an SQL expression; one that is null does not count."""

    type = sa.BigInteger()
    inherit_cache = True


@compiles(earlier, "sqlite")
def _earlier_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    times = (compiler.process(one, **options) for one in element.clauses)
    known = ", ".join(f"COALESCE({one}, {_NEVER})" for one in times)
    return f"NULLIF(MIN({known}), {_NEVER})"


@compiles(earlier, "postgresql")
def _earlier_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    return f"LEAST({compiler.process(element.clauses, **options)})"


def in_ms(duration: timedelta) -> int:
    """Return a duration in whole milliseconds."""
    return duration // _MILLISECOND


def to_ms(moment: datetime) -> int:
    """Return an aware time as milliseconds since 1970."""
    return int(moment.timestamp() * 1000)


def from_ms(value: int) -> datetime:
    """Return milliseconds since 1970 as an aware time in UTC."""
    return datetime.fromtimestamp(value / 1000, UTC)
