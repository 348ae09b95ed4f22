"""Numbers as people read them: three figures, thousands apart, a unit that fits."""

from functools import lru_cache
from math import floor, isfinite, log10

_UNITS: dict[str, tuple[str, float]] = {
    # CloudWatch API Reference, MetricDatum: the units, as a kind and a size in its base unit.
    "Seconds": ("time", 1.0),
    "Milliseconds": ("time", 1e-3),
    "Microseconds": ("time", 1e-6),
    "Bytes": ("bytes", 1.0),
    "Kilobytes": ("bytes", 1024.0),
    "Megabytes": ("bytes", 1024.0**2),
    "Gigabytes": ("bytes", 1024.0**3),
    "Terabytes": ("bytes", 1024.0**4),
    "Bytes/Second": ("bytes/s", 1.0),
    "Kilobytes/Second": ("bytes/s", 1024.0),
    "Megabytes/Second": ("bytes/s", 1024.0**2),
    "Gigabytes/Second": ("bytes/s", 1024.0**3),
    "Percent": ("percent", 1.0),
    "Count/Second": ("rate", 1.0),
}

_SCALES: dict[str, tuple[tuple[float, str, float], ...]] = {
    # Of each kind the units that people say: factor, name, and from how many on it reads better.
    "time": (
        (86400.0, " d", 2),
        (3600.0, " h", 3),
        (60.0, " min", 5),
        (1.0, " s", 1),
        (1e-3, " ms", 1),
        (1e-6, " µs", 0),
    ),
    "bytes": (
        (1024.0**4, " TiB", 1),
        (1024.0**3, " GiB", 1),
        (1024.0**2, " MiB", 1),
        (1024.0, " KiB", 1),
        (1.0, " B", 0),
    ),
    "bytes/s": (
        (1024.0**3, " GiB/s", 1),
        (1024.0**2, " MiB/s", 1),
        (1024.0, " KiB/s", 1),
        (1.0, " B/s", 0),
    ),
    "percent": ((1.0, "%", 0),),
    "rate": ((1.0, " per second", 0),),
}

_LARGEST_IN_SMALL_UNIT = 10_000
_EXACT_BELOW = 1_000_000
_NOISE_FROM = 1e15


def rounded(value: float) -> str:
    """Return a number as three figures tell it, with `,` between thousands.

    1239.6 becomes `1,240`; 0.03217 becomes `0.0322`; whole numbers below a million stay exact.
    """
    if not isfinite(value) or abs(value) >= _NOISE_FROM:
        return f"{value:.3g}"
    if value == int(value) and abs(value) < _EXACT_BELOW:
        return f"{int(value):,}"
    digits = 2 - floor(log10(abs(value)))
    near = round(value, digits)
    if digits <= 0:
        return f"{near:,.0f}"
    return f"{near:,.{digits}f}".rstrip("0").rstrip(".")


@lru_cache(maxsize=1024)
def with_unit(value: float, unit: str, like: float | None = None) -> str:
    """Return a value with its unit, `1,240 ms` for 1.2396 `Seconds` beside a `like` of 0.8.

    `like` is the value that it will be compared with: both then have the same unit, unless that
    makes the number long. Without a known unit only the number is returned.
    """
    if unit not in _UNITS:
        return rounded(value)
    kind, size = _UNITS[unit]
    factor, name = _scale(kind, size, value if like is None else like)
    shown = value * size / factor
    if abs(shown) >= _LARGEST_IN_SMALL_UNIT:
        factor, name = _scale(kind, size, value)
        shown = value * size / factor
    return f"{rounded(shown)}{name}"


def _scale(kind: str, size: float, value: float) -> tuple[float, str]:
    """Return factor and name of the unit that suits a value; zero stays in the unit it came in."""
    amount = abs(value) * size if value else size
    for factor, name, enough in _SCALES[kind]:
        if amount >= factor * enough:
            return factor, name
    return size, ""
