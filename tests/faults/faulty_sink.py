"""A sink that answers a share of the calls wrongly: everything arrives all the same.

Which calls and how is drawn from the seed. What Slack will never take becomes a dead letter and
holds up nothing.
"""

import random
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.contracts.slack_double import Fault, SlackDouble
from tests.faults.oracle import Row, judge
from tests.faults.site import site

SHARE = 0.2
DRAIN = 240.0
FAULTS: Mapping[str, Fault] = {
    "429": Fault("ratelimited", 429, headers={"Retry-After": "1"}),
    "500": Fault(status=500, body=b"<html>sorry</html>"),
    "503": Fault("service_unavailable", 503),
    "ok: false": Fault("internal_error"),
    "dropped": Fault(drop=True),
    "dropped after posting": Fault(drop=True, after_posting=True),
    "garbage": Fault(body=b"\x00\xff{{{"),
    "not Slack": Fault(body=b'{"message": "hello"}'),
    "permanent": Fault("msg_too_long"),
}
HANGS = Fault(delay=30.0, drop=True)


async def answered_wrongly(
    data: Path, messages: int, hangs: int, seed: int, *, patience: float | None = None
) -> Row:
    """Send so many messages; `hangs` calls are not answered for 30 s. Return the figures."""
    chance = random.Random(f"{seed}/sink")  # noqa: S311 - chance of a test
    happened: Counter[str] = Counter()

    def choose(method: str, _content: Mapping[str, Any]) -> Fault | None:
        if not method.startswith("chat."):
            return None
        if happened["hung"] < hangs and chance.random() < hangs / messages:
            happened["hung"] += 1
            return HANGS
        if chance.random() > SHARE:
            return None
        name = chance.choice(list(FAULTS))
        happened[name] += 1
        return FAULTS[name]

    slack = SlackDouble(may_read=False, choose=choose)
    async with site(data, seed, rate=40.0, most=messages, slack=slack, patience=patience) as made:
        await made.start()
        await made.load.run()
        stored = await made.drained(DRAIN)
        row = judge(
            {
                "fault": f"{SHARE:.0%} of the calls answered wrongly",
                "seed": seed,
                "refused": made.load.refused,
                "seconds": made.seconds(),
                "note": ", ".join(f"{times} {name}" for name, times in sorted(happened.items())),
            },
            stored,
            made.load.accepted.values(),
            slack,
        )
        assert row.dead == happened["permanent"], str(row)
        assert row.duplicates <= happened["dropped after posting"], str(row)
        return row
