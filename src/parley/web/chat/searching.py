"""Search: what was asked stands in the address, so that it can be sent to somebody."""

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from parley.kernel.incoming import Person
from parley.web.chat.frame import Frame
from parley.web.chat.view import Shown, shown
from parley.web.numbers import number
from parley.web.pages import Pages, wants_fragment
from parley.web.services import Services
from parley.web.sign_in import SignIn

PAGE = 30
LONGEST = 200


@dataclass(frozen=True, slots=True)
class Searching:
    """The search page."""

    services: Services
    pages: Pages
    sign_in: SignIn

    def routes(self) -> list[Route]:
        """Return the routes, all behind the session."""
        return [Route("/search", self.sign_in.required(self.search), methods=["GET"])]

    async def search(self, request: Request, person: Person) -> Response:
        """Show messages that hold all the words, newest first."""
        query = request.query_params
        words = query.get("q", "").strip()[:LONGEST]
        room = query.get("room", "")
        before = number(query["before"], "before") if query.get("before") else None
        results, more = await self._find(words, room, before)
        values: dict[str, Any] = {
            "words": words,
            "room_filter": room,
            "results": results,
            "more": more,
        }
        if wants_fragment(request):
            return self.pages.answer("results.html", **values, further=before is not None)
        frame = Frame(person, await self.services.rooms.list(person))
        return self.pages.answer("search.html", **frame.values(), **values, further=False)

    async def _find(self, words: str, room: str, before: int | None) -> tuple[list[Shown], bool]:
        """Return a page of results and whether there are more; nothing for no words."""
        if not words:
            return [], False
        found = await self.services.rooms.search(words, room, before, PAGE + 1)
        return [shown(one, self.services.card) for one in found[:PAGE]], len(found) > PAGE
