"""Which part of an answer a page shows: nodes in their order, each edge beside the later of its two ends."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .view import Edges, View

EDGES_PER_NODE = 20


@dataclass(frozen=True, slots=True)
class Page:
    """The places of its nodes in the walk, and its edges."""

    nodes: NDArray[np.int64]
    edges: Edges
    is_cut: bool
    """True: it had more edges than a page may hold; the strongest are shown."""


def among(view: View, shown: NDArray[np.int64], edges: Edges) -> tuple[Edges, NDArray[np.int64]]:
    """The edges between shown nodes, and where the later end of each stands among them."""
    place = np.full(view.snapshot.things.ids.size, -1, np.int64)
    place[view.walked.things[shown]] = np.arange(shown.size)
    up, down = place[edges.up], place[edges.down]
    visible = np.flatnonzero((up >= 0) & (down >= 0))
    return edges.taken(visible), np.maximum(up, down)[visible]


def page(view: View, shown: NDArray[np.int64], edges: Edges, first: int, position: int) -> Page:
    """The page that begins at a position; `edges` may be any edges of the view."""
    edges, later = among(view, shown, edges)
    here = np.flatnonzero((later >= position) & (later < position + first))
    order = np.lexsort((edges.key[here], later[here], -edges.confidence[here], edges.evidence[here]))
    kept = here[order[: EDGES_PER_NODE * first]]
    kept = kept[np.lexsort((edges.key[kept], later[kept]))]
    return Page(shown[position : position + first], edges.taken(kept), is_cut=kept.size < here.size)
