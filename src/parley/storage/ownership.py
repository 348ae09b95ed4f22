"""One process owns an SQLite database: a lock beside it that says who holds it.

The lock is the kernel's, so it ends with its process, however that ends; what the file says is for
people. Other commands write short transactions without it, and the owner notices what they wrote.
"""

import contextlib
import fcntl
import os
import socket
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from parley.kernel.errors import Conflict, Unavailable
from parley.kernel.ports.clock import Clock

_LISTENING = ", listening on "


@contextlib.contextmanager
def owning(database_url: str, address: str, clock: Clock) -> Iterator[Callable[[str], None]]:
    """Own the database for as long as the block lasts; any number may own one of PostgreSQL.

    `address` is where the owner will listen; what the block gets writes down another one. Raises
    `Conflict` that names the owner when there is one, `Unavailable` when no lock can be made.
    """
    if not database_url.startswith("sqlite:///"):
        yield lambda _: None
        return
    path = _lock_path(database_url)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise Unavailable(
            f"The lock {path} cannot be made: {error.strerror}. Give a folder with --data that the "
            "user who runs Parley may write to."
        ) from error
    try:
        _lock(file, path)
        since = f"{clock.now():%Y-%m-%d %H:%M:%S} UTC"
        _write(file, since, address)
        yield partial(_write, file, since)
        os.ftruncate(file, 0)  # nobody owns it now; the file stays, for others may wait on it
    finally:
        os.close(file)


def owners_address(database_url: str) -> str:
    """Return where the owner of a database listens, HOST:PORT; empty when nobody owns it."""
    if not database_url.startswith("sqlite:///"):
        return ""
    path = _lock_path(database_url)
    with contextlib.suppress(OSError), path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            text = file.read(1000).decode("utf-8", "replace")
            return text.rpartition(_LISTENING)[2].strip() if _LISTENING in text else ""
    return ""


def _lock_path(database_url: str) -> Path:
    return Path(database_url.removeprefix("sqlite:///")).with_suffix(".lock")


def _lock(file: int, path: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = os.pread(file, 1000, 0).decode("utf-8", "replace").strip() or "another process"
        raise Conflict(
            f"The database beside {path} is owned by {owner}. Stop that one first, or give another "
            "folder with --data. Several processes on one database need PostgreSQL."
        ) from None
    except OSError as error:
        raise Unavailable(f"{path} cannot be locked: {error.strerror}.") from error


def _write(file: int, since: str, address: str) -> None:
    text = f"process {os.getpid()} on {socket.gethostname()} since {since}{_LISTENING}{address}"
    # What stands there is only for people: a full disk must not keep the owner from its database.
    with contextlib.suppress(OSError):
        os.ftruncate(file, 0)
        os.pwrite(file, f"{text}\n".encode(), 0)
