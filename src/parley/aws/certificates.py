"""Signing certificates of SNS, fetched once and kept until they expire."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar
from urllib.parse import urlsplit

from aiohttp import ClientError, ClientSession, ClientTimeout

from parley.aws.limits import read_at_most
from parley.events.signature import (
    CertificateUrl,
    SigningKey,
    Trust,
    check_certificate_url,
    read_key,
)
from parley.kernel.errors import ParleyError, Refused, Unavailable
from parley.kernel.ports.clock import Clock

LARGEST = 64 * 1024
"""Bytes of a certificate's file."""

FAILURE_KEPT = timedelta(seconds=10)
"""How long a failure is remembered. SNS tries again after 20 seconds and should then find out."""

_Entry = TypeVar("_Entry")

_PATIENCE = 5.0
_MOST_KEYS = 64
_MOST_FAILURES = 256
_MOST_FETCHES = 16


@dataclass(frozen=True, slots=True)
class _Failure:
    error: ParleyError
    at: datetime


class SigningCertificates:
    """Keys by the address of their certificate.

    Requests for one address share one fetch, and few fetches run at once: the address is chosen by
    whoever sends a message. `source` is a base URL on loopback that stands in for the scheme and
    host of every address, for tests and measurements; addresses are checked all the same.
    `patience` is how many seconds a certificate may take to arrive.
    """

    def __init__(
        self,
        session: ClientSession,
        trust: Trust,
        clock: Clock,
        *,
        source: str = "",
        patience: float = _PATIENCE,
    ) -> None:
        self._timeout = ClientTimeout(total=patience)
        self._session = session
        self._trust = trust
        self._clock = clock
        self._source = source.rstrip("/")
        self._keys: OrderedDict[str, SigningKey] = OrderedDict()
        self._failures: OrderedDict[str, _Failure] = OrderedDict()
        self._fetches: dict[str, asyncio.Task[SigningKey | ParleyError]] = {}

    async def key(self, url: str) -> SigningKey:
        """Return the key of the certificate at a `SigningCertURL`.

        Raises `Refused` when address or certificate are not those of SNS, `Unavailable` when the
        certificate cannot be had now.
        """
        now = self._clock.now()
        key = self._keys.get(url)
        if key is not None and now <= key.expires_at:
            self._keys.move_to_end(url)
            return key
        checked = check_certificate_url(url)
        failure = self._failures.get(url)
        if failure is not None and timedelta() <= now - failure.at < FAILURE_KEPT:
            raise _again(failure.error)
        # One who hangs up must not take the fetch away from the others.
        result = await asyncio.shield(self._fetch(checked))
        if isinstance(result, ParleyError):
            raise _again(result)
        return result

    async def close(self) -> None:
        """End what is being fetched."""
        fetches = list(self._fetches.values())
        for fetch in fetches:
            fetch.cancel()
        await asyncio.gather(*fetches, return_exceptions=True)

    def _fetch(self, url: CertificateUrl) -> asyncio.Task[SigningKey | ParleyError]:
        running = self._fetches.get(url.url)
        if running is not None:
            return running
        if len(self._fetches) >= _MOST_FETCHES:
            raise Unavailable("Too many signing certificates are being fetched at the moment.")
        task = asyncio.create_task(self._learn(url), name=f"certificate {url.url}")
        self._fetches[url.url] = task
        return task

    async def _learn(self, url: CertificateUrl) -> SigningKey | ParleyError:
        try:
            pem = await self._download(url)
            key = read_key(pem, url, self._trust, self._clock.now())
        except (Refused, Unavailable) as error:
            self._failures[url.url] = _Failure(error, self._clock.now())
            _drop_oldest(self._failures, _MOST_FAILURES)
            return error
        finally:
            del self._fetches[url.url]
        self._keys[url.url] = key
        self._failures.pop(url.url, None)
        _drop_oldest(self._keys, _MOST_KEYS)
        return key

    async def _download(self, url: CertificateUrl) -> bytes:
        address = self._source + urlsplit(url.url).path if self._source else url.url
        try:
            async with self._session.get(
                address, allow_redirects=False, timeout=self._timeout
            ) as response:
                if response.status != 200:  # noqa: PLR2004 - the one good answer
                    raise Unavailable(
                        f"The signing certificate {url.url} cannot be fetched: the answer was"
                        f" {response.status}."
                    )
                pem = await read_at_most(response, LARGEST)
        except (ClientError, OSError, TimeoutError) as error:
            raise Unavailable(
                f"The signing certificate {url.url} cannot be fetched"
                f" ({type(error).__name__}). Parley needs to reach that host over HTTPS."
            ) from error
        if pem is None:
            raise Unavailable(f"What {url.url} holds is too large for a certificate.")
        return pem


def _drop_oldest(entries: OrderedDict[str, _Entry], most: int) -> None:
    while len(entries) > most:
        entries.popitem(last=False)


def _again(error: ParleyError) -> ParleyError:
    """Return a fresh copy, so that a remembered error does not collect the traces of all."""
    return type(error)(str(error))
