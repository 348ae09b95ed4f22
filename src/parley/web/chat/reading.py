"""Reading a room: its newest messages, older ones, one message with its thread."""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from parley.kernel.errors import NotFound
from parley.kernel.incoming import Person
from parley.kernel.ports.rooms import Posted, Room
from parley.web.chat.frame import Frame
from parley.web.chat.view import Shown, shown
from parley.web.numbers import number
from parley.web.pages import Pages, wants_fragment
from parley.web.services import Services
from parley.web.sign_in import SignIn

PAGE = 40
"""Messages that a room shows at once; older ones come page by page."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The pages that show messages."""

    services: Services
    pages: Pages
    sign_in: SignIn

    def routes(self) -> list[Route]:
        """Return the routes, all behind the session."""
        required = self.sign_in.required
        return [
            Route("/", required(self.start), methods=["GET"]),
            Route("/rooms/{room}", required(self.room), methods=["GET"]),
            Route("/rooms/{room}/messages/{id}", required(self.message), methods=["GET"]),
        ]

    async def start(self, _request: Request, person: Person) -> Response:
        """Open the first room that has something new, else the first."""
        rooms = await self.services.rooms.list(person)
        if not rooms:
            return self.pages.answer("empty.html", **Frame(person, rooms).values())
        new = [one for one in rooms if one.unread and not one.muted]
        name = self.pages.text("room_path.txt", {"room": (new or rooms)[0].name})
        return RedirectResponse(name, HTTPStatus.SEE_OTHER)

    async def room(self, request: Request, person: Person) -> Response:
        """Show the newest messages, or as a part of the page those before a message."""
        name = request.path_params["room"]
        before = request.query_params.get("before")
        # The frame is read before the messages: what comes in between is in both, the history
        # and the stream, and the page knows a message by its id.
        frame = Frame(person, await self.services.rooms.list(person), name)
        room = frame.room()
        older_than = number(before, "before") if before else None
        messages, more = await self._history(room.name, older_than)
        if wants_fragment(request):
            return self.pages.answer("older.html", room=room, messages=messages, more=more)
        return self._page(frame, room, messages, more=more, detached=older_than is not None)

    async def message(self, request: Request, person: Person) -> Response:
        """Show a message with its thread: as a panel for htmx, else in its room."""
        frame = Frame(person, await self.services.rooms.list(person), request.path_params["room"])
        room = frame.room()
        named = await self.services.rooms.message(number(request.path_params["id"], "id"))
        if named is None or named.room != room.name:
            raise NotFound("There is no such message in this room. It may have been removed.")
        thread = [
            self._shown(one) for one in await self.services.rooms.thread(named.root or named.id)
        ]
        if wants_fragment(request):
            # Whoever clicked a head knows which one; a reply is marked among the others.
            mark = named.id if named.root else 0
            return self.pages.answer("thread.html", room=room, thread=thread, named=mark)
        messages, more = await self._history(room.name, None)
        detached = not any(one.id == thread[0].id for one in messages)
        if detached:
            messages, more = await self._history(room.name, thread[0].id + 1)
        return self._page(
            frame, room, messages, more=more, detached=detached, thread=thread, named=named.id
        )

    def _page(
        self,
        frame: Frame,
        room: Room,
        messages: Sequence[Shown],
        *,
        more: bool,
        detached: bool,
        thread: Sequence[Shown] = (),
        named: int = 0,
    ) -> Response:
        """Return the whole page. `detached`: newer messages than those shown exist."""
        return self.pages.answer(
            "room.html",
            **frame.values(),
            room=room,
            messages=messages,
            more=more,
            detached=detached,
            thread=thread,
            named=named,
        )

    async def _history(self, room: str, before: int | None) -> tuple[list[Shown], bool]:
        """Return a page of heads, oldest first, and whether there are older ones."""
        found = await self.services.rooms.history(room, before, PAGE + 1)
        return [self._shown(one) for one in found[-PAGE:]], len(found) > PAGE

    def _shown(self, posted: Posted) -> Shown:
        return shown(posted, self.services.card)
