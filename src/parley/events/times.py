"""Times as AWS writes them, and spans as people say them."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

_MILLISECONDS_FROM = 10_000_000_000
"""Epoch numbers from here on count milliseconds: as seconds they would lie after the year 2286."""

_DATAPOINT = re.compile(r"(\d\d)/(\d\d)/(\d\d) (\d\d):(\d\d):(\d\d)")
_FIRST_EPOCH = 1_000_000_000
"""September 2001: smaller numbers are counts, not times of anything that AWS reports."""

_LAST_EPOCH = 253_402_300_799_000


def read_time(value: object) -> datetime | None:
    """Return an aware time, or nothing where the value is no time.

    Reads ISO 8601 with `Z`, `+0000`, `+00:00` or no zone (taken as UTC), seconds or milliseconds
    since 1970 as a number, and the form of e-mail headers that AWS Health writes.
    """
    if isinstance(value, str):
        return _read_text(value.strip())
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _read_epoch(value)
    return None


def _read_text(text: str) -> datetime | None:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return _read_mail_date(text)
    # A bare date is a day and not a moment, and 20240101 may be any number.
    if len(text) < len("2024-01-01T00:00"):
        return None
    try:
        return _utc(time)
    except OverflowError:
        return None


def _utc(time: datetime) -> datetime:
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def _read_mail_date(text: str) -> datetime | None:
    if "," not in text or len(text) > len("Wednesday, 01 August 2018 06:27:57 +0000"):
        return None
    try:
        return _utc(parsedate_to_datetime(text))
    except (ValueError, OverflowError, IndexError, TypeError):
        return None


def _read_epoch(value: float) -> datetime | None:
    if not _FIRST_EPOCH <= value < _LAST_EPOCH:
        return None
    seconds = value / 1000 if value >= _MILLISECONDS_FROM else value
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def read_datapoint_time(text: str) -> datetime | None:
    """Read the time of a datapoint in an alarm's reason: `01/12/25 13:34:00`, day first, UTC."""
    found = _DATAPOINT.search(text)
    if not found:
        return None
    day, month, year, hour, minute, second = (int(part) for part in found.groups())
    try:
        return datetime(2000 + year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None


def time_words(time: datetime) -> str:
    """Return `2024-05-01 10:01:12 UTC`."""
    return time.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def span_words(span: timedelta) -> str:
    """Return a span in the one unit in which people would say it: `40 s`, `20 min`, `6 h`, `3 d`.

    Each unit serves until two of the next are full, so that 90 minutes do not become one hour; what
    is shorter than a second is one.
    """
    seconds = max(1, round(span.total_seconds()))
    for unit, length, until in (("s", 1, 120), ("min", 60, 7200), ("h", 3600, 172_800)):
        if seconds < until:
            return f"{round(seconds / length)} {unit}"
    return f"{round(seconds / 86_400)} d"
