"""Plain text: the subject or the first line is the title, the rest follows letter for letter."""

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
    title, body = _parts(event.subject.strip(), text)
    return Notification(
        message=Message(
            title=title_text(title or "Empty notification"),
            context=context_of(event.account, event.region),
            at=event.time,
            blocks=_blocks(body),
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


def _blocks(body: str) -> tuple[Block, ...]:
    if not body.strip():
        return ()
    if len(body) <= _LONGEST_SHOWN:
        return (Text(body),)
    return (Text(cut(body, _LONGEST_SHOWN)), folded_code("Whole text", body))
