"""What SNS posts to Parley's endpoint is checked, then stored, confirmed or reported."""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Protocol

from parley.events.envelope import SnsMessage, SnsType, event_from_sns, parse_sns
from parley.events.model import Event
from parley.events.signature import SigningKey, read_signature, verify
from parley.events.topics import Topic
from parley.kernel.configuration import Configuration
from parley.kernel.errors import InvalidRequest, ParleyError, Refused
from parley.kernel.messages import Message, Text, Tone
from parley.kernel.ports.clock import Clock
from parley.usecases.passed_on import mark_of_a_browser, mark_of_a_proxy
from parley.usecases.refusals import Refusals

OLDEST = timedelta(minutes=75)
"""SNS tries HTTP endpoints for an hour at most; what is older was kept and sent again."""


@dataclass(frozen=True, slots=True)
class Via:
    """How a message came: `peer` is the address that connected, `host` the one Host header.

    Both are empty when unknown. `headers` are all names in lower case, `http_version` is like 1.1.
    """

    peer: str = ""
    host: str = ""
    headers: frozenset[str] = frozenset()
    http_version: str = "1.1"
    raw_delivery: bool = False


class Outcome(StrEnum):
    """What became of a message that was not refused."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    CONFIRMED = "confirmed"
    REPORTED = "reported"


@dataclass(frozen=True, slots=True)
class Received:
    """The outcome, and a sentence that says it to a reader."""

    outcome: Outcome
    text: str


class Topics(Protocol):
    """Knows which configurations a topic speaks to."""

    async def by_topic(self, arn: str) -> Sequence[Configuration]:
        """Return the configurations that name the topic."""
        ...


class Certificates(Protocol):
    """Knows the keys that SNS signs with."""

    async def key(self, url: str) -> SigningKey:
        """Return the key of the certificate at a `SigningCertURL`.

        Raises `Refused` when it is not one of SNS, `Unavailable` when it cannot be had now.
        """
        ...


class Subscriptions(Protocol):
    """Confirms subscriptions."""

    async def confirm(self, topic: Topic, token: str) -> str:
        """Confirm, and return the ARN of the subscription, empty if it was not told.

        Raises `InvalidRequest` when SNS does not accept the token, `Unavailable` when it cannot
        be asked now.
        """
        ...


@dataclass(frozen=True, slots=True)
class Receive:
    """Takes a message that was posted for SNS.

    `unsigned_topics` are the ARNs of emulators' topics. Their messages are taken as they are while
    Parley listens on loopback alone, and only from a program on this machine.
    """

    directory: Topics
    notify: Callable[[Event, Sequence[Configuration]], Awaitable[bool]]
    certificates: Certificates
    subscriptions: Subscriptions
    refusals: Refusals
    clock: Clock
    unsigned_topics: frozenset[str] = frozenset()
    listens_on_loopback: bool = False

    async def __call__(self, body: bytes, via: Via) -> Received:
        """Return after what the message asks for is done and stored.

        Raises `InvalidRequest` for what is not an SNS message or is out of date, `Refused` for a
        topic, signature or certificate that is wrong, `Unavailable` when SNS should try again.
        """
        if via.raw_delivery:
            await self._refuse_raw()
        sns = parse_sns(body)
        configurations = await self._known(sns)
        await self._authenticate(sns, via)
        await self._in_time(sns)
        match sns.type:
            case SnsType.NOTIFICATION:
                return await self._notify(sns, configurations)
            case SnsType.SUBSCRIPTION_CONFIRMATION:
                return await self._confirm(sns)
            case SnsType.UNSUBSCRIBE_CONFIRMATION:
                return await self._report_end(sns)

    async def _known(self, sns: SnsMessage) -> Sequence[Configuration]:
        arn = sns.topic.arn
        configurations = await self.directory.by_topic(arn)
        if not configurations:
            reason = f"No configuration names the topic {arn}."
            await self.refusals.tell_of_stranger(
                f"topic:{arn}",
                _warning(
                    f"A message for the topic {sns.topic.name} was refused",
                    f"{reason} Who sent it is not known: Parley checks signatures of its own topics"
                    " only. If the topic is yours, name it in a configuration (`parley"
                    " configurations add`); otherwise remove the subscription.",
                ),
            )
            raise Refused(f"{reason} Add it to one, then subscribe again.")
        await self.refusals.well(f"topic:{arn}", _good(f"Messages of {sns.topic.name} are taken"))
        return configurations

    async def _authenticate(self, sns: SnsMessage, via: Via) -> None:
        topic = sns.topic
        cause = f"signature:{topic.arn}"
        try:
            if topic.arn in self.unsigned_topics:
                _only_from_here(via, listens_on_loopback=self.listens_on_loopback)
            else:
                read_signature(sns)  # Nothing is fetched for what cannot be checked anyway.
                verify(sns, await self.certificates.key(sns.signing_cert_url))
        except Refused as refusal:
            await self.refusals.tell(
                cause,
                _warning(f"A message for the topic {topic.name} was refused", str(refusal)),
            )
            raise
        await self.refusals.well(cause, _good(f"Messages of {topic.name} are signed well again"))

    async def _in_time(self, sns: SnsMessage) -> None:
        late = self.clock.now() - sns.sent_at
        if abs(late) <= OLDEST:
            await self.refusals.well("timestamp", _good("Messages arrive in time again"))
            return
        minutes = round(abs(late).total_seconds() / 60)
        where = "old" if late > timedelta() else "in the future"
        reason = (
            f"Timestamp {sns.timestamp} is {minutes} minutes {where}, and at most"
            f" {OLDEST.seconds // 60} are allowed: SNS never delivers that late."
        )
        await self.refusals.tell(
            "timestamp",
            _warning(
                "A message was refused for its time",
                f"{reason} It was signed by SNS for {sns.topic.arn}, so it was sent again by"
                " somebody, or the clock of this machine is wrong.",
            ),
        )
        raise InvalidRequest(reason)

    async def _notify(self, sns: SnsMessage, configurations: Sequence[Configuration]) -> Received:
        if await self.notify(event_from_sns(sns), configurations):
            return Received(Outcome.STORED, "Stored.")
        return Received(Outcome.DUPLICATE, "Already stored; this is a repetition.")

    async def _confirm(self, sns: SnsMessage) -> Received:
        name, cause = sns.topic.name, f"subscription:{sns.topic.arn}"
        try:
            subscription = await self.subscriptions.confirm(sns.topic, sns.token)
        except ParleyError as error:
            await self.refusals.tell(
                cause, _warning(f"The subscription to {name} is not confirmed", str(error))
            )
            raise
        await self.refusals.well(cause, _good(f"The subscription to {name} works again"))
        await self.refusals.tell(
            f"confirmed:{subscription or sns.topic.arn}",
            _good(f"Subscribed to {name}", f"{sns.topic.arn} now sends its messages here."),
        )
        return Received(Outcome.CONFIRMED, f"The subscription to {sns.topic.arn} is confirmed.")

    async def _report_end(self, sns: SnsMessage) -> Received:
        await self.refusals.tell(
            f"unsubscribed:{sns.topic.arn}",
            _warning(
                f"A subscription to {sns.topic.name} has ended",
                f"Somebody unsubscribed this endpoint from {sns.topic.arn}. Parley does not"
                " subscribe again by itself; if this was a mistake, subscribe the endpoint anew.",
            ),
        )
        return Received(Outcome.REPORTED, "Reported to the room admin; nothing else is done.")

    async def _refuse_raw(self) -> None:
        reason = (
            "Raw message delivery is switched on for this subscription. Raw messages are not"
            " signed, so they are not accepted over HTTP. Switch it off (attribute"
            " RawMessageDelivery of the subscription), or subscribe a queue instead."
        )
        await self.refusals.tell("raw-delivery", _warning("A raw message was refused", reason))
        raise Refused(reason)


_LOOPBACK_HOST = re.compile(
    r"(?:localhost|127\.0\.0\.1|\[::1\]|::1)(?::[0-9]{1,5})?", re.IGNORECASE
)
_LOOPBACK_PEERS = frozenset({"127.0.0.1", "::1", "::ffff:127.0.0.1"})


def _only_from_here(via: Via, *, listens_on_loopback: bool) -> None:
    """Let unsigned messages in from programs on this machine alone.

    Anything else could be a proxy that passes on what strangers send, or a page in a browser that
    posts to a name which it made point here. Raises `Refused`.
    """
    mark = mark_of_a_proxy(via.headers, via.http_version) or mark_of_a_browser(via.headers)
    if not listens_on_loopback:
        reason = "Parley listens on more than loopback"
    elif via.peer not in _LOOPBACK_PEERS:
        reason = "this one comes from another machine"
    elif _LOOPBACK_HOST.fullmatch(via.host) is None:
        reason = f"Host is {via.host[:100]!a} and not a loopback name"
    elif mark:
        reason = f"a proxy or a browser sent this one ({mark})"
    else:
        return
    raise Refused(f"Unsigned messages are taken from this machine alone, but {reason}.")


def _warning(title: str, text: str) -> Message:
    return Message(Text(title), Tone.WARN, state="REFUSED", blocks=(Text(text),))


def _good(title: str, text: str = "") -> Message:
    return Message(Text(title), Tone.GOOD, state="OK", blocks=(Text(text),) if text else ())
