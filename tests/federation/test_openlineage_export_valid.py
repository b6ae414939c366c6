"""What others make of our events: the legacy profile, and the schemas of OpenLineage."""

import json
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import orjson
import pytest

from watersmeet.federation.model import (
    AssetKind,
    Edge,
    EdgeKind,
    Form,
    Role,
    Spelling,
)
from watersmeet.federation.openlineage import Profile, Subject, admit, export, lines

from .openlineage_events import KEY, PG, body, column_lineage, facet, met, run_event, scope_of, table, taken
from .openlineage_graphs import (
    EMITTERS,
    Graph,
    graph_of,
    many_outputs,
    platform,
    recorded,
    thing,
)

# The legacy profile


@pytest.mark.parametrize("name", EMITTERS)
def test_the_legacy_profile_tells_the_same_pairs_in_runs_alone(shared: Path, name: str) -> None:
    """OpenLineage, export check 4, without a Marquez: inputs by outputs of each run are the pairs that met."""
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
    """OpenLineage, export check 1."""
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
