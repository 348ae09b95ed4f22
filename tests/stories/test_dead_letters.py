"""A message that was given up is seen on the page, and sent again when somebody asks for it."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import ClientSession, CookieJar
from pydantic import SecretStr

from parley.bootstrap import Running, open_stores, start
from parley.cli import main
from parley.events.envelope import event_from_sqs
from parley.kernel.configuration import Configuration
from parley.kernel.incoming import Destination
from parley.kernel.ports.deliveries import Tally
from parley.settings import Settings, Slack
from tests.contracts.slack_double import CHANNEL, TOKEN, Fault, SlackDouble, slack_double
from tests.loopback import serving_app

OPS = Configuration("ops", "123456789012", Destination("slack", CHANNEL))


@dataclass
class Desk:
    """A gateway whose Slack channel is not there, and somebody who is signed in."""

    url: str
    running: Running
    client: ClientSession
    slack: SlackDouble
    data: Path

    async def notify(self, text: str) -> None:
        """Accept an event."""
        event = event_from_sqs("queue", text, text)
        assert await self.running.notify(event, [OPS])

    async def tally(self, pending: int, dead: int) -> None:
        """Wait until so many deliveries of Slack's are pending and dead."""
        manage = self.running.stores.manage_deliveries()
        async with asyncio.timeout(20):
            while await manage.tally() != Tally(pending, dead):  # noqa: ASYNC110 - in the database
                await asyncio.sleep(0.02)

    async def page(self, path: str = "/deliveries") -> str:
        """Return a page."""
        async with self.client.get(self.url + path) as answer:
            assert answer.status == 200
            return await answer.text()

    async def press(self, path: str, **headers: str) -> int:
        """Press a button of the page."""
        async with self.client.post(
            self.url + path, data={"state": "dead"}, headers=headers
        ) as one:
            return one.status


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """Yield the desk; Slack refuses the channel for good until the test adds it."""
    async with slack_double(SlackDouble(channels=set())) as slack:
        settings = Settings(
            data=tmp_path,
            slack=Slack(bot_token=SecretStr(TOKEN), base_url=slack.url, per_second=100),
        )
        with open_stores(settings) as stores:
            await stores.configurations.add(OPS)
            async with (
                start(stores, ("127.0.0.1", 0)) as running,
                serving_app(running.app) as url,
                ClientSession(cookie_jar=CookieJar(unsafe=True)) as client,
            ):
                token = await stores.people.create_link("Ana Lopez")
                await client.post(f"{url}/sign-in", data={"token": token})
                yield Desk(url, running, client, slack, tmp_path)
                running.stopping.set()


async def test_what_was_given_up_is_shown_with_its_reason_and_sent_again(desk: Desk) -> None:
    assert "Nothing was given up" in await desk.page()
    assert (await desk.page("/deliveries/badge")).strip() == ""
    await desk.notify("the disk is full")
    await desk.tally(0, 1)
    page = await desk.page()
    assert "the disk is full" in page
    assert "does not find the channel" in page
    assert ">1<" in await desk.page("/deliveries/badge")
    desk.slack.channels.add(CHANNEL)
    [action] = re.findall(r'action="(/deliveries/\d+/replay)"', page)
    assert await desk.press(action) == 200
    await desk.tally(0, 0)
    assert len(desk.slack.posted()) == 1
    assert "Nothing was given up" in await desk.page()
    assert "the disk is full" in await desk.page("/deliveries?state=sent")


async def test_all_are_sent_again_at_once(desk: Desk) -> None:
    for number in range(3):
        await desk.notify(f"event {number}")
    await desk.tally(0, 3)
    assert "Nothing was given up" in await desk.page("/deliveries?state=dead&configuration=other")
    desk.slack.channels.add(CHANNEL)
    assert await desk.press("/deliveries/replay") == 200
    await desk.tally(0, 0)
    posted = [one.seen.text for one in desk.slack.posted()]
    assert [f"event {number}" in text for number, text in enumerate(posted)] == [True] * 3


async def test_only_our_own_pages_send_again(desk: Desk) -> None:
    await desk.notify("the disk is full")
    await desk.tally(0, 1)
    [delivery] = re.findall(r"/deliveries/(\d+)/replay", await desk.page())
    path = f"/deliveries/{delivery}/replay"
    elsewhere = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
    assert await desk.press(path, **elsewhere) == 403
    async with ClientSession() as stranger, stranger.post(desk.url + path) as answer:
        assert answer.status == 401
    await desk.tally(0, 1)


async def test_nonsense_is_answered_plainly(desk: Desk) -> None:
    for path, status in (("/deliveries?state=lost", 400), ("/deliveries?before=x", 400)):
        async with desk.client.get(desk.url + path) as answer:
            assert answer.status == status
    assert await desk.press("/deliveries/17/replay") == 404


async def test_the_command_line_does_the_same(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    await desk.notify("the disk is full")
    await desk.tally(0, 1)

    async def parley(*words: str) -> str:
        assert await asyncio.to_thread(main, [*words, "--data", str(desk.data)]) == 0
        return capsys.readouterr().out

    listed = await parley("deliveries", "list", "--since", "1h")
    assert "the disk is full" in listed
    [delivery] = re.findall(r"^\d{10,}", listed, re.MULTILINE)
    shown = await parley("deliveries", "show", delivery)
    assert "does not find the channel" in shown
    assert "The event as it arrived" in shown
    desk.slack.channels.add(CHANNEL)
    assert "1 dead letter is pending again" in await parley("deliveries", "replay", delivery)
    await desk.tally(0, 0)
    assert "None is dead" in await parley("deliveries", "list")
    assert "0 dead letters" in await parley("deliveries", "replay", "--all-dead")


async def test_what_slack_took_without_an_answer_is_not_posted_twice(desk: Desk) -> None:
    desk.slack.channels.add(CHANNEL)
    desk.slack.faults.append(Fault(drop=True, after_posting=True))
    await desk.notify("the disk is full")
    await desk.tally(0, 0)
    assert len(desk.slack.posted()) == 1
    assert "maybe twice" not in await desk.page("/deliveries?state=sent")


async def test_where_slack_does_not_let_us_look_it_is_sent_again_and_said(desk: Desk) -> None:
    desk.slack.channels.add(CHANNEL)
    desk.slack.may_read = False
    desk.slack.faults.append(Fault(drop=True, after_posting=True))
    await desk.notify("the disk is full")
    await desk.tally(0, 0)
    assert len(desk.slack.posted()) == 2
    assert "maybe twice" in await desk.page("/deliveries?state=sent")
