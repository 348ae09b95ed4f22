"""Whatever envelope an event arrives in, the same event comes out, and odd input is shown."""

import json
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley.events.envelope import SnsType, event_from_sns, event_from_sqs, parse_sns
from parley.events.model import Event
from parley.events.topics import parse_topic
from parley.kernel.errors import InvalidRequest

TOPIC = "arn:aws:sns:eu-west-1:123456789012:alarms"
QUEUE = "arn:aws:sqs:eu-central-1:210987654321:parley"
MESSAGE_ID = "6d0b3f3c-5f6b-5b2f-9f5c-0a1b2c3d4e5f"
SENT = datetime(2026, 5, 4, 12, 0, 0, 250_000, tzinfo=UTC)

EVENT = {
    "version": "0",
    "id": "7f2c9a1e-0d3b-4a55-8f60-1b2c3d4e5f60",
    "detail-type": "EC2 Instance State-change Notification",
    "source": "aws.ec2",
    "account": "111122223333",
    "time": "2026-05-04T11:59:58Z",
    "region": "us-east-2",
    "resources": [],
    "detail": {"state": "stopped"},
}
ALARM = {
    "AlarmName": "checkout-p99",
    "AWSAccountId": "444455556666",
    "NewStateValue": "ALARM",
    "StateChangeTime": "2026-05-04T11:59:30.500+0000",
    "Region": "EU (Frankfurt)",
    "AlarmArn": "arn:aws:cloudwatch:eu-central-1:444455556666:alarm:checkout-p99",
    "OldStateValue": "OK",
}
CUSTOM = {"version": "1.0", "source": "custom", "content": {"description": "Deployed"}}


def envelope(message: object, **fields: object) -> dict[str, Any]:
    """Return an SNS envelope around a message."""
    return {
        "Type": "Notification",
        "MessageId": MESSAGE_ID,
        "TopicArn": TOPIC,
        "Message": message,
        "Timestamp": "2026-05-04T12:00:00.250Z",
        "SignatureVersion": "1",
        "Signature": "c2lnbmF0dXJl",
        "SigningCertURL": "https://sns.eu-west-1.amazonaws.com/a.pem",
        "UnsubscribeURL": "https://sns.eu-west-1.amazonaws.com/?Action=Unsubscribe",
    } | fields


def by_http(message: object, **fields: object) -> Event:
    """Return the event in an envelope that was posted."""
    return event_from_sns(parse_sns(json.dumps(envelope(message, **fields)).encode()))


def by_queue(body: object) -> Event:
    """Return the event in a message of a queue."""
    return event_from_sqs(QUEUE, "m-1", body if isinstance(body, str) else json.dumps(body), SENT)


def test_every_field_of_an_envelope_is_kept_letter_for_letter() -> None:
    body = json.dumps(envelope("hello", Subject="Re: ü")).encode()
    sns = parse_sns(body)
    assert sns.type is SnsType.NOTIFICATION
    assert (sns.message_id, sns.message, sns.subject) == (MESSAGE_ID, "hello", "Re: ü")
    assert (sns.topic.arn, sns.topic.region, sns.topic.account) == (
        TOPIC,
        "eu-west-1",
        "123456789012",
    )
    assert (sns.timestamp, sns.sent_at) == ("2026-05-04T12:00:00.250Z", SENT)
    assert (sns.signature_version, sns.signature) == ("1", "c2lnbmF0dXJl")
    assert sns.signing_cert_url.endswith("/a.pem")
    assert sns.raw == body.decode()


def test_an_eventbridge_event_says_itself_where_and_when_it_happened() -> None:
    event = by_http(json.dumps(EVENT))
    assert event.id == f"sns:{TOPIC}:{MESSAGE_ID}"
    assert (event.source, event.kind) == ("aws.ec2", "EC2 Instance State-change Notification")
    assert (event.account, event.region) == ("111122223333", "us-east-2")
    assert event.time == datetime(2026, 5, 4, 11, 59, 58, tzinfo=UTC)
    assert (event.topic, event.detail) == (TOPIC, EVENT)


def test_an_alarm_is_placed_by_its_arn_not_by_the_name_for_people() -> None:
    event = by_http(json.dumps(ALARM), Subject='ALARM: "checkout-p99" in EU (Frankfurt)')
    assert (event.source, event.kind) == ("aws.cloudwatch", "alarm")
    assert (event.account, event.region) == ("444455556666", "eu-central-1")
    assert event.time == datetime(2026, 5, 4, 11, 59, 30, 500_000, tzinfo=UTC)
    assert event.subject == 'ALARM: "checkout-p99" in EU (Frankfurt)'


@pytest.mark.parametrize("arn", [None, 7, "", "arn:aws", "no arn at all"])
def test_an_alarm_without_a_good_arn_is_placed_by_its_topic(arn: object) -> None:
    event = by_http(json.dumps(ALARM | {"AlarmArn": arn}))
    assert (event.account, event.region) == ("444455556666", "eu-west-1")


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"version": "2.0"},
        {"content": None},
        {"content": "text"},
        {"source": None},
    ],
    ids=str,
)
def test_a_custom_notification_is_known_even_when_it_is_broken(broken: dict[str, object]) -> None:
    event = by_http(json.dumps(CUSTOM | broken))
    assert (event.source, event.kind) == ("custom", "custom")
    assert (event.account, event.region, event.time) == ("123456789012", "eu-west-1", SENT)


@pytest.mark.parametrize(
    "message,kind", [('{"a": 1}', "json"), ("[1, 2]", "json"), ("disk full", "text")]
)
def test_anything_else_is_placed_by_its_topic(message: str, kind: str) -> None:
    event = by_http(message)
    assert (event.source, event.kind) == ("sns", kind)
    assert (event.account, event.region, event.time) == ("123456789012", "eu-west-1", SENT)


def test_the_way_through_a_queue_changes_no_id() -> None:
    for message in (json.dumps(EVENT), json.dumps(ALARM), "text"):
        posted, queued = by_http(message), by_queue(envelope(message))
        assert queued == posted


def test_an_event_that_a_rule_puts_into_a_queue_has_the_id_of_eventbridge() -> None:
    event = by_queue(EVENT)
    assert event.id == f"eb:111122223333:us-east-2:{EVENT['id']}"
    assert (event.source, event.topic, event.detail) == ("aws.ec2", "", EVENT)


@pytest.mark.parametrize("missing", ["id", "account", "region"])
def test_without_a_whole_id_the_queue_names_the_event(missing: str) -> None:
    for value in (None, "", 7, "with space"):
        event = by_queue(EVENT | {missing: value})
        assert event.id == f"sqs:{QUEUE}:m-1"
        assert event.source == "aws.ec2"


def test_raw_delivery_through_a_queue_is_named_and_placed_by_the_queue() -> None:
    for body, kind in ((ALARM, "alarm"), ({"a": 1}, "json"), ("disk full", "text")):
        event = by_queue(body)
        assert (event.id, event.kind) == (f"sqs:{QUEUE}:m-1", kind)
    text = by_queue("disk full")
    assert (text.source, text.account, text.region) == ("sqs", "210987654321", "eu-central-1")
    assert (text.time, text.detail, text.raw) == (SENT, "disk full", "disk full")


@pytest.mark.parametrize(
    "broken", [{"TopicArn": "nothing"}, {"MessageId": ""}, {"Message": None}, {"Timestamp": 7}]
)
def test_what_only_looks_like_an_envelope_is_shown_as_json(broken: dict[str, object]) -> None:
    event = by_queue(envelope("text", **broken))
    assert (event.id, event.kind) == (f"sqs:{QUEUE}:m-1", "json")


DEEP = "[" * 900 + "]" * 900


@pytest.mark.parametrize(
    "message,detail",
    [
        ("\ufeff" + json.dumps(EVENT), EVENT),
        ("  \n" + json.dumps(EVENT) + "\n", EVENT),
        (json.dumps(json.dumps(EVENT)), EVENT),
        ('{"a": NaN, "b": -Infinity, "c": 1e999}', {"a": "NaN", "b": "-Infinity", "c": "inf"}),
        ('{"a": "\\ud83d!"}', {"a": "\ufffd!"}),
        ('{"a": "\\ud83d\\ude00"}', {"a": "😀"}),
        ('{"a\\u0000": ["\\u0000"]}', {"a\ufffd": ["\ufffd"]}),
        ('{"a": "line\nline"}', {"a": "line\nline"}),
        ('{"a": %s}' % ("9" * 30), {"a": 1e30}),
        ("text\u0000text", "text\ufffdtext"),
        ("{not json", "{not json"),
        ("", ""),
        ("42", "42"),
        ('"quoted"', '"quoted"'),
        (DEEP, DEEP),
        ("[" * 100_000, "[" * 100_000),
        ('{"a":' * 99 + "1" + "}" * 99, None),
    ],
    ids=[
        "byte-order mark",
        "white space",
        "encoded twice",
        "not finite",
        "half an emoji",
        "an emoji",
        "nul in json",
        "bare line break",
        "big number",
        "nul in text",
        "broken json",
        "nothing",
        "number",
        "string",
        "deep",
        "very deep",
        "not too deep",
    ],
)
def test_odd_messages_are_read_as_far_as_they_can_be(message: str, detail: object) -> None:
    event = by_http(message)
    assert event.detail == (detail if detail is not None else json.loads(message))
    assert orjson.loads(orjson.dumps(event.detail)) == event.detail
    assert "\x00" not in event.raw


def test_an_object_in_place_of_the_text_is_taken() -> None:
    assert by_http(EVENT).detail == EVENT


def test_an_envelope_may_begin_with_a_byte_order_mark_and_hold_more() -> None:
    body = b"\xef\xbb\xbf" + json.dumps(envelope("text", Extra={"a": 1})).encode()
    assert event_from_sns(parse_sns(body)).detail == "text"


def test_bytes_that_no_database_takes_are_replaced() -> None:
    body = json.dumps(envelope("text")).encode().replace(b"text", b"te\x00\xff\xed\xa0\x80xt")
    event = event_from_sns(parse_sns(body))
    assert event.detail == "te\ufffd\ufffd\ufffd\ufffd\ufffdxt"
    assert storable(event)


@pytest.mark.parametrize("field", ["Type", "MessageId", "TopicArn", "Message", "Timestamp"])
@pytest.mark.parametrize("value", [None, 7, True], ids=str)
def test_a_wrong_field_is_named(field: str, value: object) -> None:
    with pytest.raises(InvalidRequest, match=field):
        by_http("text", **{field: value})


@pytest.mark.parametrize("field", ["Type", "MessageId", "TopicArn", "Timestamp"])
@pytest.mark.parametrize("value", [[], {}, ""], ids=["list", "object", "empty"])
def test_only_a_message_may_be_empty_or_not_text(field: str, value: object) -> None:
    with pytest.raises(InvalidRequest, match=field):
        by_http("text", **{field: value})
    assert by_http(value).detail in ([], {}, "")


@pytest.mark.parametrize(
    "field,value",
    [
        ("Type", "Notice"),
        ("Timestamp", "yesterday"),
        ("Timestamp", "0001-01-01T00:00:00+23:59"),
        ("TopicArn", "arn:aws:sqs:eu-west-1:123456789012:alarms"),
        ("MessageId", "a b"),
        ("MessageId", "a" * 129),
        ("Subject", 7),
        ("Signature", {}),
        ("SigningCertURL", 1),
    ],
)
def test_a_field_with_a_wrong_value_is_named(field: str, value: object) -> None:
    with pytest.raises(InvalidRequest, match=field if field != "TopicArn" else "SNS topic"):
        by_http("text", **{field: value})


@pytest.mark.parametrize("field", ["Token", "SubscribeURL"])
def test_a_confirmation_needs_what_it_confirms_with(field: str) -> None:
    whole = envelope("", Type="SubscriptionConfirmation", Token="t", SubscribeURL="https://x/")
    assert parse_sns(json.dumps(whole).encode()).token == "t"
    with pytest.raises(InvalidRequest, match=field):
        parse_sns(json.dumps(whole | {field: None}).encode())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
FIELDS = st.sampled_from(sorted(envelope("")) + sorted(EVENT) + sorted(ALARM) + sorted(CUSTOM))


def storable(event: Event) -> bool:
    """Whether UTF-8 and a database can take all of an event."""
    said = (event.source, event.kind, event.account, event.region, event.subject, event.raw)
    for text in said:
        text.encode()
    orjson.dumps(event.detail)
    return "\x00" not in "".join((*said[:5], event.id))


@given(st.text(st.characters()))
def test_any_text_makes_an_event(text: str) -> None:
    assert storable(by_http(text, Subject=text))
    assert storable(by_queue(text))


@given(JSON | st.dictionaries(FIELDS, JSON))
def test_any_json_makes_an_event(value: object) -> None:
    assert storable(by_http(json.dumps(value), Subject="s"))
    assert storable(by_queue(value))


@given(st.dictionaries(FIELDS, JSON))
def test_an_envelope_is_read_or_refused(changes: dict[str, object]) -> None:
    try:
        event = by_http("text", **changes)
    except InvalidRequest:
        return
    assert event.id == f"sns:{event.topic}:{event.id.rsplit(':', 1)[1]}"


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequest):
        parse_sns(body)


@pytest.mark.parametrize(
    "arn",
    [
        TOPIC,
        "arn:aws-cn:sns:cn-northwest-1:123456789012:alarms",
        "arn:aws-us-gov:sns:us-gov-east-1:123456789012:alarms.fifo",
        "arn:aws:sns:ap-southeast-2:000000000000:" + "a" * 256,
    ],
)
def test_topics_are_taken_apart(arn: str) -> None:
    topic = parse_topic(arn)
    assert f"arn:{topic.partition}:sns:{topic.region}:{topic.account}:{topic.name}" == arn
    assert topic.endpoint_host == f"sns.{topic.region}.amazonaws.com" + (
        ".cn" if topic.partition == "aws-cn" else ""
    )


@pytest.mark.parametrize(
    "arn",
    [
        "",
        "alarms",
        TOPIC + "\n",
        " " + TOPIC,
        TOPIC + ":11111111-2222-3333-4444-555555555555",
        TOPIC.upper(),
        "arn:aws:sns:eu-west-1:12345678901:alarms",
        "arn:aws:sns:eu-west-1::alarms",
        "arn:aws:sns::123456789012:alarms",
        "arn:aws:sns:evil.example/:123456789012:alarms",
        "arn:aws:sns:eu-west-1:123456789012:",
        "arn:aws:sns:eu-west-1:123456789012:.fifo",
        "arn:aws:sns:eu-west-1:123456789012:a b",
        "arn:aws:sns:eu-west-1:123456789012:a/b",
        "arn:aws:sns:eu-west-1:123456789012:" + "a" * 257,
        "arn:gcp:sns:eu-west-1:123456789012:alarms",
        "arn:aws:sns:eu-west-\u0661:123456789012:alarms",
    ],
    ids=ascii,
)
def test_what_is_no_topic_is_refused(arn: str) -> None:
    with pytest.raises(InvalidRequest, match="SNS topic"):
        parse_topic(arn)
