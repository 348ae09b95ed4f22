"""The chat without a mouse: every step by keys, and the focus always to be seen."""

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.gateway import Gateway, alarm, custom

FOCUSED = """() => {
  const element = document.activeElement;
  const shown = element.matches("textarea") ? element.closest(".composer-box") : element;
  const style = getComputedStyle(shown);
  return {
    name: element.getAttribute("aria-label") || element.innerText.trim() || element.title,
    visible: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1
      || style.boxShadow !== "none",
  };
}"""


def test_from_sign_in_to_an_answer_by_keyboard(open_page: OpenPage, gateway: Gateway) -> None:
    page = open_page()
    page.goto(gateway.first_link)
    expect(page.get_by_role("button", name="Sign in")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/rooms/*")
    page.goto(f"{gateway.url}/rooms/ops")
    gateway.publish("ops", alarm("ALARM"))
    gateway.publish("ops", custom("deployment begins"))
    messages = page.locator("#feed > .message")
    expect(messages).to_have_count(2)

    page.keyboard.press("j")
    expect(messages.last).to_be_focused()
    page.keyboard.press("k")
    expect(messages.first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#thread > .message")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator("#thread")).to_have_count(0)
    expect(messages.first).to_be_focused()

    page.keyboard.press("r")
    expect(page.get_by_label("Reply in the thread")).to_be_focused()
    page.keyboard.type("On it")
    page.keyboard.press("Enter")
    expect(page.locator("#thread > .message")).to_have_count(2)
    expect(page.get_by_label("Reply in the thread")).to_have_value("")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(page.locator("#thread")).to_have_count(0)
    expect(messages.first.get_by_role("link", name=re.compile("^1 reply"))).to_be_visible()

    page.keyboard.press("/")
    page.keyboard.type("deployment")
    page.keyboard.press("Enter")
    expect(page.locator(".result")).to_have_count(1)


def test_help_lists_the_keys(page: Page) -> None:
    page.locator("#scroller").focus()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_hidden()


def test_keys_that_are_typed_into_a_box_are_letters(page: Page) -> None:
    page.get_by_label("Message #ops").focus()
    page.keyboard.type("jk?/r")
    expect(page.get_by_label("Message #ops")).to_have_value("jk?/r")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("second line")
    expect(page.get_by_label("Message #ops")).to_have_value("jk?/r\nsecond line")


def test_tab_reaches_everything_and_shows_where_it_is(page: Page, gateway: Gateway) -> None:
    gateway.publish("ops", alarm("ALARM"))
    expect(page.locator("#feed > .message")).to_have_count(1)
    reached = []
    page.keyboard.press("Tab")
    # After the last element the focus leaves the page, and the body stands for that.
    while not page.evaluate("document.activeElement === document.body"):
        focused = page.evaluate(FOCUSED)
        assert focused["visible"], focused
        reached.append(focused["name"])
        assert len(reached) < 60, reached
        page.keyboard.press("Tab")
    wanted = ["Skip", "# deploys", "Light or dark", "Keyboard shortcuts", "Sign out", "Search"]
    wanted += ["Mute", "Reply", "Copy link", "Show source", "Message #ops", "Send"]
    for name in wanted:
        assert any(one.startswith(name) for one in reached), (name, reached)


def test_an_edit_does_not_take_the_focus_away(page: Page, gateway: Gateway) -> None:
    gateway.publish("ops", alarm("ALARM"))
    message = page.locator("#feed > .message")
    expect(message).to_have_count(1)
    page.keyboard.press("j")
    expect(message).to_be_focused()
    gateway.publish("ops", alarm("OK"))
    expect(message.locator(".state")).to_have_text("OK")
    expect(message).to_be_focused()
