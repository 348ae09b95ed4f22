"""Signing certificates are fetched over HTTP once, safely, and a failure passes soon."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from aiohttp import ClientSession, web

from parley.aws.certificates import FAILURE_KEPT, LARGEST, SigningCertificates
from parley.events.signature import SignedBy
from parley.kernel.errors import Refused, Unavailable
from tests.clock import SetClock
from tests.loopback import Handler, serving
from tests.signing import CERTIFICATE_PATH, CERTIFICATE_URL, Signer, signer

YEAR = timedelta(days=365)


@pytest.fixture
def clock() -> SetClock:
    """Return a clock that the test moves."""
    return SetClock()


@pytest.fixture
def sns(clock: SetClock) -> Signer:
    """Return a stand-in for SNS whose certificate is good for a year."""
    return signer(clock.now())


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    """Yield the session that the process shares."""
    async with ClientSession() as session:
        yield session


def answer(body: bytes, status: int = 200) -> Handler:
    """Return a handler that gives the same answer every time."""

    async def handler(_: web.BaseRequest) -> web.Response:
        return web.Response(body=body, status=status)

    return handler


def certificates(
    session: ClientSession, sns: Signer, clock: SetClock, source: str, patience: float = 5.0
) -> SigningCertificates:
    """Return what is tested, with a source on loopback."""
    trust = SignedBy.from_pem(sns.root_pem)
    return SigningCertificates(session, trust, clock, source=source, patience=patience)


async def test_many_requests_share_one_fetch(
    session: ClientSession, sns: Signer, clock: SetClock
) -> None:
    release = asyncio.Event()

    async def slowly(_: web.BaseRequest) -> web.Response:
        await release.wait()
        return web.Response(body=sns.pem)

    async with serving(slowly) as server:
        ours = certificates(session, sns, clock, server.url)
        waiting = [asyncio.create_task(ours.key(CERTIFICATE_URL)) for _ in range(50)]
        await server.was_asked.wait()
        waiting[0].cancel()
        release.set()
        keys = await asyncio.gather(*waiting[1:])
        assert len({id(key) for key in keys}) == 1
        assert await ours.key(CERTIFICATE_URL) is keys[0]
    assert server.asked == [CERTIFICATE_PATH]
    assert waiting[0].cancelled()


async def test_a_key_is_kept_until_its_certificate_expires(
    session: ClientSession, sns: Signer, clock: SetClock
) -> None:
    async with serving(answer(sns.pem)) as server:
        ours = certificates(session, sns, clock, server.url)
        await ours.key(CERTIFICATE_URL)
        clock.move(YEAR)
        await ours.key(CERTIFICATE_URL)
        assert len(server.asked) == 1
        clock.move(timedelta(seconds=1))
        with pytest.raises(Refused, match="valid from"):
            await ours.key(CERTIFICATE_URL)
        assert len(server.asked) == 2


async def test_a_failure_is_remembered_for_seconds_only(
    session: ClientSession, sns: Signer, clock: SetClock
) -> None:
    healthy = False

    async def handler(_: web.BaseRequest) -> web.Response:
        return web.Response(body=sns.pem) if healthy else web.Response(status=500)

    assert timedelta(seconds=30) >= FAILURE_KEPT
    async with serving(handler) as server:
        ours = certificates(session, sns, clock, server.url)
        for _ in range(20):
            with pytest.raises(Unavailable, match="the answer was 500"):
                await ours.key(CERTIFICATE_URL)
        assert len(server.asked) == 1
        healthy = True
        clock.move(FAILURE_KEPT - timedelta(milliseconds=1))
        with pytest.raises(Unavailable):
            await ours.key(CERTIFICATE_URL)
        clock.move(timedelta(milliseconds=1))
        await ours.key(CERTIFICATE_URL)
        assert len(server.asked) == 2


async def test_a_clock_that_goes_back_keeps_no_failure_alive(
    session: ClientSession, sns: Signer, clock: SetClock
) -> None:
    async with serving(answer(b"", 404)) as server:
        ours = certificates(session, sns, clock, server.url)
        for _ in range(2):
            with pytest.raises(Unavailable):
                await ours.key(CERTIFICATE_URL)
            clock.move(timedelta(hours=-1))
        assert len(server.asked) == 2


async def test_redirects_are_not_followed(
    session: ClientSession, sns: Signer, clock: SetClock
) -> None:
    async def elsewhere(request: web.BaseRequest) -> web.Response:
        if request.path == CERTIFICATE_PATH:
            return web.Response(status=302, headers={"Location": "/elsewhere.pem"})
        return web.Response(body=sns.pem)

    async with serving(elsewhere) as server:
        with pytest.raises(Unavailable, match="the answer was 302"):
            await certificates(session, sns, clock, server.url).key(CERTIFICATE_URL)
    assert server.asked == [CERTIFICATE_PATH]


async def test_an_endless_answer_is_cut_off(
    session: ClientSession, sns: Signer, clock: SetClock
) -> None:
    sent = 0

    async def endless(request: web.BaseRequest) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"-" * 16_384)
            sent += 16_384

    async with serving(endless) as server:
        with pytest.raises(Unavailable, match="too large"):
            await certificates(session, sns, clock, server.url).key(CERTIFICATE_URL)
    assert sent < 100 * LARGEST


async def test_a_packed_answer_is_measured_unpacked(
    session: ClientSession, sns: Signer, clock: SetClock
) -> None:
    async def packed(_: web.BaseRequest) -> web.Response:
        response = web.Response(body=b"-" * (LARGEST * 10))
        response.enable_compression()
        return response

    async with serving(packed) as server:
        with pytest.raises(Unavailable, match="too large"):
            await certificates(session, sns, clock, server.url).key(CERTIFICATE_URL)


async def test_a_host_that_cannot_be_reached_is_named(
    session: ClientSession, sns: Signer, clock: SetClock
) -> None:
    async with serving(answer(b"")) as server:
        gone = server.url
    with pytest.raises(Unavailable, match=r"sns\.eu-west-1\.amazonaws\.com") as caught:
        await certificates(session, sns, clock, gone).key(CERTIFICATE_URL)
    assert "HTTPS" in str(caught.value)


async def test_an_answer_that_never_comes_ends_in_time(
    session: ClientSession, sns: Signer, clock: SetClock
) -> None:
    async def never(_: web.BaseRequest) -> web.Response:
        await asyncio.sleep(60)
        return web.Response()

    async with serving(never) as server, asyncio.timeout(5):
        ours = certificates(session, sns, clock, server.url, patience=0.2)
        with pytest.raises(Unavailable, match="TimeoutError"):
            await ours.key(CERTIFICATE_URL)


async def test_a_wrong_certificate_is_refused_and_not_fetched_again_at_once(
    session: ClientSession, sns: Signer, clock: SetClock
) -> None:
    stranger = signer(clock.now(), issuer="Somebody")
    async with serving(answer(sns.pem)) as server:
        ours = certificates(session, stranger, clock, server.url)
        for _ in range(3):
            with pytest.raises(Refused, match="trusted root"):
                await ours.key(CERTIFICATE_URL)
    assert len(server.asked) == 1


async def test_an_address_elsewhere_is_never_asked(
    session: ClientSession, sns: Signer, clock: SetClock
) -> None:
    async with serving(answer(sns.pem)) as server:
        ours = certificates(session, sns, clock, server.url)
        for url in (f"{server.url}/a.pem", "https://elsewhere.example/a.pem", ""):
            with pytest.raises(Refused, match="SigningCertURL"):
                await ours.key(url)
    assert server.asked == []


async def test_made_up_addresses_do_not_open_connections_without_end(
    session: ClientSession, sns: Signer, clock: SetClock
) -> None:
    release = asyncio.Event()

    async def slowly(_: web.BaseRequest) -> web.Response:
        await release.wait()
        return web.Response(status=404)

    async with serving(slowly) as server:
        ours = certificates(session, sns, clock, server.url)
        urls = [CERTIFICATE_URL.replace(".pem", f"{number}.pem") for number in range(40)]
        waiting = [asyncio.create_task(ours.key(url)) for url in urls]
        done, _ = await asyncio.wait(waiting, timeout=0.5)
        assert len(done) == 40 - 16
        release.set()
        results = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(result, Unavailable) for result in results)
    assert len(server.asked) == 16


async def test_closing_ends_what_is_being_fetched(
    session: ClientSession, sns: Signer, clock: SetClock
) -> None:
    async def never(_: web.BaseRequest) -> web.Response:
        await asyncio.sleep(60)
        return web.Response()

    async with serving(never) as server:
        ours = certificates(session, sns, clock, server.url)
        waiting = asyncio.create_task(ours.key(CERTIFICATE_URL))
        await server.was_asked.wait()
        await ours.close()
        with pytest.raises(asyncio.CancelledError):
            await waiting
