"""`serve` and the command line beside it share one store."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from watersmeet.api.cli.app import app
from watersmeet.api.cli.exits import Code

from .conftest import EVENT


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "events.ndjson").write_text(json.dumps(EVENT) + "\n")
    source = {"name": "events", "platform": "openlineage", "path": "./events.ndjson", "schedule": "every 1h"}
    file = tmp_path / "watersmeet.yaml"
    file.write_text(json.dumps({"store": {"url": "sqlite:///store.db"}, "sources": [source]}))
    return file


@pytest.fixture
def server(config: Path) -> Iterator[str]:
    """The address of a server that runs until the test ends, and ends well."""
    command = [sys.executable, "-m", "watersmeet.api.cli", "--config", str(config), "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        yield next(found[0] for line in running.stdout if (found := re.search(r"http://127\.0\.0\.1:\d+", line)))
        os.kill(running.pid, signal.SIGTERM)
        try:
            assert running.wait(30) == Code.OK
        finally:
            running.kill()  # a server that does not stop shall fail one test, not hold up all


def posted(url: str, body: dict[str, Any]) -> Any:
    asked = urllib.request.Request(url, json.dumps(body).encode(), {"content-type": "application/json"})
    with urllib.request.urlopen(asked) as answer:
        content = answer.read()
    return json.loads(content) if content else None


def run(config: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["--config", str(config), *arguments])


def is_read(config: Path) -> bool:
    """Whether the server has pulled its source by now."""
    [events, _inlet] = json.loads(run(config, "--json", "sources").stdout)
    return events["state"] == "SUCCEEDED" and events["assets"] > 0


def test_a_server_pulls_what_is_due_and_takes_events_and_the_command_line_sees_both(server: str, config: Path):
    posted(f"{server}/api/v1/lineage", {**EVENT, "outputs": [{"namespace": "s3://lake", "name": "posted"}]})
    assert run(config, "sync", "inlet").exit_code == Code.OK
    assert json.loads(run(config, "--json", "search", "posted").stdout)["total"] == 1
    assert any(is_read(config) for _ in range(200))


def test_a_sync_can_be_begun_through_the_endpoint(server: str):
    started = posted(f"{server}/graphql", {"query": 'mutation { sync(source: "events") { source state } }'})
    errors = started.get("errors", [])
    assert started["data"] or [error["extensions"]["code"] for error in errors] == ["ALREADY_RUNNING"]


def test_a_taken_port_is_told(server: str, config: Path):
    result = run(config, "serve", "--port", server.rpartition(":")[2])
    assert result.exit_code == Code.MISCONFIGURED
    assert "another port" in result.stderr.lower()
