"""A service over a store of its own, asked through its front door."""

import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from watersmeet.api.app import create_app
from watersmeet.api.opening import open_store
from watersmeet.api.services import Services
from watersmeet.config.settings import Settings
from watersmeet.federation.connector import Batch
from watersmeet.federation.graph import Graph
from watersmeet.federation.inquiry import Inquiry
from watersmeet.federation.model import Edge, Nature, Record, Scope
from watersmeet.federation.store import Store

from ..federation.conftest import postgres, store_url
from ..federation.databases import put_store

__all__ = ["postgres", "store_url"]
HERE = "http://127.0.0.1:8765"
PEER = ("127.0.0.1", 50000)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
EVENT: dict[str, Any] = {
    "eventType": "COMPLETE",
    "eventTime": "2025-01-05T10:00:00Z",
    "producer": "https://example.com/test",
    "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
    "run": {"runId": "0190a0e0-0000-7000-8000-000000000001"},
    "job": {"namespace": "dbt", "name": "marts"},
    "inputs": [{"namespace": "postgres://db:5432", "name": "shop.public.raw"}],
    "outputs": [{"namespace": "postgres://db:5432", "name": "shop.public.orders"}],
}
"""A run that reads one table and writes another."""


class Service:
    """One running app, with the ways in which people speak to it."""

    def __init__(self, client: TestClient, services: Services) -> None:
        self.client = client
        self.services = services
        self.store = services.store

    def tell(
        self,
        *records: Record,
        edges: Sequence[Edge] = (),
        source: str = "tracking",
        at: datetime = NOON,
        nature: Nature = Nature.STANDING,
        scope: str = "thing/1",
    ) -> None:
        """A source says something, and it is joined."""
        said = Scope(scope, records, tuple(edges), nature, at)
        self.store.ledger.write(source, Batch(scopes=(said,)), read_started_at=at)
        self.store.resolve(self.services.registry)

    def post(self, query: str, **variables: Any) -> dict[str, Any]:
        """A GraphQL request, whatever the answer."""
        response = self.client.post("/graphql", json={"query": query, "variables": variables})
        assert response.status_code == 200, response.text
        return response.json()

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """The data of a query that has no errors."""
        answer = self.post(query, **variables)
        assert "errors" not in answer, answer
        return answer["data"]

    def refused(self, query: str, **variables: Any) -> dict[str, Any]:
        """The one error of a query, with its extensions beside its message."""
        answer = self.post(query, **variables)
        [error] = answer["errors"]
        return {"message": error["message"], **error["extensions"]}


Serve = Callable[..., Service]


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a server that takes calls and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Start a service; keyword arguments are sections of the settings."""
    with ExitStack() as held:
        put_store(tmp_path / "store.db")

        def start(*, start_sync: Callable[[Store, str, bool], int] | None = None, **sections: Any) -> Service:
            settings = Settings.of(
                {
                    "store": {"url": f"sqlite:///{tmp_path / 'store.db'}"},
                    "sources": [
                        {"name": "tracking", "platform": "mlflow", "url": "http://127.0.0.1:1"},
                        {"name": "catalogue", "id": "cat", "platform": "marquez", "url": "http://127.0.0.1:2"},
                    ],
                    **sections,
                }
            )
            store = held.enter_context(open_store(settings))
            graph = Graph(store)

            def begin(source: str, full: bool) -> int:
                return start_sync(store, source, full) if start_sync else store.journal.enqueue(source, full)

            services = Services(settings, store, graph, Inquiry(store, graph), begin)
            client = TestClient(create_app(services), base_url=HERE, client=PEER)
            return Service(held.enter_context(client), services)

        yield start


@pytest.fixture
def service(serve: Serve) -> Service:
    """A service with the default settings."""
    return serve()
