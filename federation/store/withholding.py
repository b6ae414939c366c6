"""What a source said and no longer stands for: left out by its selection, or forgotten. Nothing of it has an end.

Its claims are retired and its scopes marked. Told again, or selected again, it is the same records with the same past.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from ..clock import Clock
from ..model import AssetKind, EdgeKind, Record
from ..rows import Written
from .changes import ChangeLog
from .codec import decode, edge_kind_at, kind_at, micros, position, spellings
from .database import Database, chunks
from .journal import Journal
from .ledger import mark_dirty
from .plan import Plan, claimed_of_row
from .projection import project
from .tables import claim, doc, fact, record, scope

UNSELECTED = "out of selection"
FORGOTTEN = "forgotten"
ROWS = 5000
"""About as many claims as one transaction retires."""

LeftOut = Callable[[Sequence[Record]], Iterable[str]]
"""Of these records (native id, kind, name, spellings) the native ids of those that a selection leaves out."""

_HANGS = [position(kind) for kind in (EdgeKind.RUN_OF, EdgeKind.PART_OF, EdgeKind.VERSION_OF)]
_THINGS = frozenset({AssetKind.DATASET, AssetKind.DATASET_VERSION, AssetKind.COLUMN})


class Withholding:
    """Withholds scopes and lets them go again. The caller holds the source's lock."""

    def __init__(self, database: Database, journal: Journal, clock: Clock) -> None:
        self._db = database
        self._journal = journal
        self._clock = clock

    def select(self, source_id: str, left_out: LeftOut) -> Written:
        """Withhold what a selection leaves out, and let go what it no longer does. Raises `StoreUnavailable`."""
        number = self._journal.number(source_id)
        with self._db.reading() as connection:
            held = _Held.of(connection, number)
        out = held.out(left_out)
        written = self._withhold(number, sorted(out - held.withheld), UNSELECTED)
        return written + self._release(number, sorted(held.withheld - out))

    def forget(self, source_id: str, watch: Callable[[int], None]) -> Written:
        """Withhold everything that a source said; `watch` hears how many scopes are done."""
        number = self._journal.number(source_id)
        written, done = Written(), 0
        asked = sa.select(scope.c.id).where(scope.c.source == number)
        asked = asked.where(sa.or_(scope.c.withheld.is_(None), scope.c.withheld != FORGOTTEN)).order_by(scope.c.id)
        while True:
            with self._db.reading() as connection:
                some = connection.execute(asked.limit(500)).scalars().all()
            if not some:
                return written
            written += self._withhold(number, some, FORGOTTEN)
            done += len(some)
            watch(done)

    def _withhold(self, number: int, scopes: Sequence[int], why: str) -> Written:
        written = Written()
        for some in self._bounded(scopes):
            with self._db.writing() as connection:
                written += _withheld(connection, number, some, why, micros(self._clock()) or 0)
        return written

    def _release(self, number: int, scopes: Sequence[int]) -> Written:
        written = Written()
        for some in self._bounded(scopes):
            with self._db.reading() as connection:
                sizes = [connection.execute(_count(table, some)).scalar_one() for table in (fact, claim)]
            ids = {table.name: self._db.ids(table.name, size) for table, size in zip((fact, claim), sizes, strict=True)}
            with self._db.writing() as connection:
                written += _released(connection, number, some, ids, micros(self._clock()) or 0)
        return written

    def _bounded(self, scopes: Sequence[int]) -> Iterator[Sequence[int]]:
        """Groups of scopes whose rows fit one transaction; a scope is never cut."""
        group: list[int] = []
        rows = 0
        for some in chunks(scopes, 500):
            with self._db.reading() as connection:
                sizes = _sizes(connection, some)
            for one in some:
                if group and rows + sizes.get(one, 1) > ROWS:
                    yield group
                    group, rows = [], 0
                group.append(one)
                rows += sizes.get(one, 1)
        if group:
            yield group


@dataclass(slots=True)
class _Held:
    """What a source stands for or was made to withhold by its selection: who describes what, and what hangs on what."""

    described: dict[int, set[int]] = field(default_factory=dict[int, set[int]])
    """Records by the scopes that describe them."""
    records: dict[int, Record] = field(default_factory=dict[int, Record])
    above: dict[int, set[int]] = field(default_factory=dict[int, set[int]])
    """What each record is a run, a part or a version of."""
    touching: dict[int, set[int]] = field(default_factory=dict[int, set[int]])
    """Scopes by the records that their edges touch."""
    telling: set[int] = field(default_factory=set[int])
    """Scopes that tell lineage themselves, and so do not depend on others to matter."""
    withheld: set[int] = field(default_factory=set[int])

    @classmethod
    def of(cls, connection: sa.Connection, number: int) -> "_Held":
        held = cls()
        here = sa.and_(
            scope.c.source == number,
            sa.or_(sa.and_(scope.c.gone_at.is_(None), scope.c.withheld.is_(None)), scope.c.withheld == UNSELECTED),
        )
        marked = sa.select(scope.c.id).where(here, scope.c.withheld == UNSELECTED)
        held.withheld.update(connection.execute(marked).scalars())
        asked = sa.select(fact.c.scope, fact.c.record, record.c.native_id, doc.c.body)
        asked = asked.join(scope, scope.c.id == fact.c.scope).join(record, record.c.id == fact.c.record)
        asked = asked.join(doc, doc.c.id == fact.c.doc).where(here, _said(fact), fact.c.described == 1)
        for row in connection.execute(asked.order_by(fact.c.stated_at)):
            held.described.setdefault(row.scope, set()).add(row.record)
            held.records[row.record] = _record(row.native_id, decode(row.body))
        edges = sa.select(claim.c.scope, claim.c.up, claim.c.down, claim.c.kind)
        for row in connection.execute(edges.join(scope, scope.c.id == claim.c.scope).where(here, _said(claim))):
            for end in (row.up, row.down):
                held.touching.setdefault(end, set()).add(row.scope)
            if row.kind in _HANGS:
                held.above.setdefault(row.up, set()).add(row.down)
            else:
                held.telling.add(row.scope)
        return held

    def out(self, left_out: LeftOut) -> set[int]:
        """The scopes that speak of nothing but what is left out, or of what only those speak of."""
        names = set(left_out(list(self.records.values())))
        lost = self._below({number for number, one in self.records.items() if one.native_id in names})
        out = {number for number, records in self.described.items() if self._is_of(records, lost)}
        while True:
            more = {one for one in self.described if one not in out and self._is_known_by(one, out)}
            if not more:
                return out
            out |= more

    def _below(self, lost: set[int]) -> set[int]:
        """With everything that hangs on them."""
        while True:
            more = {number for number, above in self.above.items() if number not in lost and above & lost}
            if not more:
                return lost
            lost = lost | more

    def _is_of(self, records: Set[int], lost: Set[int]) -> bool:
        """Of a process' scope the process counts, and what it read or wrote does not; of a thing's scope the thing."""
        subjects = {one for one in records if self.records[one].kind not in _THINGS} or records
        return subjects <= lost

    def _is_known_by(self, one: int, out: Set[int]) -> bool:
        """Whether all others that speak of what a scope describes are left out, and there are such."""
        if one in self.telling:
            return False
        others = {by for number in self.described[one] for by in self.touching.get(number, ())} - {one}
        return bool(others) and others <= out


def _record(native_id: str, said: Any) -> Record:
    return Record(native_id, kind_at(said["kind"]), said["name"], spellings=spellings(said["spellings"]))


def _said(table: sa.Table) -> sa.ColumnElement[bool]:
    """What a scope says now, or said when it was withheld."""
    when = sa.case((scope.c.withheld.is_not(None), scope.c.gone_at))
    return sa.or_(table.c.retired_at.is_(None), table.c.retired_at == when)


def _count(table: sa.Table, scopes: Sequence[int]) -> sa.Select[Any]:
    asked = sa.select(sa.func.count()).select_from(table.join(scope, scope.c.id == table.c.scope))
    return asked.where(table.c.scope.in_(scopes), table.c.retired_at == scope.c.gone_at)


def _sizes(connection: sa.Connection, scopes: Sequence[int]) -> dict[int, int]:
    sizes: dict[int, int] = {}
    for table in (fact, claim):
        asked = sa.select(table.c.scope, sa.func.count().label("size")).where(table.c.scope.in_(scopes))
        for row in connection.execute(asked.group_by(table.c.scope)):
            sizes[row.scope] = sizes.get(row.scope, 0) + row.size
    return sizes


def _withheld(connection: sa.Connection, number: int, scopes: Sequence[int], why: str, now: int) -> Written:
    """Retire what these scopes say. What nobody describes any more is logged as withheld, with what it was called."""
    log = ChangeLog(number, now)
    live = (sa.and_(table.c.scope.in_(scopes), table.c.retired_at.is_(None)) for table in (fact, claim))
    of_facts, of_claims = live
    touched = set(connection.execute(sa.select(fact.c.record).where(of_facts)).scalars())
    edges = connection.execute(sa.select(claim).where(of_claims).order_by(claim.c.id)).all()
    before = _shown(connection, touched)
    removed = connection.execute(sa.update(fact).where(of_facts).values(retired_at=now)).rowcount
    removed += connection.execute(sa.update(claim).where(of_claims).values(retired_at=now)).rowcount
    # What a listing had ended keeps its end; what is forgotten was withheld before, perhaps.
    marked = sa.update(scope).where(scope.c.id.in_(scopes))
    connection.execute(marked.values(withheld=why, gone_at=sa.func.coalesce(scope.c.gone_at, now)))
    still = _told_of(connection, touched)
    project(connection, Plan(touched=touched - still), now, ChangeLog(number, now))  # its own words say it better
    project(connection, Plan(touched=touched & still), now, log)
    for one in sorted(touched - still):
        if one in before:
            log.record("withheld", one, before[one], {"reason": why})
    for row in edges:
        edge = claimed_of_row(row)
        log.edge("edge_withheld", edge.up, edge.down, {"kind": edge_kind_at(edge.kind).value}, {"reason": why})
    mark_dirty(connection, touched)
    log.write(connection)
    return Written(removed=removed, touched=tuple(sorted(touched)))


def _released(
    connection: sa.Connection, number: int, scopes: Sequence[int], ids: dict[str, list[int]], now: int
) -> Written:
    """Say again what these scopes said when they were withheld."""
    log = ChangeLog(number, now)
    rows: dict[str, list[dict[str, Any]]] = {}
    for table in (fact, claim):
        asked = sa.select(table).join(scope, scope.c.id == table.c.scope)
        asked = asked.where(table.c.scope.in_(scopes), table.c.retired_at == scope.c.gone_at).order_by(table.c.id)
        told = connection.execute(asked).mappings().all()
        present: dict[str, Any] = {"recorded_at": now, "retired_at": None}
        rows[table.name] = [{**row, **present, "id": one} for one, row in zip(ids[table.name], told, strict=True)]
        if rows[table.name]:
            connection.execute(sa.insert(table), rows[table.name])
    again = {"withheld": None, "gone_at": None, "missed_at": None}
    connection.execute(sa.update(scope).where(scope.c.id.in_(scopes)).values(again))
    touched = {row["record"] for row in rows["fact"]}
    project(connection, Plan(touched=touched), now, log)
    for row in rows["claim"]:
        log.edge("edge_added", row["up"], row["down"], None, {"kind": edge_kind_at(row["kind"]).value})
    mark_dirty(connection, touched)
    log.write(connection)
    return Written(written=sum(map(len, rows.values())), touched=tuple(sorted(touched)))


def _shown(connection: sa.Connection, records: Iterable[int]) -> dict[int, dict[str, Any]]:
    found: dict[int, dict[str, Any]] = {}
    for some in chunks(sorted(records)):
        asked = sa.select(record.c.id, record.c.kind, record.c.name)
        for row in connection.execute(asked.where(record.c.id.in_(some), record.c.described == 1)):
            found[row.id] = {"kind": kind_at(row.kind).value, "name": row.name}
    return found


def _told_of(connection: sa.Connection, records: Iterable[int]) -> set[int]:
    """Those that somebody still describes."""
    found: set[int] = set()
    for some in chunks(sorted(records)):
        asked = sa.select(fact.c.record).where(
            fact.c.record.in_(some), fact.c.retired_at.is_(None), fact.c.described == 1
        )
        found.update(connection.execute(asked).scalars())
    return found
