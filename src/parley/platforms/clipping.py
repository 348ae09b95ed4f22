"""Texts that fit: cut with a remark that says so, and made of characters that can be sent."""

# Characters that control a terminal or a parser are shown by their pictures (NUL as ␀).
_PICTURES: dict[int, int | None] = {
    code: 0x2400 + code for code in range(0x20) if chr(code) not in "\n\t"
}
_PICTURES |= {0x7F: 0x2421, ord("\r"): None}


def clean(text: str) -> str:
    """Return the text without lone surrogates (half an emoji cannot be encoded) and controls."""
    if text.isprintable():  # nearly every text; controls and surrogates are not printable
        return text
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return whole.translate(_PICTURES)


def clip(text: str, limit: int) -> str:
    """Return the text, cut to `limit` characters with a remark of the whole length when longer."""
    if len(text) <= limit:
        return text
    remark = f"… (cut, {len(text):,} characters)"
    if limit <= 2 * len(remark):
        return text[: max(limit - 1, 0)] + "…"
    return text[: limit - len(remark)] + remark
