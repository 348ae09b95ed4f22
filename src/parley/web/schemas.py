"""Schemas that people build against."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


def routes(custom_notification: bytes) -> list[Route]:
    """Return the route of the custom notifications' OpenAPI schema."""

    async def read(_request: Request) -> Response:
        return Response(custom_notification, media_type="application/yaml")

    return [Route("/schemas/custom-notification.yaml", read, methods=["GET"])]
