"""Behind a digest stands a page with every event, and each event's page names its digest."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from aiohttp import ClientSession, CookieJar
from pydantic import SecretStr

from parley.bootstrap import Running, open_stores, start
from parley.events.envelope import event_from_sqs
from parley.kernel.configuration import Configuration
from parley.kernel.incoming import Destination
from parley.settings import Settings, Slack
from tests.contracts.slack_double import CHANNEL, TOKEN, Posted, SlackDouble, slack_double
from tests.loopback import serving_app

OPS = Configuration("ops", "123456789012", Destination("slack", CHANNEL))
EVENTS = 130


@dataclass
class Desk:
    """A gateway with a storm in its Slack channel, and a browser."""

    url: str
    running: Running
    slack: SlackDouble
    browser: ClientSession

    async def digest(self) -> Posted:
        """Wait until the channel shows a digest; return it."""
        async with asyncio.timeout(20):
            while True:
                for one in self.slack.posted():
                    if "DIGEST" in one.seen.text:
                        return one
                await asyncio.sleep(0.05)

    async def page(self, path: str, status: int = 200) -> str:
        """Return a page."""
        async with self.browser.get(self.url + path) as answer:
            assert answer.status == status
            return await answer.text()


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """Yield the desk: more came than a channel of one message a second carries."""
    async with slack_double(SlackDouble()) as slack:
        settings = Settings(
            data=tmp_path,
            slack=Slack(bot_token=SecretStr(TOKEN), base_url=slack.url, per_second=1),
        )
        with open_stores(settings) as stores:
            await stores.configurations.add(OPS)
            async with (
                start(stores, ("127.0.0.1", 0)) as running,
                serving_app(running.app) as url,
                ClientSession(cookie_jar=CookieJar(unsafe=True)) as browser,
            ):
                for number in range(EVENTS):
                    text = f"<b>disk {number:03}</b> is full"
                    await running.notify(event_from_sqs("queue", text, text), [OPS])
                yield Desk(url, running, slack, browser)
                running.stopping.set()


async def test_the_button_of_a_digest_leads_to_all_its_events(desk: Desk) -> None:
    digest = await desk.digest()
    [(label, address)] = digest.seen.links  # no other page is its source
    assert label.startswith("See all 1")
    path = urlsplit(address).path
    await desk.page(path, 401)
    token = await desk.running.stores.people.create_link("Ana Lopez")
    await desk.browser.post(f"{desk.url}/sign-in", data={"token": token})

    first = await desk.page(path)
    assert "&lt;b&gt;disk" in first
    assert "<b>disk" not in first
    [later] = re.findall(r'href="(/digests/\d+\?after=\d+)"', first)
    rest = await desk.page(later)
    assert "Show the first" in rest
    listed = re.findall(r'href="(/events/[^"]+)"', first + rest)
    alone = len(desk.slack.posted()) - 1
    assert EVENTS - alone - 5 <= len(listed) <= EVENTS
    assert len(set(listed)) == len(listed)

    assert f'<a href="{path}">in a digest</a>' in await desk.page(listed[0])
    await desk.page("/digests/1", 404)
    await desk.page("/digests/x", 400)
