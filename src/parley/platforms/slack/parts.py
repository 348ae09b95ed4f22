"""The few Block Kit parts that messages are made of.

Text of ours or of strangers goes into `rich_text` and `plain_text`, which show it letter for
letter; only the authors of custom notifications get mrkdwn, made by `mrkdwn.py`.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from parley.kernel.messages import Fact, LinkButton
from parley.platforms.clipping import clean, clip
from parley.platforms.links import host_of, masks, safe_url
from parley.platforms.slack.limits import BUTTON_TEXT, BUTTON_URL, length
from parley.platforms.slack.mrkdwn import escape

Part = dict[str, Any]


def literal(text: str, *, bold: bool = False, code: bool = False) -> Part:
    """Return an element of rich text that is shown as it is."""
    style = {name: True for name, on in (("bold", bold), ("code", code)) if on}
    shown = {"type": "text", "text": clean(text)}
    return {**shown, "style": style} if style else shown


def line(elements: Sequence[Part]) -> Part:
    """Return one paragraph of rich text."""
    return {"type": "rich_text_section", "elements": list(elements)}


def rich(elements: Sequence[Part]) -> Part:
    """Return a block of paragraphs, lists or fixed-width text."""
    return {"type": "rich_text", "elements": list(elements)}


def preformatted(text: str) -> Part:
    """Return a block of fixed-width text."""
    return rich([{"type": "rich_text_preformatted", "elements": [literal(text)]}])


def bullets(texts: Sequence[str]) -> Part:
    """Return a list of points."""
    points = [line([literal(one)]) for one in texts]
    return rich([{"type": "rich_text_list", "style": "bullet", "elements": points}])


def plain(text: str) -> Part:
    """Return a text object that is shown as it is; names of emoji stay names."""
    return {"type": "plain_text", "text": clean(text), "emoji": False}


def mrkdwn(text: str) -> Part:
    """Return a text object in which Slack reads only what stands between angle brackets."""
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def section(text: str) -> Part:
    """Return a paragraph of mrkdwn."""
    return {"type": "section", "text": mrkdwn(text)}


def context(elements: Sequence[Part]) -> Part:
    """Return a line of small grey texts."""
    return {"type": "context", "elements": list(elements)}


def moment(at: datetime) -> Part:
    """Return a time that Slack shows in the reader's zone, and UTC where it cannot."""
    try:
        utc = (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError:
        utc = at.replace(tzinfo=UTC)
    stamp = utc.isoformat(sep=" ", timespec="seconds").removesuffix("+00:00") + " UTC"
    seconds = int(utc.timestamp())
    return mrkdwn(f"<!date^{seconds}^{{date_short_pretty}} {{time_secs}}|{stamp}>")


def fact(one: Fact, characters: int) -> list[Part]:
    """Return a label and its value, which is a link when it does not look like another one."""
    value = clip(one.value, characters).strip() or "-"
    label = [literal(f"{clip(one.label, 100)}: ")] if one.label.strip() else []
    url = safe_url(clean(one.url), limit=min(2_000, characters))
    if not url:
        return [*label, literal(value, bold=True)]
    if masks(value, url):
        return [*label, literal(f"{value} ", bold=True), _link(url, f"↗ {host_of(url)}")]
    return [*label, _link(url, value, bold=True)]


def _link(url: str, words: str, *, bold: bool = False) -> Part:
    return {**literal(words, bold=bold), "type": "link", "url": url}


def button(one: LinkButton, number: int) -> Part | None:
    """Return a button that opens a page, none when its address may not be linked."""
    url = safe_url(clean(one.url), limit=BUTTON_URL)
    if not url:
        return None
    label = clean(one.label).strip() or host_of(url)
    if masks(label, url):
        label = f"{label} ({host_of(url)})"
    while length(label) > BUTTON_TEXT:
        label = clip(label, min(len(label) - 1, BUTTON_TEXT))
    return {"type": "button", "action_id": f"open-{number}", "text": plain(label), "url": url}


def escaped(text: str, characters: int) -> str:
    """Return a text for notifications, where only Slack's control characters matter."""
    return escape(clean(clip(text, characters)))
