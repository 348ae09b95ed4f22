"""The CloudFormation template, created in an emulator: what the topic says stands in the queue."""

import asyncio
import json
import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from demo.cloud import ACCOUNT, REGION, emulator
from tests import installed

TEMPLATE = Path(__file__).parents[2] / "deploy/cloudformation/topic-to-queue.yaml"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:ops-alerts"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0d8b2f5e-7c1a-4f0e-9a3b-5b8f4e2d6c17"


class Aws:
    """Clients of the emulator at one address."""

    def __init__(self, url: str) -> None:
        """Take the address."""
        nobody = {"aws_access_key_id": "demo", "aws_secret_access_key": "demo"}
        session = boto3.Session(**nobody, region_name=REGION)
        config = Config(proxies={}, retries={"max_attempts": 1})
        client: Callable[[str], Any] = partial(session.client, endpoint_url=url, config=config)
        self.cloudformation, self.iam = client("cloudformation"), client("iam")
        self.sns, self.sqs = client("sns"), client("sqs")

    def stack(self, name: str, **parameters: str) -> dict[str, str]:
        """Create the template's stack; return its outputs."""
        self.cloudformation.create_stack(
            StackName=name,
            TemplateBody=TEMPLATE.read_text("utf-8"),
            Capabilities=["CAPABILITY_IAM"],
            Parameters=[
                {"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()
            ],
        )
        self.cloudformation.get_waiter("stack_create_complete").wait(
            StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 20}
        )
        stack = self.cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        assert stack["StackStatus"] == "CREATE_COMPLETE"
        return {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}


@pytest.fixture
def aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    """Yield an emulator that lives as long as the test."""
    installed.emulator("ministack")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    with asyncio.Runner() as runner:
        running = emulator(tmp_path)
        _, url = runner.run(running.__aenter__())
        try:
            yield Aws(url)
        finally:
            runner.run(running.__aexit__(None, None, None))


def test_what_the_topic_says_waits_in_the_queue(aws: Aws) -> None:
    aws.sns.create_topic(Name="ops-alerts")
    outputs = aws.stack("parley", TopicArn=TOPIC)

    sent = aws.sns.publish(TopicArn=TOPIC, Message="the till is slow")["MessageId"]
    got = aws.sqs.receive_message(QueueUrl=outputs["QueueUrl"], WaitTimeSeconds=5)["Messages"]

    envelope = json.loads(got[0]["Body"])
    assert (envelope["TopicArn"], envelope["MessageId"]) == (TOPIC, sent)
    assert envelope["Message"] == "the till is slow"


def test_only_the_topic_may_send_and_what_fails_is_kept(aws: Aws) -> None:
    aws.sns.create_topic(Name="ops-alerts")
    outputs = aws.stack("parley", TopicArn=TOPIC)

    attributes = aws.sqs.get_queue_attributes(QueueUrl=outputs["QueueUrl"], AttributeNames=["All"])[
        "Attributes"
    ]
    statements = json.loads(attributes["Policy"])["Statement"]
    assert [(one["Principal"], one["Condition"]) for one in statements] == [
        ({"Service": "sns.amazonaws.com"}, {"ArnEquals": {"aws:SourceArn": TOPIC}})
    ]
    redrive = json.loads(attributes["RedrivePolicy"])
    assert (
        redrive["deadLetterTargetArn"].split(":")[-1]
        == outputs["DeadLetterQueueUrl"].split("/")[-1]
    )
    assert attributes["MessageRetentionPeriod"] == str(14 * 24 * 3600)


def test_the_read_policy_covers_what_parley_asks_of_a_queue(aws: Aws) -> None:
    aws.sns.create_topic(Name="ops-alerts")
    trusted = f"arn:aws:iam::{ACCOUNT}:role/gateway"
    outputs = aws.stack("parley", TopicArn=TOPIC, KmsKeyArn=KEY, TrustedPrincipalArn=trusted)

    arn = outputs["ReadPolicyArn"]
    version = aws.iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    document = aws.iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"][
        "Document"
    ]
    read, decrypt = document["Statement"]
    assert set(read["Action"]) == {
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "sqs:ChangeMessageVisibility",
        "sqs:GetQueueAttributes",
    }
    assert read["Resource"] == outputs["QueueArn"]
    assert (decrypt["Action"], decrypt["Resource"]) == ("kms:Decrypt", KEY)
    role = outputs["ReadRoleArn"].split("/")[-1]
    attached = aws.iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    assert [one["PolicyArn"] for one in attached] == [arn]
