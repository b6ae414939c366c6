"""Everything derived, derived again from the claims: in short steps, beside writers and readers, to be gone on with.

Each step looks without a lock, and takes the write lock only for what it found to be wrong. So a sound store is merely
read, a damaged one is right again piece by piece, and at the end a new epoch makes every process read the graph anew.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from ..clock import Clock
from ..errors import AlreadyRunning
from ..naming import Registry
from ..rows import Rebuilt
from . import indexing, marks
from .codec import decode, micros
from .database import Database, chunks
from .deviation import Misheld, Misplaced, misheld, misplaced, strayed
from .ledger import mark_dirty
from .members import Members
from .projection import put_labels
from .statements import Claimed
from .tables import claim, dirty, label, member, record, refusal, scope, source, spelled

MARK = "rebuild"
"""Under this name the store remembers how far a rebuild has come."""
LOOK = 1000
"""Records or scopes that are looked at together."""
MEND = 200
"""Of them, how many one transaction mends: a few milliseconds each at worst."""
_PATIENCE = 30.0
"""Seconds to wait for a source that is being written."""

Watch = Callable[[Rebuilt], None]
Lock = Callable[[str], AbstractContextManager[object]]


@dataclass(slots=True)
class _Mark:
    """How far it has come: the step, the last id that it has dealt with, and what it mended so far."""

    step: str
    after: int
    mended: dict[str, int]


class Rebuild:
    """One rebuild of one store. It holds no lock between its steps."""

    def __init__(self, database: Database, members: Members, lock: Lock, clock: Clock, watch: Watch | None) -> None:
        self._db = database
        self._members = members
        self._lock = lock
        self._clock = clock
        self._watch = watch
        self._done = 0
        self._total = 0
        self._resumed = False
        self._mark = _Mark("records", 0, {})

    def run(self, registry: Registry) -> Rebuilt:
        """Go through all steps, from where a killed rebuild stood. Raises `AlreadyRunning`, `StoreUnavailable`."""
        with self._lock("rebuild"):
            self._begin()
            steps: dict[str, Callable[[], None]] = {
                "records": self._records,
                "claims": self._claims,
                "orphans": self._orphans,
                "members": self._memberships,
                "identity": lambda: self._identity(registry),
                "words": self._words,
            }
            names = list(steps)
            for name in names[names.index(self._mark.step) :]:
                self._mark.step = name
                steps[name]()
                self._mark.after = 0
            return self._end()

    def _begin(self) -> None:
        with self._db.reading() as connection:
            former = marks.document(connection, MARK)
            counts = [
                connection.execute(sa.select(sa.func.count()).select_from(one)).scalar_one() for one in (record, scope)
            ]
        self._total = 4 * counts[0] + counts[1] if self._db.is_sqlite else 3 * counts[0] + counts[1]
        if former is not None:
            self._mark = _Mark(former["step"], former["after"], former["mended"])
            self._done, self._resumed = former["done"], True

    def _end(self) -> Rebuilt:
        with self._db.writing() as connection:
            epoch = marks.renew_epoch(connection)
            marks.drop(connection, MARK)
        self._done = self._total
        return self._told(epoch)

    def _told(self, epoch: str | None = None) -> Rebuilt:
        return Rebuilt(
            self._mark.step, self._done, max(self._total, self._done), dict(self._mark.mended), self._resumed, epoch
        )

    # Steps

    def _records(self) -> None:
        """What is shown of each record."""
        for ids in self._through(record.c.id):
            with self._db.reading() as connection:
                wrong = [one.record for one in strayed(connection, ids)]
            for some in chunks(wrong, MEND):
                with self._db.writing() as connection:
                    self._count("records", _mend_records(connection, some))

    def _claims(self) -> None:
        """The edges that the statements of a scope give, and from when to when they hold."""
        for ids in self._through(scope.c.id):
            with self._db.reading() as connection:
                wrong = misheld(connection, ids)
            for one in wrong:
                with self._db.reading() as connection:
                    number = connection.execute(_key_of(one.source)).scalar_one_or_none()
                self._mend_claims(one, number)

    def _mend_claims(self, one: Misheld, source_key: str | None) -> None:
        """Alone with its source: what it says meanwhile would be judged half-written."""
        patience = time.monotonic() + _PATIENCE
        while True:
            try:
                with self._lock(f"sync/{source_key}"):
                    ids = self._db.ids("claim", len(one.missing))
                    now = micros(self._clock()) or 0
                    with self._db.writing() as connection:
                        still = misheld(connection, [one.scope])
                        if still == [one]:
                            _put_claims(connection, one, ids, now)
                            self._count("claims", len(one.missing) + len(one.surplus))
                    return
            except AlreadyRunning:
                if time.monotonic() > patience:
                    return self._count("left", 1)
                time.sleep(0.2)

    def _orphans(self) -> None:
        """What belongs to records that are not there."""
        known = sa.select(record.c.id)
        for table in (label, spelled, dirty):
            while True:
                asked = sa.select(table.c.record).where(table.c.record.not_in(known)).distinct().limit(LOOK)
                with self._db.reading() as connection:
                    lost = connection.execute(asked).scalars().all()
                if not lost:
                    break
                with self._db.writing() as connection:
                    gone = sa.and_(table.c.record.in_(lost), table.c.record.not_in(known))
                    self._count("orphans", connection.execute(sa.delete(table).where(gone)).rowcount)
        with self._db.writing() as connection:
            self._count("orphans", _drop_refusals(connection))

    def _memberships(self) -> None:
        """Which asset each record is shown under, as its open membership says."""
        for ids in self._through(record.c.id):
            with self._db.reading() as connection:
                wrong = [one.record for one in misplaced(connection, ids)]
            for some in chunks(wrong, MEND):
                with self._db.writing() as connection:
                    now = micros(self._clock()) or 0
                    self._count("members", _mend_members(connection, misplaced(connection, some), now))

    def _identity(self, registry: Registry) -> None:
        """Keys from spellings, joins from keys."""
        for ids in self._through(record.c.id):
            with self._db.writing() as connection:
                mark_dirty(connection, ids)
        self._count("moved", self._members.resolve(registry))

    def _words(self) -> None:
        """The index of words, beside the old one."""
        if not self._db.is_sqlite:
            return
        with self._db.writing() as connection:
            if not indexing.is_begun(connection):
                indexing.begin(connection)
        while True:
            with self._db.writing() as connection:
                count = indexing.go_on(connection)
                if count == 0:
                    indexing.swap(connection)
                    return
            self._went_on(count)

    # Progress

    def _through(self, column: sa.Column[int]) -> Iterator[Sequence[int]]:
        """All ids of a table in order, some at a time, from where the mark stands; moves the mark."""
        while True:
            asked = sa.select(column).where(column > self._mark.after).order_by(column).limit(LOOK)
            with self._db.reading() as connection:
                ids = connection.execute(asked).scalars().all()
            if not ids:
                return
            yield ids
            self._mark.after = ids[-1]
            self._went_on(len(ids))

    def _went_on(self, count: int) -> None:
        self._done += count
        mark: dict[str, Any] = {
            "step": self._mark.step,
            "after": self._mark.after,
            "mended": self._mark.mended,
            "done": self._done,
        }
        with self._db.writing() as connection:
            marks.put_document(connection, MARK, mark)
        if self._watch is not None:
            self._watch(self._told())

    def _count(self, what: str, number: int) -> None:
        if number:
            self._mark.mended[what] = self._mark.mended.get(what, 0) + number


def _key_of(number: int) -> sa.Select[Any]:
    return sa.select(source.c.key).where(source.c.id == number)


def _mend_records(connection: sa.Connection, ids: Sequence[int]) -> int:
    # Their rows are locked before the facts are read, so nobody's newer word is overwritten.
    connection.execute(sa.select(record.c.id).where(record.c.id.in_(ids)).order_by(record.c.id).with_for_update()).all()
    wrong = strayed(connection, ids)
    for one in wrong:
        connection.execute(sa.update(record).where(record.c.id == one.record).values(**one.values))
    put_labels(connection, [(one.record, one.labels) for one in wrong])
    mark_dirty(connection, [one.record for one in wrong])
    return len(wrong)


def _put_claims(connection: sa.Connection, one: Misheld, ids: Sequence[int], now: int) -> None:
    for some in chunks(one.surplus):
        connection.execute(sa.update(claim).where(claim.c.id.in_(some)).values(retired_at=now))
    origin = {"source": one.source, "scope": one.scope, "recorded_at": now}
    rows = [{"id": number, **origin, **_edge(edge)} for number, edge in zip(ids, one.missing, strict=True)]
    if rows:
        connection.execute(sa.insert(claim), rows)


def _edge(edge: Claimed) -> dict[str, Any]:
    return {name: getattr(edge, name) for name in Claimed.__slots__}


def _drop_refusals(connection: sa.Connection) -> int:
    """Of keys that joined nobody because of records that are no longer there."""
    dropped = 0
    for row in connection.execute(sa.select(refusal.c.key_hash, refusal.c.records)).all():
        named = decode(row.records)
        found = connection.execute(sa.select(sa.func.count()).select_from(record).where(record.c.id.in_(named)))
        if found.scalar_one() < len(set(named)):
            connection.execute(sa.delete(refusal).where(refusal.c.key_hash == row.key_hash))
            dropped += 1
    return dropped


def _mend_members(connection: sa.Connection, wrong: Sequence[Misplaced], now: int) -> int:
    for one in wrong:
        connection.execute(sa.update(record).where(record.c.id == one.record).values(asset=one.wanted))
        for asset in one.surplus:
            open_one = sa.and_(member.c.record == one.record, member.c.asset == asset, member.c.retired_at.is_(None))
            connection.execute(sa.update(member).where(open_one).values(retired_at=now))
    return len(wrong)
