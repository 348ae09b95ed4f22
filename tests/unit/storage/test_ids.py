"""Laws of ids: they rise, whatever the clock does, and fit into 63 bits."""

from datetime import UTC, datetime, timedelta
from threading import Thread

from hypothesis import given
from hypothesis import strategies as st

from parley.storage.ids import Ids
from tests.clock import SetClock

FIRST, LAST = datetime(2026, 1, 1), datetime(2090, 1, 1)  # noqa: DTZ001 - the strategy adds the zone
MOMENTS = st.datetimes(FIRST, LAST, timezones=st.just(UTC))
STEPS = st.lists(st.timedeltas(-timedelta(days=1), timedelta(days=1)), max_size=30)


@given(MOMENTS, STEPS)
def test_ids_rise_even_when_the_clock_steps_back(moment: datetime, steps: list[timedelta]) -> None:
    clock = SetClock(moment)
    ids = Ids(clock)
    made = []
    for step in steps:
        clock.move(step)
        made += [ids.next(), ids.next()]
    assert made == sorted(set(made))
    assert all(0 < one < 2**63 for one in made)


@given(MOMENTS, st.timedeltas(timedelta(milliseconds=1), timedelta(days=365)))
def test_ids_of_different_times_are_in_the_order_of_time(
    moment: datetime, later: timedelta
) -> None:
    first, second = Ids(SetClock(moment)), Ids(SetClock(moment + later))
    assert first.next() < second.next()


@given(st.integers(0, 2**62), MOMENTS)
def test_ids_go_on_after_those_of_an_earlier_life(after: int, moment: datetime) -> None:
    assert Ids(SetClock(moment), after).next() > after


def test_a_full_millisecond_borrows_from_the_next() -> None:
    ids = Ids(SetClock())
    made = [ids.next() for _ in range(10_000)]
    assert made == sorted(set(made))


def test_threads_never_get_the_same_id() -> None:
    ids = Ids(SetClock())
    made: list[int] = []
    threads = [
        Thread(target=lambda: made.extend([ids.next() for _ in range(2000)])) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 8000
