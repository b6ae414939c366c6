"""Graphs for tests of the export, as a store would add them up."""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from watersmeet.federation.model import (
    AssetKind,
    Edge,
    EdgeKind,
    Evidence,
    Form,
    Record,
    Role,
    Run,
    RunState,
    Spelling,
)
from watersmeet.federation.openlineage import Gathered, admit, export, lines, project

from .openlineage_events import KEY, PG, body, column_lineage, run_event, table

T0 = datetime(2026, 3, 1, 10, tzinfo=UTC)
EMITTERS = (
    "spark_shop_lake",
    "dbt_shop",
    "dbt_shop_structured_logs",
    "airflow_shop_daily",
    "airflow_spark_dbt_pipeline",
    "python_client",
)


class Graph:
    """Records, edges and tombstones, as a store would add them up."""

    def __init__(self) -> None:
        self.records: dict[str, Record] = {}
        self.edges: set[Edge] = set()
        self.tombstones: dict[str, datetime] = {}
        self._newest: dict[str, tuple[bool, datetime]] = {}

    @classmethod
    def told(cls, raw: Iterable[bytes]) -> "Graph":
        entities: dict[str, list[bytes]] = defaultdict(list)
        for one in raw:
            admitted = admit(one, key=KEY)
            assert admitted.warnings == ()
            entities[admitted.entity].append(admitted.body)
        graph = cls()
        for entity, bodies in entities.items():
            projection = project(entity, bodies)
            assert [one for one in projection.skipped if one.lost] == []
            graph.tombstones.update({one.native_id: one.at for one in projection.tombstones if one.at})
            for scope in projection.scopes:
                for record in scope.records:
                    graph.hear(record, record.stated_at or scope.stated_at or T0)
                graph.edges.update(scope.edges)
        return graph

    def hear(self, record: Record, at: datetime) -> None:
        rank = (record.described, at)
        if record.native_id not in self.records or self._newest[record.native_id] <= rank:
            self.records[record.native_id] = replace(record, teller=None, stated_at=None)
            self._newest[record.native_id] = rank

    @property
    def source(self) -> Gathered:
        return Gathered.of(self.records.values(), self.edges, self.tombstones)


def graph_of(records: Iterable[Record], edges: Iterable[Edge], tombstones: dict[str, datetime] | None = None) -> Graph:
    graph = Graph()
    for record in records:
        graph.hear(record, T0)
    graph.edges.update(edges)
    graph.tombstones.update(tombstones or {})
    return graph


def assert_comes_back(graph: Graph) -> None:
    again = Graph.told(lines(export(graph.source)))
    assert again.records == graph.records
    assert again.edges == graph.edges
    assert again.tombstones == graph.tombstones


def recorded(shared: Path, name: str) -> Graph:
    file = shared / "data" / "emitters" / f"{name}.ndjson"
    return Graph.told(body(json.loads(line)["body"]) for line in file.read_text().splitlines())


def thing(kind: AssetKind, name: str, *spellings: Spelling, **more: Any) -> Record:
    return Record(f"{kind.lower()}:{name}", kind, name, spellings=spellings, **more)


def platform() -> Graph:
    """One thing of every kind, and one edge of every kind."""
    table = thing(
        AssetKind.DATASET,
        "orders",
        Spelling(Form.TABLE, ("postgres", "db:5432", "shop.s.orders")),
        subtype="table",
        facets={
            "schema": [{"name": "id"}],
            "owners": [{"name": "ada", "role": "boss"}],
            "tags": [{"key": "a", "value": "b"}],
        },
    )
    column = thing(AssetKind.COLUMN, "id", Spelling(Form.FIELD, (PG, "shop.s.orders", "id")), subtype="int")
    version = thing(AssetKind.DATASET_VERSION, "orders@1", facets={"version": "1"})
    model = thing(AssetKind.MODEL, "churn", Spelling(Form.MLFLOW, ("h:5000", "", "model", "churn")))
    three = thing(
        AssetKind.MODEL_VERSION,
        "churn/3",
        Spelling(Form.MLFLOW, ("h:5000", "", "model-version", "churn/3")),
        description="Third.",
        url="http://h/3",
        created_at=T0,
        facets={"metrics": {"auc": 0.8}, "mlflow": {"flavor": "x"}},
    )
    run = thing(
        AssetKind.RUN,
        "r1",
        run=Run(RunState.SUCCEEDED, T0, T0 + timedelta(hours=1)),
        facets={"parameters": {"depth": "6"}},
    )
    failed = thing(AssetKind.RUN, "r2", run=Run(RunState.FAILED, T0, None, "no room"))
    job = thing(AssetKind.JOB, "train", Spelling(Form.OPENLINEAGE_JOB, ("prod", "train")))
    others = [
        thing(AssetKind(kind), f"a {kind}")
        for kind in AssetKind
        if kind.value not in {"DATASET", "COLUMN", "DATASET_VERSION", "MODEL", "MODEL_VERSION", "RUN", "JOB"}
    ]
    ids = {one.kind: one.native_id for one in (table, column, version, model, three, run, job, *others)}

    def edge(up: AssetKind, down: AssetKind, kind: EdgeKind, **more: Any) -> Edge:
        return Edge(ids[up], ids[down], kind, **more)

    k = AssetKind
    edges = [
        edge(k.COLUMN, k.DATASET, EdgeKind.PART_OF),
        edge(k.DATASET_VERSION, k.DATASET, EdgeKind.VERSION_OF, valid_from=T0),
        edge(k.MODEL_VERSION, k.MODEL, EdgeKind.VERSION_OF, valid_from=T0),
        edge(k.MODEL_VERSION, k.MODEL, EdgeKind.ALIAS_OF, alias="champion", valid_from=T0, valid_to=T0 + timedelta(1)),
        edge(k.DATASET_VERSION, k.RUN, EdgeKind.READ, role=Role.TRAINING, evidence=Evidence.OBSERVED, valid_from=T0),
        edge(k.PROMPT_VERSION, k.RUN, EdgeKind.READ, role=Role.PROMPT, flow=2),
        edge(k.RUN, k.MODEL_VERSION, EdgeKind.WRITE, evidence=Evidence.OBSERVED, valid_from=T0),
        edge(k.RUN, k.EXPERIMENT, EdgeKind.PART_OF),
        edge(k.RUN, k.JOB, EdgeKind.RUN_OF),
        edge(k.CODE, k.RUN, EdgeKind.READ, role=Role.CODE),
        edge(k.COLUMN, k.FEATURE, EdgeKind.DERIVE, via=ids[k.RUN], transformation="DIRECT/SUM"),
        edge(k.FEATURE, k.FEATURE_TABLE, EdgeKind.PART_OF),
        edge(k.MODEL_VERSION, k.DEPLOYMENT, EdgeKind.DEPLOY, weight=0.5),
        edge(k.MODEL_VERSION, k.EVALUATION, EdgeKind.CHECK, via=ids[k.RUN]),
        edge(k.DATASET, k.DASHBOARD, EdgeKind.DERIVE, evidence=Evidence.STATED, confidence=0.3),
        edge(k.DATASET, k.JOB, EdgeKind.READ),
        edge(k.JOB, k.INDEX, EdgeKind.WRITE, planned=True, outcome=RunState.FAILED),
        edge(k.JOB, k.JOB, EdgeKind.ORDER),
        edge(k.AGENT, k.OTHER, EdgeKind.DERIVE),
        Edge("dataset:nobody", ids[k.ARTIFACT], EdgeKind.DERIVE),
        Edge(failed.native_id, ids[k.DATASET], EdgeKind.WRITE, planned=True, outcome=RunState.FAILED),
    ]
    records = [table, column, version, model, three, run, failed, job, *others]
    return graph_of(records, edges, {ids[k.PROMPT]: T0 + timedelta(days=2)})


def many_outputs(count: int) -> Graph:
    outputs = [table(f"db.s.x{n}", column_lineage(k=[("db.s.a", "k")], m=[("db.s.a", "m")])) for n in range(count)]
    return Graph.told([body(run_event("START", minute=1)), body(run_event(inputs=[table("db.s.a")], outputs=outputs))])
