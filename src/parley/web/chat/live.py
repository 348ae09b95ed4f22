"""The stream that keeps an open page true: Server-Sent Events.

Every change of the room is one event whose id is the change's number. Numbers have no gaps, so a
page that comes back with the last id that it saw misses nothing and sees nothing twice.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from parley.kernel.incoming import Person
from parley.kernel.ports.rooms import Change
from parley.web.chat.frame import Frame, badges
from parley.web.chat.view import Shown, shown
from parley.web.numbers import number
from parley.web.pages import Pages
from parley.web.services import Services
from parley.web.sign_in import SESSION, SignIn

BATCH = 200
PAUSE = 1.0
"""Seconds between two looks at the counts of other rooms."""
ALIVE = 15.0
"""Seconds until a sign of life is sent: proxies close what is silent for long."""


def event(name: str, data: object, event_id: int | None = None) -> bytes:
    """Return one event of the stream. JSON has no line ends, so one data line holds it."""
    head = f"id: {event_id}\n" if event_id is not None else ""
    return f"{head}event: {name}\ndata: ".encode() + orjson.dumps(data) + b"\n\n"


@dataclass(frozen=True, slots=True)
class Streams:
    """The streams of the open pages."""

    services: Services
    pages: Pages
    sign_in: SignIn

    def routes(self) -> list[Route]:
        """Return the routes, all behind the session."""
        required = self.sign_in.required
        return [
            Route("/rooms/{room}/events", required(self.stream), methods=["GET"]),
            Route("/badges", required(self.badges), methods=["GET"]),
        ]

    async def badges(self, _request: Request, person: Person) -> Response:
        """Return the unread counts, for a page that lies in the background."""
        counts = badges(await self.services.rooms.list(person))
        return Response(
            orjson.dumps(counts),
            media_type="application/json",
            headers={"Cache-Control": "no-store"},
        )

    async def stream(self, request: Request, person: Person) -> Response:
        """Open the stream after the last change that the page knows."""
        name = request.path_params["room"]
        room = Frame(person, await self.services.rooms.list(person), name).room()
        known = request.headers.get("last-event-id") or request.query_params.get("after")
        after = number(known, "after") if known else room.last_seq
        return StreamingResponse(
            self._events(request.cookies.get(SESSION, ""), person, name, after),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )

    async def _events(
        self, session: str, person: Person, room: str, after: int
    ) -> AsyncIterator[bytes]:
        services = self.services
        last = await services.rooms.last_changes()
        forgotten = after + 1 < await services.rooms.first_change(room)
        if after > last.get(room, 0) or forgotten:
            # The page remembers a database that is no longer there, or is older than its history.
            yield event("parley:reload", {})
            return
        clock = asyncio.get_running_loop().time
        seen: dict[str, int] = {}
        looked_at = told_at = clock() - ALIVE
        while not services.stopping.is_set():
            changes = await services.rooms.changes(room, after, BATCH)
            for change in changes:
                yield event("parley:change", await self._data(change), change.seq)
                after = change.seq
            if clock() - looked_at >= PAUSE:
                looked_at = clock()
                last = await services.rooms.last_changes()
                if last != seen or looked_at - told_at >= ALIVE:
                    if await services.people.person(session) is None:
                        return
                    seen, told_at = last, looked_at
                    yield event("parley:badges", badges(await services.rooms.list(person)))
            if len(changes) < BATCH:
                await self._pause(room, after)

    async def _pause(self, room: str, after: int) -> None:
        """Wait for a change, for the server to stop, or for the pause to end."""
        waiting = {
            asyncio.ensure_future(self.services.live.wait(room, after, PAUSE)),
            asyncio.ensure_future(self.services.stopping.wait()),
        }
        try:
            done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for one in done:
                one.result()
        finally:
            for one in waiting:
                one.cancel()

    async def _data(self, change: Change) -> dict[str, object]:
        """Return a change as the scripts of the page read it.

        Ids have more digits than a number of JavaScript holds, so they travel as strings. A reply
        comes with its head as it stands now, because the head shows the count of replies.
        """
        view = shown(change.posted, self.services.card)
        data: dict[str, object] = {
            "id": str(view.id),
            "root": str(view.root or ""),
            "kind": change.kind,
            "label": view.label,
            "thread": self._html(view, "thread"),
        }
        head = view
        if view.root is not None:
            posted = await self.services.rooms.message(view.root)
            if posted is None:
                return data
            head = shown(posted, self.services.card)
        return data | {"head": self._html(head, "room")}

    def _html(self, view: Shown, place: str) -> str:
        return self.pages.text("message.html", {"shown": view, "place": place, "named": 0})
