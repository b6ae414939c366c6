"""The graph as OpenLineage events: valid for others, complete for ourselves."""

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

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
from watersmeet.federation.openlineage import Gathered, export, lines

from ..scale import examples
from .openlineage_events import PG, body, facet, run_event, table
from .openlineage_graphs import (
    EMITTERS,
    T0,
    Graph,
    assert_comes_back,
    graph_of,
    many_outputs,
    platform,
    recorded,
    thing,
)

# Round trip


@pytest.mark.parametrize("name", EMITTERS)
def test_what_real_emitters_told_comes_back_whole(shared: Path, name: str) -> None:
    """OpenLineage, export check 2."""
    assert_comes_back(recorded(shared, name))


def test_things_and_edges_of_every_kind_come_back() -> None:
    """OpenLineage, export check 2."""
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


@pytest.mark.law
@settings(max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(graphs())
def test_any_graph_comes_back(graph: Graph) -> None:
    """OpenLineage, export check 2, as a law. What is unset (an empty text) and what is absent are one."""
    assert_comes_back(graph)


@pytest.mark.law
@settings(max_examples=examples(40), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(graphs())
def test_equal_graphs_give_equal_bytes(graph: Graph) -> None:
    """OpenLineage, export check 3."""
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
    """OpenLineage, export check 15."""
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
    """OpenLineage, export check 8."""
    one, other = ({event["run"]["runId"] for event in export(platform().source) if "run" in event} for _ in range(2))
    assert one == other
    own = Record("run:0190a0e0-0000-7000-8000-000000000001", AssetKind.RUN, "r", run=Run(RunState.RUNNING, T0))
    assert {event["run"]["runId"] for event in export(graph_of([own], []).source)} == {own.native_id[4:]}


def test_columns_and_transformations_go_out() -> None:
    """OpenLineage, export check 6."""
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
    """OpenLineage, export check 7."""
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
    """OpenLineage, export check 9."""
    table = thing(AssetKind.DATASET, "t", Spelling(Form.OPENLINEAGE, (PG, "db.s.t")), updated_at=T0)
    [event] = export(graph_of([table], [], {table.native_id: T0 + timedelta(hours=3)}).source)
    assert event["eventTime"] == "2026-03-01T13:00:00+00:00"
    assert event["dataset"]["facets"]["lifecycleStateChange"]["lifecycleStateChange"] == "DROP"


def test_secrets_do_not_go_out() -> None:
    """OpenLineage, export check 10."""
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
    """OpenLineage, receive check 9: kept JSON-equal and exported back."""
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


def test_a_long_event_is_told_in_several_and_they_add_up_to_the_same() -> None:
    """OpenLineage, export check 5."""
    graph = many_outputs(40)
    whole = list(export(graph.source))
    parts = list(export(graph.source, limit=10_000))
    assert max(len(line) for line in lines(whole)) > 10_000
    assert max(len(line) for line in lines(parts)) <= 10_000
    again = Graph.told(lines(parts))
    assert (again.records, again.edges) == (graph.records, graph.edges)
