"""A PostgreSQL server of the tests' own: durable, and reached by a Unix socket alone."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

START_SECONDS = 30
STOP_SECONDS = 30


def _as_postgres(command: list[str]) -> list[str]:
    """Return the command as the user postgres when we are root, whom the server refuses to serve.

    It ends with its parent, so that a killed test run leaves no server behind.
    """
    user = ["--reuid", "postgres", "--regid", "postgres", "--init-groups"]
    return ["setpriv", *(user if os.geteuid() == 0 else []), "--pdeathsig", "INT", "--", *command]


def _wait_until_ready(process: subprocess.Popen[bytes], folder: Path, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            psycopg.connect(host=str(folder), user="parley", dbname="postgres").close()
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > deadline:
                report = log.read_text(encoding="utf-8")
                raise AssertionError(f"PostgreSQL did not start:\n{report}") from None
            time.sleep(0.05)
        else:
            return


@contextmanager
def postgres_server(binaries: Path) -> Iterator[str]:
    """Run a new, empty cluster in a temporary folder and yield the SQLAlchemy URL of its database.

    The folder has a short path outside pytest's own: a socket's path may hold 107 bytes, and the
    user postgres cannot enter a folder of root's.
    """
    folder = Path(tempfile.mkdtemp(prefix="parley-postgres-"))
    data, log = folder / "data", folder / "log"
    if os.geteuid() == 0:
        owner = pwd.getpwnam("postgres")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    try:
        subprocess.run(
            _as_postgres(
                [
                    *(str(binaries / "initdb"), "--pgdata", str(data), "--username", "parley"),
                    *("--auth", "trust", "--encoding", "UTF8", "--locale", "C.UTF-8"),
                    "--no-sync",  # nothing of value is in it yet; the server itself does sync
                ]
            ),
            cwd=folder,
            check=True,
            capture_output=True,
        )
        with log.open("wb") as output:
            process = subprocess.Popen(
                _as_postgres(
                    [
                        *(str(binaries / "postgres"), "-D", str(data), "-k", str(folder)),
                        *("-c", "listen_addresses=", "-c", "fsync=on"),
                    ]
                ),
                cwd=folder,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            _wait_until_ready(process, folder, log)
            yield f"postgresql+psycopg://parley@/postgres?host={folder}"
        finally:
            process.send_signal(signal.SIGINT)  # fast shutdown: open transactions are rolled back
            process.wait(STOP_SECONDS)
    finally:
        shutil.rmtree(folder)
