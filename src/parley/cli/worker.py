"""`parley worker`: another process beside `parley serve` that reads queues and delivers."""

import argparse
import asyncio
import signal

from parley.bootstrap import Stores, open_stores, work
from parley.cli.collector import settle
from parley.cli.options import add_data, settings_of
from parley.cli.serve import fast_loop
from parley.kernel.errors import Refused
from parley.observe import start_log


def arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    add_data(parser)


def run(options: argparse.Namespace) -> int:
    """Work until SIGTERM or Ctrl-C. Raises `Refused` on SQLite."""
    settings = settings_of(options)
    if settings.database_url.startswith("sqlite"):
        raise Refused(
            "Several workers need PostgreSQL: an SQLite database has one owner, and `parley serve` "
            'delivers from it by itself. Set database = "postgresql://USER@HOST/NAME" in '
            "parley.toml (PARLEY_DATABASE) for both."
        )
    start_log(settings.log.level, settings.log.format)
    with open_stores(settings) as stores, asyncio.Runner(loop_factory=fast_loop()) as runner:
        runner.run(_work(stores))
    return 0


async def _work(stores: Stores) -> None:
    settings = stores.settings
    async with work(stores, settings.pages_url(settings.address)) as working:
        settle()
        loop = asyncio.get_running_loop()
        signals = (signal.SIGTERM, signal.SIGINT)
        for one in signals:
            loop.add_signal_handler(one, working.stopping.set)
        if not settings.web.url:
            print(
                "Messages link to pages on this machine: set web.url to the address that people "
                "open."
            )
        print("Parley's worker is ready: it reads queues and delivers.", flush=True)
        await working.stopping.wait()
        for one in signals:
            loop.remove_signal_handler(one)
