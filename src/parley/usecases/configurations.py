"""Adding, listing and removing configurations: the one way for every door."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
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
_ACCOUNT = re.compile(r"[0-9]{12}")
_QUEUE = re.compile(r"https?://[^/\s]+/(?:queue/[^/\s]+/)?[0-9]{12}/[A-Za-z0-9_-]{1,80}(\.fifo)?")


@dataclass(frozen=True, slots=True)
class ManageConfigurations:
    """Keeps configurations valid. `channels` knows the platforms by name."""

    configurations: Configurations
    channels: Mapping[str, Channel]

    async def add(self, wanted: Configuration) -> Configuration:
        """Check and store a configuration; return it as stored.

        An empty account is taken from the first topic or queue. Raises `InvalidRequest` with
        every mistake, one a line, and `Conflict` when the name is taken.
        """
        place, problem = _place(self.channels, wanted.destination)
        problems = [*([problem] if problem else ()), *_mistakes(wanted)]
        account = wanted.account or ("" if problems else _account(wanted))
        if not account and not problems:
            problems.append(
                "Give the AWS account with --account: without a topic or queue it cannot be told."
            )
        if problems:
            raise InvalidRequest("\n".join(problems))
        checked = replace(wanted, destination=place, account=account)
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
                f"Several accounts have a configuration named {name}: say which with --account "
                f"({accounts})."
            )
        return found[0]

    async def remove(self, name: str, account: str = "") -> Configuration:
        """Remove one; what it delivered stays readable. Raises as `show` does."""
        found = await self.show(name, account)
        await self.configurations.remove(found.account, found.name)
        return found


def _place(channels: Mapping[str, Channel], wanted: Destination) -> tuple[Destination, str]:
    """Return the channel as its platform writes it, and what is wrong with it if it is."""
    channel = channels.get(wanted.platform)
    if channel is None:
        known = ", ".join(sorted(channels))
        return wanted, f"There is no platform named {wanted.platform!r}. Use {known}."
    try:
        return Destination(wanted.platform, channel(wanted.channel)), ""
    except InvalidRequest as error:
        return wanted, str(error)


def _mistakes(wanted: Configuration) -> Iterator[str]:
    """Yield what is wrong with everything but the channel, in sentences."""
    if not _NAME.fullmatch(wanted.name):
        yield (
            f"The name {wanted.name!r} is not valid: use letters, digits, - and _, beginning "
            "with a letter or digit, 128 characters at the most."
        )
    yield from _mistakes_of_sources(wanted)
    for account in (wanted.account or "0" * 12, *wanted.routing.accounts):
        if not _ACCOUNT.fullmatch(account):
            yield f"{account!r} is not an AWS account id: it has 12 digits."
    if not all(wanted.routing.sources):
        yield "A source is empty: give a pattern such as aws.health or aws.*."


def _mistakes_of_sources(wanted: Configuration) -> Iterator[str]:
    for topic in wanted.topics:
        try:
            parse_topic(topic)
        except InvalidRequest as error:
            yield str(error)
    for queue in wanted.queues:
        if not _QUEUE.fullmatch(queue):
            yield (
                f"{queue!r} is not the URL of an SQS queue: it looks like "
                "https://sqs.eu-west-1.amazonaws.com/123456789012/parley."
            )


def _account(wanted: Configuration) -> str:
    if wanted.topics:
        return parse_topic(wanted.topics[0]).account
    if wanted.queues:
        return wanted.queues[0].rstrip("/").split("/")[-2]
    return ""
