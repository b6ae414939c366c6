"""What sources say becomes claims, and nothing is written where nothing changed."""

import itertools
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from watersmeet.federation.columns import EVER, SINCE_BEFORE
from watersmeet.federation.connector import Batch
from watersmeet.federation.model import (
    AssetKind,
    Edge,
    EdgeKind,
    Evidence,
    Nature,
    Record,
    Role,
    RunState,
    Scope,
    Skipped,
    Tombstone,
)
from watersmeet.federation.rows import SourceRow, Written
from watersmeet.federation.store import Store, Wanted

from .conftest import Clock

T0 = datetime(2026, 11, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def table(native: str, **more: object) -> Record:
    return replace(Record(native, AssetKind.DATASET, native.upper()), **more)  # type: ignore[arg-type]  # a shorthand of the tests


def declared(key: str, *pairs: tuple[str, str], at: datetime | None = None, nature: Nature = Nature.STANDING) -> Scope:
    names = dict.fromkeys(itertools.chain.from_iterable(pairs))
    edges = tuple(Edge(up, down, EdgeKind.DERIVE) for up, down in pairs)
    return Scope(key, tuple(map(table, names)), edges, nature=nature, stated_at=at)


@pytest.fixture
def source(store: Store) -> str:
    store.journal.declare([SourceRow("lake", "lake", "marquez", "http://lake", 0)])
    return "lake"


def write(store: Store, clock: Clock, *scopes: Scope, **more: object) -> Written:
    batch = Batch(scopes=scopes, **more)  # type: ignore[arg-type]  # a shorthand of the tests
    return store.ledger.write("lake", batch, read_started_at=clock.now)


def edges(store: Store, at: datetime | None = None, known_at: datetime | None = None) -> set[tuple[str, str]]:
    """The pairs that hold at a time, by native id."""
    columns = store.reader.columns(known_at)
    names = {row.id: row.native_id for rows in store.reader.assets(columns.asset.tolist()).values() for row in rows}
    second = EVER - 1 if at is None else int(at.timestamp())
    return {
        (names[up], names[down])
        for up, down, start, end in zip(
            columns.up.tolist(),
            columns.down.tolist(),
            columns.valid_from.tolist(),
            columns.valid_to.tolist(),
            strict=True,
        )
        if start <= second < end
    }


def test_the_same_words_again_write_no_row(store: Store, clock: Clock, source: str) -> None:
    said = declared("job/a", ("x", "y"), ("y", "z"))
    first = write(store, clock, said)
    head = store.reader.head()
    clock.move(hours=1)
    again = write(store, clock, said)
    assert (first.written, again.written, again.removed) == (5, 0, 0)
    assert store.reader.head() == head


def test_what_a_newer_statement_leaves_out_ends_and_its_past_stays(store: Store, clock: Clock, source: str) -> None:
    write(store, clock, declared("job/a", ("x", "y"), ("x", "z")))
    before = clock.now
    clock.move(days=2)
    write(store, clock, declared("job/a", ("x", "y")))
    assert edges(store) == {("x", "y")}
    assert edges(store, before) == {("x", "y"), ("x", "z")}
    assert edges(store, known_at=before) == {("x", "y"), ("x", "z")}


def test_an_edge_that_nobody_dated_holds_since_before_we_looked(store: Store, clock: Clock, source: str) -> None:
    write(store, clock, declared("job/a", ("x", "y")))
    columns = store.reader.columns()
    assert (columns.valid_from.tolist(), columns.valid_to.tolist()) == ([SINCE_BEFORE], [EVER])


def test_a_later_edge_of_a_known_scope_begins_with_its_statement(store: Store, clock: Clock, source: str) -> None:
    write(store, clock, declared("job/a", ("x", "y")))
    clock.move(days=1)
    write(store, clock, declared("job/a", ("x", "y"), ("x", "z")))
    assert edges(store, clock.now - DAY / 2) == {("x", "y")}


@pytest.mark.parametrize("seed", range(12))
def test_the_order_of_arrival_of_timed_statements_does_not_matter(
    store: Store, clock: Clock, source: str, seed: int
) -> None:
    dice = random.Random(seed)
    pairs = [("a", "b"), ("b", "c"), ("a", "c")]
    statements = [
        declared("job/j", *dice.sample(pairs, dice.randint(0, 3)), at=T0 + day * DAY, nature=Nature.TIMED)
        for day in range(5)
    ]
    dice.shuffle(statements)
    for said in statements:
        clock.move(minutes=1)
        write(store, clock, said)
    for day in range(5):
        true = next(s for s in statements if s.stated_at == T0 + day * DAY)
        expected = {(edge.upstream, edge.downstream) for edge in true.edges}
        assert edges(store, T0 + day * DAY + DAY / 2) == expected
    assert edges(store, T0 - DAY) == set()


def test_what_happened_is_corrected_and_never_expires(store: Store, clock: Clock, source: str) -> None:
    read = Edge("x", "run", EdgeKind.READ, Role.TRAINING, evidence=Evidence.OBSERVED, valid_from=T0)
    run = Record("run", AssetKind.RUN, "run")
    write(store, clock, Scope("run/1", (run, table("x")), (read,), nature=Nature.HAPPENED))
    clock.move(days=1)
    corrected = replace(read, upstream="y")
    write(store, clock, Scope("run/1", (run, table("y")), (corrected,), nature=Nature.HAPPENED))
    assert edges(store, T0 + DAY) == {("y", "run")}
    assert edges(store, T0 - DAY) == set()


def test_a_record_keeps_its_id_when_it_is_renamed(store: Store, clock: Clock, source: str) -> None:
    write(store, clock, Scope("dataset/x", (table("x"),)))
    [before] = store.reader.find_native(["x"])
    clock.move(days=1)
    write(store, clock, Scope("dataset/x", (table("x", name="renamed"),)))
    [after] = store.reader.find_native(["x"])
    assert before == after
    assert store.reader.heads([after.asset])[after.asset].name == "renamed"
    log, total = store.reader.changes([after.asset])
    assert [entry.what for entry in log] == ["created", "renamed"]
    assert total == 2
    assert log[1].before == {"name": "X"}


def test_the_end_of_an_edge_that_nobody_described_is_a_stub(store: Store, clock: Clock, source: str) -> None:
    write(store, clock, Scope("job/a", (table("y"),), (Edge("unheard of", "y", EdgeKind.DERIVE),)))
    [match] = store.reader.find_native(["unheard of"])
    head = store.reader.heads([match.asset])[match.asset]
    assert (head.stub, head.name, head.kind) == (True, "unheard of", AssetKind.OTHER)


def test_a_later_description_fills_the_stub(store: Store, clock: Clock, source: str) -> None:
    write(store, clock, Scope("job/a", (table("y"),), (Edge("x", "y", EdgeKind.DERIVE),)))
    write(store, clock, Scope("dataset/x", (table("x"),)))
    [match] = store.reader.find_native(["x"])
    assert store.reader.heads([match.asset])[match.asset].kind is AssetKind.DATASET


def test_facets_of_several_scopes_add_up_and_the_later_word_wins(store: Store, clock: Clock, source: str) -> None:
    late = Scope("run/2", (table("x", facets={"b": 2, "c": 2}, stated_at=T0 + DAY),), nature=Nature.HAPPENED)
    early = Scope("run/1", (table("x", facets={"a": 1, "b": 1}, stated_at=T0),), nature=Nature.HAPPENED)
    write(store, clock, late)
    write(store, clock, early)
    [match] = store.reader.find_native(["x"])
    [row] = store.reader.assets([match.asset])[match.asset]
    assert row.facets == {"a": 1, "b": 2, "c": 2}


def sweep(store: Store, clock: Clock, *keys: str, unsure: bool = False) -> Written:
    seen = {store.ledger.digest(key) for key in keys}
    missed = store.ledger.missed("lake", "dataset", seen)
    return store.ledger.retire("lake", missed, clock.now, unsure=unsure)


def test_a_complete_listing_buries_what_it_lacks(store: Store, clock: Clock, source: str) -> None:
    write(store, clock, Scope("dataset/x", (table("x"),)), Scope("dataset/y", (table("y"),)))
    clock.move(days=1)
    sweep(store, clock, "dataset/x")
    [x], [y] = store.reader.find_native(["x"]), store.reader.find_native(["y"])
    heads = store.reader.heads([x.asset, y.asset])
    assert (heads[x.asset].tombstoned_at, heads[y.asset].tombstoned_at) == (None, clock.now)


def test_an_unsure_platform_is_believed_the_second_time(store: Store, clock: Clock, source: str) -> None:
    write(store, clock, Scope("dataset/x", (table("x"),)))
    [x] = store.reader.find_native(["x"])
    first_lacked = clock.move(days=1)
    sweep(store, clock, unsure=True)
    assert store.reader.heads([x.asset])[x.asset].tombstoned_at is None
    clock.move(days=1)
    sweep(store, clock, unsure=True)
    assert store.reader.heads([x.asset])[x.asset].tombstoned_at == first_lacked


def test_a_thing_that_comes_back_lives_again_as_the_same_record(store: Store, clock: Clock, source: str) -> None:
    write(store, clock, Scope("dataset/x", (table("x"),)))
    [before] = store.reader.find_native(["x"])
    clock.move(days=1)
    sweep(store, clock)
    clock.move(days=1)
    write(store, clock, Scope("dataset/x", (table("x"),)))
    [after] = store.reader.find_native(["x"])
    assert after == before
    assert store.reader.heads([after.asset])[after.asset].tombstoned_at is None
    assert [entry.what for entry in store.reader.changes([after.asset])[0]] == ["created", "tombstoned", "revived"]


def test_a_gone_scope_ends_its_edges_and_keeps_their_past(store: Store, clock: Clock, source: str) -> None:
    write(store, clock, replace(declared("dataset/x", ("x", "y"))))
    before = clock.now
    clock.move(days=1)
    sweep(store, clock)
    assert edges(store) == set()
    assert edges(store, before) == {("x", "y")}


def test_a_tombstone_of_the_source_is_taken_with_its_time(store: Store, clock: Clock, source: str) -> None:
    write(store, clock, Scope("run/1", (table("x", stated_at=T0),), nature=Nature.HAPPENED))
    write(store, clock, tombstones=(Tombstone("x", T0 + DAY, "dropped"),))
    [x] = store.reader.find_native(["x"])
    assert store.reader.heads([x.asset])[x.asset].tombstoned_at == T0 + DAY


def test_a_tombstone_older_than_the_last_description_changes_nothing(store: Store, clock: Clock, source: str) -> None:
    write(store, clock, Scope("run/1", (table("x", stated_at=T0 + DAY),), nature=Nature.HAPPENED))
    write(store, clock, tombstones=(Tombstone("x", T0, "dropped"),))
    [x] = store.reader.find_native(["x"])
    assert store.reader.heads([x.asset])[x.asset].tombstoned_at is None


def test_the_cursor_goes_with_its_batch(store: Store, clock: Clock, source: str) -> None:
    write(store, clock, declared("job/a", ("x", "y")), resume={"page": 7})
    assert store.journal.cursor("lake") == {"page": 7}


def test_what_was_kept_aside_is_listed_with_its_reason(store: Store, clock: Clock, source: str) -> None:
    write(store, clock, skipped=(Skipped("run r1", "no job", "{}"), Skipped("dataset d", "odd schema", lost=False)))
    assert [(s.what, s.reason, s.lost) for s in store.journal.skips("lake")] == [
        ("dataset d", "odd schema", False),
        ("run r1", "no job", True),
    ]
    assert store.journal.counts("lake").skipped == 1


def test_names_of_four_kilobytes_with_nul_come_back(store: Store, clock: Clock, source: str) -> None:
    name = "ü/" * 2000 + "#:\x00"
    write(store, clock, Scope("dataset/long", (Record(name, AssetKind.DATASET, name),)))
    [match] = store.reader.find_native([name])
    assert match.native_id == name.replace("\x00", "\\u0000")


def test_search_finds_by_words_beginnings_and_filters(store: Store, clock: Clock, source: str) -> None:
    tagged = table("shop.orders", facets={"tags": [{"key": "tier", "value": "gold"}], "owners": [{"name": "Ada"}]})
    write(
        store,
        clock,
        Scope("d/1", (tagged,)),
        Scope("d/2", (table("shop.orders_daily"),)),
        Scope("d/3", (table("crm"),)),
    )
    [orders], [daily] = store.reader.find_native(["shop.orders"]), store.reader.find_native(["shop.orders_daily"])

    def found(**wanted: object) -> list[int]:
        return list(store.reader.search(Wanted(**wanted)).ids)  # type: ignore[arg-type]  # a shorthand of the tests

    assert found(text="shop ord") == [orders.asset, daily.asset]
    assert found(text="daily") == [daily.asset]
    assert found(text="orders", tags=["tier=gold"]) == [orders.asset]
    assert found(text="orders", owners=["ada"]) == [orders.asset]
    assert found(text="orders", kinds=[AssetKind.MODEL]) == []
    page = store.reader.search(Wanted("shop"), first=1)
    assert (page.total, page.next) == (2, 1)


def test_a_renamed_asset_is_not_found_under_its_old_name(store: Store, clock: Clock, source: str) -> None:
    write(store, clock, Scope("d/1", (table("t1", name="before"),)))
    write(store, clock, Scope("d/1", (table("t1", name="after"),)))
    assert store.reader.search(Wanted("before")).ids == ()
    assert len(store.reader.search(Wanted("after")).ids) == 1


def test_any_order_of_scopes_gives_the_same_records(store: Store, clock: Clock, source: str) -> None:
    scopes: Sequence[Scope] = [
        Scope(
            f"run/{n}",
            (table("x", facets={"n": n, f"only{n}": n}, stated_at=T0 + n * DAY, name=f"n{n}"),),
            nature=Nature.HAPPENED,
        )
        for n in range(4)
    ]
    for said in random.Random(3).sample(scopes, 4):
        write(store, clock, said)
    [x] = store.reader.find_native(["x"])
    [row] = store.reader.assets([x.asset])[x.asset]
    assert (row.name, row.facets) == ("n3", {"n": 3, "only0": 0, "only1": 1, "only2": 2, "only3": 3})


def test_a_thing_that_others_only_name_is_buried_with_the_scope_that_described_it(
    store: Store, clock: Clock, source: str
) -> None:
    write(store, clock, Scope("dataset/x", (table("x"),)), Scope("job/a", (table("x", described=False),)))
    clock.move(days=1)
    sweep(store, clock)
    [x] = store.reader.find_native(["x"])
    assert store.reader.heads([x.asset])[x.asset].tombstoned_at == clock.now


def test_a_name_alone_brings_nothing_back_to_life(store: Store, clock: Clock, source: str) -> None:
    write(store, clock, Scope("dataset/x", (table("x"),)))
    clock.move(days=1)
    sweep(store, clock)
    clock.move(days=1)
    write(store, clock, Scope("job/a", (table("x", described=False),)))
    [x] = store.reader.find_native(["x"])
    assert store.reader.heads([x.asset])[x.asset].tombstoned_at is not None


@pytest.mark.parametrize("kind", list(AssetKind))
def test_every_kind_of_asset_comes_back_as_itself(store: Store, clock: Clock, source: str, kind: AssetKind) -> None:
    write(store, clock, Scope("dataset/x", (table("x", kind=kind),)))
    [x] = store.reader.find_native(["x"])
    assert store.reader.heads([x.asset])[x.asset].kind is kind


def test_every_word_of_an_edge_comes_back_as_itself(store: Store, clock: Clock, source: str) -> None:
    told = [
        Edge("x", f"run {role} {evidence} {outcome}", EdgeKind.READ, role, evidence=evidence, outcome=outcome)
        for role in (*Role, None)
        for evidence in Evidence
        for outcome in (*RunState, None)
    ]
    write(store, clock, Scope("run/1", (table("x"),), tuple(told), nature=Nature.HAPPENED))
    [x] = store.reader.find_native(["x"])
    heard = {(row.role, row.evidence, row.outcome) for row in store.reader.edges_of([x.record])}
    assert heard == {(edge.role, edge.evidence, edge.outcome) for edge in told}


def test_a_table_whose_name_holds_the_word_comes_before_what_merely_belongs_to_it(
    store: Store, clock: Clock, source: str
) -> None:
    column = Record("shop.orders#id", AssetKind.COLUMN, "id")
    write(store, clock, Scope("d/1", (column, table("shop.orders", name="the shop.orders table"))))
    [orders], [id_] = store.reader.find_native(["shop.orders"]), store.reader.find_native(["shop.orders#id"])
    assert store.reader.search(Wanted("orders")).ids == (orders.asset, id_.asset)


def test_a_platform_time_that_stands_still_lets_our_reads_order_what_it_says(
    store: Store, clock: Clock, source: str
) -> None:
    turns = [("x", "y"), ("x", "z"), ("x", "w"), ("x", "y")]
    reads: list[datetime] = []
    for number, turn in enumerate(turns):
        reads.append(clock.move(days=1))
        said = declared("model/m", turn, at=T0)
        write(store, clock, replace(said, records=(*said.records, table("m", name=f"turn {number}"))))
        [m] = store.reader.find_native(["m"])
        assert store.reader.heads([m.asset])[m.asset].name == f"turn {number}"
        assert edges(store) == {turn}
    for read, turn in zip(reads[1:], turns[1:], strict=True):
        assert edges(store, read + timedelta(hours=1)) == {turn}


def test_a_newer_platform_time_is_newer_though_we_read_the_former_later(
    store: Store, clock: Clock, source: str
) -> None:
    write(store, clock, declared("model/m", ("x", "y"), at=T0))
    clock.move(days=1)
    write(store, clock, declared("model/m", ("x", "z"), at=T0))  # ordered by our read, long after T0
    write(store, clock, declared("model/m", ("x", "w"), at=T0 + DAY))
    assert edges(store) == {("x", "w")}
    write(store, clock, declared("model/m", ("x", "v"), at=T0 - DAY))  # late: history only
    assert edges(store) == {("x", "w")}


def test_an_edge_that_is_told_again_with_a_later_start_began_when_it_began(
    store: Store, clock: Clock, source: str
) -> None:
    for at in (T0, T0 + DAY):
        edge = Edge("x", "y", EdgeKind.DERIVE, valid_from=at)
        write(store, clock, Scope("job/a", (table("x"), table("y")), (edge,)))
        clock.move(days=1)
    assert edges(store, T0 + timedelta(hours=1)) == {("x", "y")}


def test_an_end_within_a_second_is_rounded_up_so_that_no_interval_shrinks(
    store: Store, clock: Clock, source: str
) -> None:
    start, end = T0 + timedelta(seconds=1.5), T0 + timedelta(seconds=1.9)
    edge = Edge("x", "y", EdgeKind.DERIVE, valid_from=start, valid_to=end)
    write(store, clock, Scope("job/a", (table("x"), table("y")), (edge,)))
    assert edges(store, T0 + timedelta(seconds=1)) == {("x", "y")}
    assert edges(store, T0 + timedelta(seconds=2)) == set()
