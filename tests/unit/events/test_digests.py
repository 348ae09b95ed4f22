"""What a digest says is the same however its events come, and none of them is forgotten."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from parley.events.digest_message import MOST_NAMED, digest_message, title_of
from parley.events.digests import MOST_SOURCES, MOST_SUBJECTS, Digest, Seen, taking_in
from parley.kernel.message_json import from_json, to_json
from parley.kernel.messages import Bullets, Facts, LinkButton, Message, Table, Text, Tone
from parley.platforms.slack.render import render

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
URL = "https://parley.example/digests/1"
ALARM_TONES = {"ALARM": Tone.BAD, "OK": Tone.GOOD, "INSUFFICIENT_DATA": Tone.WARN}


def alarm(
    name: str = "latency", state: str = "ALARM", second: float = 0, arrived: float | None = None
) -> Seen:
    """Return the change of an alarm so many seconds after noon."""
    at = NOON + timedelta(seconds=second)
    return Seen(
        subject=f"1/eu-west-1/{name}",
        alarm=True,
        source="CloudWatch alarms",
        title=f"{name} is too high" if state == "ALARM" else f"{name} is {state}",
        tone=ALARM_TONES[state],
        state=state,
        context=("123456789012", "eu-west-1", "CloudWatch"),
        at=at,
        received=at if arrived is None else NOON + timedelta(seconds=arrived),
    )


def event(title: str, tone: Tone = Tone.INFO, second: float = 0, source: str = "ECS") -> Seen:
    """Return an event that is no alarm."""
    at = NOON + timedelta(seconds=second)
    context = ("123456789012", "eu-west-1", source)
    return Seen(f"{source}\n{title}", False, source, title, tone, "", context, at, at)


MOMENTS = st.integers(0, 90).map(lambda second: NOON + timedelta(seconds=second))
WORDS = st.text(max_size=12)
ANYTHING = st.builds(
    Seen,
    subject=st.sampled_from("abcdefgh"),
    alarm=st.booleans(),
    source=st.sampled_from(["aws.ecs", "ECS", "", "x" * 99]),
    title=WORDS,
    tone=st.sampled_from(Tone),
    state=st.sampled_from(["", "ALARM", "OK", "?" * 99]),
    context=st.lists(st.sampled_from(["1", "eu-west-1", "ECS", "z" * 200]), max_size=4).map(tuple),
    at=MOMENTS,
    received=MOMENTS,
)


def in_portions(events: Sequence[Seen], chance: Random) -> Digest:
    """Take the events in, some at a time, each portion through the database's form."""
    digest, left = Digest(), list(events)
    while left:
        size = chance.randint(1, len(left))
        digest = Digest.from_json(taking_in(digest, left[:size]).to_json())
        del left[:size]
    return digest


@given(st.lists(ANYTHING, max_size=30), st.randoms(use_true_random=False))
def test_the_order_and_the_portions_do_not_matter(events: list[Seen], chance: Random) -> None:
    shuffled = list(events)
    chance.shuffle(shuffled)
    assert in_portions(shuffled, chance) == taking_in(Digest(), events)


@given(st.lists(ANYTHING, max_size=30))
def test_every_event_is_counted_once_by_source_and_once_by_subject(events: list[Seen]) -> None:
    digest = taking_in(Digest(), events)
    assert digest.count == len(events)
    assert sum(one.count for one in digest.sources) == len(events)
    assert sum(one.count for one in digest.subjects) + digest.beyond == len(events)
    assert {one.key: one.count for one in digest.subjects} == Counter(one.subject for one in events)
    assert sum(one.bad for one in digest.subjects) == sum(one.tone is Tone.BAD for one in events)
    if events:
        assert digest.first == min(one.received for one in events)
        assert digest.last == max(one.received for one in events)


@given(st.integers(1, 400), st.integers(1, 80), st.randoms(use_true_random=False))
def test_beyond_all_bounds_the_counts_are_still_right(
    subjects: int, sources: int, chance: Random
) -> None:
    events = [
        replace(
            event(f"t{number}", chance.choice(list(Tone)), number % 60),
            subject=str(number % (MOST_SUBJECTS - 200 + subjects)),
            source=f"source {number % sources}",
        )
        for number in range(MOST_SUBJECTS + 300)
    ]
    digest = taking_in(taking_in(Digest(), events[:700]), events[700:])
    assert len(digest.subjects) <= MOST_SUBJECTS
    assert len(digest.sources) <= MOST_SOURCES + 1
    assert digest.count == len(events)
    assert sum(one.count for one in digest.sources) == len(events)
    assert sum(one.count for one in digest.subjects) + digest.beyond == len(events)
    bad = sum(one.tone is Tone.BAD for one in events)
    assert sum(one.bad for one in digest.subjects) + digest.bad_beyond == bad


def said(message: Message) -> str:
    """Return everything that a reader sees, in lines."""
    lines = [f"{message.state}: {message.title.text}", message.note]
    for block in message.blocks:
        match block:
            case Text(text):
                lines.append(text)
            case Facts(facts):
                lines += [f"{one.label} {one.value}" for one in facts]
            case Bullets(items):
                lines += [f"- {one.text}" for one in items]
            case Table(_, rows):
                lines += [" | ".join(row) for row in rows]
            case _:
                raise AssertionError(block)
    return "\n".join(lines)


@given(
    st.lists(ANYTHING, min_size=1, max_size=30),
    st.booleans(),
    st.integers(0, 5),
    st.one_of(st.none(), MOMENTS),
)
def test_any_digest_is_a_message_that_fits(
    events: list[Seen], over: bool, owed: int, down: datetime | None
) -> None:
    digest = replace(taking_in(Digest(), events), down_from=down)
    message = digest_message(digest, URL, over=over, owed=owed)
    assert from_json(to_json(message)) == message
    assert message.state == "DIGEST"
    assert str(len(events)) in message.title.text
    assert message.buttons == (LinkButton(f"See all {len(events)}", URL),)
    bullets = next((one for one in message.blocks if isinstance(one, Bullets)), None)
    assert bullets is None or len(bullets.items) <= MOST_NAMED + 1
    bad = {one.subject for one in events if one.tone is Tone.BAD}
    assert (bullets is not None) == bool(bad)
    # As a whole in Slack: nothing is left out for want of room.
    assert "too long to be shown" not in str(render(message))


def test_it_says_how_many_how_long_where_and_who() -> None:
    events = [
        *(alarm(f"api-{number:02}", second=number) for number in range(23)),
        alarm("api-01", "OK", 30),
        alarm("api-22", "OK", 30),
        *(event("Task stopped", Tone.WARN, 31) for _ in range(3)),
        event("Health notice", Tone.INFO, 40, source="Health"),
    ]
    message = digest_message(taking_in(Digest(), events), URL, over=False)
    assert message.tone is Tone.BAD
    assert message.context == ("123456789012", "eu-west-1")
    assert message.at == NOON
    assert said(message) == "\n".join(
        [
            "DIGEST: 29 notifications in 40 s",
            "until now",
            "Shown together while it lasts.",
            "CloudWatch alarms 25",
            "ECS 3",
            "Health 1",
            "- api-00 is too high",
            "- OK again: api-01 is too high",
            *(f"- api-{number:02} is too high" for number in range(2, 20)),
            "- and 3 more, 1 of them not in ALARM any more",
            "Task stopped | 3",
        ]
    )


def test_at_its_end_it_says_what_was_and_what_is_still_wrong() -> None:
    events = [
        alarm("a", second=0),
        alarm("b", second=1),
        alarm("a", "OK", 5),
        alarm("a", second=9),
        alarm("b", "INSUFFICIENT_DATA", 10),
    ]
    message = digest_message(taking_in(Digest(), events), URL, over=True, owed=1)
    assert said(message).splitlines()[1:] == [
        "until 12:00:10 UTC",
        (
            "It is over: 5 notifications in 10 s. Worst: a is too high (2 times). "
            "1 alarm is still in ALARM; it gets a message of its own."
        ),
        "CloudWatch alarms 5",
        "- a is too high (2 times)",
        "- INSUFFICIENT_DATA: b is too high",
    ]


def test_when_all_alarms_are_ok_again_it_says_so_and_is_red_no_more() -> None:
    events = [alarm(), alarm(state="OK", second=2)]
    message = digest_message(taking_in(Digest(), events), URL, over=True)
    assert "No alarm of it is in ALARM any more." in said(message)
    assert message.tone is Tone.WARN


def test_an_alarm_is_what_its_newest_change_says_however_late_others_arrive() -> None:
    digest = taking_in(Digest(), [alarm(state="OK", second=9, arrived=1), alarm(second=3)])
    [latency] = digest.subjects
    assert latency.over
    assert latency.title == "latency is too high"


def test_a_failure_that_is_no_alarm_stays_named() -> None:
    digest = taking_in(Digest(), [event("Build failed", Tone.BAD), event("Build failed", second=5)])
    message = digest_message(digest, URL, over=True)
    assert "- Build failed" in said(message)
    assert "No alarm" not in said(message)


def test_it_says_from_when_to_when_the_channel_could_not_be_reached() -> None:
    digest = replace(taking_in(Digest(), [alarm()]), down_from=NOON)
    since = "This channel could not be reached since 2026-05-04 12:00:00 UTC; this is what it"
    assert since in said(digest_message(digest, URL, over=False))
    back = replace(digest, down_until=NOON + timedelta(hours=6))
    until = "could not be reached from 2026-05-04 12:00:00 UTC to 18:00:00 UTC; this is what"
    assert until in said(digest_message(back, URL, over=True))


def test_one_event_is_one_notification() -> None:
    assert title_of(taking_in(Digest(), [alarm()])) == "1 notification"
