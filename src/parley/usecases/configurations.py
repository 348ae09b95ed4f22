"""Adding, listing and removing configurations: the one way for every door."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from parley.events.topics import parse_topic
from parley.kernel.configuration import Configuration
from parley.kernel.errors import Conflict, InvalidRequest, NotFound
from parley.kernel.incoming import Destination
from parley.kernel.ports.configurations import Configurations

Channel = Callable[[str], str]
"""Reads what a person typed for a channel (a name, an id, a link); returns the id.

Raises `InvalidRequest`.
"""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")
_ACCOUNT = re.compile(r"\d{12}")
_QUEUE = re.compile(r"https?://[^/\s]+/(?:queue/[^/\s]+/)?\d{12}/[A-Za-z0-9_-]{1,80}(\.fifo)?")


@dataclass(frozen=True, slots=True)
class ManageConfigurations:
    """Keeps configurations valid. `channels` knows the platforms by name."""

    configurations: Configurations
    channels: Mapping[str, Channel]

    async def add(self, wanted: Configuration) -> Configuration:
        """Check and store a configuration; return it as stored.

        An empty account is taken from the first topic or queue. Raises `InvalidRequest` naming
        every mistake's field, `Conflict` when the name is taken.
        """
        if not _NAME.fullmatch(wanted.name):
            raise InvalidRequest(
                f"The name {wanted.name!r} is not valid: use letters, digits, - and _, beginning "
                "with a letter or digit, 128 characters at the most."
            )
        place = self._place(wanted.destination)
        for topic in wanted.topics:
            parse_topic(topic)
        for queue in wanted.queues:
            _check_queue(queue)
        checked = replace(wanted, destination=place, account=wanted.account or _account(wanted))
        for account in (checked.account, *checked.routing.accounts):
            if not _ACCOUNT.fullmatch(account):
                raise InvalidRequest(
                    f"{account!r} is not an AWS account id: it has 12 digits. Give it with "
                    "--account."
                    if account
                    else "Give the AWS account with --account: without a topic or queue it cannot "
                    "be told."
                )
        await self.configurations.add(checked)
        return checked

    async def list(self) -> Sequence[Configuration]:
        """Return every configuration, by name."""
        return await self.configurations.all()

    async def show(self, name: str, account: str = "") -> Configuration:
        """Return one. Raises `NotFound`, or `Conflict` when several accounts have that name."""
        every = await self.configurations.all()
        found = [one for one in every if one.name == name and account in {"", one.account}]
        if not found:
            names = ", ".join(sorted({one.name for one in every})) or "none yet"
            raise NotFound(f"There is no configuration named {name}. There are: {names}.")
        if len(found) > 1:
            accounts = ", ".join(one.account for one in found)
            raise Conflict(
                f"Several accounts have a {name}: say which with --account ({accounts})."
            )
        return found[0]

    async def remove(self, name: str, account: str = "") -> Configuration:
        """Remove one; what it delivered stays readable. Raises as `show` does."""
        found = await self.show(name, account)
        await self.configurations.remove(found.account, found.name)
        return found

    def _place(self, wanted: Destination) -> Destination:
        channel = self.channels.get(wanted.platform)
        if channel is None:
            known = ", ".join(sorted(self.channels))
            raise InvalidRequest(f"There is no platform named {wanted.platform!r}. Use {known}.")
        return Destination(wanted.platform, channel(wanted.channel))


def _check_queue(url: str) -> None:
    if not _QUEUE.fullmatch(url):
        raise InvalidRequest(
            f"{url!r} is not the URL of an SQS queue: it looks like "
            "https://sqs.eu-west-1.amazonaws.com/123456789012/parley."
        )


def _account(wanted: Configuration) -> str:
    if wanted.topics:
        return parse_topic(wanted.topics[0]).account
    if wanted.queues:
        return wanted.queues[0].rstrip("/").split("/")[-2]
    return ""
