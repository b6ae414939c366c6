"""What becomes of a catalogue in the store, sync after sync."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from watersmeet.federation.connector import Batch
from watersmeet.federation.model import AssetKind, Form, Record, Scope, Spelling, SyncState
from watersmeet.federation.naming import Registry
from watersmeet.federation.rows import EdgeRow, RecordRow, SourceRow, SyncRow
from watersmeet.federation.store import Store
from watersmeet.federation.sync import pull

from .catalog import URL, Catalog
from .conftest import Connect, dataset

A, B, C = dataset("db.a"), dataset("db.b"), dataset("db.c")
DAY = timedelta(days=1, minutes=1)
NOW = datetime.now(UTC)


def millis(at: datetime) -> int:
    return int(at.timestamp() * 1000)


class Lab:
    """A catalogue, and a store that follows it; time passes between the syncs."""

    def __init__(self, catalog: Catalog, store: Store, connect: Connect) -> None:
        self.catalog = catalog
        self.store = store
        self.now = NOW
        self._connect = connect
        names = ("catalog", "other", "tracking")
        store.journal.declare([SourceRow(name, name, "datahub", URL, place) for place, name in enumerate(names)])

    def put(self, urn: str, aspect: str, value: Any, **stamps: Any) -> None:
        self.now += timedelta(seconds=1)
        self.catalog.put(urn, aspect, value, millis(self.now), **stamps)

    def sync(self, after: timedelta = timedelta(seconds=1), source: str = "catalog", **settings: Any) -> SyncRow:
        self.now += after
        connector = self._connect(URL, now=self.now, transport=self.catalog.transport, **settings, id=source)
        return pull(self.store, source, connector, registry=Registry.EMPTY, clock=lambda: self.now)

    def records(self, native_id: str) -> list[RecordRow]:
        found = self.store.reader.find_native([native_id])
        rows = self.store.reader.assets([one.asset for one in found])
        return [row for some in rows.values() for row in some if row.native_id == native_id]

    def record(self, native_id: str) -> RecordRow:
        [one] = self.records(native_id)
        return one

    def edges(self, native_id: str) -> list[EdgeRow]:
        return [one for one in self.store.reader.edges_of([self.record(native_id).id]) if one.valid_to is None]


@pytest.fixture
def lab(connect: Connect, tmp_path: Path) -> Iterator[Lab]:
    catalog = Catalog()
    with Store.open(f"sqlite:///{tmp_path / 'store.db'}") as store:
        made = Lab(catalog, store, connect)
        made.put(A, "datasetProperties", {"name": "a"})
        made.put(A, "upstreamLineage", {"upstreams": [{"dataset": B, "type": "COPY"}, {"dataset": C, "type": "COPY"}]})
        made.put(B, "datasetProperties", {"name": "b"})
        yield made


def test_a_second_sync_without_a_change_writes_nothing(lab: Lab) -> None:
    """DataHub, check 15: 0 writes; an identical re-ingest, whose lastObserved moved, 0 changes."""
    assert lab.sync().state is SyncState.SUCCEEDED
    assert lab.sync().written == 0
    assert lab.sync(DAY).written == 0
    for entity in lab.catalog.entities.values():
        for aspect in entity.values():
            aspect["systemMetadata"]["lastObserved"] += 1000
    assert lab.sync(DAY).written == 0


@pytest.mark.parametrize("is_full", [True, False])
def test_one_changed_aspect_changes_exactly_its_own_edges(lab: Lab, is_full: bool) -> None:
    """DataHub, check 15: an upstream that was removed inside upstreamLineage disappears."""
    lab.sync()
    assert len(lab.edges(A)) == 2
    lab.put(A, "upstreamLineage", {"upstreams": [{"dataset": B, "type": "COPY"}]})
    lab.sync(DAY if is_full else timedelta(seconds=1))
    [edge] = lab.edges(A)
    assert edge.upstream == lab.record(B).id
    assert lab.record(A).name == "a"


def test_a_thing_that_is_only_named_is_a_stub_until_it_is_described(lab: Lab) -> None:
    """DataHub, check 11: a placeholder, filled later without a duplicate; how many dangle is told."""
    before = lab.sync()
    assert (before.state, lab.store.journal.counts("catalog").stubs) == (SyncState.SUCCEEDED, 1)
    lab.put(B, "upstreamLineage", {"upstreams": [{"dataset": dataset("db.d"), "type": "COPY"}]})
    lab.sync()
    counts = lab.store.journal.counts("catalog")
    assert (counts.stubs, counts.assets) == (2, 4)
    stub = lab.record(C)
    assert (stub.described, stub.name, stub.kind.value) == (False, "db.c", "DATASET")
    lab.put(C, "datasetProperties", {"name": "c"})
    lab.sync()
    described = lab.record(C)
    assert (described.described, described.name, described.id) == (True, "c", stub.id)
    assert lab.store.journal.counts("catalog").stubs == 1


def test_what_is_deleted_without_a_word_is_gone_after_two_whole_readings(lab: Lab) -> None:
    """DataHub, check 10: hard-deleted leads to a tombstone after 2 clean scans."""
    settings: dict[str, Any] = {"options": {"events": False}}
    for number in range(5):
        lab.put(dataset(f"db.more{number}"), "datasetProperties", {})
    lab.sync(**settings)
    del lab.catalog.entities[B]
    lab.sync(DAY, **settings)
    assert lab.record(B).tombstoned_at is None
    lab.sync(DAY, **settings)
    assert lab.record(B).tombstoned_at is not None
    assert len(lab.edges(A)) == 2


def test_a_soft_deleted_entity_dies_and_a_restored_one_lives(lab: Lab) -> None:
    """DataHub, check 10: the state changes, edges stay flagged; restored is active."""
    lab.sync()
    lab.put(A, "status", {"removed": True})
    lab.sync()
    dead = lab.record(A)
    assert dead.tombstoned_at is not None
    assert len(lab.edges(A)) == 2
    assert lab.sync(DAY).written == 0
    assert lab.record(A).tombstoned_at == dead.tombstoned_at
    lab.put(A, "status", {"removed": False})
    lab.sync()
    assert lab.record(A).tombstoned_at is None


def test_a_deletion_that_the_log_tells_counts_at_once(lab: Lab) -> None:
    lab.sync()
    lab.catalog.drop(B)
    lab.sync()
    assert lab.record(B).tombstoned_at is not None
    lab.put(B, "datasetProperties", {"name": "back"})
    lab.sync()
    assert (lab.record(B).tombstoned_at, lab.record(B).name) == (None, "back")


def test_the_same_urn_of_two_servers_stays_two_things(lab: Lab) -> None:
    """DataHub, check 20."""
    lab.sync()
    lab.sync(source="other")
    one, other = lab.records(A)
    assert {one.source, other.source} == {"catalog", "other"}
    assert len({match.asset for match in lab.store.reader.find_native([A])}) == 2


def test_a_time_in_the_future_does_not_keep_later_words_out(lab: Lab) -> None:
    """DataHub, check 21."""
    ahead = {"aspectModified": {"time": millis(NOW + timedelta(days=400))}}
    lab.put(B, "datasetProperties", {"name": "early"}, **ahead)
    lab.sync()
    lab.put(B, "datasetProperties", {"name": "late"})
    lab.sync(DAY)
    assert lab.record(B).name == "late"


def test_siblings_are_one_thing_of_two_records(lab: Lab) -> None:
    dbt = dataset("db.a", "dbt")
    lab.put(dbt, "datasetProperties", {"name": "model a"})
    lab.put(dbt, "siblings", {"siblings": [A], "primary": True})
    lab.put(A, "siblings", {"siblings": [dbt], "primary": False})
    lab.sync()
    [one] = {match.asset for match in lab.store.reader.find_native([A, dbt])}
    assert {row.native_id for row in lab.store.reader.assets([one])[one]} == {A, dbt}


def test_a_type_that_became_forbidden_loses_nothing(lab: Lab) -> None:
    """DataHub, check 4: no tombstones for it."""
    lab.sync()
    lab.catalog.fail("scroll", 403)
    assert lab.sync(DAY).state is SyncState.PARTIAL
    assert lab.sync(DAY).state is SyncState.PARTIAL
    assert lab.record(A).tombstoned_at is None


def test_a_column_that_was_dropped_is_described_no_more(lab: Lab) -> None:
    fields = [{"fieldPath": name, "nativeDataType": "int"} for name in ("x", "y")]
    lab.put(A, "schemaMetadata", {"fields": fields})
    lab.sync()
    column = f"urn:li:schemaField:({A},y)"
    assert lab.record(column).described
    lab.put(A, "schemaMetadata", {"fields": fields[:1]})
    lab.sync()
    assert lab.edges(column) == []


def test_a_run_that_its_tracker_knows_too_is_one_where_the_tracker_is_named(lab: Lab) -> None:
    """The hash in the URN joins nothing; the id that the tracker gave does."""
    run, native = "urn:li:dataProcessInstance:2666299269d6ebea994d5ec0c29e3aca", "02660a3bee9941ed983667f678ce5611"
    assert lab.catalog.types is not None
    lab.catalog.types["dataProcessInstance"] = ("mlTrainingRunProperties",)
    spelled = Spelling(Form.MLFLOW, ("tracking", "default", "run", native))
    own = Record(f"run/default/{native}", AssetKind.RUN, "test-run", spellings=(spelled,))
    lab.store.ledger.write("tracking", Batch(scopes=(Scope("run/x", (own,)),)), read_started_at=lab.now)
    lab.put(run, "mlTrainingRunProperties", {"id": native})

    def assets() -> set[int]:
        return {match.asset for match in lab.store.reader.find_native([run, own.native_id])}

    lab.sync()
    assert len(assets()) == 2
    lab.sync(DAY, options={"trackers": {"mlflow": "tracking"}})
    assert len(assets()) == 1
