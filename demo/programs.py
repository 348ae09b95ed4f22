"""Starts the programs of the demo, keeps what they write, and stops them in the end."""

import asyncio
import contextlib
import os
import re
import signal
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_LOOK_AGAIN = 0.03  # seconds
_STOPS_WITHIN = 10.0  # seconds
_TAKEN_OVER = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "TZ")


class DemoFailed(Exception):
    """The demo cannot go on; the text says why, in words for the person who started it."""


@dataclass(frozen=True, slots=True)
class Program:
    """A running program and the file that its output goes to."""

    name: str
    process: asyncio.subprocess.Process
    log: Path

    async def printed(self, pattern: str, seconds: float) -> re.Match[str]:
        """Wait until the program has printed a line; return the match.

        Raises `DemoFailed` when it ends before, or does not print it in time.
        """
        end = asyncio.get_running_loop().time() + seconds
        while True:
            text = self.log.read_text("utf-8", "replace")
            if match := re.search(pattern, text, re.MULTILINE):
                return match
            self.check()
            if asyncio.get_running_loop().time() > end:
                raise DemoFailed(f"{self.name} did not become ready within {seconds:.0f} s.")
            await asyncio.sleep(_LOOK_AGAIN)

    def check(self) -> None:
        """Raise `DemoFailed` when the program has ended."""
        if self.process.returncode is not None:
            raise DemoFailed(f"{self.name} ended with status {self.process.returncode}.")

    def last_lines(self, count: int) -> list[str]:
        """Return the end of what it has written."""
        return self.log.read_text("utf-8", "replace").splitlines()[-count:]


def environment(folder: Path, more: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without the user's settings of AWS, Docker, proxies or Parley.

    What the programs keep for themselves goes to `folder`, which is removed in the end.
    """
    kept = {name: os.environ[name] for name in _TAKEN_OVER if name in os.environ}
    return {**kept, "HOME": str(folder), "TMPDIR": str(folder), **more}


@contextlib.asynccontextmanager
async def running(
    name: str, command: Sequence[str | Path], folder: Path, more: Mapping[str, str] | None = None
) -> AsyncIterator[Program]:
    """Run a program for as long as the block lasts.

    It gets a session of its own, so that Ctrl-C reaches the demo alone, which then stops its
    programs in order.
    """
    log = folder / f"{name}.log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment(folder, more or {}),
            start_new_session=True,
        )
    try:
        yield Program(name, process, log)
    finally:
        await _stop(process)


async def finished(name: str, command: Sequence[str | Path], folder: Path) -> str:
    """Run a program to its end and return what it printed. Raises `DemoFailed`."""
    async with running(name, command, folder) as program:
        status = await program.process.wait()
        output = program.log.read_text("utf-8", "replace")
    if status:
        raise DemoFailed(f"{name} ended with status {status}:\n{output}")
    return output


async def _stop(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), _STOPS_WITHIN)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def free_port(wanted: int = 0) -> int:
    """Return `wanted` if nothing listens there on loopback, else a port that the system picks."""
    for port in (wanted, 0):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise DemoFailed("There is no free port on 127.0.0.1.")
