"""A database that cannot be written is told, and written again as soon as it can be."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.databases import sqlite_copy

NOBODY = 65534

SCRIPT = """
import asyncio, sys
import sqlalchemy as sa
from parley.kernel.errors import Unavailable
from parley.storage.database import open_database
from parley.storage.migrate import probe

async def main(url):
    database = open_database(url)
    for line in sys.stdin:
        try:
            print(await database.write(probe) or "written", flush=True)
        except Unavailable as error:
            print(error, flush=True)
    database.close()

asyncio.run(main(sys.argv[1]))
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """Yield a folder that a user without rights may enter and write."""
    path = Path(tempfile.mkdtemp(prefix="parley-read-only-"))
    sqlite_copy(path)
    if os.geteuid() == 0:
        for one in (path, path / "parley.db"):
            os.chown(one, NOBODY, NOBODY)
    yield path
    path.chmod(0o700)
    shutil.rmtree(path)


def test_a_read_only_database_is_told_and_overcome_without_a_restart(folder: Path) -> None:
    database = folder / "parley.db"
    command = [sys.executable, "-c", SCRIPT, f"sqlite:///{database}"]
    if os.geteuid() == 0:  # root may write everything
        user = ["--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups"]
        command = ["setpriv", *user, *command]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout

        def write() -> str:
            assert process.stdin
            assert process.stdout
            print("go", file=process.stdin, flush=True)
            return process.stdout.readline()

        database.chmod(0o444)
        folder.chmod(0o555)
        for _ in range(2):
            told = write()
            assert "The database cannot be used now" in told
            assert "readonly" in told or "unable to open" in told
        folder.chmod(0o700)
        database.chmod(0o600)
        assert write() == "written\n"
        process.stdin.close()
        assert process.wait(20) == 0
