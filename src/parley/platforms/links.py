"""Links that show where they lead: which addresses may be linked, and which words may hide one."""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import quote, urlsplit

WEB = ("http", "https")
"""The schemes that every platform may link to."""

# Browsers read a backslash as a slash, so that the host they open is not the one that is read.
_FORBIDDEN = re.compile(r"[\\\x00-\x1f\x7f]")
_TO_QUOTE = re.compile(r"[\s<>\"|`{}^]")
# What browsers take for a dot, and letters and digits of other scripts that look like one.
_LIKE_A_DOT = "\u3002\uff0e\uff61\u0660\u06f0\u0701\u0702\ua4f8\ua60e\U00010a50"
_DOTS = dict.fromkeys(map(ord, _LIKE_A_DOT), ".")
_MARKS = dict.fromkeys(map(ord, "*_~`\\"))
_UNSEEN = frozenset({"Cc", "Cf", "Mc", "Me", "Mn", "Zl", "Zp"})
"""Categories of characters that take no place of their own and part no words for a reader."""
_LABELS_OF_AN_IP = 4
_WRITTEN_OUT = re.compile(r"://([^\s/?#]*)\S*")
_DOTTED = re.compile(r"[\w.-]+")


@lru_cache(maxsize=2048)
def safe_url(url: str, schemes: tuple[str, ...] = WEB, limit: int = 3000) -> str:
    """Return an address that may be linked, its odd characters quoted; empty when it may not.

    Refused are other schemes, addresses without a host or with a user name (`bank.com@evil.com`),
    and those longer than `limit` characters (a part of an address leads elsewhere).
    """
    if _FORBIDDEN.search(url):
        return ""
    quoted = _TO_QUOTE.sub(lambda found: quote(found[0], safe="", errors="replace"), url)
    try:
        parts = urlsplit(quoted)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return ""
    if len(quoted) > limit or parts.scheme.lower() not in schemes:
        return ""
    if parts.scheme.lower() == "mailto":
        return quoted if "@" in parts.path and not parts.netloc else ""
    return quoted if host and "@" not in parts.netloc else ""


def host_of(url: str) -> str:
    """Return where an address leads, as readers know it: the host, or the mailbox."""
    parts = urlsplit(url)
    return parts.path if parts.scheme.lower() == "mailto" else (parts.hostname or "")


def masks(label: str, url: str) -> bool:
    """Whether the words of a link name another place than the one it leads to."""
    if label.isascii() and "." not in label and "://" not in label:
        return False  # nearly every label: no host and no mailbox is without a dot
    if url.lower().startswith("mailto:"):
        return label.strip().casefold() != host_of(url).casefold() and any(_hosts_named(label))
    target = _bare(host_of(url))
    # Marks of bold or code vanish when the label is shown: it is read with and without them.
    readings = (label, label.translate(_MARKS))
    return any(_bare(one) != target for reading in readings for one in _hosts_named(reading))


def _hosts_named(label: str) -> Iterator[str]:
    """Yield the hosts that a reader would see in the words, whatever they are written with."""
    seen = unicodedata.normalize("NFKC", label).translate(_DOTS).casefold()
    if not (seen.isascii() and seen.isprintable()):
        # They hide a host from this search, but not from a reader.
        seen = "".join(one for one in seen if one in "\n\t" or not _is_unseen(one))
    yield from _WRITTEN_OUT.findall(seen)
    for word in _DOTTED.findall(_WRITTEN_OUT.sub(" ", seen)):
        if _looks_like_a_host(word.strip(".-")):
            yield word.strip(".-")


def _is_unseen(character: str) -> bool:
    return unicodedata.category(character) in _UNSEEN


def _looks_like_a_host(word: str) -> bool:
    labels = word.split(".")
    if any(len(one) > 1 and (one.isalpha() or one.startswith("xn--")) for one in labels[1:]):
        return True
    return len(labels) == _LABELS_OF_AN_IP and all(one.isdecimal() for one in labels)


def _bare(host: str) -> str:
    host = host.casefold().partition(":")[0].rstrip(".")
    return host.removeprefix("www.")
