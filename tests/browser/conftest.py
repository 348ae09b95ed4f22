"""A real Parley, a real Chromium, and a page that must not complain."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from tests.gateway import Gateway

ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE_MS = 20_000
"""How long a page may take to come true: the machine may be busy with other things."""

WINDOW = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}

OpenPage = Callable[..., Page]


@pytest.fixture(scope="session")
def browser(chromium_path: str) -> Iterator[Browser]:
    """Yield one Chromium for all tests; each opens windows of its own."""
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=chromium_path, args=[*ARGUMENTS])
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def configured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data folder with the rooms `ops` and `deploys`, to be copied."""
    data = tmp_path_factory.mktemp("configured") / "data"
    Gateway(data).configure("ops", "deploys")
    return data


@pytest.fixture
def gateway(configured: Path, tmp_path: Path) -> Iterator[Gateway]:
    """Yield a running Parley on a data folder of its own."""
    shutil.copytree(configured, tmp_path / "data")
    running = Gateway(tmp_path / "data")
    running.start()
    yield running
    running.kill()


@pytest.fixture
def complaints() -> list[str]:
    """Return what browsers complained about: policy violations, errors of scripts, failures."""
    return []


@pytest.fixture
def open_page(browser: Browser, gateway: Gateway, complaints: list[str]) -> Iterator[OpenPage]:
    """Return what opens a window; they close before the gateway stops, without a complaint."""
    contexts = []

    def heard(said: ConsoleMessage) -> None:
        if said.type == "error":
            complaints.append(said.text)

    def open_one(**options: Any) -> Page:
        context = browser.new_context(**({"viewport": WINDOW, "locale": "en-GB"} | options))
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("console", heard)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(f"dialog: {dialog.message}"))
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def page(open_page: OpenPage, gateway: Gateway) -> Page:
    """Return a page in the room `ops`, signed in by the link that the start printed."""
    return signed_in(open_page(), gateway, gateway.first_link)


def signed_in(page: Page, gateway: Gateway, link: str) -> Page:
    """Sign in by a link and open the room `ops`."""
    page.goto(link)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/rooms/*")
    page.goto(f"{gateway.url}/rooms/ops")
    return page
