"""A server that is killed between Slack's taking a message and its mark: once, or marked."""

import asyncio

import pytest

from tests.contracts.slack_double import CHANNEL, Fault, slack_double
from tests.station import SLACK_TOKEN, Station, envelope, running, until


@pytest.mark.parametrize("may_read, posted, noted", [(True, 2, False), (False, 3, True)])
@pytest.mark.parametrize("how", ["killed", "stopped"])
async def test_what_was_in_flight_is_looked_up_or_marked(
    station: Station, how: str, may_read: bool, posted: int, noted: bool
) -> None:
    station.add("slack", "--platform", "slack", "--channel", CHANNEL, topic="ops")
    async with slack_double() as slack:
        slack.may_read = may_read
        slack.always = Fault(delay=60, after_posting=True)
        environment = {"PARLEY_SLACK_BOT_TOKEN": SLACK_TOKEN, "PARLEY_SLACK_BASE_URL": slack.url}
        async with running(station, **environment) as session:
            await station.post(session, envelope("ops", "first"))
            await station.post(session, envelope("ops", "second"))
            await until(lambda: len(slack.messages) == 1)
            if how == "stopped":
                assert await asyncio.to_thread(station.stop) == 0
        slack.always = None
        async with running(station, **environment):
            await until(lambda: len(slack.messages) >= posted)
            await until(lambda: not station.parley("deliveries", "list", "--state", "pending")
                        .stdout.count("slack:"))  # fmt: skip
            assert len(slack.messages) == posted
            listed = station.parley("deliveries", "list", "--state", "sent").stdout.splitlines()
    marked = [line for line in listed if "maybe twice" in line]
    assert len(marked) == int(noted)
    assert all("slack:" in line for line in marked)
