"""The graph as OpenLineage events: valid for others, complete for ourselves."""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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
from watersmeet.federation.openlineage import Gathered, Profile, Subject, admit, export, lines, project

from .openlineage_events import KEY, PG, body, column_lineage, facet, met, run_event, scope_of, table, taken

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


# Round trip


@pytest.mark.parametrize("name", EMITTERS)
def test_what_real_emitters_told_comes_back_whole(shared: Path, name: str) -> None:
    """Export 2."""
    assert_comes_back(recorded(shared, name))


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


def test_things_and_edges_of_every_kind_come_back() -> None:
    """Export 2."""
    graph = platform()
    assert {record.kind for record in graph.records.values()} == set(AssetKind)
    assert {edge.kind for edge in graph.edges} == set(EdgeKind)
    assert_comes_back(graph)


times = st.none() | st.integers(0, 5).map(lambda hours: T0 + timedelta(hours=hours))
words = st.sampled_from(["a", "b.c", "größe", "x/y", "k=v;x", 'quo"te', "#1", " "])
spellings = st.one_of(
    st.builds(lambda a, b: Spelling(Form.OPENLINEAGE, (a, b)), words, words),
    st.builds(lambda a, b: Spelling(Form.SYMLINK, (a, b, "TABLE")), words, words),
    st.builds(lambda a: Spelling(Form.URI, (f"s3://{a}/x",), weak=True), words),
    st.builds(lambda a: Spelling(Form.NATIVE, ("src", a)), words),
)
facets = st.dictionaries(
    st.sampled_from(["owners", "schema", "openlineage:schema", "acme", "parameters", "version", "result", "links"]),
    st.one_of(
        st.just(facet(fields=[{"name": "c", "type": "int"}])), st.just([{"name": "c"}]), st.just({"a": 1}), words
    ),
    max_size=3,
)


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    records: list[Record] = []
    for number in range(draw(st.integers(1, 6))):
        kind = draw(st.sampled_from(list(AssetKind)))
        life = Run(draw(st.sampled_from(list(RunState))), draw(times), draw(times), draw(st.none() | words))
        records.append(
            Record(
                native_id=f"{draw(words)}:{number}",
                kind=kind,
                name=draw(words),
                subtype=draw(st.none() | words),
                described=draw(st.booleans()),
                description=draw(st.none() | words),
                created_at=draw(times),
                updated_at=draw(times),
                run=life if kind is AssetKind.RUN else None,
                spellings=tuple(
                    sorted(set(draw(st.lists(spellings, max_size=3))), key=lambda s: (s.form, s.parts, s.weak))
                ),
                facets=draw(facets),
                suspect=draw(st.booleans()),
            )
        )
    ids = st.sampled_from([record.native_id for record in records])
    edges = st.builds(
        Edge,
        ids,
        ids,
        st.sampled_from(list(EdgeKind)),
        role=st.none() | st.sampled_from(list(Role)),
        flow=st.integers(0, 2),
        evidence=st.sampled_from(list(Evidence)),
        confidence=st.sampled_from([1.0, 0.5]),
        via=st.none() | ids,
        planned=st.booleans(),
        outcome=st.none() | st.sampled_from(list(RunState)),
        valid_from=times,
        valid_to=times,
        transformation=st.none() | st.sampled_from(["DIRECT/IDENTITY", "anything"]),
        alias=st.none() | words,
        weight=st.none() | st.just(0.25),
    )
    return graph_of(records, draw(st.lists(edges, max_size=8)))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(graphs())
def test_any_graph_comes_back(graph: Graph) -> None:
    """Export 2, as a law. What is unset (an empty text) and what is absent are one."""
    assert_comes_back(graph)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(graphs())
def test_equal_graphs_give_equal_bytes(graph: Graph) -> None:
    """Export 3."""
    turned = Gathered.of(reversed(graph.records.values()), sorted(graph.edges, key=lambda edge: repr(edge)[::-1]))
    assert b"\n".join(lines(export(turned))) == b"\n".join(lines(export(graph.source)))


# What others read


def by_name(events: Iterable[Any], name: str) -> list[Any]:
    found = list[Any]()
    for event in events:
        named = event.get("dataset") or event["job"]
        if named["name"] == name:
            found.append(event)
    return found


def test_things_go_out_under_the_names_of_their_platforms_and_as_what_they_are() -> None:
    events = list(export(platform().source))
    [orders] = by_name(events, "shop.s.orders")
    assert orders["dataset"]["namespace"] == PG
    assert orders["dataset"]["facets"]["ownership"]["owners"] == [{"name": "ada", "type": "boss"}]
    assert orders["dataset"]["facets"]["schema"]["fields"] == [{"name": "id", "type": "int"}]
    [three] = by_name(events, "models/churn/3")
    assert three["dataset"]["namespace"] == "mlflow://h:5000"
    assert three["dataset"]["facets"]["datasetType"]["datasetType"] == "MODEL_VERSION"
    types = {event["dataset"]["facets"]["datasetType"]["datasetType"] for event in events if "dataset" in event}
    assert {"MODEL", "ENDPOINT", "PROMPT", "EVALUATION", "TABLE"} <= types


def test_runs_come_last_and_by_time_each_start_before_its_end() -> None:
    late, early = (
        thing(AssetKind.RUN, name, run=Run(RunState.SUCCEEDED, T0 + timedelta(hours=n), T0 + timedelta(hours=n + 1)))
        for name, n in (("a", 5), ("b", 1))
    )
    job = thing(AssetKind.JOB, "j", Spelling(Form.OPENLINEAGE_JOB, ("prod", "j")))
    table = thing(AssetKind.DATASET, "t")
    events = list(export(graph_of([late, early, job, table], []).source))
    assert [event.get("eventType") or event["schemaURL"].rpartition("/")[2] for event in events] == [
        "DatasetEvent",
        "JobEvent",
        "START",
        "COMPLETE",
        "START",
        "COMPLETE",
    ]
    times = [event["eventTime"] for event in events[2:]]
    assert times == sorted(times)


def test_a_run_without_a_uuid_always_gets_the_same_one() -> None:
    """Export 8."""
    one, other = ({event["run"]["runId"] for event in export(platform().source) if "run" in event} for _ in range(2))
    assert one == other
    own = Record("run:0190a0e0-0000-7000-8000-000000000001", AssetKind.RUN, "r", run=Run(RunState.RUNNING, T0))
    assert {event["run"]["runId"] for event in export(graph_of([own], []).source)} == {own.native_id[4:]}


def test_columns_and_transformations_go_out() -> None:
    """Export 6."""
    fields = {
        "total": {
            "inputFields": [
                {
                    "namespace": PG,
                    "name": "db.s.a",
                    "field": "k",
                    "transformations": [
                        {"type": "DIRECT", "subtype": "AGGREGATION", "masking": True},
                        {"type": "INDIRECT", "subtype": "JOIN", "masking": False},
                    ],
                }
            ]
        }
    }
    event = run_event(inputs=[table("db.s.a")], outputs=[table("db.s.x", {"columnLineage": facet(fields=fields)})])
    graph = Graph.told([body(event)])
    [end] = [one for one in export(graph.source) if one.get("eventType") == "COMPLETE"]
    told = end["outputs"][0]["facets"]["columnLineage"]["fields"]
    assert told == fields


def test_aliases_go_out_as_symlinks() -> None:
    """Export 7."""
    table = thing(
        AssetKind.DATASET,
        "t",
        Spelling(Form.OPENLINEAGE, (PG, "db.s.t")),
        Spelling(Form.OPENLINEAGE, ("s3://lake", "t")),
        Spelling(Form.SYMLINK, ("hive://m:9083", "d.t", "TABLE")),
        subtype="table",
    )
    [event] = export(graph_of([table], []).source)
    told = [(one["namespace"], one["name"]) for one in event["dataset"]["facets"]["symlinks"]["identifiers"]]
    assert (event["dataset"]["namespace"], event["dataset"]["name"]) == (PG, "db.s.t")
    assert told == [("hive://m:9083", "d.t"), ("s3://lake", "t")]


def test_a_tombstone_goes_out_as_a_drop() -> None:
    """Export 9."""
    table = thing(AssetKind.DATASET, "t", Spelling(Form.OPENLINEAGE, (PG, "db.s.t")), updated_at=T0)
    [event] = export(graph_of([table], [], {table.native_id: T0 + timedelta(hours=3)}).source)
    assert event["eventTime"] == "2026-03-01T13:00:00+00:00"
    assert event["dataset"]["facets"]["lifecycleStateChange"]["lifecycleStateChange"] == "DROP"


def test_secrets_do_not_go_out() -> None:
    """Export 10."""
    run = thing(
        AssetKind.RUN,
        "r",
        run=Run(RunState.RUNNING, T0),
        facets={"parameters": {"api_key": "s3cret"}, "env": {"A": "s3cret"}},
    )
    table = thing(AssetKind.DATASET, "t", url="postgres://a:s3cret@h/", facets={"x": facet(password="s3cret")})
    told = b"".join(lines(export(graph_of([run, table], []).source)))
    assert b"s3cret" not in told
    assert told.count(b"[redacted: ") >= 4


def test_unknown_facets_go_out_as_they_came() -> None:
    """Receive 9: kept JSON-equal and exported back."""
    strange = facet(list=[1, 2.5, None, {"deep": [True]}], text="Größe")
    event = run_event(
        outputs=[table("db.s.x", {"acme_x": strange})], run_facets={"acme_r": strange}, job_facets={"acme_j": strange}
    )
    events = list(export(Graph.told([body(event)]).source))
    assert by_name(events, "db.s.x")[0]["dataset"]["facets"]["acme_x"] == strange
    assert by_name(events, "marts")[0]["job"]["facets"]["acme_j"] == strange
    assert by_name(events, "marts")[-1]["run"]["facets"]["acme_r"] == strange


def test_a_name_that_may_be_no_dataset_joins_nothing_in_the_target(shared: Path) -> None:
    events = list(export(recorded(shared, "dbt_shop").source))
    assert by_name(events, "read_parquet") == []
    names = {one["name"] for event in events for one in event.get("inputs", ())}
    assert len([name for name in names if name.endswith("/read_parquet")]) == 2


# Size


def many_outputs(count: int) -> Graph:
    outputs = [table(f"db.s.x{n}", column_lineage(k=[("db.s.a", "k")], m=[("db.s.a", "m")])) for n in range(count)]
    return Graph.told([body(run_event("START", minute=1)), body(run_event(inputs=[table("db.s.a")], outputs=outputs))])


def test_a_long_event_is_told_in_several_and_they_add_up_to_the_same() -> None:
    """Export 5."""
    graph = many_outputs(40)
    whole = list(export(graph.source))
    parts = list(export(graph.source, limit=10_000))
    assert max(len(line) for line in lines(whole)) > 10_000
    assert max(len(line) for line in lines(parts)) <= 10_000
    again = Graph.told(lines(parts))
    assert (again.records, again.edges) == (graph.records, graph.edges)


# The legacy profile


@pytest.mark.parametrize("name", EMITTERS)
def test_the_legacy_profile_tells_the_same_pairs_in_runs_alone(shared: Path, name: str) -> None:
    """Export 4, as far as it needs no Marquez: inputs by outputs of each run are the pairs that met."""
    graph = recorded(shared, name)
    events = list(export(graph.source, profile=Profile.LEGACY))
    assert {event["schemaURL"].rpartition("/")[2] for event in events} == {"RunEvent"}
    assert pairs_of_lists(events) == pairs_of_flows(graph)


def pairs_of_lists(events: Iterable[Any]) -> set[tuple[str, str]]:
    return {
        (f"{up['namespace']}/{up['name']}", f"{down['namespace']}/{down['name']}")
        for event in events
        for up in event["inputs"]
        for down in event["outputs"]
    }


def pairs_of_flows(graph: Graph) -> set[tuple[str, str]]:
    whole = {edge.upstream: edge.downstream for edge in graph.edges if edge.kind is EdgeKind.VERSION_OF}

    def name(native_id: str) -> str:
        native_id = whole.get(native_id, native_id)
        return f"watersmeet/{native_id}" if graph.records[native_id].suspect else native_id

    reads: dict[tuple[str, int], set[str]] = defaultdict(set)
    for edge in graph.edges:
        if edge.kind is EdgeKind.READ and edge.role is not Role.CODE:
            reads[edge.downstream, edge.flow].add(name(edge.upstream))
    return {
        (up, name(edge.downstream))
        for edge in graph.edges
        if edge.kind is EdgeKind.WRITE and not edge.planned
        for up in reads[edge.upstream, edge.flow]
    }


def test_what_did_not_meet_does_not_meet_in_the_legacy_profile_either() -> None:
    outputs = [
        table("db.s.x", column_lineage(k=[("db.s.a", "k")])),
        table("db.s.y", column_lineage(k=[("db.s.b", "k")])),
    ]
    entries = [
        {**table(out), "type": "DATASET", "inputs": [{**table(up), "type": "DATASET"}]}
        for out, up in (("db.s.x", "db.s.a"), ("db.s.y", "db.s.b"))
    ]
    for event in (
        run_event(inputs=[table("db.s.a"), table("db.s.b")], outputs=outputs),
        run_event(job_facets={"lineage": facet(entries=entries)}),
    ):
        assert met(scope_of(event)) == {("a", "x"), ("b", "y")}
        graph = Graph.told([body(event)])
        told = pairs_of_lists(export(graph.source, profile=Profile.LEGACY))
        if "lineage" in event["job"]["facets"]:
            assert told == pairs_of_flows(graph)
        full = [one for one in export(graph.source) if one.get("eventType") == "COMPLETE"]
        assert met(scope_of(*full)) == {("a", "x"), ("b", "y")}


def test_a_declared_lineage_becomes_a_run_in_the_legacy_profile() -> None:
    up, down = (thing(AssetKind.DATASET, name, Spelling(Form.OPENLINEAGE, (PG, name))) for name in ("db.s.a", "db.s.x"))
    job = thing(AssetKind.JOB, "j", Spelling(Form.OPENLINEAGE_JOB, ("prod", "j")))
    edges = [
        Edge(up.native_id, job.native_id, EdgeKind.READ),
        Edge(job.native_id, down.native_id, EdgeKind.WRITE),
        Edge(up.native_id, down.native_id, EdgeKind.DERIVE),
    ]
    events = list(export(graph_of([up, down, job], edges).source, profile=Profile.LEGACY))
    assert [event["job"]["name"] for event in events] == ["derive:dataset:db.s.x", "j"]
    assert pairs_of_lists(events) == {(f"{PG}/db.s.a", f"{PG}/db.s.x")}


def test_a_subject_is_all_that_an_export_needs_to_know() -> None:
    """Any graph that can give its subjects can be exported, not only one in memory."""

    class Shelf:
        def datasets(self) -> Iterable[Subject]:
            yield Subject(thing(AssetKind.DATASET, "t"))

        def jobs(self) -> Iterable[Subject]:
            return ()

        def runs(self) -> Iterable[Subject]:
            return ()

    assert len(list(export(Shelf()))) == 1


# Schemas


@pytest.fixture(scope="module")
def validate(shared: Path) -> Any:
    """Checks an event against the core schema and each of its standard facets against its own."""
    from jsonschema import Draft202012Validator, FormatChecker
    from referencing import Registry, Resource

    spec = shared / "data" / "openlineage" / "spec"
    files = [
        spec / "OpenLineage.json",
        *sorted((spec / "facets").glob("*.json")),
        *sorted((spec / "registry").rglob("*Facet.json")),
    ]
    documents = [json.loads(file.read_text()) for file in files]
    registry = Registry().with_resources((one["$id"], Resource.from_contents(one)) for one in documents)
    known = {one["$id"] for one in documents}

    def validator(schema: Any) -> Any:
        return Draft202012Validator(schema, registry=registry, format_checker=FormatChecker())

    core = validator({"$ref": documents[0]["$id"]})
    validators: dict[str, Any] = {}

    def check(event: Any) -> None:
        core.validate(event)
        for one in facets_in(event):
            url = one["_schemaURL"]
            if url.partition("#")[0] in known:
                validators.setdefault(url, validator({"$ref": url})).validate(one)

    return check


def facets_in(event: Any) -> Iterable[Any]:
    holders = [
        event.get("run"),
        event.get("job"),
        event.get("dataset"),
        *event.get("inputs", ()),
        *event.get("outputs", ()),
    ]
    for holder in holders:
        for slot in ("facets", "inputFacets", "outputFacets"):
            yield from ((holder or {}).get(slot) or {}).values()


@pytest.mark.parametrize("profile", list(Profile))
def test_every_event_is_valid(shared: Path, validate: Any, profile: Profile) -> None:
    """Export 1."""
    count = 0
    for graph in (platform(), many_outputs(5), *(recorded(shared, name) for name in EMITTERS)):
        for line in lines(export(graph.source, profile=profile)):
            event = orjson.loads(line)
            # Spark's own dataSource says `file` where the schema wants a URI; what came is exported as it came.
            source = event.get("dataset", {}).get("facets", {}).get("dataSource", {})
            if source.get("uri") == "file":
                source["uri"] = "file:/"
            validate(event)
            count += 1
    assert count > 200


def test_what_goes_out_is_taken_by_our_own_strict_mode() -> None:
    from watersmeet.federation.openlineage import Limits

    for line in lines(export(platform().source)):
        assert admit(line, key=KEY, limits=Limits(strict=True)).cuts == ()
    assert taken(run_event()).entity
