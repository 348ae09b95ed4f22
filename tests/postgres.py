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


class PostgresServer:
    """A cluster in a folder of its own. `url` is the SQLAlchemy URL of its database."""

    def __init__(self, binaries: Path, folder: Path) -> None:
        """Make a new, empty cluster; it is not started yet."""
        self._binaries = binaries
        self._folder = folder
        self._log = folder / "log"
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"postgresql+psycopg://parley@/postgres?host={folder}"
        subprocess.run(
            _as_postgres(
                [
                    *(str(binaries / "initdb"), "--pgdata", str(folder / "data")),
                    *("--username", "parley"),
                    *("--auth", "trust", "--encoding", "UTF8", "--locale", "C.UTF-8"),
                    "--no-sync",  # nothing of value is in it yet; the server itself does sync
                ]
            ),
            cwd=folder,
            check=True,
            capture_output=True,
        )

    def start(self) -> None:
        """Start the server and wait until it takes connections."""
        with self._log.open("wb") as output:
            self._process = subprocess.Popen(
                _as_postgres(
                    [
                        *(str(self._binaries / "postgres"), "-D", str(self._folder / "data")),
                        *("-k", str(self._folder), "-c", "listen_addresses=", "-c", "fsync=on"),
                    ]
                ),
                cwd=self._folder,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        _wait_until_ready(self._process, self._folder, self._log)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it: SIGINT rolls open transactions back, SIGQUIT is a crash."""
        if self._process:
            self._process.send_signal(how)
            self._process.wait(STOP_SECONDS)
            self._process = None


@contextmanager
def postgres_cluster(binaries: Path) -> Iterator[PostgresServer]:
    """Run a new, empty cluster in a temporary folder.

    The folder has a short path outside pytest's own: a socket's path may hold 107 bytes, and the
    user postgres cannot enter a folder of root's.
    """
    folder = Path(tempfile.mkdtemp(prefix="parley-postgres-"))
    if os.geteuid() == 0:
        owner = pwd.getpwnam("postgres")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    try:
        server = PostgresServer(binaries, folder)
        try:
            server.start()
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder)


@contextmanager
def postgres_server(binaries: Path) -> Iterator[str]:
    """Run a new, empty cluster and yield the SQLAlchemy URL of its database."""
    with postgres_cluster(binaries) as server:
        yield server.url
