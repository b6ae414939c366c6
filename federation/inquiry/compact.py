"""A page of lineage as columns, for those who draw ten thousand nodes."""

from collections.abc import Iterable, Sequence
from typing import Any

from .answers import Lineage


def compact(page: Lineage) -> dict[str, Any]:
    """Ends of edges are positions in `nodes`; kinds (of nodes and edges) and platforms are positions in `legend`.

    An end that stands on an earlier page is -1 there, with its id in `upId` or `downId`.
    """
    place = {node.id: number for number, node in enumerate(page.nodes)}
    kinds = _Legend()
    platforms = _Legend()
    nodes = {
        "id": [str(node.id) for node in page.nodes],
        "kind": [kinds.place(node.kind) for node in page.nodes],
        "name": [node.name for node in page.nodes],
        "depth": [node.depth for node in page.nodes],
        "platforms": [platforms.places(node.platforms) for node in page.nodes],
    }
    edges = {
        "up": [place.get(edge.upstream, -1) for edge in page.edges],
        "down": [place.get(edge.downstream, -1) for edge in page.edges],
        "kind": [kinds.place(edge.kind) for edge in page.edges],
        "evidence": [edge.evidence.value for edge in page.edges],
        "confidence": [edge.confidence for edge in page.edges],
        "upId": _elsewhere((edge.upstream for edge in page.edges), place),
        "downId": _elsewhere((edge.downstream for edge in page.edges), place),
    }
    return {"nodes": nodes, "edges": edges, "legend": {"kinds": kinds.words, "platforms": platforms.words}}


def _elsewhere(ends: Iterable[int], place: dict[int, int]) -> list[str | None]:
    """The ids of ends that stand on an earlier page."""
    return [None if end in place else str(end) for end in ends]


class _Legend:
    """Words and their positions, in the order of first use."""

    def __init__(self) -> None:
        self._places: dict[str | None, int] = {}

    def place(self, word: str | None) -> int:
        return self._places.setdefault(None if word is None else str(word), len(self._places))

    def places(self, words: Sequence[str]) -> list[int]:
        return [self.place(word) for word in words]

    @property
    def words(self) -> list[str | None]:
        return list(self._places)
