"""Each payload in tests/golden/events becomes exactly the message beside it.

After a wanted change write the messages anew and read the difference:

    PARLEY_WRITE_GOLDEN=1 .venv/bin/pytest tests/unit/events/test_golden.py
"""

import os
from pathlib import Path

import orjson
import pytest

from parley.events.formatters import Formatted, format_event
from parley.kernel.message_json import from_json, to_json
from tests.unit.events.arriving import arrived

FOLDER = Path(__file__).parents[2] / "golden" / "events"
EXPECTED = ".message.json"
PAYLOADS = sorted(
    path
    for path in FOLDER.iterdir()
    if path.suffix in {".json", ".txt"} and not path.name.endswith(EXPECTED)
)


def shown(formatted: Formatted) -> bytes:
    notification = formatted.notification
    content = {
        "formatter": formatted.formatter,
        "recognised": notification.recognised,
        "message": orjson.loads(to_json(notification.message)),
        "thread": notification.thread,
        "resources": notification.resources,
        "variables": notification.variables,
    }
    return orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda path: path.stem)
def test_a_payload_becomes_the_message_beside_it(payload: Path) -> None:
    formatted = format_event(arrived(payload.read_text(encoding="utf-8")))

    expected = payload.with_name(payload.stem + EXPECTED)
    if os.environ.get("PARLEY_WRITE_GOLDEN"):
        expected.write_bytes(shown(formatted))
    assert not formatted.failure
    assert shown(formatted).decode() == expected.read_text(encoding="utf-8")
    message = formatted.notification.message
    assert from_json(to_json(message)) == message


def test_every_message_has_its_payload() -> None:
    stems = {path.stem for path in PAYLOADS}

    assert {path.name.removesuffix(EXPECTED) for path in FOLDER.glob(f"*{EXPECTED}")} == stems
