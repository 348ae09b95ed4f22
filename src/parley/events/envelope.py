"""Envelopes that events arrive in: SNS over HTTP, SNS in a queue, EventBridge, raw text."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeGuard

from parley.events.custom_notification import looks_custom
from parley.events.lenient_json import (
    decode,
    read_object,
    read_structure,
    storable,
    write_text,
)
from parley.events.model import Event
from parley.events.times import read_time
from parley.events.topics import Topic, parse_topic
from parley.kernel.errors import InvalidRequest


class SnsType(StrEnum):
    """What SNS posts to an endpoint."""

    NOTIFICATION = "Notification"
    SUBSCRIPTION_CONFIRMATION = "SubscriptionConfirmation"
    UNSUBSCRIBE_CONFIRMATION = "UnsubscribeConfirmation"


@dataclass(frozen=True, slots=True)
class SnsMessage:
    """An SNS message in its JSON envelope, every field letter for letter as it was sent.

    `subject` is none when there was no such key, which matters to the signature. `token` and
    `subscribe_url` come with confirmations only. The signature's fields are empty when the
    message is not signed. `raw` is the envelope as it arrived.
    """

    type: SnsType
    message_id: str
    topic: Topic
    subject: str | None
    message: str
    timestamp: str
    sent_at: datetime
    token: str
    subscribe_url: str
    signature_version: str
    signature: str
    signing_cert_url: str
    raw: str


_MESSAGE_ID = re.compile(r"[!-~]{1,128}")
_TOKEN = re.compile(r"[!-~]{1,2048}")
_ARN = re.compile(r"arn:[^:]*:[^:]*:(?P<region>[^:]*):(?P<account>[^:]*):")
_CONFIRMATIONS = frozenset({SnsType.SUBSCRIPTION_CONFIRMATION, SnsType.UNSUBSCRIBE_CONFIRMATION})


def parse_sns(body: bytes) -> SnsMessage:
    """Read what SNS posts to an endpoint. Unknown keys are ignored.

    Raises `InvalidRequest`, which names the field that is wrong.
    """
    raw = decode(body)
    envelope = read_object(raw)
    if envelope is None:
        raise InvalidRequest(
            "The body is not an SNS message: it is not a JSON object. If the subscription has raw"
            " message delivery switched on, switch it off: raw messages are not signed."
        )
    return sns_message(envelope, raw)


def sns_message(envelope: Mapping[str, Any], raw: str) -> SnsMessage:
    """Read the fields of an SNS envelope. Raises `InvalidRequest`, which names the field."""
    sns_type = _type(envelope)
    confirms = sns_type in _CONFIRMATIONS
    message_id = _required(envelope, "MessageId")
    if _MESSAGE_ID.fullmatch(message_id) is None:
        raise InvalidRequest("MessageId is not an id of SNS: it should be at most 128 characters.")
    timestamp = _required(envelope, "Timestamp")
    sent_at = read_time(timestamp)
    if sent_at is None:
        raise InvalidRequest("Timestamp is not a time such as 2026-01-31T12:00:00.000Z.")
    return SnsMessage(
        type=sns_type,
        message_id=message_id,
        topic=parse_topic(_required(envelope, "TopicArn")),
        subject=None if envelope.get("Subject") is None else _optional(envelope, "Subject"),
        message=_message(envelope),
        timestamp=timestamp,
        sent_at=sent_at,
        token=_token(envelope) if confirms else "",
        subscribe_url=_required(envelope, "SubscribeURL") if confirms else "",
        signature_version=_optional(envelope, "SignatureVersion"),
        signature=_optional(envelope, "Signature"),
        signing_cert_url=_optional(envelope, "SigningCertURL"),
        raw=raw,
    )


def event_from_sns(sns: SnsMessage) -> Event:
    """Unwrap an SNS message. Never raises: what cannot be read as JSON is text."""
    return _event(
        event_id=f"sns:{sns.topic.arn}:{sns.message_id}",
        payload=sns.message,
        raw=sns.raw,
        origin=_Origin("sns", sns.topic.account, sns.topic.region, sns.sent_at),
        topic=sns.topic.arn,
        subject=storable(sns.subject or ""),
    )


def event_from_sqs(
    queue_arn: str, message_id: str, body: str, sent_at: datetime | None = None
) -> Event:
    """Unwrap a message of a queue: an SNS envelope, an EventBridge event, or anything raw.

    `sent_at` is when the queue got it, for messages that carry no time of their own. Never raises.
    """
    raw = storable(body.removeprefix("\ufeff"))
    structure = read_structure(raw)
    if isinstance(structure, dict) and structure.get("Type") == SnsType.NOTIFICATION:
        try:
            return event_from_sns(sns_message(structure, raw))
        except InvalidRequest:
            pass  # It only looks like one, so it is shown as the JSON that it is.
    region, account = _place(queue_arn)
    return _event(
        event_id=_eventbridge_id(structure) or f"sqs:{queue_arn}:{message_id}",
        payload=raw,
        raw=raw,
        origin=_Origin("sqs", account, region, sent_at),
        structure=structure,
    )


@dataclass(frozen=True, slots=True)
class _Origin:
    """What the envelope says, for payloads that do not say it themselves."""

    source: str
    account: str
    region: str
    time: datetime | None


def _event(
    *,
    event_id: str,
    payload: str,
    raw: str,
    origin: _Origin,
    topic: str = "",
    subject: str = "",
    structure: dict[str, Any] | list[Any] | None = None,
) -> Event:
    detail = structure if structure is not None else read_structure(payload)
    source, kind, said = _describe(detail, origin)
    return Event(
        id=event_id,
        source=source,
        kind=kind,
        time=said.time,
        account=said.account,
        region=said.region,
        topic=topic,
        subject=subject,
        detail=storable(payload) if detail is None else detail,
        raw=raw,
    )


def _describe(
    detail: dict[str, Any] | list[Any] | None, origin: _Origin
) -> tuple[str, str, _Origin]:
    """Return source, kind, and the best that is known of place and time."""
    if detail is None:
        return origin.source, "text", origin
    if not isinstance(detail, dict):
        return origin.source, "json", origin
    if is_eventbridge(detail):
        return detail["source"], detail["detail-type"], _said(detail, origin)
    if is_alarm(detail):
        return "aws.cloudwatch", "alarm", _said_by_alarm(detail, origin)
    if looks_custom(detail):
        return "custom", "custom", origin
    return origin.source, "json", origin


def is_eventbridge(detail: Mapping[str, Any]) -> bool:
    """Whether an object is an event of EventBridge."""
    return _is_text(detail.get("source")) and _is_text(detail.get("detail-type"))


def is_alarm(detail: Mapping[str, Any]) -> bool:
    """Whether an object is what CloudWatch publishes when an alarm changes its state."""
    return _is_text(detail.get("AlarmName")) and _is_text(detail.get("NewStateValue"))


def _said(detail: Mapping[str, Any], origin: _Origin) -> _Origin:
    account, region = detail.get("account"), detail.get("region")
    return _Origin(
        source=origin.source,
        account=account if isinstance(account, str) else origin.account,
        region=region if isinstance(region, str) else origin.region,
        time=read_time(detail.get("time")) or origin.time,
    )


def _said_by_alarm(detail: Mapping[str, Any], origin: _Origin) -> _Origin:
    account = detail.get("AWSAccountId")
    # The field `Region` holds a name for people, "EU (Ireland)"; only the ARN has the code.
    arn_region, arn_account = _place(detail.get("AlarmArn"))
    return _Origin(
        source=origin.source,
        account=account if _is_text(account) else arn_account or origin.account,
        region=arn_region or origin.region,
        time=read_time(detail.get("StateChangeTime")) or origin.time,
    )


def _place(arn: object) -> tuple[str, str]:
    """Return region and account of an ARN, empty where it has none."""
    match = _ARN.match(arn) if isinstance(arn, str) else None
    return (match["region"], match["account"]) if match else ("", "")


def _eventbridge_id(structure: dict[str, Any] | list[Any] | None) -> str:
    if not isinstance(structure, dict) or not is_eventbridge(structure):
        return ""
    parts = [structure.get(name) for name in ("account", "region", "id")]
    known = [part for part in parts if isinstance(part, str) and _MESSAGE_ID.fullmatch(part)]
    return ":".join(["eb", *known]) if len(known) == len(parts) else ""


def _is_text(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and value != ""


def _type(envelope: Mapping[str, Any]) -> SnsType:
    value = _required(envelope, "Type")
    try:
        return SnsType(value)
    except ValueError:
        known = ", ".join(SnsType)
        raise InvalidRequest(f"Type is {value[:60]!a}; SNS sends {known}.") from None


def _token(envelope: Mapping[str, Any]) -> str:
    token = _required(envelope, "Token")
    if _TOKEN.fullmatch(token) is None:
        raise InvalidRequest("Token is not one of SNS: it should be at most 2048 characters.")
    return token


def _message(envelope: Mapping[str, Any]) -> str:
    # Hand-made test messages often hold the object itself where SNS puts its text.
    value = envelope.get("Message")
    if isinstance(value, (dict, list)):
        return write_text(value)
    if not isinstance(value, str):
        raise InvalidRequest("Message is missing, or is not text.")
    return value


def _required(envelope: Mapping[str, Any], name: str) -> str:
    value = envelope.get(name)
    if value is None or value == "":
        raise InvalidRequest(f"{name} is missing: this is not an SNS message.")
    return _optional(envelope, name)


def _optional(envelope: Mapping[str, Any], name: str) -> str:
    value = envelope.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InvalidRequest(f"{name} is not text.")
    return value
