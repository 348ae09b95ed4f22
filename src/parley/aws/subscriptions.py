"""Subscriptions are confirmed at SNS itself, never at an address that a message names."""

import re
from collections.abc import Mapping
from urllib.parse import urlencode

from aiohttp import ClientError, ClientSession, ClientTimeout
from yarl import URL

from parley.aws.limits import read_at_most
from parley.events.topics import Topic
from parley.kernel.errors import InvalidRequest, Unavailable

_TIMEOUT = ClientTimeout(total=10)
_LARGEST = 64 * 1024
_SUBSCRIPTION = re.compile(r"<SubscriptionArn>\s*(arn:[^<\s]{1,400})\s*</SubscriptionArn>")
_MESSAGE = re.compile(r"<Message>([^<]{1,300})</Message>")


class SnsSubscriptions:
    """Confirms subscriptions over HTTP.

    `endpoints` maps topic ARNs to the base URL that speaks for SNS instead: emulators.
    """

    def __init__(self, session: ClientSession, endpoints: Mapping[str, str]) -> None:
        self._session = session
        self._endpoints = endpoints

    async def confirm(self, topic: Topic, token: str) -> str:
        """Confirm, and return the ARN of the subscription, empty if it was not told.

        Raises `InvalidRequest` when SNS does not accept the token and `Unavailable` when it
        cannot be asked now. (SNS API Reference, ConfirmSubscription)
        """
        base = self._endpoints.get(topic.arn, f"https://{topic.endpoint_host}").rstrip("/")
        query = urlencode({"Action": "ConfirmSubscription", "TopicArn": topic.arn, "Token": token})
        status, text = await self._get(f"{base}/?{query}", base)
        if status == 200:  # noqa: PLR2004 - the one good answer
            found = _SUBSCRIPTION.search(text)
            return found[1] if found else ""
        said = _MESSAGE.search(text)
        reason = f"SNS answered {status}" + (f": {said[1]}" if said else ".")
        if 400 <= status < 500 and status != 429:  # noqa: PLR2004 - the client's errors, but "too many"
            raise InvalidRequest(
                f"The subscription to {topic.arn} was not confirmed. {reason}"
                " Tokens last three days; subscribe again to get a new one."
            )
        raise Unavailable(f"The subscription to {topic.arn} could not be confirmed. {reason}")

    async def _get(self, url: str, base: str) -> tuple[int, str]:
        try:
            async with self._session.get(
                URL(url, encoded=True), allow_redirects=False, timeout=_TIMEOUT
            ) as response:
                body = await read_at_most(response, _LARGEST)
                return response.status, (body or b"").decode("utf-8", "replace")
        except (ClientError, OSError, TimeoutError) as error:
            raise Unavailable(
                f"{base} cannot be reached to confirm a subscription"
                f" ({type(error).__name__}). Parley needs to reach it."
            ) from error
