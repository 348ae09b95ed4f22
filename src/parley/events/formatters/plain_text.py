"""Plain text: the subject or the first line is the title, the rest follows letter for letter."""

import json

from parley.events.model import Event, Notification
from parley.events.reading import LONGEST_TITLE, context_of, cut, folded_code, title_text
from parley.kernel.messages import Block, Message, Text

_LONGEST_SHOWN = 3000


def matches(event: Event) -> bool:
    """Take everything that came as text."""
    return isinstance(event.detail, str)


def format(event: Event) -> Notification:  # noqa: A001 - every formatter is `matches` and `format`
    """Show the text. Never raises."""
    text = str(event.detail).strip("\r\n")
    flaw = _flaw(text)
    title, body = _parts(event.subject.strip() or ("JSON with a mistake" if flaw else ""), text)
    return Notification(
        message=Message(
            title=title_text(title or "Empty notification"),
            context=context_of(event.account, event.region),
            at=event.time,
            blocks=(*((Text(flaw),) if flaw else ()), *_blocks(body)),
            event_id=event.id,
        ),
        recognised=False,
    )


def _parts(subject: str, text: str) -> tuple[str, str]:
    if subject:
        return subject, "" if text.strip() == subject else text
    stripped = text.lstrip()
    first, _, rest = stripped.partition("\n")
    # A line that the title would have to change must be shown whole as well.
    whole = len(first) <= LONGEST_TITLE and first.split() == first.strip().split(" ")
    return first, (rest.strip("\r\n") if whole else text)


def _flaw(text: str) -> str:
    """Say where JSON ends to be JSON, whose sender meant more than text; empty for other text."""
    if not (text.lstrip().startswith("{") and text.rstrip().endswith("}")):
        return ""
    try:
        json.loads(text, strict=False)
    except json.JSONDecodeError as error:
        return f"{error.msg}, line {error.lineno}, column {error.colno}."
    except RecursionError:
        return ""
    return ""


def _blocks(body: str) -> tuple[Block, ...]:
    if not body.strip():
        return ()
    if len(body) <= _LONGEST_SHOWN:
        return (Text(body),)
    return (Text(cut(body, _LONGEST_SHOWN)), folded_code("Whole text", body))
