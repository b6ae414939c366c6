"""What a connector's test gives to the contract: its platform in miniature, and a store that follows it."""

import shutil
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from watersmeet.api.graphql.standing import standings
from watersmeet.config.settings import Source
from watersmeet.federation.connector import Batch, Connector
from watersmeet.federation.graph import Graph
from watersmeet.federation.inquiry import Inquiry
from watersmeet.federation.inquiry.answers import Completeness
from watersmeet.federation.model import AssetKind, Edge, EdgeKind, Record, Scope, SyncState
from watersmeet.federation.naming import Registry
from watersmeet.federation.rows import SourceRow, SyncRow
from watersmeet.federation.store import Store
from watersmeet.federation.sync import pull

NOW = datetime.now(UTC)
"""The day of the tests: the miniatures' own clocks run too."""
BESIDE = SourceRow("beside", "beside", "openlineage", None, 1)
"""A second source, which no fault of the first may touch."""


class House(ABC):
    """One platform in miniature, with what may happen to it."""

    platform: ClassVar[str]
    name: ClassVar[str]
    """What the source is called."""
    root: ClassVar[str]
    """The native id of something that the story tells, about which is asked."""

    @abstractmethod
    def connect(self, now: datetime, **settings: Any) -> Connector:
        """A connector whose clock stands at `now` and which never really waits."""

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


@dataclass
class Bench:
    """A store that follows one miniature; time passes between the syncs."""

    house: House
    store: Store
    now: datetime = NOW
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @classmethod
    def open(cls, house: House, url: str, **settings: Any) -> "Bench":
        """A store with nothing of the platform, and two tables of another source."""
        store = Store.open(url)
        store.journal.declare([SourceRow(house.name, house.name, house.platform, house.address, 0), BESIDE])
        tables = (Record("raw", AssetKind.DATASET, "raw"), Record("made", AssetKind.DATASET, "made"))
        said = Scope("table/made", tables, (Edge("raw", "made", EdgeKind.DERIVE),))
        store.ledger.write(BESIDE.id, Batch(scopes=(said,)), read_started_at=NOW)
        store.resolve(Registry.EMPTY)
        return cls(house, store, settings=settings)

    def copy(self, path: Path) -> "Bench":
        """The same store once more, in a file of its own."""
        with closing(sqlite3.connect(self.file)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        shutil.copy(self.file, path)
        return Bench(self.house, Store.open(f"sqlite:///{path}"), self.now, self.settings)

    @property
    def file(self) -> Path:
        """Where a SQLite store lies."""
        return Path(str(self.store.url).removeprefix("sqlite:///"))

    def sync(self, after: timedelta = timedelta(minutes=15), *, full: bool = False, **settings: Any) -> SyncRow:
        """One pull, some time after the last one."""
        self.now += after
        connector = self.house.connect(self.now, **{**self.settings, **settings})
        try:
            return pull(
                self.store,
                self.house.name,
                connector,
                registry=Registry.EMPTY,
                full=full,
                clock=lambda: self.now,
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
            skips=tuple(f"{one.what}: {one.reason}" for one in self.store.journal.skips(name)),
            completeness=answer.completeness,
            assets=standing.counts.assets,
            edges=standing.counts.edges,
        )

    def close(self) -> None:
        """Close the store."""
        self.store.close()


SUCCEEDED, PARTIAL, FAILED = SyncState.SUCCEEDED, SyncState.PARTIAL, SyncState.FAILED
