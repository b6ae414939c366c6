"""`migrate`: from one platform to another from the command line, with an account of every fact."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from watersmeet.api.cli.exits import Code
from watersmeet.connectors.datahub.sandbox import Sandbox
from watersmeet.federation.store import Store

from .conftest import EVENT
from .test_cli_syncing import run, written

TOKEN = "the-catalogs-token"
QUALITY = {"acme_quality": {"_producer": "urn:acme", "_schemaURL": "urn:acme:quality", "grade": {"of": ["a", "b"]}}}
ODD = EVENT | {"outputs": [output | {"facets": QUALITY} for output in EVENT["outputs"]]}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(empty=True, token=TOKEN) as one:
        yield one


def configured(folder: Path, event: Mapping[str, Any] = EVENT, **target: Any) -> Path:
    """Events that were read, and a DataHub beside them that holds nothing yet."""
    (folder / "events.ndjson").write_text(json.dumps(event) + "\n")
    events = {"name": "events", "platform": "openlineage", "path": "./events.ndjson"}
    file = written(folder, events, {"name": "catalog", "platform": "datahub", **target})
    assert run(file, "sync", "events").exit_code == Code.OK
    return file


def test_what_was_read_from_events_is_written_to_a_server_and_read_from_there(sandbox: Sandbox, tmp_path: Path):
    config = configured(tmp_path, url=sandbox.url, token=TOKEN)
    result = run(config, "migrate", "events", "--to", "catalog", "--json")
    assert result.exit_code == Code.OK, result.output
    told = json.loads(result.stdout)
    assert sum(told["verdicts"].values()) == told["facts"] > len(EVENT["inputs"] + EVENT["outputs"])
    assert (told["unaccounted"], told["verdicts"]["FAILED"], told["resumed"]) == (0, 0, False)
    assert TOKEN not in result.output
    assert run(config, "sync", "catalog").exit_code == Code.OK
    with Store.open(f"sqlite:///{tmp_path / 'store.db'}", create=False) as store:
        read = {dossier.record.name for _, dossier in store.dossiers.of("catalog")}
    assert {"marts", "shop.public.raw", "shop.public.orders"} <= read
    again = json.loads(run(config, "migrate", "events", "--to", "catalog", "--afresh", "--json").stdout)
    assert again["verdicts"] == told["verdicts"]
    assert run(config, "sync", "catalog").exit_code == Code.OK
    with Store.open(f"sqlite:///{tmp_path / 'store.db'}", create=False) as store:
        assert store.journal.syncs(first=1)[0].written == 0


def test_a_file_is_a_target_too_and_a_report_tells_every_fact(tmp_path: Path):
    config = configured(tmp_path, ODD, path="./catalog.json")
    report = tmp_path / "report.ndjson"
    result = run(config, "migrate", "events", "--to", "catalog", "--report", str(report))
    assert result.exit_code == Code.OK, result.output
    assert "things of events were handed to catalog" in result.output
    assert "facets/acme_quality: " in result.output
    lines = [json.loads(line) for line in report.read_text().splitlines()]
    assert f"{len(lines)} facts: " in result.output
    assert all(line["reason"] for line in lines if line["verdict"] != "MIGRATED")
    assert "urn:li:dataset:(urn:li:dataPlatform:postgres" in (tmp_path / "catalog.json").read_text()


def test_more_kinds_of_loss_than_are_listed_are_counted(tmp_path: Path):
    facets = {f"acme_{number}": QUALITY["acme_quality"] for number in range(60)}
    many = EVENT | {"outputs": [output | {"facets": facets} for output in EVENT["outputs"]]}
    config = configured(tmp_path, many, path="./catalog.json")
    result = run(config, "migrate", "events", "--to", "catalog")
    assert re.search(r"[1-9]\d* +of [1-9]\d* other kinds: --report writes down each", result.output), result.output
    told = json.loads(run(config, "migrate", "events", "--to", "catalog", "--json").stdout)
    left = told["losses_left_out"]
    lost = sum(count for verdict, count in told["verdicts"].items() if verdict != "MIGRATED")
    assert left["kinds"] > 0
    assert sum(one["count"] for one in told["losses"]) + left["facts"] == lost


def test_a_target_that_refuses_the_key_is_told_as_that(sandbox: Sandbox, tmp_path: Path):
    config = configured(tmp_path, url=sandbox.url, token="mistyped-token")
    result = run(config, "migrate", "events", "--to", "catalog")
    assert result.exit_code == Code.SOURCE
    assert re.search(r"catalog.* 401", result.output), result.output
    assert "mistyped-token" not in result.output


def test_a_target_that_is_down_is_told_with_the_way_to_go_on(sandbox: Sandbox, tmp_path: Path):
    config = configured(tmp_path, url=sandbox.url, token=TOKEN)
    sandbox.stop()
    settings = json.loads(config.read_text())
    settings["sources"][1]["http"] = {"retries": 0, "budget": "2s"}
    config.write_text(json.dumps(settings))
    result = run(config, "migrate", "events", "--to", "catalog")
    assert result.exit_code == Code.SOURCE
    assert "nobody answers on port" in result.output
    assert "the same command goes on from there" in result.output


@pytest.mark.parametrize(
    ("source", "target", "code", "told"),
    [
        ("nobody", "catalog", Code.NOT_FOUND, "no source 'nobody'"),
        ("events", "nobody", Code.MISCONFIGURED, "there are: events, catalog"),
        ("events", "events", Code.MISCONFIGURED, "is the source itself"),
        ("catalog", "events", Code.MISCONFIGURED, "nothing writes to platform 'openlineage'"),
    ],
)
def test_whose_things_and_where_they_go_must_be_there(tmp_path: Path, source: str, target: str, code: Code, told: str):
    config = configured(tmp_path, path="./catalog.json")
    result = run(config, "migrate", source, "--to", target)
    assert (result.exit_code, told in result.output) == (code, True), result.output
