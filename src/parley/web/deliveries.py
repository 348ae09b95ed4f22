"""The page of deliveries: what was given up or waits, and the button that sends it again."""

from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from parley.kernel.incoming import Person
from parley.kernel.messages import plain_title
from parley.kernel.ports.deliveries import Listed, Wanted
from parley.web.chat.frame import Frame
from parley.web.forms import fields
from parley.web.numbers import number
from parley.web.pages import Pages
from parley.web.services import Services
from parley.web.sign_in import SignIn

PAGE = 50
SHOWN = {"dead": "Given up", "pending": "Waiting", "sent": "Sent", "": "All"}
"""What can be looked at, by state."""

TONES = {"sent": "good", "dead": "bad", "pending": "warn"}


@dataclass(frozen=True, slots=True)
class Row:
    """One delivery as the template shows it. Its id has more digits than JavaScript counts."""

    listed: Listed
    title: str
    tone: str


def row(listed: Listed) -> Row:
    """Return a delivery as the template shows it."""
    return Row(listed, plain_title(listed.message), TONES.get(listed.state, "info"))


@dataclass(frozen=True, slots=True)
class DeliveryPages:
    """The list, its badge in the navigation, and sending again."""

    services: Services
    pages: Pages
    sign_in: SignIn

    def routes(self) -> list[Route]:
        """Return the routes, all behind the session."""
        required = self.sign_in.required
        return [
            Route("/deliveries", required(self.show), methods=["GET"]),
            Route("/deliveries/badge", required(self.badge), methods=["GET"]),
            Route("/deliveries/replay", required(self.replay_all), methods=["POST"]),
            Route("/deliveries/{id}/replay", required(self.replay), methods=["POST"]),
        ]

    async def show(self, request: Request, person: Person) -> Response:
        """Show a page of deliveries, the newest first; what was given up unless asked otherwise."""
        query = request.query_params
        state, configuration = query.get("state", "dead"), query.get("configuration", "")
        before = number(query["before"], "before") if query.get("before") else None
        wanted = Wanted(state, configuration, before=before, limit=PAGE + 1)
        found = await self.services.deliveries.list(wanted)
        frame = Frame(person, await self.services.rooms.list(person))
        return self.pages.answer(
            "deliveries.html",
            **frame.values(),
            state=state,
            configuration=configuration,
            shown=SHOWN,
            rows=[row(one) for one in found[:PAGE]],
            more=len(found) > PAGE,
            tally=await self.services.deliveries.tally(),
        )

    async def badge(self, _request: Request, _person: Person) -> Response:
        """Return the count of dead letters, as the navigation shows it."""
        tally = await self.services.deliveries.tally()
        return self.pages.answer("deliveries_badge.html", dead=tally.dead)

    async def replay(self, request: Request, _person: Person) -> Response:
        """Send one dead letter again."""
        await self.services.deliveries.replay([number(request.path_params["id"], "id")])
        return await _back(request)

    async def replay_all(self, request: Request, _person: Person) -> Response:
        """Send every dead letter again: those of one configuration, where it is named."""
        configuration = (await fields(request)).get("configuration", "")
        await self.services.deliveries.replay_all(configuration)
        return RedirectResponse("/deliveries?state=pending", HTTPStatus.SEE_OTHER)


async def _back(request: Request) -> Response:
    """Return to the list as it was."""
    form = await fields(request)
    query = urlencode([(name, form.get(name, "")) for name in ("state", "configuration")])
    return RedirectResponse(f"/deliveries?{query}", HTTPStatus.SEE_OTHER)
