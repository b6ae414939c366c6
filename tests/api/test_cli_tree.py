"""How a lineage answer looks in the terminal."""

from datetime import UTC, datetime

from watersmeet.api.cli.tree import completeness, impact, tree
from watersmeet.federation.inquiry.answers import (
    Completeness,
    Impact,
    KindCount,
    Lineage,
    LineageEdge,
    LineageNode,
    PageInfo,
    StaleSource,
)
from watersmeet.federation.model import AssetKind, EdgeKind, Evidence, Role


def node(number: int, name: str, kind: AssetKind = AssetKind.DATASET, depth: int = 1) -> LineageNode:
    return LineageNode(number, kind, name, depth, platforms=("marquez",))


def edge(
    upstream: int,
    downstream: int,
    kind: EdgeKind = EdgeKind.DERIVE,
    role: Role | None = None,
    evidence: Evidence = Evidence.OBSERVED,
    confidence: float = 1.0,
) -> LineageEdge:
    return LineageEdge(upstream, downstream, kind, role, evidence, confidence)


def lineage(root: int, nodes: list[LineageNode], edges: list[LineageEdge]) -> Lineage:
    return Lineage(root, tuple(nodes), tuple(edges), len(nodes), len(edges), False, PageInfo(), Completeness())


def test_the_tree_opens_at_the_root_and_goes_both_ways():
    answer = lineage(
        2,
        [node(1, "raw"), node(2, "train", AssetKind.JOB, 0), node(3, "model", AssetKind.MODEL_VERSION)],
        [edge(1, 2, EdgeKind.READ, Role.TRAINING), edge(2, 3, EdgeKind.WRITE)],
    )
    assert list(tree(answer)) == [
        "train  (job; marquez)",
        "upstream",
        "└─ read training raw  (dataset; marquez)",
        "downstream",
        "└─ write model  (model version; marquez)",
    ]


def test_what_is_reached_twice_is_opened_once():
    answer = lineage(
        4,
        [node(1, "raw"), node(2, "left"), node(3, "right"), node(4, "top"), node(5, "rawest")],
        [edge(5, 1), edge(1, 2), edge(1, 3), edge(2, 4), edge(3, 4)],
    )
    assert list(tree(answer))[1:] == [
        "upstream",
        "├─ derive left  (dataset; marquez)",
        "│  └─ derive raw  (dataset; marquez)",
        "│     └─ derive rawest  (dataset; marquez)",
        "└─ derive right  (dataset; marquez)",
        "   └─ derive raw  (dataset; marquez)  (see above)",
    ]


def test_a_circle_ends_where_it_began():
    answer = lineage(1, [node(1, "a"), node(2, "b")], [edge(1, 2), edge(2, 1)])
    assert list(tree(answer)) == [
        "a  (dataset; marquez)",
        "upstream",
        "└─ derive b  (dataset; marquez)",
        "   └─ derive a  (dataset; marquez)  (see above)",
        "downstream",
        "└─ derive b  (dataset; marquez)",
        "   └─ derive a  (dataset; marquez)  (see above)",
    ]


def test_a_chain_longer_than_the_stack_is_shown():
    answer = lineage(
        0, [node(number, f"n{number}") for number in range(5000)], [edge(number + 1, number) for number in range(4999)]
    )
    assert len(list(tree(answer))) == 5001


def test_an_edge_that_is_not_certain_says_so():
    answer = lineage(2, [node(1, "a"), node(2, "b")], [edge(1, 2, evidence=Evidence.INFERRED, confidence=0.7)])
    assert list(tree(answer))[-1] == "└─ derive [inferred, 0.70] a  (dataset; marquez)"


def test_an_exact_answer_says_so():
    assert list(completeness(Completeness())) == ["complete: exact"]


def test_what_makes_an_answer_a_lower_bound_is_told_with_its_remedy():
    stale = StaleSource("lab", datetime(2025, 1, 5, 8, tzinfo=UTC), "not read since", "run `watersmeet sync lab`")
    lines = list(completeness(Completeness(exact=False, truncated=True, undated=2, stale=(stale,))))
    assert lines == [
        "not complete: a lower bound; cut to the page",
        "  2 edges without a date: they count as true at any time",
        "  lab is out of date since 2025-01-05 08:00: not read since; run `watersmeet sync lab`",
    ]


def test_impact_counts_by_kind_and_lists_by_distance():
    answer = Impact(
        1,
        3,
        (KindCount(AssetKind.DATASET, 1, 1), KindCount(AssetKind.DATASET, 2, 1), KindCount(AssetKind.JOB, 1, 1)),
        (node(3, "far", depth=2), node(2, "near"), node(4, "job", AssetKind.JOB)),
        False,
        PageInfo(),
        Completeness(),
    )
    assert list(impact(answer)) == [
        "3 things depend on it: dataset: 2, job: 1",
        "   1  near  (dataset; marquez)",
        "   1  job  (job; marquez)",
        "   2  far  (dataset; marquez)",
    ]
