"""Small rules of the pages: where sign-in may lead, who may post, what a source looks like."""

import json
from datetime import UTC, datetime
from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from parley.kernel.incoming import Person
from parley.kernel.ports.rooms import Posted
from parley.web.chat.sources import readable
from parley.web.chat.view import initials, shown
from parley.web.guard import comes_from_elsewhere, host_name
from parley.web.sign_in import local_path


@given(st.text(alphabet="/\\.:@?#ab\t\n \x00%é", max_size=12))
@example("//evil.example")
@example("/\\evil.example")
@example("/\t/evil.example")
@example("https://evil.example")
def test_sign_in_never_leads_to_another_site(path: str) -> None:
    # Browsers drop tabs and line ends, and read a backslash as a slash.
    read = local_path(path).replace("\t", "").replace("\n", "").replace("\\", "/")
    assert urlsplit(urljoin("https://parley.example/sign-in", read)).netloc == "parley.example"


def test_sign_in_leads_to_a_page_of_ours() -> None:
    assert local_path("/rooms/ops?before=7") == "/rooms/ops?before=7"
    assert local_path("rooms/ops") == "/"


@pytest.mark.parametrize(
    "host, name",
    [
        ("parley.example", "parley.example"),
        ("Parley.Example:8080", "parley.example"),
        ("[::1]:8080", "::1"),
        ("[::1", ""),
        ("", ""),
    ],
)
def test_a_host_header_is_read_without_its_port(host: str, name: str) -> None:
    assert host_name(host) == name


@given(st.text())
def test_no_host_header_is_too_strange_to_be_read(host: str) -> None:
    host_name(host)


@pytest.mark.parametrize(
    "headers, refused",
    [
        ({}, False),
        ({"sec-fetch-site": "same-origin"}, False),
        ({"sec-fetch-site": "none"}, False),
        ({"sec-fetch-site": "cross-site"}, True),
        ({"sec-fetch-site": "same-site", "origin": "http://a"}, True),
        ({"host": "a:1", "origin": "http://a:1"}, False),
        ({"host": "a:1", "origin": "http://a:2"}, True),
        ({"host": "a:1", "origin": "null"}, True),
    ],
)
def test_only_our_own_pages_may_post(headers: dict[str, str], *, refused: bool) -> None:
    assert comes_from_elsewhere("POST", headers) is refused
    assert not comes_from_elsewhere("GET", headers)


@given(st.text())
@example("[" * 500 + "]" * 500)
@example('{"Message": "' + "[" * 500 + "]" * 500 + '"}')
def test_any_source_can_be_shown(raw: str) -> None:
    readable(raw)


@given(st.dictionaries(st.text(), st.integers(-(2**53), 2**53) | st.text() | st.none()))
def test_a_source_keeps_what_it_says(detail: dict[str, object]) -> None:
    envelope = {"Type": "Notification", "Message": json.dumps(detail)}
    shown = json.loads(readable(json.dumps(envelope)))
    assert shown == {"Type": "Notification", "Message": detail}
    assert readable("plain text") == "plain text"


@pytest.mark.parametrize(
    "name, letters",
    [("Ana Lopez", "AL"), ("ben", "BE"), ("Ana Maria Lopez", "AM"), ("", "?"), ("- -", "?")],
)
def test_initials_stand_for_a_name(name: str, letters: str) -> None:
    assert initials(name) == letters


@given(st.text())
def test_any_name_has_initials(name: str) -> None:
    assert initials(name)


@pytest.mark.parametrize(
    "text, command",
    [
        ("@aws help", True),
        ("  @AWS", True),
        ("@parley, help", True),
        ("@Amazon Q help", True),
        ("ask @aws for help", False),
        ("@awsome", False),
    ],
)
def test_a_line_that_is_answered_looks_like_a_command(text: str, *, command: bool) -> None:
    typed = Posted(
        id=2,
        room="ops",
        seq=1,
        root=None,
        author=Person("ana", "Ana"),
        text=text,
        message=None,
        event_id="",
        created_at=datetime(2026, 5, 4, tzinfo=UTC),
        edited_at=None,
        replies=0,
        last_reply_at=None,
    )
    assert shown(typed, lambda _: {}).command is command
