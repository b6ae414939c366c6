"""When things died and lived again: all deaths are kept, and the descriptions after them decide which one stands."""

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from ..model import Tombstone
from .changes import ChangeLog
from .codec import clean, decode, digest, told
from .database import chunks
from .tables import change, fact, life, record


def entomb(connection: sa.Connection, number: int, stone: Tombstone, now: int, started: int, log: ChangeLog) -> int:
    """A source says that a thing is gone; an older word than its last description changes nothing as long as that
    description stands. Returns how many died of it.

    Of several deaths without a description between them the first counts, whichever was heard of first.
    """
    here = sa.and_(record.c.source == number, record.c.native_hash == digest(clean(stone.native_id)))
    row = connection.execute(sa.select(record.c.id, record.c.tombstoned_at).where(here)).one_or_none()
    if row is None:
        return 0
    at = told(stone.at, now)
    if stone.teller:
        row = _unsaid(connection, row, None if stone.is_withdrawn else at, stone.teller, log)
    if stone.is_withdrawn or (row.tombstoned_at is not None and at is None):
        return 0
    described_at = _last_described(connection, row.id) or 0
    if at is not None and at < described_at:
        _remember(connection, [row.id], at, stone, now, revived_at=described_at)
        return 0
    died_at = started if at is None else at
    if row.tombstoned_at is not None and row.tombstoned_at <= died_at:
        _remember(connection, [row.id], died_at, stone, now)
        return 0
    bury(connection, [row.id], stone, died_at, now, log)
    return 1


def _unsaid(connection: sa.Connection, row: Any, but: int | None, teller: str, log: ChangeLog) -> Any:
    """Take back what a teller said of a record's deaths, but for one; returns the record as it is then."""
    former = sa.and_(life.c.record == row.id, life.c.teller == teller, life.c.died_at != (-1 if but is None else but))
    if not connection.execute(sa.delete(life).where(former)).rowcount or row.tombstoned_at is None:
        return row
    if died(connection, [row.id]).get(row.id) != row.tombstoned_at:
        _live_on(connection, row.id, row.tombstoned_at, log)
    return connection.execute(sa.select(record.c.id, record.c.tombstoned_at).where(record.c.id == row.id)).one()


def _last_described(connection: sa.Connection, record_id: int) -> int | None:
    asked = sa.select(sa.func.max(fact.c.stated_at)).where(
        fact.c.record == record_id, fact.c.retired_at.is_(None), fact.c.described == 1
    )
    return connection.execute(asked).scalar_one()


def bury(
    connection: sa.Connection, records: Sequence[int], stone: Tombstone, at: int, now: int, log: ChangeLog
) -> None:
    """Give records a tombstone of that time; of `stone` its reason and teller count."""
    for some in chunks(records):
        connection.execute(sa.update(record).where(record.c.id.in_(some)).values(tombstoned_at=at))
        _remember(connection, some, at, stone, now)
        for one in some:
            log.record("tombstoned", one, None, {"at": at, "reason": stone.reason})


def _remember(
    connection: sa.Connection,
    records: Sequence[int],
    at: int,
    stone: Tombstone,
    now: int,
    *,
    revived_at: int | None = None,
) -> None:
    told_by: dict[str, Any] = {"died_at": at, "teller": stone.teller, "reason": clean(stone.reason)}
    told_by |= {"recorded_at": now, "revived_at": revived_at}
    rows = [{"record": one, **told_by} for one in records]
    here = sa.and_(life.c.record.in_(records), life.c.died_at == at, life.c.teller == stone.teller)
    known = set(connection.execute(sa.select(life.c.record).where(here)).scalars())
    connection.execute(sa.update(life).where(here).values(revived_at=revived_at))
    fresh = [row for row in rows if row["record"] not in known]
    if fresh:
        connection.execute(sa.insert(life), fresh)


def revive(connection: sa.Connection, records: Iterable[int], log: ChangeLog) -> None:
    """A thing that is described later than it died lives again, unless it is known to have died after that, too: the
    same record, a second interval."""
    for some in chunks(sorted(records)):
        asked = (
            sa.select(record.c.id, record.c.tombstoned_at, sa.func.max(fact.c.stated_at).label("at"))
            .join(fact, fact.c.record == record.c.id)
            .where(record.c.id.in_(some), record.c.tombstoned_at.is_not(None), record.c.described == 1)
            .where(fact.c.retired_at.is_(None), fact.c.described == 1)
            .group_by(record.c.id, record.c.tombstoned_at)
        )
        for row in connection.execute(asked).all():
            if row.at > row.tombstoned_at:
                _revive(connection, row.id, row.tombstoned_at, row.at, log)


def relapse(connection: sa.Connection, records: Iterable[int], log: ChangeLog) -> None:
    """Where the description that revived a thing stands no more, and others are older than its death, that death counts
    again: as if the description had never come. A thing that nobody describes any more stays what it was."""
    for some in chunks(sorted(records)):
        back = sa.select(life.c.record).where(life.c.record.in_(some), life.c.revived_at.is_not(None)).distinct()
        for number in connection.execute(back).scalars().all():
            described_at = _last_described(connection, number)
            if described_at is None:
                continue
            undone = sa.and_(life.c.record == number, life.c.revived_at.is_not(None), life.c.died_at >= described_at)
            if connection.execute(sa.update(life).where(undone).values(revived_at=None)).rowcount:
                _die_again(connection, number, log)


def _die_again(connection: sa.Connection, record_id: int, log: ChangeLog) -> None:
    """The first death that counts is when it died."""
    mine = sa.and_(life.c.record == record_id, life.c.revived_at.is_(None))
    first = connection.execute(sa.select(life).where(mine).order_by(life.c.died_at).limit(1)).one()
    here = record.c.id == record_id
    if connection.execute(sa.select(record.c.tombstoned_at).where(here)).scalar_one() != first.died_at:
        connection.execute(sa.update(record).where(here).values(tombstoned_at=first.died_at))
        log.record("tombstoned", record_id, None, {"at": first.died_at, "reason": first.reason})


def _revive(connection: sa.Connection, record_id: int, died_at: int, at: int, log: ChangeLog) -> None:
    open_ones = sa.and_(life.c.record == record_id, life.c.revived_at.is_(None))
    connection.execute(sa.update(life).where(open_ones, life.c.died_at < at).values(revived_at=at))
    _live_on(connection, record_id, died_at, log)


def _live_on(connection: sa.Connection, record_id: int, died_at: int, log: ChangeLog) -> None:
    """A death no longer counts: the thing lives, or another one does."""
    open_ones = sa.and_(life.c.record == record_id, life.c.revived_at.is_(None))
    log.record("revived", record_id, {"tombstoned_at": died_at}, None)
    again = connection.execute(sa.select(life).where(open_ones).order_by(life.c.died_at).limit(1)).one_or_none()
    if again is not None:
        log.record("tombstoned", record_id, None, {"at": again.died_at, "reason": again.reason})
    here = sa.update(record).where(record.c.id == record_id)
    connection.execute(here.values(tombstoned_at=None if again is None else again.died_at))


def died(connection: sa.Connection, ids: Sequence[int]) -> dict[int, int]:
    """Since when those of these records that are dead are so, by their deaths."""
    asked = sa.select(life.c.record, sa.func.min(life.c.died_at).label("at"))
    asked = asked.where(life.c.record.in_(ids), life.c.revived_at.is_(None)).group_by(life.c.record)
    return {row.record: row.at for row in connection.execute(asked)}


def dead_as_known(connection: sa.Connection, known: int) -> dict[int, int]:
    """Since when things were dead, as we knew it at a time: what the change log last said of each by then."""
    asked = (
        sa.select(change.c.record, change.c.what, change.c.after)
        .where(change.c.what.in_(("tombstoned", "revived")), change.c.at <= known)
        .order_by(change.c.seq)
    )
    dead: dict[int, int] = {}
    for row in connection.execute(asked):
        if row.what == "tombstoned":
            dead[row.record] = decode(row.after)["at"]
        else:
            dead.pop(row.record, None)
    return dead
