"""What run events alone cannot say: counted while they are made, so that nobody takes them for the whole graph."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ..model import AssetKind, EdgeKind
from .subjects import Subject


@dataclass(frozen=True, slots=True)
class Loss:
    """One thing that is not told, of one asset."""

    what: str
    """`facet`, `edge`, `kind` (the asset is told as a dataset, or not at all) or `tombstone`."""
    name: str
    """Which facet, edge or kind."""
    of: AssetKind
    """The kind of asset that it belongs to."""


Lost = Callable[[Loss], None]
_PLAIN = (AssetKind.DATASET, AssetKind.JOB, AssetKind.RUN)
_TOLD = (EdgeKind.READ, EdgeKind.WRITE, EdgeKind.RUN_OF, EdgeKind.DERIVE)


def of_subject(subject: Subject, facets: Iterable[str], *, with_parent: bool = False) -> Iterable[Loss]:
    """What of a subject is in no run event. `facets`: those that it would have; `with_parent`: its parent is told."""
    kind = subject.record.kind
    if kind not in _PLAIN:
        yield Loss("kind", kind.value, kind)
    if subject.tombstoned_at is not None:
        yield Loss("tombstone", "", kind)
    for name in facets:
        if name != "lineage":  # told by the lists of the runs
            yield Loss("facet", name, kind)
    for edge in subject.edges:
        if edge.kind not in _TOLD and not (with_parent and edge.kind is EdgeKind.PART_OF):
            yield Loss("edge", edge.kind.value, kind)
