"""A digest as a message: how many, since when, from where, and the bad ones by name."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from parley.events.digests import OTHER_SOURCES, Digest, Source, Subject, by_badness
from parley.events.times import span_words, time_words
from parley.kernel.messages import (
    Block,
    Bullets,
    Fact,
    Facts,
    LinkButton,
    Message,
    Table,
    Text,
    Tone,
)

MOST_NAMED = 20
"""Bad ones that are named one by one; the others are counted."""

_SECOND = timedelta(seconds=1)
_MOST_FACTS = 6
_MOST_ROWS = 5


def digest_message(digest: Digest, url: str, *, over: bool, owed: int = 0) -> Message:
    """Return the message that stands for everything in the digest.

    `url` is the page that lists it. When the storm is `over`, `owed` alarms are still in ALARM and
    get messages of their own.
    """
    return Message(
        title=Text(title_of(digest)),
        tone=Tone.BAD if _any_bad(digest) else Tone.WARN,
        state="DIGEST",
        context=tuple(part for part, _ in digest.context or ()),
        at=digest.first,
        note=_until(digest) if over else "until now",
        blocks=tuple(_blocks(digest, over=over, owed=owed)),
        buttons=(LinkButton(f"See all {digest.count:,}", url),),
    )


def title_of(digest: Digest) -> str:
    """Return `312 notifications in 40 s`, or `at once`."""
    title = _counted(digest.count, "notification")
    if digest.first is None or digest.last is None or digest.count == 1:
        return title
    span = digest.last - digest.first
    return f"{title} at once" if span < _SECOND else f"{title} in {span_words(span)}"


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _any_bad(digest: Digest) -> bool:
    return digest.bad_beyond > 0 or any(one.tone is Tone.BAD for one in digest.subjects)


def _until(digest: Digest) -> str:
    return f"until {_clock(digest.last, digest.first)}" if digest.last else ""


def _clock(time: datetime, beside: datetime | None) -> str:
    """Return a time, without its day where another time of that day stands beside it."""
    words = time_words(time)
    if beside is not None and time_words(beside)[:10] == words[:10]:
        return words[11:]
    return words


def _blocks(digest: Digest, *, over: bool, owed: int) -> Iterator[Block]:
    if digest.down_from:
        yield Text(_unreachable(digest.down_from, digest.down_until))
    bad = sorted(
        (one for one in digest.subjects if one.worst is Tone.BAD),
        key=lambda one: (one.first, one.key),
    )
    yield (
        Text(_summary(digest, bad, owed))
        if over
        else Text("Shown together while it lasts.", subtle=True)
    )
    yield Facts(tuple(_facts(digest.sources)))
    if named := tuple(_names(digest, bad)):
        yield Bullets(named, "In ALARM or failed, in the order in which they came")
    if rows := tuple(_most_often(digest)):
        yield Table(("Most often", "Times"), rows)


def _unreachable(since: datetime, until: datetime | None) -> str:
    words = "This channel could not be reached"
    if until is None:
        return f"{words} since {time_words(since)}; this is what it missed."
    return f"{words} from {time_words(since)} to {_clock(until, since)}; this is what it missed."


def _summary(digest: Digest, bad: Sequence[Subject], owed: int) -> str:
    words = [f"It is over: {title_of(digest)}."]
    if bad:
        most = max(bad, key=lambda one: (one.bad, -one.first.timestamp(), one.key))
        words.append(f"Worst: {_titled(most)}.")
    if owed:
        still = "alarm is still in ALARM; it" if owed == 1 else "alarms are still in ALARM; each"
        words.append(f"{owed:,} {still} gets a message of its own.")
    elif any(one.alarm for one in bad):
        words.append("No alarm of it is in ALARM any more.")
    return " ".join(words)


def _facts(sources: Sequence[Source]) -> Iterator[Fact]:
    ranked = sorted(
        sources,
        key=lambda one: (
            one.name == OTHER_SOURCES,
            by_badness(one.worst),
            -one.count,
            one.name,
        ),
    )
    most = _MOST_FACTS if len(ranked) <= _MOST_FACTS else _MOST_FACTS - 1
    for one in ranked[:most]:
        yield Fact(one.name, f"{one.count:,}")
    if rest := ranked[most:]:
        number = sum(one.count for one in rest)
        yield Fact(f"{len(rest)} other sources", f"{number:,}")


def _names(digest: Digest, bad: Sequence[Subject]) -> Iterator[Text]:
    for one in bad[:MOST_NAMED]:
        yield Text(_named(one))
    rest = bad[MOST_NAMED:]
    if more := len(rest) + digest.bad_beyond:
        again = sum(one.over for one in rest)
        words = f", {again:,} of them not in ALARM any more" if again else ""
        yield Text(f"and {more:,} more{words}", subtle=True)


def _named(one: Subject) -> str:
    if not one.over:
        return _titled(one)
    words = "OK again" if one.tone is Tone.GOOD else one.state or "Not in ALARM any more"
    return f"{words}: {_titled(one)}"


def _titled(one: Subject) -> str:
    return f"{one.title} ({one.bad:,} times)" if one.bad > 1 else one.title


def _most_often(digest: Digest) -> Iterator[tuple[str, str]]:
    """Yield what came more than once and is not bad, the most frequent first."""
    others = (one for one in digest.subjects if one.worst is not Tone.BAD and one.count > 1)
    ranked = sorted(others, key=lambda one: (by_badness(one.worst), -one.count, one.key))
    for one in ranked[:_MOST_ROWS]:
        yield one.title, f"{one.count:,}"
