"""What the tests of the MLflow connector share: a miniature server, its vendor's client, and what a read adds up to."""

import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from watersmeet.config.settings import Source
from watersmeet.connectors.mlflow.read import MLflow
from watersmeet.connectors.mlflow.sandbox import Sandbox
from watersmeet.federation.connector import Batch, Cursor
from watersmeet.federation.model import Edge, EdgeKind, Record, Role, Scope, Skipped, Tombstone

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


@dataclass
class Reading:
    """All that one read told."""

    batches: list[Batch] = field(default_factory=list[Batch])

    @classmethod
    def of(cls, batches: Iterable[Batch]) -> "Reading":
        return cls(list(batches))

    @property
    def scopes(self) -> list[Scope]:
        return [scope for batch in self.batches for scope in batch.scopes]

    @property
    def edges(self) -> list[Edge]:
        return [edge for scope in self.scopes for edge in scope.edges]

    @property
    def records(self) -> dict[str, Record]:
        """What describes each thing; a stub only where nothing else does."""
        found: dict[str, Record] = {}
        for record in (record for scope in self.scopes for record in scope.records):
            if record.described or record.native_id not in found:
                found[record.native_id] = record
        return found

    @property
    def tombstones(self) -> list[Tombstone]:
        return [stone for batch in self.batches for stone in batch.tombstones]

    @property
    def skipped(self) -> list[Skipped]:
        return [one for batch in self.batches for one in batch.skipped]

    @property
    def failures(self) -> list[str]:
        return [one for batch in self.batches for one in batch.failures]

    @property
    def grants(self) -> list[str]:
        return [one for batch in self.batches for one in batch.missing_grants]

    @property
    def listed(self) -> set[str]:
        return {family for batch in self.batches for family in batch.listed}

    @property
    def cursor(self) -> Cursor:
        return [batch.resume for batch in self.batches if batch.resume is not None][-1]

    @property
    def complete(self) -> bool:
        return self.batches[-1].complete

    def named(self, family: str) -> list[str]:
        """The keys of all scopes of a family, as often as they were told."""
        return [scope.key for scope in self.scopes if scope.family == family]

    def between(self, upstream: str, downstream: str, kind: EdgeKind | None = None) -> list[Edge]:
        """The edges from one thing to another."""
        ends = (upstream, downstream)
        return [
            one for one in self.edges if (one.upstream, one.downstream) == ends and (kind is None or one.kind is kind)
        ]

    def upstream(self, native_id: str, kind: EdgeKind, role: Role | None = None) -> set[str]:
        """What lies one edge up."""
        return {
            one.upstream
            for one in self.edges
            if one.downstream == native_id and one.kind is kind and (role is None or one.role is role)
        }


Connect = Callable[..., MLflow]


@pytest.fixture
def waited() -> list[float]:
    """How long each wait would have been."""
    return []


@pytest.fixture
def connect(waited: list[float]) -> Iterator[Connect]:
    """Makes connectors, and closes them."""
    made: list[MLflow] = []

    def connector(url: str | None, *, now: datetime = NOW, **settings: Any) -> MLflow:
        where = {"url": url} if url is not None else {}
        source = Source.model_validate({"name": "tracking", "platform": "mlflow", **where, **settings})
        made.append(MLflow(source, clock=lambda: now, sleep=waited.append))
        return made[-1]

    yield connector
    for one in made:
        one.close()


@pytest.fixture
def read(connect: Connect) -> Callable[..., Reading]:
    """Reads a server once."""

    def reading(url: str, since: Cursor | None = None, **settings: Any) -> Reading:
        return Reading.of(connect(url, **settings).read(since))

    return reading


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """An empty miniature."""
    with Sandbox(empty=True) as running:
        yield running


@pytest.fixture
def client(sandbox: Sandbox) -> Any:
    """The vendor's own client on the miniature: an independent judge of how true it is."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what MLflow's package deprecates is not ours to mend
        mlflow = pytest.importorskip("mlflow", reason="needs the extra mlflow: uv sync --extra mlflow")
        return mlflow.MlflowClient(tracking_uri=sandbox.url, registry_uri=sandbox.url)
