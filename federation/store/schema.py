"""Brings a store's schema up to date, once, whoever comes first."""

import os
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from ..errors import AlreadyRunning, Misconfigured, StoreUnavailable
from . import marks
from .database import Database
from .lock import held

_SCRIPTS = Path(__file__).parents[1] / "migrations"
_PATIENCE = 60.0
"""Seconds to wait for another process that migrates."""


def bring_up(database: Database, *, create: bool) -> None:
    """Migrate to the newest revision. Raises `Misconfigured` for a newer store, or none where none may be made."""
    newest = _scripts().newest
    may_exist(database, create=create)
    if create and database.file is not None:
        _make_ours(database.file)
    revision = _revision(database)
    if revision == newest:
        return
    if not create and revision is None:
        raise Misconfigured(
            f"{database.url.render_as_string()} is no Watersmeet store: run `watersmeet init` or a sync first"
        )
    _migrate_alone(database, newest)


def standing(database: Database) -> str | None:
    """How far the schema is behind; None: it is the newest. Raises `Misconfigured` for a newer store or none at all."""
    newest = _scripts().newest
    may_exist(database, create=False)
    revision = _revision(database)
    if revision is None:
        raise Misconfigured(f"{database.url.render_as_string()} is no Watersmeet store: run `watersmeet sync` first")
    return None if revision == newest else f"the store has schema {revision}, and this version works with {newest}"


@dataclass(frozen=True, slots=True)
class _Scripts:
    """The revisions that this version brings."""

    newest: str | None
    known: frozenset[str]


@cache
def _scripts() -> _Scripts:
    directory = ScriptDirectory.from_config(_config())
    return _Scripts(directory.get_current_head(), frozenset(one.revision for one in directory.walk_revisions()))


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def may_exist(database: Database, *, create: bool) -> None:
    """Raises `Misconfigured` where there is no file and none may be made."""
    if not create and database.file is not None and not database.file.exists():
        raise Misconfigured(f"there is no store at {database.file}: run `watersmeet sync` first, or correct store.url")


def _make_ours(file: Path) -> None:
    """A new file that nobody else can read: it will hold the store's secret. Where it can't be made SQLite says why."""
    with suppress(OSError):
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def _revision(database: Database) -> str | None:
    with database.reading() as connection:
        revision = MigrationContext.configure(connection).get_current_revision()
    if revision is not None and revision not in _scripts().known:
        raise Misconfigured(
            f"the store was written by a newer Watersmeet (schema {revision}): update Watersmeet, or use another store"
        )
    return revision


def _migrate_alone(database: Database, newest: str | None) -> None:
    patience = time.monotonic() + _PATIENCE
    while True:
        try:
            with held(database, "migrate"):
                if _revision(database) != newest:
                    _migrate(database)
                return
        except AlreadyRunning as error:
            if time.monotonic() > patience:
                raise StoreUnavailable(
                    "another process has been migrating the store for a minute: look for it"
                ) from error
            time.sleep(0.1)


def _migrate(database: Database) -> None:
    config = _config()
    with database.writing() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        marks.renew_epoch(connection)
