"""Which colour a word deserves."""

import re

from parley.kernel.messages import Tone

_BAD = (
    "fail",
    "error",
    "abort",
    "timed out",
    "timeout",
    "crash",
    "fatal",
    "critical",
    "high",
    "denied",
    "rejected",
    "unhealthy",
    "impaired",
    "alarm",
    "rollback",
    "rolled back",
    "non compliant",
    "noncompliant",
    "violation",
    "compromised",
    "unavailable",
    "outage",
    "down",
)
_WARN = (
    "warn",
    "stop",
    "terminat",
    "cancel",
    "abandon",
    "delet",
    "degraded",
    "partial",
    "expir",
    "retir",
    "throttl",
    "insufficient",
    "medium",
    "yellow",
    "issue",
    "scheduled change",
    "shutting",
    "interrupt",
    "superseded",
    "disabled",
)
_GOOD = (
    "succe",
    "complete",
    "ok",
    "healthy",
    "running",
    "passed",
    "resolved",
    "compliant",
    "available",
    "approved",
    "recovered",
    "steady",
    "ready",
)
_EXACT = frozenset({"ok", "down", "high", "issue", "ready"})
"""Words too short to be looked for inside others (`token`, `download`, `highlight`)."""

_BREAKS = re.compile(r"(?<=[a-z])(?=[A-Z])|[^A-Za-z0-9]+")


def _alternatives(words: tuple[str, ...]) -> re.Pattern[str]:
    parts = (rf"\b{word}\b" if word in _EXACT else rf"\b{word}" for word in words)
    return re.compile("|".join(parts))


_JUDGEMENTS = (
    (Tone.BAD, _alternatives(_BAD)),
    (Tone.WARN, _alternatives(_WARN)),
    (Tone.GOOD, _alternatives(_GOOD)),
)
_LONGEST = 200


def words_of(name: str) -> str:
    """Return `TIMED_OUT`, `timedOut` and `timed-out` as `timed out`."""
    return " ".join(_BREAKS.sub(" ", name[:_LONGEST]).split()).lower()


def tone_of(text: str) -> Tone | None:
    """Return the colour of a word or short phrase, nothing if it says neither good nor bad."""
    words = words_of(text)
    return next((tone for tone, pattern in _JUDGEMENTS if pattern.search(words)), None)
