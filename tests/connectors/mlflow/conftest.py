"""What the tests of the MLflow connector share: a miniature server, its vendor's client, and what a read adds up to."""

import warnings
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest

from watersmeet.config.settings import Source
from watersmeet.connectors.mlflow.read import MLflow
from watersmeet.connectors.mlflow.sandbox import Sandbox
from watersmeet.federation.connector import Cursor
from watersmeet.federation.model import Edge, EdgeKind, Role

from ..conftest import NOW, Told


class Reading(Told):
    """All that one read told, as the tests of MLflow look at it."""

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
        return Reading.by(connect(url, **settings).read(since))

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
