"""Whatever arrives is shown: laws for every formatter, and the wording of the generic ones."""

import time
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from parley.events.formatters import FORMATTERS, Formatted, Formatter, format_event
from parley.events.formatters import any_json as last_resort
from parley.events.model import Event, Notification
from parley.kernel.message_json import to_json
from parley.kernel.messages import Facts, Folded, Markup, Message, Text, Tone

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=30)
)
any_json = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4)
    ),
    max_leaves=12,
)
known_keys = st.sampled_from(
    [
        "account content detail detail-type id metadata region resources source time version",
        "AlarmName AlarmArn NewStateValue NewStateReason StateChangeTime Trigger Metrics Id",
        "TriggeringChildren AlarmRule Dimensions MetricName Threshold Period ReturnData",
        "alarmName state value reason timestamp configuration metrics reasonData name status",
        "description title nextSteps keywords additionalContext relatedResources findings Severity",
        "userIdentity eventName cause error severity eventDescription",
    ]
).flatmap(lambda line: st.sampled_from(line.split()))
likely_values = scalars | st.sampled_from(
    [
        "custom",
        "1.0",
        "aws.cloudwatch",
        "CloudWatch Alarm State Change",
        "AWS API Call via CloudTrail",
        "ALARM",
        "arn:aws:ec2:eu-west-1:111122223333:instance/i-1",
        "arn:aws:::::",
        "arn:aws:s3:::x",
        (
            "Threshold Crossed: 1 datapoint [1.0 (99/99/99 99:99:99)] was greater than"
            " the threshold (1.0)."
        ),
        "{}",
        "[]",
        "{",
        1e308,
        -1e308,
        10**400,
    ]
)
shaped = st.recursive(
    likely_values,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(known_keys, inner, min_size=1, max_size=8)
    ),
    max_leaves=25,
)


def event(detail: Any, subject: str = "") -> Event:
    return Event("id", "s", "k", None, "111122223333", "eu-west-1", "", subject, detail, "raw")


def well_formed(formatted: Formatted) -> None:
    message = formatted.notification.message
    assert formatted.failure == ""
    assert message.title.text.strip()
    assert len(message.title.text) <= 250
    assert "\n" not in message.title.text
    assert to_json(message)
    for block in message.blocks:
        if isinstance(block, Facts):
            assert 1 <= len(block.facts) <= 6
            assert all(fact.label.strip() and fact.value.strip() for fact in block.facts)
        if isinstance(block, Text):
            assert block.text.strip()


@given(any_json, st.text(max_size=20))
def test_any_json_is_shown(detail: Any, subject: str) -> None:
    well_formed(format_event(event(detail, subject)))


@given(shaped)
def test_json_with_the_keys_of_known_events_and_odd_values_is_shown(detail: Any) -> None:
    well_formed(format_event(event(detail)))


@given(any_json)
def test_the_last_formatter_takes_everything_itself(detail: Any) -> None:
    assert FORMATTERS[-1].matches(event(detail))
    well_formed(Formatted(last_resort.format(event(detail)), "json"))


@given(st.text(), st.text(max_size=300))
def test_any_text_is_shown_whole(text: str, subject: str) -> None:
    formatted = format_event(event(text, subject))

    well_formed(formatted)
    message = formatted.notification.message
    body = [block.text for block in message.blocks if isinstance(block, Text)]
    said = "\n".join([message.title.text, *body])
    assert [word for word in text.split() if word not in said] == []


def test_half_an_emoji_and_bottomless_nesting_are_shown() -> None:
    deep: Any = []
    for _ in range(5000):
        deep = [deep]
    for detail in (
        "\ud83d",
        {"title": "\ud83d", "deep": deep},
        {"detail-type": "x", "detail": deep},
    ):
        assert format_event(event(detail)).failure == ""


names = st.from_regex(r"[A-Za-z][A-Za-z0-9_.-]{2,30}", fullmatch=True)
accounts = st.from_regex(r"[0-9]{12}", fullmatch=True)
regions = st.sampled_from(["eu-west-1", "us-gov-west-1", "cn-north-1", "ap-southeast-2"])


@given(accounts, regions, names, names, st.lists(names, max_size=3))
def test_an_eventbridge_message_keeps_the_facts_of_its_event(
    account: str, region: str, state: str, name: str, resources: list[str]
) -> None:
    arns = [f"arn:aws:ec2:{region}:{account}:instance/{one}" for one in resources]
    payload = {
        "detail-type": "Thing Happened",
        "source": "aws.ec2",
        "account": account,
        "region": region,
        "resources": arns,
        "detail": {"name": name, "state": state},
    }
    notification = format_event(event(payload)).notification
    said = to_json(notification.message)

    for word in (account, region, state, name, *resources):
        assert word in said
    assert notification.message.context == (account, region, "EC2")
    assert notification.resources == tuple(arns)


@given(accounts, regions, names, names, st.sampled_from(["ALARM", "OK", "INSUFFICIENT_DATA"]))
def test_an_alarm_message_keeps_the_facts_of_its_event(
    account: str, region: str, name: str, resource: str, state: str
) -> None:
    payload = {
        "AlarmName": name,
        "AWSAccountId": account,
        "AlarmArn": f"arn:aws:cloudwatch:{region}:{account}:alarm:{name}",
        "NewStateValue": state,
        "NewStateReason": f"because of {resource}",
        "StateChangeTime": "2024-05-20T10:04:12.236+0000",
        "Trigger": {
            "MetricName": "CPUUtilization",
            "Dimensions": [{"name": "InstanceId", "value": resource}],
        },
    }
    message = format_event(event(payload)).notification.message
    said = to_json(message)

    for word in (account, region, name, resource, state, "CPUUtilization"):
        assert word in said
    assert message.state == state


def test_only_custom_notifications_hold_markdown() -> None:
    evil = "<!channel> [free](https://evil.example) *bold*"
    for payload in (
        evil,
        {"title": evil, "message": evil},
        {"detail-type": evil, "source": evil, "detail": {"title": evil, "reason": evil}},
        {"AlarmName": evil, "AlarmDescription": evil, "NewStateValue": evil},
    ):
        said = to_json(format_event(event(payload)).notification.message)
        assert "<!channel>" in said
        assert Markup.CLIENT not in said


def broken(event: Event) -> Notification:
    raise ValueError(f"cannot read {event.id}")


def test_an_event_whose_formatter_raises_goes_to_the_next_and_the_failure_is_told() -> None:
    table = (Formatter("broken", lambda _: True, broken), *FORMATTERS)

    formatted = format_event(event({"detail-type": "x", "source": "y"}), table)

    assert formatted.formatter == "eventbridge"
    assert formatted.failure == "broken: ValueError: cannot read id"


def test_without_any_other_formatter_the_last_resort_shows_it() -> None:
    formatted = format_event(event(["a"]), (Formatter("broken", broken, broken),))  # type: ignore[arg-type]

    assert formatted.formatter == "json"
    assert formatted.notification.message.title.text == "A list of 1 item"


def eventbridge(kind: str, source: str = "aws.ec2", **detail: Any) -> Message:
    payload = {"detail-type": kind, "source": source, "account": "1", "detail": detail}
    return format_event(event(payload)).notification.message


@pytest.mark.parametrize(
    "kind, detail, title, tone",
    [
        (
            "EC2 Instance State-change Notification",
            {"instance-id": "i-1", "state": "running"},
            "EC2 Instance i-1 is running",
            Tone.GOOD,
        ),
        (
            "EC2 Instance State-change Notification",
            {"instance-id": "i-1", "state": "stopped"},
            "EC2 Instance i-1 stopped",
            Tone.WARN,
        ),
        (
            "Step Functions Execution Status Change",
            {"name": "run-1", "status": "TIMED_OUT"},
            "Step Functions Execution run-1 timed out",
            Tone.BAD,
        ),
        (
            "ECR Image Action",
            {"repository-name": "web", "result": "SUCCESS"},
            "ECR Image Action web succeeded",
            Tone.GOOD,
        ),
        (
            "CodeBuild Build State Change",
            {"project-name": "web", "build-status": "IN_PROGRESS"},
            "CodeBuild Build web is in progress",
            Tone.INFO,
        ),
        (
            "ECS Deployment State Change",
            {"deploymentId": "d-1", "eventName": "SERVICE_DEPLOYMENT_FAILED"},
            "ECS Deployment d-1: service deployment failed",
            Tone.BAD,
        ),
        (
            "AWS Health Event",
            {"service": "RDS", "eventTypeCode": "AWS_RDS_OPERATIONAL_ISSUE"},
            "RDS operational issue",
            Tone.WARN,
        ),
        (
            "AWS API Call via CloudTrail",
            {
                "eventName": "DeleteBucket",
                "eventSource": "s3.amazonaws.com",
                "userIdentity": {"userName": "alice"},
            },
            "DeleteBucket in S3 by alice",
            Tone.WARN,
        ),
        ("GuardDuty Finding", {"title": "Port scan", "severity": 5}, "Port scan", Tone.WARN),
        ("GuardDuty Finding", {"title": "Port scan", "severity": 2.0}, "Port scan", Tone.INFO),
        (
            "Security Hub Findings - Imported",
            {"findings": [{"Title": "Open port", "Severity": {"Label": "HIGH"}}, {}]},
            "Open port, and 1 more",
            Tone.BAD,
        ),
        ("Order Placed", {"orderId": "o-1"}, "Order Placed: o-1", Tone.INFO),
        ("Scheduled Event", {}, "Scheduled Event", Tone.INFO),
    ],
)
def test_an_eventbridge_title_says_what_happened_to_what(
    kind: str, detail: dict[str, Any], title: str, tone: Tone
) -> None:
    message = eventbridge(kind, **detail)
    assert (message.title.text, message.tone) == (title, tone)


def test_a_failure_says_error_and_cause_and_speaks_the_message_inside_json() -> None:
    cause = '{"errorMessage":"no rate for XTS","errorType":"LookupError"}'
    message = eventbridge("x", error="States.TaskFailed", cause=cause)

    assert message.blocks[0] == Text("States.TaskFailed: no rate for XTS")
    assert isinstance(message.blocks[-1], Folded)


@pytest.mark.parametrize(
    "source, name",
    [
        ("aws.states", "Step Functions"),
        ("aws.brand-new-service", "Brand New Service"),
        ("shop.orders", "shop.orders"),
    ],
)
def test_services_have_the_names_that_people_use(source: str, name: str) -> None:
    assert eventbridge("x", source).context[-1] == name


def test_the_subject_is_the_title_of_text_and_of_unknown_json() -> None:
    for detail in ("line one\nline two", {"message": "line one\nline two"}):
        notification = format_event(event(detail, "Disk full")).notification
        assert notification.message.title.text == "Disk full"
        assert notification.message.blocks[0] == Text("line one\nline two")
        assert not notification.recognised


LONG = "v" * 250_000
MANY = {f"k{number}": number for number in range(20_000)}
LARGE = {
    "one event": {"detail-type": "x", "source": "y", "detail": {"a": LONG, "reason": LONG}},
    "many fields": {"detail-type": "x", "source": "y", "detail": MANY},
    "many resources": {"detail-type": "x", "source": "y", "resources": ["arn:aws:s3:::b"] * 15_000},
    "long keys": {"detail-type": LONG, "source": LONG, "detail": {LONG: LONG}},
    "unknown json": {"message": LONG, "rest": MANY},
    "unknown list": list(range(40_000)),
    "alarm": {
        "AlarmName": LONG,
        "AWSAccountId": LONG,
        "OldStateValue": LONG,
        "NewStateValue": LONG,
        "NewStateReason": "Threshold Crossed: 1 datapoint [" + "1.0 (" * 40_000,
        "AlarmDescription": LONG,
        "Trigger": {
            "MetricName": "m",
            "Dimensions": [{"name": f"d{one}", "value": "v"} for one in range(5_000)],
        },
    },
    "text": LONG,
}


@pytest.mark.parametrize("detail", LARGE.values(), ids=LARGE.keys())
def test_a_large_event_makes_no_large_message_and_costs_milliseconds(detail: Any) -> None:
    started = time.process_time()
    formatted = format_event(event(detail))
    spent = time.process_time() - started

    well_formed(formatted)
    assert len(to_json(formatted.notification.message)) < 100_000
    assert spent < 0.1


def test_what_a_fold_leaves_out_is_said() -> None:
    message = format_event(event({"detail-type": "x", "source": "y", "detail": MANY})).notification
    folded = message.message.blocks[-1]

    assert isinstance(folded, Folded)
    assert isinstance(folded.blocks[-1], Text)
    assert folded.blocks[-1].text.startswith("The first 20,000 of ")


def test_a_long_text_is_cut_and_folded() -> None:
    message = format_event(event("word " * 50_000)).notification.message

    assert len(message.title.text) == 250
    assert len(to_json(message)) < 30_000
