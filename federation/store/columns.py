"""The graph's columns out of the store: numbers only, two queries."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from .. import patience
from ..columns import EVER, NONE, SINCE_BEFORE, GraphColumns
from .codec import micros
from .database import chunks
from .lives import dead_as_known
from .projection import merged_of
from .tables import claim, fact, member, record, source

_SECOND = 1_000_000
_RECORD = ("id", "asset", "kind", "source", "described", "tombstoned_at", "run_state", "run_started", "run_ended")
_CLAIM = (
    "id", "up", "down", "kind", "role", "flow", "evidence", "confidence",
    "valid_from", "valid_to", "via", "planned", "outcome", "source",
)  # fmt: skip


def load(connection: sa.Connection, epoch: str, seq: int, known_at: datetime | None) -> GraphColumns:
    """All records and live claims, or those recorded by `known_at` and not retired by it."""
    known = micros(known_at)
    sources = connection.execute(sa.select(source.c.id, source.c.key).order_by(source.c.position, source.c.id)).all()
    place = np.zeros(max((row.id for row in sources), default=0) + 1, np.int16)
    for number, row in enumerate(sources):
        place[row.id] = number
    records = _records(connection, known)
    claims = _claims(connection, known)
    return GraphColumns(
        epoch=epoch,
        seq=seq,
        sources=tuple(row.key for row in sources),
        record=records[0],
        asset=records[1],
        kind=records[2].astype(np.uint8),
        record_source=place[records[3]],
        stub=records[4] == 0,
        tombstoned=_seconds(records[5], EVER, up=True),
        state=records[6].astype(np.uint8),
        started=_seconds(records[7], SINCE_BEFORE, up=False),
        ended=_seconds(records[8], EVER, up=True),
        claim=claims[0],
        up=claims[1],
        down=claims[2],
        edge_kind=claims[3].astype(np.uint8),
        role=claims[4].astype(np.uint8),
        flow=claims[5].astype(np.int32),
        evidence=claims[6].astype(np.uint8),
        confidence=(claims[7] / 1_000_000).astype(np.float32),
        valid_from=_seconds(claims[8], SINCE_BEFORE, up=False),
        valid_to=_seconds(claims[9], EVER, up=True),
        via=claims[10],
        planned=claims[11] == 1,
        outcome=claims[12].astype(np.uint8),
        edge_source=place[claims[13]],
    )


_ABSENT = np.iinfo(np.int64).min


def _records(connection: sa.Connection, known: int | None) -> NDArray[np.int64]:
    columns = [sa.func.coalesce(record.c[name], NONE if name == "run_state" else _ABSENT) for name in _RECORD]
    asked = sa.select(*columns).order_by(record.c.id)
    if known is None:
        return _matrix(connection.execute(asked).all(), len(_RECORD))
    matrix = _matrix(connection.execute(asked.where(record.c.recorded_at <= known)).all(), len(_RECORD))
    _as_known(connection, matrix, known)
    return matrix


def _as_known(connection: sa.Connection, matrix: NDArray[np.int64], known: int) -> None:
    """Joins, tombstones and descriptions as they were known then."""
    matrix[1] = matrix[0]
    was = sa.and_(member.c.recorded_at <= known, sa.or_(member.c.retired_at.is_(None), member.c.retired_at > known))
    _put(matrix, 1, [(row.record, row.asset) for row in connection.execute(sa.select(member).where(was))])
    matrix[5] = _ABSENT
    _put(matrix, 5, dead_as_known(connection, known).items())
    for place, pairs in _descriptions(connection, known).items():
        _put(matrix, place, pairs)


_DESCRIBED = ("kind", "described", "run_state", "run_started", "run_ended")


def _descriptions(connection: sa.Connection, known: int) -> dict[int, list[tuple[int, int]]]:
    """By their place in a row: what is told of the records of which we have heard something else since."""
    since = sa.or_(fact.c.recorded_at > known, fact.c.retired_at > known)
    moved = sa.select(fact.c.record).where(since).distinct()
    asked = sa.select(record.c.id, record.c.native_id).where(record.c.recorded_at <= known, record.c.id.in_(moved))
    found: dict[int, list[tuple[int, int]]] = {_RECORD.index(name): [] for name in _DESCRIBED}
    for some in chunks(connection.execute(asked).all(), 1000):
        patience.check()
        for number, result in merged_of(connection, some, known).items():
            for name in _DESCRIBED:
                value = result.row[name]
                found[_RECORD.index(name)].append((number, _ABSENT if value is None else value))
    return found


def _put(matrix: NDArray[np.int64], row: int, pairs: Collection[tuple[int, int]]) -> None:
    """Set one value of some records; those that are not there yet are passed over."""
    if not pairs or not matrix.shape[1]:
        return
    table = np.array(list(pairs), np.int64)
    ids, values = table[:, 0], table[:, 1]
    places: NDArray[np.intp] = np.searchsorted(matrix[0], ids)
    here = (places < matrix.shape[1]) & (matrix[0][np.minimum(places, matrix.shape[1] - 1)] == ids)
    matrix[row, places[here]] = values[here]


def _claims(connection: sa.Connection, known: int | None) -> NDArray[np.int64]:
    columns: list[Any] = []
    for name in _CLAIM:
        column: Any = claim.c[name]
        if name == "confidence":
            column = sa.cast(column * 1_000_000, sa.BigInteger().with_variant(sa.Integer(), "sqlite"))
        columns.append(sa.func.coalesce(column, _ABSENT))
    if known is None:
        held: sa.ColumnElement[bool] = claim.c.retired_at.is_(None)
    else:
        still = sa.or_(claim.c.retired_at.is_(None), claim.c.retired_at > known)
        held = sa.and_(claim.c.recorded_at <= known, still)
    asked = sa.select(*columns).where(held).order_by(claim.c.up, claim.c.down, claim.c.kind, claim.c.id)
    return _matrix(connection.execute(asked).all(), len(_CLAIM))


def _matrix(rows: Any, width: int) -> NDArray[np.int64]:
    """Rows as one array a column."""
    if not rows:
        return np.zeros((width, 0), np.int64)
    return np.ascontiguousarray(np.array([tuple(row) for row in rows], np.int64).T)


def _seconds(stamps: NDArray[np.int64], absent: int, *, up: bool) -> NDArray[np.int64]:
    """Whole seconds, starts rounded down and ends up, so that no interval shrinks."""
    rounded = -(-stamps // _SECOND) if up else stamps // _SECOND
    return np.where(stamps == _ABSENT, absent, rounded)
