"""The store: what each source said, and when; the only place that speaks SQL."""

import secrets
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import sqlalchemy as sa

from ..clock import Clock, utcnow
from ..naming import Registry
from ..rows import Copied, Forgotten, Rebuilt
from . import backup, marks
from .audit import AuditLog
from .database import Database
from .doctor import examine
from .dossiers import Dossiers, Place, Stock
from .events import EventLog
from .forgetting import Forgetting
from .journal import Journal
from .ledger import Ledger
from .letters import Letters
from .lock import Held, held
from .members import Members
from .reader import Reader
from .rebuild import Rebuild
from .schema import bring_up
from .search import Wanted
from .tokens import Tokens
from .withholding import Withholding

__all__ = ["Place", "Stock", "Store", "Wanted", "examine"]


class Store:
    """SQLite or PostgreSQL: what is said (`journal`, `ledger`, `events`, `letters`), what it adds up to (`members`,
    `reader`, `dossiers`), and who may and did what (`tokens`, `audit`)."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock
        self.journal = Journal(database, clock)
        self.ledger = Ledger(database, self.journal, clock)
        self.events = EventLog(database, self.journal, clock)
        self.letters = Letters(database, self.journal, clock)
        self.members = Members(database, clock)
        self.reader = Reader(database, clock)
        self.dossiers = Dossiers(database)
        self.withholding = Withholding(database, self.journal, clock)
        self.audit = AuditLog(database, clock)
        self.tokens = Tokens(database, self.audit, clock)

    @classmethod
    def open(cls, url: str, *, create: bool = True, clock: Clock = utcnow) -> "Store":
        """Open a store and bring its schema up to date; `create=False` refuses to make a new one.

        Raises `Misconfigured` (the address, SQLite's age, a newer schema), `StoreUnavailable`.
        """
        database = Database(url)
        try:
            bring_up(database, create=create)
        except BaseException:
            database.close()
            raise
        return cls(database, clock)

    @property
    def url(self) -> str:
        """The store's address, without its password."""
        return self._db.url.render_as_string(hide_password=True)

    def close(self) -> None:
        """Give back every connection."""
        self._db.close()

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def secret(self) -> bytes:
        """32 random bytes that never leave the store: they key event ids and sign page cursors."""
        return self._kept("secret", lambda: secrets.token_bytes(32))

    def identity(self) -> str:
        """The store's own id, random, given once."""
        return self._kept("id", lambda: secrets.token_hex(16).encode()).decode()

    def lock(self, name: str) -> AbstractContextManager[Held]:
        """Hold a lock that dies with this process. Raises `AlreadyRunning`, `StoreUnavailable`."""
        return held(self._db, name)

    def resolve(self, registry: Registry) -> int:
        """Join what belongs together among the records that changed; returns how many moved to another asset."""
        return self.members.resolve(registry)

    def rebuild(self, registry: Registry, *, watch: Callable[[Rebuilt], None] | None = None) -> Rebuilt:
        """Derive everything derived again from the claims, and begin a new epoch; a killed one is gone on with.

        Others may read and write meanwhile. Raises `AlreadyRunning`, `StoreUnavailable`.
        """
        return Rebuild(self._db, self.members, self.lock, self._clock, watch).run(registry)

    def back_up(self, target: Path, *, force: bool = False, watch: backup.Watch | None = None) -> Copied:
        """Copy the whole store into a file while writing goes on; `watch` is told how much is done of how much.

        Raises `BadInput` (a file is there and `force` is not given), `StoreUnavailable`.
        """
        self.identity()  # given when first asked for, and so is the secret: the copy is to have the same
        self.secret()
        return backup.back_up(self._db, target, force=force, watch=watch)

    def forget(
        self,
        source_id: str,
        registry: Registry,
        *,
        purge: bool = False,
        by: str,
        watch: Callable[[str, int], None] = lambda what, done: None,
    ) -> Forgotten:
        """Retire everything that a source said, in short steps; `purge` erases its rows, raw events and letters too.

        What other sources say stays. `by` stands in the audit log. Raises `NotFound`, `AlreadyRunning`.
        """
        self.journal.number(source_id)
        with self.lock(f"sync/{source_id}"):
            forgetting = Forgetting(self._db, self.journal, self.members, self.audit, self._clock, watch)
            return forgetting.forget(source_id, registry, purge=purge, by=by)

    def is_ready(self) -> bool:
        """Whether the store answers now. Raises `StoreUnavailable` with the reason if not."""
        with self._db.reading() as connection:
            return connection.execute(sa.select(sa.literal(1))).scalar_one() == 1

    def _kept(self, name: str, make: Callable[[], bytes]) -> bytes:
        with self._db.reading() as connection:
            value = marks.value(connection, name)
        if value is not None:
            return value
        with self._db.writing() as connection:
            value = marks.value(connection, name)
            if value is None:
                value = make()
                marks.put(connection, name, value)
        return value
