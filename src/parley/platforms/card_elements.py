"""The few Adaptive Card elements that cards are made of: text is made safe on its way in."""

import re
from typing import Any

from parley.platforms.card_markdown import to_markdown
from parley.platforms.clipping import clean

Element = dict[str, Any]

# Renderers put dates in place of `{{DATE(...)}}` and `{{TIME(...)}}`, even where all else is
# literal. In two runs the braces are only braces.
_MACRO = re.compile(r"(?<=\{)(?=\{(?:DATE|TIME)\()")


def run(text: str, **look: Any) -> Element:
    """Return a run of literal text."""
    return {"type": "TextRun", "text": clean(text), **look}


def rich(runs: list[Element]) -> Element:
    """Return a paragraph of runs."""
    return {
        "type": "RichTextBlock",
        "inlines": [{**one, "text": part} for one in runs for part in _MACRO.split(one["text"])],
    }


def small(text: str) -> Element:
    """Return a paragraph of small grey text: labels, remarks."""
    return rich([run(text, size="Small", isSubtle=True)])


def markdown(text: str, **look: Any) -> Element:
    """Return a paragraph written by the author of a custom notification."""
    return {"type": "TextBlock", "text": clean(to_markdown(text)), "wrap": True, **look}


def link(url: str) -> Element:
    """Return the action that opens an address, which `safe_url` let pass."""
    return {"type": "Action.OpenUrl", "url": url}
