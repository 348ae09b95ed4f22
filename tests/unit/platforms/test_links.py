"""Links show where they lead: addresses that may be linked, and words that hide one."""

import pytest

from parley.platforms.links import masks, safe_url


@pytest.mark.parametrize(
    "url, linked",
    [
        ("https://example.com/a?b=c#d", "https://example.com/a?b=c#d"),
        ("HTTP://example.com", "HTTP://example.com"),
        ("https://example.com/a|b <c>", "https://example.com/a%7Cb%20%3Cc%3E"),
        ("http://[::1]:8080/x", "http://[::1]:8080/x"),
        ("javascript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("//example.com", ""),
        ("https://", ""),
        ("https:///path", ""),
        ("https://bank.example@evil.example", ""),
        ("https://evil.example\\@bank.example", ""),
        ("https://example.com/\nx", ""),
        ("https://[broken", ""),
        ("https://example.com:port/", ""),
        ("mailto:a@example.com", ""),
        ("https://example.com/" + "a" * 3_000, ""),
    ],
)
def test_only_web_addresses_with_a_plain_host_are_linked(url: str, linked: str) -> None:
    assert safe_url(url) == linked


def test_mail_addresses_are_linked_where_the_platform_can() -> None:
    schemes = ("http", "https", "mailto")
    assert safe_url("mailto:a@example.com", schemes) == "mailto:a@example.com"
    assert safe_url("mailto:nobody", schemes) == ""


@pytest.mark.parametrize(
    "label, url, masked",
    [
        ("the runbook", "https://wiki.example/x", False),
        ("wiki.example", "https://wiki.example/x", False),
        ("www.wiki.example", "https://wiki.example/x", False),
        ("https://wiki.example/other", "https://wiki.example/x", False),
        ("p99 is 1.240 ms", "https://wiki.example/x", False),
        ("bank.example", "https://evil.example", True),
        ("go to https://bank.example/login", "https://evil.example", True),
        ("http://localhost:8080", "https://evil.example", True),
        ("10.0.0.1", "https://evil.example", True),
        ("BANK.EXAMPLE", "https://evil.example", True),
        ("b\u200bank.ex\u00adample", "https://evil.example", True),
        ("bank\uff0eexample", "https://evil.example", True),
        ("bank\u3002example", "https://evil.example", True),
        ("bank\ufe0f.example", "https://evil.example", True),
        ("bank\u034f.ex\u0338ample", "https://evil.example", True),
        ("bank\r.example", "https://evil.example", True),
        ("bank\u2028.example", "https://evil.example", True),
        ("bank\ua4f8example", "https://evil.example", True),
        ("शाखा.भारत", "https://evil.example", True),
        ("\u26a0\ufe0f the runbook", "https://wiki.example/x", False),
        ("*bank*.example", "https://evil.example", True),
        ("`bank`.example", "https://evil.example", True),
        ("bank.example@evil.example", "https://evil.example", True),
        ("bank.example", "https://bank.example.evil.example", True),
        ("a@example.com", "mailto:a@example.com", False),
        ("boss@example.com", "mailto:a@example.com", True),
        ("write to us", "mailto:a@example.com", False),
    ],
)
def test_words_mask_a_link_when_they_name_another_place(label: str, url: str, masked: bool) -> None:
    assert masks(label, url) is masked
