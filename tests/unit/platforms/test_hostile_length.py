"""No text takes long to render, however it is made."""

import time

import pytest

from parley.kernel.messages import Bullets, Fact, Facts, LinkButton, Markup, Message, Text
from parley.platforms.adaptive_card import card
from parley.platforms.slack.render import render

PATTERNS = (
    "a", "a.", "**a ", "*a ", "_a ", "~a ", "`", "```", "[", "[a](", "![", "<", "<a", "<@U1", ":a",
    "&", "&amp;", "\n", "\n>", "http://", "http://a ", "://", ">", "\\", "{{DATE(", "a@", "|", "😀",
)  # fmt: skip


@pytest.mark.parametrize("pattern", PATTERNS)
def test_long_repetitions_are_rendered_quickly(pattern: str) -> None:
    text = pattern * (100_000 // len(pattern))
    message = Message(
        title=Text(text, Markup.CLIENT),
        blocks=(
            Text(text, Markup.CLIENT),
            Bullets((Text(text, Markup.CLIENT),)),
            Facts((Fact(text, text, "https://example.com"),)),
        ),
        buttons=(LinkButton(text, "https://example.com"),),
    )
    before = time.perf_counter()
    render(message, "https://parley.example.com")
    card(message)
    assert time.perf_counter() - before < 1.0
