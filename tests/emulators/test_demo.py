"""The demo: a real AWS emulator, a real gateway, and every message read from the web chat."""

import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests import installed

ROOT = Path(__file__).parents[2]

ARRIVED = re.compile(
    r"^    chat  (new \w+|changed \w+ \w+|reply \w+ \w+) +(.+?) +\d+\.\d\d s$", re.MULTILINE
)
EXPECTED = [
    ("new message", "ALARM: checkout-api latency above 800 ms"),
    ("changed in place", "OK: checkout-api latency no longer above 800 ms"),
    ("reply in thread", "OK: checkout-api latency no longer above 800 ms"),
    ("new message", "checkout-api 2.41.0 is live in production"),
    ("new message", "SO-204817"),
    ("new message", "nightly-invoice-export failed"),
    ("new message", "i-0c2f9d41b7a8e6035 stopped"),
]

# A message that nothing sends, and the patience to find out.
NOTHING_COMES = """
import sys, demo.__main__ as program
from demo.events import Expected, Happening
program.happenings = lambda: [Happening("nothing happens", print, [Expected("a silence")])]
program._PATIENCE = 2.0
sys.exit(program.main(["--once"]))
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Return settings of a user that the demo must neither need nor take up."""
    installed.emulator("ministack")
    return {
        **os.environ,
        "TMPDIR": str(tmp_path),
        "HTTP_PROXY": "http://127.0.0.1:9",
        "AWS_PROFILE": "a-profile-that-does-not-exist",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "PARLEY_LISTEN": "no address",
    }


def run(words: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def still_runs(folder: Path) -> list[str]:
    """Return the command lines of processes that keep their files in a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            settings = (process / "environ").read_bytes()
            if f"TMPDIR={folder}/".encode() in settings:
                found.append((process / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found


def test_every_message_arrives_and_nothing_is_left(
    environment: dict[str, str], tmp_path: Path
) -> None:
    done = run(["-m", "demo", "--once"], environment)

    assert done.returncode == 0, done.stdout + done.stderr
    arrived = ARRIVED.findall(done.stdout)
    assert [how for how, _ in arrived] == [how for how, _ in EXPECTED]
    assert [
        (words, label)
        for (_, words), (_, label) in zip(EXPECTED, arrived, strict=True)
        if words not in label
    ] == []
    assert "All 7 messages arrived" in done.stdout
    assert list(tmp_path.iterdir()) == []
    assert still_runs(tmp_path) == []


def test_a_message_that_does_not_come_is_named(environment: dict[str, str], tmp_path: Path) -> None:
    done = run(["-c", NOTHING_COMES], environment)

    assert done.returncode == 1
    assert "nothing happens: new message with a silence" in done.stderr
    assert "The last lines of parley:" in done.stderr
    assert list(tmp_path.iterdir()) == []
    assert still_runs(tmp_path) == []


def test_it_stays_up_until_it_is_stopped(environment: dict[str, str], tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "demo"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stdout is not None
        link = next(line for line in program.stdout if line.startswith("Open the web chat"))
        address = link.split()[-1]
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(address) as page:
            assert "Sign in to Parley" in page.read().decode()
        program.send_signal(signal.SIGINT)
        assert program.wait(30) == 0
    assert list(tmp_path.iterdir()) == []
    assert still_runs(tmp_path) == []
