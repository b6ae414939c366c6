"""What the store hands out: one frozen value a thing. Times are aware UTC; ids are the store's integers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from .model import AssetKind, EdgeKind, Evidence, Json, LetterState, Role, Run, RunState, Spelling, SyncState


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One configured source; `id` owns the claims and never changes, `name` may."""

    id: str
    name: str
    platform: str
    url: str | None
    position: int
    """Its place in the configuration: who is first wins where records disagree."""
    removed_at: datetime | None = None
    stale_after_seconds: float | None = None
    """The schedule's longest gap, so that a missed sync can be told; None: never scheduled."""


@dataclass(frozen=True, slots=True)
class SourceCounts:
    """Exact counts of what one source holds at present."""

    assets: int
    edges: int
    skipped: int
    """Things kept aside, the letters that wait among them."""
    stubs: int = 0
    """Of the records those that are only named, and that the source does not describe."""
    letters: int = 0
    letter_at: datetime | None = None
    """When the newest letter that waits came in."""


@dataclass(frozen=True, slots=True)
class SyncRow:
    """One pull, as the journal knows it."""

    id: int
    source: str
    state: SyncState
    full: bool
    queued_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    complete: bool
    read: int
    written: int
    removed: int
    skipped: int
    done: int
    total: int | None
    message: str | None
    missing_grants: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    error: str | None = None
    """The class of the error that ended it (`SourceRefused`, …)."""
    cancel: bool = False
    """Somebody asked it to stop after the batch at hand."""


@dataclass(frozen=True, slots=True)
class SkipRow:
    """One thing kept aside, with its reason; the newest state only, one row a (source, what)."""

    source: str
    what: str
    reason: str
    sample: str
    lost: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class RecordRow:
    """One source's record, as all that the source said of it adds up."""

    id: int
    asset: int
    source: str
    source_name: str
    platform: str
    native_id: str
    kind: AssetKind
    subtype: str | None
    name: str
    described: bool
    description: str | None
    url: str | None
    created_at: datetime | None
    updated_at: datetime | None
    tombstoned_at: datetime | None
    recorded_at: datetime
    seen_at: datetime | None
    """The last complete sync of its source (a thing that did not change costs no write)."""
    run: Run | None
    suspect: bool
    spellings: tuple[Spelling, ...]
    facets: Mapping[str, Json]
    position: int
    """Its source's place in the configuration."""


@dataclass(frozen=True, slots=True)
class Head:
    """As much of an asset as a page of nodes shows, from its best record (source order, then the newer)."""

    id: int
    kind: AssetKind
    subtype: str | None
    name: str
    platforms: tuple[str, ...]
    tombstoned_at: datetime | None
    run: Run | None
    stub: bool
    """Nobody described it: known only as the end of an edge."""


@dataclass(frozen=True, slots=True)
class Named:
    """As much of an asset as it takes to put it in order among others."""

    id: int
    name: str
    kind: AssetKind


@dataclass(frozen=True, slots=True)
class Runs:
    """One page of an asset's runs, newest first: the id of each and its start in microseconds."""

    page: tuple[tuple[int, int], ...]
    total: int


@dataclass(frozen=True, slots=True)
class Match:
    """One record found by a native id or a key."""

    asset: int
    record: int
    source: str
    native_id: str
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """One page of a search: asset ids, best first."""

    ids: tuple[int, ...]
    total: int
    next: int | None
    """Where the next page starts; None: this was the last."""


@dataclass(frozen=True, slots=True)
class GapRow:
    """Something that is known to be missing or in dispute."""

    asset: int
    what: str
    remedy: str | None


@dataclass(frozen=True, slots=True)
class LinkRow:
    """Why two records are one asset."""

    left: int
    right: int
    rule: str
    score: float
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One entry of the change log; `seq` is commit order."""

    seq: int
    at: datetime
    record: int
    source: str
    what: str
    """created, renamed, changed, tombstoned, revived, joined, split, edge_added, edge_ended,
    edge_changed, edge_removed; withheld, edge_withheld (`after.reason`: out of selection, forgotten)."""
    before: Json
    after: Json
    other: int | None = None
    """The other end (record) of an edge, or the other asset of a join."""


@dataclass(frozen=True, slots=True)
class EdgeRow:
    """One live claim of one edge between records."""

    claim: int
    upstream: int
    downstream: int
    kind: EdgeKind
    role: Role | None
    flow: int
    source: str
    evidence: Evidence
    confidence: float
    via: int | None
    planned: bool
    outcome: RunState | None
    valid_from: datetime | None
    valid_to: datetime | None
    transformation: str | None
    alias: str | None
    weight: float | None


@dataclass(frozen=True, slots=True)
class LetterRow:
    """One dead letter: an event that could not be taken, scrubbed, with the reason."""

    id: int
    source: str
    place: str
    reason: str
    path: str
    """The JSON path that is wrong."""
    body: bytes
    at: datetime
    state: LetterState = LetterState.WAITING
    settled_at: datetime | None = None
    note: str | None = None
    """Why it was discarded."""
    event: int | None = None
    """The number of the event that it was replayed as."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """How far a rebuild is, or what it did."""

    step: str
    """records, claims, orphans, members, identity, words."""
    done: int
    total: int
    mended: Mapping[str, int]
    """Rows that were not what the claims give: records, claims, orphans, members, moved (joins); `left` counts scopes
    whose source was written all the time, so that they could not be judged."""
    resumed: bool
    """Whether it went on with one that was killed."""
    epoch: str | None = None
    """The new epoch, once it has ended."""


class Weight(StrEnum):
    """How much a finding of the doctor weighs: something is broken, or somebody should know of it."""

    BROKEN = "BROKEN"
    NOTE = "NOTE"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be, and what to do about it."""

    code: str
    """A word for programs, for ever the same."""
    weight: Weight
    what: str
    remedy: str
    count: int = 1
    examples: tuple[str, ...] = ()
    """At most five."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What forgetting a source did."""

    source: str
    retired: int
    """Claims that count no longer; they can still be asked for by `knownAt`, unless they were erased."""
    erased: int
    """Rows that are gone for good."""
    purged: bool


@dataclass(frozen=True, slots=True)
class Written:
    """What one write did."""

    read: int = 0
    written: int = 0
    """Claim rows added (facts and edges)."""
    removed: int = 0
    """Claim rows retired or ended."""
    skipped: int = 0
    touched: tuple[int, ...] = field(default=())
    """Records whose keys may have changed."""

    def __add__(self, other: "Written") -> "Written":
        return Written(
            self.read + other.read,
            self.written + other.written,
            self.removed + other.removed,
            self.skipped + other.skipped,
            self.touched + other.touched,
        )


@dataclass(frozen=True, slots=True)
class TokenRow:
    """One bearer token as the store knows it; the token itself is nowhere."""

    id: str
    """The part of the token that may be shown."""
    name: str
    role: str
    hash: bytes = field(repr=False)
    """SHA-256 of the part that may not."""
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    used_at: datetime | None = None
    """When it was last used, to a few minutes."""
    used_from: str | None = None
    """The address that it was last used from."""


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One entry of the audit log: what was done, by whom, from where."""

    chain: str
    """The writing process."""
    seq: int
    """Its number in that chain, from 1, without gaps."""
    at: datetime
    what: str
    by: str
    address: str | None
    detail: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Broken:
    """An entry of the audit log that is not what was written."""

    chain: str
    seq: int
    reason: str


@dataclass(frozen=True, slots=True)
class AuditProof:
    """What checking the whole audit log brought to light."""

    entries: int
    chains: int
    seals: int
    broken: tuple[Broken, ...]
    """The first broken entry of each chain, the oldest chain first."""
    sealed_at: datetime | None
    """When the chains were last sealed; up to there a tail that was cut off is noticed."""
    seal: str | None
    """The hash of the newest seal, to be kept elsewhere."""


@dataclass(frozen=True, slots=True)
class Copied:
    """A copy of a store, read back after it was written."""

    file: str
    rows: int
    bytes: int
    seq: int
    """The change log's number up to which it goes."""
