"""What a digest says of a storm: counts by source and by subject, the worst by name.

A subject is an alarm, another thread, or events of one source with one title. The content is the
same in whatever order and in whatever portions the events come, as long as there are no more than
`MOST_SUBJECTS` subjects and `MOST_SOURCES` sources; what is beyond is counted, not told apart.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson

from parley.events.reading import cut, one_line
from parley.kernel.messages import Tone

MOST_SUBJECTS = 1000
MOST_SOURCES = 50
OTHER_SOURCES = "Other sources"

_LONGEST_TITLE = 150
_LONGEST_SOURCE = 60
_LONGEST_CONTEXT = 100
_MOST_CONTEXT = 10
_RANKS = {Tone.GOOD: 0, Tone.INFO: 1, Tone.WARN: 2, Tone.BAD: 3}
_TONES = {rank: tone for tone, rank in _RANKS.items()}


@dataclass(frozen=True, slots=True)
class Seen:
    """One event as a digest takes it.

    `subject` is the same for what belongs together; `at` is when it happened, `received` when it
    arrived. An `alarm` may go OK again.
    """

    subject: str
    alarm: bool
    source: str
    title: str
    tone: Tone
    state: str
    context: tuple[str, ...]
    at: datetime
    received: datetime


@dataclass(frozen=True, slots=True)
class Subject:
    """What is known of one subject: its worst moment gives the title, its newest the present.

    Of its `count` events `bad` were bad.
    """

    key: str
    alarm: bool
    title: str
    worst: Tone
    worst_at: datetime
    tone: Tone
    state: str
    at: datetime
    first: datetime
    count: int
    bad: int

    @property
    def over(self) -> bool:
        """Whether it is an alarm that was bad and is not any more."""
        return self.alarm and self.worst is Tone.BAD and self.tone is not Tone.BAD


@dataclass(frozen=True, slots=True)
class Source:
    """How many events came from one source, and the worst tone among them."""

    name: str
    count: int
    worst: Tone


@dataclass(frozen=True, slots=True)
class Digest:
    """The content of a digest. `count` events came from `first` to `last`.

    `context` is what all of them have in common, each with its place in the line. `beyond` counts
    the events of further subjects, `bad_beyond` the bad ones among them. A channel that could not
    be reached says so by `down_from` and, when it can be again, `down_until`.
    """

    count: int = 0
    first: datetime | None = None
    last: datetime | None = None
    context: tuple[tuple[str, int], ...] | None = None
    sources: tuple[Source, ...] = ()
    subjects: tuple[Subject, ...] = ()
    beyond: int = 0
    bad_beyond: int = 0
    down_from: datetime | None = None
    down_until: datetime | None = None

    def to_json(self) -> str:
        """Return the content as JSON; `from_json` gives an equal one back."""
        return orjson.dumps(self).decode()

    @staticmethod
    def from_json(data: str | bytes) -> "Digest":
        """Rebuild a digest; missing fields take their defaults, unknown ones are ignored."""
        raw: dict[str, Any] = orjson.loads(data)
        context = raw.get("context")
        return Digest(
            count=raw.get("count", 0),
            first=_time(raw.get("first")),
            last=_time(raw.get("last")),
            context=None if context is None else tuple((one, place) for one, place in context),
            sources=tuple(
                Source(one["name"], one["count"], Tone(one["worst"]))
                for one in raw.get("sources", ())
            ),
            subjects=tuple(_subject(one) for one in raw.get("subjects", ())),
            beyond=raw.get("beyond", 0),
            bad_beyond=raw.get("bad_beyond", 0),
            down_from=_time(raw.get("down_from")),
            down_until=_time(raw.get("down_until")),
        )


def worse(one: Tone, other: Tone) -> Tone:
    """Return the worse of two tones."""
    return _TONES[max(_RANKS[one], _RANKS[other])]


def by_badness(tone: Tone) -> int:
    """Return a number that is smaller the worse the tone is."""
    return -_RANKS[tone]


def taking_in(digest: Digest, events: Iterable[Seen]) -> Digest:
    """Return the digest with these events, each of which it must not have taken in before."""
    sources = {one.name: one for one in digest.sources}
    subjects = {one.key: one for one in digest.subjects}
    count, beyond, bad_beyond = digest.count, digest.beyond, digest.bad_beyond
    first, last, context = digest.first, digest.last, digest.context
    for event in events:
        count += 1
        first = event.received if first is None else min(first, event.received)
        last = event.received if last is None else max(last, event.received)
        context = _common(context, event.context)
        source = _source(event, sources)
        sources[source.name] = source
        known = subjects.get(event.subject)
        if known is not None:
            subjects[event.subject] = _together(known, _alone(event))
        elif len(subjects) < MOST_SUBJECTS:
            subjects[event.subject] = _alone(event)
        else:
            beyond += 1
            bad_beyond += event.tone is Tone.BAD
    return replace(
        digest,
        count=count,
        first=first,
        last=last,
        context=context,
        sources=tuple(sources[name] for name in sorted(sources)),
        subjects=tuple(subjects[key] for key in sorted(subjects)),
        beyond=beyond,
        bad_beyond=bad_beyond,
    )


def _source(event: Seen, known: dict[str, Source]) -> Source:
    name = cut(one_line(event.source), _LONGEST_SOURCE) or OTHER_SOURCES
    if name not in known and len(known) >= MOST_SOURCES:
        name = OTHER_SOURCES
    before = known.get(name)
    if before is None:
        return Source(name, 1, event.tone)
    return Source(name, before.count + 1, worse(before.worst, event.tone))


def _alone(event: Seen) -> Subject:
    return Subject(
        key=event.subject,
        alarm=event.alarm,
        title=cut(one_line(event.title[: 4 * _LONGEST_TITLE]), _LONGEST_TITLE),
        worst=event.tone,
        worst_at=event.at,
        tone=event.tone,
        state=cut(event.state, _LONGEST_SOURCE),
        at=event.at,
        first=event.received,
        count=1,
        bad=int(event.tone is Tone.BAD),
    )


def _together(one: Subject, other: Subject) -> Subject:
    worst = max(one, other, key=lambda it: (_RANKS[it.worst], it.worst_at, it.title))
    newest = max(one, other, key=lambda it: (it.at, _RANKS[it.tone], it.state))
    return Subject(
        key=one.key,
        alarm=one.alarm or other.alarm,
        title=worst.title,
        worst=worst.worst,
        worst_at=worst.worst_at,
        tone=newest.tone,
        state=newest.state,
        at=newest.at,
        first=min(one.first, other.first),
        count=one.count + other.count,
        bad=one.bad + other.bad,
    )


def _common(
    known: tuple[tuple[str, int], ...] | None, context: tuple[str, ...]
) -> tuple[tuple[str, int], ...]:
    """Return what is in both, in the order of the earliest places that it had in a line."""
    new: dict[str, int] = {}
    for place, part in enumerate(context[:_MOST_CONTEXT]):
        new.setdefault(cut(part, _LONGEST_CONTEXT), place)
    if known is None:
        both = new
    elif all(new.get(part) == place for part, place in known):
        return known
    else:
        both = {part: min(place, new[part]) for part, place in known if part in new}
    return tuple(sorted(both.items(), key=lambda it: (it[1], it[0])))


def _time(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None


def _subject(raw: dict[str, Any]) -> Subject:
    return Subject(
        key=raw["key"],
        alarm=raw["alarm"],
        title=raw["title"],
        worst=Tone(raw["worst"]),
        worst_at=datetime.fromisoformat(raw["worst_at"]),
        tone=Tone(raw["tone"]),
        state=raw["state"],
        at=datetime.fromisoformat(raw["at"]),
        first=datetime.fromisoformat(raw["first"]),
        count=raw["count"],
        bad=raw["bad"],
    )
