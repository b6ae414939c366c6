"""All that one source holds at present, a thing at a time, as a writer is handed it."""

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from ..dossier import TOLD_BY_UPSTREAM, WHOLES, Dossier, belongs_to
from ..errors import NotFound
from ..model import AssetKind, Edge, EdgeKind, Record
from .codec import EDGE_KINDS, KINDS, clean, digest, said_of_edge, said_of_record
from .database import Database, chunks
from .tables import claim, record, source

_COLUMN = KINDS.index(AssetKind.COLUMN)
_PART_OF = EDGE_KINDS.index(EdgeKind.PART_OF)
_UPWARD = [EDGE_KINDS.index(kind) for kind in TOLD_BY_UPSTREAM]
_WHOLES = [KINDS.index(kind) for kind in WHOLES]
_LIVING = (claim.c.retired_at.is_(None), claim.c.valid_to.is_(None))
_HEADS = 200
"""So many things are looked up together; the columns of a wide table come with it."""


@dataclass(frozen=True, slots=True)
class Stock:
    """How much of a source there is to hand over."""

    things: int
    """Dossiers: columns go with their datasets."""
    gone: int
    """Things that the source says are gone: they stay in the store's history, and are not handed over."""


Place = tuple[int, int]
"""When a thing came to be, in microseconds, and its number."""
_NEVER_TOLD = -(2**62)


class Dossiers:
    """Hands out a source's things as they came to be, those of which that is not told first: what was made of others
    stands behind them, and versions stand in the order of their making. Ends of one time by their numbers."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def stock(self, source_id: str) -> Stock:
        """What there is. Raises `NotFound`."""
        with self._db.reading() as connection:
            number = _source(connection, source_id).id
            counted = sa.select(sa.func.count()).select_from(record).where(record.c.source == number)
            things = connection.execute(counted.where(*_heads())).scalar_one()
            gone = connection.execute(counted.where(record.c.tombstoned_at.is_not(None))).scalar_one()
        return Stock(things, gone)

    def of(self, source_id: str, after: Place | None = None) -> Iterator[tuple[Place, Dossier]]:
        """Each thing behind a place, and its own place; lazily, each page from one moment. What comes while it goes on
        is left to the next time. Raises `NotFound`."""
        with self._db.reading() as connection:
            origin = _source(connection, source_id)
            times, numbers = _order(connection, origin.id)
        start = 0
        if after is not None:
            start = bisect_right(range(len(numbers)), after, key=lambda at: (times[at], numbers[at]))
        for at in range(start, len(numbers), _HEADS):
            wanted = numbers[at : at + _HEADS]
            with self._db.reading() as connection:
                living = sa.select(record).where(record.c.id.in_(wanted.tolist()), record.c.tombstoned_at.is_(None))
                rows = {row.id: row for row in connection.execute(living)}
                page = _dossiers(connection, origin, [rows[number] for number in wanted if number in rows])
            places = dict(zip(wanted, times[at : at + _HEADS], strict=True))
            yield from (((places[number], number), told) for number, told in page)

    def one(self, source_id: str, native_id: str) -> Dossier | None:
        """One thing; None where the source has no such thing now. Raises `NotFound`."""
        with self._db.reading() as connection:
            origin = _source(connection, source_id)
            named = sa.select(record).where(
                record.c.source == origin.id, record.c.native_hash == digest(clean(native_id)), *_heads()
            )
            rows = connection.execute(named).all()
            return next((told for _, told in _dossiers(connection, origin, rows)), None)


def _source(connection: sa.Connection, source_id: str) -> Any:
    found = connection.execute(sa.select(source.c.id, source.c.key, source.c.platform).where(source.c.key == source_id))
    row = found.one_or_none()
    if row is None:
        raise NotFound(f"no source {source_id!r} is in this store")
    return row


def _order(connection: sa.Connection, number: int) -> tuple["array[int]", "array[int]"]:
    """When each thing of a source came to be, and its number; in the order of both."""
    time = sa.func.coalesce(record.c.created_at, _NEVER_TOLD)
    asked = sa.select(time, record.c.id).where(record.c.source == number, *_heads()).order_by(time, record.c.id)
    times, numbers = array("q"), array("q")
    for at, one in connection.execution_options(yield_per=10_000).execute(asked):
        times.append(at)
        numbers.append(one)
    return times, numbers


def _heads() -> tuple[sa.ColumnElement[bool], ...]:
    """Living things that have a dossier: all but the columns of a dataset."""
    whole = record.alias("whole")
    held = (
        sa.select(claim.c.id)
        .join(whole, whole.c.id == claim.c.down)
        .where(claim.c.up == record.c.id, claim.c.kind == _PART_OF, whole.c.kind.in_(_WHOLES), *_LIVING)
        .where(whole.c.tombstoned_at.is_(None))
    )
    return record.c.tombstoned_at.is_(None), sa.or_(record.c.kind != _COLUMN, ~held.exists())


def _dossiers(connection: sa.Connection, origin: Any, rows: Sequence[Any]) -> list[tuple[int, Dossier]]:
    known: dict[int, Record] = {row.id: _record(row) for row in rows}
    whole_of = _parts(connection, [row.id for row in rows if row.kind in _WHOLES])
    parts = _records(connection, set(whole_of) - set(known))
    claims = _edges(connection, sorted({*known, *whole_of}))
    beyond = {end for row in claims for end in (row.up, row.down, row.via) if end} - {*known, *parts}
    ends = _records(connection, beyond)
    far = _wholes(connection, [number for number, one in ends.items() if one.kind is AssetKind.COLUMN])
    every = known | parts | ends | _records(connection, set(far.values()) - {*known, *parts, *ends})
    wholes = {every[part].native_id: every[whole].native_id for part, whole in (whole_of | far).items()}
    head_of = whole_of | {number: number for number in known if number not in whole_of}
    told: dict[int, list[Edge]] = {}
    for row in claims:
        edge = _edge(row, every)
        owner = row.up if edge.kind in TOLD_BY_UPSTREAM else row.down
        told.setdefault(head_of[owner], []).append(edge)
    columns: dict[int, list[Record]] = {}
    for part, whole in whole_of.items():
        columns.setdefault(whole, []).append(every[part])
    by_native = {one.native_id: one for one in every.values()}
    return [
        (row.id, _dossier(origin, known[row.id], columns.get(row.id, ()), told.get(row.id, ()), by_native, wholes))
        for row in rows
    ]


def _dossier(
    origin: Any,
    told: Record,
    parts: Sequence[Record],
    edges: Iterable[Edge],
    by_native: Mapping[str, Record],
    wholes: Mapping[str, str],
) -> Dossier:
    own = {told.native_id, *(part.native_id for part in parts)}
    edges = tuple(dict.fromkeys(edges))
    named = {end for edge in edges for end in (edge.upstream, edge.downstream, edge.via) if end} | own
    belongs = {column: wholes[column] for column in named if column in wholes}
    beyond = (named | set(belongs.values())) - own
    assert all(belongs_to(edge) in own for edge in edges)
    return Dossier(
        told,
        origin.key,
        origin.platform,
        parts=tuple(parts),
        edges=edges,
        ends={one: by_native[one] for one in sorted(beyond)},
        wholes=belongs,
    )


def _parts(connection: sa.Connection, wholes: Sequence[int]) -> dict[int, int]:
    """The columns of datasets: column to dataset, in the order of the columns' numbers."""
    asked = (
        sa.select(claim.c.up, claim.c.down)
        .join(record, record.c.id == claim.c.up)
        .where(claim.c.kind == _PART_OF, record.c.kind == _COLUMN, record.c.tombstoned_at.is_(None), *_LIVING)
    )
    return _pairs(connection, asked, claim.c.down, wholes)


def _wholes(connection: sa.Connection, columns: Sequence[int]) -> dict[int, int]:
    """The datasets of columns."""
    asked = (
        sa.select(claim.c.up, claim.c.down)
        .join(record, record.c.id == claim.c.down)
        .where(claim.c.kind == _PART_OF, record.c.kind.in_(_WHOLES), *_LIVING)
    )
    return _pairs(connection, asked, claim.c.up, columns)


def _pairs(
    connection: sa.Connection, asked: sa.Select[Any, Any], end: sa.Column[int], ids: Sequence[int]
) -> dict[int, int]:
    found: dict[int, int] = {}
    for some in chunks(sorted(ids)):
        for row in connection.execute(asked.where(end.in_(some)).order_by(claim.c.up, claim.c.down)):
            found.setdefault(row.up, row.down)  # a column of two datasets is handed over with the first
    return found


def _edges(connection: sa.Connection, owners: Sequence[int]) -> list[Any]:
    found: dict[int, Any] = {}
    for some in chunks(owners):
        for owned in (
            sa.and_(claim.c.kind.in_(_UPWARD), claim.c.up.in_(some)),
            sa.and_(claim.c.kind.not_in(_UPWARD), claim.c.down.in_(some)),
        ):
            found.update({row.id: row for row in connection.execute(sa.select(claim).where(owned, *_LIVING))})
    return [found[number] for number in sorted(found)]


def _records(connection: sa.Connection, ids: Iterable[int]) -> dict[int, Record]:
    found: dict[int, Record] = {}
    for some in chunks(sorted(ids)):
        rows = connection.execute(sa.select(record).where(record.c.id.in_(some)).order_by(record.c.id))
        found.update({row.id: _record(row) for row in rows})
    return found


def _record(row: Any) -> Record:
    return Record(**said_of_record(row), teller=row.teller)


def _edge(row: Any, known: Mapping[int, Record]) -> Edge:
    via = known[row.via].native_id if row.via else None
    return Edge(known[row.up].native_id, known[row.down].native_id, via=via, **said_of_edge(row))
