"""Slack gets every message in a form that it accepts, and readers get to see what was meant."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parley.kernel.messages import (
    Bullets,
    Code,
    Fact,
    Facts,
    Folded,
    LinkButton,
    Markup,
    Message,
    Table,
    Tags,
    Text,
    Tone,
)
from parley.platforms.clipping import clean
from parley.platforms.slack.render import render
from tests.contracts.slack_reader import all_blocks, read
from tests.contracts.slack_validator import problems
from tests.unit.platforms.any_message import HOSTILE, messages, plain_paragraphs

PAGES = "https://parley.example.com"
ALARM = Message(
    title=Text("checkout-api p99 latency above 800 ms"),
    tone=Tone.BAD,
    state="ALARM",
    context=("prod-payments", "eu-west-1", "CloudWatch"),
    at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    note="3rd time in 20 min",
    blocks=(
        Text("p99 was 1,240 ms for 3 of the last 3 minutes (threshold 800 ms)."),
        Facts(
            (
                Fact("Metric", "TargetResponseTime p99"),
                Fact("Load balancer", "app/checkout", "https://console.aws.amazon.com/ec2?x=1&y=2"),
            )
        ),
        Folded("Raw reason", (Code("Threshold Crossed: " + "3 datapoints " * 50),)),
    ),
    buttons=(LinkButton("Open alarm", "https://console.aws.amazon.com/cloudwatch"),),
    footer="Sent by a test",
    event_id="sns:arn:aws:sns:eu-west-1:111122223333:alarms:1",
)


def plain(text: str) -> Message:
    return Message(title=Text("t"), blocks=(Text(text),))


def _without_width(text: str) -> str:
    return text.replace("\u200b", "")


def client(text: str, *, group_mentions: bool = False) -> Message:
    return Message(
        title=Text("t"), blocks=(Text(text, Markup.CLIENT),), group_mentions=group_mentions
    )


@given(messages(), st.sampled_from(["", PAGES]))
@settings(max_examples=80)
def test_slack_accepts_any_message(message: Message, pages: str) -> None:
    assert problems(render(message, pages)) == []


@given(messages())
@settings(max_examples=80)
def test_no_message_notifies_a_group_without_leave_or_hides_where_a_link_leads(
    message: Message,
) -> None:
    seen = read(render(message, PAGES))
    groups = [one for one in seen.notified if not one.startswith("@U")]
    assert groups == [] or message.group_mentions
    for label, url in seen.links:
        assert url.startswith(("https://", "http://", "mailto:"))
        assert "evil.example" not in url or "bank" in url or "bank" not in _without_width(label)


@given(st.lists(plain_paragraphs, max_size=3), st.sampled_from(HOSTILE))
@settings(max_examples=80)
def test_plain_text_is_shown_letter_for_letter_and_does_nothing(
    blocks: list[Text], title: str
) -> None:
    message = Message(title=Text(title), blocks=tuple(blocks))
    seen = read(render(message))
    assert seen.notified == []
    assert seen.links == []
    if title.strip():
        assert clean(title) in seen.text
    for one in blocks:
        if one.text.strip() and len(one.text) < 500:
            assert clean(one.text) in seen.text


def test_an_alarm_reads_from_top_to_bottom() -> None:
    content = render(ALARM, PAGES)
    assert read(content).text == (
        ":red_circle: ALARM  checkout-api p99 latency above 800 ms\n"
        "prod-payments · eu-west-1 · CloudWatch   2026-01-02 03:04:05 UTC   3rd time in 20 min\n"
        "p99 was 1,240 ms for 3 of the last 3 minutes (threshold 800 ms).\n"
        "Metric: TargetResponseTime p99\nLoad balancer: app/checkout\n"
        "[Open alarm][Open in Parley]\n"
        "Sent by a test"
    )
    assert content["attachments"][0]["color"] == "#c9352b"


def test_the_notification_says_what_happened_where_and_why() -> None:
    assert render(ALARM)["text"] == (
        "ALARM: checkout-api p99 latency above 800 ms\n"
        "prod-payments · eu-west-1 · CloudWatch\n"
        "p99 was 1,240 ms for 3 of the last 3 minutes (threshold 800 ms)."
    )


def test_the_time_is_shown_in_the_readers_zone() -> None:
    (where_and_when,) = [
        one for one in all_blocks(render(ALARM)) if "CloudWatch" in str(one.get("elements"))
    ]
    assert where_and_when["elements"][1]["text"] == (
        "<!date^1767323045^{date_short_pretty} {time_secs}|2026-01-02 03:04:05 UTC>"
    )


def test_what_is_folded_waits_on_the_page_of_the_event() -> None:
    seen = read(render(ALARM, PAGES))
    assert "Threshold Crossed" not in seen.text
    assert (
        "Open in Parley",
        f"{PAGES}/events/sns%3Aarn%3Aaws%3Asns%3Aeu-west-1%3A111122223333%3Aalarms%3A1",
    ) in seen.links


def test_without_a_page_what_is_folded_is_shown_cut() -> None:
    seen = read(render(ALARM))
    assert "Raw reason\nThreshold Crossed: 3 datapoints" in seen.text
    assert "(cut, 669 characters)" in seen.text


def test_a_link_of_a_fact_is_its_value_unless_that_looks_like_another_place() -> None:
    message = Message(
        title=Text("t"),
        blocks=(
            Facts(
                (
                    Fact("Bucket", "reports", "https://console.aws.amazon.com/s3"),
                    Fact("Site", "www.bank.example", "https://console.aws.amazon.com/r53"),
                )
            ),
        ),
    )
    assert read(render(message)).links == [
        ("reports", "https://console.aws.amazon.com/s3"),
        ("↗ console.aws.amazon.com", "https://console.aws.amazon.com/r53"),
    ]


def test_a_custom_notification_mentions_people_and_links_with_words() -> None:
    message = Message(
        title=Text(":warning: Banana Order processing is down!", Markup.CLIENT),
        blocks=(
            Text("Ask <@U0123ABCD> about *Orders*, see https://wiki.example/x", Markup.CLIENT),
            Bullets(
                (Text("Refer to <http://www.example.com|*diagnosis* runbook>", Markup.CLIENT),),
                "Next steps",
            ),
            Tags(("BananaOrderIntake", "Critical"), "Keywords"),
        ),
    )
    seen = read(render(message))
    assert seen.notified == ["@U0123ABCD", "@U0123ABCD"]  # in the blocks and in the fallback
    assert ("*diagnosis* runbook", "http://www.example.com") in seen.links
    assert ("https://wiki.example/x", "https://wiki.example/x") in seen.links
    assert "*:warning: Banana Order processing is down!*" in seen.text
    assert "Keywords: BananaOrderIntake Critical" in seen.text


@pytest.mark.parametrize(
    "written, shown",
    [
        ("<!channel>", "@channel"),
        ("<!here|anything>", "@here"),
        ("<!everyone>", "@everyone"),
        ("<!subteam^S0123ABCD|@oncall>", "@oncall"),
        ("<!subteam^S0123ABCD>", "@S0123ABCD"),
    ],
)
def test_groups_are_mentioned_only_where_the_configuration_allows_it(
    written: str, shown: str
) -> None:
    defused = read(render(client(f"wake up {written}")))
    assert defused.notified == []
    assert f"wake up {shown}" in defused.text
    assert read(render(client(f"wake up {written}", group_mentions=True))).notified != []


def test_plain_words_that_look_like_mentions_notify_nobody() -> None:
    assert read(render(client("@here @channel @ana"))).notified == []


def test_plain_text_mentions_nobody_even_where_groups_may_be_mentioned() -> None:
    message = replace(plain("<!channel> <@U0123ABCD>"), group_mentions=True)
    assert read(render(message)).notified == []


@pytest.mark.parametrize(
    "written, links, text",
    [
        (
            "<https://evil.example|https://bank.example>",
            [("https://evil.example", "https://evil.example")],
            "https://bank.example (https://evil.example)",
        ),
        ("<javascript:alert(1)|click>", [], "click (javascript:alert(1))"),
        ("<https://bank.example@evil.example|x>", [], "x (https://bank.example@evil.example)"),
        (
            "<https://example.com/?a=1&b=2|report>",
            [("report", "https://example.com/?a=1&b=2")],
            "report",
        ),
        (
            "<mailto:ops@example.com|ops@example.com>",
            [("ops@example.com", "mailto:ops@example.com")],
            "ops@example.com",
        ),
        (
            "<!date^0^x^https://evil.example|now>",
            [("https://evil.example", "https://evil.example")],
            "<!date^0^x^https://evil.example|now>",
        ),
        ("5 < 6 && 7 > 6 &lt;!here&gt;", [], "5 < 6 && 7 > 6 <!here>"),
    ],
)
def test_labelled_links_show_where_they_lead(
    written: str, links: list[tuple[str, str]], text: str
) -> None:
    seen = read(render(client(written)))
    assert seen.links == links or seen.links == links * 2  # once more in the fallback
    assert text in seen.text


def test_a_description_of_full_length_is_shown_whole() -> None:
    description = "".join(f"line {number:04d} of the story\n" for number in range(348))[:8_000]
    assert len(description) == 8_000
    words = read(render(client(description), PAGES)).text.replace("\n", "")
    assert description.replace("\n", "") in words


def test_what_is_too_long_for_slack_is_cut_with_a_remark() -> None:
    seen = read(render(plain("a" * 100_000), PAGES))
    assert "(cut, 100,000 characters)" in seen.text


def test_the_longest_is_cut_so_that_the_others_have_room() -> None:
    blocks = (Text("a" * 8_000), Text("b" * 8_000), Facts((Fact("Owner", "team-payments"),)))
    seen = read(render(Message(title=Text("t"), blocks=blocks), PAGES))
    assert "Owner: team-payments" in seen.text
    assert "a" * 2_500 in seen.text
    assert "b" * 2_500 in seen.text


def test_small_texts_are_shown_letter_for_letter_too() -> None:
    hostile = ":warning: <@U0123ABCD> *b* `c` &amp;"
    message = Message(
        title=Text("t"),
        context=(hostile,),
        note=hostile,
        summary=hostile,
        footer=hostile,
        blocks=(Text(hostile, subtle=True),),
        buttons=(LinkButton(hostile, "https://example.com"),),
    )
    seen = read(render(message))
    assert seen.text.count(hostile) == 6
    assert seen.notified == []


def test_more_paragraphs_than_slack_takes_end_with_a_remark() -> None:
    content = render(Message(title=Text("t"), blocks=(Text("word"),) * 60), PAGES)
    assert len(all_blocks(content)) == 50
    assert "More is in this message" in read(content).text


def test_buttons_with_endless_addresses_leave_room_for_the_message() -> None:
    buttons = tuple(LinkButton("Open", f"https://{n}.example/" + "a" * 2_900) for n in range(5))
    message = replace(ALARM, buttons=(*buttons, LinkButton("Short", "https://short.example")))
    content = render(message, PAGES)
    assert problems(content) == []
    assert "p99 was 1,240 ms" in read(content).text
    assert "Open in Parley" in [label for label, _ in read(content).links]


def test_what_has_no_room_left_is_named() -> None:
    many = tuple(Text(f"paragraph {number} " + "a" * 900) for number in range(80))
    seen = read(render(Message(title=Text("t"), blocks=many), PAGES))
    assert "paragraph 5 " in seen.text
    assert "More is in this message" in seen.text


def test_a_table_stands_in_columns() -> None:
    message = Message(title=Text("t"), blocks=(Table(("Service", "Status"), (("api", "ACTIVE"),)),))
    assert "Service  Status\n---------------\napi      ACTIVE" in read(render(message)).text


def test_a_line_of_a_thread_is_only_a_line() -> None:
    content = render(Message(title=Text("612 ms"), tone=Tone.GOOD, state="OK"))
    assert read(content).text == ":large_green_circle: OK  612 ms"
    assert content["attachments"] == []
