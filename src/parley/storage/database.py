"""The two databases behind one interface: `write(f)` and `read(f)` with `f(connection)`.

SQLite has one writer thread with group commit: units of many callers share a transaction, each in
a SAVEPOINT of its own, so that one unit's error fails only its caller and all callers fail when
the COMMIT fails. PostgreSQL has a bounded pool of threads. A call returns only after its commit.
"""

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol, TypeVar
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.pool import NullPool, QueuePool

from parley.kernel.errors import InvalidRequest, Unavailable

T = TypeVar("T")
Unit = Callable[[sa.Connection], T]

_GROUP = 128
_READERS = 4
_POSTGRES_THREADS = 8
_STOPPING = "Parley is stopping."


class Database(Protocol):
    """Runs storage functions.

    Raises `Unavailable` when the database cannot do its part. What a unit itself raises, and what
    the database says against its values, reaches the caller as it is.
    """

    shared: bool
    """Whether other processes may own work in it at the same time."""

    async def write(self, unit: Unit[T]) -> T:
        """Run `unit` in a transaction; return its result after the commit."""
        ...

    async def read(self, unit: Unit[T]) -> T:
        """Run `unit` on a connection that only reads, and that sees one moment throughout."""
        ...

    def run(self, unit: Unit[T]) -> T:
        """Run `unit` in a transaction on this thread: start-up and migrations."""
        ...

    def close(self) -> None:
        """Finish what was begun and let go of every connection."""
        ...


def open_database(url: str) -> Database:
    """Open `sqlite:///path` or `postgresql://...`; the file's folder is made.

    Raises `InvalidRequest` for any other kind of database.
    """
    if url.startswith("sqlite:///"):
        return SqliteDatabase(Path(url.removeprefix("sqlite:///")))
    if url.startswith(("postgresql://", "postgresql+psycopg://", "postgres://")):
        return PostgresDatabase(url)
    raise InvalidRequest(
        f"The database URL {url.split('://', maxsplit=1)[0]}://... is of a kind that Parley does "
        "not know: use sqlite:///path/to/file or postgresql://user@host/name."
    )


class _Job:
    """A unit that waits for the writer, and whom to tell."""

    __slots__ = ("error", "future", "loop", "result", "unit")

    def __init__(self, unit: Unit[Any]) -> None:
        self.unit = unit
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[Any] = self.loop.create_future()
        self.result: Any = None
        self.error: BaseException | None = None

    def settle(self) -> None:
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


def _settle(jobs: Iterable[_Job]) -> None:
    for job in jobs:
        job.settle()


class SqliteDatabase:
    """One file, one writer thread, a few readers."""

    shared = False

    def __init__(self, path: Path) -> None:
        """Open or create the file in WAL mode; every commit is on the disk when it returns."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Unavailable(f"The folder {path.parent} cannot be made: {error}.") from error
        self._engine = sa.create_engine(
            sa.URL.create("sqlite", database=str(path)),
            poolclass=NullPool,
            hide_parameters=True,  # errors are logged, what people wrote is not
        )
        sa.event.listen(self._engine, "connect", _prepare_writer)
        sa.event.listen(self._engine, "begin", _begin_immediate)
        self._readers = sa.create_engine(
            # A folder may be called anything; in a URI some characters have a meaning.
            sa.URL.create(
                "sqlite",
                database=f"file:{quote(str(path))}",
                query={"mode": "ro", "uri": "true"},
            ),
            poolclass=QueuePool,
            pool_size=_READERS,
            hide_parameters=True,
            connect_args={"check_same_thread": False},
        )
        sa.event.listen(self._readers, "connect", _prepare_reader)
        sa.event.listen(self._readers, "begin", _begin)
        self._pool = ThreadPoolExecutor(_READERS, thread_name_prefix="sqlite-read")
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._closed = False
        self._writer = threading.Thread(target=self._work, name="sqlite-write", daemon=True)
        self._writer.start()

    async def write(self, unit: Unit[T]) -> T:
        """See `Database.write`."""
        if self._closed:
            raise Unavailable(_STOPPING)
        job = _Job(unit)
        self._jobs.put(job)
        result: T = await job.future
        return result

    async def read(self, unit: Unit[T]) -> T:
        """See `Database.read`."""
        if self._closed:
            raise Unavailable(_STOPPING)
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._read, unit)

    def run(self, unit: Unit[T]) -> T:
        """See `Database.run`."""
        with _told_apart(), self._engine.begin() as connection:
            return unit(connection)

    def close(self) -> None:
        """See `Database.close`."""
        if not self._closed:
            self._closed = True
            self._jobs.put(None)
            self._writer.join()
            self._pool.shutdown()
            self._engine.dispose()
            self._readers.dispose()

    def _read(self, unit: Unit[T]) -> T:
        with _told_apart(), self._readers.connect() as connection:
            return unit(connection)

    def _work(self) -> None:
        connection: sa.Connection | None = None
        stopping = False
        while not stopping:
            jobs, stopping = self._take()
            if not jobs:
                continue
            try:
                connection = connection or self._engine.connect()
                _run_group(connection, jobs)
            except BaseException as error:  # noqa: BLE001 - whatever it is, its callers must hear
                for job in jobs:
                    job.error = _told(error)
                _discard(connection)
                connection = None
            _tell(jobs)
        _discard(connection)

    def _take(self) -> tuple[list[_Job], bool]:
        """Wait for a job and take those that came with it; true means that no more will come."""
        job = self._jobs.get()
        jobs: list[_Job] = []
        while job is not None:
            jobs.append(job)
            if len(jobs) == _GROUP:
                return jobs, False
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                return jobs, False
        return jobs, True


def _run_group(connection: sa.Connection, jobs: list[_Job]) -> None:
    with connection.begin():
        for job in jobs:
            connection.exec_driver_sql("SAVEPOINT unit")
            try:
                job.result = job.unit(connection)
            except Exception as error:  # noqa: BLE001 - the caller hears it, the others go on
                job.error = _told(error)
                _undo_unit(connection, error)
            connection.exec_driver_sql("RELEASE unit")


def _undo_unit(connection: sa.Connection, reason: Exception) -> None:
    """Undo one unit. Where SQLite itself undid the whole group (disk full), all hear the reason."""
    try:
        connection.exec_driver_sql("ROLLBACK TO unit")
    except sa.exc.DBAPIError:
        raise reason from None


def _tell(jobs: list[_Job]) -> None:
    loops: dict[asyncio.AbstractEventLoop, list[_Job]] = {}
    for job in jobs:
        loops.setdefault(job.loop, []).append(job)
    for loop, own in loops.items():
        with contextlib.suppress(RuntimeError):  # the loop was closed: nobody waits any more
            loop.call_soon_threadsafe(_settle, own)


def _discard(connection: sa.Connection | None) -> None:
    if connection is not None:
        try:
            connection.close()
        except sa.exc.DBAPIError:
            connection.invalidate()


def _prepare_writer(raw: Any, _record: Any) -> None:
    raw.isolation_level = None  # we write BEGIN IMMEDIATE ourselves
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000"):
        raw.execute(f"PRAGMA {pragma}").close()


def _prepare_reader(raw: Any, _record: Any) -> None:
    raw.isolation_level = None
    raw.execute("PRAGMA busy_timeout=5000").close()


def _begin(connection: sa.Connection) -> None:
    # All statements of one reader see the same moment.
    connection.exec_driver_sql("BEGIN")


def _begin_immediate(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


class PostgresDatabase:
    """A server that several Parley processes may share."""

    shared = True

    def __init__(self, url: str) -> None:
        """Prepare a pool; the first connection is made when it is needed."""
        _, _, rest = url.partition("://")
        self._engine = sa.create_engine(
            f"postgresql+psycopg://{rest}",
            pool_size=_POSTGRES_THREADS,
            max_overflow=0,
            pool_pre_ping=True,
            hide_parameters=True,
        )
        self._readers = self._engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        self._pool = ThreadPoolExecutor(_POSTGRES_THREADS, thread_name_prefix="postgres")
        self._closed = False

    async def write(self, unit: Unit[T]) -> T:
        """See `Database.write`."""
        return await self._on_thread(self.run, unit)

    async def read(self, unit: Unit[T]) -> T:
        """See `Database.read`."""
        return await self._on_thread(self._read, unit)

    def run(self, unit: Unit[T]) -> T:
        """See `Database.run`."""
        with _told_apart(), self._engine.begin() as connection:
            return unit(connection)

    def close(self) -> None:
        """See `Database.close`."""
        self._closed = True
        self._pool.shutdown()
        self._engine.dispose()

    def _read(self, unit: Unit[T]) -> T:
        with _told_apart(), self._readers.connect() as connection:
            return unit(connection)

    async def _on_thread(self, run: Callable[[Unit[T]], T], unit: Unit[T]) -> T:
        if self._closed:
            raise Unavailable(_STOPPING)
        return await asyncio.get_running_loop().run_in_executor(self._pool, run, unit)


@contextlib.contextmanager
def _told_apart() -> Iterator[None]:
    try:
        yield
    except sa.exc.DBAPIError as error:
        raise _told(error) from error


# SQLSTATE classes of what is wrong with a statement or its values, not with the database:
# not supported, data, constraints, syntax, limits of the program.
_OF_THE_STATEMENT = ("0A", "22", "23", "42", "54")
_NOT_OF_THE_DATABASE = (
    sa.exc.DataError,
    sa.exc.IntegrityError,
    sa.exc.NotSupportedError,
    sa.exc.ProgrammingError,
)


def _told(error: BaseException) -> BaseException:
    """Return what the caller hears: the state of the database apart from a unit's own mistakes."""
    if not isinstance(error, sa.exc.DBAPIError) or isinstance(error, _NOT_OF_THE_DATABASE):
        return error
    state = getattr(error.orig, "sqlstate", None) or ""
    return error if state[:2] in _OF_THE_STATEMENT else _unavailable(error)


# What SQLite and PostgreSQL say, and what helps.
_REMEDIES = (
    ("not a database", "This file is something else: give another folder with --data."),
    ("readonly", "Give the user who runs Parley the right to write the file and its folder."),
    ("unable to open", "Give the user who runs Parley the right to write the folder."),
    ("disk is full", "Make room on its disk; Parley goes on by itself."),
    ("locked", "Something else holds it: end that, and Parley goes on by itself."),
    ("malformed", "The file is damaged: restore a backup."),
    ("connection", "Check `database` in the settings, and that the server runs and lets us in."),
)


def _unavailable(error: sa.exc.DBAPIError) -> Unavailable:
    reason = str(error.orig).strip().splitlines()[0] if str(error.orig).strip() else "no reason"
    remedy = next(
        (remedy for words, remedy in _REMEDIES if words in reason.lower()),
        "Check that its disk has room and that nothing else holds it.",
    )
    return Unavailable(
        f"The database cannot be used now: {reason}. {remedy} Nothing that was accepted is lost."
    )
