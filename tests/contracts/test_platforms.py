"""What every chat platform with a network keeps, whatever its API: one row per platform."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import aiohttp
import pytest

from parley.kernel.errors import DeliveryFailed, Reason
from parley.kernel.messages import Message, Text, Tone
from parley.kernel.ports.platform import ChatPlatform
from parley.platforms import outgoing
from parley.platforms.outgoing import open_session
from parley.platforms.slack.config import SlackConfig
from parley.platforms.slack.platform import Slack
from tests.contracts.slack_double import CHANNEL, TOKEN, Fault, Posted, slack_double

ALARM = Message(title=Text("latency above 800 ms"), tone=Tone.BAD, state="ALARM")
OK = Message(title=Text("latency above 800 ms"), tone=Tone.GOOD, state="OK")
LINE = Message(title=Text("612 ms"), tone=Tone.GOOD, state="OK")


@dataclass(slots=True)
class Case:
    """A platform under test, its counterpart, and what the tests need to know of both."""

    platform: ChatPlatform
    channel: str
    secret: str
    posted: Callable[..., list[Posted]]
    fail: Callable[[Fault], None]
    elsewhere: Callable[[str], ChatPlatform]
    """Returns the same platform at another address."""
    impatient: Callable[[aiohttp.ClientSession], ChatPlatform]
    """Returns the same platform with a session of another time-out."""
    gone: str = "C0NOBODY"


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with await open_session() as opened:
        yield opened


@pytest.fixture
async def slack(session: aiohttp.ClientSession) -> AsyncIterator[Case]:
    async with slack_double() as double:
        yield Case(
            Slack(SlackConfig(TOKEN, double.url), session),
            CHANNEL,
            TOKEN,
            double.posted,
            double.faults.append,
            lambda url: Slack(SlackConfig(TOKEN, url), session),
            lambda other: Slack(SlackConfig(TOKEN, double.url), other),
        )


@pytest.fixture(params=["slack"])
def case(request: pytest.FixtureRequest) -> Case:
    """Return each platform; another one is another name here and a fixture of that name."""
    made: Case = request.getfixturevalue(request.param)
    return made


async def failure(case: Case, platform: ChatPlatform | None = None) -> DeliveryFailed:
    """Return why a post was not taken; its text never holds the secret."""
    with pytest.raises(DeliveryFailed) as caught:
        await (platform or case.platform).post(case.channel, ALARM)
    assert case.secret not in str(caught.value)
    assert caught.value.__suppress_context__
    return caught.value


async def test_a_post_stands_in_the_channel(case: Case) -> None:
    await case.platform.post(case.channel, ALARM)
    (head,) = case.posted()
    assert "ALARM  latency above 800 ms" in head.seen.text


async def test_a_reply_stands_in_the_thread_of_its_head(case: Case) -> None:
    head = await case.platform.post(case.channel, ALARM)
    await case.platform.post(case.channel, LINE, thread=head)
    (posted,) = case.posted()
    (reply,) = case.posted(thread=posted.ts)
    assert "612 ms" in reply.seen.text


async def test_an_edit_replaces_the_message_in_place(case: Case) -> None:
    handle = await case.platform.post(case.channel, ALARM)
    await case.platform.edit(case.channel, handle, OK)
    (head,) = case.posted()
    assert head.edits == 1
    assert "OK  latency" in head.seen.text
    assert "ALARM" not in head.seen.text


async def test_handles_name_different_messages(case: Case) -> None:
    handles = [await case.platform.post(case.channel, ALARM) for _ in range(3)]
    assert len(set(handles)) == 3


async def test_the_pace_is_one_that_can_be_kept(case: Case) -> None:
    assert case.platform.pace.per_second > 0
    assert case.platform.pace.burst >= 1


async def test_a_platform_that_asks_for_rest_says_for_how_long(case: Case) -> None:
    case.fail(Fault(error="ratelimited", status=429, headers={"Retry-After": "7"}))
    failed = await failure(case)
    assert failed.reason is Reason.RATE_LIMITED
    assert failed.retry_after == 7
    assert not failed.permanent


@pytest.mark.parametrize("asked", ["soon", "-1", "nan", "1e9", "9" * 40, ""])
async def test_a_rest_that_is_no_number_is_left_to_us(case: Case, asked: str) -> None:
    case.fail(Fault(status=429, headers={"Retry-After": asked}))
    failed = await failure(case)
    assert (failed.reason, failed.retry_after) == (Reason.RATE_LIMITED, None)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=500),
        Fault(status=503, body=b"<html>try later</html>"),
        Fault(body=b"<html>sign in to the airport</html>"),
        Fault(body=b"{"),
        Fault(body=b"[]"),
        Fault(body=b'{"ok": true}'),
        Fault(body=b"\xff\xfe"),
        Fault(body=b"a" * (outgoing.MAX_ANSWER_BYTES + 1)),
        Fault(status=302, headers={"Location": "https://example.com/"}),
    ],
    ids=["500", "503", "page", "half", "list", "bare", "binary", "endless", "redirect"],
)
async def test_answers_that_mean_nothing_are_worth_another_try(case: Case, fault: Fault) -> None:
    case.fail(fault)
    assert (await failure(case)).reason is Reason.SERVER


async def test_a_connection_that_breaks_is_worth_another_try(case: Case) -> None:
    case.fail(Fault(drop=True))
    failed = await failure(case)
    assert failed.reason is Reason.UNREACHABLE
    assert "closed before an answer" in str(failed)


async def test_a_platform_that_does_not_answer_is_given_up_in_time(case: Case) -> None:
    case.fail(Fault(delay=60))
    quick = aiohttp.ClientTimeout(total=0.2)
    async with aiohttp.ClientSession(timeout=quick) as session:
        failed = await failure(case, case.impatient(session))
    assert failed.reason is Reason.UNREACHABLE
    assert "no answer" in str(failed)


async def test_a_port_where_nobody_listens_is_worth_another_try(case: Case) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    failed = await failure(case, case.elsewhere(f"http://127.0.0.1:{port}/secret-path/"))
    assert failed.reason is Reason.UNREACHABLE
    assert "refused" in str(failed)
    assert "secret-path" not in str(failed)


async def test_a_channel_that_is_not_there_is_final(case: Case) -> None:
    with pytest.raises(DeliveryFailed) as caught:
        await case.platform.post(case.gone, ALARM)
    assert caught.value.reason is Reason.GONE
    assert caught.value.permanent


async def test_an_edit_of_what_was_deleted_is_final(case: Case) -> None:
    handle = await case.platform.post(case.channel, ALARM)
    case.fail(Fault(error="message_not_found"))
    with pytest.raises(DeliveryFailed) as caught:
        await case.platform.edit(case.channel, handle, OK)
    assert caught.value.reason is Reason.CLIENT
    assert "deleted" in str(caught.value)


async def test_a_secret_that_the_platform_repeats_stays_ours(case: Case) -> None:
    case.fail(Fault(error=f"no such token {case.secret}"))
    assert "***" in str(await failure(case))


async def test_one_hanging_call_does_not_hold_up_another(case: Case) -> None:
    case.fail(Fault(delay=60))
    hanging = asyncio.create_task(case.platform.post(case.channel, ALARM))
    await asyncio.sleep(0.05)
    await asyncio.wait_for(case.platform.post(case.channel, LINE), 5)
    hanging.cancel()
    with pytest.raises(asyncio.CancelledError):
        await hanging
