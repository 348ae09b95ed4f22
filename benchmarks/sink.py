"""Where measured messages end: answers as Slack does, counts, and says how many."""

import sys
import time

from aiohttp import web


class Sink:
    """Counts what arrives on any path but `/count`."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._count = 0

    async def take(self, request: web.Request) -> web.Response:
        """Answer a call of Slack's Web API, or any web hook."""
        await request.read()
        self._count += 1
        return web.json_response({"ok": True, "channel": "C0", "ts": f"{time.time():.6f}"})

    async def count(self, _request: web.Request) -> web.Response:
        """Say how many arrived."""
        return web.json_response(self._count)


def main(port: int) -> None:
    """Serve on loopback until the process is ended."""
    sink = Sink()
    app = web.Application(client_max_size=16 * 1024 * 1024)
    app.router.add_get("/count", sink.count)
    app.router.add_post("/{path:.*}", sink.take)
    web.run_app(app, host="127.0.0.1", port=port, print=None, access_log=None)


if __name__ == "__main__":
    main(int(sys.argv[1]))
