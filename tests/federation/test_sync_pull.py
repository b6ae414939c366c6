"""What one pull does to the store and the journal."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import orjson
import pytest
import structlog

from watersmeet.federation.connector import Batch, Cursor, Event, Health
from watersmeet.federation.errors import AlreadyRunning, SourceRefused, SourceUnavailable
from watersmeet.federation.model import AssetKind, Edge, EdgeKind, Record, Scope, Skipped, SyncState
from watersmeet.federation.naming import Registry
from watersmeet.federation.rows import SourceRow, SyncRow
from watersmeet.federation.store import Store
from watersmeet.federation.sync import Progress, lag, lock_of, project_events, pull

START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


class Clock:
    """Moves on by a second whenever it is asked."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@dataclass
class Shelf:
    """A platform in one list: each batch is a page, an exception in its place is raised there."""

    platform: ClassVar[str] = "shelf"
    pages: Sequence[Batch | BaseException]
    gone_ids: frozenset[str] | None = None
    asked_since: list[Cursor | None] = field(default_factory=list[Cursor | None])
    asked_gone: list[str] = field(default_factory=list[str])

    def check(self) -> Health:
        return Health(reachable=True)

    def read(self, since: Cursor | None) -> Iterator[Batch]:
        self.asked_since.append(since)
        start = int(since["page"]) if since and since["page"] < len(self.pages) else 0
        for number, page in enumerate(self.pages[start:], start + 1):
            if isinstance(page, BaseException):
                raise page
            yield replace(page, resume={"page": number}, complete=number == len(self.pages), done=number)

    def gone(self, native_ids: Iterable[str]) -> Iterator[str]:
        for native_id in native_ids:
            self.asked_gone.append(native_id)
            if self.gone_ids is None or native_id in self.gone_ids:
                yield native_id

    def close(self) -> None: ...


def table(name: str) -> Record:
    return Record(native_id=name, kind=AssetKind.DATASET, name=name)


def view(name: str, *upstream: str) -> Scope:
    edges = tuple(Edge(one, name, EdgeKind.DERIVE) for one in upstream)
    return Scope(f"view/{name}", (table(name),), edges)


def page(*scopes: Scope, listed: tuple[str, ...] = (), unsure: bool = False) -> Batch:
    return Batch(scopes=scopes, listed=listed, unsure=unsure)


def run_event(run: str, kind: str, *, output: str = "orders") -> Event:
    body = {
        "eventType": kind,
        "eventTime": "2026-11-23T10:00:00Z" if kind == "START" else "2026-11-23T10:05:00Z",
        "producer": "https://example.com/test",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "run": {"runId": run},
        "job": {"namespace": "dbt", "name": "marts"},
        "inputs": [{"namespace": "postgres://db:5432", "name": "shop.public.raw"}],
        "outputs": [{"namespace": "postgres://db:5432", "name": f"shop.public.{output}"}],
    }
    return Event(orjson.dumps(body), f"{kind} of {run}")


RUN = "0190a0e0-0000-7000-8000-000000000001"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(store_url: str, clock: Clock) -> Iterator[Store]:
    with Store.open(store_url, clock=clock) as store:
        store.journal.declare([SourceRow("shelf", "shelf", "shelf", None, 0)])
        yield store


Pull = Callable[..., SyncRow]


@pytest.fixture
def sync(store: Store, clock: Clock) -> Pull:
    def one(connector: Shelf, **options: object) -> SyncRow:
        return pull(store, "shelf", connector, registry=Registry.EMPTY, clock=clock, **options)  # type: ignore[arg-type]  # a test's options

    return one


def names(store: Store) -> set[str]:
    columns = store.reader.columns()
    heads = store.reader.heads(columns.asset.tolist())
    return {head.name for head in heads.values() if head.tombstoned_at is None}


def test_a_pull_stores_what_the_source_says(store: Store, sync: Pull) -> None:
    row = sync(Shelf([page(view("a")), page(view("b", "a"))]))
    assert (row.state, row.complete, row.read) == (SyncState.SUCCEEDED, True, 2)
    assert names(store) == {"a", "b"}
    assert store.journal.counts("shelf").edges == 1
    assert store.journal.cursor("shelf") == {"page": 2}


def test_a_second_unchanged_pull_writes_nothing(store: Store, sync: Pull) -> None:
    pages = [page(view("a")), page(view("b", "a"), listed=("view",))]
    sync(Shelf(pages))
    head = store.reader.head()
    again = sync(Shelf(pages), full=True)
    assert (again.written, again.removed) == (0, 0)
    assert store.reader.head() == head


def test_a_pull_goes_on_where_the_last_one_ended_and_a_full_one_begins_anew(sync: Pull) -> None:
    shelf = Shelf([page(view("a"))])
    for full in (False, False, True):
        sync(shelf, full=full)
    assert shelf.asked_since == [None, {"page": 1}, None]


def test_a_source_that_breaks_off_leaves_a_partial_sync_that_the_next_one_finishes(store: Store, sync: Pull) -> None:
    broken = sync(Shelf([page(view("a")), SourceUnavailable("shelf: 503 on page 2"), page(view("c"))]))
    assert broken.state is SyncState.PARTIAL
    assert not broken.complete
    assert broken.error == "SourceUnavailable"
    assert "503 on page 2" in (broken.message or "")
    assert "try again later" in (broken.message or "")
    whole = Shelf([page(view("a")), page(view("b")), page(view("c"))])
    assert sync(whole).state is SyncState.SUCCEEDED
    assert whole.asked_since == [{"page": 1}]
    assert names(store) == {"a", "b", "c"}


def test_a_source_that_says_nothing_at_all_has_failed(store: Store, sync: Pull) -> None:
    row = sync(Shelf([SourceRefused("shelf: 403 on /views", grants=("READ on views",))]))
    assert row.state is SyncState.FAILED
    assert row.missing_grants == ("READ on views",)
    assert store.journal.last_complete("shelf") is None


def test_an_error_that_nobody_foresaw_ends_the_sync_and_nothing_else(sync: Pull) -> None:
    with structlog.testing.capture_logs() as lines:
        row = sync(Shelf([page(view("a")), ValueError("token=s3cret")]))
    assert row.state is SyncState.PARTIAL
    assert row.error == "ValueError"
    assert "s3cret" not in (row.message or "")
    assert [bool(line.get("exc_info")) for line in lines] == [True]


def test_parts_that_could_not_be_read_make_a_sync_partial(sync: Pull) -> None:
    row = sync(Shelf([Batch(scopes=(view("a"),), failures=("workspace b: 403",), missing_grants=("READ b",))]))
    assert row.state is SyncState.PARTIAL
    assert row.failures == ("workspace b: 403",)
    assert row.missing_grants == ("READ b",)


def test_what_a_complete_listing_lacks_gets_a_tombstone_of_the_time_of_the_read(store: Store, sync: Pull) -> None:
    sync(Shelf([page(view("a"), view("b", "a"), listed=("view",))]))
    later = Shelf([page(view("a"), listed=("view",))])
    row = sync(later, full=True)
    assert row.removed > 0
    assert later.asked_gone == ["b"]
    assert names(store) == {"a"}
    [gone] = [head for head in store.reader.heads(store.reader.columns().asset.tolist()).values() if head.name == "b"]
    assert gone.tombstoned_at is not None
    assert gone.tombstoned_at <= (row.ended_at or START)
    assert sync(later, full=True).removed == 0


def test_what_the_platform_still_has_stays_though_the_listing_lacked_it(store: Store, sync: Pull) -> None:
    sync(Shelf([page(view("a"), view("b"), listed=("view",))]))
    sync(Shelf([page(view("a"), listed=("view",))], gone_ids=frozenset()), full=True)
    assert names(store) == {"a", "b"}


def test_where_the_platform_hides_what_it_refuses_it_takes_two_listings(store: Store, sync: Pull) -> None:
    sync(Shelf([page(view("a"), view("b"), listed=("view",), unsure=True)]))
    fewer = Shelf([page(view("a"), listed=("view",), unsure=True)])
    sync(fewer, full=True)
    assert names(store) == {"a", "b"}
    sync(fewer, full=True)
    assert names(store) == {"a"}


def test_a_listing_that_breaks_off_removes_nothing(store: Store, sync: Pull) -> None:
    sync(Shelf([page(view("a"), view("b"), listed=("view",))]))
    sync(Shelf([page(view("a"), listed=("view",)), SourceUnavailable("cut off")]), full=True)
    assert names(store) == {"a", "b"}


def test_a_cancelled_pull_keeps_its_place(store: Store, sync: Pull) -> None:
    number = store.journal.enqueue("shelf", full=False)
    pages = [page(view("a")), page(view("b"))]

    def cancel(_: Progress) -> None:
        store.journal.cancel(number)

    row = sync(Shelf(pages), sync_id=number, on_progress=cancel)
    assert row.state is SyncState.CANCELLED
    assert names(store) == {"a"}
    rest = Shelf(pages)
    assert sync(rest).state is SyncState.SUCCEEDED
    assert rest.asked_since == [{"page": 1}]


def test_a_pull_that_meets_trouble_after_it_was_cancelled_says_both(store: Store, sync: Pull) -> None:
    number = store.journal.enqueue("shelf", full=False)
    asked = iter([False, True])
    shelf = Shelf([page(view("a")), SourceUnavailable("no answer in time")])
    row = sync(shelf, sync_id=number, stopping=lambda: next(asked, True))
    assert row.state is SyncState.CANCELLED
    assert row.message is not None
    assert row.message.startswith("cancelled; ")
    assert "no answer in time" in row.message
    assert names(store) == {"a"}


def test_a_pull_that_is_cancelled_before_it_begins_reads_nothing(store: Store, sync: Pull) -> None:
    number = store.journal.enqueue("shelf", full=False)
    store.journal.cancel(number)
    shelf = Shelf([page(view("a"))])
    assert sync(shelf, sync_id=number).state is SyncState.CANCELLED
    assert shelf.asked_since == []


def test_two_pulls_of_one_source_do_not_run_at_a_time(store: Store, sync: Pull) -> None:
    with store.lock(lock_of("shelf")), pytest.raises(AlreadyRunning, match="another sync of 'shelf'"):
        sync(Shelf([page(view("a"))]))
    assert store.journal.syncs("shelf")[0].state is SyncState.CANCELLED


def test_a_sync_whose_process_died_is_closed_by_the_next_one(store: Store, sync: Pull) -> None:
    dead = store.journal.enqueue("shelf", full=False)
    store.journal.start(dead)
    sync(Shelf([page(view("a"))]))
    assert store.journal.sync(dead).state is SyncState.FAILED


def test_what_could_not_be_read_is_kept_aside_with_its_reason(store: Store, sync: Pull) -> None:
    bad = Skipped("view x", "no name", '{"id": 1}')
    row = sync(Shelf([Batch(scopes=(view("a"),), skipped=(bad,))]))
    assert row.skipped == 1
    [kept] = store.journal.skips("shelf")
    assert (kept.what, kept.reason) == ("view x", "no name")
    sync(Shelf([page(view("a"))]), full=True)
    assert store.journal.skips("shelf") == []


def test_events_become_a_run_that_reads_and_writes(store: Store, sync: Pull) -> None:
    row = sync(Shelf([Batch(events=(run_event(RUN, "START"),)), Batch(events=(run_event(RUN, "COMPLETE"),))]))
    assert row.state is SyncState.SUCCEEDED
    assert store.events.count("shelf") == 2
    assert {"marts", "shop.public.raw", "shop.public.orders"} <= names(store)
    assert lag(store, "shelf") == 0


def test_the_same_events_again_write_nothing(store: Store, sync: Pull) -> None:
    shelf = Shelf([Batch(events=(run_event(RUN, "START"), run_event(RUN, "COMPLETE")))])
    sync(shelf)
    again = sync(shelf, full=True)
    assert (again.written, again.removed) == (0, 0)
    assert store.events.count("shelf") == 2


def test_an_event_that_is_none_becomes_a_dead_letter_and_the_rest_goes_on(store: Store, sync: Pull) -> None:
    row = sync(Shelf([Batch(events=(Event(b"{not json", "line 1"), run_event(RUN, "COMPLETE")))]))
    assert (row.state, row.skipped) == (SyncState.SUCCEEDED, 1)
    [letter] = store.letters.page()
    assert letter.place == "line 1"
    assert "shop.public.orders" in names(store)


def test_events_that_a_killed_sync_had_stored_are_understood_by_the_next_one(store: Store, sync: Pull) -> None:
    from watersmeet.federation.openlineage import admit

    store.events.append("shelf", [admit(run_event(RUN, "COMPLETE").body, key=store.secret())])
    assert lag(store, "shelf") == 1
    sync(Shelf([Batch(events=(run_event(RUN, "COMPLETE"),))]))
    assert lag(store, "shelf") == 0
    assert "shop.public.orders" in names(store)


@pytest.mark.parametrize("place", range(5))
def test_a_sync_killed_anywhere_ends_as_if_it_had_not_been(store: Store, sync: Pull, place: int) -> None:
    pages: list[Batch | BaseException] = [
        page(view("a")),
        Batch(events=(run_event(RUN, "START"),)),
        page(view("b", "a")),
        Batch(events=(run_event(RUN, "COMPLETE"), run_event(RUN, "START"))),
    ]
    killed = Shelf([*pages[:place], KeyboardInterrupt(), *pages[place:]])
    with pytest.raises(KeyboardInterrupt):
        sync(killed)
    assert sync(Shelf(pages)).state is SyncState.SUCCEEDED
    assert store.events.count("shelf") == 2
    assert {"a", "b", "marts", "shop.public.raw", "shop.public.orders"} <= names(store)
    assert store.journal.counts("shelf").assets == 6  # these, and the run
    assert sync(Shelf(pages), full=True).written == 0


def test_posted_events_are_followed_in_steps(store: Store) -> None:
    from watersmeet.federation.openlineage import admit

    runs = [f"0190a0e0-0000-7000-8000-00000000000{number}" for number in range(5)]
    for number, run in enumerate(runs):
        event = run_event(run, "COMPLETE", output=f"out{number}")
        store.events.append("shelf", [admit(event.body, key=store.secret())])
    steps = 0
    while project_events(store, "shelf", Registry.EMPTY, limit=2):
        steps += 1
    assert steps == 3
    assert {f"shop.public.out{number}" for number in range(5)} <= names(store)


def test_progress_is_told_and_written_down(store: Store, sync: Pull) -> None:
    told: list[Progress] = []
    row = sync(Shelf([page(view(f"v{number}")) for number in range(6)]), on_progress=told.append)
    assert [progress.done for progress in told] == sorted(progress.done for progress in told)
    assert told[-1].written.read == 6
    assert (row.done, row.read, row.written) == (6, 6, 6)
