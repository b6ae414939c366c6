"""What only a Weights & Biases source can be told: how much is read, and how often everything."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ...config.errors import Misconfigured
from ..options import read_options


@dataclass(frozen=True, slots=True)
class Options:
    """`options` of a source of platform wandb; durations are minutes or hours as the name says."""

    page_size: int = 20
    """Runs a page, each with what it read and wrote: the service counts database time, so small pages go further."""
    max_params: int = 500
    max_metrics: int = 500
    overlap_minutes: float = 10.0
    """How far behind the newest heartbeat and creation seen each sync looks again."""
    reconcile_hours: float = 24.0
    """How often everything is read from first to last, so that what is gone is noticed."""
    manifests: bool = True
    """Read each new version's manifest once, for the files and versions that it refers to."""
    max_references: int = 100
    """References of one version that are kept one by one; more are collapsed into their folders."""
    generated: bool = False
    """Read artifacts that the client makes by itself too: histories, code, jobs, tables of runs."""
    besides: bool = True
    """Read reports, launch queues and automations when everything is read."""
    mlflow: str = ""
    """The source, or `source/workspace`, that reads the MLflow whose run ids stand in configs and tags: both join."""
    write_project: str = "watersmeet"
    """The project that the writer gives to what had none where it came from."""
    write_registry: str = "model"
    """The registry (`wandb-registry-` and this) that models of other platforms are linked into; empty: none."""

    @property
    def overlap(self) -> timedelta:
        """`overlap_minutes` as a duration."""
        return timedelta(minutes=self.overlap_minutes)

    @property
    def reconcile_every(self) -> timedelta:
        """`reconcile_hours` as a duration."""
        return timedelta(hours=self.reconcile_hours)

    @classmethod
    def of(cls, given: Mapping[str, Any], source: str) -> "Options":
        """Read the `options` of a source; raises `Misconfigured` with what is allowed."""
        options = read_options(cls, given, source, "wandb")
        if not 1 <= options.page_size <= 1000:
            raise Misconfigured(f"source {source!r}: options.page_size is between 1 and 1000 (20 to 50 is good)")
        if options.max_references < 1:
            raise Misconfigured(f"source {source!r}: options.max_references is at least 1")
        return options
