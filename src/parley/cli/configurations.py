"""`parley configurations`: which topics and queues speak in which channel."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable

from parley.bootstrap import CHANNELS, open_stores
from parley.cli.options import add_data, settings_of
from parley.cli.tables import print_table
from parley.kernel.configuration import Configuration, Routing
from parley.kernel.incoming import LOCAL, Destination
from parley.usecases.configurations import ManageConfigurations


def arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    add_data(parser)
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    add = actions.add_parser("add", help="let topics or queues speak in a channel")
    add.add_argument("name", help="its name, unique in its account; it never changes")
    add.add_argument(
        "--platform", default=LOCAL, help=f"one of {', '.join(CHANNELS)} (local: the web chat)"
    )
    add.add_argument(
        "--channel",
        help="room of the web chat (default: the configuration's name), or a Slack channel's id "
        "or link",
    )
    add.add_argument(
        "--topic", action="append", default=[], metavar="ARN", help="SNS topic; may be repeated"
    )
    add.add_argument(
        "--queue", action="append", default=[], metavar="URL", help="SQS queue; may be repeated"
    )
    add.add_argument("--account", default="", help="AWS account id (default: the first topic's)")
    add.add_argument(
        "--only-source",
        action="append",
        default=[],
        metavar="PATTERN",
        help="only events of this source, such as aws.health or aws.*; may be repeated",
    )
    add.add_argument(
        "--only-account",
        action="append",
        default=[],
        metavar="ID",
        help="only events of this AWS account; may be repeated",
    )
    add.add_argument(
        "--group-mentions",
        action="store_true",
        help="let custom notifications notify a whole Slack channel or group",
    )
    _finish(add, _add)
    _finish(actions.add_parser("list", help="list them"), _list)
    for name, action, text in (
        ("show", _show, "show one, whole"),
        ("remove", _remove, "remove one; what it delivered stays readable"),
    ):
        one = actions.add_parser(name, help=text)
        one.add_argument("name", help="its name")
        one.add_argument("--account", default="", help="if several accounts have that name")
        _finish(one, action)


def run(options: argparse.Namespace) -> int:
    """Do what the action says."""
    with open_stores(settings_of(options)) as stores:
        asyncio.run(options.action(stores.manage_configurations(), options))
    return 0


_Action = Callable[[ManageConfigurations, argparse.Namespace], Awaitable[None]]


def _finish(parser: argparse.ArgumentParser, action: _Action) -> None:
    add_data(parser)
    parser.set_defaults(action=action)


async def _add(manage: ManageConfigurations, options: argparse.Namespace) -> None:
    added = await manage.add(
        Configuration(
            name=options.name,
            account=options.account,
            destination=Destination(
                options.platform, options.channel or _channel_of(options.name, options.platform)
            ),
            topics=tuple(dict.fromkeys(options.topic)),
            queues=tuple(dict.fromkeys(options.queue)),
            routing=Routing(tuple(options.only_source), tuple(options.only_account)),
            group_mentions=options.group_mentions,
        )
    )
    print(f"Added {added.name}: messages go to {added.destination}.")
    if not added.topics and not added.queues:
        print("It has no topic and no queue yet, so nothing but `parley send-test` reaches it.")
    for topic in added.topics:
        print(f"Subscribe {topic} to https://YOUR-HOST/ingest/sns, or let a queue be between.")


def _channel_of(name: str, platform: str) -> str:
    return name.lower() if platform == LOCAL else ""


async def _list(manage: ManageConfigurations, _options: argparse.Namespace) -> None:
    every = await manage.list()
    if not every:
        print("There is no configuration yet: parley configurations add --help")
        return
    rows = [
        (
            one.name,
            one.account,
            str(one.destination),
            str(len(one.topics)),
            str(len(one.queues)),
            "unhealthy" if one.unhealthy else "ok",
        )
        for one in every
    ]
    print_table(("NAME", "ACCOUNT", "CHANNEL", "TOPICS", "QUEUES", "STATE"), rows)


async def _show(manage: ManageConfigurations, options: argparse.Namespace) -> None:
    one = await manage.show(options.name, options.account)
    for label, value in (
        ("name", one.name),
        ("account", one.account),
        ("channel", str(one.destination)),
        *(("topic", topic) for topic in one.topics),
        *(("queue", queue) for queue in one.queues),
        ("only sources", ", ".join(one.routing.sources) or "all"),
        ("only accounts", ", ".join(one.routing.accounts) or "all"),
        ("group mentions", "allowed" if one.group_mentions else "not allowed"),
        ("state", one.unhealthy or "ok"),
        ("since", f"{one.created_at:%Y-%m-%d %H:%M:%S} UTC" if one.created_at else "-"),
    ):
        print(f"{label:<15} {value}")


async def _remove(manage: ManageConfigurations, options: argparse.Namespace) -> None:
    removed = await manage.remove(options.name, options.account)
    print(f"Removed {removed.name}. What it delivered stays readable in {removed.destination}.")
    for topic in removed.topics:
        print(f"Its subscription in AWS is still there: unsubscribe {topic}.")
