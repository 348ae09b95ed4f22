"""The title of an alarm and the sentence why, in the words of a person."""

from parley.events.alarm_reason import Crossed, missing_data, with_short_names
from parley.events.alarms import Alarm, Metric
from parley.events.console import short_name
from parley.events.metrics import (
    metric_words,
    shared_dimensions,
    stat_words,
    subject_of,
    unit_of,
)
from parley.events.numbers import with_unit

_RELATIONS = {
    "GreaterThanThreshold": "above",
    "GreaterThanOrEqualToThreshold": "at or above",
    "LessThanThreshold": "below",
    "LessThanOrEqualToThreshold": "at or below",
    "GreaterThanUpperThreshold": "above its expected band",
    "LessThanLowerThreshold": "below its expected band",
    "LessThanLowerOrGreaterThanUpperThreshold": "outside its expected band",
}
_BANDS = "expected band"
_PERIODS = {60: "minute", 3600: "hour", 86400: "day", 1: "second"}
_MINUTE = 60
_LONGEST_EXPRESSION = 60


def subject_metric(alarm: Alarm) -> Metric | None:
    """Return the metric that is compared: the expression of a math alarm, never the band."""
    for metric in alarm.metrics:
        if metric.returned and not (alarm.band and metric.id == alarm.band):
            return metric
    return None


def operator_of(alarm: Alarm, crossed: Crossed | None) -> str:
    """Return the comparison; events of EventBridge say it only in their reason."""
    return alarm.operator or (crossed.operator if crossed else "")


def threshold_of(alarm: Alarm, crossed: Crossed | None) -> float | None:
    """Return the threshold, from the reason where the alarm does not say it."""
    if alarm.threshold is not None or crossed is None:
        return alarm.threshold
    return crossed.threshold


def measured(alarm: Alarm, metric: Metric) -> str:
    """Return what is measured: `p99 latency`, the label of an expression, or the expression."""
    if metric.name:
        return " ".join(
            part for part in (stat_words(metric.stat), metric_words(metric.name)) if part
        )
    if metric.label:
        return metric.label
    short = len(metric.expression) <= _LONGEST_EXPRESSION
    return metric.expression if metric.expression and short else alarm.name


def title_of(alarm: Alarm, crossed: Crossed | None) -> str:
    """Return what happened to what: `checkout-api p99 latency above 800 ms`."""
    metric = subject_metric(alarm)
    relation = relation_words(alarm, metric, crossed) if metric else ""
    if metric is None or not relation:
        return _plain_title(alarm)
    what = measured(alarm, metric)
    subject = subject_of(metric.dimensions or shared_dimensions(alarm.metrics))
    thing = f"{subject} {what}" if subject and not what.startswith(subject) else what
    if alarm.state == "INSUFFICIENT_DATA":
        return f"Too little data on {thing}"
    if alarm.state == "OK":
        return f"{_capital(thing, subject)} no longer {relation}"
    if crossed is None and missing_data(alarm.reason):
        return f"No data on {thing}"
    return f"{_capital(thing, subject)} {relation}"


def _capital(thing: str, subject: str) -> str:
    """Begin with a capital, unless a name or a statistic (p99) begins the title."""
    first = thing.split(" ", 1)[0]
    if subject or not first.isalpha() or not thing[:1].islower():
        return thing
    return thing[:1].upper() + thing[1:]


def relation_words(alarm: Alarm, metric: Metric | None, crossed: Crossed | None) -> str:
    """Return `above 800 ms` or `outside its expected band`, `""` where it is not known."""
    operator = operator_of(alarm, crossed)
    relation = _RELATIONS.get(operator, "")
    if not relation or relation.endswith(_BANDS):
        return relation
    threshold = threshold_of(alarm, crossed)
    if threshold is None or metric is None:
        return ""
    return f"{relation} {with_unit(threshold, unit_for(metric))}"


def unit_for(metric: Metric) -> str:
    """Return the unit of the compared values; expressions have none that could be known."""
    return "" if metric.expression else unit_of(metric)


def _plain_title(alarm: Alarm) -> str:
    if alarm.composite and alarm.state == "ALARM" and alarm.children:
        count = len(alarm.children)
        if count > 1:
            return f"{alarm.name} triggered by {count} alarms"
        return f"{alarm.name} triggered by {short_name(alarm.children[0].arn)}"
    match alarm.state:
        case "ALARM":
            return f"{alarm.name} is in alarm"
        case "OK":
            return f"{alarm.name} is OK"
        case "INSUFFICIENT_DATA":
            return f"{alarm.name} has too little data"
        case other:
            return f"{alarm.name} is {other}" if other else alarm.name


def why(alarm: Alarm, crossed: Crossed | None) -> str:
    """Return one sentence why, from the reason; the reason itself where it cannot be read."""
    missing = missing_data(alarm.reason)
    if missing and crossed is None:
        return missing
    metric = subject_metric(alarm)
    if crossed is None or metric is None or not crossed.values:
        return with_short_names(alarm.reason)
    unit = unit_for(metric)
    threshold = threshold_of(alarm, crossed)
    value, how = _value(crossed)
    like = threshold if threshold is not None else (crossed.upper or crossed.lower)
    shown = with_unit(value, unit, like)
    limit = _limit(crossed, threshold, unit)
    what = measured(alarm, metric)
    was = "were" if what.endswith("s") and not what.endswith(("ss", "us")) else "was"
    return f"{_capital(what, '')} {was} {how}{shown} {_when(crossed, metric.period)}{limit}."


def _value(crossed: Crossed) -> tuple[float, str]:
    """Return the value to name: the extreme of all, or the newest if not all are listed."""
    if len(crossed.values) < max(crossed.breaching, 1):
        return crossed.values[0], "most recently "
    high = crossed.operator.startswith("GreaterThan")
    if crossed.lower is not None and crossed.upper is not None:
        high = crossed.values[0] > crossed.lower
    value = max(crossed.values) if high else min(crossed.values)
    if min(crossed.values) == max(crossed.values):
        return value, ""
    if crossed.negated:
        return value, "at most " if high else "at least "
    return value, "up to " if high else "down to "


def _when(crossed: Crossed, period: float) -> str:
    count, of = crossed.breaching, crossed.of or crossed.breaching
    one, many = _period_words(period)
    if of == 1:
        return f"in the last {one}"
    if count == of:
        return f"in each of the last {of} {many}"
    return f"in {count} of the last {of} {many}"


def _period_words(period: float) -> tuple[str, str]:
    seconds = int(period)
    if seconds <= 0:
        return "datapoint", "datapoints"
    known = _PERIODS.get(seconds)
    if known:
        return known, f"{known}s"
    if seconds % _MINUTE:
        return f"{seconds} seconds", f"periods of {seconds} seconds"
    minutes = seconds // _MINUTE
    return f"{minutes} minutes", f"periods of {minutes} minutes"


def _limit(crossed: Crossed, threshold: float | None, unit: str) -> str:
    lower, upper = crossed.lower, crossed.upper
    if lower is not None and upper is not None:
        return f" (expected {with_unit(lower, unit, upper)} to {with_unit(upper, unit)})"
    if upper is not None:
        return f" (expected at most {with_unit(upper, unit)})"
    if lower is not None:
        return f" (expected at least {with_unit(lower, unit)})"
    return "" if threshold is None else f" (threshold {with_unit(threshold, unit)})"


def threshold_words(alarm: Alarm, crossed: Crossed | None) -> str:
    """Return `above 800 ms in 3 of 3 minutes` for the facts, `""` where it is not known."""
    metric = subject_metric(alarm)
    relation = relation_words(alarm, metric, crossed)
    if not relation or metric is None or not alarm.periods:
        return relation
    one, many = _period_words(metric.period)
    enough = alarm.enough or alarm.periods
    if alarm.periods == 1:
        return f"{relation} for {one}" if one[:1].isdigit() else f"{relation} for 1 {one}"
    return f"{relation} in {enough} of {alarm.periods} {many}"
