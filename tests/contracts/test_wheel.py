"""A built wheel carries what its pages need, and nothing that only the repository needs."""

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

ROOT = Path(__file__).parents[2]
VENDOR = "parley/web/static/vendor/"


def test_the_wheel_carries_the_dist_files_that_git_ignores(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel"]
    subprocess.run(
        [*build, "--directory", str(tmp_path)], cwd=ROOT, check=True, capture_output=True
    )
    [wheel] = tmp_path.glob("*.whl")
    names = ZipFile(wheel).namelist()

    assert {name.removeprefix(VENDOR) for name in names if name.startswith(VENDOR)} == {
        "LICENCES.txt",
        "adaptivecards.min.js",
        "ext/hx-sse.min.js",
        "htmx.min.js",
        "markdown-it.min.js",
        "purify.min.js",
    }
    assert {name.split("/")[0].partition("-")[0] for name in names} == {"parley", "parley_chatops"}
