"""The table of formatters: the first whose `matches` says yes shows the event.

To add one: a module here with `matches` and `format`, a row in the table, and a payload with its
expected message in tests/golden/events (docs/how-to/adding-a-formatter.md).
"""

from collections.abc import Callable
from dataclasses import dataclass

from parley.events.formatters import any_json, cloudwatch_alarm, custom, eventbridge, plain_text
from parley.events.model import Event, Notification


@dataclass(frozen=True, slots=True)
class Formatter:
    """A row of the table: `name` is what logs and metrics call it."""

    name: str
    matches: Callable[[Event], bool]
    format: Callable[[Event], Notification]


FORMATTERS = (
    Formatter("cloudwatch_alarm", cloudwatch_alarm.matches, cloudwatch_alarm.format),
    Formatter("custom", custom.matches, custom.format),
    Formatter("eventbridge", eventbridge.matches, eventbridge.format),
    Formatter("text", plain_text.matches, plain_text.format),
    Formatter("json", any_json.matches, any_json.format),
)
"""Special ones first; the last takes everything and never raises."""


@dataclass(frozen=True, slots=True)
class Formatted:
    """What became of an event.

    `formatter` names the one that showed it. `failure` says which others raised and how, empty
    when none did: the caller counts, logs and reports it.
    """

    notification: Notification
    formatter: str
    failure: str = ""


def format_event(event: Event, table: tuple[Formatter, ...] = FORMATTERS) -> Formatted:
    """Show an event by the first formatter that takes it; one that raises passes it on."""
    failures: list[str] = []
    for formatter in table:
        try:
            if formatter.matches(event):
                notification = formatter.format(event)
                return Formatted(notification, formatter.name, "; ".join(failures))
        except Exception as error:  # noqa: BLE001 - a broken formatter must not lose the event
            failures.append(f"{formatter.name}: {type(error).__name__}: {error}"[:500])
    return Formatted(any_json.format(event), "json", "; ".join(failures))
