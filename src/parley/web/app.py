"""The application: the pages behind their guard, and beside them what machines call."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from parley.kernel.errors import ParleyError
from parley.web.chat.live import Streams
from parley.web.chat.reading import Reading
from parley.web.chat.searching import Searching
from parley.web.chat.sources import Sources
from parley.web.chat.speaking import Speaking
from parley.web.deliveries import DeliveryPages
from parley.web.digests import DigestPage
from parley.web.errors import Problems
from parley.web.guard import BindBrowsers, Guard
from parley.web.pages import Pages
from parley.web.services import Services
from parley.web.sign_in import SignIn
from parley.web.static_files import FOLDER, static_files

Application = Starlette
"""What `create_app` makes: an ASGI application."""


def create_app(services: Services) -> Application:
    """Return the whole HTTP side as one ASGI application."""
    pages = Pages()
    problems = Problems(pages)
    sign_in = SignIn(services.people, pages, services.secure_cookie)
    kinds = (Reading, Speaking, Searching, Sources, DeliveryPages, DigestPage)
    parts = [part(services, pages, sign_in) for part in kinds]
    handlers = {
        ParleyError: problems.parley_error,
        HTTPException: problems.http_error,
        Exception: problems.unexpected,
    }

    async def icon(_request: Request) -> Response:
        """Send browsers that ask for the usual name to the icon that the pages name."""
        return Response(status_code=308, headers={"Location": f"/static/{pages.version}/icon.svg"})

    chat = Starlette(
        routes=[
            *sign_in.routes(),
            *Streams(services, pages, sign_in).routes(),
            *(route for part in parts for route in part.routes()),
            Route("/favicon.ico", icon),
            Mount("/static", static_files(FOLDER, pages.version)),
        ],
        middleware=[Middleware(Guard, allowed_hosts=services.allowed_hosts)],
        exception_handlers=handlers,
    )
    return Starlette(
        routes=[*services.extra_routes, Mount("/", chat)],
        middleware=[Middleware(BindBrowsers)],
        exception_handlers=handlers,
    )
