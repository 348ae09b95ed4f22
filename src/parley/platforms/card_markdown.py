"""Text of custom notifications as the markdown of Adaptive Cards.

Authors write for the chat client that they have: Slack's marks (`*bold*`, `<https://host|label>`)
or markdown's own (`**bold**`, `[label](https://host)`). Both are read; every mark in the result is
written here and everything else is escaped, so that no link, image or HTML gets in by another way.
"""

import re
from dataclasses import dataclass, field

from parley.platforms.client_text import (
    ChannelMention,
    GroupMention,
    LabelledLink,
    Plain,
    Token,
    UserMention,
    tokens,
)
from parley.platforms.clipping import clean
from parley.platforms.emoji import with_emoji
from parley.platforms.links import masks, safe_url

_OPEN, _CLOSE = "\ue000", "\ue001"
_HELD = re.compile(f"{_OPEN}(\\d+){_CLOSE}")
_CODE = re.compile(r"```(.+?)```|`([^`\n]+)`", re.DOTALL)
_MARKDOWN_LINK = re.compile(r"!?\[([^\[\]\n]*)\]\(\s*<?([^()\s<>]+)>?\s*\)")
_ADDRESS = re.compile(f"https?://[^\\s<>|{_OPEN}{_CLOSE}]+", re.IGNORECASE)
_TRAILING = ".,;:!?)]}'\"*_~"
_LIST = re.compile(r"(?:[-*+•◦▪]|(\d{1,9})[.)])[ \t]+(?=\S)")
_STYLES = (
    (re.compile(r"\*\*(?=\S)(.{1,300}?)(?<=\S)\*\*"), "**"),
    (re.compile(r"(?<![\w*])\*(?=[^\s*])([^*]+?)(?<=\S)\*(?![\w*])"), "**"),
    (re.compile(r"(?<![\w_])_(?=[^\s_])([^_]+?)(?<=\S)_(?![\w_])"), "_"),
    (re.compile(r"(?<![\w~])~{1,2}(?=[^\s~])([^~]+?)(?<=\S)~{1,2}(?![\w~])"), "~~"),
)
_SPECIAL = re.compile(r"[\\`*_\[\]~|!]|(?<=\{)\{(?=(?:DATE|TIME)\()")
"""Marks of markdown, and the braces by which renderers know a date to be put in: `{{DATE(`."""

_LINE_START = re.compile(r"(?:[#>+=-]|\d+(?=[.)]))")


def escape(text: str) -> str:
    """Return one line of markdown that shows the text letter for letter."""
    text = text.replace("&", "&amp;").replace("<", "&lt;")
    text = _SPECIAL.sub(lambda found: "\\" + found[0], text)
    start = _LINE_START.match(text)
    if not start:
        return text
    if start[0][0].isdigit():
        return f"{start[0]}\\{text[start.end() :]}"
    return "\\" + text


def to_markdown(text: str) -> str:
    """Return markdown for a TextBlock; mentions become plain words."""
    held = _Held()
    text = clean(text).replace(_OPEN, "").replace(_CLOSE, "")
    text = _CODE.sub(lambda found: held.put(_code(found[1] or found[2])), text)
    text = "".join(_of_token(one, held) for one in tokens(text))
    text = _MARKDOWN_LINK.sub(lambda found: held.put(_link(found[2], found[1], held)), text)
    text = _ADDRESS.sub(lambda found: _bare_address(found[0], held), text)
    lines = [_line(one) for one in text.splitlines() if one.strip()]
    return held.put_back(_joined(lines))


@dataclass(slots=True)
class _Held:
    """Finished pieces of markdown, kept out of the way of what is still to be escaped."""

    pieces: list[str] = field(default_factory=list)

    def put(self, piece: str) -> str:
        self.pieces.append(piece)
        return f"{_OPEN}{len(self.pieces) - 1}{_CLOSE}"

    def put_back(self, text: str) -> str:
        # A link's words may hold a piece of code: one more round puts it back.
        while _HELD.search(text):
            text = _HELD.sub(lambda found: self.pieces[int(found[1])], text)
        return text


def _code(text: str) -> str:
    lines = [one.replace("`", "'") for one in text.splitlines() if one.strip()]
    return "\n\n".join(f"`{one}`" for one in lines) or "\\`\\`"


def _of_token(token: Token, held: _Held) -> str:
    match token:
        case Plain(text):
            return text
        case UserMention(id=mentioned, name=name) | GroupMention(id=mentioned, name=name):
            return held.put(escape(f"@{_one_line(name) or mentioned}"))
        case ChannelMention(id=mentioned, name=name):
            return held.put(escape(f"#{_one_line(name) or mentioned}"))
        case LabelledLink(url, label):
            return held.put(_link(url, label, held))


def _bare_address(found: str, held: _Held) -> str:
    url = found.rstrip(_TRAILING)
    return held.put(_link(url, "", held)) + found[len(url) :]


def _link(url: str, label: str, held: _Held) -> str:
    label = _one_line(label)
    # Code inside an address would be put back as it is, and could end the link and begin another.
    target = "" if _OPEN in url else safe_url(url)
    if not target:
        return f"{_inline(label)} ({escape(url)})" if label else escape(url)
    target = target.replace("(", "%28").replace(")", "%29").replace("[", "%5B").replace("]", "%5D")
    if not label:
        return f"[{escape(url)}]({target})"
    # What is held is read too: words in a code span are words to a reader.
    if masks(held.put_back(label), target):
        return f"{escape(label)} ([{escape(target)}]({target}))"
    return f"[{_inline(label)}]({target})"


def _one_line(text: str) -> str:
    """Return the words of a link or mention: a line end would begin a heading, a list, a quote."""
    return " ".join(text.split())


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    in_list: bool = False


def _line(text: str) -> _Line:
    text = text.strip()
    if item := _LIST.match(text):
        mark = f"{item[1]}." if item[1] else "-"
        return _Line(f"{mark} {_inline(text[item.end() :])}", in_list=True)
    if text.startswith((">", "&gt;")) and (quoted := re.sub(r"^(?:>|&gt;)+\s*", "", text)):
        return _Line(f"> {_inline(quoted)}")
    return _Line(_inline(text))


def _joined(lines: list[_Line]) -> str:
    """Join lines so that each stays one: markdown runs neighbours together."""
    result = ""
    for before, line in zip([None, *lines], lines, strict=False):
        if before:
            result += "\n" if before.in_list and line.in_list else "\n\n"
        result += line.text
    return result


def _inline(text: str, styles: tuple[tuple[re.Pattern[str], str], ...] = _STYLES) -> str:
    """Return text with bold, italic and struck-through parts; each style once in another."""
    if not styles:
        plain = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
        return escape(with_emoji(plain))
    (pattern, mark), rest = styles[0], styles[1:]
    result, start = "", 0
    for found in pattern.finditer(text):
        result += _inline(text[start : found.start()], rest)
        result += f"{mark}{_inline(found[1], rest)}{mark}"
        start = found.end()
    return result + _inline(text[start:], rest)
