"""The question that no single tool can answer, put to a real MLflow server and to pipelines that a real client told
Marquez of: which tables and jobs stand behind this model version, and where is it served? Then the world moves on.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from watersmeet.connectors.marquez.sandbox import Sandbox

from .mlflow_server import RealMLflow
from .service import Service

pytestmark = pytest.mark.real_server

HERE = Path(__file__).parent
TRAIN = """
import json, mlflow
from mlflow.entities import Dataset, DatasetInput, InputTag, LoggedModelOutput
client = mlflow.MlflowClient()
table, version = {table!r}, {version!r}
experiment = client.get_experiment_by_name("churn")
experiment_id = experiment.experiment_id if experiment else client.create_experiment("churn")
tags = {{"mlflow.source.name": "train.py", "mlflow.source.type": "LOCAL",
        "mlflow.source.git.repoURL": "https://github.com/acme/churn", "mlflow.source.git.commit": "3f1c2ab94de0"}}
run = client.create_run(experiment_id, tags=tags).info.run_id
def dataset(uri, digest, context):
    source = json.dumps({{"uri": uri}})
    tags = [InputTag("mlflow.data.context", context)]
    return DatasetInput(Dataset(uri.rpartition("/")[2], digest, "s3", source), tags)
judged = dataset("s3://lake/holdout", "bbbb1111", "eval")
client.log_inputs(run, [dataset(table, "aaaa" + version * 4, "training"), judged])
model = client.create_logged_model(experiment_id, name="churn", source_run_id=run)
client.finalize_logged_model(model.model_id, "READY")
client.log_outputs(run, [LoggedModelOutput(model.model_id, 0)])
client.set_terminated(run)
if version == "1":
    client.create_registered_model("churn")
client.create_model_version("churn", f"models:/{{model.model_id}}", run_id=run, model_id=model.model_id)
client.set_registered_model_alias("churn", "champion", version)
"""
BEHIND = """query($key: String!, $asOf: DateTime) { asset(key: $key, asOf: $asOf) { id name
  upstream(depth: 12) { nodes { name kind } completeness { exact stale { source } failures { source } } } } }"""


class World:
    """Both platforms, and Watersmeet beside them."""

    def __init__(self, tracking: RealMLflow, pipelines: Sandbox, service: Service) -> None:
        self.tracking, self.pipelines, self.service = tracking, pipelines, service

    def train(self, table: str, version: str) -> None:
        self.tracking.run("-c", TRAIN.format(table=table, version=version))

    def sync(self) -> dict[str, dict[str, Any]]:
        return {row["source"]: row for row in self.service.run("sync", "--json")}

    def behind(self, key: str, as_of: datetime | None = None) -> dict[str, Any]:
        asset = self.service.ask(BEHIND, key=key, asOf=as_of and as_of.isoformat())["asset"]
        assert asset is not None, key
        nodes = {node["name"]: node["kind"] for node in asset["upstream"]["nodes"]}
        return {"name": asset["name"], "nodes": nodes, "completeness": asset["upstream"]["completeness"]}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with RealMLflow(tmp_path_factory.mktemp("mlflow")) as tracking, Sandbox(empty=True) as pipelines:
        subprocess.run([sys.executable, str(HERE / "client_story.py"), pipelines.url, "0"], check=True, timeout=120)
        sources = [
            {"name": "tracking", "platform": "mlflow", "url": tracking.url},
            {"name": "pipelines", "platform": "marquez", "url": pipelines.url},
        ]
        with Service(tmp_path_factory.mktemp("watersmeet"), sources) as service:
            yield World(tracking, pipelines, service)


def test_the_answer_crosses_both_platforms_and_the_world_moves_on(world: World) -> None:
    """MLflow, check 1 (real server): from the alias in one traversal."""
    world.train("s3://lake/features/customers", "1")
    first, again = world.sync(), world.sync()
    assert {row["state"] for row in (*first.values(), *again.values())} == {"SUCCEEDED"}
    assert {source: (row["written"], row["removed"]) for source, row in again.items()} == {
        "tracking": (0, 0),
        "pipelines": (0, 0),
    }

    answer = world.behind("models:/churn@champion")
    assert answer["name"] == "churn/1"
    kinds = answer["nodes"]
    expected = {"crm.public.customers": "DATASET", "raw/customers": "DATASET", "features/customers": "DATASET"}
    assert expected.items() <= kinds.items()
    assert {"extract", "features", "train.py"} <= {name for name, kind in kinds.items() if kind == "JOB"}
    assert "CODE" in kinds.values()
    assert not [name for name in kinds if "holdout" in name], "what only judged the model is no ancestor of it"
    assert answer["completeness"] == {"exact": True, "stale": [], "failures": []}

    before = datetime.now(UTC)
    world.train("s3://lake/features/orders", "2")
    third = world.sync()
    assert third["tracking"]["state"] == "SUCCEEDED"
    assert third["tracking"]["written"] > 0

    now, then = world.behind("models:/churn@champion"), world.behind("models:/churn@champion", before)
    assert now["name"] == "churn/2"
    assert "features/orders" in now["nodes"]
    assert "features/customers" not in now["nodes"], "two runs of one script: each version has its own table only"
    assert then["name"] == "churn/1"
    assert then["nodes"] == kinds


def test_a_source_that_is_down_is_named_in_the_answer(world: World) -> None:
    world.pipelines.stop()
    command = [sys.executable, "-m", "watersmeet.api.cli", "--config", str(world.service.config), "sync", "--json"]
    done = subprocess.run(command, capture_output=True, cwd=world.service.folder, timeout=300)
    assert done.returncode != 0
    states = {row["source"]: row["state"] for row in json.loads(done.stdout)}
    assert states["tracking"] == "SUCCEEDED"
    assert states["pipelines"] == "FAILED"
    completeness = world.behind("models:/churn@champion")["completeness"]
    assert completeness["exact"] is False
    assert "pipelines" in {failure["source"] for failure in completeness["failures"]}
