"""Whether an answer is exact, and who may know more."""

from typing import Any

import pytest

from watersmeet.federation.model import Direction, Edge, EdgeKind, Scope, Skipped, SyncState
from watersmeet.federation.rows import SourceRow
from watersmeet.federation.store import Store

from .houses import INLET, MODELS, PIPES, House, ran


@pytest.fixture
def house(store: Store, clock: Any) -> House:
    house = House(store, clock)
    house.say("pipes", ran("r1", ("orders",), ("report",)))
    return house


def told(house: House) -> Any:
    """The completeness of one answer."""
    return house.inquiry.lineage(house.id("report"), Direction.UPSTREAM).completeness


def test_before_a_first_complete_sync_no_answer_is_exact(house: House) -> None:
    house.synced("pipes")
    completeness = told(house)
    assert not completeness.exact
    [stale] = completeness.stale
    assert (stale.source, stale.since) == ("models", None)
    assert "watersmeet sync models" in stale.remedy
    house.synced("models")
    assert told(house).exact


def test_a_source_that_failed_may_know_more(house: House) -> None:
    house.synced("pipes", "models")
    house.synced("models", state=SyncState.FAILED, message="connection refused", error="SourceUnavailable")
    completeness = told(house)
    assert not completeness.exact
    [failure] = completeness.failures
    assert (failure.source, failure.what) == ("models", "connection refused")
    assert failure.remedy.startswith("try again later")


def test_a_missing_permission_is_named(house: House) -> None:
    house.synced("pipes", "models")
    house.synced("pipes", state=SyncState.PARTIAL, grants=("READ on experiments",), failures=("runs: 403",))
    completeness = told(house)
    assert {failure.what for failure in completeness.failures} == {
        "runs: 403",
        "the permission READ on experiments is missing",
    }


def test_a_removed_source_is_named_where_the_answer_stands_on_it(house: House) -> None:
    house.synced("pipes", "models")
    house.store.journal.declare([MODELS])
    [stale] = told(house).stale
    assert (stale.source, "configuration" in stale.reason) == ("pipes", True)
    assert "watersmeet source forget pipes" in stale.remedy
    house.store.journal.declare([PIPES])
    assert told(house).exact


def test_a_missed_pull_makes_what_stands_on_it_stale(house: House) -> None:
    house.store.journal.declare([SourceRow("pipes", "pipes", "marquez", "http://pipes", 0, stale_after_seconds=60)])
    house.synced("pipes", "models")
    assert told(house).exact
    house.clock.move(hours=1)
    [stale] = told(house).stale
    assert (stale.source, stale.reason) == ("pipes", "its pull is overdue")


def test_what_was_kept_aside_is_said(house: House) -> None:
    house.say("pipes", skipped=(Skipped("run r9", "no id"),))
    house.synced("pipes", "models")
    [failure] = told(house).failures
    assert "1 things could not be read" in failure.what


def test_the_inlet_is_posted_to_and_never_waits_for_a_pull(house: House) -> None:
    house.synced("pipes", "models")
    house.store.journal.declare([PIPES, MODELS, INLET])
    assert told(house).exact


def test_undated_edges_and_the_least_confidence_are_told(house: House) -> None:
    house.synced("pipes", "models")
    house.say("pipes", Scope("view/1", (), (Edge("guess", "orders", EdgeKind.DERIVE, confidence=0.5),)))
    completeness = told(house)
    assert (completeness.undated, completeness.lowest_confidence) == (1, 0.5)
    assert completeness.exact
