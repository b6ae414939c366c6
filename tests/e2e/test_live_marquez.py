"""A real Marquez, for whoever has one: MARQUEZ_URL, MARQUEZ_TOKEN for a proxy; only read unless MARQUEZ_WRITE=1.

No registry holds a server that could be installed, so without an address the same is asked of the miniature: what was
written for a real one goes on holding.
"""

import os
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import httpx2
import orjson
import pytest

from watersmeet.config.settings import Source
from watersmeet.connectors.http import path
from watersmeet.connectors.marquez.read import Marquez
from watersmeet.connectors.marquez.sandbox import Sandbox
from watersmeet.federation.connector import Batch

URL = os.environ.get("MARQUEZ_URL")
TOKEN = os.environ.get("MARQUEZ_TOKEN")
PREFIX = "watersmeet-live"

writes = pytest.mark.skipif(
    URL is not None and os.environ.get("MARQUEZ_WRITE") != "1", reason="writes to your server: set MARQUEZ_WRITE=1"
)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The server's address."""
    if URL:
        yield URL
        return
    with Sandbox() as miniature:
        yield miniature.url


@pytest.fixture
def connector(url: str) -> Iterator[Marquez]:
    settings: dict[str, Any] = {"name": "live", "platform": "marquez", "url": url}
    made = Marquez(Source.model_validate(settings | ({"token": TOKEN} if TOKEN else {})))
    yield made
    made.close()


@pytest.fixture
def namespace(url: str) -> Iterator[str]:
    """A namespace of our own, hidden at the end; its events stay in the feed, as Marquez cannot forget them."""
    name = f"{PREFIX}-{uuid.uuid4().hex[:8]}"
    yield name
    _call(url, "DELETE", path("api", "v1", "namespaces", name))


def _call(url: str, method: str, where: str, body: Any = None) -> httpx2.Response:
    headers = {"Authorization": f"Bearer {TOKEN}"} if TOKEN else {}
    answer = httpx2.request(method, f"{url.rstrip('/')}{where}", json=body, headers=headers, timeout=60)
    answer.raise_for_status()
    return answer


def _sent(url: str, namespace: str, kind: str, at: datetime, run: str) -> None:
    # The name of a namespace outside of Marquez' pattern would break the lists of all its users.
    event = {
        "eventType": kind,
        "eventTime": at.isoformat(),
        "run": {"runId": run},
        "job": {"namespace": namespace, "name": "copy"},
        "inputs": [{"namespace": namespace, "name": "in"}],
        "outputs": [{"namespace": namespace, "name": "out"}],
        "producer": "https://example.org/watersmeet/live",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
    }
    _call(url, "POST", "/api/v1/lineage", event)


def test_it_can_be_reached(connector: Marquez):
    health = connector.check()
    assert health.reachable
    assert health.version is not None


def test_its_feed_is_read_in_order(connector: Marquez):
    batches = list(islice((batch for batch in connector.read(None) if batch.events), 3))
    times = [orjson.loads(event.body)["eventTime"] for batch in batches for event in batch.events]
    assert times == sorted(times)
    assert all(batch.resume for batch in batches)


@writes
def test_what_is_sent_comes_back_and_what_is_deleted_is_gone(connector: Marquez, url: str, namespace: str):
    now, run = datetime.now(UTC), str(uuid.uuid4())
    before = {"format": 1, "newest": now.isoformat(), "snapshot_at": now.isoformat()}
    for kind, minutes in (("START", 2), ("COMPLETE", 1)):
        _sent(url, namespace, kind, now - timedelta(minutes=minutes), run)
    told = _own(connector.read(before), namespace)
    assert [one["eventType"] for one in told] == ["START", "COMPLETE"]
    assert {one["run"]["runId"] for one in told} == {run}
    dataset = path("api", "v1", "namespaces", namespace, "datasets", "out")
    assert list(connector.gone([f"{namespace}/out"])) == []
    _call(url, "DELETE", dataset)
    assert list(connector.gone([f"{namespace}/out", f"{namespace}/in"])) == [f"{namespace}/out"]


def _own(batches: Iterator[Batch], namespace: str) -> list[Any]:
    told = [orjson.loads(event.body) for batch in batches for event in batch.events]
    return [one for one in told if one["job"]["namespace"] == namespace]
