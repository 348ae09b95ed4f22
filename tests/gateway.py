"""Parley as people run it: the command line, a process of its own, a data folder of its own."""

import http.client
import json
import re
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

TOPIC = "arn:aws:sns:eu-west-1:123456789012:{room}"
PATIENCE = 30.0
_MINUTES = (timedelta(minutes=1), timedelta(minutes=3))


def free_port() -> int:
    """Return a port of loopback that nobody uses at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


class Gateway:
    """`parley serve` on SQLite. Each room has a topic of its name, unsigned as an emulator's."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.first_link = ""
        self._process: subprocess.Popen[bytes] | None = None

    def configure(self, *rooms: str) -> None:
        """Make the data folder, with one configuration for each room."""
        self.data.mkdir(parents=True)
        topics = json.dumps([TOPIC.format(room=room) for room in rooms])
        (self.data / "parley.toml").write_text(f"[sns]\nunsigned_topics = {topics}\n")
        for room in rooms:
            self.parley("configurations", "add", room, "--topic", TOPIC.format(room=room))

    def parley(self, *words: str) -> str:
        """Run one command of the command line; return what it prints."""
        command = [sys.executable, "-m", "parley", *words, "--data", str(self.data)]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def start(self) -> None:
        """Start the server and wait until it says that it is ready."""
        log = self.data / f"serve-{uuid4().hex}.log"
        with log.open("wb") as out:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "parley", "serve"),
                    *("--data", str(self.data), "--listen", f"127.0.0.1:{self.port}"),
                ],
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        end = time.monotonic() + PATIENCE
        while "Another link later" not in log.read_text():
            if self._process.poll() is not None or time.monotonic() > end:
                self.kill()
                raise AssertionError(f"parley serve did not start:\n{log.read_text()}")
            time.sleep(0.02)
        self.first_link = self._link(log.read_text())

    def stop(self) -> int:
        """Ask the server to stop, as a service manager does; return its exit status."""
        assert self._process
        self._process.terminate()
        return self._process.wait(PATIENCE)

    def kill(self) -> None:
        """End the server without a word."""
        if self._process:
            self._process.kill()
            self._process.wait(PATIENCE)

    def sign_in_link(self, name: str = "Ana Lopez") -> str:
        """Return a one-time link for a person."""
        return self._link(self.parley("sign-in-link", "--name", name))

    def _link(self, printed: str) -> str:
        secret = re.search(r"token=(\S+)", printed)
        assert secret, printed
        return f"{self.url}/sign-in?token={secret[1]}"

    def publish(self, room: str, message: dict[str, Any] | str) -> str:
        """Post a message as SNS would; return the id of its event after it was stored."""
        text = message if isinstance(message, str) else json.dumps(message)
        message_id = str(uuid4())
        envelope = {
            "Type": "Notification",
            "MessageId": message_id,
            "TopicArn": TOPIC.format(room=room),
            "Message": text,
            "Timestamp": sns_time(),
        }
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        headers = {"Content-Type": "text/plain; charset=UTF-8"}
        connection.request("POST", "/ingest/sns", json.dumps(envelope), headers)
        answer = connection.getresponse()
        body = answer.read().decode()
        connection.close()
        assert answer.status == 200, body
        return f"sns:{TOPIC.format(room=room)}:{message_id}"


def sns_time(ago: timedelta = timedelta()) -> str:
    """Return the present, or a time before it, as SNS writes it."""
    at = datetime.now(UTC) - ago
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def alarm(
    state: str, name: str = "checkout-latency-p99", ago: timedelta = timedelta()
) -> dict[str, Any]:
    """Return what CloudWatch publishes when an alarm changes to a state."""
    last, first = (f"{datetime.now(UTC) - ago - one:%d/%m/%y %H:%M:00}" for one in _MINUTES)
    reason = {
        "ALARM": f"Threshold Crossed: 3 out of the last 3 datapoints [1240.0 ({last}), 1102.5, "
        f"955.0 ({first})] were greater than the threshold (800.0) (minimum 3 datapoints for "
        "OK -> ALARM transition).",
        "OK": f"Threshold Crossed: 1 datapoint [612.0 ({last})] was not greater than the threshold "
        "(800.0) (minimum 1 datapoint for ALARM -> OK transition).",
    }[state]
    return {
        "AlarmName": name,
        "AlarmDescription": "p99 latency of checkout-api",
        "AWSAccountId": "123456789012",
        "NewStateValue": state,
        "NewStateReason": reason,
        "OldStateValue": "OK" if state == "ALARM" else "ALARM",
        "StateChangeTime": sns_time(ago).replace("Z", "+0000"),
        "Region": "EU (Ireland)",
        "AlarmArn": f"arn:aws:cloudwatch:eu-west-1:123456789012:alarm:{name}",
        "Trigger": {
            "MetricName": "TargetResponseTime",
            "Namespace": "AWS/ApplicationELB",
            "StatisticType": "ExtendedStatistic",
            "ExtendedStatistic": "p99",
            "Unit": "Milliseconds",
            "Dimensions": [{"name": "LoadBalancer", "value": "app/checkout/50dc6c495c0c9188"}],
            "Period": 60,
            "EvaluationPeriods": 3,
            "DatapointsToAlarm": 3,
            "ComparisonOperator": "GreaterThanThreshold",
            "Threshold": 800.0,
            "TreatMissingData": "missing",
        },
    }


def custom(title: str, description: str = "", **content: Any) -> dict[str, Any]:
    """Return a custom notification."""
    return {
        "version": "1.0",
        "source": "custom",
        "content": {
            "textType": "client-markdown",
            "title": title,
            "description": description or f"About {title}.",
            **content,
        },
    }
