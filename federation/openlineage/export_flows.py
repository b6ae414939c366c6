"""The reads and writes of one process, with explicit lineage where plain lists would mix them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ..model import AssetKind, Edge, EdgeKind, Json
from . import export_facets as facets
from . import flows
from .document import Pair
from .export_names import Book

Mention = dict[str, Json]


@dataclass(frozen=True, slots=True)
class Woven:
    """What a process read and wrote."""

    inputs: list[Mention] = field(default_factory=list[Mention])
    outputs: list[Mention] = field(default_factory=list[Mention])
    entries: list[Json] = field(default_factory=list[Json])
    """Explicit lineage: what each output was made of."""
    must_be_explicit: bool = False
    """Lists of inputs and outputs alone would say that something met what it did not meet."""
    flows: Sequence["Woven"] = ()
    """Each flow as a process of its own, where there are several."""
    native_of: Mapping[Pair, str] = field(default_factory=dict[Pair, str])
    """The native ids behind the names."""

    @property
    def is_simple(self) -> bool:
        """Plain lists say it all."""
        return not self.must_be_explicit


def woven(process: str, edges: Iterable[Edge], book: Book, *, with_plans: bool) -> Woven:
    """The reads and writes among the edges of one process."""
    told = [edge for edge in edges if with_plans or not edge.planned]
    io = [edge for edge in told if _is_io(edge, process, book)]
    reads, writes = _ends(io, EdgeKind.READ), _ends(io, EdgeKind.WRITE)
    made_of = {book.dataset(one): facets.columns_of(book.dataset(one), told, book) for one in writes}
    inputs = [_mention(one, book, None) for one in reads]
    outputs = [_mention(one, book, made_of[book.dataset(one)]) for one in writes]
    met = _met(io, book)
    explicit = _plain(reads, writes, told, book) != met
    return Woven(
        inputs=inputs,
        outputs=outputs,
        entries=[_entry(target, sources, made_of.get(target), book) for target, sources in sorted(met.items())],
        must_be_explicit=explicit,
        flows=_each_flow(io, made_of, book) if explicit else (),
        native_of={book.pair(book.dataset(one)): book.dataset(one) for one in (*reads, *writes)},
    )


def _is_io(edge: Edge, process: str, book: Book) -> bool:
    """Code is told by a facet, not as an input."""
    if edge.kind is EdgeKind.READ:
        return edge.downstream == process and book.kinds.get(edge.upstream) is not AssetKind.CODE
    return edge.kind is EdgeKind.WRITE and edge.upstream == process


def _ends(io: Iterable[Edge], kind: EdgeKind) -> list[str]:
    """The far ends of one kind; of several versions of a dataset the last, for a list names it once."""
    found: dict[str, None] = {}
    for edge in io:
        if edge.kind is kind:
            found[edge.upstream if kind is EdgeKind.READ else edge.downstream] = None
    return sorted(found)


def _mention(native_id: str, book: Book, made_of: Json) -> Mention:
    namespace, name = book.pair(book.dataset(native_id))
    told: dict[str, Json] = {}
    version = book.version(native_id)
    if version:
        told["version"] = facets.facet("DatasetVersionDatasetFacet", "1-0-1", datasetVersion=version)
    if made_of is not None:
        told["columnLineage"] = made_of
    return {"namespace": namespace, "name": name, "facets": told}


def _met(io: Iterable[Edge], book: Book) -> dict[str, frozenset[str]]:
    """The datasets that went into each output."""
    reads: dict[int, set[str]] = defaultdict(set)
    found: dict[str, set[str]] = defaultdict(set)
    some = list(io)
    for edge in some:
        if edge.kind is EdgeKind.READ:
            reads[edge.flow].add(book.dataset(edge.upstream))
    for edge in some:
        if edge.kind is EdgeKind.WRITE:
            found[book.dataset(edge.downstream)] |= reads[edge.flow]
    return {target: frozenset(sources) for target, sources in found.items()}


def _plain(reads: Iterable[str], writes: Iterable[str], told: Iterable[Edge], book: Book) -> dict[str, frozenset[str]]:
    """What a reader would make of the lists and the column lineage."""
    named: dict[str, set[str]] = defaultdict(set)
    for edge in told:
        if edge.kind is EdgeKind.DERIVE and book.field(edge.upstream):
            named[book.dataset(edge.downstream)].add(book.dataset(edge.upstream))
    inputs, outputs = (frozenset(book.dataset(one) for one in some) for some in (reads, writes))
    columns = {target: frozenset(some) for target, some in named.items() if target in outputs}
    found = flows.told([(inputs, outputs)], columns)
    return {target: flow.reads for flow in found for target in flow.writes}


def _entry(target: str, sources: Iterable[str], made_of: Json, book: Book) -> Json:
    namespace, name = book.pair(target)
    inputs = [dict(zip(("namespace", "name"), book.pair(one), strict=True)) for one in sorted(sources)]
    entry: dict[str, Json] = {"type": "DATASET", "namespace": namespace, "name": name}
    entry["inputs"] = [{"type": "DATASET", **one} for one in inputs]
    if made_of is not None:
        entry["inputs"] += [{"type": "DATASET", **one} for one in made_of.get("dataset", ())]
        fields = {
            path: {"inputs": [{"type": "DATASET", **source} for source in one["inputFields"]]}
            for path, one in made_of["fields"].items()
        }
        if fields:
            entry["fields"] = fields
    return entry


def _each_flow(io: Sequence[Edge], made_of: Mapping[str, Json], book: Book) -> Sequence[Woven]:
    found: list[Woven] = []
    for number in sorted({edge.flow for edge in io if edge.kind is EdgeKind.WRITE}):
        mine = [edge for edge in io if edge.flow == number]
        writes = _ends(mine, EdgeKind.WRITE)
        found.append(
            Woven(
                inputs=[_mention(one, book, None) for one in _ends(mine, EdgeKind.READ)],
                outputs=[_mention(one, book, made_of[book.dataset(one)]) for one in writes],
            )
        )
    return found
