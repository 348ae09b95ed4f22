"""What the tests want of the machine: skipped by name where it is missing, a failure in CI."""

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest


def missing(what: str, package: str) -> NoReturn:
    """Skip the test, or fail it in CI, where everything has to be there."""
    _skip(
        f"{what} is not installed: install Debian's {package}, or run make test with PARLEY_APT=1"
    )


def emulator(name: str) -> Path:
    """Return the program of an AWS emulator, which has an environment of its own."""
    program = Path(__file__).parents[1] / f".venv-{name}" / "bin" / name
    if not program.exists():
        _skip(f"The emulator {name} is not installed: run make test, which does it")
    return program


def _skip(reason: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def chromium_path() -> str:
    """Return the path of Debian's Chromium."""
    return shutil.which("chromium") or missing("Chromium", "chromium")


def postgres_binaries(versions: Path = Path("/usr/lib/postgresql")) -> Path:
    """Return the folder with the newest version's initdb and postgres."""
    folders = [path.parent for path in versions.glob("*/bin/postgres")]
    if not folders:
        missing("PostgreSQL", "postgresql")
    return max(folders, key=lambda folder: float(folder.parent.name))
