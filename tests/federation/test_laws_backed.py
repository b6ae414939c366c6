"""Every input and output that meet at `ASSET` did so in one run or one declaration, over histories out of the store."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watersmeet.federation.connector import Batch
from watersmeet.federation.graph import Cut, Snapshot
from watersmeet.federation.model import (
    AssetKind,
    Direction,
    Edge,
    EdgeKind,
    Evidence,
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

from .histories import SOURCES, START, Ground, law
from .laws import share

pytestmark = [pytest.mark.hard, pytest.mark.timeout(1200)]

Pairs = set[tuple[str, str, str]]
DATA = ("a", "b", "c", "d")


@dataclass(frozen=True)
class Passed:
    """One run of a job, or where `run` is None the job's declaration: what went in and out, by flows."""

    source: str
    job: str
    run: str | None
    reads: frozenset[tuple[str, int]]
    writes: frozenset[tuple[str, int]]
    failed: bool
    versions: bool
    at: int

    @property
    def process(self) -> str:
        """Who did it."""
        return f"job:{self.job}" if self.run is None else f"run:{self.run}"


sides = st.frozensets(st.tuples(st.sampled_from(DATA), st.integers(0, 1)), max_size=3)
passages = st.builds(
    Passed,
    st.sampled_from(SOURCES),
    st.sampled_from(("j", "k")),
    st.sampled_from((None, "r1", "r2", "r3")),
    sides,
    sides,
    st.booleans(),
    st.booleans(),
    st.integers(0, 9),
)


def _scope(one: Passed) -> Scope:
    """What a connector makes of it; a failed batch run's writes are plans."""
    began = START + timedelta(hours=one.at)
    process, job = one.process, f"job:{one.job}"
    records = [Record(job, AssetKind.JOB, one.job, spellings=(_spelt("jobs", one.job),))]
    edges: list[Edge] = []
    if one.run is not None:
        state = RunState.FAILED if one.failed else RunState.SUCCEEDED
        records.append(Record(process, AssetKind.RUN, one.run, run=Run(state, began, began + timedelta(minutes=5))))
        edges.append(Edge(process, job, EdgeKind.RUN_OF, valid_from=began))
    for name in {name for name, _ in (*one.reads, *one.writes)}:
        records.append(Record(name, AssetKind.DATASET, name, spellings=(_spelt("data", name),)))
        if one.versions:
            records.append(Record(f"{name}@{one.at}", AssetKind.DATASET_VERSION, name))
            edges.append(Edge(f"{name}@{one.at}", name, EdgeKind.VERSION_OF, valid_from=began))
    told: dict[str, Any] = {"evidence": Evidence.OBSERVED, "valid_from": began} if one.run is not None else {}
    suffix = f"@{one.at}" if one.versions else ""
    planned = one.failed and one.run is not None
    edges += [Edge(f"{name}{suffix}", process, EdgeKind.READ, flow=flow, **told) for name, flow in sorted(one.reads)]
    edges += [
        Edge(process, f"{name}{suffix}", EdgeKind.WRITE, flow=flow, planned=planned, **told)
        for name, flow in sorted(one.writes)
    ]
    nature = Nature.STANDING if one.run is None else Nature.HAPPENED
    return Scope(f"process/{process}", tuple(records), tuple(edges), nature=nature)


def _spelt(folder: str, name: str) -> Spelling:
    return Spelling(Form.URI, (f"s3://lake/{folder}/{name}",))


def _backed(told: Iterable[Passed]) -> Pairs:
    """By the design: (input, job, output) of one flow of one run or one declaration; what failed wrote nothing."""
    found: Pairs = set()
    for one in told:
        if not (one.failed and one.run is not None):
            found |= {
                (above, one.job, below) for above, into in one.reads for below, out_of in one.writes if into == out_of
            }
    return found


def _met(ground: Ground, moment: datetime) -> tuple[Pairs, Pairs]:
    """What meets at `ASSET`, walking down from each input, and up from each output."""
    snapshot = Snapshot.of(ground.store.reader.columns())
    heads = ground.store.reader.heads(snapshot.things.ids.tolist())
    shown = [heads[int(number)].name for number in snapshot.things.ids]
    kinds = [heads[int(number)].kind for number in snapshot.things.ids]
    cut = Cut.at(int(moment.timestamp()))
    found: dict[Direction, Pairs] = defaultdict(set)
    for direction in (Direction.DOWNSTREAM, Direction.UPSTREAM):
        for place, kind in enumerate(kinds):
            if kind is not AssetKind.DATASET:
                continue
            walked = snapshot.walk(place, direction, Level.ASSET, cut, depth=2)
            edges = {
                (shown[up], shown[down]) for up, down in zip(walked.up.tolist(), walked.down.tolist(), strict=True)
            }
            root = shown[place]
            if direction is Direction.DOWNSTREAM:
                jobs = {down for up, down in edges if up == root}
                found[direction] |= {(root, up, down) for up, down in edges if up in jobs and down in DATA}
            else:
                jobs = {up for up, down in edges if down == root}
                found[direction] |= {(up, down, root) for up, down in edges if down in jobs and up in DATA}
    return found[Direction.DOWNSTREAM], found[Direction.UPSTREAM]


@law(share("one run"))
@given(st.lists(passages, min_size=1, max_size=6), st.integers(0, 9))
def test_what_meets_at_a_job_met_in_one_run_or_declaration(ground: Ground, told: list[Passed], hour: int) -> None:
    ground.fresh()
    for one in told:
        ground.store.ledger.write(one.source, Batch((_scope(one),)), read_started_at=ground.clock.now)
        ground.clock.move(hours=1)
    ground.store.resolve(Registry.EMPTY)
    final = list({(one.source, one.process): one for one in told}.values())
    expected = _backed(final)
    down, up = _met(ground, ground.clock.now)
    assert (down, up) == (expected, expected)
    moment = START + timedelta(hours=hour)
    runs = _backed(one for one in final if one.run is not None and one.at <= hour)
    assert runs <= _met(ground, moment)[0] <= runs | _backed(one for one in told if one.run is None)
