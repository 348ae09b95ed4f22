"""A line is for the bot only when it begins with its name; help names every command."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley.commands.builtins import BUILTINS, answer
from parley.commands.mention import asked
from parley.kernel.messages import Message, Table, Tone

NAMES = st.sampled_from(["@aws", "@AWS", "@Parley", "@parley", "@Amazon Q", "@amazon  q"])


def commands_in(message: Message) -> list[str]:
    """Return what the table of a help message says one may type."""
    [table] = [block for block in message.blocks if isinstance(block, Table)]
    return [row[0] for row in table.rows]


@pytest.mark.parametrize(
    "line, question",
    [
        ("@aws help", "help"),
        ("  @aws: help ", "help"),
        ("@parley, help", "help"),
        ("@Amazon Q help me", "help me"),
        ("@aws", ""),
        ("@aws\nhelp", "help"),
    ],
)
def test_the_bot_hears_what_begins_with_its_name(line: str, question: str) -> None:
    assert asked(line) == question


@pytest.mark.parametrize(
    "line", ["", "help", "ask @aws help", "@awsome help", "aws help", "@amazonq help", "@ aws help"]
)
def test_the_bot_hears_nothing_else(line: str) -> None:
    assert asked(line) is None


@given(NAMES, st.text(max_size=200))
def test_what_is_asked_is_trimmed_and_comes_from_the_line(name: str, text: str) -> None:
    question = asked(f"{name} {text}")
    assert question is not None
    assert question == question.strip()
    assert question in text


@given(st.text(max_size=200).filter(lambda text: not text.lstrip().startswith("@")))
def test_a_line_without_a_mention_is_for_people(text: str) -> None:
    assert asked(text) is None


@pytest.mark.parametrize("question", ["help", "HELP", "  help  ", ""])
def test_help_names_every_command(question: str) -> None:
    assert commands_in(answer(question)) == [f"@aws {one.words}" for one in BUILTINS]


@pytest.mark.parametrize("builtin", BUILTINS, ids=lambda one: one.words)
def test_every_command_answers(builtin: object) -> None:
    words = getattr(builtin, "words", "")
    assert answer(words).state != "UNKNOWN"


@given(st.text(min_size=1, max_size=100))
def test_any_question_is_answered_and_an_unknown_one_runs_nothing(question: str) -> None:
    message = answer(question)
    known = {"", *(one.words for one in BUILTINS)}
    if " ".join(question.lower().split()) in known:
        assert message.tone is Tone.INFO
    else:
        assert message.state == "UNKNOWN"
        assert "Nothing was run." in str(message.blocks)
