"""`sync`, `sources` and `check`: reading platforms from the command line."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from watersmeet.api.cli.app import app
from watersmeet.api.cli.exits import Code
from watersmeet.api.opening import open_store
from watersmeet.config.settings import load
from watersmeet.federation.connector import Batch
from watersmeet.federation.model import AssetKind, Edge, EdgeKind, Record, Scope, Skipped, SyncState
from watersmeet.federation.openlineage import admit

from .conftest import EVENT


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "events.ndjson").write_text(json.dumps(EVENT) + "\n")
    return written(tmp_path, {"name": "events", "platform": "openlineage", "path": "./events.ndjson"})


def written(folder: Path, *sources: dict[str, Any]) -> Path:
    file = folder / "watersmeet.yaml"
    file.write_text(json.dumps({"store": {"url": "sqlite:///store.db"}, "sources": sources}))
    return file


def run(config: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["--config", str(config), *arguments])


def test_a_sync_tells_what_it_read(config: Path):
    result = run(config, "sync")
    assert result.exit_code == Code.OK, result.output
    assert "events: succeeded" in result.stdout
    assert "events: succeeded" in result.stderr  # the progress, line by line where there is no terminal


def test_a_second_sync_finds_nothing_new(config: Path):
    run(config, "sync")
    [row] = json.loads(run(config, "--json", "sync").stdout)
    assert (row["state"], row["written"]) == ("SUCCEEDED", 0)


def test_one_source_can_be_named_and_read_in_full(config: Path):
    run(config, "sync", "events")
    [row] = json.loads(run(config, "sync", "events", "--full", "--json").stdout)
    assert row["full"] is True


def test_a_named_source_tells_what_was_kept_aside_and_why(config: Path):
    aside = (Skipped("row 3", "it is no object"), Skipped("row 4", "it waits", lost=False))
    with open_store(load(config)) as store:
        store.ledger.write("events", Batch(skipped=aside), read_started_at=datetime.now(UTC))
    shown = run(config, "sources", "events").stdout
    assert "!! events: row 3: it is no object" in shown
    assert "-- events: row 4: it waits" in shown
    assert "row 3" not in run(config, "sources").stdout
    [row] = json.loads(run(config, "sources", "events", "--json").stdout)
    assert sorted(one["what"] for one in row["aside"]) == ["row 3", "row 4"]
    assert "inlet" in run(config, "sources", "evnts").stderr


def test_sources_tell_how_much_of_them_is_only_named(config: Path):
    told = Scope("x", (Record("a", AssetKind.DATASET, "a"),), (Edge("b", "a", EdgeKind.DERIVE),))
    with open_store(load(config)) as store:
        store.ledger.write("events", Batch(scopes=(told,)), read_started_at=datetime.now(UTC))
    [row] = json.loads(run(config, "sources", "events", "--json").stdout)
    assert (row["assets"], row["stubs"]) == (2, 1)
    assert "stubs" in run(config, "sources").stdout


def test_an_unknown_source_is_answered_with_those_that_are_there(config: Path):
    result = run(config, "sync", "evnts")
    assert result.exit_code == Code.NOT_FOUND
    assert "configured: events" in result.stderr


def test_a_source_that_cannot_be_reached_fails_the_sync_with_what_to_do(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        free = server.getsockname()[1]
    http = {"retries": 0, "timeout": "2s", "budget": "4s"}
    source = {"name": "away", "platform": "mlflow", "url": f"http://127.0.0.1:{free}", "http": http}
    result = run(written(tmp_path, source), "sync")
    assert result.exit_code == Code.SOURCE
    assert "away: failed" in result.stdout
    assert "check that the address answers" in result.stdout


def test_posted_events_are_part_of_the_graph_after_a_sync(config: Path):
    settings = load(config, {})
    with open_store(settings) as store:
        body = json.dumps({**EVENT, "outputs": [{"namespace": "s3://lake", "name": "posted"}]}).encode()
        store.events.append(settings.inlet.id, [admit(body, key=store.secret())])
    assert run(config, "sync").exit_code == Code.OK
    assert json.loads(run(config, "--json", "search", "posted").stdout)["total"] == 1


def test_sources_tells_what_each_holds_and_how_its_last_sync_ended(config: Path):
    [events, inlet] = json.loads(run(config, "--json", "sources").stdout)
    assert (events["state"], events["assets"]) == ("NEVER_SYNCED", 0)
    run(config, "sync")
    result = run(config, "sources")
    assert result.exit_code == Code.OK
    assert "SUCCEEDED" in result.stdout
    assert inlet["platform"] == "openlineage"


def test_check_reaches_the_sources(config: Path):
    result = run(config, "check")
    assert result.exit_code == Code.OK, result.output
    assert "ok events (openlineage" in result.stdout


def test_check_tells_what_is_out_of_reach(tmp_path: Path):
    source = {"name": "events", "platform": "openlineage", "path": "./nothing.ndjson"}
    result = run(written(tmp_path, source), "check")
    assert result.exit_code in (Code.SOURCE, Code.MISCONFIGURED)
    assert "nothing.ndjson" in result.stdout


def test_ctrl_c_cancels_what_runs(tmp_path: Path, silent: str):
    config = written(tmp_path, {"name": "slow", "platform": "mlflow", "url": silent, "http": {"timeout": "3s"}})
    command = [sys.executable, "-m", "watersmeet.api.cli", "--config", str(config), "sync"]
    with subprocess.Popen(command) as running, open_store(load(config, {})) as store:
        while not (rows := store.journal.syncs()) or rows[0].state is SyncState.QUEUED:
            time.sleep(0.1)
        os.kill(running.pid, signal.SIGTERM)
        assert running.wait(40) == Code.INTERRUPTED
        [row] = store.journal.syncs()
    assert row.state is SyncState.CANCELLED
