"""The page of deliveries in a browser: the badge tells, a button sends again."""

import sqlite3
import time

from playwright.sync_api import Page, expect

from tests.browser.test_looks import WORST_CONTRAST
from tests.gateway import Gateway, custom


def give_up(gateway: Gateway, title: str) -> None:
    """Publish a message and let it be a dead letter, after it was shown."""
    gateway.publish("ops", custom(title))
    database = sqlite3.connect(gateway.data / "parley.db", isolation_level=None, timeout=10)
    given_up = (
        "UPDATE outbox SET state = 'dead', possible_duplicate = TRUE,"
        " error = 'Slack has archived the channel: unarchive it or choose another one'"
        " WHERE state = 'sent' AND message LIKE ?"
    )
    while database.execute(given_up, [f"%{title}%"]).rowcount == 0:
        time.sleep(0.02)  # it is not sent yet
    database.close()


def test_what_was_given_up_is_counted_in_the_navigation_and_sent_again(
    page: Page, gateway: Gateway
) -> None:
    give_up(gateway, "Export failed")
    page.reload()
    link = page.get_by_role("link", name="Deliveries")
    expect(link.locator(".badge")).to_have_text("1 given up")
    link.click()
    expect(page.get_by_role("link", name="Export failed")).to_be_visible()
    expect(page.get_by_text("unarchive it")).to_be_visible()
    expect(page.get_by_text("maybe twice")).to_be_visible()
    expect(page.locator('.nav-item[href="/deliveries"]')).to_have_attribute("aria-current", "page")
    assert page.evaluate(WORST_CONTRAST)["ratio"] >= 4.5
    page.get_by_role("button", name="Send again: Export failed").click()
    expect(page.get_by_text("Nothing was given up")).to_be_visible()
    expect(link.locator(".badge")).to_have_count(0)
    page.goto(f"{gateway.url}/rooms/ops")
    expect(page.locator("#feed > .message")).to_have_count(2)
