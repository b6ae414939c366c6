"""The answers of the graph as GraphQL types; the values behind them are those of `federation.inquiry.answers`.

An answer is handed on as it is: each type here takes whatever bears its fields (`is_type_of`), so that a page of
10,000 nodes is not copied once more.
"""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, cast

import strawberry
from strawberry.scalars import JSON

from ...federation.inquiry import answers
from ...federation.inquiry.compact import compact as columns_of
from .context import Info
from .relay import PageInfo
from .scalars import ID, AssetKind, EdgeKind, Evidence, Role, RunState

if TYPE_CHECKING:
    from .assets import Asset


class _Mirror:
    """Takes any value that bears the fields."""

    @classmethod
    def is_type_of(cls, _value: Any, _info: Any) -> bool:
        """What a resolver gives is what its annotation says."""
        return True


@strawberry.type(description="How far a run is, or how it ended.")
class Run(_Mirror):
    state: RunState
    started_at: datetime | None
    ended_at: datetime | None
    error: str | None
    job: ID | None


@strawberry.type(description="A source that may know more by now, and what to do about it.")
class StaleSource(_Mirror):
    source: str
    since: datetime | None
    reason: str
    remedy: str


@strawberry.type(description="What went wrong when a source was last read.")
class SyncFailure(_Mirror):
    source: str
    at: datetime
    what: str
    remedy: str


@strawberry.type(description="Whether an answer is exact or a lower bound, and why.")
class Completeness(_Mirror):
    exact: bool
    truncated: bool
    hidden: int
    undated: int
    lowest_confidence: float | None
    changed: int = strawberry.field(
        description="How many of the things shown have changed since the state that this page stands on."
    )
    stale: list[StaleSource]
    failures: list[SyncFailure]


@strawberry.type(description="One asset of an answer; `depth` counts the edges from the root.")
class LineageNode(_Mirror):
    id: ID
    kind: AssetKind | None
    name: str
    depth: int
    platforms: list[str]
    restricted: bool
    tombstoned_at: datetime | None
    column_exact: bool
    run: Run | None


@strawberry.type(description="One (upstream, downstream, kind, role), summed up over all claims that say so.")
class LineageEdge(_Mirror):
    upstream: ID
    downstream: ID
    kind: EdgeKind
    role: Role | None
    evidence: Evidence
    confidence: float
    sources: list[str]
    via: list[ID] = strawberry.field(description="At most ten of the runs and jobs that it went through.")
    runs: int
    outcome: RunState | None
    valid_from: datetime | None
    valid_to: datetime | None
    last_seen_at: datetime | None
    transformation: str | None


RootAsset = Annotated["Asset", strawberry.lazy(".assets")]


async def _root(parent: Any, info: Info) -> "Asset":
    from .assets import asset_of

    return await asset_of(info.context, parent.root)


@strawberry.type(description="One page of what is upstream or downstream of a root.")
class Lineage(_Mirror):
    nodes: list[LineageNode]
    edges: list[LineageEdge]
    total: int = strawberry.field(description="How many nodes are shown over all pages.")
    total_edges: int
    truncated: bool
    page_info: PageInfo
    completeness: Completeness

    @strawberry.field(
        description="The same page as columns: ends are positions in `nodes`, words are positions in `legend`."
    )
    def compact(self) -> JSON:
        page = cast("answers.Lineage", self)  # what is resolved is the inquiry's own answer
        return cast("JSON", columns_of(page))

    @strawberry.field
    async def root(self, info: Info) -> RootAsset:
        return await _root(self, info)


@strawberry.type(description="How many assets of one kind stand at one depth.")
class KindCount(_Mirror):
    kind: AssetKind
    depth: int
    count: int


@strawberry.type(description="What depends on a root.")
class Impact(_Mirror):
    total: int
    counts: list[KindCount]
    nodes: list[LineageNode]
    truncated: bool
    page_info: PageInfo
    completeness: Completeness

    @strawberry.field
    async def root(self, info: Info) -> RootAsset:
        return await _root(self, info)


@strawberry.type(description="One way between two assets; `edges[i]` joins `nodes[i]` with `nodes[i + 1]`.")
class Path(_Mirror):
    nodes: list[LineageNode]
    edges: list[LineageEdge]


@strawberry.type(description="The shortest ways between two assets.")
class PathList(_Mirror):
    paths: list[Path]
    total: int | None
    truncated: bool
    completeness: Completeness


@strawberry.input(description="Cuts the walk itself: an edge that does not fit is not there.")
class Walk:
    edges: list[EdgeKind] | None = None
    roles: list[Role] | None = None
    evidence: list[Evidence] | None = None
    min_confidence: float | None = None
    seen_since: datetime | None = None

    def value(self) -> answers.Walk:
        """The same for the graph."""
        return answers.Walk(
            edges=None if self.edges is None else tuple(self.edges),
            roles=None if self.roles is None else tuple(self.roles),
            evidence=None if self.evidence is None else tuple(self.evidence),
            min_confidence=self.min_confidence,
            seen_since=self.seen_since,
        )
