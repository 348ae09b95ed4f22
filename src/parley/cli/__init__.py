"""The command line: one module per command, imported when it is called."""

import argparse
import asyncio
import importlib
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from parley import __version__
from parley.cli.options import add_data
from parley.kernel.errors import ParleyError


@dataclass(frozen=True, slots=True)
class Command:
    """A command: its module has `arguments(parser)` and `run(options) -> int`."""

    name: str
    module: str
    help: str


COMMANDS = (
    Command("serve", "serve", "run the gateway: SNS in, chat out, the web chat"),
    Command("worker", "worker", "one more process that reads queues and delivers (PostgreSQL)"),
    Command("configurations", "configurations", "say which topics and queues speak where"),
    Command("deliveries", "deliveries", "what was given up or still waits, and sending it again"),
    Command("send-test", "send_test", "send a test notification through the whole path"),
    Command("sign-in-link", "sign_in_link", "print a one-time link to the web chat"),
    Command("backup", "backup", "copy the database while the gateway runs"),
    Command("config", "config", "check the settings"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return the exit status: 0 well, 1 failed, 2 not understood."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    called = _called(words)
    parser = argparse.ArgumentParser(
        prog="parley", description="ChatOps for AWS that a team hosts itself."
    )
    parser.add_argument("--version", action="version", version=f"parley {__version__}")
    add_data(parser)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in COMMANDS:
        one = commands.add_parser(command.name, help=command.help, description=command.help)
        if command.name == called:
            module = importlib.import_module(f"parley.cli.{command.module}")
            module.arguments(one)
            one.set_defaults(run=module.run)
    options = parser.parse_args(words)
    # What Parley keeps is what a team's alarms say: for its own user, not for all of the machine.
    usual = os.umask(0o077)
    try:
        return int(options.run(options))
    except ParleyError as error:
        print(f"parley: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # `parley ... | head` is nobody's mistake.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (KeyboardInterrupt, asyncio.CancelledError):
        return 130
    finally:
        os.umask(usual)


def _called(words: Sequence[str]) -> str:
    """Return the name of the command, for only that one is imported."""
    before = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    add_data(before)
    rest = before.parse_known_args([word for word in words if word != "--help"])[1]
    return rest[0] if rest else ""
