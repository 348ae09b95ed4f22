"""The shape of the repository: rules that no linter knows."""

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path, PurePath

import pytest

ROOT = Path(__file__).parents[2]
CODE = ("src", "tests", "scripts", "demo", "benchmarks")
PURE = ("kernel", "events", "commands", "permissions", "approvals")
LONGEST_FILE = 399

# They say nothing of what is inside, so they collect everything.
NAMES_THAT_SAY_NOTHING = {"utils", "util", "helpers", "helper", "common", "base", "misc"}

# In pieces, so that this file passes its own rule.
REGISTRIES = [
    "".join(pieces)
    for pieces in (
        ("py", "pi.", "org"),
        ("python", "hosted.", "org"),
        ("np", "mjs.", "org"),
        ("np", "mjs.", "com"),
        ("yarn", "pkg.", "com"),
        ("proxy.", "golang.", "org"),
    )
]
HOME_FOLDER = re.compile(r"(?<![\w.}])/(?:home|Users|root)/\w")
WALL_CLOCK = {
    ("datetime", "now"),
    ("datetime", "today"),
    ("datetime", "utcnow"),
    ("date", "today"),
    ("time", "time"),
    ("time", "time_ns"),
}


@cache
def files() -> list[PurePath]:
    """Return the repository's files, as git knows them: committed, or new and not ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    paths = sorted({PurePath(name) for name in listed.split("\0") if name})
    return [path for path in paths if (ROOT / path).is_file()]


def modules(*folders: str) -> list[PurePath]:
    """Return the Python files below these folders of the repository."""
    return [path for path in files() if path.suffix == ".py" and path.parts[0] in folders]


def text(path: PurePath) -> str:
    """Return a file's text; pictures and the like have none."""
    try:
        return (ROOT / path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def clock_readings(path: PurePath) -> Iterator[str]:
    """Yield the calls in one module that ask the machine for the time of day."""
    for node in ast.walk(ast.parse(text(path))):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        owner = ast.unparse(node.func.value).rpartition(".")[2]
        if (owner, node.func.attr) in WALL_CLOCK:
            yield f"{path}:{node.lineno}: {ast.unparse(node)}"


def files_opened(path: PurePath) -> Iterator[str]:
    """Yield the calls of the built-in open in one module: ruff can ban names only by import."""
    for node in ast.walk(ast.parse(text(path))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "open":
            yield f"{path}:{node.lineno}: {ast.unparse(node)}"


def test_module_names_say_what_is_inside() -> None:
    names = {path: {PurePath(part).stem for part in path.parts} for path in modules("src")}
    assert [str(path) for path, parts in names.items() if parts & NAMES_THAT_SAY_NOTHING] == []


def test_every_module_says_what_it_is_for() -> None:
    silent = [path for path in modules(*CODE) if not ast.get_docstring(ast.parse(text(path)))]
    assert [str(path) for path in silent] == []


def test_files_hold_one_idea_each() -> None:
    ours = [path for path in files() if path.parts[0] == "src" or path in modules(*CODE)]
    lengths = {str(path): len(text(path).splitlines()) for path in ours}
    assert {path: lines for path, lines in lengths.items() if lines > LONGEST_FILE} == {}


def test_time_of_day_is_read_in_one_place() -> None:
    readings = {path: list(clock_readings(path)) for path in modules("src")}
    places = [lines for lines in readings.values() if lines]
    assert len(places) <= 1, f"take a Clock instead: {places}"


def test_pure_packages_open_no_files() -> None:
    pure = [path for path in modules("src") if path.parts[2] in PURE]
    assert [opened for path in pure for opened in files_opened(path)] == []


@pytest.mark.parametrize("registry", REGISTRIES)
def test_no_file_names_the_host_of_a_registry(registry: str) -> None:
    assert [str(path) for path in files() if registry in text(path)] == []


def test_no_file_names_a_path_of_one_machine() -> None:
    here = str(ROOT) if len(ROOT.parts) > 2 else None
    named = [
        str(path)
        for path in files()
        if HOME_FOLDER.search(text(path)) or (here and here in text(path))
    ]
    assert named == []


def test_lock_files_hold_versions_and_hashes_but_no_address() -> None:
    locks = [path for path in files() if path.parent.name == "requirements"]
    locks.append(PurePath("package-lock.json"))
    assert [str(path) for path in locks if "://" in text(path)] == []
