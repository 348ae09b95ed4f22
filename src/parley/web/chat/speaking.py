"""What people do in a room: write, mark as read, mute."""

from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from parley.kernel.incoming import LOCAL, Destination, Person, Said
from parley.web.chat.frame import Frame
from parley.web.chat.view import shown
from parley.web.forms import fields
from parley.web.numbers import number
from parley.web.pages import Pages, wants_fragment, wants_page
from parley.web.services import Services
from parley.web.sign_in import SignIn


@dataclass(frozen=True, slots=True)
class Speaking:
    """The requests that change something in a room."""

    services: Services
    pages: Pages
    sign_in: SignIn

    def routes(self) -> list[Route]:
        """Return the routes, all behind the session."""
        required = self.sign_in.required
        return [
            Route("/rooms/{room}/messages", required(self.say), methods=["POST"]),
            Route("/rooms/{room}/read", required(self.read), methods=["POST"]),
            Route("/rooms/{room}/mute", required(self.mute), methods=["POST"]),
        ]

    async def say(self, request: Request, person: Person) -> Response:
        """Take a line; Parley's answer and the line itself reach the pages by the stream."""
        form = await fields(request)
        text = form.get("text", "").replace("\r\n", "\n")
        room = request.path_params["room"]
        root = number(form["root"], "root") if form.get("root") else None
        said = Said(Destination(LOCAL, room), person, text)
        posted = await self.services.converse(said, root)
        if wants_page(request):
            return RedirectResponse(f"/rooms/{quote(room, safe='')}", HTTPStatus.SEE_OTHER)
        view = shown(posted, self.services.card)
        place = "thread" if view.root else "room"
        html = self.pages.text("message.html", {"shown": view, "place": place, "named": 0})
        return JSONResponse(
            {"id": str(view.id), "root": str(view.root or ""), "html": html}, HTTPStatus.CREATED
        )

    async def read(self, request: Request, person: Person) -> Response:
        """Remember that the person has seen the room up to a change."""
        form = await fields(request)
        seq = number(form.get("seq", ""), "seq")
        await self.services.rooms.mark_read(person, request.path_params["room"], seq)
        return Response(status_code=HTTPStatus.NO_CONTENT)

    async def mute(self, request: Request, person: Person) -> Response:
        """Switch the room's unread mark off or on, and return the switch as it stands now."""
        form = await fields(request)
        name = request.path_params["room"]
        await self.services.rooms.mute(person, name, muted=form.get("muted") == "true")
        if not wants_fragment(request):
            return RedirectResponse(f"/rooms/{quote(name, safe='')}", HTTPStatus.SEE_OTHER)
        frame = Frame(person, await self.services.rooms.list(person), name)
        return self.pages.answer("mute.html", room=frame.room())
