"""Numbers as people read them: three figures, thousands apart, a unit that fits."""

from math import floor, isfinite, log10

_PERCENT = "%"

_UNITS: dict[str, tuple[str, float]] = {
    # CloudWatch API Reference, MetricDatum: what each unit is called, and its size in the smallest.
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

_SCALES: dict[str, tuple[tuple[float, str], ...]] = {
    "time": ((1e-6, "µs"), (1e-3, "ms"), (1.0, "s"), (60.0, "min"), (3600.0, "h"), (86400.0, "d")),
    "bytes": (
        (1.0, "B"),
        (1024.0, "KiB"),
        (1024.0**2, "MiB"),
        (1024.0**3, "GiB"),
        (1024.0**4, "TiB"),
    ),
    "bytes/s": (
        (1.0, "B/s"),
        (1024.0, "KiB/s"),
        (1024.0**2, "MiB/s"),
        (1024.0**3, "GiB/s"),
    ),
    "percent": ((1.0, _PERCENT),),
    "rate": ((1.0, "per second"),),
}

_ENOUGH = {"min": 5, "h": 3, "d": 2}
"""From how many on a larger unit of time reads better: 90 s and 240 s stay seconds."""

_LARGEST_IN_SMALL_UNIT = 10_000


def rounded(value: float) -> str:
    """Return a number with at most three figures after the first, and `,` between thousands.

    1239.6 becomes `1,240`; 0.03217 becomes `0.0322`; whole numbers below a million stay exact.
    """
    if not isfinite(value):
        return str(value)
    if value == int(value) and abs(value) < 1_000_000:  # noqa: PLR2004 - seven figures and more
        return f"{int(value):,}"
    if abs(value) >= 1e15:  # noqa: PLR2004 - beyond it digits are noise
        return f"{value:.3g}"
    digits = 2 - floor(log10(abs(value)))
    near = round(value, digits)
    if digits <= 0:
        return f"{near:,.0f}"
    return f"{near:,.{digits}f}".rstrip("0").rstrip(".")


def scale_of(value: float, unit: str) -> str:
    """Return the unit in which people would say a value that CloudWatch gives in `unit`."""
    kind, size = _UNITS.get(unit, ("", 1.0))
    scales = _SCALES.get(kind)
    if not scales:
        return ""
    amount = abs(value) * size
    chosen = scales[-1][1] if kind != "time" and amount else scales[0][1]
    chosen = scales[0][1]
    for factor, name in scales:
        if amount >= factor * _ENOUGH.get(name, 1):
            chosen = name
    return chosen if amount else _name_of(kind, size)


def with_unit(value: float, unit: str, like: float | None = None) -> str:
    """Return a value with its unit, `1,240 ms` for 1.2396 `Seconds` beside a `like` of 0.8.

    `like` is the value that it will be compared with: both then have the same unit, unless that
    makes the number long.
    """
    kind, size = _UNITS.get(unit, ("", 1.0))
    if not kind:
        return rounded(value)
    scale = scale_of(value if like is None else like, unit)
    shown = _in(value, kind, size, scale)
    if abs(shown) >= _LARGEST_IN_SMALL_UNIT:
        scale = scale_of(value, unit)
        shown = _in(value, kind, size, scale)
    return f"{rounded(shown)}%" if scale == _PERCENT else f"{rounded(shown)} {scale}"


def _in(value: float, kind: str, size: float, scale: str) -> float:
    factor = next(factor for factor, name in _SCALES[kind] if name == scale)
    return value * size / factor


def _name_of(kind: str, size: float) -> str:
    return next((name for factor, name in _SCALES[kind] if factor == size), _SCALES[kind][0][1])
