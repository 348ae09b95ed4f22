"""Slack's own part of the contract: what it refuses, why, and what is to be done."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from parley.kernel.errors import DeliveryFailed, InvalidRequest, Reason
from parley.kernel.messages import Message, Text
from parley.platforms.outgoing import open_session
from parley.platforms.slack.config import SlackConfig
from parley.platforms.slack.platform import Slack
from tests.contracts.slack_double import CHANNEL, TOKEN, Fault, SlackDouble, slack_double

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
MESSAGE = Message(title=Text("latency above 800 ms"), state="ALARM")


@pytest.fixture
async def workspace() -> AsyncIterator[SlackDouble]:
    async with slack_double() as double:
        yield double


@pytest.fixture
async def slack(workspace: SlackDouble) -> AsyncIterator[Slack]:
    async with await open_session() as session:
        yield Slack(SlackConfig(TOKEN, workspace.url, "https://parley.example.com"), session)


@pytest.mark.parametrize(
    "error, reason, says",
    [
        ("ratelimited", Reason.RATE_LIMITED, "fewer messages"),
        ("invalid_auth", Reason.AUTH, "bot token"),
        ("token_revoked", Reason.AUTH, "install the app again"),
        ("account_inactive", Reason.AUTH, "install the app again"),
        ("not_authed", Reason.AUTH, "put the bot token into the settings"),
        ("org_login_required", Reason.AUTH, "moving this workspace"),
        ("channel_not_found", Reason.GONE, "check its id"),
        ("not_in_channel", Reason.GONE, "/invite @Parley"),
        ("is_archived", Reason.GONE, "unarchive it"),
        ("msg_too_long", Reason.CLIENT, "too long"),
        ("invalid_blocks", Reason.CLIENT, "the form"),
        ("message_not_found", Reason.CLIENT, "was deleted"),
        ("internal_error", Reason.SERVER, "on its side"),
        ("fatal_error", Reason.SERVER, "on its side"),
        ("service_unavailable", Reason.SERVER, "not available"),
        ("an_error_of_tomorrow", Reason.CLIENT, "an_error_of_tomorrow"),
    ],
)
async def test_each_refusal_says_why_and_what_to_do(
    slack: Slack, workspace: SlackDouble, error: str, reason: Reason, says: str
) -> None:
    workspace.faults.append(Fault(error=error))
    with pytest.raises(DeliveryFailed) as caught:
        await slack.post(CHANNEL, MESSAGE)
    assert caught.value.reason is reason
    assert says in str(caught.value)


async def test_a_missing_scope_is_named(slack: Slack, workspace: SlackDouble) -> None:
    workspace.faults.append(Fault(error="missing_scope", extra={"needed": "chat:write.public"}))
    with pytest.raises(DeliveryFailed, match=r"scope chat:write\.public") as caught:
        await slack.post(CHANNEL, MESSAGE)
    assert caught.value.reason is Reason.AUTH


async def test_what_slack_says_about_the_form_is_passed_on(
    slack: Slack, workspace: SlackDouble
) -> None:
    said = {"messages": ["[ERROR] no more than 50 items allowed [json-pointer:/blocks]", 7]}
    workspace.faults.append(Fault(error="invalid_blocks", extra={"response_metadata": said}))
    with pytest.raises(DeliveryFailed, match="no more than 50 items"):
        await slack.post(CHANNEL, MESSAGE)


async def test_a_wrong_token_is_refused(workspace: SlackDouble) -> None:
    async with await open_session() as session:
        slack = Slack(SlackConfig("xoxb-other", workspace.url), session)
        with pytest.raises(DeliveryFailed) as caught:
            await slack.post(CHANNEL, MESSAGE)
    assert caught.value.reason is Reason.AUTH
    assert "xoxb-other" not in str(caught.value)


async def test_handles_hold_the_channels_id_and_the_time(slack: Slack) -> None:
    assert await slack.post(CHANNEL, MESSAGE) == f"{CHANNEL}:1700000000.000001"


async def test_a_reply_to_an_unknown_head_is_refused(slack: Slack) -> None:
    with pytest.raises(DeliveryFailed, match="head was deleted") as caught:
        await slack.post(CHANNEL, MESSAGE, thread=f"{CHANNEL}:1.1")
    assert caught.value.reason is Reason.CLIENT


async def test_a_handle_that_is_none_of_ours_is_refused(
    slack: Slack, workspace: SlackDouble
) -> None:
    with pytest.raises(DeliveryFailed, match="does not name a message") as caught:
        await slack.edit(CHANNEL, "42", MESSAGE)
    assert caught.value.reason is Reason.CLIENT
    assert workspace.calls == []


async def test_slack_fetches_no_page_that_a_message_names(
    slack: Slack, workspace: SlackDouble
) -> None:
    await slack.post(CHANNEL, MESSAGE)
    content = workspace.posted()[0].content
    assert content["unfurl_links"] is False
    assert content["unfurl_media"] is False


async def test_the_pace_that_slack_is_given_is_one_it_takes(
    slack: Slack, workspace: SlackDouble
) -> None:
    workspace.per_second, workspace.burst = slack.pace.per_second, slack.pace.burst
    for _ in range(slack.pace.burst):
        await slack.post(CHANNEL, MESSAGE)
    with pytest.raises(DeliveryFailed) as caught:
        await slack.post(CHANNEL, MESSAGE)
    assert caught.value.reason is Reason.RATE_LIMITED
    assert caught.value.retry_after == 1


async def test_a_message_is_found_again_by_its_key(slack: Slack, workspace: SlackDouble) -> None:
    posted = [await slack.post(CHANNEL, MESSAGE, key=str(number)) for number in range(4)]
    for number, handle in enumerate(posted):
        assert await slack.find(CHANNEL, str(number), "", NOW) == handle
    assert await slack.find(CHANNEL, "another", "", NOW) == ""
    reply = await slack.post(CHANNEL, MESSAGE, thread=posted[0], key="reply")
    assert await slack.find(CHANNEL, "reply", posted[0], NOW) == reply
    assert await slack.find(CHANNEL, "reply", "", NOW) == ""
    assert {one.content["metadata"]["event_type"] for one in workspace.messages} == {
        "parley_delivery"
    }


async def test_a_channel_that_the_app_may_not_read_holds_nothing(
    slack: Slack, workspace: SlackDouble
) -> None:
    await slack.post(CHANNEL, MESSAGE, key="1")
    workspace.may_read = False
    assert await slack.find(CHANNEL, "1", "", NOW) == ""


async def test_a_busy_slack_is_asked_again_later(slack: Slack, workspace: SlackDouble) -> None:
    workspace.faults.append(Fault(error="ratelimited", status=429, headers={"Retry-After": "7"}))
    with pytest.raises(DeliveryFailed) as caught:
        await slack.find(CHANNEL, "1", "", NOW)
    assert caught.value.retry_after == 7


@pytest.mark.parametrize(
    "fault, unanswered",
    [(Fault(drop=True, after_posting=True), True), (Fault(error="internal_error"), False)],
)
async def test_a_call_without_an_answer_may_have_been_heard(
    slack: Slack, workspace: SlackDouble, fault: Fault, unanswered: bool
) -> None:
    workspace.faults.append(fault)
    with pytest.raises(DeliveryFailed) as caught:
        await slack.post(CHANNEL, MESSAGE)
    assert caught.value.unanswered is unanswered


async def test_where_nobody_listens_nothing_was_heard() -> None:
    async with await open_session() as session:
        slack = Slack(SlackConfig(TOKEN, "http://127.0.0.1:1/api/"), session)
        with pytest.raises(DeliveryFailed) as caught:
            await slack.post(CHANNEL, MESSAGE)
    assert caught.value.reason is Reason.UNREACHABLE
    assert not caught.value.unanswered


@pytest.mark.parametrize(
    "token, api_url, console_url, says",
    [
        ("", "https://slack.com/api/", "", "token is empty"),
        ("xoxb-1\n", "https://slack.com/api/", "", "spaces in it"),
        (TOKEN, "slack.com/api", "", "start it with https://"),
        (TOKEN, "", "", "is empty"),
        (TOKEN, "https://slack.com/api/", "javascript:alert(1)", "start it with https://"),
    ],
)
def test_a_set_up_that_cannot_work_is_refused_at_the_start(
    token: str, api_url: str, console_url: str, says: str
) -> None:
    with pytest.raises(InvalidRequest, match=says) as caught:
        SlackConfig(token, api_url, console_url)
    assert TOKEN not in str(caught.value)


def test_the_token_is_not_shown_by_its_config() -> None:
    assert TOKEN not in repr(SlackConfig(TOKEN))
