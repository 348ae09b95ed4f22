"""Cards are valid and small enough for any message, and readers get to see what was meant."""

import json
from datetime import UTC, datetime
from importlib.resources import files

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft6Validator

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
from parley.platforms.adaptive_card import MAX_BYTES, card
from parley.platforms.clipping import clean
from tests.contracts.card_reader import elements, read
from tests.unit.platforms.any_message import HOSTILE, messages, plain_paragraphs

# Microsoft's own schema, as a third party ships it.
SCHEMA = json.loads(files("adaptive_cards").joinpath("schemas/schema-1.5.json").read_text())
VALIDATOR = Draft6Validator(SCHEMA)
ALARM = Message(
    title=Text("checkout-api p99 latency above 800 ms"),
    tone=Tone.BAD,
    state="ALARM",
    context=("prod-payments", "eu-west-1", "CloudWatch"),
    at=datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC),
    note="3rd time in 20 min",
    blocks=(
        Text("p99 was 1,240 ms for 3 of the last 3 minutes (threshold 800 ms)."),
        Facts(
            (
                Fact("Metric", "TargetResponseTime p99"),
                Fact("Load balancer", "app/checkout", "https://console.aws.amazon.com/ec2"),
            )
        ),
        Folded("Raw reason", (Code('{\n  "a": 1\n}'),)),
    ),
    buttons=(LinkButton("Open alarm", "https://console.aws.amazon.com/cloudwatch"),),
    footer="Sent by a test",
)


def _without_width(text: str) -> str:
    return text.replace("\u200b", "")


def client(text: str) -> Message:
    return Message(title=Text("t"), blocks=(Text(text, Markup.CLIENT),))


@given(messages())
@settings(max_examples=60)
def test_any_message_becomes_a_valid_card_that_is_small_enough(message: Message) -> None:
    made = card(message)
    assert [error.message for error in VALIDATOR.iter_errors(made)] == []
    text = orjson.dumps(made).decode()
    assert max(len(text.encode()), len(text.encode("utf-16-le"))) <= MAX_BYTES
    names = [one["id"] for one in elements(made["body"]) if "id" in one]
    assert len(set(names)) == len(names)


@given(messages())
@settings(max_examples=60)
def test_no_card_holds_html_images_or_links_that_hide_where_they_lead(message: Message) -> None:
    seen = read(card(message))
    assert seen.forbidden == []
    for label, url in seen.links:
        assert url.startswith(("https://", "http://", "HTTPS://", "HTTP://"))
        assert "evil.example" not in url or "bank" in url or "bank" not in _without_width(label)


@given(st.lists(plain_paragraphs, max_size=3), st.sampled_from(HOSTILE))
@settings(max_examples=80)
def test_plain_text_is_shown_letter_for_letter(blocks: list[Text], title: str) -> None:
    seen = read(card(Message(title=Text(title), blocks=tuple(blocks))))
    assert seen.links == []
    assert seen.macros == []
    if title.strip():
        assert clean(title)[:400] in seen.text
    for one in blocks:
        if one.text.strip() and len(one.text) < 400:
            assert clean(one.text) in seen.text


def test_an_alarm_reads_from_top_to_bottom() -> None:
    assert read(card(ALARM)).words == [
        "ALARM",
        "checkout-api p99 latency above 800 ms",
        "prod-payments · eu-west-1 · CloudWatch",
        "{{DATE(2026-01-02T03:04:05Z, SHORT)}} {{TIME(2026-01-02T03:04:05Z)}}",
        "3rd time in 20 min",
        "p99 was 1,240 ms for 3 of the last 3 minutes (threshold 800 ms).",
        "Metric",
        "TargetResponseTime p99",
        "Load balancer",
        "app/checkout",
        "[Raw reason]",
        '{\n  "a": 1\n}',
        "[Open alarm]",
        "Sent by a test",
    ]


@pytest.mark.parametrize(
    "tone, style",
    [
        (Tone.BAD, "attention"),
        (Tone.WARN, "warning"),
        (Tone.GOOD, "good"),
        (Tone.INFO, "accent"),
    ],
)
def test_the_word_of_the_state_stands_in_the_colour_of_the_tone(tone: Tone, style: str) -> None:
    made = card(Message(title=Text("t"), tone=tone, state="STATE"))
    assert made["body"][0]["columns"][0]["style"] == style


def test_what_is_folded_opens_by_its_own_button() -> None:
    found = [*elements(card(ALARM)["body"])]
    (folded,) = [one for one in found if one.get("isVisible") is False]
    (toggle,) = [
        action
        for one in found
        if one["type"] == "ActionSet"
        for action in one["actions"]
        if action["type"] == "Action.ToggleVisibility"
    ]
    assert toggle["targetElements"] == [folded["id"]]
    assert toggle["title"] == "Raw reason"


def test_ids_of_two_messages_differ_so_that_both_can_stand_on_one_page() -> None:
    other = card(Message(title=Text("another"), blocks=ALARM.blocks))
    ids = [
        one["id"] for made in (card(ALARM), other) for one in elements(made["body"]) if "id" in one
    ]
    assert len(ids) == len(set(ids)) == 2


def test_short_facts_share_a_row_and_long_ones_do_not() -> None:
    def columns(value: str) -> int:
        made = card(Message(title=Text("t"), blocks=(Facts((Fact("A", value),) * 4),)))
        return len(made["body"][1]["columns"])

    assert [columns("a" * length) for length in (5, 20, 40, 80)] == [4, 3, 2, 1]


def test_a_custom_notification_is_read_with_slacks_marks_and_markdowns_own() -> None:
    message = Message(
        title=Text(":warning: Banana Order processing is down!", Markup.CLIENT),
        blocks=(
            Bullets(
                (
                    Text("Refer to <http://www.example.com|*diagnosis* runbook>", Markup.CLIENT),
                    Text("or [the wiki](https://wiki.example/x)", Markup.CLIENT),
                    Text("ask <@U0123ABCD> or <!here>, see https://a.example/b_c.", Markup.CLIENT),
                ),
                "Next steps",
            ),
            Tags(("BananaOrderIntake", "Critical"), "Keywords"),
            Table(("Service", "Status"), (("api", "ACTIVE"),)),
        ),
    )
    seen = read(card(message))
    assert seen.links == [
        ("diagnosis runbook", "http://www.example.com"),
        ("the wiki", "https://wiki.example/x"),
        ("https://a.example/b_c", "https://a.example/b_c"),
    ]
    assert seen.words == [
        "⚠️ Banana Order processing is down!",
        "Next steps",
        "•",
        "Refer to diagnosis runbook",
        "•",
        "or the wiki",
        "•",
        "ask @U0123ABCD or @here, see https://a.example/b_c.",
        "Keywords",
        "BananaOrderIntake  ·  Critical",
        "Service",
        "Status",
        "api",
        "ACTIVE",
    ]


@pytest.mark.parametrize(
    "written, shown, links",
    [
        ("*bold* and **bold**", "bold and bold", []),
        ("snake_case_name 2*3*4", "snake_case_name 2*3*4", []),
        ("5 < 6 && 7 > 6", "5 < 6 && 7 > 6", []),
        ("&lt;b&gt; &amp; co", "<b> & co", []),
        ("# no heading", "# no heading", []),
        ("1\\. and \\*", "1\\. and \\*", []),
        ("<https://evil.example|bank.example>", "bank.example (https://evil.example)", 1),
        ("[bank.example](https://evil.example)", "bank.example (https://evil.example)", 1),
        ("[`bank.example`](https://evil.example)", "bank.example (https://evil.example)", 1),
        ("<https://evil.example|bank\r.example>", "bank.example (https://evil.example)", 1),
        (
            "<https://a.example/`x)[bank.example](https://evil.example)`|label>",
            "label (https://a.example/x)[bank.example](https://evil.example))",
            [],
        ),
        (
            "[label](https://a.example/`x)![](https://evil.example/pixel.png)`)",
            "label (https://a.example/x)![](https://evil.example/pixel.png))",
            [],
        ),
        ("<https://a.example|one\n# two>", "one # two", 1),
        ("<@U0123ABCD|ana\n\n# bo>", "@ana # bo", []),
        (
            "{{DATE(2026-01-02T03:04:05Z, SHORT)}} {{TIME(2026-01-02T03:04:05Z)}}",
            "{{DATE(2026-01-02T03:04:05Z, SHORT)}} {{TIME(2026-01-02T03:04:05Z)}}",
            [],
        ),
        ("![x](https://evil.example/pixel.png)", "x", 1),
        ("[x]: https://evil.example", "[x]: https://evil.example", 1),
        ("<javascript:alert(1)|click>", "click (javascript:alert(1))", []),
        ("[click](javascript:alert%281%29)", "click (javascript:alert%281%29)", []),
        ('[click](//evil.example "x")', '[click](//evil.example "x")', []),
        ("<script>alert(1)</script>", "<script>alert(1)</script>", []),
        (":unknown_emoji: :fire:", ":unknown_emoji: 🔥", []),
        ("`a*b*c` <b>", "a*b*c <b>", []),
    ],
)
def test_marks_are_read_and_everything_else_is_text(
    written: str, shown: str, links: list[tuple[str, str]] | int
) -> None:
    seen = read(card(client(written)))
    assert seen.words[1:] == [shown]
    assert seen.forbidden == []
    assert seen.macros == []
    assert len(seen.links) == (links if isinstance(links, int) else 0)


def test_lines_stay_lines() -> None:
    assert read(card(client("one\ntwo\n- a\n- b\n1. c\n> said"))).words[1:] == [
        "one",
        "two",
        "a",
        "b",
        "c",
        "said",
    ]


def test_what_is_too_long_is_cut_with_a_remark() -> None:
    assert "(cut, 100,000 characters)" in read(card(client("a" * 100_000))).text
    many = Message(title=Text("t"), blocks=tuple(Text(f"{n} " + "a" * 3_000) for n in range(80)))
    assert "More is in the source of this message" in read(card(many)).text


def test_a_description_of_full_length_is_shown_whole() -> None:
    description = ("word " * 1_600)[:8_000].strip()
    assert description in read(card(client(description))).text
