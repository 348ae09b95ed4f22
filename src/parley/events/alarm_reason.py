"""What CloudWatch writes as the reason of an alarm's change, taken apart."""

import re
from dataclasses import dataclass
from datetime import datetime

from parley.events.console import parse_arn, short_name
from parley.events.times import read_datapoint_time

_CROSSED = re.compile(
    r"Thresholds? Crossed: (?P<breaching>\d+)(?: out of the last (?P<of>\d+))? datapoints?"
    r"(?: \[(?P<points>[^\]]*)\])? (?:was|were) (?P<no>not )?(?P<side>greater|less) than"
    r"(?P<equal> or equal to)? the (?P<band>lower |upper )?thresholds?"
    r"(?: \((?P<threshold>[-+0-9.eE]+)\))?"
)
_BANDS = re.compile(r"(lower|upper) thresholds? \[([^\]]*)\]")
_LATER_POINTS = re.compile(r"which crossed the threshold: \[([^\]]*)\]")
_MISSING = re.compile(
    r"no datapoints were received for (\d+) periods?"
    r"(?: and \d+ missing datapoints? (?:was|were) treated as \[(\w+)\])?"
)
_POINT = re.compile(r"([-+0-9.eE]+)(?: \(([^)]*)\))?")
_BOTH = "LessThanLowerOrGreaterThanUpperThreshold"
_MOST_READ = 4000
"""CloudWatch cuts a reason at 1,023 characters; nothing longer is searched."""


@dataclass(frozen=True, slots=True)
class Crossed:
    """Datapoints compared with a threshold. `values` are newest first, as AWS lists them.

    `breaching` of the last `of` datapoints (0 if not said) decided. `operator` is the comparison
    in CloudWatch's words; `lower` and `upper` are what an anomaly alarm expected.
    """

    breaching: int
    of: int
    values: tuple[float, ...]
    since: datetime | None
    negated: bool
    operator: str
    threshold: float | None
    lower: float | None
    upper: float | None


def read_crossed(reason: str) -> Crossed | None:
    """Take a reason apart that compares datapoints with a threshold; nothing for other reasons."""
    reason = reason[:_MOST_READ]
    found = _CROSSED.search(reason)
    if found is None:
        return None
    listed = found["points"]
    if listed is None:
        later = _LATER_POINTS.search(reason, found.end())
        listed = later[1] if later else ""
    points = _POINT.findall(listed)
    bands = dict(_BANDS.findall(reason)) if found["band"] else {}
    values = (_number(value) for value, _ in points)
    # In order of time, and which end is the oldest is not promised.
    ends = (read_datapoint_time(points[at][1]) for at in ((0, -1) if points else ()))
    return Crossed(
        breaching=int(found["breaching"][:6]),
        of=int((found["of"] or "0")[:6]),
        values=tuple(value for value in values if value is not None),
        since=min((time for time in ends if time), default=None),
        negated=found["no"] is not None,
        operator=_BOTH if len(bands) > 1 else _operator(found),
        threshold=_number(found["threshold"] or ""),
        lower=_number(bands.get("lower", "").partition(",")[0]),
        upper=_number(bands.get("upper", "").partition(",")[0]),
    )


def _operator(found: re.Match[str]) -> str:
    side = "GreaterThan" if found["side"] == "greater" else "LessThan"
    band = found["band"]
    if band:
        return f"{side}{band.strip().capitalize()}Threshold"
    return f"{side}OrEqualToThreshold" if found["equal"] else f"{side}Threshold"


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def missing_data(reason: str) -> str:
    """Return a sentence if the reason is that no data arrived, else nothing."""
    found = _MISSING.search(reason[:_MOST_READ])
    if found is None:
        return ""
    periods = f"{found[1]} period{'' if found[1] == '1' else 's'}"
    counts = {"Breaching": "; missing data counts as breaching", "NonBreaching": ""}
    if found[2] == "NonBreaching":
        counts["NonBreaching"] = "; missing data counts as not breaching"
    return f"No data arrived for {periods}{counts.get(found[2] or '', '')}."


def with_short_names(reason: str) -> str:
    """Return the reason of a composite alarm with the name of its child in place of the ARN."""
    child, moved, rest = reason.partition(" transitioned to ")
    if moved and parse_arn(child):
        return f"{short_name(child)} went to {rest}"
    return reason
