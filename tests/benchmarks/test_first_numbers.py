"""How fast a store takes in a layered warehouse and the graph gives it out; the figures hold for this machine alone."""

import random
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TypeVar

import pytest

from watersmeet.federation.connector import Batch
from watersmeet.federation.graph import Graph
from watersmeet.federation.inquiry import Inquiry
from watersmeet.federation.model import AssetKind, Direction, Edge, EdgeKind, Form, Record, Scope, Spelling
from watersmeet.federation.naming import Registry
from watersmeet.federation.rows import SourceRow
from watersmeet.federation.store import Store

JOBS = 2_000
INPUTS = 4
LAYERS = 20
SEED = 7
READ_AT = datetime(2026, 1, 1, tzinfo=UTC)
Value = TypeVar("Value")


def table(number: int) -> Record:
    namespace, name = "postgres://warehouse:5432", f"shop.layer_{number % LAYERS}.table_{number}"
    spelling = Spelling(Form.OPENLINEAGE, (namespace, name))
    return Record(f"{namespace}/{name}", AssetKind.DATASET, name, spellings=(spelling,))


def job(number: int, chance: random.Random) -> Scope:
    """One job that reads a few tables of the layer before, and writes one of its own."""
    written = table(number)
    below = [table(number - 1 - chance.randrange(min(number, JOBS // LAYERS))) for _ in range(INPUTS)] if number else []
    process = Record(f"job:etl/job_{number}", AssetKind.JOB, f"job_{number}")
    reads = tuple({one.native_id: Edge(one.native_id, process.native_id, EdgeKind.READ) for one in below}.values())
    records = {record.native_id: record for record in (*below, written, process)}
    writes = (Edge(process.native_id, written.native_id, EdgeKind.WRITE),)
    return Scope(f"job/{number}", tuple(records.values()), reads + writes, stated_at=READ_AT)


@pytest.fixture(scope="module")
def scopes() -> tuple[Scope, ...]:
    chance = random.Random(SEED)
    return tuple(job(number, chance) for number in range(JOBS))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path_factory.mktemp('bench')}/store.db") as opened:
        opened.journal.declare([SourceRow("lake", "lake", "marquez", None, 0)])
        opened.members.adopt(Registry.EMPTY)
        yield opened


def timed(what: str, work: Callable[[], Value], *, rounds: int = 1) -> Value:
    """Do the work and print the quickest of its rounds."""
    begin = time.perf_counter()
    value = work()
    best = time.perf_counter() - begin
    for _ in range(rounds - 1):
        begin = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - begin)
    print(f"\n  {what:<60} {best * 1000:10.1f} ms", end="")
    return value


def test_what_it_takes_to_store_a_warehouse_and_to_walk_it(store: Store, scopes: tuple[Scope, ...]) -> None:
    edges = sum(len(scope.edges) for scope in scopes)
    batches = [Batch(scopes=scopes[at : at + 100]) for at in range(0, JOBS, 100)]

    def write() -> int:
        return sum(store.ledger.write("lake", batch, read_started_at=READ_AT).written for batch in batches)

    assert timed(f"write {JOBS} jobs, {edges} edges", write) >= edges
    assert timed("write the same again", write) == 0
    columns = store.reader.columns()
    timed(f"resolve {len(columns.record)} records", lambda: store.members.resolve(Registry.EMPTY))

    graph = timed("build the graph", lambda: _opened(store))
    inquiry = Inquiry(store, graph)
    [match] = store.reader.find_native([table(JOBS - 1).native_id])
    for depth, direction in ((3, Direction.UPSTREAM), (2 * LAYERS, Direction.UPSTREAM)):
        answer = timed(
            f"{direction.lower()} lineage, depth {depth}, a page of 500",
            lambda depth=depth, direction=direction: inquiry.lineage(
                root=match.asset, direction=direction, depth=depth
            ),
            rounds=5,
        )
        assert answer is not None
        assert answer.total > 1
        print(f"  ({answer.total} nodes)", end="")
    print()


def _opened(store: Store) -> Graph:
    graph = Graph(store)
    graph.now()
    return graph
