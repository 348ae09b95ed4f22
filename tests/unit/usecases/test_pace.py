"""Laws of the pace: never faster than asked, never slower than allowed, whoever holds the lease."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from parley.kernel.incoming import Destination
from parley.kernel.ports.outbox import Lease
from parley.kernel.ports.platform import Pace
from parley.usecases.deliver import pause_before_retry
from parley.usecases.pace import Bucket

PACES = st.builds(Pace, st.floats(0.1, 50), st.integers(1, 10))
SPANS = st.lists(st.floats(0, 5), min_size=1, max_size=40)
PLACE = Destination("slack", "C1")


def lease(tokens: float = -1.0, rested: float = -1.0) -> Lease:
    """Return a lease as the database hands it out."""
    return Lease(1, PLACE, "me", 1, tokens, rested)


@given(PACES, SPANS)
def test_calls_in_any_span_are_at_most_burst_and_pace(pace: Pace, spans: list[float]) -> None:
    bucket, now, calls = Bucket(pace, lease(), 0.0), 0.0, []
    for span in spans:
        now += span
        now += bucket.wait(now)
        bucket.take(now)
        calls.append(now)
    for first in range(len(calls)):
        for last in range(first, len(calls)):
            allowed = pace.burst + (calls[last] - calls[first]) * pace.per_second
            assert last - first + 1 <= allowed + 1e-6


@given(PACES, SPANS, st.randoms(use_true_random=False))
def test_a_platform_that_counts_when_calls_arrive_never_finds_one_too_early(
    pace: Pace, spans: list[float], chance: Random
) -> None:
    """It has a bucket of its own, and calls are on their way for as long as it pleases them."""
    bucket, now = Bucket(pace, lease(), 0.0), 0.0
    tokens, at = float(pace.burst), 0.0
    for span in spans:
        now += span
        now += bucket.wait(now)
        bucket.take(now)
        arrives = now + chance.uniform(0, 2)
        tokens, at = min(pace.burst, tokens + (arrives - at) * pace.per_second) - 1, arrives
        assert tokens > -1e-6
        now = arrives + chance.uniform(0, 1)
        bucket.arrived(now)


@given(PACES, SPANS)
def test_a_new_lease_continues_where_the_last_one_ended(pace: Pace, spans: list[float]) -> None:
    """One worker or a new one for each call: the waits are the same."""
    one, now, left, last = Bucket(pace, lease(), 0.0), 0.0, -1.0, 0.0
    for span in spans:
        now += span
        own = lease(left, now - last) if left >= 0 else lease()
        other = Bucket(pace, own, now)
        wait = one.wait(now)
        assert abs(other.wait(now) - wait) < 1e-6
        now += wait
        one.take(now)
        left, last = other.take(now), now


@given(PACES)
def test_a_channel_that_was_never_written_to_takes_a_whole_burst_at_once(pace: Pace) -> None:
    bucket = Bucket(pace, lease(), 0.0)
    for _ in range(pace.burst):
        assert bucket.wait(0.0) == 0
        bucket.take(0.0)
    assert bucket.wait(0.0) > 0


@given(PACES, st.floats(0, 10), st.floats(-100, 0))
def test_a_clock_that_goes_back_never_blocks_for_longer_than_one_call(
    pace: Pace, tokens: float, rested: float
) -> None:
    bucket = Bucket(pace, lease(tokens, rested), 0.0)
    assert 0 <= bucket.wait(0.0) <= 1 / pace.per_second + 1e-9


@given(st.integers(0, 10_000), st.one_of(st.none(), st.floats(0, 3600)))
def test_what_a_platform_asks_for_is_obeyed_and_the_rest_doubles_to_five_minutes(
    attempts: int, asked: float | None
) -> None:
    pause = pause_before_retry(attempts, asked)
    if asked is not None:
        assert asked <= pause <= asked + 0.5
    else:
        longest = min(300.0, 2.0 ** min(attempts, 20))
        assert longest / 2 <= pause <= longest
