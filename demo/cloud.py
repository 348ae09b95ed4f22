"""The AWS of the demo: an emulator on loopback, and what is built and done in it."""

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import boto3
from botocore.config import Config

from demo.programs import DemoFailed, Program, free_port, running

ACCOUNT = "123456789012"
REGION = "eu-central-1"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:ops-alerts"
ALARM = "checkout-api-p99-latency"
MACHINE = "nightly-invoice-export"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/{MACHINE}"

_NOBODY = {"aws_access_key_id": "demo", "aws_secret_access_key": "demo"}
_EMULATOR = Path(__file__).parents[1] / ".venv-ministack/bin/ministack"
_STARTS_WITHIN = 30.0  # seconds
_OK = 200


@contextlib.asynccontextmanager
async def emulator(folder: Path) -> AsyncIterator[tuple[Program, str]]:
    """Run the emulator; yield it and its address."""
    if not _EMULATOR.exists():
        raise DemoFailed("The AWS emulator is not installed: `make demo` does that first.")
    port = free_port()
    settings = {
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "MINISTACK_REGION": REGION,
        # It looks for containers of its own to remove; the user's Docker is none of its business.
        "DOCKER_HOST": f"unix://{folder}/no-docker",
    }
    url = f"http://127.0.0.1:{port}"
    async with running("ministack", [_EMULATOR], folder, settings) as program:
        await _answers(program, f"{url}/_ministack/health")
        yield program, url


async def _answers(program: Program, url: str) -> None:
    end = asyncio.get_running_loop().time() + _STARTS_WITHIN
    async with aiohttp.ClientSession() as session:
        while asyncio.get_running_loop().time() < end:
            program.check()
            with contextlib.suppress(aiohttp.ClientError):
                async with session.get(url) as answer:
                    if answer.status == _OK:
                        return
            await asyncio.sleep(0.05)
    raise DemoFailed(f"The AWS emulator did not answer within {_STARTS_WITHIN:.0f} s.")


def forget_users_aws() -> None:
    """Make sure that no profile, credentials or endpoint of the user's can be taken up."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ |= {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


@dataclass(frozen=True, slots=True)
class Cloud:
    """What the demo does in AWS. Each call blocks until AWS has answered."""

    clients: dict[str, Any]

    @classmethod
    def at(cls, endpoint: str) -> "Cloud":
        """Return the clients for an emulator at this address, with credentials of no account."""
        session = boto3.Session(**_NOBODY, region_name=REGION)
        config = Config(proxies={}, retries={"max_attempts": 1}, connect_timeout=5, read_timeout=10)
        names = ("sns", "cloudwatch", "events", "stepfunctions")
        return cls(
            {name: session.client(name, endpoint_url=endpoint, config=config) for name in names}
        )

    def build(self) -> None:
        """Make the topic, the alarm, two rules and a state machine that fails."""
        topic = self.clients["sns"].create_topic(Name=TOPIC.rpartition(":")[2])["TopicArn"]
        if topic != TOPIC:
            raise DemoFailed(f"The emulator calls the topic {topic}, not {TOPIC}.")
        self.clients["cloudwatch"].put_metric_alarm(
            AlarmName=ALARM,
            AlarmDescription="Customers wait at the till. Runbook: look at the database first.",
            Namespace="Shop",
            MetricName="Latency",
            Dimensions=[{"Name": "Service", "Value": "checkout-api"}],
            ExtendedStatistic="p99",
            Unit="Milliseconds",
            Period=60,
            EvaluationPeriods=3,
            Threshold=800.0,
            ComparisonOperator="GreaterThanThreshold",
            AlarmActions=[TOPIC],
            OKActions=[TOPIC],
        )
        self._rule("shop-events-to-chat", {"source": ["com.example.shop"]})
        self._rule(
            "failed-executions-to-chat",
            {
                "source": ["aws.states"],
                "detail-type": ["Step Functions Execution Status Change"],
                "detail": {"status": ["FAILED", "TIMED_OUT", "ABORTED"]},
            },
        )
        definition = {
            "StartAt": "WriteInvoices",
            "States": {
                "WriteInvoices": {
                    "Type": "Fail",
                    "Error": "InvoiceStore.Timeout",
                    "Cause": "The invoice store did not answer within 30 s.",
                }
            },
        }
        self.clients["stepfunctions"].create_state_machine(
            name=MACHINE, definition=json.dumps(definition), roleArn=ROLE
        )

    def _rule(self, name: str, pattern: dict[str, Any]) -> None:
        self.clients["events"].put_rule(Name=name, EventPattern=json.dumps(pattern))
        self.clients["events"].put_targets(Rule=name, Targets=[{"Id": "chat", "Arn": TOPIC}])

    def subscribe(self, endpoint: str) -> None:
        """Subscribe an HTTP endpoint; SNS then asks it to confirm."""
        self.clients["sns"].subscribe(TopicArn=TOPIC, Protocol="http", Endpoint=endpoint)

    def confirmed(self) -> bool:
        """Return whether the subscription has been confirmed."""
        listed = self.clients["sns"].list_subscriptions_by_topic(TopicArn=TOPIC)["Subscriptions"]
        return any(one["SubscriptionArn"].startswith(f"{TOPIC}:") for one in listed) and (
            self.clients["sns"].get_topic_attributes(TopicArn=TOPIC)["Attributes"][
                "SubscriptionsConfirmed"
            ]
            == "1"
        )

    def set_alarm(self, state: str, reason: str) -> None:
        """Change the alarm's state."""
        self.clients["cloudwatch"].set_alarm_state(
            AlarmName=ALARM, StateValue=state, StateReason=reason
        )

    def publish(self, message: dict[str, Any]) -> None:
        """Publish JSON to the topic."""
        self.clients["sns"].publish(TopicArn=TOPIC, Message=json.dumps(message))

    def put_event(self, source: str, kind: str, detail: dict[str, Any]) -> None:
        """Put an event on the default bus; a rule carries it to the topic."""
        entry = {"Source": source, "DetailType": kind, "Detail": json.dumps(detail)}
        answer = self.clients["events"].put_events(Entries=[entry])
        if answer["FailedEntryCount"]:
            raise DemoFailed(f"EventBridge refused the event: {answer['Entries']}")

    def run_machine(self, name: str) -> None:
        """Start an execution; it fails, and Step Functions says so on the bus."""
        self.clients["stepfunctions"].start_execution(
            stateMachineArn=f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{MACHINE}",
            name=name,
            input=json.dumps({"day": f"{datetime.now(UTC):%Y-%m-%d}"}),
        )
