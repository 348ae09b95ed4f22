"""Templates: one environment, every value escaped."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from parley.web.static_files import FOLDER, version_of

_TEMPLATES = Path(__file__).parent / "templates"


def _segment(text: str) -> str:
    """Escape a text for one segment of an address."""
    return quote(text, safe=":@")


def _json(value: object) -> str:
    """Return JSON for an attribute; the template escapes it."""
    return orjson.dumps(value).decode()


class Pages:
    """Renders templates with the address of the static files."""

    def __init__(self) -> None:
        self.version = version_of(FOLDER)
        self._environment = Environment(
            loader=FileSystemLoader(_TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.filters["segment"] = _segment
        self._environment.filters["json"] = _json
        self._environment.globals["static"] = f"/static/{self.version}"

    def text(self, template: str, values: Mapping[str, Any]) -> str:
        """Return a rendered template."""
        return self._environment.get_template(template).render(values)

    def answer(self, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        """Return a rendered template as a page that nobody keeps."""
        return HTMLResponse(
            self.text(template, values), status, headers={"Cache-Control": "no-store"}
        )


def wants_fragment(request: Request) -> bool:
    """Return whether htmx asks for a part of a page."""
    return request.headers.get("hx-request") == "true"


def wants_page(request: Request) -> bool:
    """Return whether a person's browser navigates here, rather than a program calling."""
    return "text/html" in request.headers.get("accept", "") and not wants_fragment(request)
