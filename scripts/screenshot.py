"""Make the pictures of the web chat in docs/images: the running product, seen by Chromium.

Run from the root of the repository, after the tests' packages are installed:
.venv/bin/python -m scripts.screenshot
"""

import shutil
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from tests.gateway import Gateway, alarm, custom, sns_time

IMAGES = Path(__file__).parent.parent / "docs" / "images"
ROOMS = ("deploys", "payments-ops", "platform-alarms")


def event(source: str, kind: str, detail: dict[str, Any], *resources: str) -> dict[str, Any]:
    """Return an EventBridge event as a rule sends it to a topic."""
    return {
        "version": "0",
        "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718",
        "detail-type": kind,
        "source": source,
        "account": "123456789012",
        "time": sns_time(),
        "region": "eu-west-1",
        "resources": list(resources),
        "detail": detail,
    }


def failed_execution() -> dict[str, Any]:
    """Return what Step Functions says of an execution that failed."""
    machine = "arn:aws:states:eu-west-1:123456789012:stateMachine:nightly-export"
    execution = "arn:aws:states:eu-west-1:123456789012:execution:nightly-export:2026-05-04"
    detail = {
        "executionArn": execution,
        "stateMachineArn": machine,
        "name": "2026-05-04",
        "status": "FAILED",
        "error": "States.TaskFailed",
        "cause": "The table orders_2026 does not exist",
    }
    return event("aws.states", "Step Functions Execution Status Change", detail, execution)


def release() -> dict[str, Any]:
    """Return a custom notification about a release."""
    return custom(
        "checkout-api 4.2.0 is live",
        "*12 changes*, no migration. <https://example.com/releases/4.2.0|Release notes>",
        nextSteps=["Watch p99 latency for an hour", "Close the release ticket"],
        keywords=["checkout-api", "release"],
    )


def fill(gateway: Gateway, page: Page) -> None:
    """Let things happen, as on a day in the life of a team."""
    for name in ("orders-dlq-depth", "search-5xx-rate", "cache-evictions"):
        gateway.publish("platform-alarms", alarm("ALARM", name))
    gateway.publish("deploys", release())
    gateway.publish("payments-ops", failed_execution())
    gateway.publish("payments-ops", release())
    gateway.publish("payments-ops", alarm("ALARM", ago=timedelta(minutes=19)))
    messages = page.locator("#feed > .message")
    messages.nth(2).wait_for()
    gateway.publish("payments-ops", alarm("OK", ago=timedelta(minutes=11)))
    gateway.publish("payments-ops", alarm("ALARM", ago=timedelta(minutes=4)))
    messages.nth(2).locator(".message-foot").wait_for()
    messages.nth(2).hover()
    messages.nth(2).get_by_role("link", name="Reply").click()
    page.get_by_label("Reply in the thread").fill("The database pool of checkout-api is exhausted.")
    page.keyboard.press("Enter")
    page.locator("#thread .line").wait_for()
    page.get_by_label("Message #payments-ops").fill("Who is on call for payments?")
    page.keyboard.press("Enter")
    messages.nth(3).wait_for()


def main() -> int:
    """Write the pictures, light and dark; return the exit status."""
    chromium = shutil.which("chromium")
    if not chromium:
        print("Chromium is not installed: apt install chromium", file=sys.stderr)
        return 1
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        gateway = Gateway(Path(folder) / "data")
        gateway.configure(*ROOMS)
        gateway.start()
        try:
            arguments = ["--headless", "--no-sandbox", "--disable-gpu"]
            browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
            page = browser.new_page(viewport={"width": 1440, "height": 900}, locale="en-GB")
            page.goto(gateway.sign_in_link("Ana Lopez"))
            page.get_by_role("button", name="Sign in").click()
            page.wait_for_url("**/rooms/*")
            page.goto(f"{gateway.url}/rooms/payments-ops")
            fill(gateway, page)
            page.mouse.move(0, 0)
            page.locator("#thread-scroller").evaluate("box => box.scrollTo(0, 0)")
            page.locator("#scroller").focus()
            for scheme, name in (("light", "web-chat.png"), ("dark", "web-chat-dark.png")):
                page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
                page.wait_for_timeout(2000)  # until what has just changed is no longer marked
                page.screenshot(path=IMAGES / name)
                print(IMAGES / name)
            browser.close()
        finally:
            gateway.kill()
    return 0


if __name__ == "__main__":
    sys.exit(main())
