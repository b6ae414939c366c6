"""A store with two sources that say things, and an inquiry over it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from watersmeet.federation.connector import Batch
from watersmeet.federation.graph import Graph
from watersmeet.federation.inquiry import Inquiry
from watersmeet.federation.model import (
    AssetKind,
    Edge,
    EdgeKind,
    Evidence,
    Nature,
    Record,
    Run,
    RunState,
    Scope,
    Skipped,
    SyncState,
)
from watersmeet.federation.naming import Registry
from watersmeet.federation.rows import SourceRow
from watersmeet.federation.store import Store

DAY = datetime(2026, 11, 1, tzinfo=UTC)
PIPES = SourceRow("pipes", "pipes", "marquez", "http://pipes", 0)
MODELS = SourceRow("models", "models", "mlflow", "http://models", 1)
INLET = SourceRow("inlet", "inlet", "openlineage", None, 2)


class House:
    """The store, and what is asked of it."""

    def __init__(self, store: Store, clock: Any) -> None:
        self.store = store
        self.clock = clock
        self.monotonic = 0.0
        store.journal.declare([PIPES, MODELS])
        self.graph = Graph(store, clock=clock, monotonic=lambda: self.monotonic)
        self.inquiry = Inquiry(store, self.graph, clock=clock)

    def say(self, source: str, *scopes: Scope, skipped: tuple[Skipped, ...] = ()) -> None:
        """Let a source say something."""
        batch = Batch(scopes=scopes, skipped=skipped)
        self.store.ledger.write(source, batch, read_started_at=self.clock.now)
        self.store.resolve(Registry.EMPTY)

    def synced(self, *sources: str, state: SyncState = SyncState.SUCCEEDED, **more: Any) -> None:
        """Let pulls end."""
        for source in sources:
            number = self.store.journal.enqueue(source, full=False)
            self.store.journal.start(number)
            self.store.journal.finish(number, state, complete=state is SyncState.SUCCEEDED, **more)

    def id(self, native_id: str) -> int:
        """The asset of a record."""
        [match] = self.store.reader.find_native([native_id])
        return match.asset

    def names(self, answer: Any) -> list[str]:
        """The nodes of an answer."""
        return [node.name for node in answer.nodes]


def ran(run: str, reads: tuple[str, ...], writes: tuple[str, ...], at: datetime = DAY, job: str = "daily") -> Scope:
    """One run of a job."""
    return Scope(
        f"run/{run}",
        records=(
            Record(run, AssetKind.RUN, run, run=Run(RunState.SUCCEEDED, at, at + timedelta(minutes=5))),
            Record(job, AssetKind.JOB, job),
            *(Record(name, AssetKind.DATASET, name) for name in (*reads, *writes)),
        ),
        edges=(
            Edge(run, job, EdgeKind.RUN_OF, valid_from=at),
            *(Edge(name, run, EdgeKind.READ, evidence=Evidence.OBSERVED, valid_from=at) for name in reads),
            *(Edge(run, name, EdgeKind.WRITE, evidence=Evidence.OBSERVED, valid_from=at) for name in writes),
        ),
        nature=Nature.HAPPENED,
        stated_at=at,
    )
