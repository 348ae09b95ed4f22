"""EventBridge events of any service: what happened to what, telling fields, the rest folded."""

from collections.abc import Mapping
from typing import Any

import orjson

from parley.events.console import parse_arn, resource_page, short_name
from parley.events.fields import ending_text, first_text, label_of, state_of, telling_facts
from parley.events.model import Event, Notification
from parley.events.reading import (
    context_of,
    cut,
    dict_at,
    folded_json,
    list_at,
    number_at,
    one_line,
    text_at,
    texts_at,
    title_text,
)
from parley.events.services import service_name
from parley.events.times import read_time
from parley.events.tones import tone_of, words_of
from parley.kernel.messages import Block, Fact, Facts, Message, Text, Tone

_MOST_FACTS = 6
_MOST_RESOURCES_SHOWN = 3
_MOST_NAMED = 50
_LONGEST_WHY = 1500
_REASON_ENDINGS = ("reason", "description", "message")
_VERBS = {
    "success": "succeeded",
    "successful": "succeeded",
    "failure": "failed",
    "fail": "failed",
    "complete": "completed",
    "error": "is in error",
    "alarm": "is in alarm",
    "ok": "is OK",
    "warn": "has a warning",
    "warning": "has a warning",
    "insufficient data": "has insufficient data",
    "timed out": "timed out",
}
"""States that are no adjective; of the others `ed` makes a verb and `is` does for the rest."""
_LONGEST_NAME = 120
# Amazon GuardDuty User Guide, "Severity levels": 7.0 and above is high, 4.0 to 6.9 medium.
_HIGH = 7
_MEDIUM = 4

_HEADLINES = ("title", "headline", "subject", "eventtitle")
_REASONS = (
    "reason",
    "statusreason",
    "statereason",
    "stoppedreason",
    "cause",
    "errormessage",
    "eventdescription",
    "latestdescription",
    "description",
    "message",
    "statusmessage",
    "additionalinformation",
    "summary",
)
_NAMES = (
    "statemachinearn",
    "name",
    "instanceid",
    "jobname",
    "pipeline",
    "projectname",
    "stackname",
    "crawlername",
    "autoscalinggroupname",
    "clustername",
    "repositoryname",
    "backupvaultname",
    "volumeid",
    "functionname",
    "bucketname",
    "resource",
    "resourceid",
    "displayid",
    "orderid",
)
_NAMES_OF_LAST_RESORT = ("jobid", "deploymentid", "id")
_FILLER = (
    " state-change notification",
    " state change notification",
    " status-change notification",
    " status change notification",
    " completion status",
    " state change",
    " status change",
    " status update",
    " notification",
)


def matches(event: Event) -> bool:
    """Take every object in EventBridge's envelope: it has a detail-type and a source."""
    detail = event.detail
    return (
        isinstance(detail, dict)
        and isinstance(detail.get("detail-type"), str)
        and ("source" in detail or "detail" in detail)
    )


def format(event: Event) -> Notification:  # noqa: A001 - every formatter is `matches` and `format`
    """Show the event. Never raises, whatever types its members have."""
    envelope: Mapping[str, Any] = event.detail
    detail = dict_at(envelope, "detail")
    kind = one_line(text_at(envelope, "detail-type")) or "Event"
    source = text_at(envelope, "source") or event.source
    region = text_at(envelope, "region") or event.region
    account = text_at(envelope, "account") or event.account
    resources = texts_at(envelope, "resources")
    state = state_of(detail)
    why = _why(detail)
    title = _title(kind, detail, state, resources)
    return Notification(
        message=Message(
            title=title_text(title),
            tone=_tone(kind, state, detail),
            state=state,
            context=context_of(account, region, service_name(source)),
            at=read_time(envelope.get("time")) or event.time,
            blocks=_blocks(envelope, detail, resources, why, said=(title, state, why)),
            event_id=event.id,
        ),
        resources=resources,
    )


def _title(kind: str, detail: Mapping[str, Any], state: str, resources: tuple[str, ...]) -> str:
    headline = first_text(detail, _HEADLINES) or _finding(detail)
    if headline:
        return one_line(headline)
    code = text_at(detail, "eventTypeCode")
    if code:
        return _health(code, text_at(detail, "service"))
    named = first_text(detail, ("eventname",))
    if named and "CloudTrail" in kind:
        return _call(named, detail)
    name = _name(detail, resources)
    if state and not kind.lower().endswith("configuration change"):
        return " ".join(part for part in (_noun(kind), name, _verb(state)) if part)
    if named:
        return f"{_noun(kind)} {name}".rstrip() + f": {words_of(named)}"
    return f"{kind}: {name}" if name else kind


def _call(name: str, detail: Mapping[str, Any]) -> str:
    """Return `PutBucketPolicy in S3 by alice` for what CloudTrail recorded."""
    service = text_at(detail, "eventSource").partition(".")[0]
    caller = _caller(detail)
    where = f" in {service_name(f'aws.{service}')}" if service else ""
    return f"{name}{where}{f' by {caller}' if caller else ''}"


def _finding(detail: Mapping[str, Any]) -> str:
    findings = list_at(detail, "findings")
    title = text_at(findings[0], "Title") if findings else ""
    if title and len(findings) > 1:
        return f"{title}, and {len(findings) - 1} more"
    return title


def _caller(detail: Mapping[str, Any]) -> str:
    identity = dict_at(detail, "userIdentity")
    arn = text_at(identity, "arn")
    return (
        text_at(identity, "userName")
        or (short_name(arn) if parse_arn(arn) else "")
        or text_at(identity, "invokedBy")
    )


def _health(code: str, service: str) -> str:
    """Return `AWS_EC2_INSTANCE_RETIREMENT_SCHEDULED` as `EC2 instance retirement scheduled`."""
    words = code.removeprefix("AWS_").replace("_", " ").lower()
    if service and words.startswith(f"{service.lower()} "):
        return f"{service} {words[len(service) + 1 :]}"
    return words[:1].upper() + words[1:]


def _noun(kind: str) -> str:
    """Return what the detail-type speaks of: `EC2 Instance` for `EC2 Instance State-change ...`."""
    small = kind.lower()
    for filler in _FILLER:
        if small.endswith(filler):
            return kind[: -len(filler)]
    return kind


def _verb(state: str) -> str:
    """Return `failed`, `is running`, `is in progress`: the state as the verb of a sentence."""
    words = words_of(state)
    known = _VERBS.get(words)
    if known:
        return known
    if words.endswith("ed"):
        return words
    return f"is {words or state}"


def _name(detail: Mapping[str, Any], resources: tuple[str, ...]) -> str:
    name = first_text(detail, _NAMES)
    if not name and resources:
        name = resources[0]
    if not name:
        name = first_text(detail, _NAMES_OF_LAST_RESORT)
    return cut(one_line(short_name(name)), _LONGEST_NAME)


def _why(detail: Mapping[str, Any]) -> str:
    cause = first_text(detail, ("cause",))
    error = first_text(detail, ("error", "errorcode"))
    if cause and error:
        return f"{error}: {_spoken(cause)}"
    findings = list_at(detail, "findings")
    reason = first_text(detail, _REASONS)
    if not reason and findings:
        reason = text_at(findings[0], "Description")
    reason = reason or ending_text(detail, _REASON_ENDINGS)
    if error and reason:
        return f"{error}: {_spoken(reason)}"
    return _spoken(reason or error)


def _spoken(text: str) -> str:
    """Return the message inside an error that is written as JSON (a Lambda function's cause)."""
    if not text.startswith("{"):
        return text
    try:
        inner = orjson.loads(text)
    except ValueError:
        return text
    return first_text(inner, ("errormessage", "message", "error")) or text


def _tone(kind: str, state: str, detail: Mapping[str, Any]) -> Tone:
    if state and (tone := tone_of(state)):
        return tone
    severity = _severity(detail)
    if severity is not None:
        return severity
    if first_text(detail, ("error", "errorcode", "errormessage")):
        return Tone.BAD
    for text in (
        text_at(detail, "eventType"),
        first_text(detail, ("eventname",)),
        text_at(detail, "eventTypeCategory"),
        text_at(detail, "eventTypeCode"),
        kind,
    ):
        tone = tone_of(text) if text else None
        if tone in (Tone.BAD, Tone.WARN):
            return tone
    return Tone.INFO


def _severity(detail: Mapping[str, Any]) -> Tone | None:
    """Read a severity: a word, or the number that GuardDuty gives."""
    findings = list_at(detail, "findings")
    number = number_at(detail, "severity")
    if number is not None:
        if number >= _HIGH:
            return Tone.BAD
        return Tone.WARN if number >= _MEDIUM else Tone.INFO
    word = ending_text(detail, ("severity",))
    if not word and findings:
        word = text_at(findings[0], "Severity", "Label")
    return (tone_of(word) or Tone.INFO) if word else None


def _blocks(
    envelope: Mapping[str, Any],
    detail: Mapping[str, Any],
    resources: tuple[str, ...],
    why: str,
    said: tuple[str, ...],
) -> tuple[Block, ...]:
    blocks: list[Block] = []
    if why:
        blocks.append(Text(cut(why, _LONGEST_WHY)))
    shown = _resource_facts(resources)
    names = (short_name(one) for one in resources[:_MOST_NAMED])
    facts = shown + telling_facts(
        detail, _MOST_FACTS - len(shown), (*resources[:_MOST_NAMED], *names, *said)
    )
    if facts:
        blocks.append(Facts(facts))
    blocks.append(folded_json("Event", envelope))
    return tuple(blocks)


def _resource_facts(resources: tuple[str, ...]) -> tuple[Fact, ...]:
    shown = [
        Fact(_resource_label(one), cut(short_name(one), 200), resource_page(one))
        for one in resources[:_MOST_RESOURCES_SHOWN]
    ]
    more = len(resources) - len(shown)
    if more > 0:
        shown.append(Fact("More resources", str(more)))
    return tuple(shown)


def _resource_label(resource: str) -> str:
    arn = parse_arn(resource)
    return label_of(arn.kind) if arn and arn.kind else "Resource"
