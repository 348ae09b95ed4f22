"""Light and dark, wide and narrow: everything can be read."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE
from tests.gateway import Gateway, alarm, custom

WORST_CONTRAST = """() => {
  const channels = (color) => {
    const [, space, values] = /^(rgba?|color)\\(([^)]+)\\)/.exec(color);
    const found = values.replace("srgb", "").split(/[ ,/]+/).filter(Boolean).map(Number);
    const scale = space === "color" ? 255 : 1;
    return [...found.slice(0, 3).map((one) => one * scale), found[3] ?? 1];
  };
  const over = ([r, g, b, a], under) => [r, g, b].map((one, at) => one * a + under[at] * (1 - a));
  const background = (element) => {
    const layers = [];
    for (let one = element; one; one = one.parentElement) {
      layers.push(channels(getComputedStyle(one).backgroundColor));
      if (layers.at(-1)[3] === 1) break;
    }
    return layers.reverse().reduce((under, layer) => over(layer, under), [255, 255, 255]);
  };
  const light = (color) => {
    const [r, g, b] = color.map((one) => one / 255)
      .map((one) => (one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  let worst = { ratio: 21 };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const text = walker.currentNode.textContent.trim();
    if (!text || !element.checkVisibility({ opacityProperty: true })) continue;
    const under = background(element);
    const ink = over(channels(getComputedStyle(element).color), under);
    const [high, low] = [light(ink), light(under)].sort((a, b) => b - a);
    const ratio = (high + 0.05) / (low + 0.05);
    if (ratio < worst.ratio) worst = { ratio, text, className: element.className };
  }
  return worst;
}"""


@pytest.fixture
def full_room(page: Page, gateway: Gateway) -> Page:
    """Return a room with one message of each tone, a line and a thread."""
    gateway.publish("ops", alarm("ALARM"))
    gateway.publish("ops", alarm("ALARM", "queue-depth"))
    gateway.publish("ops", alarm("OK", "queue-depth"))
    gateway.publish("ops", custom("*Export* done", "See `log` and <https://example.com/run|run>"))
    gateway.publish("deploys", custom("elsewhere"))
    page.get_by_label("Message #ops").fill("@aws nonsense")
    page.keyboard.press("Enter")
    expect(page.locator("#feed > .message")).to_have_count(5)
    expect(page.locator('.nav-item[data-room="deploys"] .badge')).to_be_visible()
    page.locator("#feed > .message").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#thread > .message")).to_have_count(1)
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out(full_room: Page, scheme: str) -> None:
    full_room.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
    full_room.wait_for_timeout(300)
    worst = full_room.evaluate(WORST_CONTRAST)
    assert worst["ratio"] >= 4.5, worst


def test_the_system_says_light_or_dark_until_somebody_chooses(page: Page) -> None:
    background = "() => getComputedStyle(document.body.parentElement).backgroundColor"
    page.emulate_media(color_scheme="light")
    light = page.evaluate(background)
    page.emulate_media(color_scheme="dark")
    dark = page.evaluate(background)
    assert light != dark
    page.get_by_role("button", name="Light or dark").click()
    assert page.evaluate(background) == light
    page.reload()
    assert page.evaluate(background) == light


def test_a_phone_shows_one_column_at_a_time(page: Page, gateway: Gateway) -> None:
    gateway.publish("ops", alarm("ALARM"))
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    room, thread, rooms = page.locator("main"), page.locator("#panel"), page.locator("#nav")
    expect(page.locator("#feed > .message")).to_be_in_viewport()
    expect(room).to_be_visible()
    expect(thread).to_be_hidden()
    expect(rooms).to_be_hidden()

    page.locator("#feed > .message").focus()
    page.keyboard.press("Enter")
    expect(thread).to_be_visible()
    expect(room).to_be_hidden()
    page.go_back()
    expect(thread).to_be_hidden()
    expect(room).to_be_visible()

    page.get_by_role("link", name="Rooms").click()
    expect(rooms).to_be_visible()
    page.get_by_role("link", name="# deploys").click()
    expect(page.get_by_role("heading", name="# deploys")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
