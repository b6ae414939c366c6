"""Who may do a thing alone: locks that die with their process."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from ..errors import AlreadyRunning, StoreUnavailable
from .codec import digest
from .database import Database


class Held:
    """A lock that this process has."""

    def check(self) -> None:
        """Raises `StoreUnavailable` where it is lost: a server's locks end with the connection that took them."""


@contextmanager
def held(database: Database, name: str) -> Generator[Held]:
    """Hold the lock `name` of this store. Raises `AlreadyRunning` if somebody else does, `StoreUnavailable`."""
    if database.file is not None:
        with _file(database, name) as one:
            yield one
    else:
        with _advisory(database, name) as one:
            yield one


def is_held(database: Database, name: str) -> bool:
    """Whether a living process holds a lock; leaves no trace."""
    if database.file is None:
        number = int.from_bytes(digest(f"watersmeet/{name}")[:8], "big", signed=True)
        with database.session() as connection:
            is_free = connection.execute(sa.select(sa.func.pg_try_advisory_lock(number))).scalar_one()
            if is_free:
                connection.execute(sa.select(sa.func.pg_advisory_unlock(number)))
        return not is_free
    try:
        handle = os.open(Path(f"{database.file}.locks") / f"{quote(name, safe='')}.lock", os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        return not _seize(handle)
    finally:
        os.close(handle)


@contextmanager
def _file(database: Database, name: str) -> Generator[Held]:
    folder = Path(f"{database.file}.locks")
    with database.filing():
        folder.mkdir(exist_ok=True)
        handle = os.open(folder / f"{quote(name, safe='')}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if not _seize(handle):
            raise AlreadyRunning(f"{name}: another process is at it; wait for it, or look for it in the process list")
        yield Held()
    finally:
        os.close(handle)  # which also lets go of the lock


if os.name == "nt":
    import msvcrt

    def _seize(handle: int) -> bool:
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # pyright: ignore - Windows only
        except OSError:
            return False
        return True

else:
    import fcntl

    def _seize(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


class _Advisory(Held):
    """A lock that a session of PostgreSQL holds."""

    def __init__(self, database: Database, connection: sa.Connection) -> None:
        self._db = database
        self._connection = connection

    def check(self) -> None:
        if self._connection.invalidated:
            shown = self._db.url.render_as_string(hide_password=True)
            raise StoreUnavailable(f"the store {shown} lost a lock with its connection. Check that the server runs")
        with self._db.translating():
            self._connection.execute(sa.select(sa.literal(1)))


@contextmanager
def _advisory(database: Database, name: str) -> Generator[Held]:
    number = int.from_bytes(digest(f"watersmeet/{name}")[:8], "big", signed=True)
    with database.session() as connection:
        if not connection.execute(sa.select(sa.func.pg_try_advisory_lock(number))).scalar_one():
            raise AlreadyRunning(f"{name}: another process is at it; wait for it, or look for it in pg_locks")
        try:
            yield _Advisory(database, connection)
        finally:
            try:
                connection.execute(sa.select(sa.func.pg_advisory_unlock(number)))
            except SQLAlchemyError:  # the session is gone, and its lock with it
                connection.invalidate()
