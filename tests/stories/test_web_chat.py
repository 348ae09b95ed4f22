"""The web chat as an HTTP client meets it: who gets in, what changes, what an open page is told."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa
from aiohttp import ClientResponse, ClientSession, CookieJar
from yarl import URL

from parley.bootstrap import Running, open_stores, start
from parley.kernel.configuration import Configuration
from parley.kernel.incoming import Destination
from parley.settings import Settings
from parley.storage.schema import room_changes
from tests.loopback import serving_app

PAGE = {"Accept": "text/html"}


@dataclass
class Chat:
    """A running Parley with the rooms `ops` and `admin`, and a client without a session."""

    url: str
    running: Running
    client: ClientSession

    async def sign_in(self) -> ClientResponse:
        """Redeem a new link in the client."""
        token = await self.running.stores.people.create_link("Ana Lopez")
        return await self.client.post(f"{self.url}/sign-in", data={"token": token})

    async def say(self, text: str, **fields: str) -> ClientResponse:
        """Write a line in the room `ops`."""
        data = {"text": text, **fields}
        return await self.client.post(f"{self.url}/rooms/ops/messages", data=data)


@pytest.fixture
async def chat(tmp_path: Path) -> AsyncIterator[Chat]:
    """Yield a chat behind which everything is real."""
    with open_stores(Settings(data=tmp_path)) as stores:
        await stores.configurations.add(
            Configuration("ops", "123456789012", Destination("local", "ops"))
        )
        async with (
            start(stores, ("127.0.0.1", 0)) as running,
            serving_app(running.app) as url,
            ClientSession(cookie_jar=CookieJar(unsafe=True)) as client,
        ):
            yield Chat(url, running, client)
            running.stopping.set()


@asynccontextmanager
async def stream(chat: Chat, **headers: str) -> AsyncIterator[AsyncIterator[tuple[str, str, str]]]:
    """Open the stream of the room `ops` from its beginning; yield its events as they come."""
    url = f"{chat.url}/rooms/ops/events?after=0"
    async with chat.client.get(url, headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        yield _events(answer)


async def _events(answer: ClientResponse) -> AsyncIterator[tuple[str, str, str]]:
    found = {"id": "", "event": "", "data": ""}
    async for raw in answer.content:
        name, _, value = raw.decode().strip().partition(": ")
        if name:
            found[name] = value
        else:
            yield found["id"], found["event"], found["data"]
            found = {"id": "", "event": "", "data": ""}


async def changes(events: AsyncIterator[tuple[str, str, str]], count: int) -> list[tuple[int, str]]:
    """Return number and one-line label of the next changes."""
    found: list[tuple[int, str]] = []
    async with asyncio.timeout(10):
        async for number, event, data in events:
            if event == "parley:change":
                found.append((int(number), json.loads(data)["label"]))
            if len(found) == count:
                break
    return found


async def test_nobody_gets_in_without_a_session(chat: Chat) -> None:
    page = await chat.client.get(f"{chat.url}/rooms/ops", headers=PAGE)
    assert page.status == 401
    assert "parley sign-in-link" in await page.text()
    for address in ("/rooms/ops/events", "/badges", "/search?q=x", "/events/x"):
        answer = await chat.client.get(chat.url + address)
        assert answer.status == 401, address
        assert (await answer.json())["code"] == "SignInRequired"
    assert (await chat.say("hello")).status == 401


async def test_a_link_survives_its_preview_and_works_once(chat: Chat) -> None:
    token = await chat.running.stores.people.create_link("Ana Lopez")
    link = f"{chat.url}/sign-in?token={token}"
    for _ in range(2):
        assert (await chat.client.get(link)).status == 200
        await chat.client.head(link)
    signed_in = await chat.client.post(
        f"{chat.url}/sign-in", data={"token": token}, allow_redirects=False
    )
    assert signed_in.status == 303
    cookie = signed_in.cookies["parley_session"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "lax"
    again = await chat.client.post(f"{chat.url}/sign-in", data={"token": token})
    assert again.status == 403
    assert "used already" in await again.text()


async def test_sign_in_leads_to_the_page_that_was_wanted(chat: Chat) -> None:
    await chat.client.get(f"{chat.url}/search?q=latency", headers=PAGE)
    answer = await chat.sign_in()
    assert answer.status == 200
    assert str(answer.url) == f"{chat.url}/search?q=latency"


async def test_a_page_of_any_name_may_be_wanted(chat: Chat) -> None:
    address = f"{chat.url}/rooms/%E6%97%A5?before=1"
    asked = await chat.client.get(URL(address, encoded=True), headers=PAGE)
    assert asked.status == 401
    answer = await chat.sign_in()
    assert answer.url == URL(address, encoded=True)


async def test_sign_out_ends_the_session(chat: Chat) -> None:
    await chat.sign_in()
    cookies = {one.key: one.value for one in chat.client.cookie_jar}
    assert (await chat.client.get(f"{chat.url}/badges")).status == 200
    await chat.client.post(f"{chat.url}/sign-out")
    async with ClientSession(cookies=cookies) as thief:
        assert (await thief.get(f"{chat.url}/badges")).status == 401


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "[", "a b"])
async def test_another_name_for_this_machine_is_refused(chat: Chat, host: str) -> None:
    await chat.sign_in()
    answer = await chat.client.get(f"{chat.url}/rooms/ops", headers={"Host": host})
    assert answer.status in {400, 421}


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
async def test_a_page_of_another_site_can_do_nothing(chat: Chat, headers: dict[str, str]) -> None:
    await chat.sign_in()
    refused = await chat.client.post(
        f"{chat.url}/rooms/ops/messages", data={"text": "hello"}, headers=headers
    )
    assert refused.status == 403
    own = {"Sec-Fetch-Site": "same-origin", "Origin": chat.url}
    told = await chat.client.post(
        f"{chat.url}/rooms/ops/messages", data={"text": "hello"}, headers=own
    )
    assert told.status == 201
    assert len(await chat.running.stores.rooms.history("ops", None, 10)) == 1


async def test_every_answer_binds_the_browser(chat: Chat) -> None:
    await chat.sign_in()
    page = await (await chat.client.get(f"{chat.url}/rooms/ops")).text()
    script = re.search(r"/static/\w+/js/chat\.js", page)
    assert script
    for address in ("/rooms/ops", "/nowhere", "/healthz", "/badges", script[0]):
        headers = (await chat.client.get(chat.url + address)).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'self'; img-src 'self' data:;" in policy, address
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
    kept = (await chat.client.get(chat.url + script[0])).headers["Cache-Control"]
    assert "immutable" in kept
    old = re.sub(r"/static/\w+/", "/static/000000000000/", script[0])
    assert (await chat.client.get(chat.url + old)).headers["Cache-Control"] == "no-cache"
    assert (await chat.client.get(f"{chat.url}/rooms/ops")).headers["Cache-Control"] == "no-store"


async def test_what_does_not_exist_is_said_plainly(chat: Chat) -> None:
    await chat.sign_in()
    room = await chat.client.get(f"{chat.url}/rooms/nowhere", headers=PAGE)
    assert room.status == 404
    assert "There is no room nowhere" in await room.text()
    for address in ("/rooms/ops/messages/1", "/events/sns:x", "/rooms/nowhere/events"):
        answer = await chat.client.get(chat.url + address)
        assert (answer.status, (await answer.json())["code"]) == (404, "ResourceNotFound")
    for number in ("one", str(2**63), "9" * 40):
        answer = await chat.client.get(f"{chat.url}/rooms/ops/messages/{number}")
        assert (answer.status, (await answer.json())["code"]) == (400, "InvalidRequest")


async def test_lines_that_cannot_be_taken_say_why(chat: Chat) -> None:
    await chat.sign_in()
    assert "type something" in (await (await chat.say("  ")).json())["message"]
    assert (await chat.say("x" * 20_000)).status == 400
    assert (await chat.say("x" * 100_000)).status == 400
    assert (await chat.say("hello", root="17")).status == 404
    assert (await chat.say("hello", root="first")).status == 400


async def test_the_stream_replays_what_a_page_missed(chat: Chat) -> None:
    await chat.sign_in()
    for number in range(3):
        await chat.say(f"line {number}")
    async with stream(chat) as events:
        assert [one for one, _ in await changes(events, 3)] == [1, 2, 3]
        await chat.say("line 3")
        assert await changes(events, 1) == [(4, "Ana Lopez: line 3")]
    await chat.say("line 4")
    async with stream(chat, **{"Last-Event-ID": "3"}) as events:
        assert await changes(events, 2) == [(4, "Ana Lopez: line 3"), (5, "Ana Lopez: line 4")]


async def test_a_reply_comes_with_its_head(chat: Chat) -> None:
    await chat.sign_in()
    head = await (await chat.say("head")).json()
    await chat.say("reply", root=head["id"])
    async with stream(chat, **{"Last-Event-ID": "1"}) as events:
        found = (json.loads(data) async for _, event, data in events if event == "parley:change")
        told = await anext(found)
    assert told["root"] == head["id"]
    assert "1 reply" in told["head"]
    assert "reply" in told["thread"]


async def test_the_stream_tells_unread_counts_of_other_rooms(chat: Chat) -> None:
    await chat.sign_in()
    ben = await chat.running.stores.people.redeem(
        await chat.running.stores.people.create_link("Ben")
    )
    async with stream(chat) as events, ClientSession() as other:
        cookies = {"parley_session": ben or ""}
        posted = await other.post(
            f"{chat.url}/rooms/admin/messages", data={"text": "look"}, cookies=cookies
        )
        assert posted.status == 201
        async with asyncio.timeout(10):
            async for _, event, data in events:
                if event == "parley:badges" and json.loads(data)["admin"]["unread"] == 1:
                    break


async def test_a_page_of_a_lost_database_is_told_to_start_anew(chat: Chat) -> None:
    await chat.sign_in()
    async with stream(chat, **{"Last-Event-ID": "999"}) as events:
        assert [event async for _, event, _ in events] == ["parley:reload"]


async def test_a_page_that_missed_what_is_forgotten_is_told_to_start_anew(chat: Chat) -> None:
    await chat.sign_in()
    for number in range(4):
        await chat.say(f"line {number}")
    forget = sa.delete(room_changes).where(room_changes.c.seq <= 2)
    await chat.running.stores.database.write(lambda c: c.execute(forget))
    async with stream(chat, **{"Last-Event-ID": "1"}) as events:
        assert [event async for _, event, _ in events] == ["parley:reload"]
    async with stream(chat, **{"Last-Event-ID": "2"}) as events:
        assert [one for one, _ in await changes(events, 2)] == [3, 4]


async def test_streams_end_when_the_server_stops(chat: Chat) -> None:
    await chat.sign_in()
    async with stream(chat) as events:
        await anext(events)
        chat.running.stopping.set()
        async with asyncio.timeout(1):
            assert [one async for one in events] == []


async def test_a_browser_without_scripts_can_still_speak(chat: Chat) -> None:
    await chat.sign_in()
    answer = await chat.client.post(
        f"{chat.url}/rooms/ops/messages", data={"text": "hello"}, headers=PAGE
    )
    assert str(answer.url) == f"{chat.url}/rooms/ops"
    assert "hello" in await answer.text()
