"""Laws of the projection and of the export, over generated events and over all recorded ones."""

import json
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from watersmeet.federation.openlineage import Refused, admit, project, scrub

from ..scale import examples
from .openlineage_events import KEY, body, column_lineage, facet, job_type, run_event, table, taken

RUNS = [f"0190a0e0-0000-7000-8000-{number:012}" for number in range(3)]
NAMES = ["db.s.a", "db.s.b", "s.a", "db.s.x", "generate_series"]

minutes = st.integers(0, 3)
names = st.sampled_from(NAMES)
columns = st.dictionaries(
    st.sampled_from(["k", "_0"]), st.lists(st.tuples(names, st.just("k")), max_size=2), max_size=2
)
lineages = st.builds(
    lambda named, whole: column_lineage(whole, **named), columns, st.lists(st.tuples(names, st.just("f")), max_size=1)
)
schemas = st.just({"schema": facet(fields=[{"name": "k", "type": "int"}])})
changes = st.sampled_from(["CREATE", "DROP"]).map(
    lambda what: {"lifecycleStateChange": facet(lifecycleStateChange=what)}
)
dataset_facets = st.one_of(st.just({}), lineages, schemas, changes, st.just({"version": facet(datasetVersion="1")}))
datasets = st.builds(table, names, dataset_facets)
entries = st.fixed_dictionaries(
    {"type": st.just("DATASET"), "namespace": st.just("postgres://db:5432"), "name": names},
    optional={"inputs": st.lists(st.builds(lambda name: {**table(name), "type": "DATASET"}, names), max_size=2)},
)
job_facets = st.one_of(
    st.just({}),
    st.sampled_from([job_type("SPARK"), job_type("DBT", "MODEL"), job_type("FLINK", "JOB", "STREAMING")]),
    st.lists(entries, max_size=2).map(lambda told: {"lineage": facet(entries=told)}),
)
run_facets = st.dictionaries(
    st.sampled_from(["a", "b"]), st.builds(lambda x: facet(x=x), st.integers(0, 2)), max_size=2
)
run_events = st.builds(
    run_event,
    st.sampled_from(["START", "RUNNING", "COMPLETE", "FAIL", "ABORT", "OTHER", None]),
    minute=minutes,
    inputs=st.lists(datasets, max_size=2),
    outputs=st.lists(datasets, max_size=2),
    run_facets=run_facets,
    job_facets=job_facets,
)
declared = st.one_of(
    run_events.map(lambda event: {**event, "run": None, "eventType": None}),
    st.builds(
        lambda one, minute: {"dataset": one, "eventTime": run_event(minute=minute)["eventTime"]}, datasets, minutes
    ),
)


def said(events: Iterable[Any]) -> dict[str, Any]:
    entities: dict[str, list[bytes]] = defaultdict(list)
    for event in events:
        admitted = taken(event)
        entities[admitted.entity].append(admitted.body)
    return {entity: project(entity, bodies) for entity, bodies in entities.items()}


def assert_one_projection(events: list[Any], seed: int) -> None:
    told = said(events)
    assert said(reversed(events)) == told
    shuffled = [*events, *events[: len(events) // 2]]
    random.Random(seed).shuffle(shuffled)
    assert said(shuffled) == told


@pytest.mark.law
@settings(max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(run_events, min_size=1, max_size=5), st.integers(0, 9))
def test_events_of_a_run_add_up_to_one_thing_in_any_order_and_number(events: list[Any], seed: int) -> None:
    """OpenLineage, receive check 1. OpenLineage, receive check 2."""
    assert_one_projection(events, seed)


@pytest.mark.law
@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(declared, min_size=1, max_size=4), st.integers(0, 9))
def test_declarations_add_up_to_one_thing_in_any_order_and_number(events: list[Any], seed: int) -> None:
    assert_one_projection(events, seed)


@pytest.mark.law
@settings(max_examples=examples(100), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(run_events, min_size=1, max_size=4))
def test_a_scope_holds_together(events: list[Any]) -> None:
    for projection in said(events).values():
        for scope in projection.scopes:
            known = {record.native_id for record in scope.records}
            assert len(known) == len(scope.records)
            assert len(set(scope.edges)) == len(scope.edges)
            assert {end for edge in scope.edges for end in (edge.upstream, edge.downstream)} <= known
            flows = {edge.flow for edge in scope.edges}
            assert flows <= set(range(len(scope.edges) + 1))


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
WORDS = [
    "runId",
    "facets",
    "namespace",
    "name",
    "inputs",
    "fields",
    "inputFields",
    "dataset",
    "entries",
    "parent",
    "job",
]
nonsense = st.recursive(
    json_values, lambda inner: st.dictionaries(st.sampled_from(WORDS), inner, max_size=4), max_leaves=12
)


@pytest.mark.law
@settings(max_examples=examples(200), deadline=None)
@given(
    st.dictionaries(st.sampled_from(["columnLineage", "schema", "lineage", "symlinks", "version", "tags"]), nonsense),
    st.dictionaries(st.sampled_from(["parent", "jobDependencies", "test", "executionParameters"]), nonsense),
    st.dictionaries(st.sampled_from(["lineage", "jobType", "sourceCodeLocation", "sql"]), nonsense),
)
def test_no_facet_brings_the_projection_down(of_dataset: Any, of_run: Any, of_job: Any) -> None:
    event = run_event(
        inputs=[table("db.s.a", of_dataset)],
        outputs=[table("db.s.b", of_dataset)],
        run_facets=of_run,
        job_facets=of_job,
    )
    assert len(said([event])) == 1
    assert len(said([{**event, "run": None, "eventType": None}])) == 1
    assert len(said([{"dataset": table("db.s.a", of_dataset)}])) == 1


@pytest.mark.law
@settings(max_examples=examples(200), deadline=None)
@given(nonsense | st.dictionaries(st.sampled_from(["run", "job", "inputs", "outputs", "dataset"]), nonsense))
def test_whatever_is_posted_is_taken_or_refused(value: Any) -> None:
    raw = body(value)
    try:
        admitted = admit(raw, key=KEY)
    except Refused as error:
        told = (error.status in (400, 422), error.path[:1])
    else:
        told = (len(project(admitted.entity, [admitted.body]).scopes) == 1, "$")
    assert told == (True, "$")
    assert isinstance(scrub(raw), bytes)


@pytest.mark.law
@settings(max_examples=examples(200), deadline=None)
@given(st.binary(max_size=60))
def test_bytes_that_are_no_event_are_refused_and_can_be_scrubbed(raw: bytes) -> None:
    with pytest.raises(Refused):
        admit(raw, key=KEY)
    scrub(raw).decode()


# Recorded events


def corpora(shared: Path) -> Iterator[tuple[str, list[Any]]]:
    data = shared / "data"
    for file in sorted((data / "emitters").glob("*.ndjson")):
        yield file.stem, [json.loads(line)["body"] for line in file.read_text().splitlines()]
    for folder in sorted((data / "openlineage" / "events").iterdir()):
        yield folder.name, [json.loads(file.read_text()) for file in sorted(folder.glob("*.json"))]
    for folder in ("apples", "open_lineage", "open_lineage/listener"):
        yield folder, [json.loads(file.read_text()) for file in sorted((data / "marquez" / folder).glob("*.json"))]
    yield "seed", _seed(data / "marquez" / "seed" / "metadata.template.json")


def _seed(file: Path) -> list[Any]:
    text = file.read_text().replace("{{RUN_START_TIME}}", "2026-01-01T10:00:00Z")
    for minutes_after in range(5, 11):
        text = text.replace(
            f"{{{{RUN_END_TIME_AFTER_{minutes_after}_MINUTES}}}}", f"2026-01-01T10:{minutes_after:02}:00Z"
        )
    return json.loads(text)


def test_recorded_events_add_up_to_one_thing_in_any_order_and_number(shared: Path) -> None:
    """OpenLineage, receive check 1. OpenLineage, receive check 2."""
    for number, (_, events) in enumerate(corpora(shared)):
        assert_one_projection(events, number)


def test_every_recorded_event_is_taken(shared: Path) -> None:
    for name, events in corpora(shared):
        for event in events:
            assert taken(event).warnings == (), name


def test_the_seed_of_marquez_is_understood_whole(shared: Path) -> None:
    told = said(dict(corpora(shared))["seed"])
    ids = {record.native_id for one in told.values() for scope in one.scopes for record in scope.records}
    assert len([one for one in ids if one.startswith("job:")]) == 13
    assert len([one for one in ids if one.startswith("run:")]) == 13
    datasets = {one for one in ids if one.startswith("food_delivery/") and "#" not in one}
    # Marquez makes 13: it drops the one that only column lineage names.
    assert len(datasets) == 14
