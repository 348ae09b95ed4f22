"""CloudWatch alarms (metric, expression, anomaly, composite), from SNS and from EventBridge."""

from parley.events.addresses import first_address
from parley.events.alarm_reason import Crossed, read_crossed
from parley.events.alarm_words import subject_metric, threshold_words, title_of, why
from parley.events.alarms import STATES, Alarm, from_eventbridge, from_sns
from parley.events.console import alarm_page, dimension_page, resource_page, short_name
from parley.events.fields import label_of
from parley.events.metrics import shared_dimensions, stat_name
from parley.events.model import Event, Notification
from parley.events.reading import context_of, cut, folded_code, text_at, title_text
from parley.events.times import span_words, time_words
from parley.kernel.messages import (
    Block,
    Fact,
    Facts,
    Folded,
    LinkButton,
    Message,
    Text,
    Tone,
)
from parley.kernel.threads import AlarmChange

_MOST_FACTS = 6
_MOST_CHILDREN = 3
_LONGEST_VALUE = 300
_LONGEST_WHY = 1500
_LONGEST_STATE = 40
# CloudWatch API Reference, PutMetricAlarm: the most dimensions and the longest description.
_MOST_DIMENSIONS = 30
_LONGEST_DESCRIPTION = 1024

_TONES = {"ALARM": Tone.BAD, "OK": Tone.GOOD, "INSUFFICIENT_DATA": Tone.WARN}


def matches(event: Event) -> bool:
    """Take the message of an alarm's action and the event of its change."""
    detail = event.detail
    if not isinstance(detail, dict):
        return False
    if "detail-type" in detail:
        return (
            detail["detail-type"] == "CloudWatch Alarm State Change"
            and detail.get("source") == "aws.cloudwatch"
            and bool(text_at(detail, "detail", "alarmName"))
        )
    return bool(text_at(detail, "AlarmName")) and bool(text_at(detail, "NewStateValue"))


def format(event: Event) -> Notification:  # noqa: A001 - every formatter is `matches` and `format`
    """Show the change. The state decides the tone, and what it does to earlier messages."""
    alarm = from_eventbridge(event) if "detail-type" in event.detail else from_sns(event)
    crossed = read_crossed(alarm.reason)
    link = alarm_page(alarm.region, alarm.name)
    dimensions = _dimensions(alarm)
    return Notification(
        message=Message(
            title=title_text(title_of(alarm, crossed)),
            tone=_TONES.get(alarm.state, Tone.INFO),
            state=cut(alarm.state, _LONGEST_STATE),
            context=context_of(alarm.account, alarm.region, "CloudWatch"),
            at=alarm.changed_at,
            blocks=_blocks(alarm, crossed, dimensions, link),
            buttons=_buttons(alarm, link),
            event_id=event.id,
        ),
        thread=_thread(alarm),
        resources=(alarm.arn,) if alarm.arn else (),
        variables=_variables(alarm, dimensions),
    )


def _buttons(alarm: Alarm, link: str) -> tuple[LinkButton, ...]:
    """Return what to open. Where there is a runbook, the description has its address."""
    buttons = [LinkButton("Open alarm", link)] if link else []
    host, address = first_address(alarm.description)
    if address and alarm.state != "OK":
        buttons.append(LinkButton(f"Open {host}", address))
    return tuple(buttons)


def _thread(alarm: Alarm) -> AlarmChange | None:
    """Return the alarm's thread; a change without a time or a known state stands alone."""
    if alarm.changed_at is None or alarm.state not in STATES:
        return None
    key = f"{alarm.account}/{alarm.region}/{alarm.name}"
    return AlarmChange(key, alarm.state, alarm.changed_at)


def _dimensions(alarm: Alarm) -> tuple[tuple[str, str], ...]:
    metric = subject_metric(alarm)
    return (metric.dimensions if metric else ()) or shared_dimensions(alarm.metrics)


def _variables(alarm: Alarm, dimensions: tuple[tuple[str, str], ...]) -> dict[str, str]:
    metric = subject_metric(alarm)
    return {
        **dict(dimensions[:_MOST_DIMENSIONS]),
        "AlarmName": alarm.name,
        "NewStateValue": alarm.state,
        "MetricName": metric.name if metric else "",
        "Namespace": metric.namespace if metric else "",
        "AccountId": alarm.account,
        "Region": alarm.region,
    }


def _blocks(
    alarm: Alarm, crossed: Crossed | None, dimensions: tuple[tuple[str, str], ...], link: str
) -> tuple[Block, ...]:
    blocks: list[Block] = []
    sentence = cut(why(alarm, crossed), _LONGEST_WHY)
    if sentence.strip():
        blocks.append(Text(sentence))
    description = cut(alarm.description.strip(), _LONGEST_DESCRIPTION)
    if description and alarm.state != "OK":
        blocks.append(Text(description))
    facts = [Fact("Alarm", cut(alarm.name, _LONGEST_VALUE), link)]
    if alarm.composite:
        facts += [*_was(alarm), *_children(alarm)]
        more: tuple[Fact, ...] = ()
    else:
        shown, more = _resource_facts(alarm, crossed, dimensions)
        facts += shown
    blocks.append(Facts(tuple(facts)))
    if more:
        blocks.append(Folded("More dimensions", (Facts(more),)))
    if description and alarm.state == "OK":
        # "Checkout is slow" under an OK would read as if it still were.
        blocks.append(Folded("Description of the alarm", (Text(description),)))
    if alarm.reason and alarm.reason != sentence:
        blocks.append(folded_code("Reason as CloudWatch wrote it", alarm.reason))
    return tuple(blocks)


def _resource_facts(
    alarm: Alarm, crossed: Crossed | None, dimensions: tuple[tuple[str, str], ...]
) -> tuple[list[Fact], tuple[Fact, ...]]:
    """Return the facts to show, and the dimensions for which there was no room."""
    resources = [
        Fact(label_of(name), cut(value, _LONGEST_VALUE), dimension_page(name, value, alarm.region))
        for name, value in dimensions[:_MOST_DIMENSIONS]
    ]
    after = [*_threshold(alarm, crossed), *_was(alarm), *_since(alarm, crossed)]
    before = _metric(alarm)
    room = max(1, _MOST_FACTS - 1 - len(before) - len(after))
    return [*before, *resources[:room], *after], tuple(resources[room:])


def _metric(alarm: Alarm) -> list[Fact]:
    metric = subject_metric(alarm)
    if metric is None:
        return []
    if metric.expression:
        return [Fact("Expression", cut(metric.expression, _LONGEST_VALUE))]
    return [Fact("Metric", cut(f"{metric.name} {stat_name(metric.stat)}".strip(), _LONGEST_VALUE))]


def _threshold(alarm: Alarm, crossed: Crossed | None) -> list[Fact]:
    words = threshold_words(alarm, crossed)
    return [Fact("Threshold", words)] if words else []


def _was(alarm: Alarm) -> list[Fact]:
    if not alarm.was.strip():
        return []
    was = cut(alarm.was, _LONGEST_STATE)
    if alarm.was_since and alarm.changed_at and alarm.changed_at > alarm.was_since:
        was = f"{was} for {span_words(alarm.changed_at - alarm.was_since)}"
    return [Fact("Was", was)]


def _since(alarm: Alarm, crossed: Crossed | None) -> list[Fact]:
    """Return when the first breaching datapoint was, if all of them are listed."""
    if alarm.state != "ALARM" or crossed is None or crossed.since is None:
        return []
    complete = len(crossed.values) >= crossed.breaching and not crossed.negated
    return [Fact("Since", time_words(crossed.since))] if complete else []


def _children(alarm: Alarm) -> list[Fact]:
    facts = [
        Fact("Triggered by", cut(short_name(child.arn), _LONGEST_VALUE), resource_page(child.arn))
        for child in alarm.children[:_MOST_CHILDREN]
    ]
    rest = len(alarm.children) - len(facts)
    if rest > 0:
        facts.append(Fact("And", f"{rest} more"))
    return facts
