"""An emulator cannot sign: its topics are taken on their word, from this machine alone."""

import asyncio
import json
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest

from parley.kernel.errors import Refused
from parley.kernel.message_json import to_json
from parley.usecases.receive import Via
from tests.clock import SetClock
from tests.signing import TOPIC, time_text
from tests.stories.ingest import UNSIGNED_TOPIC, Endpoint, endpoint


def unsigned(topic: str = UNSIGNED_TOPIC, **changes: object) -> bytes:
    """Return a message as an emulator posts it."""
    envelope = {
        "Type": "Notification",
        "MessageId": "e-1",
        "TopicArn": topic,
        "Message": "text",
        "Timestamp": time_text(SetClock().now()),
        "SignatureVersion": "1",
        "Signature": "FAKE",
        "SigningCertURL": "https://sns.us-east-1.amazonaws.com/SimpleNotificationService.pem",
    }
    return json.dumps(envelope | changes).encode()


@pytest.fixture
async def parley() -> AsyncIterator[Endpoint]:
    """Yield a running endpoint."""
    async with endpoint() as running:
        yield running


async def test_a_topic_that_is_marked_is_taken_on_its_word(parley: Endpoint) -> None:
    assert (await parley.post(unsigned()))[0] == 200
    bare = unsigned(MessageId="e-2", Signature=None, SignatureVersion=None, SigningCertURL=None)
    assert (await parley.post(bare))[0] == 200
    assert len(parley.stored.events) == 2
    assert parley.aws.asked == []


async def test_its_subscription_is_confirmed_at_its_own_endpoint(parley: Endpoint) -> None:
    body = unsigned(
        Type="SubscriptionConfirmation", Token="t-1", SubscribeURL="http://elsewhere.example/"
    )
    assert (await parley.post(body))[0] == 200
    (asked,) = parley.aws.asked
    assert asked.endswith("&Token=t-1")


async def test_any_other_topic_needs_a_signature(parley: Endpoint) -> None:
    assert (await parley.post(unsigned(TOPIC)))[0] == 503
    bare = unsigned(TOPIC, Signature=None, SignatureVersion=None, SigningCertURL=None)
    assert (await parley.post(bare))[0] == 403
    assert parley.stored.events == {}


@pytest.mark.parametrize(
    "header",
    [
        "Forwarded",
        "X-Forwarded-For",
        "X-Forwarded-Host",
        "X-Forwarded-Proto",
        "x-forwarded-anything",
        "X-Real-IP",
        "CF-Connecting-IP",
        "Via",
        "Origin",
        "Referer",
        "Sec-Fetch-Site",
        "Sec-Fetch-Mode",
    ],
)
async def test_what_a_proxy_or_a_browser_sends_is_refused(parley: Endpoint, header: str) -> None:
    for value in ("127.0.0.1", ""):
        status, answer = await parley.post(unsigned(), **{header: value})
        assert status == 403
        assert header.lower() in answer["message"]
    assert parley.stored.events == {}


async def test_a_proxy_that_says_nothing_of_itself_is_known_by_its_http(parley: Endpoint) -> None:
    # nginx, unless told otherwise: its own Host, no header of its own, and HTTP/1.0.
    place, body = urlsplit(parley.url), unsigned()
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    head = f"POST {place.path} HTTP/1.0\r\nHost: {place.netloc}\r\nContent-Length: {len(body)}\r\n"
    writer.write(f"{head}Connection: close\r\n\r\n".encode() + body)
    answer = (await reader.read()).decode()
    writer.close()
    assert " 403 " in answer.splitlines()[0]
    assert "(HTTP/1.0)" in answer
    assert parley.stored.events == {}


@pytest.mark.parametrize(
    "host",
    ["localhost", "localhost:8080", "LocalHost:1", "127.0.0.1", "127.0.0.1:65535", "[::1]:80"],
)
async def test_loopback_may_be_called_by_its_names(parley: Endpoint, host: str) -> None:
    assert (await parley.post(unsigned(), Host=host))[0] == 200


@pytest.mark.parametrize(
    "host",
    [
        "parley.example",
        "localhost.parley.example",
        "localhost.",
        "xlocalhost",
        "127.0.0.1.parley.example",
        "127.0.0.1:80:80",
        "127.0.0.1:x",
        "user@127.0.0.1",
        "192.168.0.7",
        "2130706433",
        "127.1",
        "[::]",
        "[::ffff:127.0.0.1]",
    ],
)
async def test_any_other_name_could_have_been_made_to_point_here(
    parley: Endpoint, host: str
) -> None:
    status, answer = await parley.post(unsigned(), Host=host)
    assert status == 403
    assert "Host" in answer["message"]
    assert parley.stored.events == {}


async def test_nothing_unsigned_is_taken_while_others_can_connect() -> None:
    async with endpoint(listens_on_loopback=False) as parley:
        status, answer = await parley.post(unsigned())
        assert status == 403
        assert "more than loopback" in answer["message"]
        assert (await parley.post(parley.notification()))[0] == 200
        assert len(parley.stored.events) == 1


@pytest.mark.parametrize("peer", ["", "192.168.0.7", "::", "2001:db8::1", "127.0.0.1.example"])
async def test_nothing_unsigned_is_taken_from_another_machine(parley: Endpoint, peer: str) -> None:
    with pytest.raises(Refused, match="another machine"):
        await parley.receive(unsigned(), Via(peer=peer, host="localhost"))
    assert parley.stored.events == {}


@pytest.mark.parametrize("peer", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
async def test_this_machine_has_several_addresses(parley: Endpoint, peer: str) -> None:
    await parley.receive(unsigned(), Via(peer=peer, host="localhost"))
    assert len(parley.stored.events) == 1


async def test_a_refusal_is_told_with_its_reason(parley: Endpoint) -> None:
    for _ in range(2):
        await parley.post(unsigned(), Origin="https://elsewhere.example")
    cause = f"signature:{UNSIGNED_TOPIC}"
    assert parley.admin.told == [cause]
    assert "origin" in to_json(parley.admin.messages[cause])
