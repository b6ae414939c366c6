"""Whether what is derived is what the claims give: a sample, or all of it."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from ...naming import Registry
from ...rows import Finding, Weight
from .. import marks
from ..database import Database, chunks
from ..deviation import misheld, misplaced, strayed
from ..members import misjoined, miskeyed
from ..tables import record, scope

SAMPLE = 2000
"""Records and scopes that are looked at without `full`."""
_LOOK = 500
_SHOWN = 5
_REBUILD = "`watersmeet rebuild` derives it again"
_Wrong = Callable[[sa.Connection, Sequence[int]], Sequence[str | int]]


def examine(database: Database, registry: Registry, *, full: bool) -> Iterator[Finding]:
    """Each kind of derived thing."""
    by_record: tuple[tuple[str, _Wrong], ...] = (
        ("records are not what is said of them", lambda c, ids: [_strayed(one) for one in strayed(c, ids)]),
        ("records are under another asset than told", lambda c, ids: [one.record for one in misplaced(c, ids)]),
        ("records have other keys than their spellings give", lambda c, ids: miskeyed(c, ids, registry)),
        ("records are joined otherwise than their keys give", misjoined),
    )
    for what, wrong in by_record:
        yield from _compared(database, what, record.c.id, wrong, full=full)
    edges = "scopes have other edges than they stated"
    yield from _compared(
        database, edges, scope.c.id, lambda c, ids: [f"scope {one.scope}" for one in misheld(c, ids)], full=full
    )
    if database.is_sqlite:
        yield from _words(database, full=full)
    with database.reading() as connection:
        half_done = marks.document(connection, "rebuild") is not None
    if half_done:
        what = "a rebuild was ended before its time"
        yield Finding("rebuild", Weight.NOTE, what, "`watersmeet rebuild` goes on with it")


def _strayed(one: Any) -> str:
    return f"record {one.record}: {', '.join(one.columns)}"


def _compared(database: Database, what: str, column: sa.Column[int], wrong: _Wrong, *, full: bool) -> Iterator[Finding]:
    found: list[str | int] = []
    looked = 0
    for ids in _some(database, column, full=full):
        with database.reading() as connection:
            found += wrong(connection, ids)
        looked += len(ids)
    if found:
        among = "" if full else f" among {looked} looked at"
        shown = tuple(one if isinstance(one, str) else f"record {one}" for one in found[:_SHOWN])
        yield Finding("projection", Weight.BROKEN, f"{len(found)} {what}{among}", _REBUILD, len(found), shown)


def _some(database: Database, column: sa.Column[int], *, full: bool) -> Iterator[Sequence[int]]:
    """All ids in order, or a sample that is spread evenly."""
    with database.reading() as connection:
        count, last = connection.execute(sa.select(sa.func.count(), sa.func.coalesce(sa.func.max(column), 0))).one()
    asked = sa.select(column).order_by(column)
    step = 1 if full else max(1, count // SAMPLE)
    asked = asked.where(column % step == last % step) if step > 1 else asked
    with database.reading() as connection:
        ids = connection.execute(asked).scalars().all()
    yield from chunks(ids, _LOOK)


def _words(database: Database, *, full: bool) -> Iterator[Finding]:
    """Which records the index of words knows, and whether some are found by what they are called."""
    indexed = sa.table("record_text_docsize", sa.column("id", sa.BigInteger()))
    with database.reading() as connection:
        lacking = sa.select(sa.func.count()).select_from(record).where(record.c.id.not_in(sa.select(indexed.c.id)))
        surplus = sa.select(sa.func.count()).select_from(indexed).where(indexed.c.id.not_in(sa.select(record.c.id)))
        count = connection.execute(lacking).scalar_one() + connection.execute(surplus).scalar_one()
    lost: list[str] = []
    for ids in _some(database, record.c.id, full=full):
        if count:
            break
        with database.reading() as connection:
            lost += [f"record {number}" for number in _unfindable(connection, ids)]
    count = count or len(lost)
    if count:
        what = f"{count} records cannot be found by their words"
        yield Finding("search", Weight.BROKEN, what, _REBUILD, count, tuple(lost[:_SHOWN]))


def _unfindable(connection: sa.Connection, ids: Sequence[int]) -> list[int]:
    asked = sa.select(record.c.id, record.c.name).where(record.c.id.in_(ids))
    rows = connection.execute(asked).all()
    found = sa.text("SELECT 1 FROM record_text WHERE record_text MATCH :words AND rowid = :number")
    lost: list[int] = []
    for row in rows:
        words = "".join(sign if sign.isalnum() else " " for sign in row.name).split()
        if words:
            quoted = "name : " + " AND ".join(f'"{word}"' for word in words[:5])
            if connection.execute(found, {"words": quoted, "number": row.id}).first() is None:
                lost.append(row.id)
    return lost
