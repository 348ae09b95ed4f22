"""A configuration that speaks in a Slack channel, against a workspace as strict as Slack."""

from collections.abc import AsyncIterator

import pytest

from tests.contracts.slack_double import CHANNEL, Fault, SlackDouble, slack_double
from tests.gateway import alarm, custom
from tests.station import SLACK_TOKEN, Station, envelope, lines, running, until


@pytest.fixture
async def slack() -> AsyncIterator[SlackDouble]:
    """Yield a workspace."""
    async with slack_double() as double:
        yield double


@pytest.fixture
def environment(station: Station, slack: SlackDouble) -> dict[str, str]:
    """Return settings with access to the workspace; the topic `ops` speaks there, too."""
    station.add("slack", "--platform", "slack", "--channel", CHANNEL, topic="ops")
    return {
        "PARLEY_SLACK_BOT_TOKEN": SLACK_TOKEN,
        "PARLEY_SLACK_BASE_URL": slack.url,
        "PARLEY_SLACK_PER_SECOND": "50",
    }


async def test_an_alarm_is_edited_in_place_and_its_thread_keeps_the_changes(
    station: Station, slack: SlackDouble, environment: dict[str, str]
) -> None:
    async with running(station, **environment) as session:
        for state in ("ALARM", "OK", "ALARM"):
            assert await station.post(session, envelope("ops", alarm(state))) == 200
        await until(lambda: len(slack.messages) == 3 and slack.messages[0].edits > 0)
        [head] = slack.posted()
        assert "2nd time in" in str(head.content)
        replies = slack.posted(thread=head.ts)
        assert ["OK" in str(one.content["text"]) for one in replies] == [True, False]
        # The web chat shows the same at the same time.
        [room] = await station.until_room(
            "ops", lambda found: bool(found and found[0].replies == 2)
        )
        assert room.message
        assert room.message.note.startswith("2nd time in ")


async def test_nothing_is_lost_while_slack_limits_fails_and_hangs_up(
    station: Station, slack: SlackDouble, environment: dict[str, str]
) -> None:
    slack.faults.extend(
        [
            Fault("ratelimited", 429, headers={"Retry-After": "1"}),
            Fault(status=503, body=b"<html>sorry</html>"),
            Fault("internal_error"),
            Fault(drop=True),
        ]
    )
    async with running(station, **environment) as session:
        for number in range(5):
            await station.post(session, envelope("ops", custom(f"message {number}")))
        await until(lambda: len(slack.messages) == 5, "Slack got less than was accepted")
        limited, after = (at for _, at in slack.calls[:2])
        assert after - limited >= 1
        _, metrics = await station.get("/metrics")
        assert 'EventsThrottled_total{ConfigurationName="slack"} 1.0' in metrics
    titles = sorted(str(one.content["text"]) for one in slack.messages)
    assert [f"message {number}" in title for number, title in enumerate(titles)] == [True] * 5


async def test_a_revoked_token_is_told_and_the_room_goes_on(
    station: Station, slack: SlackDouble, environment: dict[str, str]
) -> None:
    slack.always = Fault("token_revoked")
    async with running(station, **environment) as session:
        await station.post(session, envelope("ops", custom("lost to Slack")))
        await station.until_room("ops", lambda found: len(found) == 1)
        [told] = await station.until_room("admin", lambda found: len(found) == 1)
        assert lines([told]) == [f"FAILED: Messages do not arrive in slack:{CHANNEL}"]
        assert "install the app again" in str(told.message)
        shown = station.parley("configurations", "show", "slack").stdout
        assert "revoked" in shown
        assert "unhealthy" in station.parley("configurations", "list").stdout

        slack.always = None
        await station.post(session, envelope("ops", custom("arrives")))
        told = (await station.until_room("admin", lambda found: len(found) == 2))[-1]
        assert lines([told]) == [f"OK: Messages arrive in slack:{CHANNEL} again"]
        assert "unhealthy" not in station.parley("configurations", "list").stdout
    assert SLACK_TOKEN not in station.log.read_text()
    assert SLACK_TOKEN not in str(await station.room("admin"))


async def test_what_could_not_be_sent_waits_for_the_token(
    station: Station, slack: SlackDouble, environment: dict[str, str]
) -> None:
    async with running(station) as session:
        await station.post(session, envelope("ops", custom("patient")))
        [told] = await station.until_room("admin", lambda found: len(found) == 1)
        assert lines([told]) == [f"FAILED: Nothing can be sent to slack:{CHANNEL}"]
        assert "PARLEY_SLACK_BOT_TOKEN" in str(told.message)
    assert slack.calls == []
