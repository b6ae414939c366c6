"""What belongs to an asset, page by page, on both databases."""

from datetime import UTC, datetime, timedelta

from watersmeet.federation.connector import Batch
from watersmeet.federation.model import AssetKind, Edge, EdgeKind, Form, Nature, Record, Run, RunState, Scope, Spelling
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
