"""Who may do a thing alone: locks that die with their process."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa

from ..errors import AlreadyRunning
from .codec import digest
from .database import Database


@contextmanager
def held(database: Database, name: str) -> Generator[None]:
    """Hold the lock `name` of this store. Raises `AlreadyRunning` if somebody else does."""
    if database.file is not None:
        with _file(Path(f"{database.file}.locks"), name):
            yield
    else:
        with _advisory(database, name):
            yield


def is_held(database: Database, name: str) -> bool:
    """Whether a living process holds a lock; leaves no trace."""
    if database.file is None:
        number = int.from_bytes(digest(f"watersmeet/{name}")[:8], "big", signed=True)
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
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
def _file(folder: Path, name: str) -> Generator[None]:
    folder.mkdir(exist_ok=True)
    handle = os.open(folder / f"{quote(name, safe='')}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if not _seize(handle):
            raise AlreadyRunning(f"{name}: another process is at it; wait for it, or look for it in the process list")
        yield
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


@contextmanager
def _advisory(database: Database, name: str) -> Generator[None]:
    number = int.from_bytes(digest(f"watersmeet/{name}")[:8], "big", signed=True)
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not connection.execute(sa.select(sa.func.pg_try_advisory_lock(number))).scalar_one():
            raise AlreadyRunning(f"{name}: another process is at it; wait for it, or look for it in pg_locks")
        try:
            yield
        finally:
            connection.execute(sa.select(sa.func.pg_advisory_unlock(number)))
