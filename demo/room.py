"""Watches a room of the web chat as a browser does: by its own pages, over HTTP."""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

import aiohttp

from demo.programs import DemoFailed

_OK = 200
_COME_BACK = 0.2  # seconds
_LARGEST_LINE = 4 * 1024 * 1024  # bytes; a line of the stream holds a whole message


@dataclass(frozen=True, slots=True)
class Seen:
    """A change that reached the room, and when, in seconds of the event loop's clock.

    `root` is the head of the thread, empty for a head. `edited` tells a change in place from a new
    message. `page` is the message as the page shows it.
    """

    id: str
    root: str
    edited: bool
    label: str
    tone: str
    page: str
    at: float


@dataclass(slots=True)
class Room:
    """Everything that was seen in a room since it is watched."""

    seen: list[Seen] = field(default_factory=list)
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def wait(self, wanted: Callable[[Seen], bool], until: float) -> Seen | None:
        """Return the first change that is wanted, none when there is none until then."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(until), self._news:
                while True:
                    for one in self.seen:
                        if wanted(one):
                            return one
                    await self._news.wait()
        return None

    async def add(self, one: Seen) -> None:
        """Take a change and wake who waits for one."""
        async with self._news:
            self.seen.append(one)
            self._news.notify_all()


@contextlib.asynccontextmanager
async def watched(link: str, name: str) -> AsyncIterator[Room]:
    """Sign in by a one-time link and watch a room for as long as the block lasts."""
    address = urlsplit(link)
    base = f"{address.scheme}://{address.netloc}"
    token = parse_qs(address.query)["token"][0]
    room = Room()
    # Cookies of a host that is an IP address are kept only when asked for.
    jar = aiohttp.CookieJar(unsafe=True)
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=5)
    async with aiohttp.ClientSession(
        base, cookie_jar=jar, timeout=timeout, read_bufsize=_LARGEST_LINE
    ) as session:
        async with session.post("/sign-in", data={"token": token}) as page:
            if page.status != _OK:
                raise DemoFailed(f"Signing in to the web chat failed with status {page.status}.")
        async with session.get(f"/rooms/{name}") as page:
            if page.status != _OK:
                raise DemoFailed(f"The web chat has no room {name}: status {page.status}.")
        watching = asyncio.create_task(_watch(session, name, room))
        try:
            yield room
        finally:
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError, aiohttp.ClientError):
                await watching


async def _watch(session: aiohttp.ClientSession, name: str, room: Room) -> None:
    """Follow the room's Server-Sent Events; come back by the last id when the stream ends."""
    last = "0"
    while True:
        with contextlib.suppress(aiohttp.ClientError):
            async with session.get(f"/rooms/{name}/events", params={"after": last}) as stream:
                async for change in _events(stream):
                    last = change["id"]
                    if change["event"] == "parley:change":
                        await room.add(_read(change["data"]))
        await asyncio.sleep(_COME_BACK)


async def _events(stream: aiohttp.ClientResponse) -> AsyncIterator[dict[str, str]]:
    """Yield the events of a stream; an event without an id has that of the one before it."""
    event = {"id": "0", "event": "", "data": ""}
    async for raw in stream.content:
        name, _, value = raw.decode().rstrip("\n").partition(": ")
        if name in event:
            event[name] = value
        elif not name and event["data"]:
            yield event
            event = {"id": event["id"], "event": "", "data": ""}


def _read(data: str) -> Seen:
    change = json.loads(data)
    page = change["thread"]
    tone = re.search(r"\btone-(\w+)", page)
    return Seen(
        id=change["id"],
        root=change["root"],
        edited=change["kind"] == "edited",
        label=change["label"],
        tone=tone[1] if tone else "",
        page=page,
        at=asyncio.get_running_loop().time(),
    )
