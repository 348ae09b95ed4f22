"""`parley serve`: the gateway."""

import argparse
import asyncio
import contextlib
import errno
import shlex
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import uvicorn

from parley.bootstrap import Running, Stores, open_stores, own, start
from parley.cli.collector import settle
from parley.cli.options import add_data, settings_of
from parley.kernel.errors import Unavailable
from parley.observe import start_log
from parley.settings import Settings

_GRACE = 5  # seconds for requests in flight


def arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    add_data(parser)
    parser.add_argument(
        "--listen", metavar="HOST:PORT", help="where to listen (default: 127.0.0.1:8080)"
    )


def run(options: argparse.Namespace) -> int:
    """Serve until SIGTERM or Ctrl-C."""
    settings = settings_of(options)
    start_log(settings.log.level, settings.log.format)
    with own(settings) as listens_on, open_stores(settings) as stores:
        runner = asyncio.Runner(loop_factory=fast_loop())
        with runner:
            runner.run(_serve(stores, listens_on))
    return 0


def fast_loop() -> Callable[[], asyncio.AbstractEventLoop]:
    """Return what makes uvloop's event loop."""
    import uvloop

    return uvloop.new_event_loop


async def _serve(stores: Stores, listens_on: Callable[[str], None]) -> None:
    settings = stores.settings
    listening = _listen(settings)
    host, port = listening.getsockname()[:2]
    listens_on(f"{settings.address[0]}:{port}")
    with listening:
        async with start(stores, (settings.address[0], port)) as running:
            settle()
            server = _Server(running, lambda: _say_ready(running, (host, port)))
            await server.serve(sockets=[listening])


def _listen(settings: Settings) -> socket.socket:
    host, port = settings.address
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio switches Nagle's delay off only for sockets that are known to be TCP.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        why = {
            errno.EADDRINUSE: "another program listens there",
            errno.EADDRNOTAVAIL: "this machine has no such address",
            errno.EACCES: "this user may not (ports below 1024 are for root)",
        }.get(error.errno or 0, error.strerror)
        raise Unavailable(
            f"Parley cannot listen on {settings.listen}: {why}. Give another address with "
            "--listen HOST:PORT or the setting `listen`."
        ) from error
    return listening


class _Server(uvicorn.Server):
    """Says when it is ready, and lets open pages go as soon as it is asked to stop."""

    def __init__(self, running: Running, ready: Callable[[], Awaitable[None]]) -> None:
        super().__init__(
            uvicorn.Config(
                running.app,
                http="httptools",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=_GRACE,
            )
        )
        self._running = running
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        await self._ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take the signals ourselves: uvicorn would raise them again before the workers stop."""
        loop = asyncio.get_running_loop()
        signals = (signal.SIGTERM, signal.SIGINT)
        for one in signals:
            loop.add_signal_handler(one, self._stop)
        try:
            yield
        finally:
            for one in signals:
                loop.remove_signal_handler(one)

    def _stop(self) -> None:
        self._running.stopping.set()
        self.force_exit = self.should_exit  # asked a second time
        self.should_exit = True


async def _say_ready(running: Running, address: tuple[str, int]) -> None:
    stores = running.stores
    settings = stores.settings
    url = settings.pages_url(address)
    for topic in settings.sns.unsigned_topics:
        print(
            f"WARNING: messages of {topic} are accepted without a signature, from programs on this "
            "machine. This is for emulators: remove it from sns.unsigned_topics otherwise.",
            file=sys.stderr,
        )
    if settings.sns.unsigned_topics and not settings.loopback:
        print(
            f"WARNING: Parley listens on {settings.listen}, which others can reach: unsigned "
            "messages are refused.",
            file=sys.stderr,
        )
    if settings.sns.trust_root or settings.sns.certificate_source:
        print("WARNING: SNS certificates are checked against sns.trust_root, for tests.",
              file=sys.stderr)  # fmt: skip
    secret = await stores.people.create_link("admin")
    print(f"Parley is ready: {url}")
    print(f"Sign in within 10 minutes: {url}/sign-in?token={secret}")
    print(f"Another link later: {_sign_in_command(settings, address[1])}", flush=True)


def _sign_in_command(settings: Settings, port: int) -> str:
    """Return the command for another link as it can be typed in a second terminal."""
    usual = Settings.model_fields
    host = settings.address[0]
    listens = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    words = [sys.argv[0] if Path(sys.argv[0]).name == "parley" else "parley", "sign-in-link"]
    if settings.data != usual["data"].default:
        words += ["--data", str(settings.data)]
    if listens != usual["listen"].default and not settings.web.url:
        words += ["--listen", listens]
    return shlex.join(words)
