"""Where a message came from: the event as it arrived, and what became of it."""

from dataclasses import dataclass

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from parley.events.reading import indented_json
from parley.kernel.errors import NotFound
from parley.kernel.incoming import Person
from parley.web.chat.frame import Frame
from parley.web.pages import Pages
from parley.web.services import Services
from parley.web.sign_in import SignIn


def readable(raw: str) -> str:
    """Return JSON with line ends and indents; anything else as it is.

    The Message of an SNS envelope is JSON inside a string: it is shown unfolded, because that is
    what people look for.
    """
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return raw
    if isinstance(value, dict) and isinstance(inner := value.get("Message"), str):
        try:
            unfolded = orjson.loads(inner)
        except orjson.JSONDecodeError:
            unfolded = inner
        if isinstance(unfolded, (dict, list)):
            value = {**value, "Message": unfolded}
    try:
        return indented_json(value)
    except TypeError:
        # Deeper than it writes, though it could read it.
        return raw


@dataclass(frozen=True, slots=True)
class Sources:
    """The page of one event."""

    services: Services
    pages: Pages
    sign_in: SignIn

    def routes(self) -> list[Route]:
        """Return the routes, all behind the session."""
        show = self.sign_in.required(self.show)
        return [Route("/events/{event_id:path}", show, methods=["GET"])]

    async def show(self, request: Request, person: Person) -> Response:
        """Show the event's facts, its deliveries and its source text."""
        event = await self.services.history.event(request.path_params["event_id"])
        if event is None:
            raise NotFound("There is no such event. Events are kept as long as the history is.")
        frame = Frame(person, await self.services.rooms.list(person))
        return self.pages.answer(
            "event.html", **frame.values(), event=event, readable=readable(event.raw)
        )
