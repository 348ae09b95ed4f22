"""The log is lines for people or JSON for machines, and shows no values of variables."""

import json
import subprocess
import sys

import pytest

from parley.observe import Metrics

SCRIPT = """
import sys
from parley.observe import log, start_log
start_log("info", sys.argv[1])
log.debug("quiet")
log.info("happened", channel="slack:C1")
token = "xoxb-" + "secret"
try:
    raise ValueError("no such thing")
except ValueError:
    log.exception("broke")
"""


def written(form: str) -> list[str]:
    """Return the lines that a process logs."""
    command = [sys.executable, "-W", "error", "-c", SCRIPT, form]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ended.stdout == ""
    return ended.stderr.splitlines()


@pytest.mark.parametrize("form", ["text", "json"])
def test_the_log_says_what_happened_and_keeps_variables_to_itself(form: str) -> None:
    lines = written(form)
    text = "\n".join(lines)
    assert "happened" in lines[0]
    assert "slack:C1" in lines[0]
    assert "ValueError: no such thing" in text
    assert "quiet" not in text
    assert "secret" not in text.replace('token = "xoxb-" + "secret"', "")


def test_each_line_for_machines_is_json() -> None:
    happened, broke = (json.loads(line) for line in written("json"))
    assert happened["event"] == "happened"
    assert happened["level"] == "info"
    assert broke["timestamp"].endswith("Z")
    assert "Traceback" in broke["exception"]


def test_metrics_are_named_as_those_of_aws_chatbot() -> None:
    metrics = Metrics()
    metrics.events_processed.labels("ops").inc()
    metrics.delivery_failure.labels("ops", "auth_error").inc(2)
    text = metrics.render().decode()
    assert 'EventsProcessed_total{ConfigurationName="ops"} 1.0' in text
    failure = 'MessageDeliveryFailure_total{ConfigurationName="ops",reason="auth_error"} 2.0'
    assert failure in text
    for name in ("EventsThrottled", "UnsupportedEvents", "MessageDeliverySuccess"):
        assert f"# TYPE {name}_total counter" in text
    assert "parley_backlog 0.0" in text
