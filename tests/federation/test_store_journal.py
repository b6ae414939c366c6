"""The journal of sources and syncs, the logs, locks, and what a store says when it can't be had."""

import multiprocessing
import threading
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from watersmeet.federation.connector import Batch
from watersmeet.federation.errors import AlreadyRunning, Misconfigured, NotFound, StoreUnavailable
from watersmeet.federation.model import AssetKind, Edge, EdgeKind, Record, Scope, SyncState
from watersmeet.federation.rows import SourceRow, Written
from watersmeet.federation.store import Store
from watersmeet.federation.store.database import Database
from watersmeet.federation.store.tables import metadata

from .conftest import Clock


@dataclass(frozen=True)
class Arrived:
    hash: bytes
    entity: str
    body: bytes
    event_time: datetime | None = None


def sources(*names: str) -> list[SourceRow]:
    return [SourceRow(name, name, "marquez", None, place) for place, name in enumerate(names)]


def test_a_source_gone_from_the_configuration_is_removed_and_may_come_back(store: Store, clock: Clock) -> None:
    store.journal.declare(sources("a", "b"))
    clock.move(days=1)
    store.journal.declare(sources("a"))
    assert {row.id: row.removed_at for row in store.journal.sources()} == {"a": None, "b": clock.now}
    store.journal.declare(sources("a", "b"))
    assert all(row.removed_at is None for row in store.journal.sources())


def test_an_unknown_source_is_named_in_the_error(store: Store) -> None:
    with pytest.raises(NotFound, match="no source 'nobody'"):
        store.journal.enqueue("nobody", full=False)


def test_a_sync_is_followed_from_its_wish_to_its_end(store: Store, clock: Clock) -> None:
    store.journal.declare(sources("a"))
    sync_id = store.journal.enqueue("a", full=True)
    assert store.journal.running("a") == store.journal.sync(sync_id)
    store.journal.start(sync_id)
    store.journal.progress(sync_id, Written(read=3, written=2), 3, 10)
    row = store.journal.sync(sync_id)
    assert (row.state, row.read, row.written, row.done, row.total) == (SyncState.RUNNING, 3, 2, 3, 10)
    clock.move(minutes=1)
    store.journal.finish(
        sync_id, SyncState.PARTIAL, complete=False, message="m", grants=["READ", "READ"], failures=["f"]
    )
    row = store.journal.sync(sync_id)
    assert (row.state, row.missing_grants, row.failures, row.ended_at) == (
        SyncState.PARTIAL,
        ("READ",),
        ("f",),
        clock.now,
    )
    assert store.journal.last_complete("a") is None
    assert store.journal.running("a") is None


def test_a_waiting_sync_is_cancelled_at_once_and_a_running_one_is_asked(store: Store) -> None:
    store.journal.declare(sources("a"))
    waiting, running = store.journal.enqueue("a", full=False), store.journal.enqueue("a", full=False)
    store.journal.start(running)
    store.journal.cancel(waiting)
    store.journal.cancel(running)
    assert store.journal.sync(waiting).state is SyncState.CANCELLED
    assert (store.journal.sync(running).state, store.journal.sync(running).cancel) == (SyncState.RUNNING, True)


def test_syncs_are_paged_newest_first(store: Store) -> None:
    store.journal.declare(sources("a", "b"))
    ids = [store.journal.enqueue(name, full=False) for name in "abab"]
    first = store.journal.syncs(first=2)
    assert [row.id for row in first] == ids[:1:-1]
    assert [row.id for row in store.journal.syncs(first=2, after=first[-1].id)] == ids[1::-1]
    assert [row.source for row in store.journal.syncs("a")] == ["a", "a"]
    assert store.journal.count_syncs("b") == 2


def test_the_newest_sync_is_the_newest_whichever_process_began_it(store: Store, store_url: str) -> None:
    store.journal.declare(sources("a"))
    with Store.open(store_url) as other:
        wanted = [one.journal.enqueue("a", full=False) for one in (store, other, store, other)]
    assert [row.id for row in store.journal.syncs("a")] == wanted[::-1]
    running = store.journal.running("a")
    assert running is not None
    assert running.id == wanted[-1]


def test_what_dead_processes_left_open_is_closed_by_the_next_sync(store: Store) -> None:
    store.journal.declare(sources("a", "b"))
    ran, waited, elsewhere, mine = (store.journal.enqueue(name, full=False) for name in "aaba")
    store.journal.start(ran)
    assert store.journal.abandon("a", "its process is gone", before=mine) == 1
    told = [(row.state, row.error) for row in map(store.journal.sync, (ran, waited, elsewhere, mine))]
    assert told == [
        (SyncState.FAILED, "Killed"),
        (SyncState.CANCELLED, "AlreadyRunning"),
        (SyncState.QUEUED, None),
        (SyncState.QUEUED, None),
    ]


def test_an_event_is_kept_once_however_often_it_comes(store: Store) -> None:
    store.journal.declare(sources("in"))
    one, two = Arrived(b"1" * 16, "run/x", b"{}"), Arrived(b"2" * 16, "run/x", b"[]")
    assert store.events.append("in", [one, two, one]).new == 2
    again = store.events.append("in", [two])
    assert (again.new, again.duplicates) == (0, 1)
    assert store.events.of("in", "run/x") == [b"{}", b"[]"]
    entities, last = store.events.entities_after("in", 0)
    assert entities == ["run/x"]
    assert store.events.lag("in", 0) == 2
    assert store.events.lag("in", last) == 0


def test_a_dead_letter_can_be_read_and_is_kept_once(store: Store, clock: Clock) -> None:
    store.journal.declare(sources("in"))
    assert store.letters.bury("in", "post", "no job", "$.job", b"{}") is not None
    assert store.letters.bury("in", "post", "no job", "$.job", b"{}") is None
    [letter] = store.letters.page()
    assert (letter.source, letter.reason, letter.path, letter.body, letter.at) == (
        "in",
        "no job",
        "$.job",
        b"{}",
        clock.now,
    )


def test_a_lock_is_held_by_one_at_a_time(store: Store) -> None:
    with store.lock("sync/a"):
        with pytest.raises(AlreadyRunning, match="sync/a"), store.lock("sync/a"):
            pass
        with store.lock("sync/b"):
            pass
    with store.lock("sync/a"):
        pass


def _hold(url: str, ready: Event) -> None:
    store = Store.open(url)
    with store.lock("sync/a"):
        ready.set()
        threading.Event().wait(60)


def test_a_lock_dies_with_its_process(store: Store, store_url: str) -> None:
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    holder = context.Process(target=_hold, args=(store_url, ready))
    holder.start()
    assert ready.wait(60)
    with pytest.raises(AlreadyRunning), store.lock("sync/a"):
        pass
    holder.kill()
    holder.join()
    for _ in range(100):  # PostgreSQL notices a dead client in its own time
        try:
            with store.lock("sync/a"):
                return
        except AlreadyRunning:
            threading.Event().wait(0.1)
    pytest.fail("the lock outlived its process")


def test_the_migrations_make_the_tables_that_the_code_speaks_of(store: Store, store_url: str) -> None:
    with closing(Database(store_url)) as database, database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        differences = [
            difference
            for difference in compare_metadata(context, metadata)
            if "record_text" not in str(difference) and "searched" not in str(difference)
        ]
    assert differences == []


def test_a_store_keeps_its_secret_and_its_id(store: Store, store_url: str) -> None:
    with Store.open(store_url) as again:
        assert (again.secret(), again.identity()) == (store.secret(), store.identity())
    assert len(store.secret()) == 32


def test_a_store_of_a_newer_watersmeet_is_left_alone(store: Store, store_url: str) -> None:
    with closing(Database(store_url)) as database, database.writing() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Misconfigured, match="newer Watersmeet"):
        Store.open(store_url)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("mysql://h/d", "SQLite or PostgreSQL"),
        ("sqlite://", "names no file"),
        ("nonsense", "no address"),
        ("sqlite:////no/such/folder/x.db", "no folder"),
    ],
)
def test_a_wrong_address_says_what_is_wrong(url: str, reason: str) -> None:
    reason = reason.replace("no address", "not an address")
    with pytest.raises(Misconfigured, match=reason):
        Store.open(url)


def test_a_store_that_is_not_there_is_only_made_when_asked(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="there is no store"):
        Store.open(f"sqlite:///{tmp_path / 'none.db'}", create=False)
    assert not (tmp_path / "none.db").exists()


def test_a_server_that_does_not_answer_is_unavailable_without_its_password() -> None:
    with pytest.raises(StoreUnavailable) as caught:
        Store.open("postgresql://u:hunter2@127.0.0.1:1/none")
    assert "hunter2" not in str(caught.value)


def _scope(source: str, number: int) -> Scope:
    ends = [Record(f"{source}/{number}/{end}", AssetKind.DATASET, end) for end in ("up", "down")]
    return Scope(f"job/{number}", tuple(ends), (Edge(ends[0].native_id, ends[1].native_id, EdgeKind.DERIVE),))


def test_a_follower_of_the_change_log_misses_nothing_of_two_writers(store: Store) -> None:
    store.journal.declare(sources("a", "b"))
    rounds, seen, done = 25, [0], threading.Event()
    followed: list[int] = []

    def write(source: str) -> None:
        for number in range(rounds):
            store.ledger.write(source, Batch((_scope(source, number),)), read_started_at=datetime.now(UTC))

    def follow() -> None:
        while True:
            ended = done.is_set()
            rows, _ = store.reader.changes(first=1000, after=seen[0])
            followed.extend(row.seq for row in rows)
            seen[0] = rows[-1].seq if rows else seen[0]
            if ended and not rows:
                return

    follower = threading.Thread(target=follow)
    writers = [threading.Thread(target=write, args=(name,)) for name in "ab"]
    for thread in (follower, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    follower.join()
    rows, total = store.reader.changes(first=10_000)
    assert followed == [row.seq for row in rows] == list(range(1, total + 1))
    assert total == 2 * rounds * 3  # two records and an edge each
