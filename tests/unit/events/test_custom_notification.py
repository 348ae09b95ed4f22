"""Custom notifications: every rule of the format, and every way to break one."""

import re
from pathlib import Path
from typing import Any

import pytest

import parley.events
from parley.events import custom_notification as rules
from parley.events.formatters import format_event
from parley.events.formatters.custom import FOOTER
from parley.events.model import Notification
from parley.kernel.messages import (
    Bullets,
    Fact,
    Facts,
    Folded,
    Markup,
    Message,
    Tags,
    Text,
    Tone,
)
from parley.kernel.threads import Threaded
from tests.unit.events.arriving import arrived

SCHEMA = Path(parley.events.__file__).with_name("custom_notification.yaml")


def custom(metadata: Any = None, /, **content: Any) -> dict[str, Any]:
    notification: dict[str, Any] = {"version": "1.0", "source": "custom", "content": content}
    return notification if metadata is None else notification | {"metadata": metadata}


def shown(payload: Any) -> Notification:
    formatted = format_event(arrived(payload))
    assert (formatted.formatter, formatted.failure) == ("custom", "")
    assert formatted.notification.recognised
    assert formatted.notification.message.footer == FOOTER
    return formatted.notification


def mistakes(payload: Any) -> list[str]:
    message = shown(payload).message
    found = [
        block
        for block in message.blocks
        if isinstance(block, Bullets) and block.label == "Not a valid custom notification"
    ]
    assert (message.state, message.tone) == (("INVALID", Tone.WARN) if found else ("", Tone.INFO))
    return [item.text for block in found for item in block.items]


def test_the_footer_tells_custom_notifications_from_others() -> None:
    assert FOOTER == "Custom notification delivered by Parley."


def test_without_a_title_the_first_line_of_the_description_is_it() -> None:
    message = shown(custom(description=":warning: *web* failed \ncc: <@U1>\n\nbye")).message

    assert message.title == Text(":warning: *web* failed", Markup.CLIENT)
    assert message.blocks == (Text("cc: <@U1>\n\nbye", Markup.CLIENT),)


@pytest.mark.parametrize("description", ["x" * 251 + "\nrest", "```code\n```"])
def test_a_first_line_that_is_no_title_stays_in_the_text(description: str) -> None:
    message = shown(custom(description=description)).message

    assert message.title == Text("Custom notification")
    assert message.blocks == (Text(description, Markup.CLIENT),)


@pytest.mark.parametrize("text_type", [{}, {"textType": "client-markdown"}, {"textType": None}])
def test_title_description_and_next_steps_are_markdown_and_nothing_else(
    text_type: dict[str, Any],
) -> None:
    payload = custom(
        {"relatedResources": ["*r*"], "additionalContext": {"*k*": "*v*"}, "eventType": "*e*"},
        title="*t*",
        description="*d*",
        nextSteps=["*n*"],
        keywords=["*w*"],
        **text_type,
    )

    assert mistakes(payload) == []
    message = shown(payload).message
    assert message.title == Text("*t*", Markup.CLIENT)
    assert message.blocks == (
        Text("*d*", Markup.CLIENT),
        Bullets((Text("*n*", Markup.CLIENT),), "Next steps"),
        Tags(("*w*",), "Keywords"),
        Tags(("*r*",), "Related resources"),
        Facts((Fact("Event type", "*e*"), Fact("*k*", "*v*"))),
    )


def test_resources_and_variables_are_there_for_custom_actions() -> None:
    metadata = {
        "eventType": "Down",
        "relatedResources": ["i-1", "i-2"],
        "additionalContext": {"priority": "high", "eventType": "not this one"},
    }
    notification = shown(custom(metadata, description="d"))

    assert notification.resources == ("i-1", "i-2")
    assert notification.variables == {"priority": "high", "eventType": "Down"}


def test_the_thread_id_and_the_summary_belong_to_the_thread() -> None:
    thread = shown(custom({"threadId": "t-1", "summary": "s"}, description="d")).thread
    assert thread == Threaded("custom:t-1", "s")
    assert shown(custom({"summary": "s"}, description="d")).thread is None


@pytest.mark.parametrize(
    "name, limit, content",
    [
        ("The title", 250, lambda text: {"title": text, "description": "d"}),
        ("The description", 8000, lambda text: {"title": "t", "description": text}),
        ("Next step 1", 350, lambda text: {"description": "d", "nextSteps": [text]}),
        ("Keyword 1", 75, lambda text: {"description": "d", "keywords": [text]}),
    ],
)
def test_an_over_long_field_is_cut_and_the_whole_is_one_click_away(
    name: str, limit: int, content: Any
) -> None:
    fits, long = "x" * limit, "y" * (limit + 1)
    kept = shown(custom(**content(fits))).message
    assert fits in texts(kept)
    assert not [block for block in kept.blocks if isinstance(block, Folded)]

    payload = custom(**content(long))
    assert mistakes(payload) == []
    message = shown(payload).message
    assert "y" * (limit - 1) + "…" in texts(message)
    remark = f"{name} is shown cut: it has {limit + 1:,} characters, the limit is {limit:,}."
    assert Text(remark, subtle=True) in message.blocks
    assert message.blocks[-1] == Folded("Whole text", (Text(long, Markup.CLIENT),))


def texts(message: Message) -> list[str]:
    found = [message.title.text]
    for block in message.blocks:
        match block:
            case Text(text):
                found.append(text)
            case Bullets(items):
                found += [item.text for item in items]
            case Tags(tags):
                found += tags
            case _:
                pass
    return found


def test_a_cut_never_leaves_half_a_mention_or_link() -> None:
    step = "a" * 340 + "<https://example.com/long|here>"
    message = shown(custom(description="d", nextSteps=[step])).message

    assert "a" * 340 + "…" in texts(message)


def test_unknown_keys_are_tolerated() -> None:
    payload = custom(description="d") | {"sentBy": {"x": 1}, "content2": []}
    assert mistakes(payload) == []


@pytest.mark.parametrize(
    "payload, expected",
    [
        (
            custom(description="d") | {"version": "2.0"},
            ['version must be "1.0"; it is "2.0".'],
        ),
        (
            custom(description="d") | {"version": 1.0},
            ['version must be "1.0"; it is 1.0, a number.'],
        ),
        (
            custom(description="d") | {"version": None},
            ['version is missing; it must be "1.0".'],
        ),
        (
            {"version": "1.0", "content": {"description": "d"}},
            ['source is missing; it must be "custom".'],
        ),
        (
            custom(description="d") | {"source": "Custom"},
            ['source must be "custom"; it is "Custom".'],
        ),
        (
            {"version": "1.0", "source": "custom"},
            ["content is missing; it must be an object with a description."],
        ),
        (
            {"version": "1.0", "source": "custom", "content": "text"},
            ['content must be an object; it is "text".'],
        ),
        (
            custom(title="t"),
            ["content.description is missing; it is the text of the notification."],
        ),
        (
            custom(description=" "),
            ["content.description is empty; it is the text of the notification."],
        ),
        (custom(description=["d"]), ["content.description must be text; it is a list."]),
        (
            custom(description="d", title=7, textType="html"),
            [
                'content.textType must be "client-markdown" or left out; it is "html".',
                "content.title must be text; it is 7, a number.",
            ],
        ),
        (
            custom(description="d", nextSteps="call Ben", keywords=["a", {}, True]),
            [
                'content.nextSteps must be a list of texts; it is "call Ben".',
                "content.keywords[1] must be text; it is an object.",
                "content.keywords[2] must be text; it is true, a truth value.",
            ],
        ),
        (custom([], description="d"), ["metadata must be an object; it is a list."]),
        (
            custom({"threadId": 5, "additionalContext": {"tries": 3}}, description="d"),
            [
                "metadata.threadId must be text; it is 5, a number.",
                "metadata.additionalContext.tries must be text; it is 3, a number.",
            ],
        ),
        (
            custom({"additionalContext": "a"}, description="d"),
            ['metadata.additionalContext must be an object of texts; it is "a".'],
        ),
    ],
)
def test_each_mistake_is_named_with_its_place(payload: Any, expected: list[str]) -> None:
    assert mistakes(payload) == expected


def test_what_can_be_shown_of_a_broken_one_is_shown() -> None:
    message = shown(
        custom({"threadId": 5}, description="still here", nextSteps="call Ben", keywords=[7])
    ).message

    assert {"still here", "call Ben", "7"} <= set(texts(message))
    assert isinstance(message.blocks[-1], Folded)


def test_a_flood_of_mistakes_keeps_the_message_short() -> None:
    named = mistakes(custom(description="d", keywords=[None] * 5000))

    assert len(named) == 51
    assert named[-1] == "4950 more mistakes of the same kinds."


@pytest.mark.parametrize(
    "payload",
    [
        {"detail-type": "Order Placed", "source": "custom", "detail": {"description": "d"}},
        {"version": "1.0", "name": "somebody else's format"},
        {"source": "customer"},
        {"content": {"description": "d"}},
    ],
)
def test_other_json_is_no_custom_notification(payload: dict[str, Any]) -> None:
    assert format_event(arrived(payload)).formatter != "custom"


def test_the_published_schema_has_the_limits_of_the_code() -> None:
    limits = re.findall(r"maxLength: ([0-9]+)", SCHEMA.read_text(encoding="utf-8"))

    assert [int(limit) for limit in limits] == [
        rules.LONGEST_TITLE,
        rules.LONGEST_DESCRIPTION,
        rules.LONGEST_NEXT_STEP,
        rules.LONGEST_KEYWORD,
    ]
