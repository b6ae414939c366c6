"""What holds for every graph: compared with networkx and with the claims taken one by one."""

from collections import defaultdict
from itertools import product
from typing import Any

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watersmeet.federation.graph import Cut
from watersmeet.federation.model import AssetKind, Direction, EdgeKind, Evidence, Level, Role

from ..scale import examples
from .graphs import Said, Told

READ, WRITE, DERIVE, RUN_OF, VERSION_OF = (
    EdgeKind.READ,
    EdgeKind.WRITE,
    EdgeKind.DERIVE,
    EdgeKind.RUN_OF,
    EdgeKind.VERSION_OF,
)
DATASETS = [f"d{number}" for number in range(5)]
VERSIONS = ["d0@1", "d0@2", "d1@1"]
RUNS = [f"r{number}" for number in range(5)]
JOBS = ["j0", "j1"]
MODELS = ["m0/1", "m0/2", "m0"]
COLUMNS = ["d0.a", "d0.b", "d1.a", "d2.a"]
TIMES = st.integers(0, 9)


@st.composite
def graphs(draw: st.DrawFn, *, times: bool = True, rich: bool = False) -> Told:
    """Small graphs of datasets, their versions, runs and jobs, with whatever may be told of them; rich ones have
    models with versions, and columns."""
    told = Told()
    told(AssetKind.DATASET, *DATASETS)
    told(AssetKind.DATASET_VERSION, *VERSIONS)
    told(AssetKind.JOB, *JOBS)
    for version in VERSIONS:
        told.edge(version, VERSION_OF, version.partition("@")[0])
    if rich:
        told(AssetKind.MODEL, "m0")
        told(AssetKind.MODEL_VERSION, "m0/1", "m0/2")
        told(AssetKind.COLUMN, *COLUMNS)
        for version in ("m0/1", "m0/2"):
            told.edge(version, VERSION_OF, "m0", start=draw(st.none() | TIMES))
        for column in COLUMNS:
            told.edge(column, EdgeKind.PART_OF, column.partition(".")[0])
    for run in RUNS:
        life: dict[str, Any] = {"started": draw(TIMES), "ended": draw(st.integers(10, 12))} if rich else {}
        told(AssetKind.RUN, run, **life)
        job = draw(st.sampled_from([*JOBS, None]))
        if job is not None:
            told.edge(run, RUN_OF, job)
    data, process = st.sampled_from([*DATASETS, *VERSIONS, *(MODELS if rich else ())]), st.sampled_from([*RUNS, *JOBS])
    if rich:
        for _ in range(draw(st.integers(0, 5))):
            through = draw(st.none() | process)
            start = draw(st.none() | TIMES)
            above, below = draw(st.sampled_from(COLUMNS)), draw(st.sampled_from([*COLUMNS, "m0/1", "d3"]))
            told.edge(above, DERIVE, below, via=through, start=start, end=draw(st.none() | st.integers(10, 11)))
    for _ in range(draw(st.integers(0, 14))):
        kind = draw(st.sampled_from([READ, WRITE, READ, WRITE, DERIVE]))
        up = draw(process if kind is WRITE else data)
        down = draw(process if kind is READ else data)
        start = draw(st.none() | TIMES) if times else None
        end = draw(st.none() | st.integers((start or 0) + 1, 11)) if times else None
        told.edge(
            up,
            kind,
            down,
            start=start,
            end=end,
            flow=0 if kind is DERIVE else draw(st.integers(0, 2)),
            role=draw(st.sampled_from([None, Role.TRAINING, Role.EVALUATION])) if kind is READ else None,
            evidence=draw(st.sampled_from([Evidence.OBSERVED, Evidence.PARSED])),
            confidence=draw(st.sampled_from([0.5, 1.0])),
            planned=draw(st.booleans()) and kind is WRITE,
        )
    return told


def holds(said: Said, at: int | None) -> bool:
    """Whether a claim counts at a time."""
    return at is None or ((said.start is None or said.start <= at) and (said.end is None or said.end > at))


def rolled(name: str) -> str:
    """What a dataset or its version is shown as."""
    return name.partition("@")[0]


def expanded(told: Told, level: Level, at: int | None = None) -> "nx.DiGraph[tuple[str, ...]]":
    """Claims as a graph in which every flow of every process is a node of its own: the first word is what it shows."""
    job_of = {said.up: said.down for said in told.said if said.kind is RUN_OF}
    graph: nx.DiGraph[tuple[str, ...]] = nx.DiGraph()
    fine = level is Level.FINE

    def thing(name: str) -> tuple[str, ...]:
        return (name if fine else rolled(name),)

    def flow(name: str, number: int) -> tuple[str, ...]:
        return (name if fine else job_of.get(name, name), name, str(number))

    for said in told.said:
        if not holds(said, at) or (said.planned and not fine):
            continue
        match said.kind:
            case EdgeKind.READ:
                graph.add_edge(thing(said.up), flow(said.down, said.flow))
            case EdgeKind.WRITE:
                graph.add_edge(flow(said.up, said.flow), thing(said.down))
            case EdgeKind.DERIVE if thing(said.up) != thing(said.down):
                graph.add_edge(thing(said.up), thing(said.down))
            case _:
                pass
    return graph


def oracle(told: Told, root: str, direction: Direction, level: Level, at: int | None = None) -> dict[str, int]:
    """What is reached at which depth, by networkx."""
    graph = expanded(told, level, at)
    graph = graph.reverse() if direction is Direction.UPSTREAM else graph
    best = {root: 0}
    for node in [node for node in graph if node[0] == root]:
        for other, depth in nx.single_source_shortest_path_length(graph, node).items():
            best[other[0]] = min(depth, best.get(other[0], depth))
    return best


EVERYTHING = [*DATASETS, *VERSIONS, *MODELS, *COLUMNS, *RUNS, *JOBS]
ONE_WAY = st.sampled_from([Direction.UPSTREAM, Direction.DOWNSTREAM])


@pytest.mark.law
@settings(max_examples=examples(200), deadline=None)
@given(told=graphs(), root=st.sampled_from([*DATASETS, *JOBS]), direction=ONE_WAY, at=st.none() | TIMES)
def test_assets_are_reached_at_the_depth_that_networkx_finds(
    told: Told, root: str, direction: Direction, at: int | None
) -> None:
    assert told.walk(root, direction, at=at).depth == oracle(told, root, direction, Level.ASSET, at)


@pytest.mark.law
@settings(max_examples=examples(100), deadline=None)
@given(told=graphs(), root=st.sampled_from(RUNS), direction=ONE_WAY, at=st.none() | TIMES)
def test_a_run_reaches_what_its_own_flows_reach(told: Told, root: str, direction: Direction, at: int | None) -> None:
    graph: Any = expanded(told, Level.ASSET, at)
    graph = graph.reverse() if direction is Direction.UPSTREAM else graph
    reached = {root}
    for node in [node for node in graph if len(node) > 1 and node[1] == root]:
        for nearest in graph.successors(node):  # not the node's own descendants: they leave out what leads back to it
            reached |= {other[0] for other in (nearest, *nx.descendants(graph, nearest))}
    assert set(told.walk(root, direction, at=at).depth) == reached


@pytest.mark.law
@settings(max_examples=examples(100), deadline=None)
@given(told=graphs(), root=st.sampled_from(DATASETS[2:]), direction=ONE_WAY)
def test_as_told_nothing_is_rolled_up(told: Told, root: str, direction: Direction) -> None:
    walked = told.walk(root, direction, Level.FINE).depth
    for name, depth in oracle(told, root, direction, Level.FINE).items():
        assert walked[name] <= depth  # crossing to a version may be nearer


@pytest.mark.law
@settings(max_examples=examples(200), deadline=None)
@given(told=graphs(times=False))
def test_every_input_and_output_of_a_process_is_backed_by_one_run_or_declaration(told: Told) -> None:
    job_of = {said.up: said.down for said in told.said if said.kind is RUN_OF}
    inputs: dict[tuple[str, int], set[str]] = defaultdict(set)
    outputs: dict[tuple[str, int], set[str]] = defaultdict(set)
    for said in told.said:
        if said.kind is READ:
            inputs[said.down, said.flow].add(rolled(said.up))
        elif said.kind is WRITE and not said.planned:
            outputs[said.up, said.flow].add(rolled(said.down))
    backed = {
        (above, job_of.get(process, process), below)
        for process, flow in inputs
        for above, below in product(inputs[process, flow], outputs[process, flow])
    }
    for above in DATASETS:
        found = told.walk(above, Direction.DOWNSTREAM, depth=2)
        direct = {(above, process) for up, kind, process in found.edges if kind == "READ" and up == above}
        for _, process in direct:
            below = {down for up, kind, down in found.edges if kind == "WRITE" and up == process}
            assert below == {down for up, through, down in backed if (up, through) == (above, process)}


@pytest.mark.law
@settings(max_examples=examples(100), deadline=None)
@given(told=graphs(rich=True), root=st.sampled_from(EVERYTHING), level=st.sampled_from(Level))
def test_both_is_the_union_of_the_two_ways(told: Told, root: str, level: Level) -> None:
    up, down, both = (told.walk(root, direction, level) for direction in Direction)
    assert both.edges == up.edges | down.edges
    assert set(both.depth) == set(up.depth) | set(down.depth)
    for name, depth in both.depth.items():
        assert depth == min(way.depth[name] for way in (up, down) if name in way.depth)


@pytest.mark.law
@settings(max_examples=examples(200), deadline=None)
@given(
    told=graphs(rich=True),
    root=st.sampled_from(EVERYTHING),
    direction=ONE_WAY,
    level=st.sampled_from(Level),
    at=TIMES,
)
def test_as_of_is_the_claims_that_held_then(told: Told, root: str, direction: Direction, level: Level, at: int) -> None:
    then = Told(dict(told.records), [said for said in told.said if holds(said, at)])
    cut, plain = told.walk(root, direction, level, at=at), then.walk(root, direction, level)
    assert (cut.depth, cut.edges, cut.inferred) == (plain.depth, plain.edges, plain.inferred)


@pytest.mark.law
@settings(max_examples=examples(100), deadline=None)
@given(told=graphs(), root=st.sampled_from([*DATASETS, *RUNS]), direction=ONE_WAY, evidence=st.sampled_from(Evidence))
def test_a_cut_walk_is_a_walk_over_the_claims_that_fit(
    told: Told, root: str, direction: Direction, evidence: Evidence
) -> None:
    then = Told(
        dict(told.records),
        [said for said in told.said if said.evidence is evidence or said.kind is VERSION_OF or said.kind is RUN_OF],
    )
    cut = told.walk(root, direction, cut=Cut().narrowed(evidence=[evidence]))
    assert (cut.depth, cut.edges) == (then.walk(root, direction).depth, then.walk(root, direction).edges)


@pytest.mark.law
@settings(max_examples=examples(200), deadline=None)
@given(
    told=graphs(rich=True),
    root=st.sampled_from(EVERYTHING),
    direction=st.sampled_from(Direction),
    level=st.sampled_from(Level),
)
def test_depth_is_how_far_the_edges_of_the_answer_lead(
    told: Told, root: str, direction: Direction, level: Level
) -> None:
    walk = told.walk(root, direction, level)
    assert [walk.depth[name] for name in walk.order] == sorted(walk.depth.values())
    assert walk.order[0] == root
    beside: dict[str, set[int]] = defaultdict(set)
    for up, _, down in walk.edges:
        beside[up].add(walk.depth[down])
        beside[down].add(walk.depth[up])
    for name, depth in walk.depth.items():
        assert name == root or min(beside[name]) <= depth - 1


@pytest.mark.law
@settings(max_examples=examples(150), deadline=None)
@given(told=graphs(), start=st.sampled_from([*DATASETS, *JOBS]), goal=st.sampled_from(DATASETS), at=st.none() | TIMES)
def test_paths_are_the_simple_paths_that_networkx_finds(told: Told, start: str, goal: str, at: int | None) -> None:
    graph: Any = expanded(told, Level.ASSET, at)
    expected: set[tuple[str, ...]] = set()
    ends = [node for node in graph if node[0] == goal]
    for begin in [node for node in graph if node[0] == start and start != goal]:
        for end in ends:
            for path in nx.all_simple_paths(graph, begin, end):
                names = tuple(node[0] for node in path)
                if len(set(names)) == len(names):
                    expected.add(names)
    if start == goal:
        expected = {(start,)}
    found = told.ways(start, goal, first=1000, at=at)
    assert set(found) == expected
    assert [len(way) for way in found] == sorted(len(way) for way in found)
    assert told.ways(start, goal, first=2, at=at) == found[:2]
