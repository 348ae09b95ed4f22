"""A message of a room as the templates show it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from parley.commands.mention import asked
from parley.kernel.messages import Message, plain_title
from parley.kernel.ports.rooms import Posted


@dataclass(frozen=True, slots=True)
class Shown:
    """One message, ready for a template. Times are ISO 8601 with zone.

    `card` is an Adaptive Card for Parley's messages and none for lines that people typed. `label`
    is one line that says it all, for lists and screen readers. A `command` speaks to the bot.
    """

    id: int
    seq: int
    room: str
    root: int | None
    label: str
    tone: str
    card: dict[str, Any] | None
    author: str
    initials: str
    text: str
    command: bool
    at: str
    edited_at: str
    replies: int
    last_reply_at: str
    event_id: str

    @property
    def head(self) -> int:
        """Return the head of the thread that the message belongs to: itself or its root."""
        return self.root or self.id


def initials(name: str) -> str:
    """Return one or two letters that stand for a name."""
    words = [word for word in name.split() if word[0].isalnum()]
    picked = words[0][:2] if len(words) == 1 else "".join(word[0] for word in words[:2])
    return picked.upper() or "?"


def shown(posted: Posted, card: Callable[[Message], dict[str, Any]]) -> Shown:
    """Return the message as templates show it."""
    author = posted.author.name if posted.author else "Parley"
    message = posted.message
    return Shown(
        id=posted.id,
        seq=posted.seq,
        room=posted.room,
        root=posted.root,
        label=plain_title(message) if message else f"{author}: {posted.text}",
        tone=message.tone.value if message else "",
        card=card(message) if message else None,
        author=author,
        initials=initials(author),
        text=posted.text,
        command=asked(posted.text) is not None,
        at=posted.created_at.isoformat(),
        edited_at=posted.edited_at.isoformat() if posted.edited_at else "",
        replies=posted.replies,
        last_reply_at=posted.last_reply_at.isoformat() if posted.last_reply_at else "",
        event_id=posted.event_id,
    )
