"""One message per alarm episode, whatever the order in which its changes arrive."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import hypothesis.strategies as st
import pytest
from hypothesis import given

from parley.events.threads import Edit, Head, Plan, Post, Reply, Step, advance
from parley.kernel.messages import Message, Text, Tone
from parley.kernel.threads import AlarmChange, Threaded

START = datetime(2024, 5, 20, 10, 0, tzinfo=UTC)
TEN_MINUTES = timedelta(minutes=10)
KEY = "111122223333/eu-west-1/prod-chk-p99"


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def message(state: str, minutes: float = 0) -> Message:
    return Message(
        title=Text(f"checkout latency is {state}"),
        tone=Tone.BAD if state == "ALARM" else Tone.GOOD,
        state=state,
        context=("111122223333", "eu-west-1"),
        at=at(minutes),
        blocks=(Text(f"why {state}"), Text("Runbook")),
        event_id=f"event at {minutes}",
    )


class Channel:
    """What a channel shows when every plan is followed."""

    def __init__(self) -> None:
        self.head: Head | None = None
        self.posted: list[Message] = []
        self.replies: list[list[Message]] = []
        self.steps: list[Step] = []

    def change(self, state: str, minutes: float) -> Plan:
        change = AlarmChange(KEY, state, at(minutes))
        return self._follow(
            advance(
                self.head,
                self.posted[-1] if self.posted else None,
                change,
                message(state, minutes),
                reopen_within=TEN_MINUTES,
            )
        )

    def custom(self, said: str, summary: str = "") -> Plan:
        return self._follow(
            advance(
                self.head,
                self.posted[-1] if self.posted else None,
                Threaded("custom:1", summary),
                Message(title=Text(said)),
                reopen_within=TEN_MINUTES,
            )
        )

    def _follow(self, plan: Plan) -> Plan:
        self.head = Head.from_json(plan.head.to_json())
        for step in plan.steps:
            match step:
                case Post(shown):
                    self.posted.append(shown)
                    self.replies.append([])
                case Edit(shown):
                    self.posted[-1] = shown
                case Reply(shown):
                    self.replies[-1].append(shown)
        self.steps += plan.steps
        return plan


def test_an_alarm_posts_a_head_and_its_ok_turns_it_in_place() -> None:
    channel = Channel()
    channel.change("ALARM", 0)
    channel.change("OK", 14)

    (head,) = channel.posted
    assert (head.state, head.note) == ("OK", "after 14 min")
    assert head.blocks == message("OK").blocks


def test_the_thread_keeps_each_change_as_one_short_line() -> None:
    channel = Channel()
    channel.change("ALARM", 0)
    channel.change("INSUFFICIENT_DATA", 3)

    ((line,),) = channel.replies
    assert line == Message(
        title=Text("checkout latency is INSUFFICIENT_DATA"),
        tone=Tone.GOOD,
        state="INSUFFICIENT_DATA",
        at=at(3),
        note="after 3 min",
        blocks=(Text("why INSUFFICIENT_DATA"),),
        event_id="event at 3",
    )


def test_an_alarm_soon_after_the_last_episode_is_counted_on_the_old_head() -> None:
    channel = Channel()
    for state, minutes in (("ALARM", 0), ("OK", 5), ("ALARM", 9), ("OK", 12), ("ALARM", 20)):
        channel.change(state, minutes)

    (head,) = channel.posted
    assert (head.state, head.note) == ("ALARM", "3rd time in 20 min")
    assert [line.state for line in channel.replies[0]] == ["OK", "ALARM", "OK", "ALARM"]

    channel.change("OK", 40)
    assert channel.posted[0].note == "3rd time in 20 min"
    assert channel.replies[0][-1].note == "after 20 min"


@pytest.mark.parametrize("minutes, heads", [(14.9, 1), (15, 2), (300, 2)])
def test_an_alarm_ten_minutes_after_the_last_episode_is_a_new_one(
    minutes: float, heads: int
) -> None:
    channel = Channel()
    channel.change("ALARM", 0)
    channel.change("OK", 5)

    plan = channel.change("ALARM", minutes)

    assert len(channel.posted) == heads
    assert plan.new_head == (heads == 2)
    assert plan.head.count == 3 - heads


def test_an_episode_ends_for_good_with_the_ok_after_insufficient_data() -> None:
    channel = Channel()
    for state, minutes in (("ALARM", 0), ("INSUFFICIENT_DATA", 5), ("OK", 30), ("ALARM", 38)):
        channel.change(state, minutes)

    assert len(channel.posted) == 1
    assert channel.posted[0].note == "2nd time in 38 min"


def test_an_ok_without_its_alarm_posts_its_own_message_and_the_alarm_a_head() -> None:
    channel = Channel()
    first = channel.change("OK", 0)
    second = channel.change("ALARM", 1)

    assert [one.state for one in channel.posted] == ["OK", "ALARM"]
    assert (first.head.alarmed, second.head.alarmed) == (False, True)
    assert second.head.count == 1


def test_an_ok_long_after_an_episode_does_not_change_the_old_head() -> None:
    channel = Channel()
    for state, minutes in (("ALARM", 0), ("OK", 5), ("INSUFFICIENT_DATA", 600)):
        channel.change(state, minutes)

    assert [one.state for one in channel.posted] == ["OK", "INSUFFICIENT_DATA"]


def test_a_repeated_alarm_is_shown_but_not_counted() -> None:
    channel = Channel()
    channel.change("ALARM", 0)
    plan = channel.change("ALARM", 6)

    assert plan.head.count == 1
    assert [one.note for one in channel.posted] == [""]
    assert [line.state for line in channel.replies[0]] == ["ALARM"]


def test_a_change_that_newer_ones_have_overtaken_only_adds_a_late_line() -> None:
    channel = Channel()
    channel.change("ALARM", 0)
    channel.change("OK", 5)
    plan = channel.change("ALARM", 3)

    assert [type(step) for step in plan.steps] == [Reply]
    assert channel.posted[0].state == "OK"
    assert channel.replies[0][-1].note == "arrived late"
    assert plan.head == replace(plan.head, state="OK", changed_at=at(5), count=1, replies=2)


def test_an_alarm_that_arrives_after_its_ok_makes_an_episode_of_it() -> None:
    channel = Channel()
    channel.change("OK", 5)
    channel.change("ALARM", 0)
    channel.change("ALARM", 9)

    assert [(one.state, one.note) for one in channel.posted] == [("ALARM", "2nd time in 9 min")]


def test_of_equal_times_the_later_arrival_wins() -> None:
    channel = Channel()
    channel.change("ALARM", 0)
    channel.change("OK", 0)

    assert channel.posted[0].state == "OK"


def test_custom_notifications_of_a_thread_stand_under_the_first() -> None:
    channel = Channel()
    channel.custom("stopped", "Orders: stopped")
    channel.custom("half of them work")
    channel.custom("same summary", "Orders: stopped")
    assert [(one.title.text, one.summary, one.note) for one in channel.posted] == [
        ("stopped", "Orders: stopped", "")
    ]

    channel.custom("all work", "Orders: running")
    (head,) = channel.posted
    assert (head.title.text, head.summary, head.note) == ("stopped", "Orders: running", "3 updates")
    assert [one.title.text for one in channel.replies[0]] == [
        "half of them work",
        "same summary",
        "all work",
    ]


def test_a_summary_waits_while_the_head_is_not_known() -> None:
    head = Head(summary="old")
    plan = advance(
        head, None, Threaded("custom:1", "new"), message("OK"), reopen_within=TEN_MINUTES
    )

    assert plan.steps == (Reply(message("OK")),)
    assert plan.head.summary == "old"


changes = st.lists(
    st.tuples(
        st.sampled_from(["ALARM", "OK", "INSUFFICIENT_DATA"]),
        st.integers(min_value=0, max_value=60),
    ),
    min_size=1,
    max_size=12,
)


@given(changes)
def test_the_head_shows_the_newest_change_whatever_the_order_of_arrival(
    arriving: list[tuple[str, int]],
) -> None:
    channel = Channel()
    for state, minutes in arriving:
        channel.change(state, minutes)

    newest = max(minutes for _, minutes in arriving)
    last_of_newest = [state for state, minutes in arriving if minutes == newest][-1]
    assert channel.head is not None
    assert channel.head.state == last_of_newest
    assert channel.head.changed_at == at(newest)
    assert channel.posted[-1].state == last_of_newest


@given(changes)
def test_no_change_is_lost_and_no_count_goes_down(arriving: list[tuple[str, int]]) -> None:
    channel = Channel()
    count = 0
    for state, minutes in arriving:
        plan = channel.change(state, minutes)
        assert plan.steps
        said = {step.message.event_id for step in plan.steps}
        assert said == {f"event at {minutes}"}
        assert plan.new_head == isinstance(plan.steps[0], Post)
        assert plan.new_head or plan.head.count >= count
        count = plan.head.count
    assert isinstance(channel.steps[0], Post)
    assert channel.head is not None
    assert channel.head.replies == len(channel.replies[-1])


@given(changes)
def test_a_head_survives_being_stored(arriving: list[tuple[str, int]]) -> None:
    head = None
    for state, minutes in arriving:
        change = AlarmChange(KEY, state, at(minutes))
        head = advance(head, None, change, message(state), reopen_within=TEN_MINUTES).head
        assert Head.from_json(head.to_json()) == head


def test_heads_of_other_releases_can_be_read() -> None:
    assert Head.from_json('{"count": 1, "of_the_next_release": 1}') == Head(count=1)
