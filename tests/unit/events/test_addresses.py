"""The address in a description is found whole, and leads where its host says."""

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley.events.addresses import first_address

PIECES = ["https://", "http://", "wiki.example", "evil.example", "@", ":", "/", "\\", "?", "#", "."]


@pytest.mark.parametrize(
    "text, host, address",
    [
        ("Runbook: https://wiki.example/a/b.", "wiki.example", "https://wiki.example/a/b"),
        ("(see http://Wiki:8080/x?y=1&z=2#top)", "wiki", "http://Wiki:8080/x?y=1&z=2#top"),
        ("https://a.example. Then https://b.example", "a.example", "https://a.example"),
        ("https://one@evil.example/, https://b.example/", "b.example", "https://b.example/"),
        ("https://good.example\\@evil.example/", "", ""),
        ("https://gооd.example/", "", ""),  # noqa: RUF001 - two Cyrillic letters
        ("javascript:alert(1) ftp://x.example file:///etc", "", ""),
        ("xhttps://a.example", "", ""),
        (f"https://a.example/{'x' * 2000}", "", ""),
        ("", "", ""),
    ],
)
def test_the_first_address_is_found_without_what_ends_the_sentence(
    text: str, host: str, address: str
) -> None:
    assert first_address(text) == (host, address)


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=12).map("".join))
def test_an_address_stands_in_the_text_and_leads_where_its_host_says(text: str) -> None:
    host, address = first_address(text)
    assert address in text
    assert bool(host) == bool(address)
    if address:
        assert urlsplit(address).hostname == host
        assert "@" not in urlsplit(address).netloc
