"""Who really sent a request that comes from this machine: a program, a proxy or a browser."""

import re
from collections.abc import Iterable

_PROXY = re.compile(
    r"forwarded|via|x-forwarded-.*|x-real-ip|x-original-.*|x-envoy-.*|x-client-ip"
    r"|x-cluster-client-ip|true-client-ip|cf-connecting-ip|x-amzn-trace-id"
)
_BROWSER = re.compile(r"origin|referer|sec-fetch-.*")


def mark_of_a_proxy(headers: Iterable[str], http_version: str) -> str:
    """Return what shows that a proxy passes on what somebody else sent, empty when nothing does.

    `headers` are names in lower case. nginx adds none unless it is told to, and even writes a
    loopback name as Host; but without being told it also speaks HTTP/1.0, as programs no longer do.
    """
    if http_version == "1.0":
        return "HTTP/1.0"
    return _first(_PROXY, headers)


def mark_of_a_browser(headers: Iterable[str]) -> str:
    """Return what shows that a page in a browser sent this, empty when nothing does."""
    return _first(_BROWSER, headers)


def _first(pattern: re.Pattern[str], headers: Iterable[str]) -> str:
    found = min((name for name in headers if pattern.fullmatch(name)), default="")
    return f"header {found[:40]}" if found else ""
