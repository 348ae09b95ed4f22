"""`python -m demo [--once]`: see what happens in AWS arrive in chat, on this machine alone."""

import argparse
import asyncio
import contextlib
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import aiohttp
from botocore.exceptions import BotoCoreError, ClientError

from demo.cloud import TOPIC, Cloud, emulator, forget_users_aws
from demo.events import happenings
from demo.gateway import ROOM, Gateway, gateway
from demo.programs import DemoFailed, Program
from demo.room import watched
from demo.story import Outcome, tell

_PATIENCE = 60.0  # seconds for all messages together
_CONFIRMED_WITHIN = 15.0  # seconds
_LOG_LINES = 15
_STOPPED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo; return 0 if everything arrived."""
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument(
        "--once", action="store_true", help="end when all is there: status 0, or 1 with what is not"
    )
    options = parser.parse_args(arguments)
    forget_users_aws()
    with tempfile.TemporaryDirectory(prefix="parley-demo-") as name:
        try:
            return asyncio.run(_run(Path(name), once=options.once))
        except asyncio.CancelledError:
            print("\nStopped; everything that the demo made is gone.")
            return _STOPPED if options.once else 0
        except (DemoFailed, BotoCoreError, ClientError, aiohttp.ClientError) as error:
            print(f"\nThe demo failed: {error}", file=sys.stderr)
            _print_logs(Path(name))
            return 1


async def _run(folder: Path, *, once: bool) -> int:
    _let_go_once()
    async with contextlib.AsyncExitStack() as stack:
        aws, endpoint = await stack.enter_async_context(emulator(folder))
        cloud = await asyncio.to_thread(Cloud.at, endpoint)
        await asyncio.to_thread(cloud.build)
        parley = await stack.enter_async_context(gateway(folder, TOPIC, endpoint))
        print(f"Parley        {parley.url}")
        print(f"AWS           {endpoint} (an emulator on this machine)")
        print(f"SNS topic     {TOPIC}")
        room = await stack.enter_async_context(watched(parley.link, ROOM))
        await _subscribe(cloud, f"{parley.url}/ingest/sns")
        outcome = await tell(happenings(), cloud, room, _PATIENCE)
        _print_outcome(outcome)
        if outcome.missing:
            _print_logs(folder)
        if once:
            return 1 if outcome.missing else 0
        await _stay_up(parley, aws)
        return 1


def _let_go_once() -> None:
    """Stop at the first signal, and let no second one interrupt the cleaning up."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()

    def stop() -> None:
        nonlocal task
        if task is not None:
            task.cancel()
            task = None

    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(name, stop)


async def _subscribe(cloud: Cloud, address: str) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    await asyncio.to_thread(cloud.subscribe, address)
    while not await asyncio.to_thread(cloud.confirmed):
        if loop.time() - began > _CONFIRMED_WITHIN:
            raise DemoFailed(f"Parley did not confirm the subscription of {TOPIC}.")
        await asyncio.sleep(0.02)
    took = loop.time() - began
    print(f"Subscription  {address}, confirmed after {took:.2f} s", flush=True)


def _print_outcome(outcome: Outcome) -> None:
    came = len(outcome.seconds)
    if not outcome.missing:
        print(f"\nAll {came} messages arrived, the slowest after {max(outcome.seconds):.2f} s.")
        return
    print(f"\n{came} of {came + len(outcome.missing)} messages arrived. Missing:", file=sys.stderr)
    for one in outcome.missing:
        print(f"  - {one}", file=sys.stderr)


def _print_logs(folder: Path) -> None:
    for log in sorted(folder.glob("*.log")):
        lines = log.read_text("utf-8", "replace").splitlines()[-_LOG_LINES:]
        print(f"\nThe last lines of {log.stem}:", file=sys.stderr)
        for line in lines:
            print(f"  {line}", file=sys.stderr)


async def _stay_up(parley: Gateway, aws: Program) -> None:
    """Wait for Ctrl-C. Raises `DemoFailed` when one of the programs ends."""
    print(f"\nOpen the web chat   {await parley.sign_in_link('admin')}")
    print(f"Another link        {parley.command('sign-in-link', listen=True)}")
    print(f"Another message     {parley.command('send-test', ROOM, '--inside')}")
    print("End it              Ctrl-C", flush=True)
    ends = [asyncio.create_task(one.process.wait()) for one in (parley.program, aws)]
    try:
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in ends:
            one.cancel()
    for program in (parley.program, aws):
        program.check()


if __name__ == "__main__":
    sys.exit(main())
