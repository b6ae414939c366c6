"""The graph in memory: what is upstream and downstream of what, at any time and level; pure numpy."""

from .cut import Cut, last_seen
from .graph import Graph
from .levels import edge_keys
from .roads import Roads, Walked
from .snapshot import Snapshot

__all__ = ["Cut", "Graph", "Roads", "Snapshot", "Walked", "edge_keys", "last_seen"]
