"""A room as somebody sees it who has it open."""

import re
from datetime import timedelta
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage, signed_in
from tests.gateway import Gateway, alarm, custom


def test_an_alarm_turns_from_alarm_to_ok_in_place(page: Page, gateway: Gateway) -> None:
    gateway.publish("ops", alarm("ALARM"))
    message = page.locator("#feed > .message")
    expect(message).to_have_count(1)
    expect(message.locator(".state")).to_have_text("ALARM")
    expect(message).to_have_class(re.compile("tone-bad"))
    head = message.get_attribute("id")

    gateway.publish("ops", alarm("OK"))
    expect(message.locator(".state")).to_have_text("OK")
    expect(message).to_have_class(re.compile("tone-good"))
    expect(message).to_have_count(1)
    assert message.get_attribute("id") == head

    page.get_by_role("link", name=re.compile("^1 reply")).click()
    thread = page.locator("#thread > .message")
    expect(thread).to_have_count(2)
    expect(thread.last.locator(".state")).to_have_text("OK")


def test_an_open_thread_follows_what_happens(page: Page, gateway: Gateway) -> None:
    gateway.publish("ops", alarm("ALARM"))
    page.locator("#feed > .message").hover()
    page.get_by_role("link", name="Reply").click()
    page.get_by_label("Reply in the thread").fill("Looking at it")
    page.keyboard.press("Enter")
    thread = page.locator("#thread > .message")
    expect(thread).to_have_count(2)

    gateway.publish("ops", alarm("OK"))
    expect(thread).to_have_count(3)
    expect(thread.first.locator(".state")).to_have_text("OK")
    expect(page.get_by_role("link", name=re.compile("^2 replies"))).to_be_visible()


def test_a_restart_of_the_server_loses_nothing(
    page: Page, gateway: Gateway, complaints: list[str]
) -> None:
    gateway.publish("ops", custom("before"))
    expect(page.locator("#feed > .message")).to_have_count(1)
    gateway.kill()
    expect(page.locator("#connection")).to_have_text("Reconnecting…")
    gateway.start()
    for number in range(5):
        gateway.publish("ops", custom(f"while away {number}"))
    expect(page.locator("#feed > .message")).to_have_count(6, timeout=20_000)
    gateway.publish("ops", custom("after"))
    expect(page.locator("#feed > .message")).to_have_count(7)
    expect(page.locator("#connection")).to_be_hidden()

    labels = page.locator("#feed > .message").evaluate_all("all => all.map(one => one.ariaLabel)")
    away = [f"while away {number}" for number in range(5)]
    assert [re.sub("^.*: ", "", one) for one in labels] == ["before", *away, "after"]
    assert all("ERR_" in one or "sse:error" in one for one in complaints)
    complaints.clear()


def test_a_stream_that_never_opened_opens_later(
    page: Page, gateway: Gateway, complaints: list[str]
) -> None:
    page.route("**/events?*", lambda route: route.abort())
    page.reload()
    expect(page.locator("#connection")).to_have_text("Reconnecting…")
    gateway.publish("ops", custom("meanwhile"))
    page.unroute_all()
    expect(page.locator("#feed > .message")).to_have_count(1)
    complaints.clear()


def test_a_stop_lets_open_pages_go(page: Page, gateway: Gateway, complaints: list[str]) -> None:
    expect(page.locator("#nothing")).to_be_visible()
    assert gateway.stop() == 0
    expect(page.locator("#connection")).to_have_text("Reconnecting…")
    complaints.clear()


def test_every_message_says_when_and_with_its_day_when_that_was_another(
    page: Page, gateway: Gateway
) -> None:
    gateway.publish("ops", alarm("ALARM", ago=timedelta(days=400)))
    gateway.publish("ops", alarm("ALARM", "search-errors"))
    page.get_by_label("Message #ops").fill("@aws help")
    page.keyboard.press("Enter")
    then, now, said = (page.locator("#feed > .card .when time").nth(place) for place in range(3))
    expect(then).to_have_text(re.compile(r"20\d\d.*\d\d:\d\d:\d\d"))
    expect(now).to_have_text(re.compile(r"^\d\d:\d\d:\d\d$"))
    expect(said).to_have_text(re.compile(r"^\d\d:\d\d:\d\d$"))


def test_before_the_first_configuration_the_room_says_what_to_do(
    open_page: OpenPage, tmp_path: Path
) -> None:
    new = Gateway(tmp_path / "new")
    new.data.mkdir()
    new.start()
    try:
        page = open_page()
        page.goto(new.first_link)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/rooms/admin")
        expect(page.locator("#nothing")).to_contain_text("parley configurations add")
        new.parley("configurations", "add", "ops", "--account", "123456789012")
        expect(page.get_by_role("link", name="# ops")).to_be_visible()
        page.reload()
        expect(page.locator("#nothing")).not_to_contain_text("parley configurations add")
        page.close()
    finally:
        new.kill()


def test_what_is_typed_reaches_the_bot(page: Page) -> None:
    page.get_by_label("Message #ops").fill("@aws help")
    page.keyboard.press("Enter")
    expect(page.locator("#feed").get_by_text("What Parley can do here")).to_be_visible()
    expect(page.locator("#feed .command")).to_have_text("@aws help")
    expect(page.get_by_label("Message #ops")).to_have_value("")


def test_somebody_else_sees_it_at_once(page: Page, gateway: Gateway, open_page: OpenPage) -> None:
    other = signed_in(open_page(), gateway, gateway.sign_in_link("Ben"))
    page.get_by_label("Message #ops").fill("Good morning")
    page.keyboard.press("Enter")
    expect(other.get_by_text("Good morning", exact=True)).to_be_visible()
    expect(page.locator("#feed > .message")).to_have_count(1)


def test_older_messages_come_when_they_are_wanted(page: Page, gateway: Gateway) -> None:
    for number in range(45):
        gateway.publish("ops", custom(f"number {number}"))
    expect(page.locator("#feed > .message")).to_have_count(45)
    page.reload()
    expect(page.locator("#feed > .message")).to_have_count(40)
    expect(page.get_by_text("number 44", exact=True)).to_be_in_viewport()
    page.locator("#scroller").evaluate("box => box.scrollTo(0, -box.scrollHeight)")
    expect(page.locator("#feed > .message")).to_have_count(45)
    expect(page.locator("#older")).to_have_count(0)


def test_a_link_to_an_old_message_opens_the_room_there(page: Page, gateway: Gateway) -> None:
    gateway.publish("ops", custom("the first"))
    link = page.locator("#feed > .message").get_attribute("data-link")
    for number in range(41):
        gateway.publish("ops", custom(f"number {number}"))
    # What was accepted is shown a moment later: the link is to lead past all of it.
    last = page.locator("#feed > .message").last
    expect(last).to_have_attribute("aria-label", re.compile("number 40"))
    page.goto(f"{gateway.url}{link}")
    expect(page.locator("#feed > .message")).to_have_count(1)
    expect(page.locator("#thread")).to_contain_text("the first")
    gateway.publish("ops", custom("the last"))
    expect(page.locator("#jump")).to_have_text(re.compile("1 new message"))
    page.locator("#jump").click()
    expect(page.get_by_text("the last", exact=True)).to_be_in_viewport()


def test_a_page_that_stays_open_stays_light(page: Page, gateway: Gateway) -> None:
    for number in range(302):
        gateway.publish("ops", custom(f"number {number}"))
    messages = page.locator("#feed > .message")
    expect(messages.last).to_have_attribute("aria-label", re.compile("number 301"))
    assert 150 <= messages.count() <= 300
    expect(page.locator("#older")).to_have_count(1)
    page.locator("#scroller").evaluate("box => box.scrollTo(0, -box.scrollHeight)")
    labels = "all => all.map(one => Number(/number (\\d+)/.exec(one.ariaLabel)[1]))"
    expect(page.locator("#feed > .message").nth(180)).to_be_attached()
    numbers = messages.evaluate_all(labels)
    assert numbers == list(range(numbers[0], 302))


def test_a_new_room_appears_by_itself(page: Page, gateway: Gateway) -> None:
    topic = "arn:aws:sns:eu-west-1:123456789012:fresh"
    gateway.parley("configurations", "add", "fresh", "--topic", topic)
    expect(page.get_by_role("link", name="# fresh")).to_be_visible()


def test_unread_messages_are_counted_until_they_are_seen(page: Page, gateway: Gateway) -> None:
    badge = page.locator('.nav-item[data-room="deploys"] .badge')
    expect(badge).to_be_hidden()
    gateway.publish("deploys", custom("one"))
    gateway.publish("deploys", custom("two"))
    expect(badge).to_contain_text("2")
    expect(page).to_have_title(re.compile(r"^\(2\) # ops"))

    page.locator('.nav-item[data-room="deploys"]').click()
    expect(page.get_by_text("two", exact=True)).to_be_visible()
    with page.expect_response("**/read"):
        page.reload()
    page.goto(f"{gateway.url}/rooms/ops")
    expect(badge).to_be_hidden()


def test_a_muted_room_keeps_quiet(page: Page, gateway: Gateway) -> None:
    page.goto(f"{gateway.url}/rooms/deploys")
    page.get_by_role("button", name="Mute").click()
    expect(page.get_by_role("button", name="Mute")).to_have_attribute("aria-pressed", "true")
    page.goto(f"{gateway.url}/rooms/ops")
    gateway.publish("deploys", custom("one"))
    expect(page.locator('.nav-item[data-room="deploys"].muted .badge')).to_contain_text("1")
    expect(page).to_have_title("# ops · Parley")


def test_a_message_has_an_address_and_a_source(page: Page, gateway: Gateway) -> None:
    gateway.publish("ops", alarm("ALARM"))
    gateway.publish("ops", alarm("OK"))
    expect(page.locator("#feed .state")).to_have_text("OK")
    link = page.locator("#feed > .message").get_attribute("data-link")
    page.goto(f"{gateway.url}{link}")
    expect(page.locator("#thread > .message")).to_have_count(2)
    expect(page.locator("#feed > .message.named")).to_be_in_viewport()

    page.locator("#thread > .message").first.hover()
    page.locator("#thread > .message").first.get_by_role("link", name="Show source").click()
    expect(page.locator("#raw")).to_contain_text('"AlarmName": "checkout-latency-p99"')
    expect(page.locator("table")).to_contain_text("local:ops")


def test_search_finds_and_its_address_can_be_sent(page: Page, gateway: Gateway) -> None:
    gateway.publish("ops", alarm("ALARM"))
    gateway.publish("deploys", custom("checkout 4.2 is live"))
    expect(page.locator("#feed > .message")).to_have_count(1)
    page.get_by_label("Search messages").fill("checkout")
    page.keyboard.press("Enter")
    expect(page.locator(".result")).to_have_count(1)
    page.get_by_label("In which room").select_option("")
    expect(page.locator(".result")).to_have_count(2)
    assert "q=checkout" in page.url
    page.reload()
    expect(page.locator(".result")).to_have_count(2)
    page.locator(".result", has_text="4.2").click()
    expect(page.locator("#thread")).to_contain_text("checkout 4.2 is live")
