"""Links into the AWS console, in the partition that the region belongs to.

Names and ARNs in events are untrusted: a host is only built from a region that looks like one, and
everything else is escaped, so that no link leads elsewhere than to the console.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote

from parley.events.topics import REGION

_REGION = re.compile(REGION)
_LONGEST_REGION = 40
_SAFE = re.compile(r"[A-Za-z0-9_.~-]*")
_LONGEST = 1900
"""Chat platforms refuse longer links; such a name is shown without one."""

_ARN_PARTS = 6


@dataclass(frozen=True, slots=True)
class Arn:
    """An Amazon Resource Name, taken apart. `kind` is `instance`, `function` ... or empty."""

    whole: str
    partition: str
    service: str
    region: str
    account: str
    kind: str
    name: str


def parse_arn(text: str) -> Arn | None:
    """Take an ARN apart; nothing for any other text."""
    if not text.startswith("arn:aws"):
        return None
    parts = text.split(":", _ARN_PARTS - 1)
    if len(parts) < _ARN_PARTS or not parts[2] or not parts[5]:
        return None
    resource = parts[5]
    at = _separator(resource)
    kind, name = (resource[:at], resource[at + 1 :]) if at > 0 else ("", resource)
    return Arn(text, parts[1], parts[2], parts[3], parts[4], kind, name or resource)


def _separator(resource: str) -> int:
    colon, slash = resource.find(":"), resource.find("/")
    if colon < 0 or slash < 0:
        return max(colon, slash)
    return min(colon, slash)


def short_name(resource: str) -> str:
    """Return what people call a resource: the name in an ARN, other text as it is."""
    arn = parse_arn(resource)
    if arn is None:
        return resource
    if arn.service == "s3":
        return f"{arn.kind}/{arn.name}" if arn.kind else arn.name
    if arn.service == "autoscaling":
        return arn.name.rpartition("autoScalingGroupName/")[2]
    return arn.name


@lru_cache(maxsize=64)
def host(region: str) -> str:
    """Return the host of the console for a region, `""` if that is no region."""
    if not _REGION.fullmatch(region):
        return ""
    if region.startswith("cn-"):
        return f"{region}.console.amazonaws.cn"
    if region.startswith("us-gov-"):
        return f"{region}.console.amazonaws-us-gov.com"
    return f"{region}.console.aws.amazon.com"


def page(region: str, path: str) -> str:
    """Return the link to a page of the console, `""` if there is none or it would be too long.

    `path` has `{region}` where the region goes and its other parts escaped already.
    """
    name = host(region) if len(region) <= _LONGEST_REGION else ""
    link = f"https://{name}/{path}".replace("{region}", region)
    return link if name and len(link) <= _LONGEST else ""


def escaped(text: str) -> str:
    """Return the text as one part of a link."""
    if _SAFE.fullmatch(text):
        return text
    return quote(text, safe="", errors="replace")


def alarm_page(region: str, name: str) -> str:
    """Return the link to an alarm."""
    return page(region, f"cloudwatch/home?region={{region}}#alarmsV2:alarm/{escaped(name)}")


_PAGES: dict[tuple[str, str], str] = {
    ("acm", "certificate"): "acm/home?region={region}#/certificates/{name}",
    (
        "autoscaling",
        "autoScalingGroup",
    ): "ec2/home?region={region}#AutoScalingGroupDetails:id={last}",
    (
        "cloudformation",
        "stack",
    ): "cloudformation/home?region={region}#/stacks/stackinfo?stackId={arn}",
    ("cloudwatch", "alarm"): "cloudwatch/home?region={region}#alarmsV2:alarm/{name}",
    ("codebuild", "project"): "codesuite/codebuild/projects/{name}?region={region}",
    ("codepipeline", ""): "codesuite/codepipeline/pipelines/{name}/view?region={region}",
    ("dynamodb", "table"): "dynamodbv2/home?region={region}#table?name={first}",
    ("ec2", "instance"): "ec2/home?region={region}#InstanceDetails:instanceId={name}",
    ("ec2", "security-group"): "ec2/home?region={region}#SecurityGroup:groupId={name}",
    ("ec2", "snapshot"): "ec2/home?region={region}#SnapshotDetails:snapshotId={name}",
    ("ec2", "volume"): "ec2/home?region={region}#VolumeDetails:volumeId={name}",
    ("ecr", "repository"): "ecr/repositories/private/{account}/{name}?region={region}",
    ("ecs", "cluster"): "ecs/v2/clusters/{name}?region={region}",
    ("ecs", "service"): "ecs/v2/clusters/{first}/services/{last}?region={region}",
    ("ecs", "task"): "ecs/v2/clusters/{first}/tasks/{last}?region={region}",
    ("eks", "cluster"): "eks/home?region={region}#/clusters/{name}",
    ("kms", "key"): "kms/home?region={region}#/kms/keys/{name}",
    ("lambda", "function"): "lambda/home?region={region}#/functions/{first}",
    ("rds", "cluster"): "rds/home?region={region}#database:id={name};is-cluster=true",
    ("rds", "db"): "rds/home?region={region}#database:id={name};is-cluster=false",
    ("secretsmanager", "secret"): "secretsmanager/secret?name={arn}&region={region}",
    ("sns", ""): "sns/v3/home?region={region}#/topic/{arn}",
    ("states", "execution"): "states/home?region={region}#/v2/executions/details/{arn}",
    ("states", "stateMachine"): "states/home?region={region}#/statemachines/view/{arn}",
}

_GLOBAL = "us-east-1"
"""Where the console shows what belongs to no region."""


def resource_page(resource: str) -> str:
    """Return the link to where the console shows a resource, `""` if it is no ARN.

    Kinds without a page in our table go through the console's own redirect for ARNs.
    """
    arn = parse_arn(resource)
    if arn is None:
        return ""
    region = arn.region or _region_of_partition(arn.partition)
    if arn.service == "s3":
        bucket = escaped(arn.kind or arn.name)
        return page(region, f"s3/buckets/{bucket}")
    template = _PAGES.get((arn.service, arn.kind))
    if template is None:
        return page(region, f"go/view?arn={escaped(arn.whole)}")
    pieces = arn.name.replace(":", "/").split("/")
    values = {
        "region": "{region}",
        "account": escaped(arn.account),
        "name": escaped(arn.name),
        "first": escaped(pieces[0]),
        "last": escaped(pieces[-1]),
        "arn": escaped(arn.whole),
    }
    return page(region, template.format_map(values))


def _region_of_partition(partition: str) -> str:
    return {"aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}.get(partition, _GLOBAL)


_DIMENSION_PAGES = {
    "InstanceId": "ec2/home?region={region}#InstanceDetails:instanceId={name}",
    "FunctionName": "lambda/home?region={region}#/functions/{name}",
    "DBInstanceIdentifier": "rds/home?region={region}#database:id={name};is-cluster=false",
    "DBClusterIdentifier": "rds/home?region={region}#database:id={name};is-cluster=true",
    "TableName": "dynamodbv2/home?region={region}#table?name={name}",
    "AutoScalingGroupName": "ec2/home?region={region}#AutoScalingGroupDetails:id={name}",
    "BucketName": "s3/buckets/{name}?region={region}",
    "VolumeId": "ec2/home?region={region}#VolumeDetails:volumeId={name}",
    "LoadBalancer": "ec2/home?region={region}#LoadBalancers:search={name}",
    "QueueName": "sqs/v3/home?region={region}#/queues",
}


def dimension_page(dimension: str, value: str, region: str) -> str:
    """Return the link for a metric's dimension such as `InstanceId`, `""` if it has no page."""
    if value.startswith("arn:"):
        return resource_page(value)
    template = _DIMENSION_PAGES.get(dimension)
    if template is None:
        return ""
    # A load balancer's dimension is app/NAME/ID, and the console looks for the name.
    pieces = value.split("/") if dimension == "LoadBalancer" else []
    name = pieces[1] if len(pieces) > 1 else value
    return page(region, template.replace("{name}", escaped(name)))
