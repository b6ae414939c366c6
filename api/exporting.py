"""What the store knows as one graph for export: each asset once, however many sources know it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

from ..federation.identity import kind_of
from ..federation.model import Edge, Form, Record
from ..federation.openlineage import Gathered, Profile, export, lines
from ..federation.rows import EdgeRow, RecordRow
from ..federation.store import Store

Value = TypeVar("Value")
_ROUND = 5000
_SPOKEN = (Form.OPENLINEAGE, Form.OPENLINEAGE_JOB, Form.OPENLINEAGE_RUN)
"""Who bears such a name is called as OpenLineage calls it, so that an import finds it again."""


def exported(store: Store, profile: str) -> Iterator[bytes]:
    """The graph as lines of OpenLineage events."""
    return lines(export(gathered(store), profile=Profile(profile)))


def gathered(store: Store) -> Gathered:
    """Records and live claims of now; what several sources call one thing goes out as one."""
    columns = store.reader.columns()
    names: dict[int, str] = {}
    tombstones: dict[str, datetime] = {}
    records: list[Record] = []
    taken: set[str] = set()
    for some in _rounds(sorted(set(columns.asset.tolist()))):
        for asset, rows in sorted(store.reader.assets(some).items()):
            united = _united(rows, taken)
            taken.add(united.native_id)
            names[asset] = united.native_id
            records.append(united)
            if died := _died_at(rows):
                tombstones[united.native_id] = died
    called = {
        record: names[asset] for record, asset in zip(columns.record.tolist(), columns.asset.tolist(), strict=True)
    }
    return Gathered.of(records, _edges(store, columns.claim.tolist(), called), tombstones)


def _edges(store: Store, claims: Sequence[int], called: Mapping[int, str]) -> Iterator[Edge]:
    for some in _rounds(claims):
        for row in store.reader.edges(some).values():
            yield _edge(row, called)


def _edge(row: EdgeRow, called: Mapping[int, str]) -> Edge:
    return Edge(
        upstream=called[row.upstream],
        downstream=called[row.downstream],
        kind=row.kind,
        role=row.role,
        flow=row.flow,
        evidence=row.evidence,
        confidence=row.confidence,
        via=called.get(row.via) if row.via is not None else None,
        planned=row.planned,
        outcome=row.outcome,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        transformation=row.transformation,
        alias=row.alias,
        weight=row.weight,
    )


def _united(rows: Sequence[RecordRow], taken: set[str]) -> Record:
    """One record of all that sources say of one thing; the best source's word stands, the others fill its gaps."""
    best = rows[0]
    facets: dict[str, Any] = {}
    for row in reversed(rows):
        facets.update(row.facets)
    return Record(
        native_id=_name(rows, taken),
        kind=kind_of(row.kind for row in rows),
        name=best.name,
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


def _name(rows: Sequence[RecordRow], taken: set[str]) -> str:
    spoken = [row for row in rows if any(spelling.form in _SPOKEN and not spelling.weak for spelling in row.spellings)]
    best = (spoken or rows)[0]
    return best.native_id if best.native_id not in taken else f"{best.source}:{best.native_id}"


def _died_at(rows: Sequence[RecordRow]) -> datetime | None:
    """A thing is gone when no source has it any more."""
    times = [row.tombstoned_at for row in rows]
    return max(time for time in times if time) if all(times) else None


def _first(values: Iterable[Value | None]) -> Value | None:
    return next((value for value in values if value is not None), None)


def _rounds(numbers: Iterable[int]) -> Iterator[list[int]]:
    waiting = iter(numbers)
    while some := list(islice(waiting, _ROUND)):
        yield some
