"""Style sheets and scripts, under an address that changes with their content."""

import hashlib
from pathlib import Path

from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Scope

FOLDER = Path(__file__).parent / "static"


def version_of(folder: Path) -> str:
    """Return a short hash over the names and contents of all files in a folder.

    One hash for all of them: scripts import each other by relative addresses, so that a change of
    one must change the address of those that import it.
    """
    digest = hashlib.sha256()
    for path in sorted(one for one in folder.rglob("*") if one.is_file()):
        digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


class VersionedFiles(StaticFiles):
    """Serves `<version>/<path>`; browsers may keep for a year what has the present version."""

    def __init__(self, folder: Path, version: str) -> None:
        super().__init__(directory=folder)
        self._version = version

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return the file; one of another version is served too, but not kept."""
        version, _, rest = path.partition("/")
        response = await super().get_response(rest, scope)
        keep = "public, max-age=31536000, immutable" if version == self._version else "no-cache"
        response.headers["Cache-Control"] = keep
        return response


def static_files(folder: Path, version: str) -> ASGIApp:
    """Return the application that serves the folder, compressed."""
    return GZipMiddleware(VersionedFiles(folder, version), minimum_size=1024)
