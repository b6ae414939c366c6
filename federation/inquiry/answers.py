"""What a question to the graph is answered with: values named like the GraphQL types, ids as the store's integers."""

from dataclasses import dataclass
from datetime import datetime

from ..model import AssetKind, EdgeKind, Evidence, Role, RunState


@dataclass(frozen=True, slots=True)
class Walk:
    """What cuts the walk itself: an edge that does not fit is not there. None: no such cut."""

    edges: tuple[EdgeKind, ...] | None = None
    roles: tuple[Role, ...] | None = None
    """READs of other roles, or of none that was told, are not there; other kinds of edges bear no role and stay."""
    evidence: tuple[Evidence, ...] | None = None
    min_confidence: float | None = None
    seen_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class PageInfo:
    """Where a page stands in its answer."""

    has_next_page: bool = False
    has_previous_page: bool = False
    start_cursor: str | None = None
    end_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class StaleSource:
    """A source that may know more by now, and what to do about it."""

    source: str
    since: datetime | None
    reason: str
    remedy: str


@dataclass(frozen=True, slots=True)
class SyncFailure:
    """What went wrong when a source was last read."""

    source: str
    at: datetime
    what: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Completeness:
    """Whether the answer is exact or a lower bound, and why."""

    exact: bool = True
    truncated: bool = False
    hidden: int = 0
    undated: int = 0
    changed: int = 0
    """How many of the things shown have changed since the state of the graph that this page stands on."""
    lowest_confidence: float | None = None
    stale: tuple[StaleSource, ...] = ()
    failures: tuple[SyncFailure, ...] = ()


@dataclass(frozen=True, slots=True)
class Run:
    """How far a run is, or how it ended."""

    state: RunState
    started_at: datetime | None = None
    ended_at: datetime | None = None
    error: str | None = None
    job: int | None = None


@dataclass(frozen=True, slots=True)
class LineageNode:
    """One asset of an answer; `depth` counts the edges from the root."""

    id: int
    kind: AssetKind | None
    name: str
    depth: int
    platforms: tuple[str, ...] = ()
    restricted: bool = False
    tombstoned_at: datetime | None = None
    column_exact: bool = True
    run: Run | None = None


@dataclass(frozen=True, slots=True)
class LineageEdge:
    """One (upstream, downstream, kind, role): the sum of all claims that say so."""

    upstream: int
    downstream: int
    kind: EdgeKind
    role: Role | None
    evidence: Evidence
    confidence: float
    sources: tuple[str, ...] = ()
    via: tuple[int, ...] = ()
    """At most ten of the runs and jobs that it went through."""
    runs: int = 0
    outcome: RunState | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    last_seen_at: datetime | None = None
    transformation: str | None = None


@dataclass(frozen=True, slots=True)
class Lineage:
    """One page of what is upstream or downstream of a root."""

    root: int
    nodes: tuple[LineageNode, ...]
    edges: tuple[LineageEdge, ...]
    total: int
    """How many nodes are shown over all pages; exact unless `truncated`."""
    total_edges: int
    truncated: bool
    page_info: PageInfo
    completeness: Completeness


@dataclass(frozen=True, slots=True)
class KindCount:
    """How many assets of one kind stand at one depth."""

    kind: AssetKind
    depth: int
    count: int


@dataclass(frozen=True, slots=True)
class Impact:
    """What depends on a root."""

    root: int
    total: int
    counts: tuple[KindCount, ...]
    nodes: tuple[LineageNode, ...]
    truncated: bool
    page_info: PageInfo
    completeness: Completeness


@dataclass(frozen=True, slots=True)
class Path:
    """One way from the first node to the last; `edges[i]` joins `nodes[i]` with `nodes[i + 1]`."""

    nodes: tuple[LineageNode, ...]
    edges: tuple[LineageEdge, ...]


@dataclass(frozen=True, slots=True)
class PathList:
    """The shortest ways between two assets."""

    paths: tuple[Path, ...]
    total: int | None
    """How many there are; None where they were not all counted."""
    truncated: bool
    completeness: Completeness
