"""For machines that watch Parley: `/healthz`, `/readyz` and `/metrics`."""

import hmac
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from parley.usecases.passed_on import mark_of_a_proxy
from parley.web.guard import host_name

_LOOPBACK = frozenset({"127.0.0.1", "::1"})


def routes(
    ready: Callable[[], Awaitable[str]],
    metrics: Callable[[], Awaitable[bytes]],
    token: str | None,
) -> list[Route]:
    """Return the routes.

    `ready` says what is in the way, empty when nothing is. `metrics` are read by programs on this
    machine and, where `token` is set, by whoever sends it as `Authorization: Bearer`.
    """

    async def healthz(_request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(_request: Request) -> Response:
        obstacle = await ready()
        return PlainTextResponse(f"{obstacle or 'ready'}\n", 503 if obstacle else 200)

    async def read_metrics(request: Request) -> Response:
        if not (_is_local(request) or _has_token(request, token)):
            return PlainTextResponse(
                "The metrics are for this machine. Set metrics.token in parley.toml and send it as "
                "Authorization: Bearer TOKEN to read them from elsewhere.\n",
                403,
            )
        return Response(await metrics(), media_type="text/plain; version=0.0.4; charset=utf-8")

    return [
        Route("/healthz", healthz, methods=["GET"]),
        Route("/readyz", readyz, methods=["GET"]),
        Route("/metrics", read_metrics, methods=["GET"]),
    ]


def _is_local(request: Request) -> bool:
    """Tell who works on this machine from a proxy that passes on what somebody else asks."""
    peer = request.client.host if request.client else ""
    named = host_name(request.headers.get("host", "")) in {*_LOOPBACK, "localhost"}
    mark = mark_of_a_proxy(request.headers.keys(), request.scope["http_version"])
    return peer in _LOOPBACK and named and not mark


def _has_token(request: Request, token: str | None) -> bool:
    given = request.headers.get("authorization", "").removeprefix("Bearer ")
    return bool(token) and hmac.compare_digest(given.encode(), (token or "").encode())
