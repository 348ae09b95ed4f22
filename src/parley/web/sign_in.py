"""Sign-in by one-time link, and the session that every page asks for."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from parley.kernel.incoming import Person
from parley.kernel.ports.people import People
from parley.web.forms import fields
from parley.web.pages import Pages, wants_fragment, wants_page

SESSION = "parley_session"
WANTED = "parley_wanted"
SESSION_DAYS = 30
"""How long a browser keeps the cookie; the session itself ends when `People` says so."""

Handler = Callable[[Request, Person], Awaitable[Response]]
Endpoint = Callable[[Request], Awaitable[Response]]


def local_path(path: str) -> str:
    """Return the path if it stays on this site, else the start page.

    A browser reads `//host` and `/\\host` as the address of another site.
    """
    stays = path.startswith("/") and not path.startswith(("//", "/\\"))
    return path if stays and path.isprintable() else "/"


@dataclass(frozen=True, slots=True)
class SignIn:
    """The pages around the session."""

    people: People
    pages: Pages
    secure: bool

    def routes(self) -> list[Route]:
        """Return the routes that work without a session."""
        return [
            Route("/sign-in", self.show, methods=["GET"]),
            Route("/sign-in", self.redeem, methods=["POST"]),
            Route("/sign-out", self.end, methods=["POST"]),
        ]

    def required(self, handler: Handler) -> Endpoint:
        """Return an endpoint that asks for a session and hands over whose it is."""

        async def endpoint(request: Request) -> Response:
            session = request.cookies.get(SESSION, "")
            person = await self.people.person(session) if session else None
            return self._ask(request) if person is None else await handler(request, person)

        return endpoint

    async def show(self, request: Request) -> Response:
        """Show one button: a chat's preview of the link must not use it up."""
        token = request.query_params.get("token", "")
        if not token:
            return self.pages.answer("sign_in.html", problem="")
        return self.pages.answer("sign_in_confirm.html", token=token)

    async def redeem(self, request: Request) -> Response:
        """Use up the link and start a session."""
        session = await self.people.redeem((await fields(request)).get("token", ""))
        if session is None:
            return self.pages.answer(
                "sign_in.html",
                HTTPStatus.FORBIDDEN,
                problem="This link has been used already, or is older than ten minutes.",
            )
        wanted = local_path(request.cookies.get(WANTED, "/"))
        answer = RedirectResponse(wanted, HTTPStatus.SEE_OTHER)
        answer.delete_cookie(WANTED)
        self._keep(answer, SESSION, session, SESSION_DAYS * 86400)
        return answer

    async def end(self, request: Request) -> Response:
        """Sign out."""
        session = request.cookies.get(SESSION, "")
        if session:
            await self.people.end(session)
        answer = RedirectResponse("/sign-in", HTTPStatus.SEE_OTHER)
        answer.delete_cookie(SESSION)
        return answer

    def _ask(self, request: Request) -> Response:
        """Answer a request without a session in the way its sender understands."""
        status = HTTPStatus.UNAUTHORIZED
        if wants_fragment(request):
            # The page was open when its session ended: loaded anew it shows how to sign in.
            return Response(status_code=status, headers={"HX-Refresh": "true"})
        if not wants_page(request):
            text = "Sign in first: run `parley sign-in-link` and open the link that it prints."
            return JSONResponse({"code": "SignInRequired", "message": text}, status)
        answer = self.pages.answer("sign_in.html", status, problem="")
        if request.method == "GET":
            # Headers hold ASCII alone, and the path of a request comes unquoted.
            path = quote(request.url.path, safe="/:@")
            query = f"?{request.url.query}" if request.url.query else ""
            self._keep(answer, WANTED, local_path(path + query), 600)
        return answer

    def _keep(self, answer: Response, name: str, value: str, seconds: int) -> None:
        # Lax, not Strict: a link in chat must open the page that it names, signed in.
        answer.set_cookie(
            name, value, max_age=seconds, httponly=True, secure=self.secure, samesite="lax"
        )
