"""Questions put to a store: lineage in pages, impact, paths."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from watersmeet.federation.errors import BadInput, CursorExpired, NotFound
from watersmeet.federation.inquiry import Walk
from watersmeet.federation.inquiry.compact import compact
from watersmeet.federation.model import (
    AssetKind,
    Direction,
    Edge,
    EdgeKind,
    Evidence,
    Form,
    Level,
    Record,
    Role,
    RunState,
    Scope,
    Spelling,
)
from watersmeet.federation.store import Store

from .houses import DAY, House, ran

K = AssetKind
READ, WRITE, DERIVE = EdgeKind.READ, EdgeKind.WRITE, EdgeKind.DERIVE


@pytest.fixture
def house(store: Store, clock: Any) -> House:
    return House(store, clock)


def fan(house: House, width: int) -> int:
    """One table that a job turns into many."""
    house.say("pipes", ran("r", ("raw",), tuple(f"t{number:02}" for number in range(width))))
    house.synced("pipes", "models")
    return house.id("raw")


def test_lineage_names_what_it_shows(house: House) -> None:
    house.say("pipes", ran("r1", ("orders",), ("report",)), ran("r2", ("orders",), ("report",), DAY + timedelta(1)))
    house.synced("pipes", "models")
    answer = house.inquiry.lineage(house.id("report"), Direction.UPSTREAM)
    assert [(node.name, node.kind, node.depth, node.platforms) for node in answer.nodes] == [
        ("report", K.DATASET, 0, ("marquez",)),
        ("daily", K.JOB, 1, ("marquez",)),
        ("orders", K.DATASET, 2, ("marquez",)),
    ]
    write, read = answer.edges
    assert (write.kind, write.runs, write.sources, write.evidence) == (WRITE, 2, ("pipes",), Evidence.OBSERVED)
    assert (write.upstream, write.downstream) == (house.id("daily"), house.id("report"))
    assert set(write.via) == {house.id("r1"), house.id("r2")}
    assert (read.valid_from, read.valid_to) == (DAY, None)
    assert read.last_seen_at == DAY + timedelta(days=1, minutes=5)
    assert (answer.total, answer.total_edges, answer.truncated) == (3, 2, False)
    assert answer.completeness.exact


def test_a_run_says_of_which_job_it_is(house: House) -> None:
    house.say("pipes", ran("r1", ("orders",), ("report",)))
    answer = house.inquiry.lineage(house.id("r1"), Direction.UPSTREAM)
    run = answer.nodes[0].run
    assert run is not None
    assert (run.state, run.job) == (RunState.SUCCEEDED, house.id("daily"))
    [read] = answer.edges
    assert (read.downstream, read.runs, read.sources) == (house.id("r1"), 1, ("pipes",))


def test_pages_put_together_hold_each_edge_once_and_never_before_its_nodes(house: House) -> None:
    root = fan(house, 9)
    nodes: list[int] = []
    edges: list[tuple[int, int]] = []
    after = None
    while True:
        page = house.inquiry.lineage(root, Direction.DOWNSTREAM, first=3, after=after)
        nodes += [node.id for node in page.nodes]
        for edge in page.edges:
            assert {edge.upstream, edge.downstream} <= set(nodes)
        edges += [(edge.upstream, edge.downstream) for edge in page.edges]
        assert (page.total, page.total_edges) == (11, 10)
        after = page.page_info.end_cursor
        if not page.page_info.has_next_page:
            break
    assert len(nodes) == len(set(nodes)) == 11
    assert len(edges) == len(set(edges)) == 10


def test_a_page_sequence_sees_one_state(house: House) -> None:
    root = fan(house, 4)
    first = house.inquiry.lineage(root, Direction.DOWNSTREAM, first=2)
    house.say("pipes", ran("r9", ("raw",), ("brand new",)))
    second = house.inquiry.lineage(root, Direction.DOWNSTREAM, first=10, after=first.page_info.end_cursor)
    assert second.total == first.total == 6
    assert house.inquiry.lineage(root, Direction.DOWNSTREAM).total == 7


def test_a_page_says_how_many_of_its_things_have_changed_since_its_state(house: House) -> None:
    house.synced("pipes", "models")
    root = fan(house, 6)
    pages = [house.inquiry.lineage(root, Direction.DOWNSTREAM, first=4)]
    assert (pages[0].completeness.exact, pages[0].completeness.changed) == (True, 0)
    shown = {node.id for node in pages[0].nodes}
    later = Record("t05", AssetKind.DATASET, "another name")
    house.say("pipes", Scope("later", (later, Record("elsewhere", AssetKind.DATASET, "x")), stated_at=house.clock.now))
    assert house.id("t05") not in shown
    pages += [
        house.inquiry.lineage(root, Direction.DOWNSTREAM, first=first, after=pages[0].page_info.end_cursor)
        for first in (1, 9)
    ]
    assert [page.completeness.changed for page in pages] == [0, 0, 1]
    assert [page.completeness.exact for page in pages] == [True, True, False]
    assert house.inquiry.lineage(root, Direction.DOWNSTREAM).completeness.changed == 0
    impact = house.inquiry.impact(root, first=2)
    house.say("pipes", Scope("later", (replace(later, name="a third name"),), stated_at=house.clock.move(hours=1)))
    rest = house.inquiry.impact(root, first=9, after=impact.page_info.end_cursor)
    assert rest.completeness.changed == 1


def test_a_thing_that_was_joined_to_another_since_has_changed(house: House) -> None:
    house.synced("pipes", "models")
    house.say("models", Scope("m", (Record("m1", AssetKind.DATASET, "it"),)))
    house.say("pipes", ran("r1", ("raw",), ("report",)))
    first = house.inquiry.lineage(house.id("raw"), Direction.DOWNSTREAM, first=1)
    same = (Spelling(Form.OPENLINEAGE, ("postgres://db:5432", "shop.public.raw")),)
    for source, native_id in (("models", "m1"), ("pipes", "report")):
        told = Record(native_id, AssetKind.DATASET, "it", spellings=same)
        house.say(source, Scope("named", (told,), stated_at=house.clock.move(hours=1)))
    rest = house.inquiry.lineage(house.id("raw"), Direction.DOWNSTREAM, first=9, after=first.page_info.end_cursor)
    assert house.id("report") == house.id("m1")
    assert [node.name for node in rest.nodes] == ["daily", "it"]
    assert rest.completeness.changed == 1


def test_a_cursor_of_a_graph_that_is_gone_has_expired(house: House) -> None:
    root = fan(house, 4)
    first = house.inquiry.lineage(root, Direction.DOWNSTREAM, first=2)
    house.say("pipes", ran("r9", ("raw",), ("brand new",)))
    house.inquiry.lineage(root)
    house.monotonic += 301
    with pytest.raises(CursorExpired):
        house.inquiry.lineage(root, Direction.DOWNSTREAM, first=2, after=first.page_info.end_cursor)


@pytest.mark.parametrize("change", ["another depth", "another root", "no cursor"])
def test_a_cursor_belongs_to_its_question(house: House, change: str) -> None:
    root = fan(house, 4)
    cursor = house.inquiry.lineage(root, Direction.DOWNSTREAM, first=2).page_info.end_cursor
    depth, wanted = 3, root
    match change:
        case "another depth":
            depth = 4
        case "another root":
            wanted = house.id("t01")
        case _:
            cursor = "bm9uc2Vuc2U"
    with pytest.raises(BadInput, match="no cursor of this question"):
        house.inquiry.lineage(wanted, Direction.DOWNSTREAM, depth=depth, first=2, after=cursor)


def test_the_strongest_edges_of_a_page_are_shown_and_all_are_counted(house: House) -> None:
    weak = tuple(f"w{number:02}" for number in range(30))
    edges = [Edge(name, "sum", DERIVE, confidence=0.5) for name in weak]
    strong = [Edge(name, "sum", DERIVE, confidence=0.9, evidence=Evidence.OBSERVED) for name in ("a", "b")]
    records = tuple(Record(name, K.DATASET, name) for name in (*weak, "a", "b", "sum"))
    more = [Edge(one, other, DERIVE, confidence=0.4) for one in weak for other in weak if one < other]
    house.say("pipes", Scope("all/1", records, (*edges, *more, *strong)))
    house.synced("pipes", "models")
    answer = house.inquiry.lineage(house.id("sum"), Direction.UPSTREAM, first=5)
    assert len(answer.edges) <= 100
    everything = house.inquiry.lineage(house.id("sum"), Direction.UPSTREAM, first=12)
    assert everything.total_edges == 32 + len(more)
    whole = house.inquiry.lineage(house.id("sum"), Direction.UPSTREAM, first=33)
    assert len(whole.edges) == 32 + len(more)
    assert not whole.truncated


def test_kinds_and_platforms_choose_what_is_shown_never_what_is_walked(house: House) -> None:
    house.say("pipes", ran("r1", ("orders",), ("report",)))
    house.synced("pipes", "models")
    answer = house.inquiry.lineage(house.id("report"), Direction.UPSTREAM, kinds=[K.DATASET])
    assert house.names(answer) == ["report", "orders"]
    assert (answer.total, answer.total_edges) == (2, 0)
    assert house.inquiry.lineage(house.id("report"), platforms=["mlflow"]).total == 0


def test_compact_says_the_same_in_columns(house: House) -> None:
    house.say("pipes", ran("r1", ("orders",), ("report",)))
    answer = house.inquiry.lineage(house.id("report"), Direction.UPSTREAM)
    columns = compact(answer)
    assert columns["nodes"]["name"] == ["report", "daily", "orders"]
    legend = columns["legend"]
    assert [legend["kinds"][place] for place in columns["nodes"]["kind"]] == ["DATASET", "JOB", "DATASET"]
    assert [[legend["platforms"][place] for place in some] for some in columns["nodes"]["platforms"]] == [
        ["marquez"]
    ] * 3
    assert list(zip(columns["edges"]["up"], columns["edges"]["down"], strict=True)) == [(1, 0), (2, 1)]
    assert [legend["kinds"][place] for place in columns["edges"]["kind"]] == ["WRITE", "READ"]


def test_as_of_asks_what_held_then(house: House) -> None:
    house.say("pipes", ran("r1", ("orders",), ("report",)), ran("r2", ("clicks",), ("report",), DAY + timedelta(7)))
    before = house.inquiry.lineage(house.id("report"), Direction.UPSTREAM, as_of=DAY + timedelta(1))
    assert house.names(before) == ["report", "daily", "orders"]
    assert house.inquiry.lineage(house.id("report"), Direction.UPSTREAM, as_of=DAY - timedelta(1)).total == 1


def test_known_at_asks_what_was_known_then(house: House) -> None:
    house.say("pipes", ran("r1", ("orders",), ("report",)))
    then = house.clock.now
    house.clock.move(hours=1)
    house.say("pipes", ran("r2", ("clicks",), ("report",)))
    house.clock.move(hours=1)
    report = house.id("report")
    assert house.names(house.inquiry.lineage(report, Direction.UPSTREAM, known_at=then)) == [
        "report",
        "daily",
        "orders",
    ]
    assert house.inquiry.lineage(report, Direction.UPSTREAM).total == 4


def test_walks_are_cut_by_what_counts(house: House) -> None:
    edges = (
        Edge("a", "x", DERIVE, evidence=Evidence.PARSED, confidence=0.5),
        Edge("b", "x", DERIVE, evidence=Evidence.OBSERVED),
        Edge("j", "x", WRITE),
        Edge("c", "j", READ, role=Role.TRAINING),
        Edge("d", "j", READ, role=Role.REFERENCE),
        Edge("e", "j", READ),
    )
    records = (*(Record(name, K.DATASET, name) for name in "abcdex"), Record("j", K.JOB, "j"))
    house.say("pipes", Scope("all/1", records, edges))
    x = house.id("x")

    def seen(**walk: Any) -> set[str]:
        answer = house.inquiry.lineage(x, Direction.UPSTREAM, walk=Walk(**walk))
        return {node.name for node in answer.nodes} - {"x"}

    assert seen(edges=(DERIVE,)) == {"a", "b"}
    assert seen(roles=(Role.TRAINING,)) == {"a", "b", "j", "c"}
    assert seen(evidence=(Evidence.OBSERVED,)) == {"b"}
    assert seen(min_confidence=0.9) == {"b", "j", "c", "d", "e"}
    with pytest.raises(BadInput):
        seen(min_confidence=2.0)


def test_seen_since_leaves_out_what_went_stale(house: House) -> None:
    house.say("pipes", ran("r1", ("old",), ("report",)), ran("r2", ("new",), ("report",), DAY + timedelta(7)))
    answer = house.inquiry.lineage(
        house.id("report"), Direction.UPSTREAM, walk=Walk(seen_since=DAY + timedelta(days=3))
    )
    assert house.names(answer) == ["report", "daily", "new"]


def test_what_is_declared_was_last_seen_with_its_source(house: House) -> None:
    house.say(
        "pipes", Scope("view/1", (Record("a", K.DATASET, "a"), Record("b", K.DATASET, "b")), (Edge("a", "b", DERIVE),))
    )
    house.clock.move(days=2)
    house.synced("pipes")
    [edge] = house.inquiry.lineage(house.id("b"), Direction.UPSTREAM).edges
    assert edge.last_seen_at == house.clock.now


def test_impact_counts_exactly_by_kind_and_depth(house: House) -> None:
    house.say("pipes", ran("r1", ("orders",), ("a", "b")), ran("r2", ("a",), ("c",), job="second"))
    house.synced("pipes", "models")
    answer = house.inquiry.impact(house.id("orders"), first=2)
    assert [(count.kind, count.depth, count.count) for count in answer.counts] == [
        (K.JOB, 1, 1),
        (K.DATASET, 2, 2),
        (K.JOB, 3, 1),
        (K.DATASET, 4, 1),
    ]
    assert (answer.total, len(answer.nodes), answer.page_info.has_next_page) == (5, 2, True)
    rest = house.inquiry.impact(house.id("orders"), first=10, after=answer.page_info.end_cursor)
    assert house.names(answer) + house.names(rest) == ["daily", "a", "b", "second", "c"]
    assert house.inquiry.impact(house.id("orders"), kinds=[K.JOB]).total == 2


def test_paths_come_shortest_first_and_are_counted(house: House) -> None:
    house.say(
        "pipes",
        ran("r1", ("a",), ("b",), job="one"),
        ran("r2", ("b",), ("c",), job="two"),
        Scope("views/1", (), (Edge("a", "c", DERIVE), Edge("c", "d", DERIVE))),
    )
    house.synced("pipes", "models")
    answer = house.inquiry.paths(house.id("a"), house.id("d"))
    assert [house.names(path) for path in answer.paths] == [["a", "c", "d"], ["a", "one", "b", "two", "c", "d"]]
    assert (answer.total, answer.truncated) == (2, False)
    for path in answer.paths:
        ends = [(edge.upstream, edge.downstream) for edge in path.edges]
        ids = [node.id for node in path.nodes]
        assert ends == list(pairwise(ids))
    one = house.inquiry.paths(house.id("a"), house.id("d"), first=1)
    assert (len(one.paths), one.total, one.truncated) == (1, 2, True)
    assert house.inquiry.paths(house.id("d"), house.id("a")).paths == ()


def test_paths_never_mix_what_a_process_keeps_apart(house: House) -> None:
    house.say("pipes", ran("r1", ("a",), ("b",)), ran("r2", ("x",), ("y",)))
    assert house.inquiry.paths(house.id("a"), house.id("y")).total == 0


def test_what_is_not_there_is_not_found(house: House) -> None:
    for ask in (house.inquiry.lineage, house.inquiry.impact):
        with pytest.raises(NotFound):
            ask(4711)
    with pytest.raises(NotFound):
        house.inquiry.paths(4711, 4712)


@pytest.mark.parametrize("wrong", [{"depth": -1}, {"first": -1}, {"as_of": datetime(2026, 1, 1)}])
def test_what_can_never_be_right_is_refused(house: House, wrong: dict[str, Any]) -> None:
    root = fan(house, 1)
    with pytest.raises(BadInput):
        house.inquiry.lineage(root, **wrong)


def test_a_page_of_nothing_still_tells_the_totals(house: House) -> None:
    root = fan(house, 3)
    answer = house.inquiry.lineage(root, Direction.DOWNSTREAM, first=0)
    assert (answer.nodes, answer.edges, answer.total, answer.total_edges) == ((), (), 5, 4)


def test_a_level_is_chosen_for_the_whole_walk(house: House) -> None:
    house.say("pipes", ran("r1", ("orders",), ("report",)))
    answer = house.inquiry.lineage(house.id("report"), Direction.UPSTREAM, level=Level.FINE)
    assert house.names(answer) == ["report", "r1", "orders"]


def test_a_way_between_columns_says_where_only_the_table_is_known(house: House) -> None:
    columns = ("orders#amount", "report#total")
    house.say(
        "pipes",
        ran("r1", ("orders",), ("report",)),
        Scope(
            "columns/1",
            tuple(Record(name, K.COLUMN, name) for name in columns),
            (
                *(Edge(name, name.partition("#")[0], EdgeKind.PART_OF) for name in columns),
                Edge("orders#amount", "report#total", DERIVE, via="r1"),
            ),
        ),
        ran("r2", ("report",), ("page",), job="publish"),
    )
    told = house.inquiry.paths(house.id("orders#amount"), house.id("report#total"))
    assert [house.names(path) for path in told.paths] == [["orders#amount", "report#total"]]
    onward = house.inquiry.paths(house.id("orders#amount"), house.id("page"))
    [path] = onward.paths
    assert [(node.name, node.column_exact) for node in path.nodes] == [
        ("orders#amount", True),
        ("report#total", True),
        ("report", False),
        ("publish", False),
        ("page", False),
    ]


def test_a_way_to_a_whole_ends_at_its_part(house: House) -> None:
    house.say(
        "models",
        ran("r1", ("orders",), ()),
        Scope(
            "model/1",
            (Record("churn", K.MODEL, "churn"), Record("churn/1", K.MODEL_VERSION, "churn/1")),
            (Edge("r1", "churn/1", WRITE, valid_from=DAY), Edge("churn/1", "churn", EdgeKind.VERSION_OF)),
        ),
    )
    [path] = house.inquiry.paths(house.id("orders"), house.id("churn")).paths
    assert house.names(path) == ["orders", "daily", "churn/1", "churn"]


def test_a_later_page_stands_on_the_same_graph_though_names_moved_on(house: House) -> None:
    root = fan(house, 3)
    page = house.inquiry.lineage(root, Direction.DOWNSTREAM, first=2)
    house.say("pipes", Scope("d/1", (Record("t01", K.DATASET, "renamed"),)))
    rest = house.inquiry.lineage(root, Direction.DOWNSTREAM, first=5, after=page.page_info.end_cursor)
    assert {node.kind for node in rest.nodes} == {K.DATASET}
    assert len(rest.nodes) == 3
