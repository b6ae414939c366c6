"""The laws of the store's two times and of its change log, on both databases, over random histories."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import example, given, note
from hypothesis import strategies as st

from watersmeet.federation.columns import EVER
from watersmeet.federation.model import AssetKind, Nature
from watersmeet.federation.naming import Registry

from .histories import (
    HEARD,
    HOUR,
    NATURES,
    SOURCES,
    START,
    Bury,
    Enumerate,
    Ground,
    History,
    Say,
    Thing,
    Tie,
    Word,
    histories,
    law,
    says,
)
from .histories import at as hour
from .laws import share

pytestmark = [pytest.mark.hard, pytest.mark.timeout(1200)]

AB, BC = Tie("a", "b"), Tie("b", "c")
A = Thing("a")


@law(share("what was known"))
@example([Say("one", "t/1", (A,), at=5), Bury("one", "a", 6), Say("one", "t/1", (A,), at=7)])
@example([Say("one", "d/1", (A,), at=5), Say("one", "d/1", (Thing("a", kind=AssetKind.RUN, life=3),), at=6)])
@given(histories())
def test_what_was_known_then_is_what_the_store_said_then(ground: Ground, history: History) -> None:
    ground.fresh()
    said = [(ground.clock.now, ground.state())]
    for word in history:
        ground.clock.move(minutes=1)
        ground.tell(word)
        said.append((ground.clock.now, ground.state()))
    for moment, state in said:
        note(f"known at {moment}")
        assert ground.state(moment) == state


# As of


def replayed(words: Iterable[tuple[datetime, Word]], moment: datetime) -> set[tuple[object, ...]]:
    """What holds at a time: by the design, each scope's last statement by then, or its first undated."""
    said: dict[tuple[str, str], list[tuple[datetime, Word]]] = defaultdict(list)
    held: set[tuple[object, ...]] = set()
    for heard, word in words:
        if isinstance(word, Say):
            said[word.source, word.scope].append((heard, word))
        elif isinstance(word, Enumerate):
            for (source, scope), mine in said.items():
                alive = not isinstance(mine[-1][1], Enumerate)
                if alive and source == word.source and scope[0] == word.family and scope not in word.seen:
                    mine.append((heard, word))
    for (source, scope), mine in said.items():
        found = _last(mine, NATURES[scope[0]], moment)
        if found is not None:
            held |= {(f"{source}:{t.up}", f"{source}:{t.down}", t.kind, t.flow, t.planned) for t in found.ties}
    return held


def _last(mine: list[tuple[datetime, Word]], nature: Nature, moment: datetime) -> Say | None:
    says_ = [word for _, word in mine if isinstance(word, Say)]
    if nature is Nature.HAPPENED:
        return says_[-1] if moment >= START else None
    dated: dict[datetime, Word] = {}
    for heard, word in mine:
        own = hour(word.at) if isinstance(word, Say) and word.at is not None else None
        dated[own or heard] = word
    past = [when for when in dated if when <= moment]
    word = dated[max(past)] if past else None if nature is Nature.TIMED else dated[min(dated)]
    return word if isinstance(word, Say) else None


def _unambiguous(history: History) -> History:
    """Of two statements of a scope for one time the hash decides, which no oracle foresees: the first is kept. A scope
    that the platform dates is told in order and before it is heard, and no dated family is listed."""
    kept: History = []
    latest: dict[tuple[str, str], int] = {}
    used: set[tuple[str, str, int]] = set()
    for word in history:
        if isinstance(word, Enumerate):
            if word.family in "sh":
                kept.append(replace(word, unsure=False))
        elif isinstance(word, Say) and word.at is not None:
            place = (word.source, word.scope)
            if (*place, word.at) in used or (word.scope[0] == "d" and word.at <= latest.get(place, -1)):
                continue
            used.add((*place, word.at))
            latest[place] = word.at
            kept.append(word)
        elif isinstance(word, Say):
            kept.append(word)
    return kept


@law(share("as of"))
@given(histories(12), st.lists(st.integers(-1, 45), min_size=3, max_size=3), st.integers(0, 12))
def test_as_of_is_the_replay_of_the_words_that_were_heard(
    ground: Ground, history: History, moments: list[int], known: int
) -> None:
    ground.fresh()
    heard: list[tuple[datetime, Word]] = []
    for word in _unambiguous(history):
        heard.append((ground.clock.now, word))
        ground.tell(word)
    knowledge = HEARD + known * HOUR
    for moment in (START + one * HOUR for one in moments):
        assert ground.edges(moment) == replayed(heard, moment)
        early = [(when, word) for when, word in heard if when <= knowledge]
        assert ground.edges(moment, knowledge) == replayed(early, moment)


@law(share("two intervals"))
@given(st.frozensets(st.sampled_from((AB, BC)), min_size=1), st.sampled_from("sd"), st.integers(1, 3))
def test_what_is_retired_and_told_again_is_one_history_of_two_intervals(
    ground: Ground, told: frozenset[Tie], letter: str, gap: int
) -> None:
    ground.fresh()
    word = Say("one", f"{letter}/1", (A,), tuple(sorted(told)), at=20 if letter == "d" else None)
    ground.tell(word)
    retired = ground.clock.now
    ground.tell(Enumerate("one", letter))
    ground.clock.move(hours=gap)
    back = ground.clock.now
    ground.tell(replace(word, at=None if word.at is None else 20 + 1 + gap + 1))
    columns = ground.store.reader.columns()
    spans = sorted(zip(columns.up.tolist(), columns.valid_from.tolist(), columns.valid_to.tolist(), strict=True))
    second = [int(one.timestamp()) for one in (retired, back)]
    for up in {one for one, _, _ in spans}:
        (_, _, ended), (_, began, open_end) = [span for span in spans if span[0] == up]
        assert (ended, began) == (second[0], second[1])
        assert open_end > began
    assert len(spans) == 2 * len(told)
    [thing] = [row for row in ground.store.reader.find_native(["a"])]
    what = [row.what for row in ground.store.reader.changes([thing.asset])[0] if row.record == thing.record]
    assert [one for one in what if "edge" not in one] == ["created", "tombstoned", "revived"]


# What the change log says


@law(share("change log"))
@given(histories())
def test_whoever_follows_the_log_has_the_records_edges_and_joins_of_the_store(ground: Ground, history: History) -> None:
    ground.fresh()
    follower = Follower(ground.head())
    for word in history:
        ground.tell(word)
        follower.follow(ground)
    state = ground.state()
    assert follower.asset == {row[0]: row[1] for row in state.records}
    assert follower.dead == {row[0] for row in state.records if row[5] != EVER}
    live = {(row[1], row[2]) for row in state.claims}
    assert live <= follower.edges
    assert follower.edges - live <= follower.removed


class Follower:
    """Knows of a store only what its change log says."""

    def __init__(self, seq: int) -> None:
        self.seq = seq
        self.asset: dict[int, int] = {}
        self.dead: set[int] = set()
        self.edges: set[tuple[int, int]] = set()
        self.removed: set[tuple[int, int]] = set()

    def follow(self, ground: Ground) -> None:
        """Read on, and see each number once and in order."""
        rows, _ = ground.store.reader.changes(first=10_000, after=self.seq)
        assert [row.seq for row in rows] == list(range(self.seq + 1, self.seq + 1 + len(rows)))
        self.seq += len(rows)
        assert self.seq == ground.head()
        for row in rows:
            match row.what:
                case "created":
                    self.asset[row.record] = row.record
                case "joined" | "split":
                    self.asset[row.record] = row.after["asset"]
                case "tombstoned":
                    self.dead.add(row.record)
                case "revived":
                    self.dead.discard(row.record)
                case "edge_added" | "edge_ended" | "edge_changed":
                    assert row.other is not None
                    self.edges.add((row.other, row.record))
                case "edge_removed":
                    assert row.other is not None
                    self.removed.add((row.other, row.record))
                case _:
                    pass


@law(share("unchanged"))
@given(histories())
def test_the_present_told_again_writes_nothing(ground: Ground, history: History) -> None:
    ground.fresh()
    latest: dict[tuple[str, str], Say] = {}
    for word in history:
        if isinstance(word, Say):
            ground.tell(word)
            if word.scope[0] in "sh":
                latest[word.source, word.scope] = word
    head, state = ground.head(), ground.state()
    for word in latest.values():
        written = ground.hear([word])
        assert (written.written, written.removed, ground.head()) == (0, 0, head)
    assert ground.state() == state


# One way and another


SEVERAL = ("s/1", "s/2", "s/3", "h/1")


@law(share("incremental"))
@example([Say("one", "s/1", (A,)), Say("one", "s/2", (Thing("a", kind=AssetKind.RUN),))], {"s/1"}, {0})
@given(
    st.lists(says(st.sampled_from(SEVERAL)), min_size=1, max_size=8),
    st.sets(st.sampled_from(SEVERAL[:3])),
    st.sets(st.integers(0, 7)),
)
def test_a_history_of_batches_ends_in_the_state_of_one_full_read(
    ground: Ground, history: list[Say], kept: set[str], reconciled: set[int]
) -> None:
    """Between the batches full reconciles may come; at the end only some scopes are there still.

    What the platform dates is older than what we read: else it would depend on when we read, which is the newer word.
    """
    history = [replace(word, at=None if word.at is None else word.at % 20) for word in history]
    ground.fresh()
    for number, word in enumerate(history):
        ground.tell(word)
        if number in reconciled:
            mentioned = tuple(one.scope for one in history[: number + 1] if one.source == word.source)
            ground.tell(Enumerate(word.source, "s", mentioned))
    for source in SOURCES:
        ground.tell(Enumerate(source, "s", tuple(kept)))
    grown = ground.shown()
    ground.fresh()
    last = {(word.source, word.scope): word for word in history}
    order = {id(word): number for number, word in enumerate(history)}
    for word in sorted(last.values(), key=lambda one: order[id(one)]):
        if word.scope in kept or word.scope[0] == "h":
            ground.tell(word)
    assert grown == ground.shown()


@law(share("rebuild"))
@given(histories())
def test_a_rebuild_finds_nothing_to_mend_and_changes_nothing(ground: Ground, history: History) -> None:
    ground.fresh()
    for word in history:
        ground.tell(word)
    head, state = ground.head(), ground.state()
    rebuilt = ground.store.rebuild(Registry.EMPTY)
    assert dict(rebuilt.mended) == {}
    assert (ground.head(), ground.state()) == (head, state)
