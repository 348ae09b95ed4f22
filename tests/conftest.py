"""What every test may ask for: a browser, a database server; and how hypothesis runs."""

import os
from collections.abc import Iterator

import hypothesis
import pytest

from tests import installed
from tests.postgres import postgres_server

# No deadline: a slow machine is no broken law. In CI the same examples each time, so that a red run
# says something about the change at hand.
hypothesis.settings.register_profile(
    "parley", deadline=None, derandomize=bool(os.environ.get("CI")), print_blob=True
)
hypothesis.settings.load_profile("parley")


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Return the path of Debian's Chromium; skip without it, fail in CI."""
    return installed.chromium_path()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """Yield the SQLAlchemy URL of a server that lives as long as the test run."""
    with postgres_server(installed.postgres_binaries()) as url:
        yield url


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run browser tests last: Playwright keeps an event loop, beside which no other can run."""
    items.sort(key=lambda item: "browser" in item.path.parts)
