"""What every request to the pages passes first: Host, origin, and the headers that bind browsers.

The Host check stops DNS rebinding: a foreign page that makes its own name point at this machine
still sends its own name. The origin check stops forms of foreign pages.
"""

from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

SECURITY_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": CONTENT_POLICY,
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

READING = frozenset({"GET", "HEAD", "OPTIONS"})


def host_name(host: str) -> str:
    """Return the name in a Host header without its port, lower case; empty if it is not one."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def comes_from_elsewhere(method: str, headers: Mapping[str, str]) -> bool:
    """Return whether a browser says that another site's page sent this.

    Browsers set both headers themselves, a page cannot. A client that is no browser sends neither
    and has no cookies that somebody else could make it send.
    """
    if method in READING:
        return False
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in {"same-origin", "none"}
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != headers.get("host", "")


class Guard:
    """ASGI middleware around the pages."""

    def __init__(self, app: ASGIApp, allowed_hosts: frozenset[str]) -> None:
        self._app = app
        self._allowed_hosts = allowed_hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse what comes by a wrong name or from another site; pass everything else on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if host_name(host) not in self._allowed_hosts:
            refusal = PlainTextResponse(
                f"Parley is not known by the name {host[:200]!r}. Use the address that "
                "`parley serve` printed, or add the name to `hosts` under [web] in parley.toml.\n",
                status_code=421,
            )
            await refusal(scope, receive, send)
        elif comes_from_elsewhere(scope["method"], headers):
            refusal = PlainTextResponse(
                "This came from a page of another site, so nothing was done. "
                "Open Parley itself and try again there.\n",
                status_code=403,
            )
            await refusal(scope, receive, send)
        else:
            await self._app(scope, receive, send)


class BindBrowsers:
    """ASGI middleware that adds the security headers to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and add the headers to what comes back."""

        async def send_bound(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_bound if scope["type"] == "http" else send)
