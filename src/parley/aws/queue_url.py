"""The URL of an SQS queue, taken apart."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from parley.events.topics import REGION
from parley.kernel.errors import InvalidRequest

# Plain, FIPS and dual-stack endpoints, those of a VPC, and the oldest form. (Amazon SQS
# endpoints, AWS General Reference)
_HOST = re.compile(
    rf"sqs(?:-fips)?\.(?P<plain>{REGION})\.(?:amazonaws\.com(?:\.cn)?|api\.aws)"
    rf"|vpce-[a-z0-9-]+\.sqs\.(?P<vpc>{REGION})\.vpce\.amazonaws\.com"
    rf"|(?P<old>{REGION})\.queue\.amazonaws\.com"
)
_PATH = re.compile(
    rf"(?:/queue/(?P<region>{REGION}))?/(?P<account>[0-9]{{12}})/(?P<name>[A-Za-z0-9_-]+(?:\.fifo)?)"
)


@dataclass(frozen=True, slots=True)
class QueueUrl:
    """A queue: where it is asked, and what its messages are named by."""

    url: str
    endpoint: str
    region: str
    arn: str


def parse_queue_url(url: str, *, endpoint: str = "", region: str = "") -> QueueUrl:
    """Take a queue's URL apart.

    `endpoint` is asked instead of the URL's host, which may then be any (emulators); `region` is
    what a URL without one means. Raises `InvalidRequest`.
    """
    parts = urlsplit(url)
    path = _PATH.fullmatch(parts.path)
    host = _HOST.fullmatch(parts.netloc)
    if path is None or parts.query or parts.fragment or not (endpoint or _is_aws(url, host)):
        raise InvalidRequest(
            f"{url[:200]!a} is not the URL of an SQS queue, which is like"
            " https://sqs.eu-west-1.amazonaws.com/123456789012/parley. (A queue of an emulator"
            " needs aws.endpoint_url in the settings.)"
        )
    named = host and (host["plain"] or host["vpc"] or host["old"])
    place = named or path["region"] or region or "us-east-1"
    partition = "aws-cn" if place.startswith("cn-") else "aws"
    partition = "aws-us-gov" if place.startswith("us-gov-") else partition
    return QueueUrl(
        url=url,
        endpoint=endpoint.rstrip("/") or f"https://{parts.netloc}",
        region=place,
        arn=f"arn:{partition}:sqs:{place}:{path['account']}:{path['name']}",
    )


def _is_aws(url: str, host: re.Match[str] | None) -> bool:
    return host is not None and url.startswith("https://")
