"""Finding a message that Slack may have taken already: by the metadata that we post with it.

Reading a channel needs the scope `channels:history` (`groups:history` in a private one), which an
app that only posts does not need otherwise.
"""

from datetime import datetime, timedelta
from typing import Any

PAGES = 3
"""How far back to look: at one message a second, ten minutes of a channel."""

_EVENT = "parley_delivery"
_PAGE = 200
_CLOCKS = timedelta(minutes=5)
"""How far our clock and Slack's may be apart."""


def named(key: str) -> dict[str, Any]:
    """Return the metadata that a message is found by."""
    return {"event_type": _EVENT, "event_payload": {"id": key}}


def looking(channel: str, thread: tuple[str, str] | None, since: datetime) -> dict[str, str]:
    """Return the question for a channel's newest messages, or for the replies to one."""
    fields = {
        "channel": channel,
        "oldest": f"{(since - _CLOCKS).timestamp():.6f}",
        "limit": str(_PAGE),
        "include_all_metadata": "true",
    }
    if thread:
        fields["channel"], fields["ts"] = thread
    return fields


def found(answer: dict[str, Any], key: str) -> str:
    """Return the timestamp of the message with that key in one page, empty when it is not there."""
    messages = answer.get("messages")
    for message in messages if isinstance(messages, list) else ():
        if isinstance(message, dict) and message.get("metadata") == named(key):
            return str(message.get("ts", ""))
    return ""


def next_page(answer: dict[str, Any]) -> str:
    """Return the cursor of the next page, empty at the end."""
    metadata = answer.get("response_metadata")
    return str(metadata.get("next_cursor") or "") if isinstance(metadata, dict) else ""
