"""What the tests want of the machine: skipped by name where it is missing, a failure in CI."""

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest


def missing(what: str, package: str) -> NoReturn:
    """Skip the test, or fail it in CI, where everything has to be there."""
    reason = (
        f"{what} is not installed: install Debian's {package}, or run make test with PARLEY_APT=1"
    )
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
