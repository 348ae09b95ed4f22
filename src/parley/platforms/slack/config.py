"""What Slack needs to be set up with."""

import re
from dataclasses import dataclass, field

from parley.kernel.errors import InvalidRequest
from parley.platforms.links import safe_url

API_URL = "https://slack.com/api/"
_TOKEN = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True)
class SlackConfig:
    """`token` is the bot token (`xoxb-...`), `api_url` the base of the Web API.

    `console_url` is where people open Parley's pages; empty when there is no such address.
    `per_second` is how many calls a second one channel takes: Slack's rule is one, with short
    bursts above it.
    Raises `InvalidRequest`.
    """

    token: str = field(repr=False)
    api_url: str = API_URL
    console_url: str = ""
    per_second: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what could not be sent, with a text that does not show the token."""
        if not _TOKEN.fullmatch(self.token):
            text = "The Slack token is empty or has spaces in it: copy the bot token (xoxb-...)"
            raise InvalidRequest(text)
        for url in (self.api_url, self.console_url):
            if url and not safe_url(url):
                text = f"{url!r} is not an address that Slack can be given: start it with https://"
                raise InvalidRequest(text)
        if not self.api_url:
            raise InvalidRequest(f"The address of Slack's API is empty: it is {API_URL}")
