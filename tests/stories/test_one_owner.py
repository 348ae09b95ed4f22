"""A second gateway on the same data folder is refused; other commands work beside the first."""

import subprocess
import sys
from pathlib import Path

from tests.gateway import Gateway, custom


def test_the_second_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path / "data")
    gateway.configure("ops")
    gateway.start()
    try:
        command = [sys.executable, "-m", "parley", "serve", "--data", str(gateway.data)]
        second = subprocess.run(
            [*command, "--listen", "127.0.0.1:0"], capture_output=True, text=True, check=False
        )
        assert second.returncode == 1
        assert f"listening on 127.0.0.1:{gateway.port}. Stop that one first" in second.stderr
        assert "Traceback" not in second.stderr
        gateway.publish("ops", custom("still at work"))
        # A command writes beside the owner, who takes it up.
        said = gateway.parley("send-test", "ops", "--inside")
        assert "delivered to local:ops" in said
    finally:
        gateway.kill()
    again = Gateway(gateway.data)
    again.start()
    assert again.stop() == 0
