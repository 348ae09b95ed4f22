"""Messages to Slack channels through the Web API."""

import re
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import aiohttp

from parley.kernel.errors import DeliveryFailed, Reason
from parley.kernel.messages import Message
from parley.kernel.ports.platform import Pace
from parley.platforms.outgoing import Reply, post_form, post_json, redacted
from parley.platforms.slack.answers import accepted, handle_of
from parley.platforms.slack.config import SlackConfig
from parley.platforms.slack.finding import PAGES, found, looking, named, next_page
from parley.platforms.slack.render import render

Post = Callable[..., Awaitable[Reply]]

_HANDLE = re.compile(r"([^:]+):([^:]+)")


class Slack:
    """Implements `kernel.ports.platform.ChatPlatform`. A handle is `channel id:timestamp`."""

    name = "slack"

    def __init__(self, config: SlackConfig, session: aiohttp.ClientSession) -> None:
        """Take what Slack is set up with and the session that all platforms share."""
        self.pace = Pace(config.per_second, burst=3)
        self._config = config
        self._session = session

    async def post(self, channel: str, message: Message, thread: str = "", key: str = "") -> str:
        """Post a message or, when `thread` is the handle of a head, a reply; return its handle.

        Raises `DeliveryFailed`.
        """
        content = render(message, self._config.console_url)
        # Slack fetches no page that a message links to: such a request could set something off.
        content |= {"channel": channel, "unfurl_links": False, "unfurl_media": False}
        if thread:
            # A head that was posted by the channel's name is known by the channel's id.
            content["channel"], content["thread_ts"] = _parts_of(thread)
        if key:
            content["metadata"] = named(key)
        return await self._call("chat.postMessage", content)

    async def edit(self, channel: str, handle: str, message: Message) -> None:  # noqa: ARG002 - the handle names the channel by its id
        """Replace a message in place. Raises `DeliveryFailed`."""
        content = render(message, self._config.console_url)
        content["channel"], content["ts"] = _parts_of(handle)
        await self._call("chat.update", content)

    async def find(self, channel: str, key: str, thread: str, since: datetime) -> str:
        """Return the handle of the message that was posted with `key`; empty when there is none.

        Empty, too, where the app may not read the channel. Raises `DeliveryFailed` when Slack is
        busy or away.
        """
        fields = looking(channel, _parts_of(thread) if thread else None, since)
        method = "conversations.replies" if thread else "conversations.history"
        try:
            for _ in range(PAGES):
                answer = await self._ask(post_form, method, fields)
                if ts := found(answer, key):
                    return f"{fields['channel']}:{ts}"
                fields["cursor"] = next_page(answer)
                if not fields["cursor"]:
                    break
        except DeliveryFailed as failed:
            if not failed.permanent:
                raise
        return ""

    async def _call(self, method: str, content: dict[str, Any]) -> str:
        return handle_of(await self._ask(post_json, method, content))

    async def _ask(self, post: Post, method: str, content: Any) -> dict[str, Any]:
        token = self._config.token
        try:
            reply = await post(
                self._session,
                f"{self._config.api_url.rstrip('/')}/{method}",
                content,
                platform="Slack",
                headers={"Authorization": f"Bearer {token}"},
            )
            return accepted(reply)
        except DeliveryFailed as failed:
            text = redacted(str(failed), [token])
            raise DeliveryFailed(
                text, failed.reason, failed.retry_after, unanswered=failed.unanswered
            ) from None


def _parts_of(handle: str) -> tuple[str, str]:
    parts = _HANDLE.fullmatch(handle)
    if not parts:
        text = f"{handle!r} does not name a message on Slack: its name is channel:timestamp"
        raise DeliveryFailed(text, Reason.CLIENT)
    return parts[1], parts[2]
