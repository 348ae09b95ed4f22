"""SNS posts: what it signed is stored before it is answered, anything else is refused."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from urllib.parse import urlsplit

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette

from parley.kernel.errors import Overloaded, Unavailable
from parley.usecases.receive import OLDEST
from parley.web.ingest import LARGEST_BODY, routes
from tests.loopback import serving_app
from tests.signing import CERTIFICATE_PATH, CERTIFICATE_URL, TOKEN, TOPIC, signer
from tests.stories.ingest import Endpoint, endpoint

OTHER_TOPIC = "arn:aws:sns:eu-west-1:123456789012:not-ours"
LARGEST_MESSAGE = 256 * 1024


@pytest.fixture
async def parley() -> AsyncIterator[Endpoint]:
    """Yield a running endpoint."""
    async with endpoint() as running:
        yield running


@pytest.mark.parametrize("version", ["1", "2"])
async def test_a_notification_is_stored_once(parley: Endpoint, version: str) -> None:
    body = parley.notification("disk full", message_id="m-1", subject="Disk", version=version)
    assert (await parley.post(body)) == (200, {"code": "stored", "message": "Stored."})
    status, answer = await parley.post(body)
    assert (status, answer["code"]) == (200, "duplicate")
    (event,) = parley.stored.events.values()
    assert (event.id, event.detail, event.subject) == (f"sns:{TOPIC}:m-1", "disk full", "Disk")
    assert event.raw == body.decode()
    assert parley.aws.asked == [CERTIFICATE_PATH]


async def test_two_topics_are_two_events(parley: Endpoint) -> None:
    parley.directory.topics |= {OTHER_TOPIC}
    for topic in (TOPIC, OTHER_TOPIC):
        await parley.post(parley.notification(topic=topic, message_id="m-1"))
    assert set(parley.stored.events) == {f"sns:{TOPIC}:m-1", f"sns:{OTHER_TOPIC}:m-1"}


async def test_an_unknown_topic_is_refused_told_and_costs_no_request(parley: Endpoint) -> None:
    for body in (
        parley.notification(topic=OTHER_TOPIC),
        parley.sns.confirmation(at=parley.clock.now(), topic=OTHER_TOPIC),
    ):
        status, answer = await parley.post(body)
        assert (status, answer["code"]) == (403, "Refused")
        assert OTHER_TOPIC in answer["message"]
    assert parley.aws.asked == []
    assert parley.stored.events == {}
    assert parley.admin.told == [f"topic:{OTHER_TOPIC}"]
    parley.directory.topics |= {OTHER_TOPIC}
    assert (await parley.post(parley.notification(topic=OTHER_TOPIC)))[0] == 200
    assert parley.admin.well_again == [f"topic:{OTHER_TOPIC}"]


async def test_made_up_topics_do_not_flood_the_room(parley: Endpoint) -> None:
    for number in range(60):
        topic = f"arn:aws:sns:eu-west-1:123456789012:made-up-{number}"
        assert (await parley.post(parley.notification(topic=topic)))[0] == 403
    assert len(parley.admin.told) == 21
    assert parley.admin.told[-1] == "refused:others"
    parley.clock.move(timedelta(hours=1))
    await parley.post(parley.notification(topic=OTHER_TOPIC))
    assert parley.admin.told[-1] == f"topic:{OTHER_TOPIC}"


async def test_a_forged_message_is_refused_and_told_once_an_hour(parley: Endpoint) -> None:
    forged = json.loads(parley.notification()) | {"Message": "forged"}
    for _ in range(3):
        status, answer = await parley.post(json.dumps(forged).encode())
        assert (status, answer["code"]) == (403, "Refused")
        assert "does not match" in answer["message"]
    assert parley.admin.told == [f"signature:{TOPIC}"]
    await parley.post(parley.notification())
    assert parley.admin.well_again == [f"signature:{TOPIC}"]
    assert [event.detail for event in parley.stored.events.values()] == ["text"]


async def test_forged_messages_between_good_ones_do_not_flood_the_room(parley: Endpoint) -> None:
    forged = json.dumps(json.loads(parley.notification()) | {"Message": "forged"}).encode()
    for _ in range(5):
        assert (await parley.post(forged))[0] == 403
        assert (await parley.post(parley.notification()))[0] == 200
    assert parley.admin.told == [f"signature:{TOPIC}"]
    assert parley.admin.well_again == [f"signature:{TOPIC}"]
    parley.clock.move(timedelta(hours=1))
    assert (await parley.post(forged))[0] == 403
    assert parley.admin.told == [f"signature:{TOPIC}"] * 2


@pytest.mark.parametrize(
    "changes",
    [
        {"SigningCertURL": "https://elsewhere.example/a.pem"},
        {"SigningCertURL": f"http://127.0.0.1{CERTIFICATE_PATH}"},
        {"SigningCertURL": ""},
        {"SignatureVersion": "3"},
        {"Signature": "FAKE?"},
        {"Signature": None, "SignatureVersion": None, "SigningCertURL": None},
    ],
    ids=str,
)
async def test_what_cannot_be_checked_costs_no_request(
    parley: Endpoint, changes: dict[str, object]
) -> None:
    body = json.dumps(json.loads(parley.notification()) | changes).encode()
    assert (await parley.post(body))[0] == 403
    assert parley.aws.asked == []
    assert parley.stored.events == {}


async def test_a_certificate_of_somebody_else_is_refused(parley: Endpoint) -> None:
    parley.sns = signer(parley.clock.now(), issuer="Somebody", bits=3072)
    assert (await parley.post(parley.notification()))[0] == 403
    assert parley.stored.events == {}


async def test_sns_tries_again_when_the_certificate_cannot_be_had(parley: Endpoint) -> None:
    missing = CERTIFICATE_URL.replace(".pem", "-missing.pem")
    body = json.dumps(json.loads(parley.notification()) | {"SigningCertURL": missing}).encode()
    for _ in range(3):
        status, answer = await parley.post(body)
        assert (status, answer["code"]) == (503, "Unavailable")
    assert parley.aws.asked == [urlsplit(missing).path]
    assert parley.admin.told == []


@pytest.mark.parametrize(
    "failure", [Overloaded(), Unavailable("The disk is full."), RuntimeError("bug"), OSError(28)]
)
async def test_sns_tries_again_when_it_could_not_be_stored(
    parley: Endpoint, failure: Exception
) -> None:
    body = parley.notification()
    parley.stored.failure = failure
    status, answer = await parley.post(body)
    assert status == 503
    assert "bug" not in answer["message"]
    parley.stored.failure = None
    assert (await parley.post(body))[0] == 200
    assert len(parley.stored.events) == 1


@pytest.mark.parametrize("sign", [1, -1], ids=["old", "in the future"])
async def test_a_message_far_from_now_is_refused(parley: Endpoint, sign: int) -> None:
    minute = timedelta(minutes=1)
    at = parley.clock.now()
    assert (await parley.post(parley.notification(at=at - sign * OLDEST)))[0] == 200
    status, answer = await parley.post(parley.notification(at=at - sign * (OLDEST + minute)))
    assert (status, answer["code"]) == (400, "InvalidRequest")
    assert f"76 minutes {'old' if sign == 1 else 'in the future'}" in answer["message"]
    assert len(parley.stored.events) == 1
    assert parley.admin.told == ["timestamp"]


async def test_a_subscription_is_confirmed_where_the_topic_lives(parley: Endpoint) -> None:
    body = parley.sns.confirmation(
        at=parley.clock.now(), subscribe_url="https://elsewhere.example/steal"
    )
    status, answer = await parley.post(body)
    assert (status, answer["code"]) == (200, "confirmed")
    certificate, confirmation = parley.aws.asked
    assert certificate == CERTIFICATE_PATH
    assert confirmation.startswith("/?Action=ConfirmSubscription&TopicArn=arn")
    assert confirmation.endswith(f"&Token={TOKEN}")
    assert parley.admin.told == [f"confirmed:{TOPIC}:1"]
    assert parley.stored.events == {}


async def test_the_end_of_a_subscription_is_told_and_never_answered(parley: Endpoint) -> None:
    body = parley.sns.confirmation(at=parley.clock.now(), sns_type="UnsubscribeConfirmation")
    status, answer = await parley.post(body)
    assert (status, answer["code"]) == (200, "reported")
    assert parley.aws.asked == [CERTIFICATE_PATH]
    assert parley.admin.told == [f"unsubscribed:{TOPIC}"]


async def test_raw_delivery_is_refused_with_the_way_out(parley: Endpoint) -> None:
    status, answer = await parley.post(b"disk full", x_amz_sns_rawdelivery="true")
    assert (status, answer["code"]) == (403, "Refused")
    assert "RawMessageDelivery" in answer["message"]
    assert parley.admin.told == ["raw-delivery"]


@pytest.mark.parametrize(
    "text",
    ['"' * LARGEST_MESSAGE, "🚨" * (LARGEST_MESSAGE // 4), ('"' * 60 + "🚨") * 4096],
    ids=["quotes", "emoji", "both"],
)
async def test_the_largest_legal_message_passes_however_it_is_escaped(
    parley: Endpoint, text: str
) -> None:
    assert len(text.encode()) == LARGEST_MESSAGE
    plain = parley.notification(text, subject='"' * 100, message_id="plain")
    escaped = parley.notification(text, message_id="escaped")
    units = memoryview(text.encode("utf-16-be")).cast("B").hex("-", 2).split("-")
    whole = '"' + "".join(f"\\u{unit}" for unit in units) + '"'
    worst = escaped.replace(json.dumps(text).encode(), whole.encode())
    if '"' in text:
        assert len(worst) > 1_500_000
    assert len(worst) < LARGEST_BODY
    for body in (plain, worst):
        assert (await parley.post(body))[0] == 200
    assert [event.detail for event in parley.stored.events.values()] == [text, text]


async def test_a_body_that_is_too_large_is_refused(parley: Endpoint) -> None:
    body = parley.notification(message_id="exact")
    padding = b" " * (LARGEST_BODY - len(body))
    assert (await parley.post(body + padding))[0] == 200
    status, answer = await parley.post(body + padding + b" ")
    assert (status, answer["code"]) == (413, "TooLarge")


async def test_a_body_of_no_announced_length_is_cut_off(parley: Endpoint) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            yield b" " * 65_536
            sent += 65_536

    with pytest.raises(aiohttp.ClientError):  # noqa: PT012 - either line may meet the cut
        async with parley.session.post(parley.url, data=endless()) as response:
            assert response.status == 413
            raise aiohttp.ClientError
    assert sent < 20 * LARGEST_BODY


async def test_a_sender_that_hangs_up_stores_nothing(parley: Endpoint) -> None:
    url = urlsplit(parley.url)
    body = parley.notification()
    _, writer = await asyncio.open_connection(url.hostname, url.port)
    head = f"POST {url.path} HTTP/1.1\r\nHost: {url.netloc}\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body[:-10])
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    assert (await parley.post(parley.notification(message_id="next")))[0] == 200
    assert list(parley.stored.events) == [f"sns:{TOPIC}:next"]


async def test_a_body_that_comes_too_slowly_is_not_waited_for(parley: Endpoint) -> None:
    impatient = Starlette(routes=routes(parley.receive, patience=0.05))
    async with serving_app(impatient) as url:
        place = urlsplit(url)
        reader, writer = await asyncio.open_connection(place.hostname, place.port)
        head = f"POST /ingest/sns HTTP/1.1\r\nHost: {place.netloc}\r\nContent-Length: 1000\r\n\r\n"
        writer.write(head.encode() + b"{")
        answer = (await asyncio.wait_for(reader.read(), 5)).decode()
        writer.close()
        assert answer.startswith("HTTP/1.1 503 ")
        assert "within 0.05 seconds" in answer
        async with parley.session.post(f"{url}/ingest/sns", data=parley.notification()) as response:
            assert response.status == 200


async def test_only_posts_are_taken(parley: Endpoint) -> None:
    async with parley.session.get(parley.url) as response:
        assert response.status == 405


JUNK = st.one_of(
    st.binary(max_size=300),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
        max_leaves=12,
    ).map(lambda value: json.dumps(value).encode()),
)
FIELD = st.sampled_from(
    ["Type", "MessageId", "TopicArn", "Message", "Timestamp", "Signature", "SigningCertURL"]
)
VALUE = st.none() | st.integers() | st.text(max_size=40) | st.lists(st.text(max_size=5), max_size=2)


@settings(
    max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(junk=st.lists(JUNK, min_size=1, max_size=5))
async def test_junk_is_the_senders_mistake(parley: Endpoint, junk: list[bytes]) -> None:
    for body in junk:
        assert (await parley.post(body))[0] == 400
    assert parley.stored.events == {}
    assert parley.aws.asked == []


@settings(
    max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(changes=st.dictionaries(FIELD, VALUE, min_size=1))
async def test_a_spoilt_envelope_is_never_stored(
    parley: Endpoint, changes: dict[str, object]
) -> None:
    spoilt = json.loads(parley.notification(message_id="m-1")) | changes
    assert (await parley.post(json.dumps(spoilt).encode()))[0] in {400, 403}
    assert parley.stored.events == {}
