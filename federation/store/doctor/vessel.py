"""Whether the database itself is whole, has room, and keeps to itself."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa

from ...errors import StoreUnavailable
from ...rows import Finding, Weight
from ..database import Database

ROOM = 256 * 2**20
"""Bytes that should be free at least."""
_SHOWN = 5


def examine(database: Database, *, full: bool) -> Iterator[Finding]:
    """The file of SQLite, or the connection to PostgreSQL."""
    if database.file is None:
        with database.reading() as connection:
            connection.execute(sa.text("SELECT 1"))
        return
    yield from _whole(database, full=full)
    yield from _room(database.file)
    yield from _permissions(database.file)


def _whole(database: Database, *, full: bool) -> Iterator[Finding]:
    check = "PRAGMA integrity_check(20)" if full else "PRAGMA quick_check(20)"
    try:
        with database.reading() as connection:
            said = [str(row[0]) for row in connection.exec_driver_sql(check)]
    except StoreUnavailable as error:
        said = [str(error)]
    if said != ["ok"]:
        yield Finding(
            "corrupt",
            Weight.BROKEN,
            "the database file is damaged",
            "stop Watersmeet, put the file aside, and `watersmeet restore` the newest backup; then `watersmeet sync`",
            len(said),
            tuple(said[:_SHOWN]),
        )


def _room(file: Path) -> Iterator[Finding]:
    free = shutil.disk_usage(file.parent).free
    wanted = max(ROOM, file.stat().st_size // 10)
    if free < wanted:
        yield Finding(
            "disk",
            Weight.BROKEN,
            f"only {free // 2**20} MiB are free where the store lies",
            f"make room on the disk of {file.parent}: at least {wanted // 2**20} MiB",
        )


def _permissions(file: Path) -> Iterator[Finding]:
    if os.name == "nt":
        return
    for one in (file, *(Path(f"{file}{ending}") for ending in ("-wal", "-shm"))):
        if one.exists() and (mode := one.stat().st_mode & 0o077):
            what = "written" if mode & 0o022 else "read"
            yield Finding(
                "permissions", Weight.BROKEN, f"{one} can be {what} by other users of this machine", f"chmod 600 {one}"
            )
