"""The doctor names every damage, finds nothing in a sound store, and changes neither."""

import os
from collections.abc import Collection
from pathlib import Path

import pytest

from watersmeet.federation.errors import Misconfigured
from watersmeet.federation.naming import Registry
from watersmeet.federation.openlineage import admit
from watersmeet.federation.rows import Finding, Weight
from watersmeet.federation.store import Store, examine

from .conftest import Clock
from .test_store_rebuild import DAMAGES, by_hand, fill

BROKEN = {
    "an upstream that is not there": ("UPDATE claim SET up = 99999", "reference", "upstream record"),
    "a scope that is not there": ("DELETE FROM scope", "reference", "belong to a scope"),
    "a text that is not there": ("DELETE FROM doc", "reference", "lack their text"),
    "a record that is not there": ("DELETE FROM record WHERE native_id = 'raw'", "reference", "not there"),
    "a source that is not there": ("DELETE FROM source WHERE key = 'b'", "reference", "source that is not there"),
    "a hole in the change log": ("DELETE FROM change WHERE seq = 2", "change-log", "holes"),
    "a head that is behind": ("UPDATE counter SET value = 1 WHERE name = 'change'", "change-log", "head says 1"),
    "a counter that went back": ("UPDATE counter SET value = 0 WHERE name = 'record'", "counter", "record"),
    "a key of nothing": ("UPDATE spelled SET record = record + 99999", "projection", "keys are of a record"),
    "a schema of the future": ("UPDATE alembic_version SET version_num = '9999'", "schema", "newer"),
}


def found(url: str, clock: Clock, *, full: bool = True, configured: Collection[str] | None = None) -> list[Finding]:
    return examine(url, Registry.EMPTY, configured=configured, full=full, clock=clock)


def test_a_sound_store_gives_nothing_to_find(store: Store, store_url: str, clock: Clock) -> None:
    fill(store, clock)
    assert found(store_url, clock) == []
    assert found(store_url, clock, full=False, configured=("a", "b")) == []


@pytest.mark.parametrize("damage", BROKEN)
def test_a_broken_store_is_named_with_what_to_do(store: Store, store_url: str, clock: Clock, damage: str) -> None:
    fill(store, clock)
    statement, code, words = BROKEN[damage]
    by_hand(store_url, statement)
    told = [one for one in found(store_url, clock) if one.code == code and words in one.what]
    assert told
    assert all(one.weight is Weight.BROKEN and one.remedy for one in told)


@pytest.mark.parametrize("damage", sorted(set(DAMAGES) - {"the links", "the memberships"}))
def test_a_projection_that_strayed_is_named_and_a_rebuild_mends_it(
    store: Store, store_url: str, clock: Clock, damage: str
) -> None:
    fill(store, clock)
    by_hand(store_url, DAMAGES[damage])
    told = found(store_url, clock)
    assert told
    assert all("rebuild" in one.remedy for one in told if one.weight is Weight.BROKEN)
    assert any(one.weight is Weight.BROKEN for one in told)
    store.rebuild(Registry.EMPTY)
    assert [one for one in found(store_url, clock) if one.weight is Weight.BROKEN] == []


def test_what_is_only_to_be_known_is_a_note(store: Store, store_url: str, clock: Clock) -> None:
    fill(store, clock)
    number = store.journal.enqueue("a", full=False)
    store.journal.start(number)
    waiting = store.journal.enqueue("b", full=False)
    clock.move(hours=2)
    store.letters.bury("a", "line 1", "it is no JSON", "", b"{")
    told = found(store_url, clock, configured=("a",))
    assert [one.code for one in told] == ["sync", "sync", "letters", "source"]
    assert {one.weight for one in told} == {Weight.NOTE}
    assert f"sync {number} of 'a'" in told[0].what
    assert f"sync {waiting} of 'b'" in told[1].what
    assert "source forget b" in told[3].remedy


def test_a_running_sync_is_no_finding(store: Store, store_url: str, clock: Clock) -> None:
    fill(store, clock)
    store.journal.start(store.journal.enqueue("a", full=False))
    with store.lock("sync/a"):
        assert found(store_url, clock) == []


def test_events_that_wait_are_told(store: Store, store_url: str, clock: Clock) -> None:
    fill(store, clock)
    body = (
        b'{"eventType":"START","eventTime":"2026-11-20T10:00:00Z","producer":"https://example.com/test",'
        b'"schemaURL":"https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",'
        b'"run":{"runId":"0190a0e0-0000-7000-8000-000000000001"},"job":{"namespace":"dbt","name":"marts"}}'
    )
    store.events.append("a", [admit(body, key=store.secret())])
    [told] = found(store_url, clock)
    assert (told.code, told.count, told.weight) == ("lag", 1, Weight.NOTE)


def test_an_interval_that_goes_back_is_told(store: Store, store_url: str, clock: Clock) -> None:
    fill(store, clock)
    by_hand(store_url, "UPDATE life SET revived_at = died_at - 5")
    assert "interval" in {one.code for one in found(store_url, clock)}


def test_the_doctor_changes_nothing(store: Store, store_url: str, clock: Clock) -> None:
    fill(store, clock)
    by_hand(store_url, DAMAGES["a name"], DAMAGES["all keys"])
    tables = ("record", "spelled", "info", "sync", "change", "dirty", "source")
    before = [by_hand(store_url, f"SELECT * FROM {table}") for table in tables]
    assert found(store_url, clock)
    assert [by_hand(store_url, f"SELECT * FROM {table}") for table in tables] == before


def test_a_damaged_file_is_named(tmp_path: Path, clock: Clock) -> None:
    file = tmp_path / "store.db"
    with Store.open(f"sqlite:///{file}", clock=clock) as store:
        fill(store, clock)
    by_hand(f"sqlite:///{file}", "PRAGMA wal_checkpoint(TRUNCATE)")
    body = bytearray(file.read_bytes())
    body[8192 : len(body)] = os.urandom(len(body) - 8192)
    file.write_bytes(body)
    told = found(f"sqlite:///{file}", clock)
    assert [one.code for one in told] == ["corrupt"]
    assert "restore" in told[0].remedy


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_a_store_that_others_can_read_is_named(tmp_path: Path, clock: Clock) -> None:
    file = tmp_path / "store.db"
    with Store.open(f"sqlite:///{file}", clock=clock):
        assert file.stat().st_mode & 0o777 == 0o600
    file.chmod(0o644)
    assert ("permissions", Weight.BROKEN) in {(one.code, one.weight) for one in found(f"sqlite:///{file}", clock)}


def test_a_lost_index_of_words_is_named(tmp_path: Path, clock: Clock) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    with Store.open(url, clock=clock) as store:
        fill(store, clock)
        by_hand(url, "DELETE FROM record_text WHERE rowid = 1")
        assert "search" in {one.code for one in found(url, clock)}
        store.rebuild(Registry.EMPTY)
        assert found(url, clock) == []


def test_where_there_is_no_store_it_says_so(tmp_path: Path, clock: Clock) -> None:
    with pytest.raises(Misconfigured, match="there is no store"):
        found(f"sqlite:///{tmp_path / 'none.db'}", clock)
    assert list(tmp_path.iterdir()) == []
