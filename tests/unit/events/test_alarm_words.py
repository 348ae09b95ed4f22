"""An alarm's message: what happened to what, and why, with numbers as people read them."""

from typing import Any

import pytest

from parley.events.formatters import format_event
from parley.events.model import Notification
from parley.kernel.messages import Facts, Folded, Markup, Message, Text, Tone
from parley.kernel.threads import AlarmChange
from tests.unit.events.arriving import arrived

ARN = "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:"


def reason(values: str, relation: str, threshold: str, of: int = 1) -> str:
    return (
        f"Threshold Crossed: {values.count('(')} out of the last {of} datapoints [{values}]"
        f" were {relation} the threshold ({threshold}) (minimum 1 datapoint for OK -> ALARM"
        " transition)."
    )


def alarm(
    trigger: dict[str, Any] | None = None, *, dimension: str = "", **members: Any
) -> dict[str, Any]:
    name, _, value = dimension.partition("=")
    metric = {
        "MetricName": "Errors",
        "Namespace": "AWS/Lambda",
        "StatisticType": "Statistic",
        "Statistic": "SUM",
        "Unit": None,
        "Dimensions": [{"name": name, "value": value}] if name else [],
        "Period": 60,
        "EvaluationPeriods": 1,
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": 5.0,
    }
    return {
        "AlarmName": "an-alarm",
        "AlarmDescription": None,
        "AWSAccountId": "111122223333",
        "NewStateValue": "ALARM",
        "NewStateReason": reason("7.0 (20/05/24 10:01:00)", "greater than", "5.0"),
        "StateChangeTime": "2024-05-20T10:04:12.236+0000",
        "Region": "EU (Ireland)",
        "AlarmArn": f"{ARN}an-alarm",
        "OldStateValue": "OK",
        "Trigger": metric | (trigger or {}),
    } | members


def shown(payload: dict[str, Any]) -> Notification:
    formatted = format_event(arrived(payload))
    assert (formatted.formatter, formatted.failure) == ("cloudwatch_alarm", "")
    return formatted.notification


def title(payload: dict[str, Any]) -> str:
    return shown(payload).message.title.text


def facts(message: Message) -> dict[str, str]:
    (block,) = [one for one in message.blocks if isinstance(one, Facts)]
    return {fact.label: fact.value for fact in block.facts}


def sentences(message: Message) -> list[str]:
    return [block.text for block in message.blocks if isinstance(block, Text)]


@pytest.mark.parametrize(
    "dimension, trigger, expected",
    [
        ("FunctionName=invoice", {}, "invoice errors above 5"),
        (
            "LoadBalancer=app/shop/50dc6c495c0c9188",
            {
                "MetricName": "TargetResponseTime",
                "Namespace": "AWS/ApplicationELB",
                "Statistic": None,
                "ExtendedStatistic": "p99",
                "Threshold": 0.8,
            },
            "shop p99 latency above 800 ms",
        ),
        (
            "InstanceId=i-0f1e2d3c",
            {
                "MetricName": "CPUUtilization",
                "Namespace": "AWS/EC2",
                "Statistic": "AVERAGE",
                "ComparisonOperator": "GreaterThanOrEqualToThreshold",
                "Threshold": 80,
            },
            "i-0f1e2d3c CPU at or above 80%",
        ),
        (
            "DBInstanceIdentifier=orders",
            {
                "MetricName": "FreeStorageSpace",
                "Namespace": "AWS/RDS",
                "Statistic": "MINIMUM",
                "ComparisonOperator": "LessThanThreshold",
                "Threshold": 10737418240,
            },
            "orders minimum free storage below 10 GiB",
        ),
        (
            "QueueName=jobs",
            {"MetricName": "NumberOfMessagesSent", "Namespace": "AWS/SQS", "Threshold": 1e6},
            "jobs number of messages sent above 1,000,000",
        ),
        (
            "StateMachineArn=arn:aws:states:eu-west-1:111122223333:stateMachine:billing",
            {"MetricName": "ExecutionsFailed", "Namespace": "AWS/States", "Threshold": 0},
            "billing failed executions above 0",
        ),
        (
            "",
            {"MetricName": "LoginFailures", "Namespace": "Web"},
            "Login failures above 5",
        ),
    ],
)
def test_the_title_says_what_happened_to_what(
    dimension: str, trigger: dict[str, Any], expected: str
) -> None:
    assert title(alarm(trigger, dimension=dimension)) == expected


@pytest.mark.parametrize(
    "state, why, expected",
    [
        ("OK", "", "invoice errors no longer above 5"),
        ("INSUFFICIENT_DATA", "", "Too little data on invoice errors"),
        (
            "ALARM",
            (
                "Threshold Crossed: no datapoints were received for 1 period and 1 missing"
                " datapoint was treated as [Breaching]."
            ),
            "No data on invoice errors",
        ),
    ],
)
def test_the_title_follows_the_state(state: str, why: str, expected: str) -> None:
    payload = alarm(dimension="FunctionName=invoice", NewStateValue=state, NewStateReason=why)
    assert title(payload) == expected


@pytest.mark.parametrize(
    "state, tone",
    [("ALARM", Tone.BAD), ("OK", Tone.GOOD), ("INSUFFICIENT_DATA", Tone.WARN)],
)
def test_state_and_colour_say_the_same(state: str, tone: Tone) -> None:
    message = shown(alarm(NewStateValue=state)).message
    assert (message.state, message.tone) == (state, tone)


def test_without_a_metric_the_name_of_the_alarm_is_all_there_is() -> None:
    assert title(alarm(Trigger=None)) == "an-alarm is in alarm"


SECONDS = {"MetricName": "TargetResponseTime", "Namespace": "AWS/ApplicationELB", "Threshold": 0.8}


@pytest.mark.parametrize(
    "trigger, why, expected",
    [
        (
            SECONDS,
            reason("1.2396 (20/05/24 10:01:00)", "greater than", "0.8"),
            "Latency was 1,240 ms in the last minute (threshold 800 ms).",
        ),
        (
            SECONDS | {"EvaluationPeriods": 5},
            reason("0.9 (20/05/24 10:03:00), 1.3 (20/05/24 10:01:00)", "greater than", "0.8", 5),
            "Latency was up to 1,300 ms in 2 of the last 5 minutes (threshold 800 ms).",
        ),
        (
            SECONDS | {"Period": 300},
            reason("75.0 (20/05/24 10:01:00)", "greater than", "0.8"),
            "Latency was 75 s in the last 5 minutes (threshold 800 ms).",
        ),
        (
            {"ComparisonOperator": "LessThanThreshold", "Period": 3600},
            reason("3.0 (20/05/24 10:00:00), 2.5 (20/05/24 09:00:00)", "less than", "5.0", 2),
            "Errors were down to 2.5 in each of the last 2 hours (threshold 5).",
        ),
        (
            {},
            (
                "Threshold Crossed: 1 datapoint [1.0 (12/02/19 15:44:00)] was not greater than the"
                " threshold (5.0)."
            ),
            "Errors were 1 in the last minute (threshold 5).",
        ),
        (
            {},
            (
                "Threshold Crossed: 9 datapoints were greater than the threshold (5.0). The most"
                " recent datapoints which crossed the threshold: [8.0 (20/05/24 10:01:00)]."
            ),
            "Errors were most recently 8 in each of the last 9 minutes (threshold 5).",
        ),
        (
            {},
            (
                "Threshold Crossed: no datapoints were received for 3 periods and 3 missing"
                " datapoints were treated as [NonBreaching]."
            ),
            "No data arrived for 3 periods; missing data counts as not breaching.",
        ),
    ],
)
def test_one_sentence_says_why_and_the_raw_reason_is_folded(
    trigger: dict[str, Any], why: str, expected: str
) -> None:
    message = shown(alarm(trigger, NewStateReason=why)).message

    assert sentences(message) == [expected]
    (folded,) = [one for one in message.blocks if isinstance(one, Folded)]
    assert [getattr(one, "text", "") for one in folded.blocks] == [why]


@pytest.mark.parametrize(
    "why",
    ["Unchecked: Initial alarm creation", "Insufficient Data: 5 datapoints were unknown.", "???"],
)
def test_a_reason_that_is_no_comparison_is_shown_letter_for_letter(why: str) -> None:
    message = shown(alarm(NewStateReason=why)).message

    assert sentences(message) == [why]
    assert not [one for one in message.blocks if isinstance(one, Folded)]


def test_an_anomaly_says_what_was_expected() -> None:
    band = {
        "Id": "ad1",
        "Expression": "ANOMALY_DETECTION_BAND(m1, 2)",
        "Label": "expected",
        "ReturnData": True,
    }
    metric = {"Dimensions": [], "MetricName": "Orders", "Namespace": "Shop"}
    measured = {
        "Id": "m1",
        "MetricStat": {"Metric": metric, "Period": 300, "Stat": "Sum"},
        "ReturnData": True,
    }
    payload = alarm(
        Trigger={
            "ComparisonOperator": "LessThanLowerOrGreaterThanUpperThreshold",
            "ThresholdMetricId": "ad1",
            "EvaluationPeriods": 1,
            "Metrics": [band, measured],
        },
        NewStateReason="Thresholds Crossed: 1 out of the last 1 datapoints [905.4 (20/05/24"
        " 10:00:00)] was less than the lower thresholds [310.123] or greater than the upper"
        " thresholds [612.9] (minimum 1 datapoint for OK -> ALARM transition).",
    )

    message = shown(payload).message
    assert message.title.text == "Orders outside its expected band"
    assert sentences(message) == ["Orders were 905 in the last 5 minutes (expected 310 to 613)."]


def test_the_facts_name_alarm_metric_resource_threshold_and_earlier_state() -> None:
    message = shown(alarm({"EvaluationPeriods": 3}, dimension="FunctionName=invoice")).message

    assert facts(message) == {
        "Alarm": "an-alarm",
        "Metric": "Errors Sum",
        "Function name": "invoice",
        "Threshold": "above 5 in 3 of 3 minutes",
        "Was": "OK",
        "Since": "2024-05-20 10:01:00 UTC",
    }
    assert message.context == ("111122223333", "eu-west-1", "CloudWatch")
    assert message.buttons[0].url.endswith("?region=eu-west-1#alarmsV2:alarm/an-alarm")


def test_dimensions_for_which_there_is_no_room_are_one_click_away() -> None:
    dimensions = [{"name": f"D{number}", "value": f"value {number}"} for number in range(4)]
    message = shown(alarm({"Dimensions": dimensions})).message

    assert len(facts(message)) == 6
    (more, _) = [one for one in message.blocks if isinstance(one, Folded)]
    (block,) = more.blocks
    assert isinstance(block, Facts)
    assert [fact.value for fact in block.facts] == ["value 1", "value 2", "value 3"]


def test_a_description_is_shown_but_not_as_the_present_under_an_ok() -> None:
    slow: dict[str, Any] = {"AlarmDescription": "Invoices are slow. *Call* <!here>"}
    message = shown(alarm(**slow)).message
    assert message.blocks[1] == Text("Invoices are slow. *Call* <!here>", Markup.PLAIN)

    ok = shown(alarm(**slow, NewStateValue="OK")).message
    assert len(sentences(ok)) == 1
    folded = [one for one in ok.blocks if isinstance(one, Folded)]
    assert Folded("Description of the alarm", (message.blocks[1],)) in folded


@pytest.mark.parametrize("count, more", [(1, None), (3, None), (4, "1 more"), (9, "6 more")])
def test_a_composite_alarm_names_three_children_and_counts_the_rest(
    count: int, more: str | None
) -> None:
    children = [
        {"Arn": f"{ARN}child-{number}", "State": {"Value": "ALARM", "Timestamp": "x"}}
        for number in range(count)
    ]
    payload = alarm(
        AlarmRule="ALARM(x)",
        TriggeringChildren=children,
        Trigger=None,
        NewStateReason=f"{ARN}child-0 transitioned to ALARM at Monday 20 May, 2024 10:04:12 UTC",
    )

    message = shown(payload).message
    (block,) = [one for one in message.blocks if isinstance(one, Facts)]
    named = [fact.value for fact in block.facts if fact.label == "Triggered by"]
    assert named == [f"child-{number}" for number in range(min(count, 3))]
    assert facts(message).get("And") == more
    assert sentences(message) == ["child-0 went to ALARM at Monday 20 May, 2024 10:04:12 UTC"]


def test_both_forms_of_an_alarm_belong_to_one_thread() -> None:
    event = {
        "detail-type": "CloudWatch Alarm State Change",
        "source": "aws.cloudwatch",
        "account": "111122223333",
        "region": "eu-west-1",
        "time": "2024-05-20T10:04:12Z",
        "detail": {
            "alarmName": "an-alarm",
            "state": {"value": "ALARM", "timestamp": "2024-05-20T10:04:12.236+0000"},
        },
    }
    thread = shown(alarm()).thread
    assert isinstance(thread, AlarmChange)
    assert thread.key == "111122223333/eu-west-1/an-alarm"
    assert shown(event).thread == thread


def test_the_region_is_a_code_and_never_the_name_for_people() -> None:
    without_arn = alarm()
    del without_arn["AlarmArn"]
    for payload in (alarm(), without_arn):
        assert shown(payload).message.context[1] == "eu-west-1"


def test_a_state_that_nobody_knows_is_shown_and_touches_no_episode() -> None:
    notification = shown(alarm(NewStateValue="PAUSED", Trigger=None))

    assert notification.message.state == "PAUSED"
    assert notification.message.title.text == "an-alarm is PAUSED"
    assert notification.thread is None


def test_custom_actions_get_the_names_of_the_alarm() -> None:
    variables = shown(alarm(dimension="FunctionName=invoice")).variables

    assert variables["FunctionName"] == "invoice"
    assert variables["AlarmName"] == "an-alarm"
    assert variables["Region"] == "eu-west-1"
