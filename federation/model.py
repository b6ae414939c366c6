"""The nouns every platform is translated into. Values only: nothing here reads, writes or waits."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

Json = Any
"""A decoded JSON value. It is judged once, at the rim, and travels on as facets only."""


class AssetKind(StrEnum):
    """What a thing is. The order is part of the store's format (arrays hold positions): append only."""

    DATASET = "DATASET"
    DATASET_VERSION = "DATASET_VERSION"
    COLUMN = "COLUMN"
    FEATURE_TABLE = "FEATURE_TABLE"
    FEATURE = "FEATURE"
    JOB = "JOB"
    RUN = "RUN"
    EXPERIMENT = "EXPERIMENT"
    MODEL = "MODEL"
    MODEL_VERSION = "MODEL_VERSION"
    ARTIFACT = "ARTIFACT"
    PROMPT = "PROMPT"
    PROMPT_VERSION = "PROMPT_VERSION"
    EVALUATION = "EVALUATION"
    INDEX = "INDEX"
    AGENT = "AGENT"
    DEPLOYMENT = "DEPLOYMENT"
    DASHBOARD = "DASHBOARD"
    CODE = "CODE"
    OTHER = "OTHER"


class EdgeKind(StrEnum):
    """How two things hang together, always from upstream to downstream. Append only."""

    READ = "READ"
    WRITE = "WRITE"
    DERIVE = "DERIVE"
    DEPLOY = "DEPLOY"
    CHECK = "CHECK"
    PART_OF = "PART_OF"
    VERSION_OF = "VERSION_OF"
    ALIAS_OF = "ALIAS_OF"
    RUN_OF = "RUN_OF"
    ORDER = "ORDER"


LINEAGE = (EdgeKind.READ, EdgeKind.WRITE, EdgeKind.DERIVE, EdgeKind.DEPLOY, EdgeKind.CHECK)
"""The kinds that carry lineage; the rest is structure."""


class Role(StrEnum):
    """What a READ was for. Append only."""

    TRAINING = "TRAINING"
    EVALUATION = "EVALUATION"
    INFERENCE = "INFERENCE"
    FEATURE = "FEATURE"
    PROMPT = "PROMPT"
    CODE = "CODE"
    REFERENCE = "REFERENCE"


class Evidence(StrEnum):
    """How a claim is known, best first. Append only."""

    OBSERVED = "OBSERVED"
    DECLARED = "DECLARED"
    PARSED = "PARSED"
    INFERRED = "INFERRED"
    STATED = "STATED"


class RunState(StrEnum):
    """How far a run is, or how it ended."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    ABORTED = "ABORTED"
    UNKNOWN = "UNKNOWN"


class SyncState(StrEnum):
    """How far a sync is, or how it ended."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    PARTIAL = "PARTIAL"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class LetterState(StrEnum):
    """What became of an event that could not be taken."""

    WAITING = "WAITING"
    REPLAYED = "REPLAYED"
    DISCARDED = "DISCARDED"


class SourceStatus(StrEnum):
    """What can be said of a source as a whole."""

    NEVER_SYNCED = "NEVER_SYNCED"
    OK = "OK"
    SYNCING = "SYNCING"
    STALE = "STALE"
    DEGRADED = "DEGRADED"
    REFUSED = "REFUSED"
    UNREACHABLE = "UNREACHABLE"
    REMOVED = "REMOVED"


class Direction(StrEnum):
    """Which way a walk goes."""

    UPSTREAM = "UPSTREAM"
    DOWNSTREAM = "DOWNSTREAM"
    BOTH = "BOTH"


class Level(StrEnum):
    """How fine a walk is: as told, by asset, by column."""

    FINE = "FINE"
    ASSET = "ASSET"
    COLUMN = "COLUMN"


class Form(StrEnum):
    """How a spelling is to be read; `naming` knows the rules of each. `Spelling.parts` per form:

    OPENLINEAGE (namespace, name) · SYMLINK (namespace, name, type) · FIELD (namespace, name, field) ·
    URI (uri,) · LOCAL (host or "", path) · TABLE (system, authority, dotted name) ·
    OPENLINEAGE_JOB (namespace, name) · OPENLINEAGE_RUN (run id,) ·
    MLFLOW (instance, workspace, type, id) · GIT (repository url, commit) · TABLE_UUID (uuid,) ·
    MLFLOW_DATASET (instance, workspace, experiment id, name, digest) · NATIVE (source id, native id) · NAME (text,) ·
    URN (DataHub's URN, source id, "sibling" where the source tells it as a further name)
    """

    OPENLINEAGE = "openlineage"
    SYMLINK = "symlink"
    FIELD = "field"
    URI = "uri"
    LOCAL = "local"
    TABLE = "table"
    OPENLINEAGE_JOB = "openlineage_job"
    OPENLINEAGE_RUN = "openlineage_run"
    MLFLOW = "mlflow"
    MLFLOW_DATASET = "mlflow_dataset"
    WANDB = "wandb"
    GIT = "git"
    TABLE_UUID = "table_uuid"
    NATIVE = "native"
    NAME = "name"
    URN = "urn"


@dataclass(frozen=True, slots=True)
class Spelling:
    """One way in which a platform writes one place, verbatim. Only `naming` judges it."""

    form: Form
    parts: tuple[str, ...]
    weak: bool = False
    """True: a hint (a parent folder, a digest), never enough to join."""


@dataclass(frozen=True, slots=True)
class Run:
    """What is told of a run's life."""

    state: RunState = RunState.UNKNOWN
    started_at: datetime | None = None
    ended_at: datetime | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """One source's asset, as one scope describes it."""

    native_id: str
    """What the source calls it, unique within the source over all kinds, for ever the same."""
    kind: AssetKind
    name: str
    """Empty: not told by this scope; another one's word counts, or the native id."""
    subtype: str | None = None
    described: bool = True
    """False: only a name at the end of an edge (a stub), until somebody describes it."""
    description: str | None = None
    url: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    run: Run | None = None
    spellings: tuple[Spelling, ...] = ()
    """Names exactly as the platform writes them; `naming` is the only place that judges them."""
    facets: Mapping[str, Json] = field(default_factory=dict[str, Json])
    """Everything else that was told. Well-known keys: `owners` [{name, role?}], `tags` [{key, value?}], `parameters`,
    `metrics`, `schema` [{name, type?, description?}], `links`. Unknown ones are kept and exported again."""
    teller: str | None = None
    """Who keeps this record apart from others within the source (an event's producer without its version);
    None: the source itself."""
    suspect: bool = False
    """Known only from parsed SQL under a name that may be no asset: kept, marked, never joined."""
    stated_at: datetime | None = None
    """When this was said, if the scope unites sayings of several times; None: the scope's time."""


@dataclass(frozen=True, slots=True)
class Edge:
    """One claim that something downstream came from something upstream; both ends are native ids of the same source."""

    upstream: str
    downstream: str
    kind: EdgeKind
    role: Role | None = None
    flow: int = 0
    """Which flow of its process a READ or WRITE belongs to; 0 joins all inputs with all outputs that are in flow 0."""
    evidence: Evidence = Evidence.DECLARED
    confidence: float = 1.0
    via: str | None = None
    """The run or job (native id) that a DERIVE between columns or assets went through."""
    planned: bool = False
    """True: a plan and no fact (what a failed batch run says it wrote): shown at FINE, walked nowhere else."""
    outcome: RunState | None = None
    """How the run behind it ended, where that matters."""
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    transformation: str | None = None
    alias: str | None = None
    """The name that an ALIAS_OF bears."""
    weight: float | None = None
    """The share of traffic of a DEPLOY, 0 to 1."""


class Nature(StrEnum):
    """What becomes of a scope's edges when a newer statement leaves them out (design §3).

    STANDING: declared; what is left out ends at the newer statement's time, the past stays true.
    TIMED: STANDING with a time of its own: holds from `stated_at`, and an older statement may still arrive.
    HAPPENED: a thing of the past; a newer statement corrects it, nothing expires.
    """

    STANDING = "STANDING"
    TIMED = "TIMED"
    HAPPENED = "HAPPENED"


@dataclass(frozen=True, slots=True)
class Scope:
    """What one source says about one matter at one time: the unit that a newer statement replaces."""

    key: str
    """Unique within the source. The text before the first "/" is the family, which complete listings name."""
    records: tuple[Record, ...] = ()
    edges: tuple[Edge, ...] = ()
    nature: Nature = Nature.STANDING
    stated_at: datetime | None = None
    """The platform's own time of the statement; None: the start of our read."""

    @property
    def family(self) -> str:
        """The listing this scope belongs to."""
        return family_of(self.key)


def family_of(key: str) -> str:
    """The listing that a scope of this key belongs to."""
    return key.partition("/")[0]


@dataclass(frozen=True, slots=True)
class Tombstone:
    """A source says that a thing is gone."""

    native_id: str
    at: datetime | None = None
    reason: str = "deleted at the source"
    teller: str = ""
    """Who says so within the source, if that can be taken back: a run that dropped a table, and then failed."""
    is_withdrawn: bool = False
    """What this teller said so far does not count: no death of it is known any more."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """One thing that could not be read as meant: kept aside with its reason, never dropped in silence."""

    what: str
    """Which thing: kind and native id, or the place in the input."""
    reason: str
    sample: str = ""
    """A scrubbed cut of the input, at most 2,000 characters."""
    lost: bool = True
    """False: a warning only; the thing itself was kept."""
