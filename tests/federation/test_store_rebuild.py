"""What is derived can be derived again, whatever became of it."""

import threading
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from watersmeet.federation.connector import Batch
from watersmeet.federation.errors import AlreadyRunning, CursorExpired
from watersmeet.federation.graph import Graph
from watersmeet.federation.inquiry import Inquiry
from watersmeet.federation.model import AssetKind, Edge, EdgeKind, Form, Record, Scope, Spelling, Tombstone
from watersmeet.federation.naming import Registry
from watersmeet.federation.rows import Rebuilt, SourceRow
from watersmeet.federation.store import Store, Wanted

from ..scale import examples
from .conftest import Clock
from .test_store_laws import Word, said, words

ADDRESS = (Spelling(Form.OPENLINEAGE, ("postgres://db:5432", "shop.public.orders")),)
TAGS = {"tags": [{"key": "pii"}], "owners": [{"name": "Ada"}]}

DAMAGES = {
    "a name": "UPDATE record SET name = 'nonsense', kind = 3 WHERE native_id = 'orders'",
    "every body": "UPDATE record SET body = (SELECT body FROM doc ORDER BY id LIMIT 1)",
    "a tombstone that is none": "UPDATE record SET tombstoned_at = 5 WHERE native_id = 'orders'",
    "a tombstone that is gone": "UPDATE record SET tombstoned_at = NULL",
    "all labels": "DELETE FROM label",
    "a strange label": "INSERT INTO label SELECT 4711, 'tag', hash, 'strange' FROM doc LIMIT 1",
    "all keys": "DELETE FROM spelled",
    "the text of a key": "UPDATE spelled SET key = 'data|nowhere||x'",
    "all joins": "UPDATE record SET asset = id",
    "everything joined": "UPDATE record SET asset = 1",
    "an asset that is none": "UPDATE record SET asset = 999999",
    "the memberships": "DELETE FROM member",
    "the links": "DELETE FROM link",
    "live edges": "DELETE FROM claim",
    "the ends of edges": "UPDATE claim SET valid_to = 1 WHERE valid_to IS NULL",
}


def fill(store: Store, clock: Clock) -> None:
    """Two sources that speak of one table, an edge that ended, a thing that died, tags."""
    store.journal.declare([SourceRow("a", "a", "marquez", None, 0), SourceRow("b", "b", "mlflow", None, 1)])
    orders = Record("orders", AssetKind.DATASET, "orders", spellings=ADDRESS, facets=TAGS, description="what was sold")
    raw = Record("raw", AssetKind.DATASET, "raw things")
    tell(store, clock, "a", Scope("t/1", (orders, raw), (Edge("raw", "orders", EdgeKind.DERIVE),)))
    tell(store, clock, "b", Scope("t/1", (Record("sales", AssetKind.DATASET, "sales", spellings=ADDRESS),)))
    other = (Edge("other", "orders", EdgeKind.DERIVE),)
    tell(store, clock, "a", Scope("t/1", (orders, Record("other", AssetKind.DATASET, "other")), other))
    store.ledger.write("a", Batch(tombstones=(Tombstone("raw"),)), read_started_at=clock.move(minutes=1))
    store.resolve(Registry.EMPTY)


def tell(store: Store, clock: Clock, source: str, *scopes: Scope) -> None:
    store.ledger.write(source, Batch(scopes), read_started_at=clock.move(minutes=1))
    store.resolve(Registry.EMPTY)


def by_hand(url: str, *statements: str) -> list[Any]:
    """What an editor of databases could do to a store."""
    address = sa.make_url(url)
    if address.get_backend_name() == "postgresql":
        address = address.set(drivername="postgresql+psycopg")
    engine = sa.create_engine(address)
    try:
        with engine.begin() as connection:
            results = [connection.exec_driver_sql(statement) for statement in statements]
            return [row for result in results if result.returns_rows for row in result.all()]
    finally:
        engine.dispose()


def shown(store: Store) -> dict[str, Any]:
    """Everything that can be asked of a store, but for the times at which it learned it."""
    columns = store.reader.columns()
    assets = {
        asset: [(r.id, r.native_id, r.kind, r.name, r.tombstoned_at, r.spellings, dict(r.facets)) for r in rows]
        for asset, rows in store.reader.assets(columns.asset.tolist()).items()
    }
    ends = (columns.up, columns.down, columns.edge_kind, columns.valid_from, columns.valid_to)
    return {
        "assets": assets,
        "edges": sorted(zip(*(end.tolist() for end in ends), strict=True)),
        "keys": store.reader.keys(assets),
        "links": {asset: [(x.left, x.right, x.rule) for x in store.reader.links(asset)] for asset in assets},
        "tagged": store.reader.search(Wanted(tags=("pii",), owners=("ada",))),
        "found": [store.reader.search(Wanted(text)) for text in ("orders", "raw thing", "sold", "nonsense")],
    }


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=list(DAMAGES))
def test_a_damaged_projection_comes_back_from_the_claims(
    store: Store, store_url: str, clock: Clock, damage: str
) -> None:
    fill(store, clock)
    before = shown(store)
    by_hand(store_url, damage)
    clock.move(minutes=1)
    store.rebuild(Registry.EMPTY)
    assert shown(store) == before


def test_a_sound_store_is_left_as_it_is(store: Store, clock: Clock) -> None:
    fill(store, clock)
    before, head = shown(store), store.reader.head()
    known = clock.now
    was = store.reader.columns(known).asset.tolist()
    clock.move(hours=1)
    done = store.rebuild(Registry.EMPTY)
    assert (shown(store), store.reader.head(), dict(done.mended)) == (before, head, {})
    assert store.reader.columns(known).asset.tolist() == was


def test_the_index_of_words_is_made_anew(tmp_path: Path, clock: Clock) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    with Store.open(url, clock=clock) as store:
        fill(store, clock)
        before = shown(store)
        by_hand(url, "INSERT INTO record_text(record_text) VALUES ('delete-all')")
        assert shown(store) != before
        store.rebuild(Registry.EMPTY)
        assert shown(store) == before
        orders = Record("orders", AssetKind.DATASET, "renamed", spellings=ADDRESS)
        tell(store, clock, "a", Scope("t/1", (orders,)))
        assert store.reader.search(Wanted("renamed")).total == 1
        assert store.reader.search(Wanted("sold")).total == 0


def test_a_killed_rebuild_is_gone_on_with_wherever_it_was_killed(store: Store, store_url: str, clock: Clock) -> None:
    fill(store, clock)
    before = shown(store)
    by_hand(store_url, DAMAGES["a name"], DAMAGES["all joins"], DAMAGES["all keys"])
    steps = 0
    while True:
        left = [steps]

        def watch(_: Rebuilt, left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] < 0:
                raise KeyboardInterrupt  # goes through everything, as a kill does

        try:
            done = store.rebuild(Registry.EMPTY, watch=watch)
            break
        except KeyboardInterrupt:
            steps += 1
            # what comes in between is lost to neither
            tell(store, clock, "b", Scope(f"t/{steps + 1}", (Record(f"n{steps}", AssetKind.DATASET, f"new {steps}"),)))
    assert steps >= 3
    assert done.resumed
    after = shown(store)
    assert {asset: rows for asset, rows in after["assets"].items() if asset in before["assets"]} == before["assets"]
    assert (after["edges"], after["links"].items() >= before["links"].items()) == (before["edges"], True)
    assert all(store.reader.search(Wanted(f"new {number + 1}")).total for number in range(steps))


def test_two_rebuilds_at_once_are_one_too_many(store: Store, clock: Clock) -> None:
    fill(store, clock)
    with store.lock("rebuild"), pytest.raises(AlreadyRunning):
        store.rebuild(Registry.EMPTY)


def test_page_cursors_of_before_a_rebuild_expire(store: Store, clock: Clock) -> None:
    fill(store, clock)
    inquiry = Inquiry(store, Graph(store, clock=clock), clock=clock)
    root = inquiry.find("orders", source="a")
    after = inquiry.lineage(root, first=1).page_info.end_cursor
    assert inquiry.lineage(root, first=1, after=after)
    store.rebuild(Registry.EMPTY)
    with pytest.raises(CursorExpired):
        inquiry.lineage(root, first=1, after=after)
    assert inquiry.lineage(root, first=1).nodes


def test_a_running_graph_sees_what_a_rebuild_mended(store: Store, store_url: str, clock: Clock) -> None:
    fill(store, clock)
    by_hand(store_url, "UPDATE record SET kind = 3")
    graph = Graph(store, clock=clock)
    stale = graph.now()
    store.rebuild(Registry.EMPTY)
    assert graph.now() is not stale


def test_writers_go_on_while_a_store_is_rebuilt(store: Store, store_url: str, clock: Clock) -> None:
    fill(store, clock)
    by_hand(store_url, DAMAGES["every body"])
    written: list[int] = []
    ended = threading.Event()

    def write() -> None:
        while not ended.is_set() or not written:
            number = len(written)
            scope = Scope(f"w/{number}", (Record(f"w{number}", AssetKind.DATASET, f"word {number}"),))
            store.ledger.write("b", Batch((scope,)), read_started_at=clock.now)
            written.append(number)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        store.rebuild(Registry.EMPTY)
    finally:
        ended.set()
        writer.join()
    store.resolve(Registry.EMPTY)
    for number in written:
        assert store.reader.search(Wanted(f"word {number}")).total >= 1
    clean = shown(store)
    store.rebuild(Registry.EMPTY)
    assert shown(store) == clean


@pytest.mark.law
@settings(max_examples=examples(25), deadline=None)
@given(words, st.lists(st.sampled_from(sorted(DAMAGES)), max_size=3, unique=True))
def test_any_history_survives_any_damage(history: list[Word], damages: list[str]) -> None:
    kept = [word for word in history if not word.scope.startswith("h")] if "live edges" in damages else history
    kept = kept if "the ends of edges" not in damages else [word for word in kept if not word.scope.startswith("h")]
    with TemporaryDirectory() as folder:
        clock, url = Clock(), f"sqlite:///{Path(folder) / 'store.db'}"
        with Store.open(url, clock=clock) as store:
            store.journal.declare([SourceRow("a", "a", "marquez", None, 0)])
            for word in kept:
                tell(store, clock, "a", said(word))
            before = shown(store)
            by_hand(url, *(DAMAGES[damage] for damage in damages))
            clock.move(minutes=1)
            store.rebuild(Registry.EMPTY)
            assert shown(store) == before
