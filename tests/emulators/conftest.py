"""The AWS emulator, in a process and an environment of its own."""

import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests import installed

ACCOUNT = "123456789012"
REGION = "eu-west-1"

_STARTS_WITHIN = 30.0
_STOPS_WITHIN = 10.0


@dataclass(frozen=True)
class Emulator:
    """An emulator that answers at `url`."""

    url: str

    def client(self, service: str) -> Any:
        """Return boto3's client of a service."""
        return boto3.client(
            service,
            region_name=REGION,
            endpoint_url=self.url,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )


@pytest.fixture(scope="session")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """Yield an emulator for the whole run; skip without it, fail in CI."""
    program = installed.emulator("ministack")
    folder = tmp_path_factory.mktemp("ministack")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "MINISTACK_REGION": REGION,
        # It looks for containers of its own to remove; those of this machine are not its business.
        "DOCKER_HOST": f"unix://{folder}/no-docker",
    }
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [program], env=settings, stdout=log, stderr=log, start_new_session=True
        )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_until_it_answers(process, url, folder / "log")
        yield Emulator(url)
    finally:
        process.terminate()
        try:
            process.wait(_STOPS_WITHIN)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait_until_it_answers(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    end = time.monotonic() + _STARTS_WITHIN
    while time.monotonic() < end and process.poll() is None:
        try:
            health = f"{url}/_ministack/health"
            with urllib.request.urlopen(health, timeout=1):  # noqa: S310 - http on loopback
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    pytest.fail(f"the AWS emulator did not start:\n{log.read_text(errors='replace')[-2000:]}")
