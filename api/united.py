"""What several sources say of one thing, as one record; pure."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from ..federation.identity import kind_of
from ..federation.model import Edge, Record
from ..federation.rows import EdgeRow, RecordRow

Value = TypeVar("Value")


def united(rows: Sequence[RecordRow], name: str) -> Record:
    """One record of all that sources say; the best source's word stands, the others fill its gaps."""
    facets: dict[str, Any] = {}
    for row in reversed(rows):
        facets.update(row.facets)
    return Record(
        native_id=name,
        kind=kind_of(row.kind for row in rows),
        name=rows[0].name,
        subtype=_first(row.subtype for row in rows),
        described=any(row.described for row in rows),
        description=_first(row.description for row in rows),
        url=_first(row.url for row in rows),
        created_at=min((row.created_at for row in rows if row.created_at), default=None),
        updated_at=max((row.updated_at for row in rows if row.updated_at), default=None),
        run=_first(row.run for row in rows),
        spellings=tuple(dict.fromkeys(spelling for row in rows for spelling in row.spellings)),
        facets=facets,
        suspect=all(row.suspect for row in rows),
    )


def edge_of(row: EdgeRow, called: Callable[[int], str]) -> Edge:
    """A claim between things as they are called."""
    return Edge(
        upstream=called(row.upstream),
        downstream=called(row.downstream),
        kind=row.kind,
        role=row.role,
        flow=row.flow,
        evidence=row.evidence,
        confidence=row.confidence,
        via=None if row.via is None else called(row.via),
        planned=row.planned,
        outcome=row.outcome,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        transformation=row.transformation,
        alias=row.alias,
        weight=row.weight,
    )


def died_at(rows: Sequence[RecordRow]) -> datetime | None:
    """A thing is gone when no source has it any more."""
    times = [row.tombstoned_at for row in rows]
    return max(time for time in times if time) if all(times) else None


def _first(values: Iterable[Value | None]) -> Value | None:
    return next((value for value in values if value is not None), None)
