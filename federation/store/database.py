"""One database behind the store: opening, transactions, blocks of ids, errors by remedy."""

import sqlite3
import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, NoSuchModuleError

from .. import patience
from ..errors import Misconfigured, OutOfTime, StoreUnavailable, Unfit
from .tables import counter

OLDEST_SQLITE = (3, 37, 0)
BLOCK = 1000
_STEPS = 10_000
"""So many steps SQLite does between two looks at the clock."""
_EXAMPLE = "for example `store: {url: sqlite:///watersmeet.db}` or `postgresql://user@host/database`"


class Database:
    """An engine with our habits: short transactions, `BEGIN IMMEDIATE` on SQLite, ids given out in blocks."""

    def __init__(self, url: str, *, read_only: bool = False) -> None:
        self.url = _address(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        if self.is_sqlite:
            _check_sqlite(self.url)
        self._engine = _engine(self.url, durable=False, read_only=read_only)
        self._durable: Engine | None = None
        self._free: dict[str, list[int]] = {}
        self._lock = threading.Lock()

    @property
    def engine(self) -> Engine:
        """The plain engine, for migrations."""
        return self._engine

    @property
    def folder(self) -> Path | None:
        """Where a SQLite store lies; None for a server."""
        return Path(self.url.database or "").resolve().parent if self.is_sqlite else None

    @property
    def file(self) -> Path | None:
        """The SQLite file; None for a server."""
        return Path(self.url.database or "").resolve() if self.is_sqlite else None

    @contextmanager
    def reading(self) -> Generator[Connection]:
        """A consistent view of one moment. Raises `StoreUnavailable`, and `OutOfTime` where `patience` has an end."""
        patience.check()
        with self.translating(), self._engine.connect() as connection:
            if not self.is_sqlite:
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin(), self._ending(connection):
                yield connection

    @contextmanager
    def writing(self, *, durable: bool = False) -> Generator[Connection]:
        """One short transaction; `durable` survives a loss of power once it is left. Raises `StoreUnavailable`."""
        with self.translating(), self._for(durable).connect() as plain:
            connection = plain.execution_options(watersmeet_writes=True)
            with connection.begin():
                yield connection

    @contextmanager
    def session(self) -> Generator[Connection]:
        """A connection without a transaction, for what a session of a server holds. Raises `StoreUnavailable`."""
        with self.translating():
            connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        with connection, self.translating():
            yield connection

    @contextmanager
    def filing(self) -> Generator[None]:
        """What is done to files beside the store. Raises `StoreUnavailable`."""
        try:
            yield
        except OSError as error:
            shown = self.url.render_as_string(hide_password=True)
            reason = f"{error.strerror or error}: {error.filename}"
            raise StoreUnavailable(f"the store {shown} cannot do this now: {reason}. {_remedy(error)}") from error

    def ids(self, name: str, count: int) -> list[int]:
        """`count` ids never given before. Take them before a write begins: they have a transaction of their own."""
        with self._lock:
            free = self._free.setdefault(name, [])
            if len(free) < count:
                wanted = max(BLOCK, count - len(free))
                with self.writing() as connection:
                    last = advance(connection, name, wanted)
                free.extend(range(last - wanted + 1, last + 1))
            taken, self._free[name] = free[:count], free[count:]
            return taken

    def close(self) -> None:
        """Give back every connection."""
        self._engine.dispose()
        if self._durable is not None:
            self._durable.dispose()

    def _for(self, durable: bool) -> Engine:
        if not durable or not self.is_sqlite:  # PostgreSQL's commits are durable as they are
            return self._engine
        with self._lock:
            if self._durable is None:
                self._durable = _engine(self.url, durable=True)
        return self._durable

    @contextmanager
    def _ending(self, connection: Connection) -> Generator[None]:
        """Let the database itself stop a statement whose time is over."""
        left = patience.left()
        if left is None:
            yield
        elif self.is_sqlite:
            driver: Any = connection.connection.driver_connection
            driver.set_progress_handler(patience.is_over, _STEPS)
            try:
                yield
            finally:
                driver.set_progress_handler(None, 0)
        else:
            connection.exec_driver_sql(f"SET LOCAL statement_timeout = {int(left * 1000) + 1}")
            yield

    @contextmanager
    def translating(self) -> Generator[None]:
        """Errors of the driver as ours. Raises `StoreUnavailable`, `OutOfTime`, `Unfit`."""
        try:
            yield
        except DBAPIError as error:
            if patience.is_over():
                raise OutOfTime("the time for this question is over: the store was told to stop") from error
            shown = self.url.render_as_string(hide_password=True)
            if _is_unfit(error):
                raise Unfit(f"the store {shown} cannot hold a value of this: too large, or no character") from error
            raise StoreUnavailable(
                f"the store {shown} cannot do this now: {_reason(error)}. {_remedy(error.orig)}"
            ) from error


def advance(connection: Connection, name: str, count: int) -> int:
    """Move a counter on and return its new value; its row stays locked until the commit, so values are commit order."""
    moved = sa.update(counter).where(counter.c.name == name).values(value=counter.c.value + count)
    return connection.execute(moved.returning(counter.c.value)).scalar_one()


def chunks(items: Sequence[Any], size: int = 5000) -> Iterator[Sequence[Any]]:
    """Slices that a statement's parameters can hold."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _address(url: str) -> sa.URL:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise Misconfigured(f"store.url is not an address of a database; {_EXAMPLE}") from error
    backend = parsed.get_backend_name()
    if backend == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if backend != "sqlite":
        raise Misconfigured(f"store.url names {backend!r}, but a store is SQLite or PostgreSQL; {_EXAMPLE}")
    if not parsed.database or parsed.database == ":memory:":
        raise Misconfigured(f"store.url names no file, and several processes share the store; {_EXAMPLE}")
    return parsed


def _check_sqlite(url: sa.URL) -> None:
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        raise Misconfigured(
            f"this Python brings SQLite {sqlite3.sqlite_version}, the store needs 3.37 or newer: "
            "use a newer Python, or a PostgreSQL store"
        )
    folder = Path(url.database or "").resolve().parent
    if not folder.is_dir():
        raise Misconfigured(f"store.url names a file in {folder}, which is no folder: make it, or name another file")


def _engine(url: sa.URL, *, durable: bool, read_only: bool = False) -> Engine:
    try:
        engine = sa.create_engine(url, pool_size=8, max_overflow=24, **_options(url, read_only=read_only))
    except NoSuchModuleError as error:
        raise Misconfigured(f"store.url: {error}; {_EXAMPLE}") from error
    if url.get_backend_name() == "sqlite":
        writes = ("journal_mode=WAL", f"synchronous={'FULL' if durable else 'NORMAL'}")
        _habits(engine, ("query_only=ON",) if read_only else writes)
    return engine


def _options(url: sa.URL, *, read_only: bool) -> dict[str, Any]:
    if url.get_backend_name() == "sqlite":
        return {"connect_args": {"timeout": 60.0, "check_same_thread": False, "isolation_level": None}}
    only_reads = {"connect_args": {"options": "-c default_transaction_read_only=on"}} if read_only else {}
    return {"pool_pre_ping": True, **only_reads}


def _habits(engine: Engine, ours: Sequence[str]) -> None:
    def connected(connection: Any, _record: Any) -> None:
        for pragma in ("busy_timeout=60000", *ours, "temp_store=MEMORY"):
            connection.execute(f"PRAGMA {pragma}").close()

    def begun(connection: Connection) -> None:
        writes = connection.get_execution_options().get("watersmeet_writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", begun)


def _is_unfit(error: DBAPIError) -> bool:
    """A number too large, a character that it has not, a row beyond its limits (PostgreSQL's classes 22 and 54)."""
    return isinstance(error, DataError) or str(getattr(error.orig, "sqlstate", None))[:2] in ("22", "54")


def _reason(error: DBAPIError) -> str:
    """The driver's own first line; the statement and its parameters may hold what nobody should read."""
    return str(error.orig).splitlines()[0] if str(error.orig) else type(error.orig).__name__


def _remedy(error: BaseException | None) -> str:
    text = str(error).lower()
    if "locked" in text:
        return "Another process has held the write lock for a minute: look for a stuck one"
    if "disk" in text or "full" in text or "no space" in text or "quota" in text:
        return "Make room on its disk"
    if "readonly" in text or "read-only" in text or "permission" in text:
        return "Give this user the right to write to it"
    if "unable to open" in text:
        return "Let this user read and write the file and its folder, and look whether the disk has room"
    if any(word in text for word in ("connect", "refused", "the database system is", "crash of another server")):
        return "Check that the server runs and that the address is right"
    return "See the cause in the log"
