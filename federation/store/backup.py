"""A copy of a whole store in one file, made while writing goes on, and a store made of such a copy.

The file is a SQLite store whatever it was taken from: it can be opened as it is, and restored into either database.
"""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from pathlib import Path

import sqlalchemy as sa

from ..errors import BadInput, Misconfigured, StoreUnavailable
from ..rows import Copied
from . import marks
from .database import Database
from .schema import bring_up
from .tables import change, counter, metadata

Watch = Callable[[int, int], None]
"""Told how much is done of how much: pages of a file, or rows."""

_PAGES = 2000
"""Pages of SQLite that are copied between two reports."""
_ROWS = 2000
_GIVEN = (counter, metadata.tables["info"])
"""Tables in which a new store has rows already."""


def back_up(database: Database, target: Path, *, force: bool = False, watch: Watch | None = None) -> Copied:
    """Write a consistent copy; it is put in its place only when it is whole and has been read back.

    Raises `BadInput` (a file is there and `force` is not given; its folder is none), `StoreUnavailable`.
    """
    target = target.absolute()
    if target.exists() and not force:
        raise BadInput(f"{target} is there already: name another file, or say --force to replace it")
    if not target.parent.is_dir():
        raise BadInput(f"{target.parent} is no folder: make it first, or name a file in another one")
    if database.file is not None and target.resolve() == database.file:
        raise BadInput(f"{target} is the store itself: name another file")
    with _unfinished(target) as part:
        if database.file is not None:
            _copy_file(database.file, part, watch)
        else:
            _copy_out(database, part, watch)
        kept = _verified(part, target)
        _put(part, target)
    return kept


def restore(file: Path, url: str, *, watch: Watch | None = None) -> Copied:
    """Make a store of a copy. It begins a new epoch: page cursors of before have expired, snapshots are made anew.

    Raises `BadInput` (the file is no copy of a store), `Misconfigured` (there is a store at the address already, or the
    copy is of a newer Watersmeet), `StoreUnavailable`.
    """
    database = Database(url)
    try:
        _must_be_new(database)
        if database.file is not None:
            with _unfinished(database.file) as part:
                _take(file, part)
                kept = _verified(part, database.file)
                _put(part, database.file)
            return kept
        with tempfile.TemporaryDirectory(prefix="watersmeet-restore-") as folder:
            part = Path(folder) / "store.db"
            _take(file, part)
            kept = _verified(part, file)
            bring_up(database, create=True)
            _copy_in(part, database, watch)
        return kept
    finally:
        database.close()


# Taking a copy


def _copy_file(source: Path, part: Path, watch: Watch | None) -> None:
    """By SQLite's own backup, inside one reading transaction: writers go on, and what they write is not in it."""
    try:
        with closing(_plain(source)) as here, closing(_plain(part)) as there:
            here.execute("BEGIN")
            here.execute("SELECT count(*) FROM sqlite_master").fetchone()

            def copied(_status: int, left: int, total: int) -> None:
                if watch is not None:
                    watch(total - left, total)

            here.backup(there, pages=_PAGES, progress=copied, sleep=0)
        _alone(part)
    except (sqlite3.Error, OSError) as error:
        raise StoreUnavailable(
            f"the copy cannot be made: {error}. Make room, or name a file on another disk"
        ) from error


def _copy_out(database: Database, part: Path, watch: Watch | None) -> None:
    copy = Database(f"sqlite:///{part}")
    try:
        bring_up(copy, create=True)
        with database.reading() as here, copy.writing() as there:
            _copy_rows(here, there, watch)
    finally:
        copy.close()
    _alone(part)


def _plain(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(file, timeout=60, isolation_level=None)


def _alone(part: Path) -> None:
    """Everything in the one file, nothing in a log beside it."""
    with closing(_plain(part)) as there:
        there.execute("PRAGMA journal_mode=DELETE").fetchone()


# Making a store of it


def _must_be_new(database: Database) -> None:
    shown = database.url.render_as_string(hide_password=True)
    if database.file is not None:
        if database.file.exists():
            raise Misconfigured(f"there is a store at {shown} already: restore into a new one, or move it away first")
        return
    with database.reading() as connection:
        if sa.inspect(connection).has_table(change.name):
            raise Misconfigured(f"there is a store at {shown} already: restore into an empty database")


def _take(file: Path, part: Path) -> None:
    """The copy as a store of this version, in an epoch of its own."""
    if not file.is_file():
        raise BadInput(f"there is no file {file}")
    shutil.copyfile(file, part)
    with closing(sqlite3.connect(part)) as there:
        try:
            is_store = there.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
        except sqlite3.DatabaseError as error:
            raise BadInput(f"{file} is no copy of a store: {error}") from error
    if is_store is None:
        raise BadInput(f"{file} is no copy of a store: make one by `watersmeet backup`")
    copy = Database(f"sqlite:///{part}")
    try:
        bring_up(copy, create=False)
        with copy.writing() as there:
            marks.renew_epoch(there)
    finally:
        copy.close()
    _alone(part)


def _copy_in(part: Path, database: Database, watch: Watch | None) -> None:
    copy = Database(f"sqlite:///{part}")
    try:
        with copy.reading() as here, database.writing() as there:
            _copy_rows(here, there, watch)
    finally:
        copy.close()


def _copy_rows(here: sa.Connection, there: sa.Connection, watch: Watch | None) -> None:
    """Every row of every table, as one transaction sees it, into tables that are empty but for what a new store has."""
    tables = metadata.sorted_tables
    total = sum(here.execute(sa.select(sa.func.count()).select_from(table)).scalar_one() for table in tables)
    done = 0
    for table in _GIVEN:
        there.execute(sa.delete(table))
    for table in tables:
        rows = here.execution_options(yield_per=_ROWS).execute(sa.select(table))
        for some in rows.mappings().partitions(_ROWS):
            there.execute(sa.insert(table), [dict(row) for row in some])
            done += len(some)
            if watch is not None:
                watch(done, total)


# Both


@contextmanager
def _unfinished(target: Path) -> Generator[Path]:
    """A file in a folder of its own beside the one that is to be, for nobody else's eyes; both are gone afterwards."""
    with tempfile.TemporaryDirectory(prefix=".watersmeet-", dir=target.parent) as folder:
        yield Path(folder) / "store.db"


def _verified(part: Path, shown: Path) -> Copied:
    """What the copy holds, after it has been read from end to end. Raises `StoreUnavailable`."""
    with closing(sqlite3.connect(f"file:{part}?mode=ro", uri=True)) as copy:
        found = [str(row[0]) for row in copy.execute("PRAGMA integrity_check")]
        if found != ["ok"]:
            raise StoreUnavailable(f"the copy is damaged ({found[0]}): the disk or the store itself may be; try again")
        rows = sum(copy.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in sorted(metadata.tables))
        head = copy.execute("SELECT value FROM counter WHERE name = 'change'").fetchone()[0]
    return Copied(str(shown), rows, part.stat().st_size, head)


def _put(part: Path, target: Path) -> None:
    """On the disk first, then under its name."""
    part.chmod(0o600)
    with part.open("rb") as written:
        os.fsync(written.fileno())
    part.replace(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
