"""`parley send-test`: a test notification through the whole path."""

import argparse
import asyncio
from uuid import uuid4

from parley.aws.publishing import SnsPublisher
from parley.bootstrap import Stores, open_stores
from parley.cli.options import add_data, settings_of
from parley.observe import Metrics
from parley.usecases.notify import Notify
from parley.usecases.send_test import SendTest


def arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    add_data(parser)
    parser.add_argument("configuration", help="name of the configuration")
    parser.add_argument("--account", default="", help="if several accounts have that name")
    parser.add_argument(
        "--inside",
        action="store_true",
        help="start behind the door instead of publishing to the topic (no AWS credentials needed)",
    )

    parser.add_argument(
        "--patience",
        type=float,
        default=30.0,
        metavar="SECONDS",
        help="how long to wait for each step (default: 30)",
    )


def run(options: argparse.Namespace) -> int:
    """Print each step; return 1 when the notification does not arrive."""
    with open_stores(settings_of(options)) as stores:
        return asyncio.run(_run(stores, options))


async def _run(stores: Stores, options: argparse.Namespace) -> int:
    configuration = await stores.manage_configurations().show(
        options.configuration, options.account
    )
    notify = Notify(stores.inbox, stores.notices, Metrics(), stores.clock, lambda _: None)
    aws = stores.settings.aws
    send = SendTest(
        stores.history,
        notify,
        SnsPublisher(aws.endpoint_url, stores.settings.sns.endpoints),
        new_id=lambda: str(uuid4()),
        patience=options.patience,
    )
    print(f"Testing {configuration.name} -> {configuration.destination}")
    ok = True
    async for step in send(configuration, inside=options.inside):
        ok = ok and step.ok
        print(f"  {'ok  ' if step.ok else 'FAIL'} {step.seconds:6.2f} s  {step.text}", flush=True)
    return 0 if ok else 1
