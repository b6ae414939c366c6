"""`ask` and `search` over the story of the demo, read from an MLflow in miniature and a file of events."""

import json
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from typer.testing import CliRunner, Result

from watersmeet.api.cli.app import app
from watersmeet.api.cli.exits import Code
from watersmeet.connectors import story
from watersmeet.connectors.mlflow.sandbox import Sandbox

ORDERS = "postgres://warehouse:5432/shop.raw.orders"


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A configuration whose store has read both halves of the story."""
    folder = tmp_path_factory.mktemp("asking")
    file = folder / "watersmeet.yaml"
    with Sandbox() as tracking:
        events = story.events(urlsplit(tracking.url).netloc)
        (folder / "events.ndjson").write_text("".join(json.dumps(event) + "\n" for event in events))
        sources = [
            {"name": "tracking", "platform": "mlflow", "url": tracking.url},
            {"name": "pipelines", "platform": "openlineage", "path": "./events.ndjson"},
        ]
        file.write_text(json.dumps({"store": {"url": "sqlite:///store.db"}, "sources": sources}))
        result = run(file, "sync")
    assert result.exit_code == Code.OK, result.output
    return file


def run(config: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["--config", str(config), *arguments])


@pytest.mark.parametrize("key", ["models:/churn/2", "models:/churn@champion"])
def test_from_the_model_one_gets_to_the_raw_tables_of_the_other_platform(config: Path, key: str):
    result = run(config, "ask", key, "--direction", "up", "--depth", "12")
    assert result.exit_code == Code.OK, result.output
    for name in ("churn-2", "train.py", "features/customer_features", "shop.marts.customer_orders", "shop.raw.orders"):
        assert name in result.stdout
    assert "downstream" not in result.stdout
    assert "complete: exact" in result.stdout


def test_what_only_judged_the_model_is_not_upstream_of_it(config: Path):
    result = run(config, "ask", "models:/churn/2", "--direction", "up", "--depth", "12")
    assert "customer_holdout" not in result.stdout


def test_the_endpoint_is_downstream_of_the_raw_tables(config: Path):
    result = run(config, "ask", ORDERS, "--direction", "down", "--depth", "12")
    assert result.exit_code == Code.OK, result.output
    assert "churn-api" in result.stdout
    assert "upstream" not in result.stdout


def test_what_came_later_is_not_in_an_earlier_answer(config: Path):
    now = run(config, "ask", story.FEATURES, "--direction", "up")
    before = run(config, "ask", story.FEATURES, "--direction", "up", "--as-of", "2025-01-10")
    assert "raw/clickstream" in now.stdout
    assert "raw/clickstream" not in before.stdout
    assert "shop.marts.customer_orders" in before.stdout


def test_depth_is_how_far_it_goes(config: Path):
    result = run(config, "ask", story.FEATURES, "--direction", "up", "--depth", "2")
    assert "shop.marts.customer_orders" in result.stdout
    assert "shop.raw.orders" not in result.stdout


def test_an_answer_that_is_cut_says_so_by_its_code(config: Path):
    result = run(config, "ask", ORDERS, "--depth", "12", "--first", "3")
    assert result.exit_code == Code.INCOMPLETE
    assert "3 of " in result.stdout
    assert "complete: exact" not in result.stdout
    assert "more things are not shown" in result.stdout


def test_the_same_question_gets_the_same_answer(config: Path):
    asked = ("ask", "models:/churn/2", "--depth", "12")
    assert run(config, *asked).stdout == run(config, *asked).stdout


def test_json_holds_the_whole_answer(config: Path):
    answer = json.loads(run(config, "--json", "ask", story.FEATURES, "--direction", "up").stdout)
    assert answer["total"] == len(answer["nodes"])
    assert {edge["kind"] for edge in answer["edges"]} == {"READ", "WRITE"}
    assert answer["completeness"]["exact"] is True


def test_what_is_not_there_is_not_found(config: Path):
    result = run(config, "ask", "s3://lake/nothing")
    assert result.exit_code == Code.NOT_FOUND
    assert "s3://lake/nothing" in result.stderr


def test_a_name_of_two_things_lists_them(config: Path):
    result = run(config, "--json", "ask", "models:/churn/2", "--source", "nowhere")
    assert result.exit_code == Code.NOT_FOUND


def test_a_time_that_is_none_is_a_matter_of_usage(config: Path):
    result = run(config, "ask", story.FEATURES, "--as-of", "yesterday")
    assert result.exit_code == Code.USAGE
    assert "2025-01-15" in result.stderr


def test_search_finds_by_words_and_narrows_by_kind(config: Path):
    everything = json.loads(run(config, "--json", "search", "churn").stdout)
    versions = json.loads(run(config, "--json", "search", "churn", "--kind", "model-version").stdout)
    assert 0 < versions["total"] < everything["total"]
    assert {found["kind"] for found in versions["assets"]} == {"MODEL_VERSION"}


def test_search_names_the_kinds_when_one_is_unknown(config: Path):
    result = run(config, "search", "churn", "--kind", "tabel")
    assert result.exit_code == Code.USAGE
    assert "dataset" in result.stderr


def exported(config: Path, folder: Path, profile: str) -> Path:
    output = folder / f"{profile}.ndjson"
    result = run(config, "export", "openlineage", "--output", str(output), "--profile", profile)
    assert result.exit_code == Code.OK, result.output
    assert [path.name for path in folder.iterdir()] == [output.name]
    return output


@pytest.mark.parametrize("profile", ["full", "legacy"])
def test_what_is_exported_answers_the_same_question_elsewhere(config: Path, tmp_path: Path, profile: str):
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    out.mkdir()
    elsewhere.mkdir()
    source = {"name": "copy", "platform": "openlineage", "path": str(exported(config, out, profile))}
    other = elsewhere / "watersmeet.yaml"
    other.write_text(json.dumps({"store": {"url": "sqlite:///store.db"}, "sources": [source]}))
    result = run(other, "sync")
    assert result.exit_code == Code.OK, result.output
    down = run(other, "ask", ORDERS, "--direction", "down", "--depth", "12")
    assert down.exit_code == Code.OK, down.output
    for name in ("shop.marts.customer_orders", "features/customer_features", "train.py", "churn-api"):
        assert name in down.stdout


def test_the_same_graph_exports_the_same_bytes(config: Path, tmp_path: Path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert (
        exported(config, tmp_path / "a", "full").read_bytes() == exported(config, tmp_path / "b", "full").read_bytes()
    )


def test_an_export_to_stdout_is_nothing_but_events(config: Path):
    result = run(config, "export", "openlineage", "--output", "-")
    assert all(json.loads(line)["eventTime"] for line in result.stdout.splitlines())
    assert "events" in result.stderr


def test_an_export_to_where_nothing_can_be_written_leaves_nothing(config: Path, tmp_path: Path):
    result = run(config, "export", "openlineage", "--output", str(tmp_path / "missing" / "out.ndjson"))
    assert result.exit_code == Code.MISCONFIGURED
    assert list(tmp_path.iterdir()) == []
