"""How what sources say becomes claims: one transaction with its cursor, nothing written where nothing changed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from ..clock import Clock
from ..connector import Batch, Cursor
from ..model import Nature, Skipped, Tombstone
from ..rows import Written
from .changes import ChangeLog
from .codec import clean, digest, edge_kind_at, encode, micros, told
from .database import Database, chunks
from .journal import Journal, put_cursor
from .lives import bury, entomb
from .merge import edge_view
from .plan import Plan, Planner
from .prepare import Prepared, prepare, rounds
from .projection import project
from .tables import claim, dirty, doc, fact, record, scope, skip, statement


@dataclass(frozen=True, slots=True)
class Missed:
    """A scope that a complete listing lacked, and the living things that only it describes."""

    scope: int
    key: str
    native_ids: tuple[str, ...]


_UNLISTED = Tombstone("", reason="no longer listed by the source")


class Ledger:
    """Writes claims. A source has one writer at a time (its lock); different sources write side by side."""

    def __init__(self, database: Database, journal: Journal, clock: Clock) -> None:
        self._db = database
        self._journal = journal
        self._clock = clock

    @staticmethod
    def digest(scope_key: str) -> bytes:
        """What `missed` wants of each scope that a listing mentioned."""
        return digest(scope_key)

    def write(self, source_id: str, batch: Batch, *, read_started_at: datetime, cursor_name: str = "read") -> Written:
        """Store a batch; its cursor goes with the last of its transactions. Raises `StoreUnavailable`."""
        number = self._journal.number(source_id)
        now = micros(self._clock()) or 0
        started = micros(read_started_at) or now
        written = Written(read=len(batch.scopes), skipped=sum(skipped.lost for skipped in batch.skipped))
        undated = (one for one in batch.tombstones if not one.is_withdrawn and told(one.at, now) is None)
        dead = frozenset(clean(stone.native_id) for stone in undated)
        for group in rounds(prepare(one, read_started_at, now) for one in batch.scopes):
            written += self._write(group, Planner(self._db, number, now, started, dead))
        with self._db.writing() as connection:
            log = ChangeLog(number, now)
            for stone in batch.tombstones:
                written += Written(removed=entomb(connection, number, stone, now, started, log))
            log.write(connection)
            _put_aside(connection, number, batch.skipped, now)
            if batch.resume is not None:
                put_cursor(connection, number, cursor_name, batch.resume)
        return written

    def _write(self, group: Sequence[Prepared], planner: Planner) -> Written:
        plan = planner.plan(group)
        if not (plan.scopes or plan.heads or plan.statements or plan.heard):
            return Written()
        with self._db.writing() as connection:
            log = ChangeLog(planner.source, planner.now)
            _apply(connection, plan, planner.now)
            project(connection, plan, planner.now, log)
            for what, edge, was in plan.edges:
                log.edge(what, edge.up, edge.down, was and edge_view(was), edge_view(edge))
            log.write(connection)
        return Written(
            written=len(plan.facts) + len(plan.claims),
            removed=len(plan.retired_facts) + len(plan.retired_claims),
            touched=tuple(sorted(plan.touched)),
        )

    # Complete listings

    def missed(self, source_id: str, family: str, seen: Set[bytes]) -> list[Missed]:
        """The living scopes of a family that a complete listing did not mention (`seen`: digests of scope keys)."""
        number = self._journal.number(source_id)
        alive = sa.select(scope.c.id, scope.c.key, scope.c.key_hash).where(
            scope.c.source == number, scope.c.family == clean(family), scope.c.gone_at.is_(None)
        )
        with self._db.reading() as connection:
            lacking = [row for row in connection.execute(alive) if bytes(row.key_hash) not in seen]
            owned = _owned(connection, [row.id for row in lacking])
        return [Missed(row.id, row.key, tuple(owned.get(row.id, ()))) for row in lacking]

    def retire(self, source_id: str, missed: Sequence[Missed], at: datetime, *, unsure: bool) -> Written:
        """End what complete listings lacked since `at`; where the platform is `unsure`, only the second time."""
        number = self._journal.number(source_id)
        now, stamp = micros(self._clock()) or 0, micros(at) or 0
        written = Written()
        for some in chunks(missed, 500):
            with self._db.reading() as connection:
                ending = sa.select(sa.func.count()).where(_open_claims([one.scope for one in some]))
                count = connection.execute(ending).scalar_one()
            ids = self._db.ids("claim", count)
            with self._db.writing() as connection:
                written += _retire(connection, some, ids, number, stamp, now, unsure)
        return written

    def forget_skips(self, source_id: str, before: datetime) -> None:
        """Drop what was kept aside before a complete full read: it has not come up again."""
        older = sa.and_(skip.c.source == self._journal.number(source_id), skip.c.at < micros(before))
        with self._db.writing() as connection:
            connection.execute(sa.delete(skip).where(older))

    def set_cursor(self, source_id: str, body: Cursor, name: str = "read") -> None:
        """Move a cursor that belongs to no batch."""
        self._journal.set_cursor(source_id, body, name)


def _apply(connection: sa.Connection, plan: Plan, now: int) -> None:
    """Write a plan's rows as they are."""
    for table, rows in (
        (scope, plan.scopes),
        (statement, plan.statements),
        (record, plan.records),
        (doc, plan.docs),
        (fact, plan.facts),
        (claim, sorted(plan.claims, key=lambda row: (row["up"], row["down"]))),
    ):
        if rows:
            connection.execute(sa.insert(table), rows)
    if plan.heads:
        news: dict[str, Any] = {
            "hash": sa.bindparam("said"),
            "stated_at": sa.bindparam("at"),
            "told_at": sa.bindparam("told"),
            "missed_at": None,
            "gone_at": None,
            "withheld": None,
        }
        connection.execute(sa.update(scope).where(scope.c.id == sa.bindparam("scope_id")).values(news), plan.heads)
    for table, ids in ((fact, plan.retired_facts), (claim, plan.retired_claims)):
        for some in chunks(ids):
            connection.execute(sa.update(table).where(table.c.id.in_(some)).values(retired_at=now))
    for some in chunks(plan.heard):
        connection.execute(sa.update(scope).where(scope.c.id.in_(some)).values(missed_at=None))
    mark_dirty(connection, plan.touched)


def mark_dirty(connection: sa.Connection, records: Iterable[int]) -> None:
    """Remember that these records' keys or joins must be derived again."""
    wanted = sorted(records)
    for some in chunks(wanted):
        known = set(connection.execute(sa.select(dirty.c.record).where(dirty.c.record.in_(some))).scalars())
        fresh = [{"record": one} for one in some if one not in known]
        if fresh:
            connection.execute(sa.insert(dirty), fresh)


def _put_aside(connection: sa.Connection, number: int, skipped: Iterable[Skipped], now: int) -> None:
    for one in skipped:
        mark = digest(clean(one.what))
        here = sa.and_(skip.c.source == number, skip.c.what_hash == mark)
        values: dict[str, Any] = {
            "what": clean(one.what),
            "reason": clean(one.reason),
            "sample": clean(one.sample[:2000]),
            "lost": int(one.lost),
            "at": now,
        }
        if connection.execute(sa.update(skip).where(here).values(**values)).rowcount == 0:
            connection.execute(sa.insert(skip).values(source=number, what_hash=mark, **values))


def _owned(connection: sa.Connection, scopes: Sequence[int]) -> dict[int, list[str]]:
    """Living records that are described by these scopes and by no other living scope."""
    theirs = set(scopes)
    tellers: dict[int, set[int]] = {}
    names: dict[int, str] = {}
    for some in chunks(scopes):
        told_here = sa.select(fact.c.record).where(
            fact.c.scope.in_(some), fact.c.retired_at.is_(None), fact.c.described == 1
        )
        asked = (
            sa.select(fact.c.record, fact.c.scope, record.c.native_id)
            .join(record, record.c.id == fact.c.record)
            .join(scope, scope.c.id == fact.c.scope)
            .where(fact.c.record.in_(told_here), fact.c.retired_at.is_(None), fact.c.described == 1)
            .where(scope.c.gone_at.is_(None))
            .where(record.c.tombstoned_at.is_(None), record.c.described == 1)
        )
        for row in connection.execute(asked):
            tellers.setdefault(row.record, set()).add(row.scope)
            names[row.record] = row.native_id
    owned: dict[int, list[str]] = {}
    for record_id, by in tellers.items():
        if by <= theirs:
            for one in by:
                owned.setdefault(one, []).append(names[record_id])
    return owned


def _retire(
    connection: sa.Connection,
    missed: Sequence[Missed],
    ids: Sequence[int],
    number: int,
    at: int,
    now: int,
    unsure: bool,
) -> Written:
    log = ChangeLog(number, now)
    asked = sa.select(scope).where(scope.c.id.in_([one.scope for one in missed]))
    rows = {row.id: row for row in connection.execute(asked)}
    first_time = [one for one in missed if unsure and rows[one.scope].missed_at is None]
    noticed = sa.update(scope).where(scope.c.id.in_([one.scope for one in first_time]))
    connection.execute(noticed.values(missed_at=at))
    spare = iter(ids)
    removed = 0
    for one in (one for one in missed if one not in first_time):
        since = max(rows[one.scope].missed_at or at, rows[one.scope].stated_at + 1)  # its last word came before its end
        connection.execute(sa.update(scope).where(scope.c.id == one.scope).values(gone_at=since, missed_at=since))
        if rows[one.scope].nature != Nature.HAPPENED.value:
            removed += _end_edges(connection, one.scope, spare, since, now, log)
        removed += _bury_owned(connection, one, number, since, now, log)
    touched = _unsay(connection, [one.scope for one in missed if one not in first_time], now)
    mark_dirty(connection, touched)
    project(connection, Plan(touched=touched), now, log)
    log.write(connection)
    return Written(removed=removed, touched=tuple(sorted(touched)))


def _unsay(connection: sa.Connection, gone: Sequence[int], now: int) -> set[int]:
    """What gone scopes said counts no more where a living one describes the record; returns the records. A record that
    nobody else describes keeps its last description."""
    other, teller = fact.alias(), scope.alias()
    by_others = (
        sa.select(other.c.id)
        .join(teller, teller.c.id == other.c.scope)
        .where(other.c.record == fact.c.record, other.c.retired_at.is_(None), other.c.described == 1)
        .where(teller.c.gone_at.is_(None))
    )
    said = sa.and_(fact.c.scope.in_(gone), fact.c.retired_at.is_(None), by_others.exists())
    rows = connection.execute(sa.select(fact.c.id, fact.c.record).where(said)).all()
    for some in chunks([row.id for row in rows]):
        connection.execute(sa.update(fact).where(fact.c.id.in_(some)).values(retired_at=now))
    return {row.record for row in rows}


def _bury_owned(connection: sa.Connection, one: Missed, number: int, since: int, now: int, log: ChangeLog) -> int:
    names = [digest(name) for name in one.native_ids]
    alive = sa.and_(record.c.source == number, record.c.native_hash.in_(names), record.c.tombstoned_at.is_(None))
    dead = list(connection.execute(sa.select(record.c.id).where(alive)).scalars())
    bury(connection, dead, _UNLISTED, since, now, log)
    return len(dead)


def _open_claims(scopes: Sequence[int]) -> sa.ColumnElement[bool]:
    return sa.and_(claim.c.scope.in_(scopes), claim.c.retired_at.is_(None), claim.c.valid_to.is_(None))


def _plain(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name): value for name, value in row.items()}


def _end_edges(
    connection: sa.Connection, scope_id: int, spare: Iterator[int], at: int, now: int, log: ChangeLog
) -> int:
    """A gone scope says nothing from then on: its edges end, their past stays."""
    connection.execute(
        sa.insert(statement).values(scope=scope_id, stated_at=at, hash=b"", recorded_at=now, edges=encode([]))
    )
    rows = connection.execute(sa.select(claim).where(_open_claims([scope_id]))).mappings().all()
    ended: list[dict[str, Any]] = []
    for row in rows:
        ended.append({**_plain(row), "id": next(spare), "recorded_at": now, "valid_to": at})
        log.edge("edge_ended", row["up"], row["down"], None, {"kind": edge_kind_at(row["kind"]).value, "valid_to": at})
    if ended:
        connection.execute(sa.insert(claim), ended)
        former = claim.c.id.in_([row["id"] for row in rows])
        connection.execute(sa.update(claim).where(former).values(retired_at=now))
    return len(rows)
