"""Slack's Web API as strict as Slack, over real HTTP on loopback: it records, limits and fails.

It refuses what Slack would refuse, on the rules of `slack_validator`, knows its channels, threads
and messages, and may be told to answer the next calls with faults.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import web

from tests.contracts.slack_reader import Seen, read
from tests.contracts.slack_validator import problems

TOKEN = "xoxb-1-test-token"
CHANNEL = "C0ALARMS"
_JSON = "application/json; charset=utf-8"
_FORM = "application/x-www-form-urlencoded"


@dataclass(slots=True)
class Posted:
    """A message as it stands in a channel. `thread` is the head's `ts`, empty for a head."""

    ts: str
    channel: str
    thread: str
    content: dict[str, Any]
    edits: int = 0
    at: float = field(default_factory=time.monotonic)
    """When it was posted, in seconds of the monotonic clock."""

    @property
    def seen(self) -> Seen:
        """Return what a reader of the channel sees."""
        return read(self.content)


@dataclass(frozen=True, slots=True)
class Fault:
    """How one call is answered instead: with an error of Slack's, or with anything else.

    `delay` in seconds comes first; `drop` closes the connection without an answer. With
    `after_posting` the message is posted all the same, and only the answer is lost. With `right`
    the call is done and answered as it should be: only the answer comes later.
    """

    error: str = ""
    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)
    delay: float = 0.0
    drop: bool = False
    after_posting: bool = False
    right: bool = False


@dataclass(slots=True)
class SlackDouble:
    """One workspace. `per_second` limits each channel as Slack does; none is no limit.

    `messages` are in the order of their posting; `calls` are (method, seconds since the start), and
    `limited` counts those that came too early.
    """

    token: str = TOKEN
    per_second: float | None = None
    burst: int = 3
    channels: set[str] = field(default_factory=lambda: {CHANNEL})
    may_read: bool = True
    messages: list[Posted] = field(default_factory=list)
    calls: list[tuple[str, float]] = field(default_factory=list)
    faults: deque[Fault] = field(default_factory=deque)
    always: Fault | None = None
    url: str = ""
    limited: int = 0
    page: int = 2
    choose: Callable[[str, Mapping[str, Any]], Fault | None] | None = None
    """Says from the method and what it was sent how a call is answered, where nothing else does."""
    _by_ts: dict[tuple[str, str], Posted] = field(default_factory=dict)
    _allowance: dict[str, tuple[float, float]] = field(default_factory=dict)

    def posted(self, channel: str = CHANNEL, thread: str = "") -> list[Posted]:
        """Return the heads of a channel, or the replies to one head."""
        return [one for one in self.messages if one.channel == channel and one.thread == thread]

    def app(self) -> web.Application:
        """Return the API below `/api/`."""
        app = web.Application(client_max_size=4 * 1024 * 1024)
        app.router.add_post("/api/{method}", self._handle)
        return app

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        self.calls.append((method, time.monotonic()))
        fault = self.faults.popleft() if self.faults else self.always
        if self.choose and not fault:
            fault = self.choose(method, await _content(request))
        if fault and not (fault.after_posting or fault.right):
            return await _fail(request, fault)
        answer = await self._answer(method, request)
        if fault and fault.right:
            await asyncio.sleep(fault.delay)
            return answer
        return await _fail(request, fault) if fault else answer

    async def _answer(self, method: str, request: web.Request) -> web.Response:
        reads = method in {"conversations.history", "conversations.replies"}
        if refused := self._refusal_of_caller(request, _FORM if reads else _JSON):
            return _no(refused)
        if reads:
            return self._read(method, dict(await request.post()))
        content = orjson.loads(await request.read())
        if content.get("channel") not in self.channels:
            return _no("channel_not_found")
        if wait := self._wait(content["channel"]):
            self.limited += 1
            limited = {"ok": False, "error": "ratelimited"}
            return web.json_response(limited, status=429, headers={"Retry-After": str(wait)})
        if found := problems(content):
            return _no("invalid_blocks", response_metadata={"messages": found})
        methods = {"chat.postMessage": self._post, "chat.update": self._update}
        return methods[method](content) if method in methods else _no("unknown_method")

    def _refusal_of_caller(self, request: web.Request, content_type: str) -> str:
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return "invalid_auth"
        typed = request.headers.get("Content-Type", "").lower()
        return "" if typed == content_type else "missing_charset"

    def _read(self, method: str, asked: dict[str, Any]) -> web.Response:
        """Answer a page of messages: the newest heads first, replies after their head."""
        if not self.may_read:
            return _no("missing_scope", needed="channels:history")
        if asked["channel"] not in self.channels:
            return _no("channel_not_found")
        found = self.posted(asked["channel"])[::-1]
        if method == "conversations.replies":
            found = [one for one in found if one.ts == asked["ts"]]
            found += self.posted(asked["channel"], asked["ts"])
        first = int(asked.get("cursor") or 0)
        shown: list[dict[str, Any]] = []
        for one in found[first : first + self.page]:
            metadata = one.content.get("metadata")
            known = {"metadata": metadata} if metadata and "include_all_metadata" in asked else {}
            shown.append({"ts": one.ts, "text": one.content.get("text", ""), **known})
        cursor = str(first + self.page) if found[first + self.page :] else ""
        metadata = {"next_cursor": cursor}
        return web.json_response({"ok": True, "messages": shown, "response_metadata": metadata})

    def _post(self, content: dict[str, Any]) -> web.Response:
        thread = content.get("thread_ts", "")
        head = self._by_ts.get((content["channel"], thread))
        if thread and (head is None or head.thread):
            return _no("thread_not_found")
        ts = f"1700000000.{len(self.messages) + 1:06d}"
        posted = Posted(ts, content["channel"], thread, content)
        self.messages.append(posted)
        self._by_ts[posted.channel, ts] = posted
        return web.json_response({"ok": True, "channel": content["channel"], "ts": ts})

    def _update(self, content: dict[str, Any]) -> web.Response:
        one = self._by_ts.get((content["channel"], content.get("ts", "")))
        if one is None:
            return _no("message_not_found")
        # An edit that says nothing of metadata keeps them.
        kept = {name: one.content[name] for name in ("metadata",) if name in one.content}
        one.content, one.edits = kept | content, one.edits + 1
        return web.json_response({"ok": True, "channel": one.channel, "ts": one.ts})

    def _wait(self, channel: str) -> int:
        """Return how many whole seconds a channel must wait for its next message."""
        if self.per_second is None:
            return 0
        now = time.monotonic()
        tokens, at = self._allowance.get(channel, (float(self.burst), now))
        tokens = min(float(self.burst), tokens + (now - at) * self.per_second)
        enough = tokens >= 1
        self._allowance[channel] = (tokens - 1 if enough else tokens, now)
        return 0 if enough else max(1, round((1 - tokens) / self.per_second))


@asynccontextmanager
async def slack_double(
    double: SlackDouble | None = None, port: int = 0
) -> AsyncIterator[SlackDouble]:
    """Serve a workspace on loopback; its `url` is the base of the API."""
    double = double or SlackDouble()
    # A call that hangs on purpose does not hold up the end of a test.
    runner = web.AppRunner(double.app(), shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        host, bound = runner.addresses[0][:2]
        double.url = f"http://{host}:{bound}/api/"
        yield double
    finally:
        await runner.cleanup()


async def _fail(request: web.Request, fault: Fault) -> web.StreamResponse:
    await asyncio.sleep(fault.delay)
    if fault.drop:
        if request.transport:
            request.transport.abort()
        return web.Response()
    if fault.error:
        body = {"ok": False, "error": fault.error, **fault.extra}
        return web.json_response(body, status=fault.status, headers=fault.headers)
    return web.Response(body=fault.body, status=fault.status, headers=fault.headers)


async def _content(request: web.Request) -> Mapping[str, Any]:
    if request.content_type == _FORM:
        return dict(await request.post())
    content: dict[str, Any] = orjson.loads(await request.read())
    return content


def _no(error: str, **more: Any) -> web.Response:
    return web.json_response({"ok": False, "error": error, **more})
