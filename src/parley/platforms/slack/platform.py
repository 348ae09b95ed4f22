"""Messages to Slack channels through the Web API."""

import re
from typing import Any

import aiohttp

from parley.kernel.errors import DeliveryFailed, Reason
from parley.kernel.messages import Message
from parley.kernel.ports.platform import Pace
from parley.platforms.outgoing import post_json, redacted
from parley.platforms.slack.answers import handle_of
from parley.platforms.slack.config import SlackConfig
from parley.platforms.slack.render import render

_HANDLE = re.compile(r"([^:]+):([^:]+)")


class Slack:
    """Implements `kernel.ports.platform.ChatPlatform`. A handle is `channel id:timestamp`."""

    name = "slack"

    def __init__(self, config: SlackConfig, session: aiohttp.ClientSession) -> None:
        """Take what Slack is set up with and the session that all platforms share."""
        self.pace = Pace(config.per_second, burst=3)
        self._config = config
        self._session = session

    async def post(self, channel: str, message: Message, thread: str = "") -> str:
        """Post a message or, when `thread` is the handle of a head, a reply; return its handle.

        Raises `DeliveryFailed`.
        """
        content = render(message, self._config.console_url)
        # Slack fetches no page that a message links to: such a request could set something off.
        content |= {"channel": channel, "unfurl_links": False, "unfurl_media": False}
        if thread:
            # A head that was posted by the channel's name is known by the channel's id.
            content["channel"], content["thread_ts"] = _parts_of(thread)
        return await self._call("chat.postMessage", content)

    async def edit(self, channel: str, handle: str, message: Message) -> None:  # noqa: ARG002 - the handle names the channel by its id
        """Replace a message in place. Raises `DeliveryFailed`."""
        content = render(message, self._config.console_url)
        content["channel"], content["ts"] = _parts_of(handle)
        await self._call("chat.update", content)

    async def _call(self, method: str, content: dict[str, Any]) -> str:
        token = self._config.token
        try:
            reply = await post_json(
                self._session,
                f"{self._config.api_url.rstrip('/')}/{method}",
                content,
                platform="Slack",
                headers={"Authorization": f"Bearer {token}"},
            )
            return handle_of(reply)
        except DeliveryFailed as failed:
            text = redacted(str(failed), [token])
            raise DeliveryFailed(text, failed.reason, failed.retry_after) from None


def _parts_of(handle: str) -> tuple[str, str]:
    parts = _HANDLE.fullmatch(handle)
    if not parts:
        text = f"{handle!r} does not name a message on Slack: its name is channel:timestamp"
        raise DeliveryFailed(text, Reason.CLIENT)
    return parts[1], parts[2]
