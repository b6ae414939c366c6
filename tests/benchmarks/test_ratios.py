"""How we stand against what one would use instead: ratios of one run, medians of interleaved rounds.

The graph is layered with a few hubs, as in `layered`; generator and seed are here. Absolute times say nothing about
another machine, so only ratios are asserted, and loosely: a shared machine halves them now and then.
"""

import random
import sqlite3
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest

from watersmeet.federation.columns import EVER, NONE, SINCE_BEFORE, GraphColumns
from watersmeet.federation.connector import Batch
from watersmeet.federation.graph import Cut, Snapshot
from watersmeet.federation.model import AssetKind, Direction, Edge, EdgeKind, Level, Record, Scope
from watersmeet.federation.rows import SourceRow
from watersmeet.federation.store import Store

SEED, NODES, EDGES, LAYERS = 11, 40_000, 100_000, 20
ROUNDS = 5
DEPTH = 15


def layered() -> list[tuple[int, int]]:
    """Edges from lower to higher numbers: three quarters to the next layer, one quarter out of a few hubs."""
    dice = random.Random(SEED)
    width = NODES // LAYERS
    found: set[tuple[int, int]] = set()
    while len(found) < EDGES:
        layer = dice.randrange(LAYERS - 1)
        up = layer * width + (dice.randrange(width) if dice.random() < 0.75 else dice.randrange(3))
        found.add((up, (layer + 1) * width + dice.randrange(width)))
    return sorted(found)


@pytest.fixture(scope="module")
def edges() -> list[tuple[int, int]]:
    return layered()


def compared(ours: Callable[[], object], peer: Callable[[], object]) -> float:
    """How many times longer the peer takes; both warm, in turn."""
    ours()
    peer()
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        for work, taken in zip((ours, peer), times, strict=True):
            began = time.process_time()
            work()
            taken.append(time.process_time() - began)
    return statistics.median(times[1]) / statistics.median(times[0])


def snapshot(edges: list[tuple[int, int]]) -> Snapshot:
    pairs = np.array(edges, np.int64) + 1
    nodes, count = np.arange(1, NODES + 1, dtype=np.int64), len(edges)

    def same(value: int, kind: type, size: int) -> Any:
        return np.full(size, value, kind)

    return Snapshot.of(
        GraphColumns(
            seq=1,
            sources=("one",),
            record=nodes,
            asset=nodes,
            kind=same(0, np.uint8, NODES),
            record_source=same(0, np.int16, NODES),
            stub=same(0, np.bool_, NODES),
            tombstoned=same(EVER, np.int64, NODES),
            state=same(NONE, np.uint8, NODES),
            started=same(SINCE_BEFORE, np.int64, NODES),
            ended=same(EVER, np.int64, NODES),
            claim=np.arange(1, count + 1, dtype=np.int64),
            up=pairs[:, 0],
            down=pairs[:, 1],
            edge_kind=same(list(EdgeKind).index(EdgeKind.DERIVE), np.uint8, count),
            role=same(NONE, np.uint8, count),
            flow=same(0, np.int32, count),
            evidence=same(0, np.uint8, count),
            confidence=np.ones(count, np.float32),
            valid_from=same(SINCE_BEFORE, np.int64, count),
            valid_to=same(EVER, np.int64, count),
            via=same(0, np.int64, count),
            planned=same(0, np.bool_, count),
            outcome=same(NONE, np.uint8, count),
            edge_source=same(0, np.int16, count),
        )
    )


def test_a_walk_beats_networkx_and_a_recursive_query(edges: list[tuple[int, int]], tmp_path: Path) -> None:
    ours = snapshot(edges)
    graph = nx.DiGraph(edges)
    database = sqlite3.connect(tmp_path / "edges.db")
    database.execute("CREATE TABLE edge (up INTEGER, down INTEGER, PRIMARY KEY (up, down)) WITHOUT ROWID")
    database.executemany("INSERT INTO edge VALUES (?, ?)", edges)
    root = 0

    def walk() -> dict[int, int]:
        walked = ours.walk(ours.position_of(root + 1), Direction.DOWNSTREAM, Level.ASSET, Cut(), depth=DEPTH)
        return dict(zip((ours.things.ids[walked.things] - 1).tolist(), walked.depth.tolist(), strict=True))

    def by_networkx() -> dict[int, int]:
        return dict(nx.single_source_shortest_path_length(graph, root, cutoff=DEPTH))

    def by_query() -> dict[int, int]:
        asked = """WITH RECURSIVE walk(node, depth) AS (SELECT ?, 0 UNION SELECT edge.down, depth + 1 FROM walk
            JOIN edge ON edge.up = walk.node WHERE depth < ?) SELECT node, min(depth) FROM walk GROUP BY node"""
        return dict(database.execute(asked, (root, DEPTH)).fetchall())

    assert walk() == by_networkx() == by_query()
    against_networkx, against_query = compared(walk, by_networkx), compared(walk, by_query)
    size = len(walk())
    print(f"\n  a walk of {size} nodes: networkx takes {against_networkx:.1f}x, a recursive query {against_query:.1f}x")
    assert against_networkx > 0.5
    assert against_query > 1
    database.close()


def test_an_unchanged_sync_costs_a_fraction_of_the_first(tmp_path: Path) -> None:
    def scope(number: int) -> Scope:
        ends = [Record(f"t{number + step}", AssetKind.DATASET, f"t{number + step}") for step in range(4)]
        links = (Edge(one.native_id, ends[-1].native_id, EdgeKind.DERIVE) for one in ends[:-1])
        return Scope(f"job/{number}", tuple(ends), tuple(links))

    at = datetime(2026, 1, 1, tzinfo=UTC)
    batch = Batch(tuple(map(scope, range(1500))))
    with Store.open(f"sqlite:///{tmp_path / 'store.db'}") as store:
        store.journal.declare([SourceRow("one", "one", "marquez", None, 0)])
        began = time.process_time()
        first = store.ledger.write("one", batch, read_started_at=at)
        between = time.process_time()
        again = store.ledger.write("one", batch, read_started_at=at)
        ratio = (between - began) / (time.process_time() - between)
    print(f"\n  {first.written} rows at first, none the second time: the first takes {ratio:.1f}x")
    assert (again.written, again.removed) == (0, 0)
    assert ratio > 2
