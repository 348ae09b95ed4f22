"""How Parley is watched: its log, its metrics, and the clock that both are written by."""

import contextlib
import io
import logging
import sys
from datetime import UTC, datetime
from typing import Any, TextIO, cast

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from parley.kernel.errors import ParleyError

_LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600)


class SystemClock:
    """The wall clock. See `parley.kernel.ports.clock.Clock`."""

    def now(self) -> datetime:
        """See `Clock.now`."""
        return datetime.now(UTC)


class _Patient(io.TextIOBase):
    """A stream that loses lines rather than raise: on a full disk Parley must go on working."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError, ValueError):
            return self._stream.write(text)
        return 0

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._stream.flush()


def start_log(level: str, form: str) -> None:
    """Write the log to standard error, as lines for people or as JSON for machines."""
    renderers: list[Any] = [
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(),
    ]
    if form == "text":
        # A plain traceback: others show the values of variables, and so secrets.
        plain = structlog.dev.plain_traceback
        colors = sys.stderr.isatty()
        renderers = [structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=plain)]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *renderers,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", _Patient(sys.stderr))),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=max(_LEVELS[level], logging.WARNING), stream=sys.stderr)


log = structlog.get_logger()
"""The log of every layer that may speak: `log.warning("what_happened", key=value)`."""


def log_failure(what: str, error: Exception, **facts: str) -> None:
    """Write what failed: our own errors in a line, others with the place where they came from."""
    unknown = None if isinstance(error, ParleyError) else error
    log.error(what, error=str(error), exc_info=unknown, **facts)


class Metrics:
    """What is counted, by configuration; names are those of AWS Chatbot where it has one."""

    def __init__(self) -> None:
        """Start every count at nothing."""
        self._registry = CollectorRegistry()
        self.events_processed = self._counter(
            "EventsProcessed", "Events that were accepted and stored."
        )
        self.events_throttled = self._counter(
            "EventsThrottled",
            "Deliveries that waited because the chat platform asked for it, and events that a "
            "digest shows because the channel could not have carried them.",
        )
        self.unsupported_events = self._counter(
            "UnsupportedEvents", "Events shown by the catch-all for unknown JSON or plain text."
        )
        self.delivery_success = self._counter(
            "MessageDeliverySuccess",
            "Messages, edits and replies that the platform took, and events that a digest shows.",
        )
        self.delivery_failure = self._counter(
            "MessageDeliveryFailure", "Calls that the platform did not take.", "reason"
        )
        self.formatter_failures = Counter(
            "parley_formatter_failures",
            "Events whose own formatter failed; they were shown by the general one.",
            ["formatter"],
            registry=self._registry,
        )
        self.refused = Counter(
            "parley_ingest_refused",
            "Messages that were not accepted, by the error's code.",
            ["code"],
            registry=self._registry,
        )
        self.duplicates = Counter(
            "parley_duplicates",
            "Messages that had arrived before.",
            registry=self._registry,
        )
        self.ingest_seconds = Histogram(
            "parley_ingest_seconds",
            "From the body's last byte to the answer, which stored messages get after the commit.",
            buckets=_SECONDS,
            registry=self._registry,
        )
        self.delivery_seconds = Histogram(
            "parley_delivery_seconds",
            "From the commit of the event to the platform's answer.",
            ["platform"],
            buckets=_SECONDS,
            registry=self._registry,
        )
        self.backlog = Gauge("parley_backlog", "Deliveries that wait.", registry=self._registry)

    def render(self) -> bytes:
        """Return everything in Prometheus's text format."""
        return generate_latest(self._registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, ["ConfigurationName", *labels], registry=self._registry)
