"""`parley deliveries`: what was given up or still waits, and sending it again."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

from parley.bootstrap import open_stores
from parley.cli.options import add_data, settings_of
from parley.cli.tables import print_table
from parley.kernel.messages import plain_title
from parley.kernel.ports.deliveries import STATES, Listed, Wanted
from parley.usecases.deliveries import ManageDeliveries

_WIDEST = 60
_MAYBE_TWICE = "it may appear twice in the channel: a worker ended between sending and marking it"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    add_data(parser)
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    one = actions.add_parser("list", help="list them, the newest first: dead letters unless said")
    one.add_argument(
        "--state", choices=(*STATES, "all"), default="dead", help="only those (default: dead)"
    )
    one.add_argument("--configuration", default="", metavar="NAME", help="only those of this one")
    one.add_argument(
        "--since", metavar="TIME", help="only those accepted since: 90m, 2h, 3d ago, or a time"
    )
    one.add_argument("--limit", type=int, default=50, metavar="N", help="at the most (default: 50)")
    one.add_argument("--before", type=int, metavar="ID", help="only older than this one: next page")
    _finish(one, _list)
    one = actions.add_parser("show", help="show one, with its event and its message")
    one.add_argument("id", type=int, metavar="ID", help="as `list` prints it")
    _finish(one, _show)
    one = actions.add_parser("replay", help="send dead letters again")
    one.add_argument("ids", nargs="*", type=int, metavar="ID", help="as `list` prints them")
    one.add_argument("--all-dead", action="store_true", help="every dead letter")
    one.add_argument(
        "--configuration", default="", metavar="NAME", help="with --all-dead: of this one alone"
    )
    _finish(one, _replay)


def run(options: argparse.Namespace) -> int:
    """Do what the action says."""
    with open_stores(settings_of(options)) as stores:
        asyncio.run(options.action(stores.manage_deliveries(), options))
    return 0


_Action = Callable[[ManageDeliveries, argparse.Namespace], Awaitable[None]]


def _finish(parser: argparse.ArgumentParser, action: _Action) -> None:
    add_data(parser)
    parser.set_defaults(action=action)


async def _list(manage: ManageDeliveries, options: argparse.Namespace) -> None:
    found = await manage.list(
        Wanted(
            state="" if options.state == "all" else options.state,
            configuration=options.configuration,
            since=manage.since(options.since) if options.since else None,
            before=options.before,
            limit=options.limit,
        )
    )
    if not found:
        print("There is none." if options.state == "all" else f"None is {options.state}.")
        return
    head = ("ID", "ACCEPTED", "CONFIGURATION", "CHANNEL", "STATE", "TRIED", "MESSAGE", "ERROR")
    print_table(head, [_row(one) for one in found])
    if len(found) == options.limit:
        print(f"Older ones: --before {found[-1].id}")


def _row(one: Listed) -> tuple[str, ...]:
    return (
        str(one.id),
        _time(one.created_at),
        one.configuration or "-",
        str(one.destination),
        _state(one),
        str(one.attempts),
        _short(plain_title(one.message)),
        _short(one.error) or "-",
    )


def _state(one: Listed) -> str:
    return f"{one.state}, maybe twice" if one.possible_duplicate else one.state


async def _show(manage: ManageDeliveries, options: argparse.Namespace) -> None:
    one, event = await manage.show(options.id)
    facts = [
        ("id", str(one.id)),
        ("state", one.state),
        ("configuration", one.configuration or "-"),
        ("channel", str(one.destination)),
        ("step", one.action),
        ("tried", f"{one.attempts} times without success"),
        ("error", one.error or "-"),
        ("accepted", _time(one.created_at)),
        ("next attempt", _time(one.due_at) if one.state == "pending" else "-"),
        ("done", _time(one.done_at) if one.done_at else "-"),
        ("event", one.event_id),
        ("message", plain_title(one.message)),
    ]
    if one.possible_duplicate:
        facts.append(("note", _MAYBE_TWICE))
    for label, value in facts:
        print(f"{label:<15} {_clean(value)}")
    if event is not None:
        print(f"\nThe event as it arrived, {_time(event.received_at)}:")
        for line in event.raw.splitlines():
            print(_clean(line))


async def _replay(manage: ManageDeliveries, options: argparse.Namespace) -> None:
    if options.all_dead and not options.ids:
        count = await manage.replay_all(options.configuration)
        _say_count(count)
        return
    revived = await manage.replay(options.ids)
    _say_count(len(revived))
    for one in sorted(set(options.ids) - set(revived)):
        print(f"{one} is left alone: it is not dead.")


def _say_count(count: int) -> None:
    letters = "dead letter is" if count == 1 else "dead letters are"
    print(f"{count} {letters} pending again and will be sent by the running gateway.")


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _short(text: str) -> str:
    line = _clean(text)
    return line if len(line) <= _WIDEST else f"{line[: _WIDEST - 1]}…"


def _clean(text: str) -> str:
    """Return one line that no terminal takes for a command."""
    return "".join(one if one.isprintable() else " " for one in text)
