"""The store's laws, over random histories: what it answers for a time is what replaying the words gives."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watersmeet.federation.connector import Batch
from watersmeet.federation.model import AssetKind, Edge, EdgeKind, Nature, Record, Scope
from watersmeet.federation.rows import SourceRow
from watersmeet.federation.store import Store

from ..scale import examples
from .conftest import Clock

START = datetime(2026, 11, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
Pairs = frozenset[tuple[str, str]]

nodes = st.sampled_from("abcd")
pairs = st.frozensets(st.tuples(nodes, nodes), max_size=4)
natures = {"s": Nature.STANDING, "t": Nature.TIMED, "h": Nature.HAPPENED}


@dataclass(frozen=True)
class Word:
    """One statement: of which scope, at which of its own times (hours, for TIMED ones only), what it says."""

    scope: str
    at: int
    says: Pairs


words = st.lists(st.builds(Word, st.sampled_from(("s/1", "s/2", "t/1", "h/1")), st.integers(0, 9), pairs), max_size=12)


def said(word: Word) -> Scope:
    nature = natures[word.scope[0]]
    names = {name for pair in word.says for name in pair}
    happened = START if nature is Nature.HAPPENED else None
    return Scope(
        word.scope,
        tuple(Record(name, AssetKind.DATASET, name) for name in sorted(names)),
        tuple(Edge(up, down, EdgeKind.DERIVE, valid_from=happened) for up, down in sorted(word.says)),
        nature=nature,
        stated_at=START + word.at * HOUR if nature is Nature.TIMED else None,
    )


def replayed(history: Iterable[tuple[datetime, Word]], at: datetime, known_at: datetime) -> set[tuple[str, str]]:
    """What holds at a time, given the words heard by `known_at`: straight from the design, without any interval."""
    heard = [(when, word) for when, word in history if when <= known_at]
    held: set[tuple[str, str]] = set()
    for scope in {word.scope for _, word in heard}:
        mine = [(when, word) for when, word in heard if word.scope == scope]
        if scope.startswith("h"):
            held |= mine[-1][1].says if at >= START else frozenset()
            continue
        timed = scope.startswith("t")
        dated = {START + word.at * HOUR if timed else when: word.says for when, word in mine}
        past = [when for when in dated if when <= at]
        if past:
            held |= dated[max(past)]
        elif not timed:
            held |= dated[min(dated)]  # nobody dated it: since before we looked
    return held


def answered(store: Store, at: datetime, known_at: datetime | None) -> set[tuple[str, str]]:
    columns = store.reader.columns(known_at)
    names = {row.id: row.native_id for rows in store.reader.assets(columns.asset.tolist()).values() for row in rows}
    ends = zip(columns.up, columns.down, columns.valid_from, columns.valid_to, strict=True)
    second = int(at.timestamp())
    return {(names[int(up)], names[int(down)]) for up, down, start, end in ends if start <= second < end}


def unambiguous(history: list[Word]) -> list[Word]:
    """Of two words of one scope for one time the hash decides, which no oracle foresees: only the first is kept."""
    kept: dict[tuple[str, int], Word] = {}
    return [
        word
        for word in history
        if not word.scope.startswith("t") or kept.setdefault((word.scope, word.at), word) == word
    ]


@pytest.mark.law
@settings(max_examples=examples(60), deadline=None)
@given(words, st.integers(-1, 40), st.integers(0, 14))
def test_as_of_and_known_at_equal_the_replay_of_the_words(history: list[Word], at: int, known: int) -> None:
    history = unambiguous(history)
    with TemporaryDirectory() as folder:
        clock = Clock()
        clock.now = START + 20 * HOUR
        heard: list[tuple[datetime, Word]] = []
        with Store.open(f"sqlite:///{Path(folder) / 'store.db'}", clock=clock) as store:
            store.journal.declare([SourceRow("a", "a", "marquez", None, 0)])
            for word in history:
                store.ledger.write("a", Batch((said(word),)), read_started_at=clock.now)
                heard.append((clock.now, word))
                clock.move(hours=1)
            moment, knowledge = START + at * HOUR, START + (20 + known) * HOUR
            assert answered(store, moment, knowledge) == replayed(heard, moment, knowledge)
            assert answered(store, moment, None) == replayed(heard, moment, clock.now)


@pytest.mark.law
@settings(max_examples=examples(40), deadline=None)
@given(words, st.randoms(use_true_random=False))
def test_what_timed_scopes_say_does_not_depend_on_the_order_of_arrival(history: list[Word], dice: object) -> None:
    timed = [word for word in unambiguous(history) if word.scope.startswith("t")]
    shuffled = list(timed)
    dice.shuffle(shuffled)  # type: ignore[attr-defined]  # a random.Random of hypothesis
    answers: list[list[set[tuple[str, str]]]] = []
    for order in (timed, shuffled):
        with TemporaryDirectory() as folder:
            clock = Clock()
            with Store.open(f"sqlite:///{Path(folder) / 'store.db'}", clock=clock) as store:
                store.journal.declare([SourceRow("a", "a", "marquez", None, 0)])
                for word in order:
                    store.ledger.write("a", Batch((said(word),)), read_started_at=clock.move(minutes=1))
                answers.append([answered(store, START + hour * HOUR, None) for hour in range(-1, 11)])
    assert answers[0] == answers[1]


@pytest.mark.law
@settings(max_examples=examples(30), deadline=None)
@given(words)
def test_telling_the_present_again_writes_nothing(history: list[Word]) -> None:
    with TemporaryDirectory() as folder:
        clock = Clock()
        with Store.open(f"sqlite:///{Path(folder) / 'store.db'}", clock=clock) as store:
            store.journal.declare([SourceRow("a", "a", "marquez", None, 0)])
            latest: dict[str, Word] = {}
            for word in unambiguous(history):
                store.ledger.write("a", Batch((said(word),)), read_started_at=clock.move(hours=1))
                if not word.scope.startswith("t"):
                    latest[word.scope] = word
            head = store.reader.head()
            again = store.ledger.write(
                "a", Batch(tuple(map(said, latest.values()))), read_started_at=clock.move(hours=1)
            )
            assert (again.written, again.removed, store.reader.head()) == (0, 0, head)
