"""Knowing at once that a room changed."""

from typing import Protocol


class Live(Protocol):
    """Wakes those who watch rooms."""

    async def wait(self, room: str, after: int, timeout: float) -> None:  # noqa: ASYNC109 - ends well
        """Return when the room may have changed beyond `after`, at the latest in `timeout` s."""
        ...

    def changed(self) -> None:
        """Say that some room has changed: after the commit, from the event loop."""
        ...
