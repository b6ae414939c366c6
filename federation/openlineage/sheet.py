"""The records and edges of one scope while they are gathered: each once, and in an order that content alone decides."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from operator import attrgetter

from ..model import Edge, Json, Nature, Record, Scope, Spelling


class Sheet:
    """What one scope will say."""

    def __init__(self) -> None:
        self._records: dict[str, Record] = {}
        self._edges: dict[Edge, None] = {}

    def record(self, record: Record) -> str:
        """Take a record; a description goes over a stub, two of a kind are united. Returns its native id."""
        before = self._records.get(record.native_id)
        self._records[record.native_id] = record if before is None else _united(before, record)
        return record.native_id

    def knows(self, native_id: str) -> bool:
        """Whether there is such a record."""
        return native_id in self._records

    def edge(self, *edges: Edge) -> None:
        """Take edges."""
        self._edges.update(dict.fromkeys(edges))

    def scope(self, key: str, nature: Nature, stated_at: datetime | None) -> Scope:
        """All of it as a scope."""
        records = sorted(self._records.values(), key=attrgetter("native_id"))
        return Scope(key, tuple(records), tuple(sorted(self._edges, key=_place)), nature, stated_at)


def _united(one: Record, other: Record) -> Record:
    first, second = sorted((one, other), key=lambda record: (record.described, record.suspect, repr(record)))
    facets: dict[str, Json] = {**first.facets, **second.facets}
    return replace(
        second,
        spellings=spelled((*first.spellings, *second.spellings)),
        facets=facets,
        description=second.description or first.description,
        suspect=first.suspect and second.suspect,
    )


def spelled(spellings: Iterable[Spelling]) -> tuple[Spelling, ...]:
    """Each spelling once, in order."""
    return tuple(sorted(set(spellings), key=lambda one: (one.form, one.parts, one.weak)))


def _place(edge: Edge) -> tuple[str, ...]:
    return (
        edge.kind,
        edge.upstream,
        edge.downstream,
        f"{edge.flow:09}",
        edge.role or "",
        edge.via or "",
        edge.transformation or "",
        edge.alias or "",
        f"{edge.evidence} {edge.confidence} {edge.planned} {edge.outcome}",
        f"{edge.valid_from} {edge.valid_to} {edge.weight}",
    )
