"""What a connector's test gives to the contract: its platform in miniature, and a store that follows it."""

import shutil
import sqlite3
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar, Self

from watersmeet.api.graphql.standing import standings
from watersmeet.config.settings import Source
from watersmeet.federation.columns import EVER
from watersmeet.federation.connector import Batch, Connector, Cursor, Health
from watersmeet.federation.graph import Graph
from watersmeet.federation.inquiry import Inquiry
from watersmeet.federation.inquiry.answers import Completeness
from watersmeet.federation.model import AssetKind, Edge, EdgeKind, LetterState, Record, Scope, SyncState
from watersmeet.federation.naming import Registry
from watersmeet.federation.rows import LetterRow, RecordRow, SourceRow, SyncRow
from watersmeet.federation.store import Store
from watersmeet.federation.sync import pull

NOW = datetime.now(UTC)
"""The day of the tests: the miniatures' own clocks run too."""
BESIDE = SourceRow("beside", "beside", "openlineage", None, 1)
"""A second source, which no fault of the first may touch."""
STUMBLES: dict[str, dict[str, Any]] = {
    "429": {"status": 429},
    "429 with Retry-After": {"status": 429, "headers": {"Retry-After": "7"}},
    "500": {"status": 500, "times": 2},
    "503": {"status": 503, "times": 3},
    "reset": {"kind": "reset"},
    "truncated": {"kind": "truncated"},
}
"""The faults of one answer that pass: what each is to a platform in miniature."""


class House(ABC):
    """One platform in miniature, with what may happen to it."""

    platform: ClassVar[str]
    name: ClassVar[str]
    """What the source is called."""
    root: ClassVar[str]
    """The native id of something that the story tells, about which is asked."""

    small: ClassVar[Mapping[str, Any]]
    """Settings under which what `grow` makes takes many pages."""
    narrowing: ClassVar[Sequence[str]] = ()
    """An `exclude` that hides what `add` makes, and not the root."""
    cannot: ClassVar[Mapping[str, str]] = {}
    """Tests of the contract that the platform cannot show, each with the reason why."""
    outlives: ClassVar[tuple[str, ...]] = ()
    """How the native ids of things begin that no listing names: they stand when what told of them is deleted, and who
    reads the platform for the first time then never hears of them."""

    @classmethod
    @abstractmethod
    def opened(cls) -> AbstractContextManager["House"]:
        """A house of one's own, with the story in it."""

    @abstractmethod
    def connect(self, now: datetime, **settings: Any) -> Connector:
        """A connector whose clock stands at `now` and which never really waits."""

    @property
    @abstractmethod
    def asked(self) -> int:
        """How often the platform was asked so far: calls, or files opened."""

    # What people do to a platform

    @abstractmethod
    def grow(self, number: int) -> None:
        """Make so many more things."""

    @abstractmethod
    def edit(self, choice: int) -> None:
        """One edit of those that people make; every number is one."""

    @abstractmethod
    def add(self, name: str, at: datetime) -> str:
        """Something new with this date; returns its native id."""

    @abstractmethod
    def huge(self, name: str, size: int) -> str:
        """Something new whose description takes so many bytes; returns its native id."""

    @abstractmethod
    def plant(self, secret: str) -> None:
        """Put a secret wherever the platform's users leave theirs."""

    def trip(self, secret: str) -> None:
        """Let the next answer be an error that repeats a secret."""
        raise NotImplementedError

    def stumble(self, kind: str) -> None:
        """Let one call fail in a way that passes."""
        raise NotImplementedError

    def unknown(self, name: str) -> None:
        """Say something, in a field of this name, that nobody knows."""
        raise NotImplementedError

    @abstractmethod
    def mend(self) -> None:
        """Undo every fault."""

    @property
    @abstractmethod
    def address(self) -> str:
        """Where the miniature is."""

    def source(self, **settings: Any) -> Source:
        """The settings of the source."""
        where = {"path": self.address} if self.platform == "openlineage" else {"url": self.address}
        return Source.model_validate({"name": self.name, "platform": self.platform, **where, **settings})


@dataclass(frozen=True, slots=True)
class Seen:
    """What a person sees after a sync: in `syncs`, in `sources`, and in the completeness of an answer."""

    sync: SyncRow
    status: str
    skipped: int
    skips: tuple[str, ...]
    completeness: Completeness
    assets: int
    edges: int
    """Living things and live claims of the source."""


class Killed(BaseException):
    """The end of a process, as near as one comes to it within a test."""


class Cut:
    """A connector whose process is killed between two batches."""

    platform: ClassVar[str] = "any"

    def __init__(self, connector: Connector, after: int) -> None:
        self._connector = connector
        self._after = after

    def check(self) -> Health:
        return self._connector.check()

    def read(self, since: Cursor | None) -> Iterator[Batch]:
        batches = self._connector.read(since)
        yield from islice(batches, self._after)
        raise Killed

    def gone(self, native_ids: Iterable[str]) -> Iterator[str]:
        return self._connector.gone(native_ids)

    def close(self) -> None:
        self._connector.close()


@dataclass(frozen=True, slots=True)
class Picture:
    """What lives in a store of one source, in words that are the same in every store."""

    things: Mapping[str, Any]
    edges: Mapping[Any, int]
    """How often each edge is told; the last word of a key says whether it holds still."""
    buried: frozenset[str]

    def without(self, names: Set[str]) -> "Picture":
        """The same but for some things and what is tied to them."""
        things = {name: one for name, one in self.things.items() if name not in names}
        edges = {edge: number for edge, number in self.edges.items() if not {edge[0], edge[1]} & names}
        return Picture(things, edges, frozenset())

    def present(self) -> "Picture":
        """The same without the edges that have ended."""
        return Picture(self.things, {edge: number for edge, number in self.edges.items() if edge[-1]}, self.buried)

    @classmethod
    def of(cls, store: Store, source: str) -> "Picture":
        columns = store.reader.columns()
        rows = [row for rows in store.reader.assets(columns.asset.tolist()).values() for row in rows]
        rows = [row for row in rows if row.source == source]
        names = {row.id: row.native_id for row in rows}
        edges = Counter(
            (names[up], names[down], kind, role, flow, evidence, end == EVER)
            for up, down, kind, role, flow, evidence, end in zip(
                columns.up.tolist(),
                columns.down.tolist(),
                columns.edge_kind.tolist(),
                columns.role.tolist(),
                columns.flow.tolist(),
                columns.evidence.tolist(),
                columns.valid_to.tolist(),
                strict=True,
            )
            if up in names and down in names
        )
        living = {row.native_id: _shown(row) for row in rows if row.tombstoned_at is None}
        return cls(living, edges, frozenset(row.native_id for row in rows if row.tombstoned_at is not None))


def _shown(row: RecordRow) -> Any:
    return row.kind, row.subtype, row.name, row.described, row.description, row.run, row.facets, row.spellings


class Clock:
    """Stands still until it is moved; the store and the reader look at the same one."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Bench:
    """A store that follows one miniature; time passes between the syncs."""

    house: House
    store: Store
    clock: Clock
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @classmethod
    def open(cls, house: House, url: str, **settings: Any) -> "Bench":
        """A store with nothing of the platform, and two tables of another source."""
        clock = Clock()
        store = Store.open(url, clock=clock)
        store.journal.declare([SourceRow(house.name, house.name, house.platform, house.address, 0), BESIDE])
        tables = (Record("raw", AssetKind.DATASET, "raw"), Record("made", AssetKind.DATASET, "made"))
        said = Scope("table/made", tables, (Edge("raw", "made", EdgeKind.DERIVE),))
        store.ledger.write(BESIDE.id, Batch(scopes=(said,)), read_started_at=NOW)
        store.resolve(Registry.EMPTY)
        return cls(house, store, clock, settings)

    def copy(self, path: Path) -> "Bench":
        """The same store once more, in a file of its own."""
        with closing(sqlite3.connect(self.file)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        shutil.copy(self.file, path)
        clock = Clock(self.now)
        return Bench(self.house, Store.open(f"sqlite:///{path}", clock=clock), clock, self.settings)

    @property
    def now(self) -> datetime:
        """What time it is."""
        return self.clock.now

    @property
    def file(self) -> Path:
        """Where a SQLite store lies."""
        return Path(str(self.store.url).removeprefix("sqlite:///"))

    def sync(
        self,
        after: timedelta = timedelta(minutes=15),
        *,
        full: bool = False,
        killed_after: int | None = None,
        **settings: Any,
    ) -> SyncRow:
        """One pull, some time after the last one; killed when it has told so many batches."""
        self.clock.now += after
        connector = self.house.connect(self.now, **{**self.settings, **settings})
        try:
            return pull(
                self.store,
                self.house.name,
                connector if killed_after is None else Cut(connector, killed_after),
                registry=Registry.EMPTY,
                full=full,
                clock=self.clock,
            )
        finally:
            connector.close()

    def look(self, native_id: str) -> Seen:
        """What is shown now, with an answer about one thing."""
        name = self.house.name
        graph = Graph(self.store)
        asset = self.store.reader.find_native([native_id])[0].asset
        answer = Inquiry(self.store, graph).lineage(asset)
        [standing] = [one for one in standings(self.store, "inlet", lambda _: None) if one.row.id == name]
        return Seen(
            sync=self.store.journal.syncs(name, first=1)[0],
            status=standing.status.value,
            skipped=standing.counts.skipped,
            skips=(
                *(f"{one.what}: {one.reason}" for one in self.store.journal.skips(name)),
                *(f"event {one.place}: {one.reason} at {one.path}".removesuffix(" at ") for one in self._letters()),
            ),
            completeness=answer.completeness,
            assets=standing.counts.assets,
            edges=standing.counts.edges,
        )

    def _letters(self) -> list[LetterRow]:
        return self.store.letters.page(source_id=self.house.name, state=LetterState.WAITING)

    @property
    def picture(self) -> Picture:
        """What the store knows of the source."""
        return Picture.of(self.store, self.house.name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the store."""
        self.store.close()


SUCCEEDED, PARTIAL, FAILED = SyncState.SUCCEEDED, SyncState.PARTIAL, SyncState.FAILED
