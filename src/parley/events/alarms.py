"""CloudWatch alarms: what SNS and EventBridge say about a change of state, as one record."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from parley.events.console import Arn, parse_arn
from parley.events.model import Event
from parley.events.reading import dict_at, list_at, number_at, text_at, value_at
from parley.events.times import read_time

STATES = frozenset({"ALARM", "OK", "INSUFFICIENT_DATA"})


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric or an expression over metrics. `period` counts seconds, 0 where it is not said."""

    id: str
    namespace: str
    name: str
    stat: str
    unit: str
    period: float
    dimensions: tuple[tuple[str, str], ...]
    expression: str
    label: str
    returned: bool


@dataclass(frozen=True, slots=True)
class Child:
    """An alarm that made a composite alarm change."""

    arn: str
    state: str


@dataclass(frozen=True, slots=True)
class Alarm:
    """A change of state. `operator` is CloudWatch's ComparisonOperator, empty where not said.

    `band` is the id of the metric that gives the threshold of an anomaly alarm. `periods` and
    `enough` are M and N of "N out of M datapoints". `composite` alarms have no metrics.
    """

    name: str
    arn: str
    account: str
    region: str
    state: str
    was: str
    was_since: datetime | None
    changed_at: datetime | None
    reason: str
    description: str
    metrics: tuple[Metric, ...] = ()
    operator: str = ""
    threshold: float | None = None
    band: str = ""
    periods: int = 0
    enough: int = 0
    composite: bool = False
    children: tuple[Child, ...] = ()


def from_sns(event: Event) -> Alarm:
    """Read the message that an alarm's action publishes to a topic."""
    detail: Mapping[str, Any] = event.detail
    arn_text = text_at(detail, "AlarmArn")
    arn = parse_arn(arn_text)
    trigger = dict_at(detail, "Trigger")
    return Alarm(
        name=text_at(detail, "AlarmName"),
        arn=arn_text if arn else "",
        account=text_at(detail, "AWSAccountId") or _account(arn) or event.account,
        # The message says "EU (Ireland)"; only the ARN has the code. An alarm and its topic are
        # always in the same region.
        region=(arn.region if arn else "") or event.region or text_at(detail, "Region"),
        state=text_at(detail, "NewStateValue"),
        was=text_at(detail, "OldStateValue"),
        was_since=None,
        changed_at=read_time(detail.get("StateChangeTime")) or event.time,
        reason=text_at(detail, "NewStateReason"),
        description=text_at(detail, "AlarmDescription"),
        metrics=_trigger_metrics(trigger),
        operator=text_at(trigger, "ComparisonOperator"),
        threshold=number_at(trigger, "Threshold"),
        band=text_at(trigger, "ThresholdMetricId"),
        periods=_count(trigger, "EvaluationPeriods"),
        enough=_count(trigger, "DatapointsToAlarm") or _count(trigger, "EvaluationPeriods"),
        composite="AlarmRule" in detail,
        children=_children(list_at(detail, "TriggeringChildren"), "Arn", "State", "Value"),
    )


def from_eventbridge(event: Event) -> Alarm:
    """Read the event "CloudWatch Alarm State Change"."""
    envelope: Mapping[str, Any] = event.detail
    detail = dict_at(envelope, "detail")
    configuration = dict_at(detail, "configuration")
    resources = list_at(envelope, "resources")
    first = resources[0] if resources and isinstance(resources[0], str) else ""
    data = _reason_data(text_at(detail, "state", "reasonData"))
    return Alarm(
        name=text_at(detail, "alarmName"),
        arn=first if parse_arn(first) else "",
        account=text_at(envelope, "account") or event.account,
        region=text_at(envelope, "region") or event.region,
        state=text_at(detail, "state", "value"),
        was=text_at(detail, "previousState", "value"),
        was_since=read_time(value_at(detail, "previousState", "timestamp")),
        changed_at=(
            read_time(value_at(detail, "state", "timestamp"))
            or read_time(envelope.get("time"))
            or event.time
        ),
        reason=text_at(detail, "state", "reason"),
        description=text_at(configuration, "description"),
        metrics=tuple(_event_metric(one, data) for one in list_at(configuration, "metrics")),
        operator=text_at(configuration, "comparisonOperator"),
        threshold=_first(number_at(configuration, "threshold"), number_at(data, "threshold")),
        band=text_at(configuration, "thresholdMetricId"),
        periods=_count(configuration, "evaluationPeriods"),
        enough=_count(configuration, "datapointsToAlarm"),
        composite="alarmRule" in configuration,
        children=_children(list_at(data, "triggeringAlarms"), "arn", "state", "value"),
    )


def _account(arn: Arn | None) -> str:
    return arn.account if arn else ""


def _first(one: float | None, other: float | None) -> float | None:
    return other if one is None else one


def _count(holder: Mapping[str, Any], key: str) -> int:
    number = number_at(holder, key)
    return int(number) if number is not None and 0 < number < 1_000_000 else 0  # noqa: PLR2004 - far beyond any alarm


def _trigger_metrics(trigger: Mapping[str, Any]) -> tuple[Metric, ...]:
    if "Metrics" in trigger:
        period = number_at(trigger, "Period") or 0
        return tuple(_sns_metric(one, period) for one in list_at(trigger, "Metrics"))
    if not text_at(trigger, "MetricName"):
        return ()
    return (
        Metric(
            id="",
            namespace=text_at(trigger, "Namespace"),
            name=text_at(trigger, "MetricName"),
            stat=text_at(trigger, "ExtendedStatistic") or text_at(trigger, "Statistic"),
            unit=text_at(trigger, "Unit"),
            period=number_at(trigger, "Period") or 0,
            dimensions=_pairs(list_at(trigger, "Dimensions")),
            expression="",
            label="",
            returned=True,
        ),
    )


def _sns_metric(one: object, period: float) -> Metric:
    metric = dict_at(one, "MetricStat", "Metric")
    return Metric(
        id=text_at(one, "Id"),
        namespace=text_at(metric, "Namespace"),
        name=text_at(metric, "MetricName"),
        stat=text_at(one, "MetricStat", "Stat"),
        unit=text_at(one, "MetricStat", "Unit"),
        period=number_at(one, "MetricStat", "Period") or number_at(one, "Period") or period,
        dimensions=_pairs(list_at(metric, "Dimensions")),
        expression=text_at(one, "Expression"),
        label=text_at(one, "Label"),
        returned=value_at(one, "ReturnData") is not False,
    )


def _event_metric(one: object, data: Mapping[str, Any]) -> Metric:
    metric = dict_at(one, "metricStat", "metric")
    dimensions = dict_at(metric, "dimensions")
    return Metric(
        id=text_at(one, "id"),
        namespace=text_at(metric, "namespace"),
        name=text_at(metric, "name"),
        stat=text_at(one, "metricStat", "stat"),
        unit=text_at(one, "metricStat", "unit") or text_at(data, "unit"),
        period=(
            number_at(one, "metricStat", "period")
            or number_at(one, "period")
            or number_at(data, "period")
            or 0
        ),
        dimensions=tuple(
            (name, value) for name, value in dimensions.items() if isinstance(value, str)
        ),
        expression=text_at(one, "expression"),
        label=text_at(one, "label"),
        returned=value_at(one, "returnData") is not False,
    )


def _pairs(dimensions: list[Any]) -> tuple[tuple[str, str], ...]:
    """Read dimensions; the keys are `name` and `value`, in capitals from some senders."""
    pairs = (
        (
            text_at(one, "name") or text_at(one, "Name"),
            text_at(one, "value") or text_at(one, "Value"),
        )
        for one in dimensions
    )
    return tuple((name, value) for name, value in pairs if name and value)


def _children(raw: list[Any], arn: str, state: str, value: str) -> tuple[Child, ...]:
    children = (Child(text_at(one, arn), text_at(one, state, value)) for one in raw)
    return tuple(child for child in children if child.arn)


def _reason_data(text: str) -> Mapping[str, Any]:
    try:
        data = orjson.loads(text)
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}
