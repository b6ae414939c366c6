"""The things that a Marquez server keeps, as its tables do."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Row = dict[str, Any]
Pair = tuple[str, str]


@dataclass(slots=True)
class Version:
    """One version of a dataset: one a run."""

    id: str
    created_at: datetime
    run: str | None


@dataclass(slots=True)
class Dataset:
    """One dataset, under the first pair that it was told by."""

    namespace: str
    name: str
    created_at: datetime
    updated_at: datetime
    physical_name: str
    source: str = "default"
    fields: list[Row] = field(default_factory=list[Row])
    facets: Row = field(default_factory=Row)
    columns: list[Row] = field(default_factory=list[Row])
    tags: list[str] = field(default_factory=list[str])
    description: str | None = None
    lifecycle: str = ""
    versions: list[Version] = field(default_factory=list[Version])
    hidden: bool = False


@dataclass(slots=True)
class Job:
    """One job, under its stored name."""

    namespace: str
    name: str
    simple_name: str
    created_at: datetime
    updated_at: datetime
    parent: Pair | None = None
    type: str = "BATCH"
    location: str | None = None
    description: str | None = None
    facets: Row = field(default_factory=Row)
    tags: list[str] = field(default_factory=list[str])
    versions: list[Row] = field(default_factory=list[Row])
    runs: list[str] = field(default_factory=list[str])
    inputs: list[Pair] = field(default_factory=list[Pair])
    outputs: list[Pair] = field(default_factory=list[Pair])
    """Those of the version that was processed last."""
    drawn: tuple[list[Pair], list[Pair]] = field(default_factory=lambda: ([], []))
    """What `/lineage` draws."""
    symlink: Pair | None = None
    hidden: bool = False


@dataclass(slots=True)
class Run:
    """One run, in the state of the event that was processed last."""

    id: str
    job: Pair
    created_at: datetime
    updated_at: datetime
    state: str = "NEW"
    started_at: datetime | None = None
    ended_at: datetime | None = None
    nominal: Row = field(default_factory=Row)
    args: Row = field(default_factory=Row)
    facets: Row = field(default_factory=Row)
    job_facets: Row = field(default_factory=Row)
    version: str | None = None
    inputs: dict[Pair, str] = field(default_factory=dict[Pair, str])
    outputs: dict[Pair, str] = field(default_factory=dict[Pair, str])
