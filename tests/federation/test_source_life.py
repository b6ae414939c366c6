"""The life of a source: renamed, narrowed, removed, forgotten, brought back."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

import pytest

from watersmeet.federation.connector import Batch, Cursor, Event, Health
from watersmeet.federation.errors import AlreadyRunning, NotFound
from watersmeet.federation.graph import Graph
from watersmeet.federation.inquiry import Inquiry
from watersmeet.federation.model import AssetKind, Edge, EdgeKind, Form, Nature, Record, Scope, Spelling
from watersmeet.federation.naming import Registry
from watersmeet.federation.rows import SourceRow, Weight
from watersmeet.federation.store import Store, Wanted, examine
from watersmeet.federation.sync import lag, pull

from .conftest import Clock
from .test_sync_pull import RUN, run_event

A = SourceRow("a", "a", "marquez", None, 0)
B = SourceRow("b", "b", "mlflow", None, 1)
ORDERS = (Spelling(Form.OPENLINEAGE, ("postgres://db:5432", "shop.public.orders")),)


@dataclass
class Lab:
    """Experiments with their runs, of which a selection shows some, told as MLflow's connector tells them."""

    platform: ClassVar[str] = "lab"
    hidden: frozenset[str] = frozenset()
    experiments: tuple[str, ...] = ("churn", "tmp")
    events: tuple[Event, ...] = ()

    @property
    def selection(self) -> str:
        return repr(sorted(self.hidden))

    def left_out(self, records: Iterable[Record]) -> Iterator[str]:
        return (one.native_id for one in records if one.kind is AssetKind.EXPERIMENT and one.name in self.hidden)

    def check(self) -> Health:
        return Health(reachable=True)

    def read(self, since: Cursor | None) -> Iterator[Batch]:
        told = [scope for name in self.experiments if name not in self.hidden for scope in self._scopes(name)]
        fresh = () if since else tuple(told)
        yield Batch(scopes=fresh, events=self.events)
        yield Batch(resume={"all": True}, listed=("experiment", "run") if not since else (), unsure=True, complete=True)

    def gone(self, native_ids: Iterable[str]) -> Iterator[str]:
        yield from ()  # all of it is there, shown or not

    def close(self) -> None: ...

    def _scopes(self, name: str) -> Iterator[Scope]:
        experiment = Record(f"experiment/{name}", AssetKind.EXPERIMENT, name)
        yield Scope(f"experiment/{name}", (experiment,))
        run, data = Record(f"run/{name}", AssetKind.RUN, f"a run of {name}"), f"data/{name}"
        table = Record(data, AssetKind.DATASET, f"data of {name}")
        shared = Record("data/shared", AssetKind.DATASET, "orders", spellings=ORDERS)
        edges = (
            Edge(run.native_id, experiment.native_id, EdgeKind.PART_OF),
            Edge(data, run.native_id, EdgeKind.READ),
            Edge("data/shared", run.native_id, EdgeKind.READ),
        )
        yield Scope(f"run/{name}", (run,), edges, Nature.HAPPENED)
        yield Scope(f"dataset/{name}", (table,))
        yield Scope("dataset/shared", (shared,))


@pytest.fixture
def sources(store: Store, clock: Clock) -> Store:
    store.journal.declare([A, B])
    store.ledger.write(
        "a", Batch((Scope("t/1", (Record("orders", AssetKind.DATASET, "orders", spellings=ORDERS),)),)),
        read_started_at=clock.now,
    )  # fmt: skip
    store.resolve(Registry.EMPTY)
    clock.move(minutes=1)
    return store


Sync = Callable[..., None]


@pytest.fixture
def sync(sources: Store, clock: Clock) -> Sync:
    def one(lab: Lab, **more: Any) -> None:
        clock.move(minutes=1)
        row = pull(sources, "b", lab, registry=Registry.EMPTY, clock=clock, **more)
        assert row.complete, row.message
        clock.move(minutes=1)

    return one


def living(store: Store) -> dict[str, int]:
    """What search shows, by name, with ids of records of source b."""
    found = store.reader.search(Wanted(sources=("b",)), first=100)
    rows = (row for rows in store.reader.assets(found.ids).values() for row in rows if row.source == "b")
    return {row.native_id: row.id for row in rows if row.described}


def edges(store: Store, known_at: datetime | None = None) -> int:
    return len(store.reader.columns(known_at).claim)


def sound(url: str, clock: Clock) -> bool:
    return not [one for one in examine(url, Registry.EMPTY, full=True, clock=clock) if one.weight is Weight.BROKEN]


def test_a_new_name_leaves_everything_as_it_is(sources: Store, sync: Sync) -> None:
    sync(Lab())
    before, head = living(sources), sources.reader.head()
    sources.journal.declare([A, SourceRow("b", "laboratory", "mlflow", None, 1)])
    sync(Lab())
    assert (living(sources), sources.reader.head()) == (before, head)
    assert sources.journal.source("b").name == "laboratory"


def test_what_a_selection_newly_hides_is_withheld_and_not_dead(
    sources: Store, store_url: str, clock: Clock, sync: Sync
) -> None:
    sync(Lab())
    before, all_edges, known = living(sources), edges(sources), clock.now
    sync(Lab(hidden=frozenset({"tmp"})))
    hidden = {"experiment/tmp", "run/tmp", "data/tmp"}
    assert set(living(sources)) == set(before) - hidden
    assert edges(sources) == 3
    assert edges(sources, known) == all_edges
    rows, _ = sources.reader.changes(first=1000)
    withheld = {row.record: (row.before, row.after) for row in rows if row.what == "withheld"}
    assert set(withheld) == {before[name] for name in hidden}
    assert withheld[before["run/tmp"]][0]["name"] == "a run of tmp"
    assert {told["reason"] for _, told in withheld.values()} == {"out of selection"}
    assert "tombstoned" not in {row.what for row in rows}
    dead = [row for rows in sources.reader.assets(before.values()).values() for row in rows if row.tombstoned_at]
    assert dead == []
    assert sound(store_url, clock)


def test_what_is_selected_again_is_the_same(sources: Store, store_url: str, clock: Clock, sync: Sync) -> None:
    sync(Lab())
    before, all_edges = living(sources), edges(sources)
    sync(Lab(hidden=frozenset({"tmp"})))
    between = clock.now
    sync(Lab())
    assert (living(sources), edges(sources)) == (before, all_edges)
    assert edges(sources, between) == 3
    assert sound(store_url, clock)
    sources.rebuild(Registry.EMPTY)
    assert (living(sources), edges(sources)) == (before, all_edges)


def test_the_selection_that_stays_costs_nothing(sources: Store, sync: Sync) -> None:
    sync(Lab(hidden=frozenset({"tmp"})))
    head = sources.reader.head()
    sync(Lab(hidden=frozenset({"tmp"})))
    assert sources.reader.head() == head


def test_a_removed_source_stays_and_every_answer_says_so(sources: Store, clock: Clock, sync: Sync) -> None:
    sync(Lab())
    before = living(sources)
    sources.journal.declare([A])
    inquiry = Inquiry(sources, Graph(sources, clock=clock), clock=clock)
    answer = inquiry.lineage(inquiry.find("run/churn"))
    assert [one.source for one in answer.completeness.stale if "forget b" in one.remedy] == ["b"]
    assert not answer.completeness.exact
    head = sources.reader.head()
    sources.journal.declare([A, B])
    sync(Lab())
    assert (living(sources), sources.reader.head()) == (before, head)


@pytest.mark.parametrize("purge", [False, True])
def test_a_forgotten_source_takes_nothing_of_others_along(
    sources: Store, store_url: str, clock: Clock, sync: Sync, purge: bool
) -> None:
    sync(Lab(events=(run_event(RUN, "COMPLETE"),)))
    sources.letters.bury("b", "line 1", "it is no JSON", "", b"{")
    known = clock.now
    sources.journal.declare([A])
    clock.move(minutes=1)
    done = sources.forget("b", Registry.EMPTY, purge=purge, by="a test")
    assert done.retired > 0
    assert (done.erased > 0) is purge
    assert edges(sources) == 0
    assert sources.reader.search(Wanted("orders")).total == 1
    assert sources.reader.search(Wanted("churn")).total == 0
    assert bool(edges(sources, known)) is not purge
    assert sources.events.count() == (0 if purge else 1)
    assert [row.id for row in sources.journal.sources()] == (["a"] if purge else ["a", "b"])
    assert sound(store_url, clock)
    assert Graph(sources, clock=clock).now() is not None
    rows, _ = sources.reader.changes(first=1000)
    assert ("churn" in str([(row.before, row.after) for row in rows])) is not purge


@pytest.mark.parametrize("purge", [False, True])
def test_a_forgotten_source_that_comes_back_is_read_from_its_beginning(
    sources: Store, store_url: str, clock: Clock, sync: Sync, purge: bool
) -> None:
    lab = Lab(events=(run_event(RUN, "COMPLETE"),))
    sync(lab)
    before, all_edges = living(sources), edges(sources)
    sources.forget("b", Registry.EMPTY, purge=purge, by="a test")
    assert living(sources) == {}
    assert lag(sources, "b") == 0
    sources.journal.declare([A, B])
    sync(lab)
    assert set(living(sources)) == set(before)
    assert (living(sources) == before) is not purge  # erased ids are never given again
    assert edges(sources) == all_edges
    assert sound(store_url, clock)


def test_a_forgetting_that_was_killed_is_gone_on_with(sources: Store, store_url: str, clock: Clock, sync: Sync) -> None:
    sync(Lab(experiments=tuple(f"e{number}" for number in range(20)), events=(run_event(RUN, "COMPLETE"),)))
    sources.journal.declare([A])
    kills = 0
    while True:
        left = [kills]

        def watch(_what: str, _done: int, left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] < 0:
                raise KeyboardInterrupt  # goes through everything, as a kill does

        try:
            sources.forget("b", Registry.EMPTY, purge=kills == 0, by="a test", watch=watch)
            break
        except KeyboardInterrupt:
            kills += 1
            codes = {one.code for one in examine(store_url, Registry.EMPTY, full=True, clock=clock)}
            assert {"forget"} <= codes <= {"forget", "joins"}
    assert kills >= 3
    assert [row.id for row in sources.journal.sources()] == ["a"]
    assert examine(store_url, Registry.EMPTY, full=True, clock=clock) == []


def test_a_source_that_is_being_read_is_not_forgotten(sources: Store) -> None:
    with sources.lock("sync/b"), pytest.raises(AlreadyRunning):
        sources.forget("b", Registry.EMPTY, by="a test")


def test_what_nobody_knows_cannot_be_forgotten(sources: Store) -> None:
    with pytest.raises(NotFound):
        sources.forget("c", Registry.EMPTY, by="a test")


def test_forgetting_stands_in_the_audit_log(sources: Store, sync: Sync) -> None:
    sync(Lab())
    sources.forget("b", Registry.EMPTY, purge=True, by="ada")
    [row] = [row for row in sources.audit.entries() if row.what == "source.forget"]
    assert (row.by, row.detail["source"], row.detail["purge"]) == ("ada", "b", True)
