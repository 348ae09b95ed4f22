"""JSON that nobody knows: a title by best guess, the telling fields, the whole behind one click."""

from collections.abc import Mapping
from typing import Any

from parley.events.fields import first_text, state_of, telling_facts
from parley.events.model import Event, Notification
from parley.events.reading import context_of, cut, folded_json, one_line, scalar_text, title_text
from parley.events.tones import tone_of
from parley.kernel.messages import Block, Facts, Message, Text, Tone

_MOST_FACTS = 6
_LONGEST_WHY = 1500
_TITLES = ("subject", "title", "headline", "summary", "message", "event", "name", "text")
_SENTENCES = ("message", "description", "text", "reason", "cause", "errormessage", "summary")


def matches(event: Event) -> bool:
    """Take everything: this is the last formatter of all."""
    del event
    return True


def format(event: Event) -> Notification:  # noqa: A001 - every formatter is `matches` and `format`
    """Show any JSON value. Never raises."""
    detail = event.detail
    members: Mapping[str, Any] = detail if isinstance(detail, dict) else {}
    subject = event.subject.strip()
    title = one_line(subject or first_text(members, _TITLES)) or _kind_of(detail)
    state = state_of(members)
    sentence = first_text(members, _SENTENCES)
    blocks: list[Block] = []
    if sentence and one_line(sentence) != title:
        blocks.append(Text(cut(sentence, _LONGEST_WHY)))
    facts = telling_facts(members, _MOST_FACTS, (title, state, sentence))
    if facts:
        blocks.append(Facts(facts))
    blocks.append(folded_json("Whole content", detail))
    return Notification(
        message=Message(
            title=title_text(title),
            tone=(tone_of(state) if state else None) or Tone.INFO,
            state=state,
            context=context_of(event.account, event.region),
            at=event.time,
            blocks=tuple(blocks),
            event_id=event.id,
        ),
        recognised=False,
    )


def _kind_of(detail: object) -> str:
    if isinstance(detail, list):
        return f"A list of {len(detail)} item{'' if len(detail) == 1 else 's'}"
    if isinstance(detail, dict):
        names = ", ".join([name for name in detail if name.strip()][:4])
        return f"An object with {names}" if names else "An empty object"
    text = scalar_text(detail)
    return f"The value {text}" if text is not None else "An empty value"
