"""The change log: what became of records, edges and joins, numbered in commit order."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from ..model import Json
from ..rows import ChangeRow
from .codec import decode, encode, micros, moment
from .database import advance
from .tables import change, source


class ChangeLog:
    """Gathers what one transaction changes; `write` must be its last statement (design §9)."""

    def __init__(self, source_number: int, now: int) -> None:
        self._source = source_number
        self._now = now
        self._rows: list[dict[str, Any]] = []

    def record(self, what: str, record: int, before: Json, after: Json, other: int | None = None) -> None:
        """Something became of a record."""
        self._rows.append(
            {
                "at": self._now,
                "source": self._source,
                "record": record,
                "other": other,
                "what": what,
                "before": None if before is None else encode(before),
                "after": None if after is None else encode(after),
            }
        )

    def edge(self, what: str, up: int, down: int, before: Json, after: Json) -> None:
        """Something became of an edge."""
        self.record(what, down, before, after, other=up)

    def write(self, connection: sa.Connection) -> None:
        """Take the numbers and write; the numbers' row stays locked until the commit."""
        if not self._rows:
            return
        last = advance(connection, "change", len(self._rows))
        first = last - len(self._rows) + 1
        connection.execute(sa.insert(change), [{"seq": first + place, **row} for place, row in enumerate(self._rows)])


def changes(
    connection: sa.Connection,
    records: Sequence[int] | None,
    start: datetime | None,
    end: datetime | None,
    first: int,
    after: int | None,
) -> tuple[list[ChangeRow], int]:
    """Entries about these records (None: all), oldest first after the number `after`, and how many there are in all."""
    where: list[sa.ColumnElement[bool]] = []
    if records is not None:
        where.append(sa.or_(change.c.record.in_(records), change.c.other.in_(records)))
    if start is not None:
        where.append(change.c.at >= micros(start))
    if end is not None:
        where.append(change.c.at < micros(end))
    total = connection.execute(sa.select(sa.func.count()).select_from(change).where(*where)).scalar_one()
    if after is not None:
        where.append(change.c.seq > after)
    asked = sa.select(change, source.c.key).outerjoin(source, source.c.id == change.c.source).where(*where)
    rows = connection.execute(asked.order_by(change.c.seq).limit(first)).all()
    return [_change(row) for row in rows], total


def _change(row: Any) -> ChangeRow:
    at = moment(row.at)
    assert at is not None
    return ChangeRow(
        seq=row.seq,
        at=at,
        record=row.record,
        source=row.key or "",
        what=row.what,
        before=decode(row.before),
        after=decode(row.after),
        other=row.other,
    )
