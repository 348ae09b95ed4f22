"""Commands that Parley answers itself: one row and one function each. Help is made of the rows."""

from collections.abc import Callable
from dataclasses import dataclass

from parley.kernel.messages import Code, Message, Table, Text, Tone


@dataclass(frozen=True, slots=True)
class Builtin:
    """A command: its words, what it does in a few words, and what answers it."""

    words: str
    does: str
    answer: Callable[[], Message]


def _help() -> Message:
    return Message(
        title=Text("What Parley can do here"),
        context=("Parley",),
        blocks=(
            Text(
                "Notifications of AWS arrive in this room by themselves: alarms, events of every "
                "service, and custom notifications. An alarm is one message that changes as the "
                "alarm does; its history stands in the thread."
            ),
            Table(
                ("Type", "to"),
                tuple((f"@aws {one.words}", one.does) for one in BUILTINS),
            ),
            Text("To connect a topic, run this where Parley runs:", subtle=True),
            Code("parley configurations add --help"),
        ),
    )


BUILTINS = (Builtin("help", "see this", _help),)


def answer(question: str) -> Message:
    """Answer what was asked of the bot; an unknown command is told what there is."""
    words = " ".join(question.lower().split())
    for builtin in BUILTINS:
        if words in {builtin.words, ""}:
            return builtin.answer()
    return Message(
        title=Text("Parley does not know this command"),
        tone=Tone.WARN,
        state="UNKNOWN",
        context=("Parley",),
        blocks=(
            Text("Nothing was run. This release answers @aws help; it runs no AWS commands yet."),
        ),
    )
