"""What is handed to a writer: everything that one source says of one thing, and what became of each fact of it.

A writer may be asked to hold more than its platform can. Nothing of it may go in silence: of every dossier each fact
ends with a verdict, and `unaccounted` names those that did not.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from .model import AssetKind, Edge, EdgeKind, Record

TOLD_BY_UPSTREAM = (EdgeKind.WRITE, EdgeKind.PART_OF, EdgeKind.VERSION_OF, EdgeKind.ALIAS_OF, EdgeKind.RUN_OF)
"""Edges that belong to the thing they start from: what a process wrote, and what a part says of its whole."""


class Verdict(StrEnum):
    """What became of one fact at the target."""

    MIGRATED = "MIGRATED"
    """Held there as it was told; also where it stood there already."""
    TRANSFORMED = "TRANSFORMED"
    """Held in another form, from which it cannot be told back exactly; the reason says which."""
    UNSUPPORTED = "UNSUPPORTED"
    """The target has no place for it."""
    KEPT = "KEPT"
    """Not written, since another word stands there in its place: a person's, or that of whoever told it before."""
    FAILED = "FAILED"
    """The target refused it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one fact; MIGRATED needs no reason, all others have one."""

    native_id: str
    """Whose fact: the record's native id at its source."""
    fact: str
    """Which: one of the names that `facts` gives."""
    verdict: Verdict
    reason: str = ""
    target: str = ""
    """What holds it at the target, by the target's own id."""


@dataclass(frozen=True, slots=True)
class Dossier:
    """One thing as one source tells it, with the edges that are its own to tell."""

    record: Record
    source_id: str
    platform: str
    """Where it was read, by the catalogue's name of the platform."""
    parts: tuple[Record, ...] = ()
    """The columns of a dataset or of a version of one; they have no dossiers of their own."""
    edges: tuple[Edge, ...] = ()
    """Living edges of the record and of its parts that `belongs_to` gives to them."""
    ends: Mapping[str, Record] = field(default_factory=dict[str, Record])
    """By native id, what stands at the edges' other ends, and the datasets that columns among them belong to."""
    wholes: Mapping[str, str] = field(default_factory=dict[str, str])
    """By native id of a column, in `parts` or in `ends`, the native id of its dataset."""

    def every(self) -> Iterator[Record]:
        """The record and its parts."""
        yield self.record
        yield from self.parts


Look = Callable[[str], Dossier | None]
"""By native id, the dossier of another thing of the same source; None where the source has no such thing now."""


@dataclass(frozen=True, slots=True)
class Written:
    """What one call of a writer made of the facts it was handed."""

    outcomes: tuple[Outcome, ...] = ()
    requests: int = 0
    """What it cost the target: calls, or lines of a file."""


def belongs_to(edge: Edge) -> str:
    """The native id of the thing whose dossier holds an edge: the process of a READ or WRITE, the part of a whole, and
    what was made, deployed, checked or ordered by all others."""
    return edge.upstream if edge.kind in TOLD_BY_UPSTREAM else edge.downstream


def edge_fact(edge: Edge) -> str:
    """The name of an edge as a fact: its kind, what tells it from others between the same two, and both ends."""
    further = "".join(f"/{one}" for one in (edge.role, edge.alias, edge.via) if one)
    return f"edges/{edge.kind}{further}: {edge.upstream} -> {edge.downstream}"


def facts(dossier: Dossier) -> Iterator[tuple[str, str]]:
    """Every fact of a dossier, each once: the native id of whom it is said, and its name."""
    for record in dossier.every():
        for name in _told(record):
            yield record.native_id, name
    yield from dict.fromkeys((belongs_to(edge), edge_fact(edge)) for edge in dossier.edges)


def _told(record: Record) -> Iterator[str]:
    yield "name"
    values = {
        "subtype": record.subtype,
        "description": record.description,
        "url": record.url,
        "created_at": record.created_at,
        "updated_at": record.updated_at,
        "run": record.run,
    }
    yield from (name for name, value in values.items() if value is not None)
    yield from (f"facets/{name}" for name in record.facets)


def unaccounted(dossiers: Iterable[Dossier], outcomes: Iterable[Outcome]) -> Iterator[tuple[str, str]]:
    """The facts that no outcome speaks of: none, from a writer that keeps its promise."""
    spoken = {(outcome.native_id, outcome.fact) for outcome in outcomes}
    for dossier in dossiers:
        yield from (fact for fact in facts(dossier) if fact not in spoken)


WHOLES = (AssetKind.DATASET, AssetKind.DATASET_VERSION, AssetKind.FEATURE_TABLE)
"""The kinds whose columns are handed over with them."""
