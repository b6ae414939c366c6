"""What a real MLflow server's edits and oddities become in the store, sync by sync."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from watersmeet.config.settings import Source
from watersmeet.connectors.mlflow.read import MLflow
from watersmeet.federation.model import AssetKind, Edge, EdgeKind, Role
from watersmeet.federation.naming import Registry
from watersmeet.federation.rows import EdgeRow, RecordRow, SourceRow, SyncRow
from watersmeet.federation.store import Store
from watersmeet.federation.sync import pull

from ..connectors.mlflow.conftest import Reading
from ..connectors.mlflow.test_mlflow_sources import PLACES
from .mlflow_server import RealMLflow

pytestmark = pytest.mark.real_server
V2 = "/api/2.0/mlflow"
DAY = timedelta(days=1, minutes=1)
SPARK = {"sparkDatasourceInfo": "path=s3://lake/two,format=delta"}
Ids = dict[str, str]


@dataclass
class Lab:
    """A real server, one experiment of it, and a store that follows it; time passes between the syncs."""

    server: RealMLflow
    store: Store
    name: str
    experiment: str
    now: datetime

    def call(self, method: str, path: str, **body: Any) -> Any:
        """One REST call: nothing of the client's own ideas comes between."""
        answer = httpx2.request(method, f"{self.server.url}{V2}/{path}", json=body, timeout=60, trust_env=False)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, **body: Any) -> Any:
        return self.call("POST", path, **body)

    def run(self, start: int = 1_700_000_000_000, experiment: str | None = None, tags: Ids | None = None) -> str:
        told = [{"key": key, "value": value} for key, value in (tags or {}).items()]
        home = experiment or self.experiment
        made = self.post("runs/create", experiment_id=home, start_time=start, user_id="ana", tags=told)
        return made["run"]["info"]["run_id"]

    def log(self, run_id: str, source_type: str, source: str, context: str | None = None, **more: Any) -> None:
        dataset = {"name": "d", "digest": "aaaa1111", "source_type": source_type, "source": source} | more
        tags = [{"key": "mlflow.data.context", "value": context}] if context else []
        self.post("runs/log-inputs", run_id=run_id, datasets=[{"tags": tags, "dataset": dataset}])

    def connector(self) -> MLflow:
        told = {"name": "tracking", "platform": "mlflow", "url": self.server.url, "include": [f"{self.name}*"]}
        return MLflow(Source.model_validate(told), clock=lambda: self.now)

    def read(self) -> Reading:
        connector = self.connector()
        try:
            return Reading.by(connector.read(None))
        finally:
            connector.close()

    def sync(self, after: timedelta = timedelta(0)) -> SyncRow:
        self.now += after
        connector = self.connector()
        try:
            return pull(self.store, "tracking", connector, registry=Registry.EMPTY, clock=lambda: self.now)
        finally:
            connector.close()

    def record(self, native_id: str) -> RecordRow:
        asset = self.store.reader.find_native([native_id])[0].asset
        [row] = [row for row in self.store.reader.assets([asset])[asset] if row.native_id == native_id]
        return row

    def edges(self, kind: EdgeKind) -> list[tuple[str, str, EdgeRow]]:
        """The edges of a kind, also those that have ended, by the native ids of their ends."""
        reader = self.store.reader
        columns = reader.columns()
        names = {row.id: row.native_id for rows in reader.assets(columns.asset.tolist()).values() for row in rows}
        told = reader.edges(columns.claim.tolist()).values()
        return [(names[one.upstream], names[one.downstream], one) for one in told if one.kind is kind]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealMLflow]:
    with RealMLflow(tmp_path_factory.mktemp("mlflow")) as running:
        yield running


@pytest.fixture
def lab(server: RealMLflow, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Lab]:
    name = re.sub(r"\W", "-", request.node.name)  # it is a pattern, too
    with Store.open(f"sqlite:///{tmp_path / 'store.db'}") as store:
        store.journal.declare([SourceRow("tracking", "tracking", "mlflow", server.url, 0)])
        made = Lab(server, store, name, "", datetime.now(UTC))
        made.experiment = made.post("experiments/create", name=name)["experiment_id"]
        yield made


def reads(told: Reading, run_id: str) -> list[Edge]:
    return [edge for edge in told.edges if edge.downstream == f"run/default/{run_id}" and edge.kind is EdgeKind.READ]


def test_a_deleted_run_is_buried_and_a_restored_one_comes_back(lab: Lab) -> None:
    """MLflow, check 4 (real server): in the next recheck, with its payload."""
    run_id = lab.run()
    lab.post("runs/log-parameter", run_id=run_id, key="depth", value="3")
    lab.sync()
    lab.post("runs/delete", run_id=run_id)
    lab.sync(timedelta(hours=7))
    buried = lab.record(f"run/default/{run_id}")
    lab.post("runs/restore", run_id=run_id)
    lab.sync(timedelta(hours=7))
    revived = lab.record(f"run/default/{run_id}")
    assert buried.tombstoned_at is not None
    assert buried.facets["parameters"] == {"depth": "3"}
    assert revived.tombstoned_at is None


def test_a_moved_alias_leads_to_its_version_as_of_the_time(lab: Lab) -> None:
    """MLflow, check 4 (real server): the interval of the former one ends where the new one begins."""
    lab.post("registered-models/create", name=lab.name)
    for _ in range(2):
        lab.post("model-versions/create", name=lab.name, source="s3://models/churn")
    alias = {"name": lab.name, "alias": "champion"}
    lab.post("registered-models/alias", **alias, version="1")
    lab.sync()
    lab.post("registered-models/alias", **alias, version="2")
    lab.sync(timedelta(minutes=15))
    told = {up[-2:]: (edge.valid_from, edge.valid_to) for up, _, edge in lab.edges(EdgeKind.ALIAS_OF)}
    assert told["/1"][1] == told["/2"][0] is not None
    assert told["/2"][1] is None


def test_a_run_that_has_been_running_for_a_month_is_marked(lab: Lab) -> None:
    """MLflow, check 5 (real server): stale, not lost."""
    old = round((lab.now - timedelta(days=31)).timestamp() * 1000)
    stale, young = lab.run(old), lab.run(old + 2 * 24 * 3_600_000)
    told = lab.read().records
    assert told[f"run/default/{stale}"].facets["mlflow"]["stale"] is True
    assert "stale" not in told[f"run/default/{young}"].facets["mlflow"]


def test_one_name_and_digest_of_two_places_is_doubted_and_of_two_experiments_is_two(lab: Lab) -> None:
    """MLflow, check 6 (real server): the first source of an experiment is kept; one dataset may have two contexts."""
    first, second, third = lab.run(1), lab.run(2, tags=SPARK), lab.run(3)
    lab.log(first, "s3", json.dumps({"uri": "s3://lake/one"}), "training")
    lab.log(second, "s3", json.dumps({"uri": "s3://lake/two"}), "training")
    lab.log(third, "s3", json.dumps({"uri": "s3://lake/one"}), "eval")
    other = lab.post("experiments/create", name=f"{lab.name}-other")["experiment_id"]
    elsewhere = lab.run(4, other)
    lab.log(elsewhere, "code", "{}")
    coded = lab.run(5)
    lab.log(coded, "code", "{}", name="e")
    told = lab.read()
    assert [edge.confidence for run_id in (first, second, third) for edge in reads(told, run_id)] == [1.0, 0.5, 1.0]
    assert [edge.role for run_id in (first, third) for edge in reads(told, run_id)] == [Role.TRAINING, Role.EVALUATION]
    ends = {edge.upstream for run_id in (elsewhere, coded) for edge in reads(told, run_id)}
    assert ends == {f"dataset/default/{other}/d@aaaa1111", f"dataset/default/{lab.experiment}/e@aaaa1111"}


@pytest.mark.parametrize("source", ["not json {", "", "x" * 60_000, '{"path": "a", "split": "None"}'], ids=len)
def test_no_dataset_breaks_a_sync(lab: Lab, source: str) -> None:
    """MLflow, check 7 (real server): the server stores them all; node, edge and warning, and the sync is complete."""
    run_id = lab.run()
    for source_type in ("my_custom", "hugging_face", "s3"):
        lab.log(run_id, source_type, source, digest=source_type[:8], schema="<<<", profile="nan")
    told = lab.read()
    edges = reads(told, run_id)
    assert len(edges) == 3
    assert [edge.role for edge in edges] == [None] * 3
    assert {edge.upstream for edge in edges} <= told.records.keys()
    about = [one for one in told.skipped if one.what != "default: registered models"]
    assert about
    assert not any(one.lost for one in about)
    assert told.complete


def test_every_type_of_source_names_its_place(lab: Lab, tmp_path: Path) -> None:
    """MLflow, check 8 (real server): as it comes back from the server, with no secret of it anywhere."""
    run_of: dict[str, str | None] = {}
    for number, (source_type, source, native_id) in enumerate(PLACES):
        run_id = lab.run()
        lab.log(run_id, source_type, json.dumps(source), digest=f"{number:08x}")
        run_of[run_id] = native_id
    told = lab.read()
    whole = {edge.upstream: edge.downstream for edge in told.edges if edge.kind is EdgeKind.VERSION_OF}
    found = {run_id: whole.get(edge.upstream, edge.upstream) for run_id in run_of for edge in reads(told, run_id)}
    assert {run_id: found[run_id] for run_id, native_id in run_of.items() if native_id} == {
        run_id: native_id for run_id, native_id in run_of.items() if native_id
    }
    assert all(found[run_id].startswith("dataset/") for run_id, native_id in run_of.items() if not native_id)
    lab.sync()
    files = [file.read_bytes() for file in tmp_path.iterdir() if file.is_file()]
    assert any(b"s3://lake/features/x.parquet" in written for written in files)
    assert not any(b"SECRET" in written or b"u:p@" in written for written in files)


def test_what_gc_removed_stays_with_all_that_hangs_on_it(lab: Lab) -> None:
    """MLflow, check 9 (real server): a tombstone after 404, the last payload, and the edges of model and version."""
    run_id, kept = lab.run(), lab.run()
    lab.post("runs/log-parameter", run_id=run_id, key="depth", value="3")
    made = lab.post("logged-models", experiment_id=lab.experiment, name="m", source_run_id=run_id)
    model = made["model"]["info"]["model_id"]
    lab.post("registered-models/create", name=lab.name)
    lab.post("model-versions/create", name=lab.name, source=f"models:/{model}", model_id=model, run_id=run_id)
    lab.sync()
    lab.post("runs/delete", run_id=run_id)
    lab.server.run("-m", "mlflow", "gc", "--backend-store-uri", lab.server.database, "--run-ids", run_id)
    lab.sync(DAY)
    once = lab.record(f"run/default/{run_id}").tombstoned_at
    lab.sync(DAY)
    buried = lab.record(f"run/default/{run_id}")
    assert once is None
    assert buried.tombstoned_at is not None
    assert buried.facets["parameters"] == {"depth": "3"}
    assert lab.record(f"run/default/{kept}").tombstoned_at is None
    assert (f"run/default/{run_id}", f"logged-model/default/{model}") in [one[:2] for one in lab.edges(EdgeKind.WRITE)]
    version = f"model-version/default/{lab.name}/1"
    assert (f"logged-model/default/{model}", version) in [one[:2] for one in lab.edges(EdgeKind.DERIVE)]


def test_evaluations_and_runs_of_deleted_parents_keep_their_edges(lab: Lab) -> None:
    """MLflow, check 14 (real server)."""
    golden = lab.server.run(
        "-c",
        "from mlflow.genai.datasets import create_dataset\n"
        f"print(create_dataset(name={lab.name!r}, experiment_id=[{lab.experiment!r}]).dataset_id)",
    ).split()[-1]
    judged = lab.run(tags={"mlflow.runType": "genai_evaluate"})
    lab.log(judged, "mlflow_evaluation_dataset", json.dumps({"dataset_id": golden}))
    made = lab.post("logged-models", experiment_id=lab.experiment, name="m", source_run_id=lab.run())
    model = made["model"]["info"]["model_id"]
    only = lab.run(tags={"mlflow.runType": "evaluate"})
    lab.post("runs/log-inputs", run_id=only, models=[{"model_id": model}])
    parent = lab.run()
    nested = lab.run(tags={"mlflow.parentRunId": parent})
    lab.post("runs/delete", run_id=parent)
    told = lab.read()
    assert {edge.upstream for edge in reads(told, judged)} >= {f"evaluation-dataset/default/{golden}"}
    [edge] = told.between(f"logged-model/default/{model}", f"run/default/{only}", EdgeKind.READ)
    assert edge.role is Role.EVALUATION
    assert told.between(f"run/default/{nested}", f"run/default/{parent}", EdgeKind.PART_OF)
    assert [stone.native_id for stone in told.tombstones] == [f"run/default/{parent}"]
    assert told.records[f"evaluation-dataset/default/{golden}"].kind is AssetKind.DATASET
