"""What people call the metrics of alarms, and the units in which CloudWatch gives them."""

import re

from parley.events.alarms import Metric
from parley.events.console import short_name

_WORDS = {
    "4XXError": "4XX errors",
    "5XXError": "5XX errors",
    "ApproximateAgeOfOldestMessage": "age of oldest message",
    "ApproximateNumberOfMessagesVisible": "waiting messages",
    "CPUUtilization": "CPU",
    "DatabaseConnections": "connections",
    "ExecutionsFailed": "failed executions",
    "ExecutionsTimedOut": "timed out executions",
    "FreeableMemory": "free memory",
    "FreeStorageSpace": "free storage",
    "HTTPCode_ELB_4XX_Count": "4XX responses of the load balancer",
    "HTTPCode_ELB_5XX_Count": "5XX responses of the load balancer",
    "HTTPCode_Target_4XX_Count": "4XX responses",
    "HTTPCode_Target_5XX_Count": "5XX responses",
    "MemoryUtilization": "memory",
    "StatusCheckFailed": "failed status checks",
    "TargetResponseTime": "latency",
    "UnHealthyHostCount": "unhealthy hosts",
    "HealthyHostCount": "healthy hosts",
}

_UNITS = {
    # The units that each service's user guide gives for its metrics; alarms seldom repeat them.
    ("AWS/ApiGateway", "IntegrationLatency"): "Milliseconds",
    ("AWS/ApiGateway", "Latency"): "Milliseconds",
    ("AWS/ApplicationELB", "TargetResponseTime"): "Seconds",
    ("AWS/DynamoDB", "SuccessfulRequestLatency"): "Milliseconds",
    ("AWS/EBS", "BurstBalance"): "Percent",
    ("AWS/EC2", "NetworkIn"): "Bytes",
    ("AWS/EC2", "NetworkOut"): "Bytes",
    ("AWS/ELB", "Latency"): "Seconds",
    ("AWS/Kinesis", "GetRecords.IteratorAgeMilliseconds"): "Milliseconds",
    ("AWS/Lambda", "Duration"): "Milliseconds",
    ("AWS/Lambda", "IteratorAge"): "Milliseconds",
    ("AWS/RDS", "FreeableMemory"): "Bytes",
    ("AWS/RDS", "FreeStorageSpace"): "Bytes",
    ("AWS/RDS", "ReadLatency"): "Seconds",
    ("AWS/RDS", "ReplicaLag"): "Seconds",
    ("AWS/RDS", "SwapUsage"): "Bytes",
    ("AWS/RDS", "WriteLatency"): "Seconds",
    ("AWS/SQS", "ApproximateAgeOfOldestMessage"): "Seconds",
    ("AWS/States", "ExecutionTime"): "Milliseconds",
}

_SUBJECTS = (
    "FunctionName",
    "ServiceName",
    "LoadBalancer",
    "LoadBalancerName",
    "TargetGroup",
    "DBInstanceIdentifier",
    "DBClusterIdentifier",
    "TableName",
    "QueueName",
    "ApiName",
    "StateMachineArn",
    "BucketName",
    "TopicName",
    "AutoScalingGroupName",
    "InstanceId",
    "CacheClusterId",
    "ClusterName",
    "VolumeId",
)
"""Dimensions by how well they say whose metric it is."""

_BREAKS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[_.\s-]+")
_SILENT_STATS = frozenset({"", "average", "sum"})


def metric_words(name: str) -> str:
    """Return `latency` for `TargetResponseTime`; unknown names are taken apart into words."""
    known = _WORDS.get(name)
    if known:
        return known
    words = [word for word in _BREAKS.split(name) if word]
    return " ".join(word if word.isupper() and len(word) > 1 else word.lower() for word in words)


def stat_words(stat: str) -> str:
    """Return a statistic as it stands before a metric; averages and sums go without saying."""
    small = stat.lower()
    if small in _SILENT_STATS:
        return ""
    return "number of samples of" if small == "samplecount" else small


def unit_of(metric: Metric) -> str:
    """Return the unit of a metric's values as CloudWatch calls it, `""` where nobody knows it."""
    if metric.stat.lower() == "samplecount":
        return ""
    if metric.unit:
        return metric.unit
    known = _UNITS.get((metric.namespace, metric.name))
    if known:
        return known
    aws = metric.namespace.startswith(("AWS/", "ECS/", "CWAgent", "ContainerInsights"))
    if aws and metric.name.endswith(("Utilization", "_percent", "_utilization")):
        return "Percent"
    return ""


def subject_of(dimensions: tuple[tuple[str, str], ...]) -> str:
    """Return the name of what a metric measures, as people say it: `checkout-api`."""
    if not dimensions:
        return ""
    by_name = dict(dimensions)
    best = next((name for name in _SUBJECTS if name in by_name), dimensions[0][0])
    value = by_name[best]
    if best in {"LoadBalancer", "TargetGroup"} and value.count("/") > 1:
        return value.split("/")[1]
    return value.split("/", 1)[1] if value.startswith("targetgroup/") else short_name(value)


def shared_dimensions(metrics: tuple[Metric, ...]) -> tuple[tuple[str, str], ...]:
    """Return the dimensions that all metrics of an expression have in common."""
    measured = [metric for metric in metrics if metric.name]
    if not measured:
        return ()
    first, *others = measured
    return tuple(pair for pair in first.dimensions if all(pair in one.dimensions for one in others))


def stat_name(stat: str) -> str:
    """Return the statistic for the facts: SNS shouts `AVERAGE` where EventBridge says `Average`."""
    return stat.capitalize() if stat.isupper() else stat
