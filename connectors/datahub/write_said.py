"""What our own reader makes of aspects that are written: which facts they tell, and with which values."""

from collections.abc import Iterator, Mapping
from typing import Any

from ...federation.dossier import Dossier, belongs_to, edge_fact
from ...federation.model import Edge, Record, Run, Scope
from .mapping import RUN_EVENTS, meaning, series
from .saying import Aspect, Place, entity
from .urn import Urn
from .write_plan import Fact, Key, sized

Said = tuple[Fact, bytes]
"""A fact with its value, as far as it has one."""
Carried = dict[Said, Key]
"""Which aspect tells it."""


def carried_by(one: Urn, rebuilt: Mapping[str, list[dict[str, Any]]], dossier: Dossier) -> Carried:
    """What our own reader makes of some aspects."""
    place = Place(dossier.source_id)
    found: Carried = {}
    for aspect, values in rebuilt.items():
        read = Aspect(one, aspect, values[-1])
        told = series(read, place, values) if aspect == RUN_EVENTS else meaning(read, place)
        for scope in told.scopes:
            for said in _sayings(scope):
                found.setdefault(said, (one.text, aspect))
    for said in _sayings(entity(one, place)):
        found.setdefault(said, (one.text, ""))
    return found


def _sayings(scope: Scope) -> Iterator[Said]:
    for record in scope.records:
        yield from _record_says(record)
    for edge in scope.edges:
        yield said_of(edge)


def _record_says(record: Record) -> Iterator[Said]:
    for fact, value in values_of(record):
        yield (record.native_id, fact), value


def values_of(record: Record) -> Iterator[tuple[str, bytes]]:
    """What is told of a thing itself, each by its name with a value that compares."""
    yield "name", sized(record.name)
    for name in ("subtype", "description", "url", "created_at", "updated_at"):
        yield name, sized(getattr(record, name))
    yield "run", _life(record.run)
    yield from ((f"facets/{name}", sized(value)) for name, value in record.facets.items())


def _life(run: Run | None) -> bytes:
    return sized(None if run is None else [run.state, run.started_at, run.ended_at, run.error])


def said_of(edge: Edge) -> Said:
    """An edge as a fact, which has no value."""
    return (belongs_to(edge), edge_fact(edge)), b""
