"""`parley sign-in-link`: a one-time link to the web chat."""

import argparse
import asyncio
import re
import sys

from parley.bootstrap import open_stores, owner_listens_on
from parley.cli.options import add_data, settings_of
from parley.kernel.errors import InvalidRequest

_LONGEST = 64


def arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    add_data(parser)
    parser.add_argument(
        "--listen",
        metavar="HOST:PORT",
        help="where the gateway listens, if another process cannot tell",
    )
    parser.add_argument(
        "--name", default="admin", help="who signs in: shown beside what they write (admin)"
    )


def run(options: argparse.Namespace) -> int:
    """Print a link that is good for 10 minutes and one use."""
    settings = settings_of(options)
    name = " ".join(options.name.split())
    if not name or len(name) > _LONGEST or re.search(r"[^\w .@'+-]", name):
        raise InvalidRequest(
            f"{options.name!r} cannot be a name: use letters, digits, spaces and .@'+-, "
            f"{_LONGEST} characters at the most."
        )
    with open_stores(settings) as stores:
        secret = asyncio.run(stores.people.create_link(name))
    running = None if options.listen else owner_listens_on(settings)
    if settings.database_url.startswith("sqlite:///") and not (running or options.listen):
        print(
            f"No gateway runs on {settings.data} now: the link works once it does, within 10 "
            "minutes.",
            file=sys.stderr,
        )
    print(f"{settings.pages_url(running or settings.address)}/sign-in?token={secret}")
    return 0
