"""Texts are cut with a remark, and made of characters that can be sent."""

import orjson
from hypothesis import given
from hypothesis import strategies as st

from parley.platforms.clipping import clean, clip


@given(st.text(), st.integers(1, 200))
def test_a_cut_text_is_never_longer_than_asked(text: str, limit: int) -> None:
    cut = clip(text, limit)
    assert len(cut) <= limit
    assert cut == text or "…" in cut


@given(st.text(st.characters(codec=None)))
def test_a_clean_text_can_be_sent(text: str) -> None:
    assert orjson.loads(orjson.dumps(clean(text))) == clean(text)


def test_a_cut_says_how_long_the_whole_is() -> None:
    assert clip("a" * 12_345, 100).endswith("… (cut, 12,345 characters)")


def test_controls_are_seen_instead_of_obeyed() -> None:
    assert clean("\x1b[31m\x00\r\n\t") == "␛[31m␀\n\t"
