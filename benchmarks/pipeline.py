"""CPU of one notification, from HTTP in to HTTP out, against Alertmanager's in the same run.

Parley: signed SNS envelopes (version 2) of about 4 KB, verified, committed to SQLite with
`synchronous=FULL`, formatted, delivered to 50 Slack channels whose pace is switched off, marked.
Alertmanager (Debian's): one alert a call, `group_by ['...']`, `group_wait 0s`, one web hook each;
it commits nothing. Both end in the same sink over kept connections.
"""

import asyncio
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.process import cpu_seconds, free_port, memory_megabytes, running
from parley.bootstrap import open_stores
from parley.kernel.configuration import Configuration
from parley.kernel.incoming import Destination
from parley.settings import read_settings
from parley.usecases.configurations import ManageConfigurations
from tests.signing import CERTIFICATE_PATH, Signer, signer

CHANNELS = 50
PAIRS = 3
COUNT = 2000
RATE = 300.0
ALERTMANAGER = "prometheus-alertmanager"
_TOPIC = "arn:aws:sns:eu-west-1:123456789012:bench-{}"


@dataclass(frozen=True, slots=True)
class Measured:
    """What one run cost: CPU seconds per 1,000 notifications, and how long it took."""

    cpu: float
    seconds: float
    memory: float


def main() -> None:
    """Run interleaved pairs and print every figure."""
    if shutil.which(ALERTMANAGER) is None:
        print(f"{ALERTMANAGER} is not installed (Debian's package of that name): nothing to")
        print("compare with, so nothing was measured.")
        return
    with tempfile.TemporaryDirectory() as folder:
        _compare("as fast as it goes, 16 callers", Path(folder), 0.0)
        _compare(f"at {RATE:.0f} a second", Path(folder), RATE)


def _compare(how: str, folder: Path, rate: float) -> None:
    print(f"\n{COUNT} notifications {how}; CPU seconds per 1,000")
    ratios = []
    for pair in range(PAIRS):
        work = folder / f"{rate:.0f}-{pair}"
        work.mkdir()
        ours, theirs = _parley(work, rate), _alertmanager(work, rate)
        ratios.append(ours.cpu / theirs.cpu)
        print(f"  Parley       {_words(ours)}\n  Alertmanager {_words(theirs)}")
        print(f"  ratio {ratios[-1]:.2f}")
    print(f"  median ratio {statistics.median(ratios):.2f}")


def _words(one: Measured) -> str:
    return f"{one.cpu:.3f} s CPU, {one.seconds:.1f} s until the last, {one.memory:.0f} MB"


def _parley(work: Path, rate: float) -> Measured:
    now = datetime.now(UTC)
    sns = signer(now - timedelta(days=1))
    bodies = [_notification(sns, number, now) for number in range(COUNT)]
    (work / "sns.jsonl").write_bytes(b"\n".join(bodies))
    (work / "root.pem").write_bytes(sns.root_pem)
    port, files = free_port(), free_port()
    certificates = work / "certificates"
    certificates.mkdir()
    (certificates / CERTIFICATE_PATH.strip("/")).write_bytes(sns.pem)
    web = [sys.executable, "-m", "http.server", str(files), "--bind", "127.0.0.1"]
    with _sink(work) as sink:
        environment = {
            "PARLEY_DATA": str(work / "data"),
            "PARLEY_LISTEN": f"127.0.0.1:{port}",
            "PARLEY_SNS_TRUST_ROOT": str(work / "root.pem"),
            "PARLEY_SNS_CERTIFICATE_SOURCE": f"http://127.0.0.1:{files}",
            "PARLEY_SLACK_BOT_TOKEN": "xoxb-bench",
            "PARLEY_SLACK_BASE_URL": f"{sink}/api/",
            "PARLEY_SLACK_PER_SECOND": "100000",
        }
        _configure(environment)
        parley = [sys.executable, "-m", "parley", "serve"]
        with (
            running([*web, "--directory", str(certificates)], f"http://127.0.0.1:{files}/",
                    work / "web.log"),
            running(parley, f"http://127.0.0.1:{port}/readyz", work / "parley.log",
                    environment) as pid,
        ):  # fmt: skip
            url = f"http://127.0.0.1:{port}/ingest/sns"
            return _measure(pid, sink, url, work / "sns.jsonl", rate)


def _configure(environment: dict[str, str]) -> None:
    """Add the configurations, all in one process."""
    settings = read_settings({}, environment)

    async def add(manage: ManageConfigurations) -> None:
        for number in range(CHANNELS):
            channel, topic = f"C0000{number:04d}", _TOPIC.format(number)
            place = Destination("slack", channel)
            await manage.add(Configuration(f"bench-{number}", "", place, (topic,)))

    with open_stores(settings) as stores:
        asyncio.run(add(stores.manage_configurations()))


def topic_of(number: int) -> str:
    """Return the topic by which the notification of a number comes."""
    return _TOPIC.format(number % CHANNELS)


def alarm_text(number: int, now: datetime) -> str:
    """Return what CloudWatch would publish: an alarm of its own for every number."""
    alarm = {
        "AlarmName": f"bench-{number}",
        "AlarmDescription": "An alarm of the benchmark. " * 60,
        "AWSAccountId": "123456789012",
        "NewStateValue": "ALARM",
        "NewStateReason": "Threshold Crossed: 1 out of the last 1 datapoints [1240.0 (20/11/26 "
        "10:04:00)] was greater than the threshold (800.0) (minimum 1 datapoint for OK -> ALARM "
        "transition).",
        "StateChangeTime": now.strftime("%Y-%m-%dT%H:%M:%S.000+0000"),
        "Region": "EU (Ireland)",
        "AlarmArn": f"arn:aws:cloudwatch:eu-west-1:123456789012:alarm:bench-{number}",
        "OldStateValue": "OK",
        "Trigger": {
            "MetricName": "TargetResponseTime",
            "Namespace": "AWS/ApplicationELB",
            "StatisticType": "Statistic",
            "Statistic": "AVERAGE",
            "Unit": None,
            "Dimensions": [{"name": "LoadBalancer", "value": "app/checkout/50dc6c495c0c9188"}],
            "Period": 60,
            "EvaluationPeriods": 1,
            "ComparisonOperator": "GreaterThanThreshold",
            "Threshold": 800.0,
        },
    }
    return json.dumps(alarm)


def _notification(sns: Signer, number: int, now: datetime) -> bytes:
    return sns.notification(alarm_text(number, now), at=now, topic=topic_of(number))


def _alertmanager(work: Path, rate: float) -> Measured:
    port = free_port()
    alerts = [
        json.dumps([{
            "labels": {"alertname": f"bench-{number}", "channel": f"c{number % CHANNELS}"},
            "annotations": {"summary": "An alarm of the benchmark. " * 15},
        }]).encode()
        for number in range(COUNT)
    ]  # fmt: skip
    (work / "alerts.jsonl").write_bytes(b"\n".join(alerts))
    with _sink(work) as sink:
        (work / "alertmanager.yml").write_text(
            "route: {receiver: sink, group_by: ['...'], group_wait: 0s, repeat_interval: 4h}\n"
            f"receivers: [{{name: sink, webhook_configs: [{{url: '{sink}/hook'}}]}}]\n",
            "utf-8",
        )
        command = [
            ALERTMANAGER,
            f"--config.file={work / 'alertmanager.yml'}",
            f"--storage.path={work / 'alertmanager'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--cluster.listen-address=",
        ]
        ready = f"http://127.0.0.1:{port}/-/ready"
        with running(command, ready, work / "alertmanager.log") as pid:
            url = f"http://127.0.0.1:{port}/api/v2/alerts"
            return _measure(pid, sink, url, work / "alerts.jsonl", rate)


@contextmanager
def _sink(work: Path) -> Iterator[str]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "benchmarks.sink", str(port)]
    with running(command, f"{url}/count", work / "sink.log"):
        yield url


def _measure(pid: int, sink: str, url: str, bodies: Path, rate: float) -> Measured:
    cpu, began = cpu_seconds(pid), time.monotonic()
    command = [sys.executable, "-m", "benchmarks.sender", url, str(bodies), "--rate", str(rate)]
    sent = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    accepted = int(sent.stdout)
    if accepted != COUNT:
        raise SystemExit(f"{url} accepted {accepted} of {COUNT}")
    peak, arrived = memory_megabytes(pid), 0
    for _ in range(1200):
        with urllib.request.urlopen(f"{sink}/count") as answer:
            arrived = int(answer.read())
        if arrived >= COUNT:
            break
        time.sleep(0.1)
        peak = max(peak, memory_megabytes(pid))
    else:
        raise SystemExit(f"only {arrived} of {COUNT} arrived")
    seconds = time.monotonic() - began
    return Measured((cpu_seconds(pid) - cpu) / COUNT * 1000, seconds, peak)
