"""Sources, syncs, changes and what is missing, as GraphQL types."""

from collections.abc import Mapping
from datetime import datetime
from typing import cast

import strawberry
from strawberry.scalars import JSON

from ...federation.letters import remedy
from ...federation.rows import ChangeRow, GapRow, LetterRow, LinkRow, SyncRow
from .assets import Record
from .scalars import ID, SourceStatus, SyncState
from .standing import Standing


@strawberry.type(description="One configured platform.")
class Source:
    id: ID = strawberry.field(description="Owns what the source said, and never changes; the name may.")
    name: str
    platform: str
    url: str | None
    status: SourceStatus
    last_complete_sync: datetime | None
    next_sync: datetime | None
    assets: int
    edges: int
    skipped: int
    stubs: int = strawberry.field(description="Of `assets` those that are only named, and not described.")
    letters: int = strawberry.field(description="Events that could not be taken and wait; `skipped` counts them too.")
    missing_grants: list[str]
    lag: int = strawberry.field(description="Raw events that are not part of the graph yet.")
    message: str | None = strawberry.field(description="What the last sync said.")

    @classmethod
    def of(cls, standing: Standing) -> "Source":
        """A source as GraphQL shows it."""
        return cls(
            id=ID(standing.row.id),
            name=standing.row.name,
            platform=standing.row.platform,
            url=standing.row.url,
            status=standing.status,
            last_complete_sync=standing.last_complete,
            next_sync=standing.next_sync,
            assets=standing.counts.assets,
            edges=standing.counts.edges,
            skipped=standing.counts.skipped,
            stubs=standing.counts.stubs,
            letters=standing.counts.letters,
            missing_grants=list(standing.missing_grants),
            lag=standing.lag,
            message=standing.message,
        )


@strawberry.type(description="One pull of a source.")
class Sync:
    id: ID
    source: str
    state: SyncState
    full: bool
    started_at: datetime | None
    ended_at: datetime | None
    complete: bool = strawberry.field(description="Everything that was meant to be read was read.")
    read: int
    written: int
    removed: int
    skipped: int
    progress: float | None = strawberry.field(description="From 0 to 1, where the source tells how much there is.")
    message: str | None
    missing_grants: list[str]
    failures: list[str]

    @classmethod
    def of(cls, row: SyncRow, names: Mapping[str, str]) -> "Sync":
        """The journal's row as GraphQL shows it."""
        return cls(
            id=ID(str(row.id)),
            source=names.get(row.source, row.source),
            state=row.state,
            full=row.full,
            started_at=row.started_at,
            ended_at=row.ended_at,
            complete=row.complete,
            read=row.read,
            written=row.written,
            removed=row.removed,
            skipped=row.skipped,
            progress=_progress(row),
            message=row.message,
            missing_grants=list(row.missing_grants),
            failures=list(row.failures),
        )


def _progress(row: SyncRow) -> float | None:
    if row.complete:
        return 1.0
    return min(1.0, row.done / row.total) if row.total else None


@strawberry.type(description="One entry of the change log.")
class Change:
    seq: ID
    at: datetime
    asset: ID
    what: str
    before: JSON | None
    after: JSON | None
    source: str
    other: ID | None = strawberry.field(description="The other end of an edge, or the other asset of a join.")

    @classmethod
    def of(cls, row: ChangeRow, assets: Mapping[int, int], names: Mapping[str, str]) -> "Change":
        """The log's row as GraphQL shows it, under the assets of today."""
        return cls(
            seq=ID(str(row.seq)),
            at=row.at,
            asset=ID(str(assets.get(row.record, row.record))),
            what=row.what,
            before=cast(JSON | None, row.before),
            after=cast(JSON | None, row.after),
            source=names.get(row.source, row.source),
            other=None if row.other is None else ID(str(assets.get(row.other, row.other))),
        )


@strawberry.type(description="Why two records are one asset.")
class Link:
    left: ID
    right: ID
    rule: str
    score: float
    evidence: list[str]

    @classmethod
    def of(cls, row: LinkRow) -> "Link":
        """A join as GraphQL shows it."""
        return cls(
            left=ID(str(row.left)),
            right=ID(str(row.right)),
            rule=row.rule,
            score=row.score,
            evidence=list(row.evidence),
        )


@strawberry.type(description="What a person decided about two records.")
class Decision:
    id: ID
    left: ID
    right: ID
    same: bool
    by: str
    at: datetime
    undone_at: datetime | None


@strawberry.type(description="Which records an asset is made of, and why.")
class Identity:
    id: ID
    members: list[Record]
    links: list[Link]
    decisions: list[Decision]


@strawberry.type(description="Something that is known to be missing or in dispute.")
class Gap:
    asset: ID
    what: str
    remedy: str | None

    @classmethod
    def of(cls, row: GapRow) -> "Gap":
        """A gap as GraphQL shows it."""
        return cls(asset=ID(str(row.asset)), what=row.what, remedy=row.remedy)


@strawberry.type(description="An event that could not be taken, without its secrets, and why.")
class Letter:
    id: ID
    source: str
    place: str = strawberry.field(description="Where it came in.")
    reason: str
    path: str = strawberry.field(description="The JSON path of what is wrong.")
    body: str
    at: datetime
    state: str = strawberry.field(description="WAITING, REPLAYED or DISCARDED.")
    remedy: str = strawberry.field(description="What can be done about it.")
    note: str | None = strawberry.field(description="Why it was discarded.")
    settled_at: datetime | None

    @classmethod
    def of(cls, row: LetterRow, names: Mapping[str, str]) -> "Letter":
        """A dead letter as GraphQL shows it."""
        return cls(
            id=ID(str(row.id)),
            source=names.get(row.source, row.source),
            place=row.place,
            reason=row.reason,
            path=row.path,
            body=row.body.decode("utf-8", "replace"),
            at=row.at,
            state=row.state.value,
            remedy=remedy(row),
            note=row.note,
            settled_at=row.settled_at,
        )
