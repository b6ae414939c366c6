"""Which events a receiver has acknowledged, in a file of its own, so that an export can go on where another ended."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Self

from ..config.errors import Misconfigured
from ..federation.errors import AlreadyRunning, BadInput

_OURS = 0x77617465
"""SQLite's `application_id` of such a file."""


class Delivered:
    """Keeps the digests of events; without a file it knows of none. The file belongs to one process at a time."""

    def __init__(self, file: Path | None, receiver: str) -> None:
        """`receiver`: its address. Raises `Misconfigured`, `AlreadyRunning`; `BadInput`: the file is of another one."""
        self._database = None if file is None else _opened(file, receiver)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._database is not None:
            self._database.close()

    def __contains__(self, digest: bytes) -> bool:
        if self._database is None:
            return False
        return self._database.execute("SELECT 1 FROM taken WHERE digest = ?", (digest,)).fetchone() is not None

    def add(self, digests: Iterable[bytes]) -> None:
        """Remember what was acknowledged, before anything else is sent."""
        if self._database is not None:
            with self._database:
                self._database.executemany("INSERT OR IGNORE INTO taken VALUES (?)", ((one,) for one in digests))


def _opened(file: Path, receiver: str) -> sqlite3.Connection:
    try:
        database = sqlite3.connect(file, timeout=0)
    except sqlite3.Error as error:
        raise _unusable(file, error) from error
    try:
        _prepare(database, file, receiver)
    except sqlite3.OperationalError as error:
        database.close()
        if "locked" in str(error):
            raise AlreadyRunning(f"another export is writing {file}: wait for it, or name another file") from error
        raise _unusable(file, error) from error
    except sqlite3.DatabaseError as error:
        database.close()
        raise _unusable(file, error) from error
    except BaseException:
        database.close()
        raise
    return database


def _prepare(database: sqlite3.Connection, file: Path, receiver: str) -> None:
    database.execute("PRAGMA locking_mode = EXCLUSIVE")
    # What the log still holds survives the end of a process. A loss of power may lose it: then events are sent again.
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = NORMAL")
    with database:
        database.execute("BEGIN IMMEDIATE")
        (ours,) = database.execute("PRAGMA application_id").fetchone()
        (tables,) = database.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if not ours and not tables:
            database.execute(f"PRAGMA application_id = {_OURS}")
            database.execute("CREATE TABLE receiver (address TEXT NOT NULL)")
            database.execute("CREATE TABLE taken (digest BLOB PRIMARY KEY) WITHOUT ROWID")
            database.execute("INSERT INTO receiver VALUES (?)", (receiver,))
        elif ours != _OURS:
            raise Misconfigured(f"{file} holds something else than the state of an export: name another file")
    with closing(database.execute("SELECT address FROM receiver")) as found:
        (told,) = found.fetchone()
    if told != receiver:
        raise BadInput(f"{file} says what {told} has acknowledged, not {receiver}: name a file for each receiver")


def _unusable(file: Path, error: sqlite3.Error) -> Misconfigured:
    return Misconfigured(f"{file} cannot hold the state of the export ({error}): name a file in a folder of yours")
