"""The page of a digest: what it says, and every event that it stands for."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from parley.kernel.errors import NotFound
from parley.kernel.incoming import Person
from parley.web.chat.frame import Frame
from parley.web.numbers import number
from parley.web.pages import Pages
from parley.web.services import Services
from parley.web.sign_in import SignIn

PAGE = 100


@dataclass(frozen=True, slots=True)
class DigestPage:
    """The page of one digest."""

    services: Services
    pages: Pages
    sign_in: SignIn

    def routes(self) -> list[Route]:
        """Return the routes, all behind the session."""
        show = self.sign_in.required(self.show)
        return [Route("/digests/{id}", show, methods=["GET"])]

    async def show(self, request: Request, person: Person) -> Response:
        """Show the digest and some of its events, oldest first."""
        digest_id = number(request.path_params["id"], "id")
        after = number(request.query_params.get("after") or "0", "after")
        digest = await self.services.digests.digest(digest_id, after, PAGE + 1)
        if digest is None:
            raise NotFound("There is no such digest. Digests are kept as long as the history is.")
        frame = Frame(person, await self.services.rooms.list(person))
        return self.pages.answer(
            "digest.html",
            **frame.values(),
            digest=digest,
            events=digest.events[:PAGE],
            after=after,
            more=len(digest.events) > PAGE,
        )
