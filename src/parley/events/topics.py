"""The ARN of an SNS topic, taken apart."""

import re
from dataclasses import dataclass

from parley.kernel.errors import InvalidRequest

REGION = r"[a-z]{2,4}(?:-[a-z]{2,12}){1,3}-[0-9]{1,2}"
"""How region names look: `eu-west-1`, `us-gov-west-1`, `ap-southeast-2`."""

# Names: at most 256 letters, digits, hyphens and underscores; `.fifo` ends those of FIFO topics
# and counts. (SNS API Reference, CreateTopic)
_TOPIC = re.compile(
    rf"arn:(?P<partition>aws(?:-[a-z]{{2,6}}){{0,2}}):sns:(?P<region>{REGION})"
    r":(?P<account>[0-9]{12}):(?P<name>(?=.{1,256}\Z)[A-Za-z0-9_-]+(?:\.fifo)?)"
)


@dataclass(frozen=True, slots=True)
class Topic:
    """An SNS topic. `arn` is the whole, letter for letter."""

    arn: str
    partition: str
    region: str
    account: str
    name: str

    @property
    def endpoint_host(self) -> str:
        """The host that speaks for SNS in the topic's region."""
        suffix = "amazonaws.com.cn" if self.partition == "aws-cn" else "amazonaws.com"
        return f"sns.{self.region}.{suffix}"


def parse_topic(arn: str) -> Topic:
    """Take the ARN of a topic apart. Raises `InvalidRequest`, which quotes what it was given."""
    match = _TOPIC.fullmatch(arn)
    if match is None:
        shown = ascii(arn[:120])
        raise InvalidRequest(
            f"{shown} is not the ARN of an SNS topic. One looks like"
            " arn:aws:sns:eu-west-1:123456789012:alarms."
        )
    return Topic(arn=arn, **match.groupdict())
