"""A server is killed while it takes events and syncs, and so is its PostgreSQL: nothing acknowledged is lost."""

import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from watersmeet.federation.rows import SyncRow
from watersmeet.federation.store import Store
from watersmeet.federation.sync import lag

from ..e2e.service import Service, wait_for
from ..scale import scale
from .clusters import Cluster
from .emitters import Emitters
from .forks import Forks
from .serving import SYNC, serving
from .shares import DATABASES, rounds
from .shown import run_ids
from .worlds import World

pytestmark = [
    pytest.mark.hard,
    pytest.mark.skipif(scale() == "quick", reason="takes minutes: `make test-hard` runs it"),
    pytest.mark.timeout(3600),
    pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL"),
]
LONGEST = 1.5
"""Seconds after which a server is killed at the latest, from when it was ready."""


def begin(service: Service, source: str) -> bool:
    """Ask for a sync; False: it did not go, as one is running or the store is away."""
    asked = {"query": SYNC, "variables": {"source": source}}
    try:
        answer = httpx2.post(f"{service.url}/graphql", json=asked, timeout=10, trust_env=False)
    except httpx2.HTTPError:
        return False
    assert answer.status_code in (200, 503), answer.text
    return "errors" not in answer.json()


def test_a_killed_server_has_kept_what_it_acknowledged(store_url: str, tmp_path: Path, forks: Forks) -> None:
    with World.opened(tmp_path, seed=21) as world, serving(world, store_url) as service:
        with Emitters(service.url) as emitters:
            for _ in range(rounds("server", parts=DATABASES)):
                heard = len(emitters.acknowledged)
                begin(service, world.change())
                time.sleep(world.chance.uniform(0, LONGEST))
                wait_for(lambda heard=heard: len(emitters.acknowledged) > heard, "an event that is acknowledged", 30)
                service.stop(signal.SIGKILL)
                service.start()
        assert_kept(world, service, store_url, emitters, forks)


def test_a_server_outlives_its_postgresql(tmp_path: Path, forks: Forks) -> None:
    """It answers again without being started again, by itself."""
    with (
        Cluster.opened() as cluster,
        World.opened(tmp_path, seed=22) as world,
        serving(world, url := cluster.database()) as service,
    ):
        kinds: list[Callable[[], object]] = [
            cluster.kill,
            lambda: cluster.kill_backend(world.chance.random()),
        ]
        with Emitters(service.url) as emitters:
            for number in range(rounds("server's PostgreSQL")):
                begin(service, world.change())
                time.sleep(world.chance.uniform(0, LONGEST))
                kinds[number % 2]()
                ready(service, 503 if number % 2 == 0 else None)
                cluster.start()
                ready(service, 200)
                heard = len(emitters.acknowledged)
                wait_for(lambda heard=heard: len(emitters.acknowledged) > heard, "an event that is acknowledged", 30)
        with Store.open(url) as store:
            wait_for(lambda: not open_syncs(store), "the end of every sync in the journal", 60)
            assert {row.error for row in store.journal.syncs(first=1000)} <= {None, "StoreUnavailable", "Killed"}
        assert_kept(world, service, url, emitters, forks)


def open_syncs(store: Store) -> list[SyncRow]:
    return [row for row in store.journal.syncs(first=1000) if row.ended_at is None]


def ready(service: Service, status: int | None) -> None:
    """Until `/readyz` says so; None: whatever it says."""
    if status is not None:
        url = f"{service.url}/readyz"
        wait_for(lambda: httpx2.get(url, timeout=30, trust_env=False).status_code == status, f"a {status}", 60)


def assert_kept(
    world: World, service: Service, url: str, emitters: Emitters, forks: Forks, *, is_disturbed: bool = False
) -> None:
    """Every acknowledged event is there once and in the graph, and syncs end as undisturbed ones do.

    `is_disturbed`: something was wrong that the server had to name in its log.
    """
    assert emitters.acknowledged
    assert emitters.refused == []
    with Store.open(url, create=False) as store:
        wait_for(lambda: not lag(store, "inlet"), "all events in the graph", 120)
        kept = run_ids(store, "inlet")
    assert [run for run in emitters.acknowledged if run not in kept] == []
    assert [run for run, count in kept.items() if count > 1] == []
    service.stop()
    assert "Traceback" not in service.log()
    assert is_disturbed or "exc_type" not in service.log()
    world.follow(forks, service.config)
    world.check(forks, service.config, url, [emitters.sent[run] for run in kept])
