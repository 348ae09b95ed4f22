"""Custom notifications: what a team's own code says, in the markdown of the chat client."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from parley.events.custom_notification import (
    LONGEST_DESCRIPTION,
    LONGEST_KEYWORD,
    LONGEST_NEXT_STEP,
    LONGEST_TITLE,
    CustomNotification,
    looks_custom,
    read_custom,
)
from parley.events.model import Event, Notification
from parley.events.reading import context_of, cut, folded_json, one_line
from parley.kernel.messages import (
    Block,
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

FOOTER = "Custom notification delivered by Parley."

_MOST_FACTS = 6
_MOST_LISTED = 50
_LONGEST_FACT = 200
_LONGEST_LABEL = 60
_LONGEST_SUMMARY = 1000
_TOKEN = 300
"""How far before a cut a link or mention may begin that the cut would break."""


def matches(event: Event) -> bool:
    """Take what somebody meant as a custom notification, also where it is broken."""
    return looks_custom(event.detail)


def format(event: Event) -> Notification:  # noqa: A001 - every formatter is `matches` and `format`
    """Show it; one with mistakes names each of them above whatever can be shown."""
    custom = read_custom(event.detail)
    cuts = _Cuts()
    title, description = _title(custom, cuts)
    blocks: list[Block] = _mistakes(custom)
    if description.strip():
        blocks.append(Text(description, Markup.CLIENT))
    blocks += _lists(custom, cuts)
    blocks += [Text(remark, subtle=True) for remark in cuts.remarks]
    blocks += _details(custom)
    if cuts.whole:
        blocks.append(Folded("Whole text", tuple(cuts.whole)))
    if custom.mistakes:
        blocks.append(folded_json("Notification as it was sent", event.detail))
    return Notification(
        message=Message(
            title=title,
            tone=Tone.WARN if custom.mistakes else Tone.INFO,
            state="INVALID" if custom.mistakes else "",
            context=context_of(event.account, event.region),
            at=event.time,
            blocks=tuple(blocks),
            footer=FOOTER,
            event_id=event.id,
        ),
        thread=_thread(custom),
        resources=custom.related_resources,
        variables=_variables(custom),
    )


def _thread(custom: CustomNotification) -> Threaded | None:
    if not custom.thread_id:
        return None
    # The prefix keeps a threadId from being taken for the key of an alarm.
    key = f"custom:{custom.thread_id}"
    return Threaded(key, cut(one_line(custom.summary), _LONGEST_SUMMARY))


def _variables(custom: CustomNotification) -> Mapping[str, str]:
    event_type = {"eventType": custom.event_type} if custom.event_type else {}
    return {**custom.additional_context, **event_type}


@dataclass(slots=True)
class _Cuts:
    """Remarks about what was cut, and the whole texts that stand behind a click."""

    remarks: list[str] = field(default_factory=list)
    whole: list[Text] = field(default_factory=list)

    def shorten(self, name: str, text: str, longest: int) -> str:
        """Return the text within its limit, and keep the whole if it is longer."""
        if len(text) <= longest:
            return text
        self.remarks.append(
            f"{name} is shown cut: it has {len(text):,} characters, the limit is {longest:,}."
        )
        self.whole.append(Text(text, Markup.CLIENT))
        return _cut_markdown(text, longest)


def _cut_markdown(text: str, longest: int) -> str:
    """Cut, but not inside `<...>`: half a link or mention would read as something else."""
    at = longest - 1
    opened = text.rfind("<", max(0, at - _TOKEN), at)
    if opened > 0 and ">" not in text[opened:at]:
        at = opened
    return f"{text[:at]}…"


def _title(custom: CustomNotification, cuts: _Cuts) -> tuple[Text, str]:
    """Return title and description. Without a title the first line of the description is it."""
    given = custom.title.strip()
    title = cuts.shorten("The title", given, LONGEST_TITLE)
    description = cuts.shorten("The description", custom.description, LONGEST_DESCRIPTION)
    if given:
        return Text(" ".join(title.splitlines()), Markup.CLIENT), description
    first, _, rest = description.lstrip().partition("\n")
    if first.strip() and len(first) <= LONGEST_TITLE and "```" not in first:
        return Text(first.rstrip(), Markup.CLIENT), rest
    return Text("Custom notification"), description


def _mistakes(custom: CustomNotification) -> list[Block]:
    if not custom.mistakes:
        return []
    items = [Text(mistake) for mistake in custom.mistakes[:_MOST_LISTED]]
    more = len(custom.mistakes) - len(items)
    if more:
        items.append(Text(f"{more} more mistakes of the same kinds."))
    return [Bullets(tuple(items), "Not a valid custom notification")]


def _lists(custom: CustomNotification, cuts: _Cuts) -> list[Block]:
    blocks: list[Block] = []
    steps = [step for step in custom.next_steps if step.strip()]
    if steps:
        shown = tuple(
            Text(cuts.shorten(f"Next step {place}", step, LONGEST_NEXT_STEP), Markup.CLIENT)
            for place, step in enumerate(steps[:_MOST_LISTED], start=1)
        )
        blocks += [Bullets(shown, "Next steps"), *_rest("next steps", steps)]
    keywords = [keyword for keyword in custom.keywords if keyword.strip()]
    if keywords:
        tags = tuple(
            cuts.shorten(f"Keyword {place}", keyword, LONGEST_KEYWORD)
            for place, keyword in enumerate(keywords[:_MOST_LISTED], start=1)
        )
        blocks += [Tags(tags, "Keywords"), *_rest("keywords", keywords)]
    resources = [resource for resource in custom.related_resources if resource.strip()]
    if resources:
        tags = tuple(cut(one, _LONGEST_FACT) for one in resources[:_MOST_LISTED])
        blocks += [Tags(tags, "Related resources"), *_rest("related resources", resources)]
    return blocks


def _rest(name: str, items: list[str]) -> list[Block]:
    """Return what is too much to list, behind one click."""
    more = items[_MOST_LISTED:]
    if not more:
        return []
    return [Folded(f"{len(more)} more {name}", (Text("\n".join(more)),))]


def _details(custom: CustomNotification) -> list[Block]:
    """Return event type and additional context as facts, the rest of them and the id folded."""
    pairs = [("Event type", custom.event_type)] if custom.event_type else []
    pairs += [
        (cut(one_line(key), _LONGEST_LABEL) or "(no name)", text)
        for key, text in custom.additional_context.items()
        if text.strip()
    ]
    shown = [pair for pair in pairs if len(pair[1]) <= _LONGEST_FACT][:_MOST_FACTS]
    hidden = [pair for pair in pairs if pair not in shown]
    if custom.id:
        hidden.append(("Id", custom.id))
    blocks: list[Block] = []
    if shown:
        blocks.append(Facts(tuple(Fact(label, text) for label, text in shown)))
    if hidden:
        facts = [Fact(label, text) for label, text in hidden[:_MOST_LISTED]]
        if len(hidden) > len(facts):
            facts.append(Fact("And", f"{len(hidden) - len(facts)} more"))
        blocks.append(Folded("More about this notification", (Facts(tuple(facts)),)))
    return blocks
