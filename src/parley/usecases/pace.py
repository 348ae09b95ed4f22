"""How fast one channel is written to: a bucket of tokens that survives its worker."""

from parley.kernel.ports.outbox import Lease
from parley.kernel.ports.platform import Pace


class Bucket:
    """Tokens of one leased channel; the database keeps what is left between leases."""

    def __init__(self, pace: Pace, lease: Lease, now: float) -> None:
        """Continue where the last lease ended; a channel never written to has a full bucket."""
        self._pace = pace
        self._at = now
        never = lease.tokens < 0
        rested = max(lease.rested, 0.0) * pace.per_second
        self._tokens = float(pace.burst) if never else min(pace.burst, lease.tokens + rested)

    def wait(self, now: float) -> float:
        """Return how many seconds to wait before the next call."""
        self._refill(now)
        return max(0.0, (1.0 - self._tokens) / self._pace.per_second)

    def take(self, now: float) -> float:
        """Use one token up; return what is left, to be stored with the delivery."""
        self._refill(now)
        self._tokens = max(0.0, self._tokens - 1.0)
        return self._tokens

    def arrived(self, now: float) -> None:
        """Take note that the call has arrived.

        The platform takes its token only then, and its bucket may have been full until then: what
        would not have fitted into it beside that token was not earned.
        """
        self._refill(now)
        self._tokens = min(self._tokens, self._pace.burst - 1.0)

    def _refill(self, now: float) -> None:
        earned = (now - self._at) * self._pace.per_second
        self._tokens = min(float(self._pace.burst), self._tokens + earned)
        self._at = now
