"""A chat platform that does what a test tells it, and keeps what it was asked."""

from collections import deque
from dataclasses import dataclass, field

from parley.kernel.errors import DeliveryFailed, Reason
from parley.kernel.messages import Message
from parley.kernel.ports.platform import Pace


@dataclass
class ScriptedPlatform:
    """Implements `kernel.ports.platform.ChatPlatform`.

    `script` holds what happens to the next calls: nothing (they succeed), or what they raise.
    `calls` are those that succeeded, `tried` all of them.
    """

    name: str = "slack"
    pace: Pace = field(default_factory=lambda: Pace(10_000.0, 100))
    script: deque[Exception | None] = field(default_factory=deque)
    calls: list[str] = field(default_factory=list)
    tried: list[str] = field(default_factory=list)

    async def post(self, channel: str, message: Message, thread: str = "", key: str = "") -> str:
        """Post a message, or a reply; return its handle."""
        under = f" under {thread}" if thread else ""
        self._call(f"{channel}: {message.title.text}{under}")
        return f"{channel}/{message.title.text}"

    async def edit(self, channel: str, handle: str, message: Message) -> None:
        """Replace a message."""
        self._call(f"{channel}: {handle} = {message.title.text}")

    def _call(self, line: str) -> None:
        self.tried.append(line)
        outcome = self.script.popleft() if self.script else None
        if outcome is not None:
            raise outcome
        self.calls.append(line)


def failed(reason: Reason, retry_after: float | None = None) -> DeliveryFailed:
    """Return what a platform raises."""
    return DeliveryFailed(f"Slack says {reason}", reason, retry_after)
