"""`sandbox` runs a platform in miniature until it is told to stop."""

import json
import signal
import socket
import subprocess
import sys
import urllib.request

from typer.testing import CliRunner

from watersmeet.api.cli.app import app
from watersmeet.api.cli.exits import Code


def test_it_serves_until_it_is_told_to_stop():
    command = [sys.executable, "-m", "watersmeet.api.cli", "--json", "sandbox", "mlflow", "--empty"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        told = ""
        for line in running.stdout:
            told += line
            if line.rstrip() == "}":
                break
        with urllib.request.urlopen(f"{json.loads(told)['url']}/health") as answer:
            assert answer.read() == b"OK"
        running.send_signal(signal.SIGTERM)
        assert running.wait(20) == Code.OK


def test_a_platform_that_has_no_miniature_is_a_matter_of_usage():
    result = CliRunner().invoke(app, ["sandbox", "snowflake"])
    assert result.exit_code == Code.USAGE
    assert "mlflow" in result.stderr


def test_a_taken_port_is_told():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = CliRunner().invoke(app, ["sandbox", "mlflow", "--port", str(taken.getsockname()[1])])
    assert result.exit_code == Code.MISCONFIGURED
    assert "0 takes a free one" in result.stderr
