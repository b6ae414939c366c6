"""`doctor` and `rebuild`, as an operator runs them."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from watersmeet.api.cli.app import app
from watersmeet.api.cli.exits import Code

from .test_cli_syncing import EVENT, written


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "events.ndjson").write_text(json.dumps(EVENT) + "\n")
    file = written(tmp_path, {"name": "events", "platform": "openlineage", "path": "./events.ndjson"})
    assert run(file, "sync").exit_code == Code.OK
    return file


def run(config: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["--config", str(config), *arguments])


def answer(config: Path, *arguments: str) -> Any:
    return json.loads(run(config, *arguments, "--json").stdout)


def by_hand(config: Path, statement: str) -> None:
    with sqlite3.connect(config.with_name("store.db")) as connection:
        connection.execute(statement)
    connection.close()


def test_the_doctor_finds_nothing_after_a_sync(config: Path):
    result = run(config, "doctor", "--full")
    assert result.exit_code == Code.OK, result.output
    assert "0 broken" in result.stdout
    assert answer(config, "doctor") == {"sound": True, "findings": []}


def test_the_doctor_names_damage_and_a_rebuild_mends_it(config: Path):
    by_hand(config, "UPDATE record SET name = 'nonsense'")
    result = run(config, "doctor")
    assert result.exit_code == Code.INCOMPLETE
    assert "watersmeet rebuild" in result.stdout
    mended = answer(config, "rebuild")
    assert mended["mended"]["records"] > 0
    assert run(config, "doctor").exit_code == Code.OK
    assert answer(config, "rebuild")["mended"] == {}


def test_a_token_that_cannot_be_read_is_named(config: Path):
    settings = json.loads(config.read_text())
    source = {"name": "models", "platform": "mlflow", "url": "http://127.0.0.1:1", "token_file": "./token"}
    config.write_text(json.dumps({**settings, "sources": [*settings["sources"], source]}))
    (finding,) = answer(config, "doctor")["findings"]
    assert (finding["code"], finding["weight"]) == ("secret", "BROKEN")
    assert "models" in finding["what"]


def test_a_source_that_left_the_file_is_noted(config: Path):
    written(config.parent)
    result = run(config, "doctor")
    assert result.exit_code == Code.OK
    assert "watersmeet source forget events" in result.stdout


def test_without_a_store_the_doctor_says_so_and_makes_none(tmp_path: Path):
    assert run(written(tmp_path), "doctor").exit_code == Code.MISCONFIGURED
    assert not (tmp_path / "store.db").exists()


def test_a_source_is_forgotten_when_that_is_confirmed(config: Path):
    assert answer(config, "search", "orders")["total"] == 1
    refused = CliRunner().invoke(app, ["--config", str(config), "source", "forget", "events"], input="n\n")
    assert refused.exit_code != Code.OK
    assert answer(config, "search", "orders")["total"] == 1
    result = run(config, "source", "forget", "events", "--yes")
    assert result.exit_code == Code.OK, result.output
    assert "the next sync reads it again" in result.stdout
    assert answer(config, "search", "orders")["total"] == 0
    assert run(config, "sync").exit_code == Code.OK
    assert answer(config, "search", "orders")["total"] == 1


def test_a_source_that_left_the_file_can_be_erased(config: Path):
    written(config.parent)
    done = answer(config, "source", "forget", "events", "--purge", "--yes")
    assert done["purged"]
    assert done["erased"] > 0
    assert "events" not in [row["id"] for row in answer(config, "sources")]
    assert answer(config, "doctor", "--full") == {"sound": True, "findings": []}
    assert "source.forget" in run(config, "audit", "list").stdout


def test_what_nobody_knows_cannot_be_forgotten(config: Path):
    assert run(config, "source", "forget", "nobody", "--yes").exit_code == Code.NOT_FOUND
