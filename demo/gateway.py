"""The Parley of the demo: set up by its own command line, on a data folder of its own."""

import contextlib
import json
import os
import shlex
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from demo.programs import Program, finished, free_port, running

ROOM = "ops-alerts"

_PARLEY = Path(sys.executable).with_name("parley")
_STARTS_WITHIN = 30.0  # seconds
_USUAL_PORT = 8080


@dataclass(frozen=True, slots=True)
class Gateway:
    """A gateway at work: the address of its web chat, and the link printed at its start."""

    program: Program
    data: Path
    url: str
    link: str

    async def sign_in_link(self, name: str) -> str:
        """Return a new one-time link."""
        words: list[str | Path] = [
            "sign-in-link",
            "--name",
            name,
            "--data",
            self.data,
            "--listen",
            self._address,
        ]
        output = await finished("sign-in-link", [_PARLEY, *words], self.data.parent)
        return output.split()[-1]

    def command(self, *words: str, listen: bool = False) -> str:
        """Return a command line of Parley's for this gateway, to be typed where the demo runs."""
        options = ["--data", str(self.data), *(["--listen", self._address] if listen else [])]
        return shlex.join([os.path.relpath(_PARLEY), *words, *options])

    @property
    def _address(self) -> str:
        return self.url.removeprefix("http://")


@contextlib.asynccontextmanager
async def gateway(folder: Path, topic: str, aws: str) -> AsyncIterator[Gateway]:
    """Run Parley for one topic of an AWS emulator at the address `aws`."""
    data = folder / "data"
    data.mkdir()
    (data / "parley.toml").write_text(_settings(topic, aws), "utf-8")
    add: list[str | Path] = ["configurations", "add", ROOM, "--topic", topic, "--data", data]
    await finished("configurations", [_PARLEY, *add], folder)
    listen = f"127.0.0.1:{free_port(_USUAL_PORT)}"
    serve: list[str | Path] = [_PARLEY, "serve", "--data", data, "--listen", listen]
    async with running("parley", serve, folder) as program:
        ready = await program.printed(r"^Parley is ready: (\S+)$", _STARTS_WITHIN)
        link = await program.printed(r"^Sign in .*: (\S+)$", _STARTS_WITHIN)
        yield Gateway(program, data, ready[1], link[1])


def _settings(topic: str, aws: str) -> str:
    """Return a parley.toml: the emulator cannot sign, and speaks for the topic instead of AWS."""
    return (
        f"[sns]\nunsigned_topics = [{json.dumps(topic)}]\n\n"
        f"[sns.endpoints]\n{json.dumps(topic)} = {json.dumps(aws)}\n"
    )
