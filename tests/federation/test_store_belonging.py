"""What belongs to an asset, page by page, on both databases."""

from datetime import UTC, datetime, timedelta

import pytest

from watersmeet.federation.connector import Batch
from watersmeet.federation.graph import Cut, Snapshot
from watersmeet.federation.model import (
    AssetKind,
    Direction,
    Edge,
    EdgeKind,
    Form,
    Level,
    Nature,
    Record,
    Run,
    RunState,
    Scope,
    Spelling,
)
from watersmeet.federation.naming import Registry
from watersmeet.federation.rows import SourceRow
from watersmeet.federation.store import Store

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
SAME = (Spelling(Form.OPENLINEAGE, ("postgres://db:5432", "shop.public.orders")),)


def tell(store: Store, source: str, *records: Record, edges: tuple[Edge, ...] = (), scope: str = "it") -> None:
    """A source says something, and it is joined."""
    said = Scope(scope, records, edges, Nature.HAPPENED, NOON)
    store.ledger.write(source, Batch(scopes=(said,)), read_started_at=NOON)
    store.resolve(Registry.EMPTY)


def names(store: Store, ids: list[int]) -> list[str]:
    heads = store.reader.heads(ids)
    return [heads[one].name for one in ids]


def test_runs_come_the_newest_first_and_those_without_a_start_last(store: Store):
    store.journal.declare([SourceRow("a", "a", "mlflow", "http://a", 0)])
    starts = {"r1": 1, "r2": 3, "r3": None, "r4": 3, "r5": 2}
    runs = [
        Record(name, AssetKind.RUN, name, run=Run(RunState.RUNNING, NOON + timedelta(hours=at) if at else None))
        for name, at in starts.items()
    ]
    jobs = [Record(name, AssetKind.JOB, name) for name in ("one", "two", "none")]
    edges = [Edge(run.native_id, "one", EdgeKind.RUN_OF) for run in runs] + [Edge("r1", "two", EdgeKind.RUN_OF)]
    tell(store, "a", *jobs, *runs, edges=tuple(edges))
    one, two, none = (store.reader.find_native([name])[0].asset for name in ("one", "two", "none"))
    found = store.reader.runs_of([one, two, none], 2)
    assert {owner: page.total for owner, page in found.items()} == {one: 5, two: 1}
    seen = [run for run, _ in found[one].page]
    last = found[one].page[-1]
    while True:
        page = store.reader.runs_of([one], 2, (last[1], last[0]))[one].page
        if not page:
            break
        seen += [run for run, _ in page]
        last = page[-1]
    assert names(store, seen) == ["r4", "r2", "r5", "r1", "r3"]
    assert names(store, [run for run, _ in found[two].page]) == ["r1"]


def test_a_part_of_several_records_is_one_under_its_best_name(store: Store):
    store.journal.declare([SourceRow("a", "a", "mlflow", "http://a", 0), SourceRow("b", "b", "marquez", "http://b", 1)])
    for source in ("b", "a"):
        tell(
            store,
            source,
            Record("t", AssetKind.DATASET, "orders", spellings=SAME),
            Record("c", AssetKind.COLUMN, f"id of {source}"),
            edges=(Edge("c", "t", EdgeKind.PART_OF),),
        )
    table = store.reader.find_native(["t"])[0].asset
    parts = store.reader.parts_of([table], EdgeKind.PART_OF)[table]
    assert len(parts) == len({part.id for part in parts})
    assert {part.kind for part in parts} == {AssetKind.COLUMN}
    assert [head.name for head in store.reader.heads([parts[0].id]).values()] == [parts[0].name]


def test_a_run_knows_its_job(store: Store):
    store.journal.declare([SourceRow("a", "a", "mlflow", "http://a", 0)])
    run = Record("r", AssetKind.RUN, "r", run=Run(RunState.RUNNING, NOON))
    tell(store, "a", Record("j", AssetKind.JOB, "j"), run, edges=(Edge("r", "j", EdgeKind.RUN_OF),))
    job, number = (store.reader.find_native([name])[0].asset for name in ("j", "r"))
    assert store.reader.jobs_of([job, number]) == {number: job}


@pytest.mark.parametrize("order", [("a", "b"), ("b", "a")])
def test_of_two_jobs_the_earlier_source_in_the_configuration_tells_which_whoever_was_read_first(
    store: Store, order: tuple[str, str]
):
    store.journal.declare([SourceRow(one, one, "mlflow", f"http://{one}", at) for at, one in enumerate("ab")])
    same = (Spelling(Form.OPENLINEAGE_RUN, ("018f0e0e-1234-7abc-8def-0123456789ab",)),)
    for source in order:
        run = Record("r", AssetKind.RUN, "r", run=Run(RunState.RUNNING, NOON), spellings=same)
        job = Record("j", AssetKind.JOB, f"job of {source}")
        read = Edge("t", "r", EdgeKind.READ)
        tell(
            store,
            source,
            *(job, run, Record("t", AssetKind.DATASET, "orders", spellings=SAME)),
            edges=(read, Edge("r", "j", EdgeKind.RUN_OF)),
        )
    (number,) = {one.asset for one in store.reader.find_native(["r"])}
    (orders,) = {one.asset for one in store.reader.find_native(["t"])}
    assert names(store, [store.reader.jobs_of([number])[number]]) == ["job of a"]
    graph = Snapshot.of(store.reader.columns())
    walked = graph.walk(graph.position_of(orders), Direction.DOWNSTREAM, Level.ASSET, Cut())
    assert names(store, graph.things.ids[walked.things].tolist()) == ["orders", "job of a"]
