"""Events as they arrive through a topic, for the tests of what is made of them."""

from typing import Any

import orjson

from parley.events.envelope import event_from_sns, parse_sns
from parley.events.model import Event

TOPIC = "arn:aws:sns:eu-west-1:999988887777:alarms"


def arrived(payload: Any, subject: str | None = None) -> Event:
    """Return the event that a payload becomes: JSON for anything but a text, which stays text."""
    message = payload if isinstance(payload, str) else orjson.dumps(payload).decode()
    envelope = {
        "Type": "Notification",
        "MessageId": "11111111-2222-3333-4444-555555555555",
        "TopicArn": TOPIC,
        "Subject": subject,
        "Message": message,
        "Timestamp": "2024-05-20T10:04:13.000Z",
    }
    return event_from_sns(parse_sns(orjson.dumps(envelope)))
