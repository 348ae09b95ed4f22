"""What strangers write is shown, and does nothing."""

from playwright.sync_api import Page, expect

from tests.gateway import Gateway, alarm, custom

SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(1)>"


def test_text_of_strangers_is_text(page: Page, gateway: Gateway) -> None:
    gateway.publish("ops", alarm("ALARM", f"{SCRIPT} [x](javascript:alert(1)) {{{{DATE(1)}}}}"))
    gateway.publish("ops", f"{SCRIPT} **not bold** <!channel>")
    page.get_by_label("Message #ops").fill(f"{SCRIPT} [x](https://evil.example)")
    page.keyboard.press("Enter")
    messages = page.locator("#feed > .message")
    expect(messages).to_have_count(3)
    for message in messages.all():
        expect(message).to_contain_text("<script>alert(1)</script>")
    expect(page.locator("#feed script, #feed img")).to_have_count(0)
    expect(messages.nth(1)).to_contain_text("**not bold** <!channel>")
    expect(messages.last.locator("p a")).to_have_count(0)


def test_marks_of_authors_work_and_nothing_else(page: Page, gateway: Gateway) -> None:
    description = (
        "*bold* and <https://example.com/run|the run>, [bad](javascript:alert(1)), "
        f"<javascript:alert(1)|worse>, {SCRIPT} <a href='https://x.example' hx-get='/'>a</a>"
    )
    gateway.publish("ops", custom("Nightly export", description, nextSteps=["Read `the log`"]))
    message = page.locator("#feed > .message")
    expect(message.locator("strong")).to_have_text("bold")
    link = message.get_by_role("link", name="the run")
    expect(link).to_have_attribute("href", "https://example.com/run")
    expect(link).to_have_attribute("target", "_blank")
    expect(link).to_have_attribute("rel", "noopener noreferrer")
    card = message.locator("adaptive-card")
    expect(card.locator("script, img, [hx-get]")).to_have_count(0)
    for one in card.locator("a[href]").all():
        assert (one.get_attribute("href") or "").startswith("https://")


def test_links_of_a_message_open_elsewhere(page: Page, gateway: Gateway) -> None:
    page.context.route("https://example.com/**", lambda route: route.fulfill(body="elsewhere"))
    gateway.publish("ops", custom("Report", "<https://example.com/report|the report>"))
    with page.expect_popup() as opened:
        page.get_by_role("link", name="the report").click()
    assert opened.value.url == "https://example.com/report"
    assert opened.value.evaluate("window.opener") is None


def test_what_is_inline_does_not_run(page: Page, gateway: Gateway, complaints: list[str]) -> None:
    """Even if a script or a style got into a page, the policy stops it; and the check sees it."""
    page.evaluate(
        """() => {
          const script = document.createElement("script");
          script.textContent = "window.ran = true";
          document.body.append(script);
          document.body.setAttribute("style", "color: red");
        }"""
    )
    assert page.evaluate("window.ran") is None
    assert page.evaluate("document.body.style.color") == ""
    page.wait_for_timeout(100)
    assert len(complaints) == 2
    assert all("Content Security Policy" in one for one in complaints)
    complaints.clear()
