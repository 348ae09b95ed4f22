"""An SQLite database has one owner, and who comes second is told who that is."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from parley.kernel.errors import Conflict, Unavailable
from parley.storage.ownership import owning
from tests.clock import SetClock

HOLD = """
import sys, time
from parley.observe import SystemClock
from parley.storage.ownership import owning
with owning(sys.argv[1], "127.0.0.1:8080", SystemClock()):
    print("held", flush=True)
    time.sleep(60)
"""


def url(folder: Path) -> str:
    return f"sqlite:///{folder / 'parley.db'}"


def test_the_second_is_told_who_owns_it_since_when_and_where(tmp_path: Path) -> None:
    with owning(url(tmp_path), "127.0.0.1:0", SetClock()) as listens_on:
        listens_on("127.0.0.1:8080")
        with pytest.raises(Conflict) as refused, owning(url(tmp_path), "x", SetClock()):
            pass
    text = str(refused.value)
    assert f"process {os.getpid()} on" in text
    assert "since 2026-05-04 12:00:00 UTC, listening on 127.0.0.1:8080." in text


def test_it_is_free_again_after_its_owner(tmp_path: Path) -> None:
    for _ in range(2):
        with owning(url(tmp_path), "127.0.0.1:8080", SetClock()):
            assert (tmp_path / "parley.lock").read_text()
        assert (tmp_path / "parley.lock").read_text() == ""


def test_what_a_killed_owner_wrote_keeps_nobody_out(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, url(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout
        assert owner.stdout.readline() == "held\n"
        with pytest.raises(Conflict, match=f"process {owner.pid} on"):
            owning(url(tmp_path), "x", SetClock()).__enter__()
        owner.kill()
        owner.wait(10)
    assert f"process {owner.pid}" in (tmp_path / "parley.lock").read_text()
    with owning(url(tmp_path), "x", SetClock()):
        assert f"process {os.getpid()}" in (tmp_path / "parley.lock").read_text()


def test_databases_of_one_folder_have_an_owner_each(tmp_path: Path) -> None:
    with (
        owning(f"sqlite:///{tmp_path}/one.db", "x", SetClock()),
        owning(f"sqlite:///{tmp_path}/two.db", "x", SetClock()),
    ):
        pass


def test_postgresql_may_have_several(tmp_path: Path) -> None:
    with (
        owning("postgresql://parley@db/parley", "x", SetClock()),
        owning("postgresql://parley@db/parley", "x", SetClock()),
    ):
        assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match="cannot be made"):
        owning(url(tmp_path / "file"), "x", SetClock()).__enter__()
