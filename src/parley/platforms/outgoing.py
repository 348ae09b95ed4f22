"""HTTP to chat platforms: one session for all, time-outs, and errors that give no secret away."""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import aiohttp
import orjson

from parley.kernel.errors import DeliveryFailed, Reason

TIMEOUT_SECONDS = 10.0
"""How long one call may take, the wait for a free connection included."""

CONNECTIONS_PER_HOST = 64
MAX_ANSWER_BYTES = 1024 * 1024

_REDIRECT = 300
_STATUSES = (
    (500, Reason.SERVER, "has an error on its side"),
    (400, Reason.CLIENT, "does not accept the message"),
    (_REDIRECT, Reason.GONE, "sends us elsewhere: put the new address into the settings"),
)
_EXACT = {
    401: (Reason.AUTH, "does not accept our token"),
    403: (Reason.AUTH, "does not let us post here"),
    404: (Reason.GONE, "has nothing at the configured address"),
    408: (Reason.UNREACHABLE, "did not get the whole message in time"),
    410: (Reason.GONE, "has nothing at the configured address any more"),
    429: (Reason.RATE_LIMITED, "asks for fewer messages"),
}
_NEVER_SENT = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.InvalidURL,
)
"""There was no connection, so nobody can have got anything."""
_REFUSED = (aiohttp.ClientConnectorError, aiohttp.ClientProxyConnectionError)
_CAUSES: tuple[tuple[type[Exception], str], ...] = (
    (TimeoutError, f"no answer within {TIMEOUT_SECONDS:.0f} s"),
    (aiohttp.ClientConnectorDNSError, "its name is not known to our DNS"),
    (aiohttp.ClientSSLError, "its certificate or encryption is not accepted"),
    (aiohttp.InvalidURL, "the configured address is not valid"),
    (aiohttp.ClientPayloadError, "the connection was closed in the middle of the answer"),
    (aiohttp.ServerDisconnectedError, "the connection was closed before an answer"),
    (aiohttp.ClientResponseError, "the answer is not HTTP"),
    (ConnectionError, "the connection was closed before an answer"),
)
_WAIT = re.compile(r"\d{1,6}(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class Reply:
    """What a platform answered. `retry_after` is what it asked for in seconds, if it did."""

    status: int
    body: bytes
    retry_after: float | None

    def json(self) -> Any:
        """Return the body as JSON, none when it is something else."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return None


async def open_session() -> aiohttp.ClientSession:
    """Return the session that all platforms share; whoever opens it closes it."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, limit_per_host=CONNECTIONS_PER_HOST),
        # Platforms know us by our tokens: nothing that a server sets is sent back to it.
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=TIMEOUT_SECONDS, sock_connect=5),
        headers={"User-Agent": "parley-chatops"},
    )


async def post_json(
    session: aiohttp.ClientSession,
    url: str,
    content: Mapping[str, Any],
    *,
    platform: str,
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """Post JSON and return the answer, whatever its status.

    Raises `DeliveryFailed` with the reason `UNREACHABLE` when there is none, and `SERVER` when it
    has no end. The texts name `platform` and the host, never the address: that may be a secret.
    """
    typed = {"Content-Type": "application/json; charset=utf-8", **(headers or {})}
    return await _post(session, url, orjson.dumps(content), typed, platform)


async def post_form(
    session: aiohttp.ClientSession,
    url: str,
    fields: Mapping[str, str],
    *,
    platform: str,
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """Post the fields of a form. See `post_json`."""
    typed = {"Content-Type": "application/x-www-form-urlencoded", **(headers or {})}
    return await _post(session, url, urlencode(fields).encode(), typed, platform)


async def _post(
    session: aiohttp.ClientSession,
    url: str,
    body_sent: bytes,
    headers: Mapping[str, str],
    platform: str,
) -> Reply:
    try:
        async with session.post(
            url,
            data=body_sent,
            headers=headers,
            # A redirect would take the token to somebody who was not asked.
            allow_redirects=False,
        ) as response:
            body = bytearray()
            async for chunk in response.content.iter_chunked(64 * 1024):
                body += chunk
                if len(body) > MAX_ANSWER_BYTES:
                    text = f"{platform} answered with more than {MAX_ANSWER_BYTES:,} bytes"
                    raise DeliveryFailed(text, Reason.SERVER)
            return Reply(response.status, bytes(body), _retry_after(response.headers))
    except (aiohttp.ClientError, OSError) as error:
        text = f"{platform} at {_host(url)} cannot be reached: {_cause(error)}"
        # Not chained: what the library says of an error may hold the whole address.
        unanswered = not isinstance(error, _NEVER_SENT)
        raise DeliveryFailed(text, Reason.UNREACHABLE, unanswered=unanswered) from None


def failure_of(reply: Reply, platform: str) -> DeliveryFailed | None:
    """Return the failure that a status alone stands for, none for 2xx."""
    if reply.status < _REDIRECT:
        return None
    usual = next((reason, text) for least, reason, text in _STATUSES if reply.status >= least)
    reason, text = _EXACT.get(reply.status, usual)
    return DeliveryFailed(f"{platform} {text} (HTTP {reply.status})", reason, reply.retry_after)


def redacted(text: str, secrets: Iterable[str]) -> str:
    """Return the text with every secret replaced by three stars."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, "***")
    return text


def _retry_after(headers: Mapping[str, str]) -> float | None:
    value = headers.get("Retry-After", "").strip()
    return float(value) if _WAIT.fullmatch(value) else None


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or "its address"
    except ValueError:
        return "its address"


def _cause(error: Exception) -> str:
    """Return what went wrong in words of our own."""
    if isinstance(error, aiohttp.ClientConnectorError) and type(error) in _REFUSED:
        code = error.os_error.errno
        return os.strerror(code).lower() if code else "no connection"
    words = (says for kind, says in _CAUSES if isinstance(error, kind))
    return next(words, f"the connection failed ({type(error).__name__})")
