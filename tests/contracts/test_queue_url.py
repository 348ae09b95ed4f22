"""URLs of queues name a region and an account, and only AWS is asked unless the settings say so."""

import subprocess
import sys

import pytest

from parley.aws.queue_url import parse_queue_url
from parley.kernel.errors import InvalidRequest


@pytest.mark.parametrize(
    "url,region,arn",
    [
        (
            "https://sqs.eu-west-1.amazonaws.com/123456789012/parley",
            "eu-west-1",
            "arn:aws:sqs:eu-west-1:123456789012:parley",
        ),
        (
            "https://sqs.cn-north-1.amazonaws.com.cn/123456789012/parley",
            "cn-north-1",
            "arn:aws-cn:sqs:cn-north-1:123456789012:parley",
        ),
        (
            "https://sqs-fips.us-gov-west-1.amazonaws.com/123456789012/parley.fifo",
            "us-gov-west-1",
            "arn:aws-us-gov:sqs:us-gov-west-1:123456789012:parley.fifo",
        ),
        (
            "https://vpce-0a1b-2c3d.sqs.eu-west-1.vpce.amazonaws.com/123456789012/parley",
            "eu-west-1",
            "arn:aws:sqs:eu-west-1:123456789012:parley",
        ),
        (
            "https://eu-west-1.queue.amazonaws.com/123456789012/parley",
            "eu-west-1",
            "arn:aws:sqs:eu-west-1:123456789012:parley",
        ),
    ],
)
def test_urls_of_aws(url: str, region: str, arn: str) -> None:
    queue = parse_queue_url(url, region="ap-south-1")
    assert (queue.url, queue.region, queue.arn) == (url, region, arn)
    assert queue.endpoint == url.partition("/123456789012")[0]


def test_an_emulator_may_be_anywhere() -> None:
    queue = parse_queue_url(
        "http://127.0.0.1:4566/000000000000/parley",
        endpoint="http://127.0.0.1:4566/",
        region="eu-west-1",
    )
    assert queue.endpoint == "http://127.0.0.1:4566"
    assert queue.arn == "arn:aws:sqs:eu-west-1:000000000000:parley"
    queue = parse_queue_url(
        "http://localhost:4566/queue/eu-west-3/000000000000/parley", endpoint="http://localhost"
    )
    assert queue.region == "eu-west-3"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "parley",
        "arn:aws:sqs:eu-west-1:123456789012:parley",
        "http://sqs.eu-west-1.amazonaws.com/123456789012/parley",
        "https://sqs.eu-west-1.amazonaws.com/parley",
        "https://sqs.eu-west-1.amazonaws.com/123456789012/parley/more",
        "https://sqs.eu-west-1.amazonaws.com/123456789012/parley?x=1",
        "https://sqs.eu-west-1.amazonaws.com:444/123456789012/parley",
        "https://user@sqs.eu-west-1.amazonaws.com/123456789012/parley",
        "https://sqs.eu-west-1.amazonaws.com.elsewhere.example/123456789012/parley",
        "https://elsewhere.example/123456789012/parley",
        "http://127.0.0.1:4566/123456789012/parley",
        "http://169.254.169.254/123456789012/parley",
    ],
)
def test_anything_else_is_refused_with_the_way_out(url: str) -> None:
    with pytest.raises(InvalidRequest, match=r"aws\.endpoint_url"):
        parse_queue_url(url)


def test_who_reads_no_queue_loads_no_aws_library() -> None:
    code = "import sys, parley.aws.queues, parley.workers.queue; print('botocore' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert ran.stdout.strip() == "False"
