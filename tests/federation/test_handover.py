"""A source's things, handed to a writer that may fail, be killed, or forget a fact."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import pytest

from watersmeet.federation.connector import Batch, Health, Writer
from watersmeet.federation.dossier import Dossier, Look, Outcome, Verdict, Written, edge_fact, facts
from watersmeet.federation.errors import SourceUnavailable
from watersmeet.federation.handover import HandedOver, hand_over
from watersmeet.federation.model import AssetKind, Edge, EdgeKind, Record, Scope
from watersmeet.federation.rows import SourceRow
from watersmeet.federation.store import Store

from .histories import START

THINGS = 7


@dataclass
class Shelf:
    """A target in memory: things first, then edges; it has no place for facets."""

    platform: ClassVar[str] = "shelf"
    stages: ClassVar[tuple[str, ...]] = ("things", "edges")
    at_once: ClassVar[int] = 2
    held: dict[str, Dossier] = field(default_factory=dict[str, Dossier])
    calls: list[tuple[str, tuple[str, ...]]] = field(default_factory=list[tuple[str, tuple[str, ...]]])
    breaks_at: int | None = None
    """The call, counted from 1, whose answer is lost: the target has taken it, and nobody hears of it."""

    def check(self) -> Health:
        return Health(True)

    def write(self, stage: str, dossiers: Sequence[Dossier], look: Look) -> Written:
        self.calls.append((stage, tuple(one.record.native_id for one in dossiers)))
        self.held.update({one.record.native_id: one for one in dossiers})
        if len(self.calls) == self.breaks_at:
            raise SourceUnavailable("the line went dead")
        return Written(tuple(self.outcome(*fact) for one in dossiers for fact in self.told(stage, one)), requests=1)

    def told(self, stage: str, dossier: Dossier) -> Sequence[tuple[str, str]]:
        return [fact for fact in facts(dossier) if fact[1].startswith("edges/") == (stage == "edges")]

    def outcome(self, native_id: str, fact: str) -> Outcome:
        if fact.startswith("facets/"):
            return Outcome(native_id, fact, Verdict.UNSUPPORTED, "a shelf has no facets")
        return Outcome(native_id, fact, Verdict.MIGRATED, target=f"shelf:{native_id}")

    def close(self) -> None:
        self.held.clear()


class Careless(Shelf):
    """One round, and the edges are forgotten."""

    stages: ClassVar[tuple[str, ...]] = ("all",)

    def told(self, stage: str, dossier: Dossier) -> Sequence[tuple[str, str]]:
        return [fact for fact in facts(dossier) if not fact[1].startswith("edges/")]


class Talkative(Shelf):
    """Says everything twice."""

    def told(self, stage: str, dossier: Dossier) -> Sequence[tuple[str, str]]:
        return [*super().told(stage, dossier)] * 2


@pytest.fixture
def filled(store: Store) -> Store:
    """Seven things in a row, the first with a facet."""
    store.journal.declare([SourceRow("a", "a", "mlflow", "http://a", 0)])
    things = [
        Record(f"n{number}", AssetKind.DATASET, "n", facets={} if number else {"tags": []}) for number in range(THINGS)
    ]
    edges = [Edge(f"n{number}", f"n{number + 1}", EdgeKind.DERIVE) for number in range(THINGS - 1)]
    batch = Batch(scopes=(Scope("it", tuple(things), tuple(edges)),))
    store.ledger.write("a", batch, read_started_at=START)
    return store


def test_every_fact_of_every_thing_has_an_outcome_and_they_add_up(filled: Store) -> None:
    shelf, report = Shelf(), list[Outcome]()
    assert isinstance(shelf, Writer)
    came = hand_over(filled, "a", shelf, "shelf:1", report=report.append)
    assert came.verdicts == {Verdict.MIGRATED: THINGS + THINGS - 1, Verdict.UNSUPPORTED: 1}
    assert (came.facts, came.unaccounted, came.total, came.requests) == (len(report), 0, THINGS, 8)
    assert len({(one.native_id, one.fact) for one in report}) == len(report)
    assert [one.fact for one in report if one.verdict is Verdict.UNSUPPORTED] == ["facets/tags"]
    assert Outcome("n3", edge_fact(Edge("n2", "n3", EdgeKind.DERIVE)), Verdict.MIGRATED, target="shelf:n3") in report


def test_whichever_call_is_cut_off_the_next_run_goes_on_with_that_call(filled: Store) -> None:
    whole = Shelf()
    expected = hand_over(filled, "a", whole, "shelf:0")
    for call in range(1, 9):
        shelf = Shelf(breaks_at=call)
        with pytest.raises(SourceUnavailable):
            hand_over(filled, "a", shelf, f"shelf:{call}")
        shelf.breaks_at = None
        came = hand_over(filled, "a", shelf, f"shelf:{call}")
        assert shelf.held == whole.held
        assert shelf.calls[:call] + shelf.calls[call + 1 :] == whole.calls
        assert (came.verdicts, came.facts, came.requests) == (expected.verdicts, expected.facts, expected.requests)
        assert came.is_resumed == (call > 1)


def test_afresh_begins_at_the_first_thing_whatever_was_done(filled: Store) -> None:
    shelf = Shelf(breaks_at=3)
    with pytest.raises(SourceUnavailable):
        hand_over(filled, "a", shelf, "shelf:1")
    again = Shelf()
    came = hand_over(filled, "a", again, "shelf:1", afresh=True)
    assert (again.calls[0], came.is_resumed) == (("things", ("n0", "n1")), False)


def test_what_was_handed_over_to_the_end_is_handed_over_anew_the_next_time(filled: Store) -> None:
    shelf = Shelf()
    first = hand_over(filled, "a", shelf, "shelf:1")
    assert hand_over(filled, "a", shelf, "shelf:1") == first
    assert len(shelf.calls) == 16


def test_a_place_that_is_none_any_more_is_the_start(filled: Store) -> None:
    shelf = Shelf(breaks_at=3)
    with pytest.raises(SourceUnavailable):
        hand_over(filled, "a", shelf, "there")
    kept = filled.journal.cursor("a", "write/there")
    assert kept
    filled.journal.set_cursor("a", {**kept, "after": 4}, "write/there")
    again = Shelf()
    came = hand_over(filled, "a", again, "there")
    assert (again.calls[0], came.is_resumed, came.unaccounted) == (("things", ("n0", "n1")), False, 0)


def test_progress_is_told_after_each_call(filled: Store) -> None:
    seen: list[tuple[str, int]] = []

    def watch(state: HandedOver) -> None:
        seen.append((state.stage, state.done))

    hand_over(filled, "a", Shelf(), "shelf:1", watch=watch)
    assert seen == [(stage, done) for stage in ("things", "edges") for done in (2, 4, 6, 7)]


def test_a_writer_that_forgets_a_fact_or_tells_it_twice_is_not_believed(filled: Store) -> None:
    with pytest.raises(RuntimeError, match="no outcome for edges/DERIVE: n0 -> n1 of n1"):
        hand_over(filled, "a", Careless(), "shelf:1")
    with pytest.raises(RuntimeError, match="two outcomes for name of n0"):
        hand_over(filled, "a", Talkative(), "shelf:2")


def test_what_changed_meanwhile_is_counted_and_not_called_done(filled: Store) -> None:
    class Moving(Shelf):
        def told(self, stage: str, dossier: Dossier) -> Sequence[tuple[str, str]]:
            return super().told(stage, dossier)[:-1] if stage == "edges" else super().told(stage, dossier)

    came = hand_over(filled, "a", Moving(), "shelf:1")
    assert came.unaccounted == THINGS - 1
