"""Identity in the store: what belongs together is joined whoever spoke first, and every join can be taken back."""

import itertools
from datetime import datetime

import pytest

from watersmeet.federation.connector import Batch
from watersmeet.federation.model import AssetKind, Form, Nature, Record, Scope, Spelling
from watersmeet.federation.naming import Registry
from watersmeet.federation.rows import SourceRow
from watersmeet.federation.store import Store

from .conftest import Clock

S3 = Spelling(Form.URI, ("s3a://lake/features/customers/",))
OL = Spelling(Form.OPENLINEAGE, ("s3://lake", "features/customers"))
OTHER = Spelling(Form.OPENLINEAGE, ("s3://lake", "features/orders"))


@pytest.fixture(autouse=True)
def _sources(store: Store) -> None:
    names = ("mlflow", "marquez", "files")
    store.journal.declare([SourceRow(name, name, name, None, place) for place, name in enumerate(names)])


def tell(store: Store, source: str, native: str, *spellings: Spelling, kind: AssetKind = AssetKind.DATASET) -> None:
    record = Record(native, kind, native, spellings=spellings)
    batch = Batch((Scope(f"dataset/{native}", (record,)),))
    store.ledger.write(source, batch, read_started_at=datetime.now().astimezone())


def asset(store: Store, source: str, native: str) -> int:
    [match] = store.reader.find_native([native], source)
    return match.asset


def test_two_tools_that_name_one_place_have_one_asset_with_the_reason(store: Store) -> None:
    tell(store, "mlflow", "m", S3)
    tell(store, "marquez", "o", OL)
    assert store.resolve(Registry.EMPTY) == 1
    one = asset(store, "mlflow", "m")
    assert asset(store, "marquez", "o") == one
    assert {row.source for row in store.reader.assets([one])[one]} == {"mlflow", "marquez"}
    [link] = store.reader.links(one)
    assert link.evidence == ("data|s3|lake|features/customers",)
    assert "data|s3|lake|features/customers" in store.reader.keys([one])[one]
    assert store.reader.heads([one])[one].platforms == ("mlflow", "marquez")


def test_the_joined_asset_bears_the_smallest_id_and_the_other_stays_askable(store: Store) -> None:
    tell(store, "mlflow", "m", S3)
    tell(store, "marquez", "o", OL)
    before = (asset(store, "mlflow", "m"), asset(store, "marquez", "o"))
    store.resolve(Registry.EMPTY)
    assert {store.reader.present_id(number) for number in before} == {min(before)}


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_the_groups_do_not_depend_on_who_spoke_first(store: Store, order: tuple[int, ...]) -> None:
    told = [("mlflow", "m", S3), ("marquez", "o", OL), ("files", "f", OTHER)]
    for place in order:
        tell(store, told[place][0], told[place][1], told[place][2])
        store.resolve(Registry.EMPTY)
    assert asset(store, "mlflow", "m") == asset(store, "marquez", "o") != asset(store, "files", "f")


def test_a_name_that_is_no_longer_told_splits_what_it_joined(store: Store, clock: Clock) -> None:
    tell(store, "mlflow", "m", S3)
    tell(store, "marquez", "o", OL)
    store.resolve(Registry.EMPTY)
    joined_at = clock.now
    clock.move(hours=1)
    tell(store, "marquez", "o", OTHER)
    store.resolve(Registry.EMPTY)
    assert asset(store, "mlflow", "m") != asset(store, "marquez", "o")
    assert store.reader.links(asset(store, "mlflow", "m")) == []
    what = [row.what for row in store.reader.changes([asset(store, "marquez", "o")])[0]]
    assert what == ["created", "joined", "split"]
    then = store.reader.columns(joined_at)
    assert len(set(then.asset.tolist())) == 1


def test_what_a_kill_left_undone_is_joined_by_the_next_sync(store: Store, store_url: str) -> None:
    tell(store, "mlflow", "m", S3)
    tell(store, "marquez", "o", OL)
    with Store.open(store_url) as next_process:
        next_process.resolve(Registry.EMPTY)
    assert asset(store, "mlflow", "m") == asset(store, "marquez", "o")


def test_an_authority_learned_later_joins_and_forgotten_splits(store: Store) -> None:
    store.members.adopt(Registry.EMPTY)
    tell(store, "mlflow", "m", Spelling(Form.OPENLINEAGE, ("postgres://10.0.0.5:5432", "shop.public.orders")))
    tell(store, "marquez", "o", Spelling(Form.OPENLINEAGE, ("postgres://pg1.acme.io:5432", "shop.public.orders")))
    store.resolve(Registry.EMPTY)
    assert asset(store, "mlflow", "m") != asset(store, "marquez", "o")
    registry = Registry.of({"postgres/pg1": {"aliases": ["10.0.0.5:5432", "pg1.acme.io:5432"]}}, [])
    assert store.members.adopt(registry)
    assert asset(store, "mlflow", "m") == asset(store, "marquez", "o")
    assert not store.members.adopt(registry)
    assert store.members.adopt(Registry.EMPTY)
    assert asset(store, "mlflow", "m") != asset(store, "marquez", "o")


def test_a_run_that_two_sources_tell_is_one_run(store: Store) -> None:
    run = Spelling(Form.OPENLINEAGE_RUN, ("0195c3a1-2f4e-7c11-9f00-3a2b1c0d9e8f",))
    for source in ("marquez", "files"):
        record = Record("run:x", AssetKind.RUN, "x", spellings=(run,))
        scope = Scope("run/x", (record,), nature=Nature.HAPPENED)
        store.ledger.write(source, Batch((scope,)), read_started_at=datetime.now().astimezone())
    store.resolve(Registry.EMPTY)
    assert asset(store, "marquez", "run:x") == asset(store, "files", "run:x")
