"""Random histories: what some sources say one after the other, and a database on which many of them are told."""

from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from watersmeet.federation.columns import EVER, GraphColumns
from watersmeet.federation.connector import Batch
from watersmeet.federation.model import (
    AssetKind,
    Edge,
    EdgeKind,
    Evidence,
    Form,
    Nature,
    Record,
    Run,
    RunState,
    Scope,
    Spelling,
    Tombstone,
)
from watersmeet.federation.naming import Registry
from watersmeet.federation.rows import SourceRow, Written
from watersmeet.federation.store import Store
from watersmeet.federation.store.tables import metadata

from .databases import Clock

START = datetime(2026, 11, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
HEARD = START + 20 * HOUR
"""When the first word of a history is heard; platforms tell of times before and, their clocks being off, after it."""
SOURCES = ("one", "two")
NATURES = {"s": Nature.STANDING, "d": Nature.STANDING, "t": Nature.TIMED, "h": Nature.HAPPENED}
"""By the first letter of a scope: s is STANDING without times of the platform, d with them."""
LIVES = (
    None,
    Run(),
    Run(RunState.RUNNING, START),
    Run(RunState.SUCCEEDED, START, START + HOUR),
    Run(RunState.FAILED, START + HOUR, START + 2 * HOUR),
)


@dataclass(frozen=True, order=True)
class Thing:
    """A record as a word tells it."""

    name: str
    described: bool = True
    kind: AssetKind = AssetKind.DATASET
    key: int | None = None
    """Records with the same number are one asset, if their sources do not keep them apart."""
    life: int = 0


@dataclass(frozen=True, order=True)
class Tie:
    """An edge as a word tells it."""

    up: str
    down: str
    kind: EdgeKind = EdgeKind.DERIVE
    flow: int = 0
    planned: bool = False
    confidence: float = 1.0


@dataclass(frozen=True)
class Say:
    """A source says something about a scope; `at` is the platform's own time in hours after `START`."""

    source: str
    scope: str
    things: tuple[Thing, ...] = ()
    ties: tuple[Tie, ...] = ()
    at: int | None = None


@dataclass(frozen=True)
class Bury:
    """A source says that a thing is gone."""

    source: str
    name: str
    at: int | None = None


@dataclass(frozen=True)
class Enumerate:
    """A source has listed a family from first to last and mentioned these scopes only."""

    source: str
    family: str
    seen: tuple[str, ...] = ()
    unsure: bool = False


Word = Say | Bury | Enumerate
History = list[Word]

names = st.sampled_from("abcde")
sources = st.sampled_from(SOURCES)
hours = st.integers(0, 40)
things = st.builds(
    Thing,
    names,
    st.sampled_from((True, True, True, False)),
    st.sampled_from((AssetKind.DATASET, AssetKind.DATASET, AssetKind.DATASET_VERSION, AssetKind.RUN, AssetKind.OTHER)),
    st.none() | st.integers(0, 2),
    st.integers(0, len(LIVES) - 1),
)
ties = st.builds(
    Tie,
    names,
    names,
    st.sampled_from((EdgeKind.DERIVE, EdgeKind.DERIVE, EdgeKind.READ, EdgeKind.VERSION_OF)),
    st.integers(0, 1),
    st.booleans(),
    st.sampled_from((0.5, 1.0)),
)
scopes = st.sampled_from(("s/1", "s/2", "d/1", "d/2", "t/1", "t/2", "h/1", "h/2"))


def _once(some: Iterable[Thing]) -> tuple[Thing, ...]:
    return tuple(sorted({one.name: one for one in some}.values(), key=lambda one: one.name))


def says(scope: st.SearchStrategy[str] = scopes) -> st.SearchStrategy[Say]:
    """Statements; a scope that the platform dates always has a time, one that it does not never has."""
    said = st.builds(
        Say, sources, scope, st.lists(things, max_size=3).map(_once), st.frozensets(ties, max_size=3).map(tuple), hours
    )
    return said.map(lambda one: replace(one, at=None) if one.scope[0] == "s" else one)


buries = st.builds(Bury, sources, names, st.none() | hours)
enumerations = st.builds(
    Enumerate, sources, st.sampled_from("sdth"), st.lists(scopes, max_size=2).map(tuple), st.booleans()
)


def histories(size: int = 9) -> st.SearchStrategy[History]:
    """Words of every sort; statements most of all."""
    word: st.SearchStrategy[Word] = st.one_of(says(), says(), says(), buries, enumerations)
    return st.lists(word, min_size=1, max_size=size)


def at(hour: int | None) -> datetime | None:
    return None if hour is None else START + hour * HOUR


def scope_of(word: Say) -> Scope:
    """What the store is given for a statement."""
    nature = NATURES[word.scope[0]]
    happened = START if nature is Nature.HAPPENED else None
    return Scope(
        word.scope,
        tuple(_record(one) for one in word.things),
        tuple(
            Edge(
                one.up,
                one.down,
                one.kind,
                flow=one.flow,
                planned=one.planned,
                confidence=one.confidence,
                evidence=Evidence.OBSERVED if happened else Evidence.DECLARED,
                valid_from=happened,
            )
            for one in word.ties
        ),
        nature=nature,
        stated_at=at(word.at),
    )


def _record(one: Thing) -> Record:
    spelt = () if one.key is None else (Spelling(Form.URI, (f"s3://lake/{one.key}",)),)
    run = LIVES[one.life] if one.kind is AssetKind.RUN else None
    return Record(one.name, one.kind, one.name, described=one.described, spellings=spelt, run=run)


class Ground:
    """One store on which histories are told one after the other, each as if the store were new."""

    def __init__(self, store: Store, clock: Clock, address: str) -> None:
        self.store = store
        self.clock = clock
        self.address = address
        self._engine = sa.create_engine(address.replace("postgresql://", "postgresql+psycopg://"))
        self._tables = [one for one in metadata.sorted_tables if one.name not in ("info", "counter", "source", "audit")]
        store.journal.declare([SourceRow(name, name, "marquez", None, place) for place, name in enumerate(SOURCES)])

    @classmethod
    @contextmanager
    def on(cls, address: str) -> Generator["Ground"]:
        """A ground on an empty database."""
        clock = Clock()
        clock.now = HEARD
        with Store.open(address, clock=clock) as store:
            one = cls(store, clock, address)
            try:
                yield one
            finally:
                one.close()

    def fresh(self) -> "Ground":
        """Forget all that was told; ids go on."""
        with self._engine.begin() as connection:
            for one in self._tables:
                connection.execute(sa.delete(one))
        self.clock.now = HEARD
        return self

    def close(self) -> None:
        """Give back the connections."""
        self._engine.dispose()

    def tell(self, *words: Word) -> Written:
        """Let these words be heard together, then resolve; an hour passes."""
        written = self.hear(words)
        self.store.resolve(Registry.EMPTY)
        self.clock.move(hours=1)
        return written

    def hear(self, words: Iterable[Word]) -> Written:
        """What `sync` does with words, in batches of one source each."""
        written = Written()
        for word in words:
            ledger, now = self.store.ledger, self.clock.now
            match word:
                case Say():
                    written += ledger.write(word.source, Batch((scope_of(word),)), read_started_at=now)
                case Bury():
                    stone = Tombstone(word.name, at(word.at))
                    written += ledger.write(word.source, Batch(tombstones=(stone,)), read_started_at=now)
                case Enumerate():
                    seen = {ledger.digest(key) for key in word.seen}
                    missed = ledger.missed(word.source, word.family, seen)
                    written += ledger.retire(word.source, missed, now, unsure=word.unsure)
        return written

    def head(self) -> int:
        return self.store.reader.head()

    def state(self, known_at: datetime | None = None) -> "State":
        """All that the graph is made of."""
        return State.of(self.store.reader.columns(known_at))

    def edges(self, moment: datetime, known_at: datetime | None = None) -> set[tuple[object, ...]]:
        """What holds at a time, by name: (up, down, kind, flow, planned)."""
        columns = self.store.reader.columns(known_at)
        name = self.names(columns)
        second = int(moment.timestamp())
        rows = zip(
            columns.up.tolist(),
            columns.down.tolist(),
            columns.edge_kind.tolist(),
            columns.flow.tolist(),
            columns.planned.tolist(),
            columns.valid_from.tolist(),
            columns.valid_to.tolist(),
            strict=True,
        )
        return {
            (name[up], name[down], list(EdgeKind)[kind], flow, planned)
            for up, down, kind, flow, planned, start, end in rows
            if start <= second < end
        }

    def shown(self) -> object:
        """What lives and holds now, by names and without times or numbers."""
        columns = self.store.reader.columns()
        name = self.names(columns)
        rows = self.store.reader.assets(columns.asset.tolist())
        assets = {
            (name[row.id], row.kind, str(row.run), tuple(row.spellings))
            for some in rows.values()
            for row in some
            if row.described and row.tombstoned_at is None
        }
        living = columns.valid_to == EVER
        some = (columns.up, columns.down, columns.edge_kind, columns.flow, columns.planned, columns.confidence)
        return assets, {
            (name[up], name[down], *rest)
            for up, down, *rest in zip(*(one[living].tolist() for one in some), strict=True)
        }

    def names(self, columns: GraphColumns) -> Mapping[int, str]:
        """The source and native id of every record, whichever asset it belongs to by now."""
        present = self.store.reader.assets_of(columns.record.tolist())
        found = self.store.reader.assets(set(present.values()))
        return {row.id: f"{row.source}:{row.native_id}" for rows in found.values() for row in rows}


@dataclass(frozen=True)
class State:
    """What the store hands to the graph, without the number of the change log."""

    records: frozenset[tuple[Any, ...]]
    claims: frozenset[tuple[Any, ...]]

    @classmethod
    def of(cls, columns: GraphColumns) -> "State":
        record = (
            columns.record,
            columns.asset,
            columns.kind,
            columns.record_source,
            columns.stub,
            columns.tombstoned,
            columns.state,
            columns.started,
            columns.ended,
        )
        claim = (
            columns.claim,
            columns.up,
            columns.down,
            columns.edge_kind,
            columns.role,
            columns.flow,
            columns.evidence,
            columns.confidence,
            columns.valid_from,
            columns.valid_to,
            columns.via,
            columns.planned,
            columns.outcome,
            columns.edge_source,
        )
        return cls(*(frozenset(zip(*(one.tolist() for one in some), strict=True)) for some in (record, claim)))


def law(examples: int) -> settings:
    """How hypothesis presses a law."""
    return settings(
        max_examples=examples,
        deadline=None,
        phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink),
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
    )
