"""What a source holds, handed over a thing at a time, on both databases."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given

from watersmeet.federation.columns import EVER
from watersmeet.federation.connector import Batch
from watersmeet.federation.dossier import Dossier, belongs_to
from watersmeet.federation.errors import NotFound
from watersmeet.federation.model import AssetKind, Edge, EdgeKind, Evidence, Record, Role, Run, RunState, Scope
from watersmeet.federation.model import Tombstone as Stone
from watersmeet.federation.rows import SourceRow
from watersmeet.federation.store import Store

from .histories import SOURCES, START, Ground, History, histories, law

TABLE = Record("t", AssetKind.DATASET, "orders", description="all orders", facets={"tags": [{"key": "gold"}]})
COLUMN = Record("t.id", AssetKind.COLUMN, "id", subtype="bigint")
OTHER = Record("u", AssetKind.DATASET, "raw")
FAR = Record("u.key", AssetKind.COLUMN, "key")
RUN = Record("r", AssetKind.RUN, "load", run=Run(RunState.SUCCEEDED, START, START))
READ = Edge("u", "r", EdgeKind.READ, role=Role.REFERENCE, confidence=0.5)
WRITE = Edge("r", "t", EdgeKind.WRITE, flow=1)
PART, FAR_PART = Edge("t.id", "t", EdgeKind.PART_OF), Edge("u.key", "u", EdgeKind.PART_OF)
DERIVE = Edge("u.key", "t.id", EdgeKind.DERIVE, evidence=Evidence.PARSED, via="r", transformation="cast(key)")


def tell(store: Store, *records: Record, edges: Sequence[Edge] = (), scope: str = "it") -> None:
    """The one source says something."""
    store.journal.declare([SourceRow("a", "a", "mlflow", "http://a", 0)])
    store.ledger.write("a", Batch(scopes=(Scope(scope, records, tuple(edges)),)), read_started_at=START)


def handed(store: Store, source: str = "a") -> dict[str, Dossier]:
    """Every dossier."""
    return {dossier.record.native_id: dossier for _, dossier in store.dossiers.of(source)}


def test_a_table_comes_with_its_columns_and_what_was_derived_into_them(store: Store) -> None:
    tell(store, TABLE, COLUMN, OTHER, FAR, RUN, edges=[READ, WRITE, PART, FAR_PART, DERIVE])
    found = handed(store)
    assert list(found) == ["t", "u", "r"]
    table = found["t"]
    assert (table.record, table.parts, table.source_id, table.platform) == (TABLE, (COLUMN,), "a", "mlflow")
    assert set(table.edges) == {PART, DERIVE}
    assert table.ends == {"u": OTHER, "u.key": FAR, "r": RUN}
    assert table.wholes == {"t.id": "t", "u.key": "u"}


def test_a_run_comes_with_what_it_read_and_wrote(store: Store) -> None:
    tell(store, TABLE, COLUMN, OTHER, FAR, RUN, edges=[READ, WRITE, PART, FAR_PART, DERIVE])
    run = handed(store)["r"]
    assert (set(run.edges), run.ends) == ({READ, WRITE}, {"u": OTHER, "t": TABLE})


def test_a_column_whose_table_nobody_named_is_handed_over_by_itself(store: Store) -> None:
    tell(store, COLUMN)
    assert [dossier.record for dossier in handed(store).values()] == [COLUMN]


def test_what_several_statements_say_of_an_edge_is_handed_over_once(store: Store) -> None:
    tell(store, OTHER, RUN, edges=[READ])
    tell(store, OTHER, RUN, edges=[READ], scope="again")
    assert handed(store)["r"].edges == (READ,)


def test_what_is_gone_is_counted_and_not_handed_over(store: Store) -> None:
    tell(store, TABLE, COLUMN, OTHER, edges=[PART])
    store.ledger.write("a", Batch(tombstones=(Stone("u"),)), read_started_at=START)
    stock = store.dossiers.stock("a")
    assert (list(handed(store)), stock.things, stock.gone) == (["t"], 1, 1)


def test_handing_over_goes_on_behind_a_place(store: Store) -> None:
    tell(store, *(Record(f"n{number:03}", AssetKind.OTHER, "n") for number in range(450)))
    every = list(store.dossiers.of("a"))
    assert len({dossier.record.native_id for _, dossier in every}) == len(every) == store.dossiers.stock("a").things
    assert list(store.dossiers.of("a", every[299][0])) == every[300:]


def test_things_are_handed_over_as_they_came_to_be_those_without_a_time_first(store: Store) -> None:
    first, second, third = (START + timedelta(days=day) for day in range(3))
    times = {"second": second, "untold": None, "third": third, "first": first, "also untold": None}
    tell(store, *(Record(name, AssetKind.OTHER, name, created_at=at) for name, at in times.items()))
    every = list(store.dossiers.of("a"))
    assert [one.record.name for _, one in every] == ["untold", "also untold", "first", "second", "third"]
    for at, (place, _) in enumerate(every):
        assert list(store.dossiers.of("a", place)) == every[at + 1 :]


def test_one_thing_can_be_looked_up(store: Store) -> None:
    tell(store, TABLE, COLUMN, OTHER, edges=[PART])
    dossiers = handed(store)
    assert {name: store.dossiers.one("a", name) for name in dossiers} == dossiers
    assert store.dossiers.one("a", COLUMN.native_id) is None, "it goes with its table"
    store.journal.declare([SourceRow("a", "a", "mlflow", "http://a", 0), SourceRow("b", "b", "mlflow", "http://b", 1)])
    assert store.dossiers.one("b", TABLE.native_id) is None, "another source's"
    store.ledger.write("a", Batch(tombstones=(Stone("u"),)), read_started_at=START)
    assert [store.dossiers.one("a", name) for name in ("u", "nothing")] == [None, None]


def test_a_source_that_nobody_declared_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound, match="'nobody'"):
        list(store.dossiers.of("nobody"))
    with pytest.raises(NotFound, match="'nobody'"):
        store.dossiers.stock("nobody")


@law(examples=15)
@given(history=histories())
def test_all_that_lives_and_holds_is_handed_over_exactly_once(ground: Ground, history: History) -> None:
    ground = ground.fresh()
    ground.tell(*history)
    name, columns = ground.names(ground.store.reader.columns()), ground.store.reader.columns()
    ends = zip(columns.up.tolist(), columns.down.tolist(), columns.edge_kind.tolist(), strict=True)
    holding = columns.valid_to == EVER
    expected = {
        (name[up], name[down], list(EdgeKind)[kind])
        for (up, down, kind), is_so in zip(ends, holding, strict=True)
        if is_so
    }
    rows = [row for some in ground.store.reader.assets(columns.asset.tolist()).values() for row in some]
    living = {f"{row.source}:{row.native_id}" for row in rows if row.tombstoned_at is None}
    dossiers = [(source, dossier) for source in SOURCES for _, dossier in ground.store.dossiers.of(source)]
    assert sorted(f"{source}:{one.record.native_id}" for source, one in dossiers) == sorted(living)
    told = [(source, edge) for source, dossier in dossiers for edge in dossier.edges]
    assert {(f"{source}:{edge.upstream}", f"{source}:{edge.downstream}", edge.kind) for source, edge in told} == {
        (up, down, kind)
        for up, down, kind in expected
        if f"{up.partition(':')[0]}:{belongs_to(Edge(up.partition(':')[2], down.partition(':')[2], kind))}" in living
    }
    assert len(set(told)) == len(told)
