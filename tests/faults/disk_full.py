"""The disk is full for a while: SNS is sent away meanwhile, and nothing that was taken is lost.

The data folder is a file system of 16 MiB where mounting is allowed; or no file of the server's may
grow any more (what `ulimit -f` sets). Nothing is started again.
"""

import asyncio
import contextlib
import resource
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.contracts.slack_double import SlackDouble
from tests.faults.load import OK
from tests.faults.oracle import Row, Stored, judge
from tests.faults.site import Site, busy, site
from tests.station import clean_environment

MEBIBYTES = 16
DRAIN = 90.0
REFUSED = 20
PATIENCE = 30.0
Switch = tuple[Callable[[], None], Callable[[], None]]
_MOUNT = (
    'cp -a "$0" "$0.copy" && mount -t tmpfs -o size=$1m tmpfs "$0" && cp -a "$0.copy/." "$0"'
    " && echo mounted && exec sleep infinity"
)


def may_mount() -> bool:
    """Return whether this user may mount in a namespace of its own."""
    command = ["unshare", "-m", "sh", "-c", "mount -t tmpfs -o size=1m tmpfs /mnt"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@contextlib.contextmanager
def small_disk(made: Site) -> Iterator[Switch]:
    """Mount a small disk over the data folder, seen by the server alone; fill and free it."""
    folder = made.station.data
    command = ["unshare", "-m", "sh", "-c", _MOUNT, str(folder), str(MEBIBYTES)]
    holder = subprocess.Popen(command, stdout=subprocess.PIPE)
    try:
        assert holder.stdout
        assert holder.stdout.readline() == b"mounted\n"
        made.station.program = (
            *("nsenter", f"--mount=/proc/{holder.pid}/ns/mnt"),
            *made.station.program,
        )
        ballast = Path(f"/proc/{holder.pid}/root{folder}/ballast")

        def fill() -> None:
            with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
                while True:
                    file.write(bytes(4096))

        yield fill, ballast.unlink
    finally:
        made.station.kill()
        holder.kill()
        holder.communicate()


@contextlib.contextmanager
def file_limit(made: Site) -> Iterator[Switch]:
    """Let no file of the server's grow, and let them grow again."""

    def allow(size: int) -> None:
        _, hard = resource.prlimit(made.station.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(made.station.pid, resource.RLIMIT_FSIZE, (size, hard))

    def forbid() -> None:
        allow(4096)

    yield forbid, lambda: allow(resource.RLIM_INFINITY)


async def _ready(made: Site) -> bool:
    return (await made.station.get("/readyz"))[0] == OK


async def _drained(made: Site) -> Stored:
    """Wait until nothing waits; read a copy, as nobody else sees a disk of the server's own."""
    copy = made.station.data.parent / "copy.db"
    made.url = f"sqlite:///{copy}"
    end = time.monotonic() + DRAIN
    while True:
        copy.unlink(missing_ok=True)
        folder = str(made.station.data)
        command = [*made.station.program, "backup", str(copy), "--data", folder]
        await asyncio.to_thread(
            subprocess.run, command, check=True, capture_output=True, env=clean_environment()
        )
        stored = await made.drained(0)
        if not stored.unfinished or time.monotonic() > end:
            return stored


async def full(data: Path, seed: int, *, mounted: bool, seconds: float) -> Row:
    """Fill the disk for some seconds under load; return the figures."""
    slack = SlackDouble(may_read=False)
    async with site(data, seed, rate=60.0, slack=slack) as made:
        busy(slack, seed)
        with small_disk(made) if mounted else file_limit(made) as (fill, free):
            await made.start()
            sending = asyncio.create_task(made.load.run())
            await asyncio.sleep(1)
            await asyncio.to_thread(fill)
            async with asyncio.timeout(PATIENCE):
                # What is small may still find room in files that are there.
                while made.load.refused < REFUSED or await _ready(made):  # noqa: ASYNC110 - another process does it
                    await asyncio.sleep(0.1)
            posts = len(slack.messages)
            await asyncio.sleep(seconds)
            posts = len(slack.messages) - posts
            await asyncio.to_thread(free)
            async with asyncio.timeout(PATIENCE):
                while not await _ready(made):  # noqa: ASYNC110 - as above
                    await asyncio.sleep(0.1)
            await asyncio.sleep(1)
            made.load.stopping = True
            await sending
            stored = await _drained(made)
        # A call is made before its mark fails, once for each channel.
        assert mounted or posts <= len(slack.channels), posts
        disk = f"a disk of {MEBIBYTES} MiB" if mounted else "ulimit -f"
        return judge(
            {
                "fault": f"disk full, {disk}",
                "seed": seed,
                "refused": made.load.refused,
                "seconds": made.seconds(),
                "note": f"{posts} sent in {seconds:g} s of it",
            },
            stored,
            made.load.accepted.values(),
            slack,
        )
