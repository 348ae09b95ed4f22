"""Which Slack channel a person means: an id, or a link as Slack's own menu copies it."""

import re

from parley.kernel.errors import InvalidRequest

# https://acme.slack.com/archives/C0123ABCD, with or without a message after it, and
# https://app.slack.com/client/T0123/C0123ABCD
_LINK = re.compile(
    r"https://[a-z0-9.-]+\.slack\.com/(?:archives|client/[A-Z0-9]+)/([CDG][A-Z0-9]+)"
)
_ID = re.compile(r"[CDG][A-Z0-9]{6,20}")


def read_channel(typed: str) -> str:
    """Return the channel's id for what a person typed or pasted. Raises `InvalidRequest`."""
    text = typed.strip()
    link = _LINK.match(text)
    channel = link[1] if link else text
    if not _ID.fullmatch(channel):
        raise InvalidRequest(
            (f"{typed!r} is not a Slack channel" if text else "The Slack channel is missing")
            + ": names can change, so give the channel's id (C0123ABCD, at the end of the "
            "channel's details) or its link (Copy > Copy link in its menu) with --channel."
        )
    return channel
