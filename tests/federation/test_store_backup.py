"""A copy of a store is one committed state of it, and a store made of a copy answers as the first did."""

import sqlite3
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from watersmeet.federation.connector import Batch
from watersmeet.federation.errors import BadInput, Misconfigured, StoreUnavailable
from watersmeet.federation.model import AssetKind, Edge, EdgeKind, Nature, Record, Scope
from watersmeet.federation.naming import Registry
from watersmeet.federation.rows import SourceRow
from watersmeet.federation.store import Store, Wanted
from watersmeet.federation.store.backup import restore

from .conftest import Clock

PATIENCE = 60.0


def say(store: Store, clock: Clock, number: int) -> None:
    """One more pair of tables, in one transaction."""
    up, down = f"raw.t{number}", f"mart.t{number}"
    records = (
        Record(up, AssetKind.DATASET, up, description=f"table {number} \u00fc"),
        Record(down, AssetKind.DATASET, down),
    )
    scope = Scope(f"job/{number}", records, (Edge(up, down, EdgeKind.DERIVE),), nature=Nature.STANDING)
    store.ledger.write("lake", Batch(scopes=(scope,), resume={"at": number}), read_started_at=clock.now)
    store.resolve(Registry.EMPTY)


def pairs(store: Store) -> set[tuple[str, str]]:
    columns = store.reader.columns()
    names = {row.id: row.native_id for rows in store.reader.assets(columns.asset.tolist()).values() for row in rows}
    return {(names[up], names[down]) for up, down in zip(columns.up.tolist(), columns.down.tolist(), strict=True)}


def log(store: Store) -> list[tuple[int, int, str]]:
    return [(row.seq, row.record, row.what) for row in store.reader.changes(first=100_000)[0]]


@pytest.fixture
def filled(store: Store, clock: Clock) -> Store:
    store.journal.declare([SourceRow("lake", "lake", "marquez", "http://lake", 0)])
    for number in range(5):
        say(store, clock, number)
    return store


@pytest.fixture
def reopened(clock: Clock) -> Any:
    """Opens stores, and closes them at the end."""
    opened: list[Store] = []

    def again(url: str) -> Store:
        opened.append(Store.open(url, create=False, clock=clock))
        return opened[-1]

    yield again
    for store in opened:
        store.close()


Reopened = Callable[[str], Store]


def test_a_copy_is_a_store_that_answers_the_same(filled: Store, tmp_path: Path, reopened: Reopened):
    done = filled.back_up(tmp_path / "copy.db")
    copy = reopened(f"sqlite:///{tmp_path / 'copy.db'}")
    assert pairs(copy) == pairs(filled)
    assert log(copy) == log(filled)
    assert copy.reader.search(Wanted("mart"), 100, 0).total == filled.reader.search(Wanted("mart"), 100, 0).total == 5
    assert (copy.identity(), copy.secret()) == (filled.identity(), filled.secret())
    assert done.seq == filled.reader.head()


def test_a_copy_is_for_its_owner_and_leaves_nothing_beside_it(filled: Store, tmp_path: Path):
    folder = tmp_path / "copies"
    folder.mkdir()
    filled.back_up(folder / "copy.db")
    assert [one.name for one in folder.iterdir()] == ["copy.db"]
    assert stat.S_IMODE((folder / "copy.db").stat().st_mode) == 0o600


def test_what_is_written_meanwhile_is_in_the_copy_whole_or_not_at_all(
    filled: Store, clock: Clock, tmp_path: Path, reopened: Reopened
):
    ended, written = threading.Event(), [5]

    def go_on() -> None:
        while not ended.is_set():
            say(filled, clock, written[0])
            written[0] += 1

    writer = threading.Thread(target=go_on)
    writer.start()
    try:
        before, copies = [], []
        for number in range(4):
            before.append(written[0])
            copies.append(filled.back_up(tmp_path / f"{number}.db"))
    finally:
        ended.set()
        writer.join(PATIENCE)
    whole = log(filled)
    for number, (at_least, done) in enumerate(zip(before, copies, strict=True)):
        copy = reopened(f"sqlite:///{tmp_path / f'{number}.db'}")
        held = pairs(copy)
        assert held == {(f"raw.t{one}", f"mart.t{one}") for one in range(len(held))}
        assert len(held) >= at_least
        assert log(copy) == [row for row in whole if row[0] <= done.seq]
        assert copy.reader.head() == done.seq


def test_a_copy_comes_back_into_either_database(
    filled: Store, clock: Clock, tmp_path: Path, empty_url: str, reopened: Reopened
):
    filled.back_up(tmp_path / "copy.db")
    restore(tmp_path / "copy.db", empty_url)
    again = reopened(empty_url)
    assert pairs(again) == pairs(filled)
    assert log(again) == log(filled)
    assert again.reader.search(Wanted("table"), 100, 0).total == 5
    say(again, clock, 99)  # and goes on
    assert ("raw.t99", "mart.t99") in pairs(again)
    assert again.reader.head() > filled.reader.head()


def test_a_restored_store_begins_a_new_epoch(filled: Store, tmp_path: Path, empty_url: str, reopened: Reopened):
    filled.back_up(tmp_path / "copy.db")
    restore(tmp_path / "copy.db", empty_url)
    assert reopened(empty_url).reader.moment()[0] != filled.reader.moment()[0]


class TestRefusals:
    def test_a_file_that_is_there_is_not_replaced_unasked(self, filled: Store, tmp_path: Path):
        file = tmp_path / "copy.db"
        file.write_text("mine")
        with pytest.raises(BadInput, match="is there already: name another file, or say --force"):
            filled.back_up(file)
        assert file.read_text() == "mine"
        filled.back_up(file, force=True)
        assert file.read_bytes().startswith(b"SQLite format 3")

    def test_a_folder_that_is_not_there(self, filled: Store, tmp_path: Path):
        with pytest.raises(BadInput, match="is no folder"):
            filled.back_up(tmp_path / "nowhere" / "copy.db")

    def test_a_store_is_not_restored_over(self, filled: Store, store_url: str, tmp_path: Path):
        filled.back_up(tmp_path / "copy.db")
        with pytest.raises(Misconfigured, match=r"there is a store at .* already"):
            restore(tmp_path / "copy.db", store_url)
        assert len(pairs(filled)) == 5

    @pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\0 but broken"])
    def test_a_file_that_is_no_copy(self, tmp_path: Path, content: bytes):
        file = tmp_path / "copy.db"
        file.write_bytes(content)
        with pytest.raises(BadInput, match="is no copy of a store"):
            restore(file, f"sqlite:///{tmp_path / 'new.db'}")
        assert not (tmp_path / "new.db").exists()

    def test_a_database_of_something_else(self, tmp_path: Path):
        with sqlite3.connect(tmp_path / "other.db") as other:
            other.execute("CREATE TABLE t (a)")
        other.close()
        with pytest.raises(BadInput, match="is no copy of a store"):
            restore(tmp_path / "other.db", f"sqlite:///{tmp_path / 'new.db'}")

    def test_no_file(self, tmp_path: Path):
        with pytest.raises(BadInput, match="there is no file"):
            restore(tmp_path / "copy.db", f"sqlite:///{tmp_path / 'new.db'}")

    def test_a_damaged_copy_is_found_before_it_is_a_store(self, filled: Store, tmp_path: Path):
        file = tmp_path / "copy.db"
        filled.back_up(file)
        whole = bytearray(file.read_bytes())
        for at in range(8192, len(whole), 4096):
            whole[at : at + 64] = b"\xff" * 64
        file.write_bytes(whole)
        with pytest.raises((BadInput, StoreUnavailable)):
            restore(file, f"sqlite:///{tmp_path / 'new.db'}")
        assert not (tmp_path / "new.db").exists()
