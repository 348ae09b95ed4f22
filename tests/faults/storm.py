"""A regional failure: 1,000 alarms in 10 s for one Slack channel of one message a second.

    python -m tests.faults.storm --alarms 1000 --seconds 10

Slack is a double that limits as Slack does and answers 429 to what comes too early. An alarm is
represented when it has a message of its own or is counted in the digest as the channel shows it.
"""

import argparse
import asyncio
import re
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from tests.contracts.slack_double import CHANNEL, SlackDouble, slack_double
from tests.gateway import TOPIC, alarm
from tests.station import SLACK_TOKEN, Station, envelope, running

SENDERS = 16
FIRST_WITHIN = 2.0
ALL_WITHIN = 120.0
LIMITED = 0.01
_DIGEST = re.compile(r"DIGEST.*?([\d,]+) notifications? (?:at once|in )", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Figures:
    """What became of a storm. Times are seconds since the first alarm was sent."""

    alarms: int
    accepted_after: float
    first_after: float
    represented_after: float
    represented: int
    calls: int
    posts: int
    digests: int
    limited: int

    def __str__(self) -> str:
        """Return the figures in a line."""
        return (
            f"{self.alarms} alarms accepted in {self.accepted_after:.1f} s: first message after"
            f" {self.first_after:.2f} s, {self.represented} represented after"
            f" {self.represented_after:.1f} s by {self.calls} calls ({self.posts} messages,"
            f" {self.digests} of them digests), {self.limited} answered 429"
        )

    @property
    def good(self) -> bool:
        """Whether the goals are met."""
        return (
            self.represented >= self.alarms
            and self.first_after <= FIRST_WITHIN
            and self.represented_after <= ALL_WITHIN
            and self.limited <= LIMITED * self.calls
        )


def represented(slack: SlackDouble) -> tuple[int, int]:
    """Return how many alarms the channel shows, and in how many digests."""
    counted = [_DIGEST.search(one.seen.text) for one in slack.posted()]
    digests = [int(found[1].replace(",", "")) for found in counted if found]
    return len(counted) - len(digests) + sum(digests), len(digests)


async def storm(data: Path, alarms: int, seconds: float) -> Figures:
    """Let alarms arrive evenly over HTTP at `parley serve`; wait until all are represented."""
    async with slack_double(SlackDouble(per_second=1.0)) as slack:
        station = Station(data)
        slack_settings = f'[slack]\nbot_token = "{SLACK_TOKEN}"\nbase_url = "{slack.url}"\n'
        topic = TOPIC.format(room="region")
        station.write_settings(f'{slack_settings}[sns]\nunsigned_topics = ["{topic}"]\n')
        station.add("region", "--platform", "slack", "--channel", CHANNEL)
        async with running(station) as session:
            began = time.monotonic()
            await _send(station, session, alarms, seconds, began)
            accepted_after = time.monotonic() - began
            while True:
                shown, digests = represented(slack)
                after = time.monotonic() - began
                if shown >= alarms or after > ALL_WITHIN:
                    break
                await asyncio.sleep(0.1)
            return Figures(
                alarms=alarms,
                accepted_after=accepted_after,
                first_after=slack.calls[0][1] - began,
                represented_after=after,
                represented=shown,
                calls=len(slack.calls),
                posts=len(slack.messages),
                digests=digests,
                limited=slack.limited,
            )


async def _send(
    station: Station, session: aiohttp.ClientSession, alarms: int, seconds: float, began: float
) -> None:
    async def sender(own: int) -> None:
        for number in range(own, alarms, SENDERS):
            await asyncio.sleep(max(0.0, began + seconds * number / alarms - time.monotonic()))
            body = envelope("region", alarm("ALARM", f"service-{number:04}-errors"))
            assert await station.post(session, body) == 200

    await asyncio.gather(*(sender(own) for own in range(SENDERS)))


def main() -> int:
    """Run a storm; print its figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alarms", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=10.0)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = asyncio.run(storm(Path(folder) / "data", wanted.alarms, wanted.seconds))
    print(figures)  # noqa: T201 - a script talks by printing
    return 0 if figures.good else 1


if __name__ == "__main__":
    sys.exit(main())
