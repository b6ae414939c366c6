"""A clock that stands still, and empty databases of both kinds."""

import uuid
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa


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


@contextmanager
def an_empty_database(request: pytest.FixtureRequest, file: Path, *, relaxed: bool = False) -> Generator[str]:
    """The address of a database of the kind that the fixture's parameter names, where nothing is yet; a `relaxed` one
    may be lost with the power."""
    if request.param == "sqlite":
        yield f"sqlite:///{file}"
        return
    server = sa.make_url(request.getfixturevalue("postgres")).set(drivername="postgresql+psycopg")
    name = f"t{uuid.uuid4().hex}"
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
        if relaxed:
            connection.execute(sa.text(f"ALTER DATABASE {name} SET synchronous_commit = off"))
    yield server.set(database=name, drivername="postgresql").render_as_string(hide_password=False)
    with engine.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()
