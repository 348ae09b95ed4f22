"""What happens in the AWS of the demo, and what has to stand in chat then."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from demo.cloud import ACCOUNT, ALARM, MACHINE, REGION, Cloud

INSTANCE = "i-0c2f9d41b7a8e6035"
ORDER = "SO-204817"
RELEASE = "checkout-api 2.41.0"


class How(Enum):
    """How something appears in a room."""

    POSTED = "new message"
    EDITED = "changed in place"
    REPLIED = "reply in thread"


@dataclass(frozen=True, slots=True)
class Expected:
    """A message that holds `words`, of a tone ("" for any), appearing in one way.

    An edit and a reply belong to the message that was posted with the same words.
    """

    words: str
    how: How = How.POSTED
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happens in AWS. `act` does it, and returns as soon as AWS has answered."""

    text: str
    act: Callable[[Cloud], None]
    expected: Sequence[Expected]


def happenings() -> list[Happening]:
    """Return what happens, in order."""
    execution = f"export-{uuid.uuid4().hex[:8]}"
    return [
        Happening(
            f"the alarm {ALARM} goes to ALARM",
            lambda cloud: cloud.set_alarm("ALARM", _crossed("1240.0, 1103.5, 986.2", "greater")),
            [Expected(ALARM, tone="bad")],
        ),
        Happening(
            "the alarm goes back to OK",
            lambda cloud: cloud.set_alarm("OK", _crossed("412.7", "not greater")),
            [Expected(ALARM, How.EDITED, "good"), Expected(ALARM, How.REPLIED, "good")],
        ),
        Happening(
            "a pipeline publishes a custom notification",
            lambda cloud: cloud.publish(_custom()),
            [Expected(RELEASE)],
        ),
        Happening(
            "the shop puts an event of its own on EventBridge",
            lambda cloud: cloud.put_event("com.example.shop", "Order Stuck", _order()),
            [Expected(ORDER)],
        ),
        Happening(
            f"an execution of {MACHINE} fails in Step Functions",
            lambda cloud: cloud.run_machine(execution),
            [Expected(execution)],
        ),
        Happening(
            "EventBridge delivers an EC2 state change",
            lambda cloud: cloud.publish(_instance_stopped()),
            [Expected(INSTANCE)],
        ),
    ]


def _crossed(values: str, relation: str) -> str:
    """Return the reason that CloudWatch writes for so many of three datapoints."""
    now = f"{datetime.now(UTC):%d/%m/%y %H:%M:00}"
    latest, *earlier = values.split(", ")
    listed = ", ".join([f"{latest} ({now})", *earlier])
    count = len(earlier) + 1
    points = "datapoint" if count == 1 else "datapoints"
    were = "was" if count == 1 else "were"
    return (
        f"Threshold Crossed: {count} out of the last 3 {points} [{listed}] {were} {relation} than "
        f"the threshold (800.0)."
    )


def _custom() -> dict[str, Any]:
    return {
        "version": "1.0",
        "source": "custom",
        "id": str(uuid.uuid4()),
        "content": {
            "textType": "client-markdown",
            "title": f"{RELEASE} is live in production",
            "description": ":rocket: *12 of 12* tasks replaced in 4 min 10 s. No errors so far.",
            "nextSteps": [
                "Watch the p99 latency for ten minutes",
                "Roll back with `deploy --to 2.40.3` if it rises above 800 ms",
            ],
            "keywords": ["checkout-api", "production"],
        },
        "metadata": {
            "threadId": "checkout-api-2.41.0",
            "summary": "Deployment finished",
            "eventType": "deployment",
            "relatedResources": [f"arn:aws:ecs:{REGION}:{ACCOUNT}:service/shop/checkout-api"],
        },
    }


def _order() -> dict[str, Any]:
    return {
        "orderId": ORDER,
        "state": "payment-pending",
        "minutesWaiting": 35,
        "amount": {"value": 129.9, "currency": "EUR"},
        "reason": "The payment provider has not called back.",
    }


def _instance_stopped() -> dict[str, Any]:
    """Return the event as the emulator's EventBridge would deliver it, if it took aws.* sources."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "EC2 Instance State-change Notification",
        "source": "aws.ec2",
        "account": ACCOUNT,
        "time": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "region": REGION,
        "resources": [f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/{INSTANCE}"],
        "detail": {"instance-id": INSTANCE, "state": "stopped"},
    }
