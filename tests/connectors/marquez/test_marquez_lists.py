"""What Marquez' lists add to its feed, noun by noun."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from watersmeet.config.settings import Source
from watersmeet.connectors.marquez.cursor import KNOWN, Mark
from watersmeet.connectors.marquez.heard import Heard
from watersmeet.connectors.marquez.names import moment, spell, stored
from watersmeet.connectors.marquez.read import Marquez
from watersmeet.connectors.marquez.sandbox import Sandbox
from watersmeet.federation.model import AssetKind, EdgeKind, Evidence, Form, Nature, RunState, Spelling

from ..conftest import NOW, Told

SPEC = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs"
ORDERS = ("postgres://db:5432", "shop.public.orders")


def run_event(name: str, kind: str = "COMPLETE", at: str = "2026-11-26T08:00:00Z", **more: Any) -> dict[str, Any]:
    return {
        "eventType": kind,
        "eventTime": at,
        "run": {"runId": "870492da-ecfb-4be0-91b9-9a89ddd3db90", "facets": {}},
        "job": {"namespace": "shop", "name": name, "facets": {}},
        "inputs": [],
        "outputs": [],
        "producer": "https://example.org/p",
        "schemaURL": f"{SPEC}/RunEvent",
        **more,
    }


def dataset_event(namespace: str, name: str, **facets: Any) -> dict[str, Any]:
    dataset = {"namespace": namespace, "name": name, "facets": facets}
    common = {"eventTime": "2026-11-26T08:00:00Z", "producer": "https://example.org/p"}
    return {**common, "schemaURL": f"{SPEC}/DatasetEvent", "dataset": dataset}


def schema(*names: str) -> dict[str, Any]:
    return {"fields": [{"name": name, "type": "int", "description": f"the {name}"} for name in names]}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(empty=True) as running:
        yield running


@pytest.fixture
def read(sandbox: Sandbox) -> Iterator[Callable[[], Told]]:
    source = Source.model_validate({"name": "lab", "platform": "marquez", "url": sandbox.url})
    connector = Marquez(source, clock=lambda: NOW)
    yield lambda: Told.by(connector.read(None))
    connector.close()


def test_a_dataset_that_no_run_named_is_told_whole(sandbox: Sandbox, read: Callable[[], Told]):
    documentation = {"description": "All orders."}
    sandbox.seed([dataset_event(*ORDERS, schema=schema("id", "total"), documentation=documentation)])
    sandbox.call("POST", "namespaces", ORDERS[0], "datasets", ORDERS[1], "tags", "PII")
    sandbox.call("POST", "namespaces", ORDERS[0], "datasets", ORDERS[1], "fields", "id", "tags", "KEY")
    told = read()
    record = told.records["/".join(ORDERS)]
    assert (record.kind, record.described, record.description) == (AssetKind.DATASET, True, "All orders.")
    assert record.facets["tags"] == [{"key": "PII"}]
    assert [row["name"] for row in record.facets["schema"]] == ["id", "total"]
    column = told.records["/".join(ORDERS) + "#id"]
    assert (column.kind, column.subtype, column.description) == (AssetKind.COLUMN, "int", "the id")
    assert column.facets == {"tags": [{"key": "KEY"}]}
    assert column.spellings == (Spelling(Form.FIELD, (*ORDERS, "id")),)
    assert told.pairs(EdgeKind.PART_OF) == {
        (f"{'/'.join(ORDERS)}#{name}", "/".join(ORDERS)) for name in ("id", "total")
    }


def test_of_a_dataset_of_the_feed_only_what_the_feed_cannot_know(sandbox: Sandbox, read: Callable[[], Told]):
    """What kind of thing it is the events say; to Marquez everything is a DB_TABLE."""
    facets = {"schema": schema("id", "total"), "datasetType": {"datasetType": "MODEL"}}
    sandbox.seed([run_event("j", outputs=[{"namespace": ORDERS[0], "name": ORDERS[1], "facets": facets}])])
    sandbox.call("POST", "namespaces", ORDERS[0], "datasets", ORDERS[1], "fields", "id", "tags", "KEY")
    told = read()
    record = told.records["/".join(ORDERS)]
    assert (record.kind, record.described) == (AssetKind.OTHER, False)
    assert "schema" not in record.facets
    assert {name for name in told.records if "#" in name} == {"/".join(ORDERS) + "#id"}


def test_times_that_move_by_themselves_are_no_part_of_what_is_said(sandbox: Sandbox, read: Callable[[], Told]):
    sandbox.seed([run_event("j", outputs=[{"namespace": ORDERS[0], "name": ORDERS[1], "facets": {}}])])
    first = read().scopes
    sandbox.seed([run_event("j", at="2026-11-26T09:00:00Z", outputs=[{"namespace": ORDERS[0], "name": ORDERS[1]}])])
    assert read().scopes == first


def test_a_symlinks_name_is_a_hint(sandbox: Sandbox, read: Callable[[], Told]):
    links = {"identifiers": [{"namespace": "hive://metastore:9083", "name": "db.t", "type": "TABLE"}]}
    sandbox.seed([run_event("j", outputs=[{"namespace": "file", "name": "/lake/t", "facets": {"symlinks": links}}])])
    told = read()
    assert told.records["file//lake/t"].spellings == (
        Spelling(Form.OPENLINEAGE, ("file", "/lake/t")),
        Spelling(Form.NAME, ("db.t",), weak=True),
    )
    assert told.failures == []


def test_spellings_that_are_one_place_are_one_record(sandbox: Sandbox, read: Callable[[], Told]):
    sandbox.seed([dataset_event("postgresql://DB:5432", "shop.public.orders", schema=schema("id"))])
    record = read().records["postgres://db:5432/shop.public.orders"]
    assert record.spellings[0].parts == ("postgresql://DB:5432", "shop.public.orders")


def test_a_name_that_may_be_none_is_left_to_the_feed(sandbox: Sandbox, read: Callable[[], Told]):
    place = "duckdb://shop.duckdb"
    inputs = [{"namespace": place, "name": name} for name in ("read_parquet", "shop.main.orders")]
    sandbox.seed([run_event("j", inputs=inputs)])
    assert {name for name in read().records if name.startswith(place)} == {f"{place}/shop.main.orders"}


def test_a_job_with_what_people_and_code_say_of_it(sandbox: Sandbox, read: Callable[[], Told]):
    facets = {
        "documentation": {"description": "Copies."},
        "sourceCodeLocation": {"type": "git", "url": "https://example.org/repo/copy.py"},
    }
    sandbox.seed([run_event("copy", job={"namespace": "shop", "name": "copy", "facets": facets})])
    sandbox.call("POST", "namespaces", "shop", "jobs", "copy", "tags", "gold")
    record = read().records["job:shop/copy"]
    assert (record.kind, record.name, record.description) == (AssetKind.JOB, "copy", "Copies.")
    assert record.facets["tags"] == [{"key": "gold"}]
    assert record.facets["links"] == [{"name": "code", "url": "https://example.org/repo/copy.py"}]


@pytest.mark.parametrize(
    ("kind", "state", "planned"),
    [("COMPLETE", RunState.SUCCEEDED, False), ("FAIL", RunState.FAILED, True), ("ABORT", RunState.ABORTED, True)],
)
def test_runs_that_the_feed_has_forgotten_come_with_their_job(
    kind: str, state: RunState, planned: bool, sandbox: Sandbox, read: Callable[[], Told]
):
    """As where `dbRetention` has emptied the feed and not yet the model."""
    one = [{"namespace": "s3://lake", "name": "in"}], [{"namespace": "s3://lake", "name": "out"}]
    sandbox.seed([run_event("copy", "START", inputs=one[0], outputs=one[1])])
    sandbox.seed([run_event("copy", kind, "2026-11-26T08:05:00Z", inputs=one[0], outputs=one[1])])
    sandbox.world.events.clear()
    told = read()
    [scope] = [scope for scope in told.scopes if scope.family == "listed-run"]
    run = scope.records[0].run
    assert scope.nature is Nature.HAPPENED
    assert run is not None
    assert (run.state, run.started_at, run.ended_at) == (
        state,
        datetime(2026, 11, 26, 8, tzinfo=UTC),
        datetime(2026, 11, 26, 8, 5, tzinfo=UTC),
    )
    written = [edge for edge in scope.edges if edge.kind is EdgeKind.WRITE]
    assert [(edge.downstream, edge.planned, edge.evidence) for edge in written] == [
        ("s3://lake/out", planned, Evidence.OBSERVED)
    ]
    assert told.pairs(EdgeKind.RUN_OF) == {("run:870492da-ecfb-4be0-91b9-9a89ddd3db90", "job:shop/copy")}


def test_a_declared_task_is_part_of_its_parent(sandbox: Sandbox, read: Callable[[], Told]):
    sandbox.seed([run_event("nightly")])
    parent = {"run": {"runId": "870492da-ecfb-4be0-91b9-9a89ddd3db90"}, "job": {"namespace": "shop", "name": "nightly"}}
    told_run = {"runId": "570492da-ecfb-4be0-91b9-9a89ddd3db91", "facets": {"parent": parent}}
    sandbox.seed([run_event("extract", run=told_run)])
    sandbox.world.events = [one for one in sandbox.world.events if one[2]["job"]["name"] == "nightly"]
    assert read().pairs(EdgeKind.PART_OF) == {("job:shop/extract", "job:shop/nightly")}


def test_two_jobs_that_became_one_namespace_keep_their_own():
    heard = Heard()
    heard.note({"job": {"namespace": "a b", "name": "x"}})
    assert heard.job(stored("a b"), "x") == ("a b", "x")
    assert heard.job(stored("a b"), "y") is None


@pytest.mark.parametrize(
    "broken", [{}, {"job": None}, {"job": {"name": "x"}}, {"job": []}, {"inputs": [None, {"name": 1}]}]
)
def test_events_without_names_teach_nothing(broken: dict[str, Any]):
    heard = Heard()
    heard.note(broken)
    assert not list(heard.jobs)
    assert heard.datasets == {}


class TestMark:
    def test_it_survives_the_store(self):
        mark = Mark(newest=NOW, sweep=NOW - timedelta(days=1), snapshot_at=NOW, failures=("x",))
        mark.heard(bytes([number] * 8) for number in range(5))
        mark.listed = {b"abcd", b"efgh"}
        assert Mark.of(mark.json()) == mark

    def test_it_stays_small(self):
        mark = Mark()
        mark.heard(number.to_bytes(8) for number in range(KNOWN + 10))
        assert len(mark.known) == KNOWN
        assert (KNOWN + 9).to_bytes(8) in mark.known

    @pytest.mark.parametrize("stored", [None, {}, {"format": 0, "newest": "2026-01-01T00:00:00Z"}])
    def test_another_format_is_as_none(self, stored: Any):
        assert Mark.of(stored) == Mark()


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-01-01T10:00:00Z", datetime(2026, 1, 1, 10, tzinfo=UTC)),
        ("2026-01-01T10:00:00.5Z", datetime(2026, 1, 1, 10, 0, 0, 500_000, tzinfo=UTC)),
        ("2026-01-01T10:00:00.123456789Z", datetime(2026, 1, 1, 10, 0, 0, 123_456, tzinfo=UTC)),
        ("2026-01-01T20:00:00+10:00", datetime(2026, 1, 1, 10, tzinfo=UTC)),
        ("2026-01-01T10:00:00", datetime(2026, 1, 1, 10, tzinfo=UTC)),
        ("yesterday", None),
        (None, None),
        (7, None),
    ],
)
def test_times_are_read_as_they_are_written(text: Any, at: datetime | None):
    assert moment(text) == at
    assert at is None or moment(spell(at)) == at
