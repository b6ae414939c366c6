"""Deaths and descriptions of things, in whatever order they are heard."""

import itertools
from datetime import timedelta

import pytest

from watersmeet.federation.connector import Batch
from watersmeet.federation.model import AssetKind, Nature, Record, Run, RunState, Scope, Tombstone
from watersmeet.federation.rows import SourceRow, Written
from watersmeet.federation.store import Store

from .conftest import Clock
from .histories import START

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _source(store: Store) -> None:
    store.journal.declare([SourceRow("one", "one", "marquez", None, 0)])


def tell(store: Store, clock: Clock, *scopes: Scope, died_at: int | None = None) -> Written:
    stones = () if died_at is None else (Tombstone("x", START + died_at * HOUR),)
    return store.ledger.write("one", Batch(scopes, stones), read_started_at=clock.move(minutes=1))


def described(at: int, *, key: str = "event/x", kind: AssetKind = AssetKind.DATASET, run: Run | None = None) -> Scope:
    return Scope(key, (Record("x", kind, "x", run=run),), nature=Nature.TIMED, stated_at=START + at * HOUR)


def tombstone(store: Store, clock: Clock) -> object:
    [x] = store.reader.find_native(["x"])
    return store.reader.heads([x.asset])[x.asset].tombstoned_at


@pytest.mark.parametrize("order", list(itertools.permutations((7, 8, 9))))
def test_of_several_deaths_the_first_after_the_last_description_stands(
    store: Store, clock: Clock, order: tuple[int, ...]
) -> None:
    tell(store, clock, described(5))
    for hour in order:
        if hour == 8:
            tell(store, clock, described(8))
        else:
            tell(store, clock, died_at=hour)
    assert tombstone(store, clock) == START + 9 * HOUR


def test_a_dated_death_that_is_told_again_with_a_later_description_does_not_hold_it_down(
    store: Store, clock: Clock
) -> None:
    tell(store, clock, described(5), died_at=5)
    tell(store, clock, described(6), died_at=5)
    assert tombstone(store, clock) is None


def test_a_tombstone_is_known_from_when_it_was_heard_of_until_its_end_was(store: Store, clock: Clock) -> None:
    tell(store, clock, described(5))
    tell(store, clock, died_at=6)
    dead = clock.now
    clock.move(hours=1)
    tell(store, clock, described(7))  # it lived again long before we heard of it
    alive = clock.now
    [then], [now] = (store.reader.columns(moment).tombstoned.tolist() for moment in (dead, alive))
    assert then == int((START + 6 * HOUR).timestamp())
    assert now > then


def test_a_run_that_has_ended_since_is_known_as_running_then(store: Store, clock: Clock) -> None:
    tell(store, clock, described(5, kind=AssetKind.RUN, run=Run(RunState.RUNNING, START)))
    then = clock.now
    clock.move(hours=1)
    tell(store, clock, described(6, kind=AssetKind.RUN, run=Run(RunState.FAILED, START, START + HOUR)))
    states = [list(RunState)[store.reader.columns(moment).state.tolist()[0]] for moment in (then, clock.now)]
    assert states == [RunState.RUNNING, RunState.FAILED]


def test_one_read_may_bring_a_scope_in_several_states_and_again(store: Store, clock: Clock) -> None:
    started = clock.now
    first, second = (Scope("dataset/x", (Record("x", kind, "x"),)) for kind in (AssetKind.DATASET, AssetKind.MODEL))
    kinds: set[object] = set()
    for one in (first, second, first, second, second):
        store.ledger.write("one", Batch((one,)), read_started_at=started)
        kinds.add(store.reader.columns().kind.tolist()[0])
    assert len(kinds - {None}) <= 2  # of one time, the hash decides once and for all
    assert store.reader.changes()[1] <= 2


def test_what_is_no_longer_listed_describes_a_thing_no_more_that_others_describe(store: Store, clock: Clock) -> None:
    tell(store, clock, described(5, key="list/x"), described(6, key="side/x", kind=AssetKind.MODEL))
    [missed] = store.ledger.missed("one", "side", set())
    store.ledger.retire("one", [missed], clock.move(hours=1), unsure=False)
    [x] = store.reader.find_native(["x"])
    head = store.reader.heads([x.asset])[x.asset]
    assert (head.kind, head.tombstoned_at) == (AssetKind.DATASET, None)
