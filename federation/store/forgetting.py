"""How a source is forgotten: what it said is retired, or erased with every row that was its own."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import sqlalchemy as sa

from ..clock import Clock
from ..naming import Registry
from ..rows import Forgotten, Written
from . import marks
from .audit import AuditLog
from .database import Database
from .journal import Journal
from .members import Members
from .tables import (
    change,
    claim,
    cursor,
    dirty,
    doc,
    event,
    fact,
    label,
    letter,
    life,
    link,
    member,
    record,
    scope,
    skip,
    source,
    spelled,
    statement,
    sync,
)
from .withholding import Withholding

ROWS = 2000
"""Rows that one transaction erases."""

Watch = Callable[[str, int], None]
"""Told what is being done, and how many of it are done."""


class Forgetting:
    """Forgets one source. A forgetting that was killed is gone on with by the next; the caller holds the lock."""

    def __init__(
        self,
        database: Database,
        journal: Journal,
        members: Members,
        audit: AuditLog,
        clock: Clock,
        watch: Watch,
    ) -> None:
        self._db = database
        self._journal = journal
        self._members = members
        self._audit = audit
        self._withholding = Withholding(database, journal, clock)
        self._watch = watch

    def forget(self, source_id: str, registry: Registry, *, purge: bool, by: str) -> Forgotten:
        """Retire everything that a source said, and erase it if `purge`. Raises `NotFound`, `StoreUnavailable`."""
        number = self._journal.number(source_id)
        name = f"forget/{source_id}"
        with self._db.writing() as connection:
            before = marks.document(connection, name)
            purge = purge or bool(before and before["purge"])
            marks.put_document(connection, name, {"purge": purge})
        written = self._withholding.forget(source_id, lambda done: self._watch("retiring", done))
        self._members.resolve(registry)
        erased = self._purge(number) if purge else 0
        self._end(source_id, number, written, erased, name, purge=purge, by=by)
        return Forgotten(source_id, written.removed, erased, purge)

    def _end(
        self, source_id: str, number: int, written: Written, erased: int, name: str, *, purge: bool, by: str
    ) -> None:
        """Where reading stood is forgotten too, so that the source told again is told from its beginning."""
        detail = {"source": source_id, "retired": written.removed, "erased": erased, "purge": purge}
        with self._db.writing() as connection:
            for table in (cursor, skip):
                connection.execute(sa.delete(table).where(table.c.source == number))
            if not purge:
                last = sa.select(sa.func.coalesce(sa.func.max(event.c.id), 0)).where(event.c.source == number)
                known = connection.execute(last).scalar_one()
                if known:  # they are kept, but part of the graph no longer
                    said = {"after": known, "again": True}
                    connection.execute(sa.insert(cursor).values(source=number, name="events", body=marks.encoded(said)))
            else:
                gone = sa.and_(source.c.id == number, source.c.removed_at.is_not(None))
                connection.execute(sa.delete(source).where(gone))
                marks.renew_epoch(connection)  # no graph in memory may go on naming what is erased
            marks.drop(connection, name)
            self._audit.append(connection, "source.forget", by=by, detail=detail)
        self._journal.lose(source_id)

    def _purge(self, number: int) -> int:
        """Its own rows, those that refer to others first; the change log keeps its numbers and loses what it tells."""
        scopes = sa.select(scope.c.id).where(scope.c.source == number)
        records = sa.select(record.c.id).where(record.c.source == number)
        own: Mapping[sa.Table, sa.ColumnElement[bool]] = {
            claim: claim.c.source == number,
            fact: fact.c.scope.in_(scopes),
            statement: statement.c.scope.in_(scopes),
            scope: scope.c.source == number,
            doc: doc.c.source == number,
            label: label.c.record.in_(records),
            spelled: spelled.c.record.in_(records),
            dirty: dirty.c.record.in_(records),
            life: life.c.record.in_(records),
            member: member.c.record.in_(records),
            link: sa.or_(link.c.left.in_(records), link.c.right.in_(records)),
            event: event.c.source == number,
            letter: letter.c.source == number,
            sync: sync.c.source == number,
            record: record.c.source == number,
        }
        erased = sum(sum(self._erased(table, mine)) for table, mine in own.items())
        self._silence(number)
        return erased

    def _erased(self, table: sa.Table, mine: sa.ColumnElement[bool]) -> Iterator[int]:
        keys: Any = sa.tuple_(*table.primary_key.columns)
        done = 0
        while True:
            some = sa.select(*table.primary_key.columns).where(mine).limit(ROWS)
            with self._db.writing() as connection:
                rows = connection.execute(some).all()
                if not rows:
                    return
                single = len(table.primary_key.columns) == 1
                first = next(iter(table.primary_key.columns))
                chosen = first.in_([row[0] for row in rows]) if single else keys.in_([tuple(row) for row in rows])
                count = connection.execute(sa.delete(table).where(chosen)).rowcount
            done += count
            self._watch(f"erasing {table.name}", done)
            yield count

    def _silence(self, number: int) -> None:
        said = sa.and_(change.c.source == number, sa.or_(change.c.before.is_not(None), change.c.after.is_not(None)))
        while True:
            with self._db.writing() as connection:
                some = connection.execute(sa.select(change.c.seq).where(said).limit(ROWS)).scalars().all()
                if not some:
                    return
                connection.execute(sa.update(change).where(change.c.seq.in_(some)).values(before=None, after=None))
