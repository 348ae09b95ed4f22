"""Where SNS posts: `POST /ingest/sns`.

The answers are for SNS first. 2xx: stored, never sent again. 4xx: given up at once. 5xx: tried
again. So a 5xx is right whenever a good message could not be stored.
"""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from parley.kernel.errors import Overloaded, ParleyError, Unavailable
from parley.observe import log
from parley.usecases.receive import Received, Via
from parley.web.errors import status_of

LARGEST_BODY = 2 * 1024 * 1024
"""Bytes. A message of 256 KiB grows up to sixfold when it is escaped into its envelope."""

PATIENCE = 20.0
"""Seconds for a body to arrive whole; SNS gives up after 15 itself. (SNS Developer Guide, "Message
delivery retries") What comes more slowly would only hold memory."""


def routes(
    receive: Callable[[bytes, Via], Awaitable[Received]], *, patience: float = PATIENCE
) -> list[Route]:
    """Return the routes that hand what SNS posts to the use case."""

    async def post(request: Request) -> Response:
        try:
            async with asyncio.timeout(patience):
                body = await _read(request)
        except ClientDisconnect:
            return _answer(HTTPStatus.BAD_REQUEST, "Disconnected", "The body was not sent whole.")
        except TimeoutError:
            return _too_slow(patience)
        if body is None:
            return _answer(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                "TooLarge",
                f"The body is larger than {LARGEST_BODY} bytes, which no message of SNS is.",
            )
        try:
            received = await receive(body, _via(request))
        except ParleyError as error:
            return _problem(error)
        except Exception:  # noqa: BLE001 - whatever it is, SNS should try again
            log.exception("posted_message_failed")
            return _problem(ParleyError())
        return _answer(HTTPStatus.OK, received.outcome, received.text)

    return [Route("/ingest/sns", post, methods=["POST"])]


async def _read(request: Request) -> bytes | None:
    """Return the body, none as soon as it is known to be too large."""
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > LARGEST_BODY:
        return None
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > LARGEST_BODY:
            return None
        chunks.append(chunk)
    return b"".join(chunks)


def _via(request: Request) -> Via:
    hosts = request.headers.getlist("host")
    return Via(
        peer=request.client.host if request.client else "",
        host=hosts[0] if len(hosts) == 1 else "",
        headers=frozenset(request.headers.keys()),
        http_version=request.scope["http_version"],
        raw_delivery=request.headers.get("x-amz-sns-rawdelivery", "").lower() == "true",
    )


def _problem(error: ParleyError) -> Response:
    status = status_of(error)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        # SNS tries again by its own plan; others are told when it makes sense.
        wait = "1" if isinstance(error, Overloaded) else "5"
        answer = _answer(HTTPStatus.SERVICE_UNAVAILABLE, error.code, str(error))
        answer.headers["Retry-After"] = wait
        return answer
    return _answer(status, error.code, str(error))


def _too_slow(patience: float) -> Response:
    text = f"The body did not arrive whole within {patience:g} seconds. Send it again."
    answer = _problem(Unavailable(text))
    answer.headers["Connection"] = "close"
    return answer


def _answer(status: HTTPStatus, code: str, text: str) -> Response:
    return JSONResponse({"code": code, "message": text}, status)
