"""A clock that stands still, and databases of both kinds."""

import atexit
import shutil
import tempfile
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest
import sqlalchemy as sa

from watersmeet.federation.store import Store, marks
from watersmeet.federation.store.database import Database


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
def a_database(
    request: pytest.FixtureRequest, file: Path, *, relaxed: bool = False, bare: bool = False
) -> Generator[str]:
    """The address of a database of the kind that the fixture's parameter names, with an empty store in it, or where
    nothing is yet if it is to be `bare`; a `relaxed` one may be lost with the power."""
    if request.param == "sqlite":
        if not bare:
            put_store(file)
        yield f"sqlite:///{file}"
        return
    server: str = request.getfixturevalue("postgres")
    with _maintaining(server) as connection:
        name = _new_database(connection, template=None if bare else _migrated_database(server))
        if relaxed:
            connection.execute(sa.text(f"ALTER DATABASE {name} SET synchronous_commit = off"))
    address = _address(server, name)
    if not bare:
        _renew_epoch(address)
    yield address
    with _maintaining(server) as connection:
        connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))


def put_store(file: Path) -> None:
    """An empty store as a file: migrations take longer than most tests, so they run once a process."""
    shutil.copy(_migrated_file(), file)
    _renew_epoch(f"sqlite:///{file}")


def relax(server: str) -> None:
    """Let a whole server lose what it holds with the power."""
    with _maintaining(server) as connection:
        connection.execute(sa.text("ALTER SYSTEM SET fsync = off"))
        connection.execute(sa.text("SELECT pg_reload_conf()"))


def drop_template(server: str) -> None:
    """Take away what new databases of a server were copied from."""
    with _maintaining(server) as connection:
        connection.execute(sa.text(f"DROP DATABASE {_migrated_database(server)}"))


@cache
def _migrated_file() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="watersmeet-store-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    file = folder / "store.db"
    Store.open(f"sqlite:///{file}").close()
    return file


@cache
def _migrated_database(server: str) -> str:
    with _maintaining(server) as connection:
        name = _new_database(connection)
    Store.open(_address(server, name)).close()
    return name


def _renew_epoch(address: str) -> None:
    """A copy is a store of its own."""
    database = Database(address)
    with database.writing() as connection:
        marks.renew_epoch(connection)
    database.close()


def _new_database(connection: sa.Connection, template: str | None = None) -> str:
    name, how = f"t{uuid.uuid4().hex}", ""
    if template is not None:
        version = connection.dialect.server_version_info
        how = f" TEMPLATE {template}" + (" STRATEGY FILE_COPY" if version is not None and version >= (15,) else "")
    connection.execute(sa.text(f"CREATE DATABASE {name}{how}"))
    return name


def _address(server: str, name: str) -> str:
    return sa.make_url(server).set(database=name, drivername="postgresql").render_as_string(hide_password=False)


@contextmanager
def _maintaining(server: str) -> Generator[sa.Connection]:
    engine = sa.create_engine(
        sa.make_url(server).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool
    )
    with engine.connect() as connection:
        yield connection
