"""Errors as people and programs get them over HTTP."""

from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from parley.kernel.errors import (
    Conflict,
    DeliveryFailed,
    InvalidRequest,
    NotFound,
    ParleyError,
    Refused,
    Unavailable,
)
from parley.web.pages import Pages, wants_fragment, wants_page

STATUS: dict[type[ParleyError], HTTPStatus] = {
    ParleyError: HTTPStatus.INTERNAL_SERVER_ERROR,
    InvalidRequest: HTTPStatus.BAD_REQUEST,
    NotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    Refused: HTTPStatus.FORBIDDEN,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    DeliveryFailed: HTTPStatus.BAD_GATEWAY,
}


def status_of(error: ParleyError) -> HTTPStatus:
    """Return the HTTP status of an error: that of its nearest listed ancestor."""
    return next(STATUS[one] for one in type(error).__mro__ if one in STATUS)


class Problems:
    """Turns errors into answers: a page for a person, a part of one for htmx, JSON for the rest."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def parley_error(self, request: Request, error: Exception) -> Response:
        """Answer one of our own errors, whose text is written for the reader."""
        known = error if isinstance(error, ParleyError) else ParleyError()
        return self.answer(request, status_of(known), str(known), known.code)

    async def http_error(self, request: Request, error: Exception) -> Response:
        """Answer an address or a method that does not exist."""
        status = HTTPStatus(error.status_code if isinstance(error, HTTPException) else 500)
        text = "There is no such page." if status is HTTPStatus.NOT_FOUND else status.description
        code = status.phrase.replace(" ", "")
        answer = self.answer(request, status, text or status.phrase, code)
        if isinstance(error, HTTPException) and error.headers:
            answer.headers.update(error.headers)
        return answer

    async def unexpected(self, request: Request, _error: Exception) -> Response:
        """Answer a mistake of ours; the server logs it."""
        return await self.parley_error(request, ParleyError())

    def answer(self, request: Request, status: HTTPStatus, text: str, code: str) -> Response:
        """Return what went wrong in the form that the caller reads."""
        if wants_fragment(request):
            problem = self._pages.text("problem.html", {"text": text})
            return HTMLResponse(problem, status)
        if wants_page(request):
            return self._pages.answer("error.html", status, title=status.phrase, text=text)
        return JSONResponse({"code": code, "message": text}, status)
