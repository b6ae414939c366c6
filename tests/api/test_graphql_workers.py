"""Two servers on one store: a page sequence over both sees one state, or is told to begin anew."""

import os
import random
import re
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from watersmeet.federation.connector import Batch
from watersmeet.federation.model import AssetKind, Edge, EdgeKind, Nature, Record, Scope
from watersmeet.federation.naming import Registry
from watersmeet.federation.rows import SourceRow
from watersmeet.federation.store import Store

from ..scale import how_many

PROGRAM = """
import os
from watersmeet.api.server import serve
from watersmeet.config.settings import Settings
tracking = {"name": "tracking", "platform": "mlflow", "url": "http://127.0.0.1:1", "schedule": "every 1d"}
serve(Settings.of({"store": {"url": os.environ["STORE"]}, "server": {"port": 0}, "sources": [tracking]}))
"""
NODES = [f"t{number:02}" for number in range(40)]
LINEAGE = """query($root: ID!, $after: String) { page: lineage(root: $root, direction: DOWNSTREAM, depth: 4, first: 7,
    after: $after) { total totalEdges nodes { id depth } edges { upstream downstream confidence }
    pageInfo { hasNextPage endCursor } completeness { changed } } }"""
IMPACT = """query($root: ID!, $after: String) { page: impact(root: $root, first: 7, after: $after) {
    total nodes { id depth } pageInfo { hasNextPage endCursor } completeness { changed } } }"""


@contextmanager
def server(url: str) -> Generator[httpx2.Client]:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "STORE": url},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            found = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
            assert found is not None, "the server did not start"
            with httpx2.Client(base_url=found[0], trust_env=False, timeout=60) as client:
                yield client
        finally:
            process.terminate()
            process.wait(60)


State = dict[tuple[str, str], float]
"""The confidence of each edge."""


@dataclass
class Told:
    """Writes states of a graph one after the other, and remembers them all."""

    store: Store
    random: random.Random
    states: list[State] = field(default_factory=list[State])

    def begin(self) -> dict[str, str]:
        """Describe all nodes and the first edges; returns the ids by name."""
        self.store.journal.declare([SourceRow("tracking", "tracking", "mlflow", "http://127.0.0.1:1", 0)])
        records = tuple(Record(name, AssetKind.DATASET, name) for name in NODES)
        self._write(Scope("nodes", records, (), Nature.STANDING, self._now()))
        self.tell()
        return {match.native_id: str(match.asset) for match in self.store.reader.find_native(NODES)}

    def tell(self) -> None:
        """The next state: a tree over some nodes, whose edges are more or less certain."""
        ends = self.random.sample(NODES[1:], self.random.randint(15, len(NODES) - 1))
        placed = [NODES[0]]
        state: State = {}
        for end in ends:
            state[self.random.choice(placed), end] = self.random.choice([0.5, 0.75, 1.0])
            placed.append(end)
        edges = tuple(Edge(up, down, EdgeKind.DERIVE, confidence=sure) for (up, down), sure in state.items())
        self.states.append(state)  # before it can be seen
        self._write(Scope("edges", tuple(Record(name, AssetKind.DATASET, name) for name in NODES), edges,
                          Nature.STANDING, self._now()))  # fmt: skip

    def _write(self, scope: Scope) -> None:
        self.store.ledger.write("tracking", Batch(scopes=(scope,)), read_started_at=self._now())
        self.store.resolve(Registry.EMPTY)

    def _now(self) -> datetime:
        return datetime(2026, 11, 20, tzinfo=UTC) + timedelta(seconds=len(self.states))


def expected(state: State, ids: dict[str, str], depth: int | None) -> tuple[Any, Any]:
    """What a whole answer about a state shows: nodes with their depths, edges with their confidence."""
    depths = {NODES[0]: 0}
    for up, down in state:  # an edge comes after the one that leads to it
        depths[down] = depths[up] + 1
    shown = {name for name, far in depths.items() if depth is None or far <= depth}
    nodes = frozenset((ids[name], depths[name]) for name in shown)
    edges = frozenset((ids[up], ids[down], sure) for (up, down), sure in state.items() if {up, down} <= shown)
    return nodes, edges


def ask(client: httpx2.Client, query: str, root: str, after: str | None) -> dict[str, Any] | str:
    """A page, or the code of the error."""
    body = {"query": query, "variables": {"root": root, "after": after}}
    answer = client.post("/graphql", json=body).json()
    return answer["errors"][0]["extensions"]["code"] if "errors" in answer else answer["data"]["page"]


def sequence(clients: list[httpx2.Client], query: str, root: str, chance: random.Random) -> list[Any] | str:
    """All pages of an answer, each from a server that chance picks, or the code of the error that ended them."""
    pages: list[Any] = []
    after = None
    while True:
        page = ask(chance.choice(clients), query, root, after)
        if isinstance(page, str):
            return page
        pages.append(page)
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            return pages
        time.sleep(chance.choice([0, 0, 0.02]))


@contextmanager
def writing(told: Told, chance: random.Random) -> Generator[None]:
    """New states all the while, in bursts."""
    enough = threading.Event()

    def write() -> None:
        while not enough.wait(chance.choice([0.0, 0.01, 0.05, 0.4])):
            told.tell()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield
    finally:
        enough.set()
        writer.join()


@pytest.mark.hard
@pytest.mark.parametrize("seed", range(how_many(quick=1, ci=2, long=2)))
def test_a_page_sequence_over_two_servers_is_one_state_or_expired(store_url: str, seed: int):
    chance = random.Random(seed)
    outcomes = {"whole": 0, "CURSOR_EXPIRED": 0}
    wanted = how_many(quick=10, ci=40, long=1500)
    with ExitStack() as held:
        told = Told(held.enter_context(Store.open(store_url)), random.Random(seed + 100))
        ids = told.begin()
        clients = [held.enter_context(server(store_url)) for _ in range(2)]
        held.enter_context(writing(told, random.Random(seed + 200)))
        while min(outcomes.values()) < 3 or sum(outcomes.values()) < wanted:
            query, depth = chance.choice([(LINEAGE, 4), (IMPACT, None)])
            before = len(told.states)
            pages = sequence(clients, query, ids[NODES[0]], chance)
            if isinstance(pages, str):
                outcomes[pages] += 1  # no other error may be
                continue
            outcomes["whole"] += 1
            possible = told.states[max(0, before - 2) :]  # the last of before may still have been on its way
            shown = _shown(pages, query, ids)
            assert shown in [_answer(state, ids, query, depth) for state in possible], (shown, outcomes)
            assert {page["total"] for page in pages} == {len(shown[0])}
        _until(lambda: all(sync.ended_at for sync in told.store.journal.syncs()))
        assert told.store.journal.count_syncs() == 1, "one of the two schedules, the other does not"
        said = [sources(client) for client in clients]
        assert said[0] == said[1]
        assert said[0]["nextSync"] is not None


def _shown(pages: list[Any], query: str, ids: dict[str, str]) -> tuple[Any, Any]:
    nodes = [(node["id"], node["depth"]) for page in pages for node in page["nodes"]]
    edges = [
        (edge["upstream"], edge["downstream"], edge["confidence"]) for page in pages for edge in page.get("edges", ())
    ]
    assert len(set(nodes)) == len(nodes)
    assert len(set(edges)) == len(edges)
    assert {page.get("totalEdges", len(edges)) for page in pages} == {len(edges)}
    return frozenset(nodes), frozenset(edges)


def _answer(state: State, ids: dict[str, str], query: str, depth: int | None) -> tuple[Any, Any]:
    nodes, edges = expected(state, ids, depth)
    if query is LINEAGE:
        return nodes, edges
    return frozenset((node, far) for node, far in nodes if far), frozenset[Any]()


def sources(client: httpx2.Client) -> dict[str, Any]:
    query = "{ sources { name status nextSync } }"
    return client.post("/graphql", json={"query": query}).json()["data"]["sources"][0]


def _until(is_so: Any) -> None:
    for _ in range(600):
        if is_so():
            return
        time.sleep(0.1)
    raise AssertionError("it did not come to be")
