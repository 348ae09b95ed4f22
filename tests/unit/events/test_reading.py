"""Numbers, times, names and links, as people read them and as nobody can misuse them."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import hypothesis.strategies as st
import pytest
from hypothesis import given

from parley.events.console import (
    alarm_page,
    dimension_page,
    parse_arn,
    resource_page,
    short_name,
)
from parley.events.fields import label_of
from parley.events.numbers import rounded, with_unit
from parley.events.reading import indented_json
from parley.events.times import read_time, span_words, time_words
from parley.events.tones import tone_of
from parley.kernel.messages import Tone


@pytest.mark.parametrize(
    "value, expected",
    [
        (0.0, "0"),
        (5.0, "5"),
        (1239.6, "1,240"),
        (999_999.0, "999,999"),
        (1_234_567.0, "1,230,000"),
        (0.032178, "0.0322"),
        (91.66666, "91.7"),
        (-2.5, "-2.5"),
        (0.1 + 0.2, "0.3"),
        (9.999, "10"),
        (1e20, "1e+20"),
        (float("inf"), "inf"),
    ],
)
def test_numbers_have_three_figures(value: float, expected: str) -> None:
    assert rounded(value) == expected


@given(st.floats(min_value=-1e300, max_value=1e300))
def test_a_rounded_number_is_near_the_number(value: float) -> None:
    shown = float(rounded(value).replace(",", ""))
    assert shown == pytest.approx(value, rel=0.006)


@pytest.mark.parametrize(
    "value, unit, like, expected",
    [
        (0.8, "Seconds", None, "800 ms"),
        (1.2396, "Seconds", 0.8, "1,240 ms"),
        (75.0, "Seconds", 0.8, "75 s"),
        (90.0, "Seconds", None, "90 s"),
        (900.0, "Seconds", None, "15 min"),
        (250.0, "Milliseconds", None, "250 ms"),
        (0.0, "Seconds", 0.8, "0 ms"),
        (0.0, "Seconds", None, "0 s"),
        (0.000004, "Seconds", None, "4 µs"),
        (80.0, "Percent", None, "80%"),
        (10737418240.0, "Bytes", None, "10 GiB"),
        (512.0, "Megabytes", None, "512 MiB"),
        (3.0, "Count/Second", None, "3 per second"),
        (7.0, "Count", None, "7"),
        (7.0, "", None, "7"),
    ],
)
def test_values_have_the_unit_that_people_would_say(
    value: float, unit: str, like: float | None, expected: str
) -> None:
    assert with_unit(value, unit, like) == expected


NOON = datetime(2024, 5, 20, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [
        "2024-05-20T12:00:00Z",
        "2024-05-20T12:00:00.000Z",
        "2024-05-20T12:00:00.000+0000",
        "2024-05-20T14:00:00+02:00",
        "2024-05-20 12:00:00",
        "Mon, 20 May 2024 12:00:00 GMT",
        NOON.timestamp(),
        int(NOON.timestamp() * 1000),
    ],
)
def test_every_way_in_which_aws_writes_a_time(value: object) -> None:
    assert read_time(value) == NOON


@pytest.mark.parametrize(
    "value",
    ["", "soon", "2024-05-20", "20240520", "9999-99-99T99:99:99Z", 17, -1, 1e300, True, None, []],
)
def test_what_is_no_time_is_none(value: object) -> None:
    assert read_time(value) is None


@given(st.text() | st.floats() | st.integers())
def test_reading_a_time_never_raises(value: object) -> None:
    time = read_time(value)
    assert time is None or time.tzinfo is UTC


@pytest.mark.parametrize(
    "span, expected",
    [
        (timedelta(0), "1 s"),
        (timedelta(seconds=-5), "1 s"),
        (timedelta(seconds=119), "119 s"),
        (timedelta(minutes=20), "20 min"),
        (timedelta(minutes=90), "90 min"),
        (timedelta(hours=6), "6 h"),
        (timedelta(days=3), "3 d"),
    ],
)
def test_spans_are_said_in_one_unit(span: timedelta, expected: str) -> None:
    assert span_words(span) == expected


def test_shown_times_have_their_zone() -> None:
    assert time_words(NOON) == "2024-05-20 12:00:00 UTC"


@pytest.mark.parametrize(
    "arn, name",
    [
        ("arn:aws:ec2:eu-west-1:111122223333:instance/i-1", "i-1"),
        ("arn:aws:lambda:eu-west-1:111122223333:function:web:live", "web:live"),
        ("arn:aws:sns:eu-west-1:111122223333:alarms", "alarms"),
        ("arn:aws:s3:::invoices/2024/05.pdf", "invoices/2024/05.pdf"),
        ("arn:aws:cloudwatch:eu-west-1:111122223333:alarm:team/a:b", "team/a:b"),
        (
            "arn:aws:autoscaling:eu-west-1:1:autoScalingGroup:u-u-i-d:autoScalingGroupName/web",
            "web",
        ),
        ("i-1", "i-1"),
        ("arn:aws:ec2", "arn:aws:ec2"),
    ],
)
def test_resources_are_called_by_their_name(arn: str, name: str) -> None:
    assert short_name(arn) == name


@pytest.mark.parametrize(
    "arn, link",
    [
        (
            "arn:aws:ec2:eu-west-1:111122223333:instance/i-1",
            (
                "https://eu-west-1.console.aws.amazon.com/ec2/home?region=eu-west-1"
                "#InstanceDetails:instanceId=i-1"
            ),
        ),
        (
            "arn:aws-cn:lambda:cn-north-1:111122223333:function:web:live",
            "https://cn-north-1.console.amazonaws.cn/lambda/home?region=cn-north-1#/functions/web",
        ),
        (
            "arn:aws-us-gov:ecs:us-gov-west-1:111122223333:service/prod/api",
            (
                "https://us-gov-west-1.console.amazonaws-us-gov.com/ecs/v2/clusters/prod/services/api"
                "?region=us-gov-west-1"
            ),
        ),
        (
            "arn:aws:iam::111122223333:role/Admin",
            (
                "https://us-east-1.console.aws.amazon.com/go/view"
                "?arn=arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2FAdmin"
            ),
        ),
        ("arn:aws:ec2:evil.example/#:1:instance/i-1", ""),
        ("i-1", ""),
        ("arn:aws:ec2:eu-west-1:1:volume/" + "v" * 3000, ""),
    ],
)
def test_resources_link_to_the_console_of_their_partition(arn: str, link: str) -> None:
    assert resource_page(arn) == link


CONSOLES = (".console.aws.amazon.com", ".console.amazonaws.cn", ".console.amazonaws-us-gov.com")
arns = st.builds(
    "arn:aws{}:{}:{}:{}:{}".format,
    st.sampled_from(["", "-cn", "-us-gov", "evil"]),
    st.sampled_from(["ec2", "s3", "lambda", "states", "sns"]) | st.text(max_size=8),
    st.sampled_from(["", "eu-west-1", "cn-north-1"]) | st.text(max_size=12),
    st.text(max_size=12),
    st.sampled_from(["instance/", "function:", ""]).flatmap(
        lambda kind: st.text(max_size=20).map(lambda name: kind + name)
    ),
)


@given(arns | st.text(), st.text(), st.text())
def test_no_name_makes_a_link_lead_elsewhere_than_to_the_console(
    arn: str, name: str, region: str
) -> None:
    for link in (
        resource_page(arn),
        alarm_page(region, name),
        alarm_page("eu-west-1", name),
        dimension_page("FunctionName", name, "eu-west-1"),
        dimension_page("StateMachineArn", arn, region),
    ):
        if link:
            parts = urlsplit(link)
            assert parts.scheme == "https"
            assert parts.netloc.endswith(CONSOLES)
            assert link.isascii()
            assert not set(link) & set("<>|\"'() \n")


@given(arns | st.text())
def test_taking_an_arn_apart_never_raises(text: str) -> None:
    arn = parse_arn(text)
    assert arn is None or arn.whole == text


@pytest.mark.parametrize(
    "key, label",
    [
        ("instance-id", "Instance ID"),
        ("stateMachineArn", "State machine"),
        ("DaysToExpiry", "Days to expiry"),
        ("Load Balancer Name", "Load Balancer Name"),
        ("HTTPCode", "HTTP code"),
        ("x", "X"),
        ("--", "--"),
        (" ", "Value"),
    ],
)
def test_keys_become_labels(key: str, label: str) -> None:
    assert label_of(key) == label


@pytest.mark.parametrize(
    "word, tone",
    [
        ("FAILED", Tone.BAD),
        ("TIMED_OUT", Tone.BAD),
        ("NON_COMPLIANT", Tone.BAD),
        ("UPDATE_ROLLBACK_COMPLETE", Tone.BAD),
        ("unhealthy", Tone.BAD),
        ("stopping", Tone.WARN),
        ("Cancelled", Tone.WARN),
        ("SUCCEEDED", Tone.GOOD),
        ("COMPLIANT", Tone.GOOD),
        ("download", None),
        ("token", None),
        ("PENDING", None),
        ("", None),
    ],
)
def test_words_have_the_colour_that_they_deserve(word: str, tone: Tone | None) -> None:
    assert tone_of(word) is tone


def test_json_has_one_member_a_line() -> None:
    assert indented_json({"a": [1, {"b": "c"}]}).splitlines() == [
        "{",
        '  "a": [',
        "    1,",
        "    {",
        '      "b": "c"',
        "    }",
        "  ]",
        "}",
    ]


def test_json_does_not_grow_beyond_all_measure_by_its_indents() -> None:
    wide_and_deep: object = [1] * 50_000
    for _ in range(90):
        wide_and_deep = [wide_and_deep]
    assert len(indented_json(wide_and_deep)) < 10 * 2 * 50_000
    ordinary = [{"name": "api", "ports": [80, 443]}] * 5_000
    assert indented_json(ordinary).count("\n") > 5 * 5_000
