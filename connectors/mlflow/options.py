"""What only an MLflow source can be told: how much is read, and how often what carries no timestamp is read again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ...config.errors import Misconfigured
from ..options import read_options


@dataclass(frozen=True, slots=True)
class Options:
    """`options` of a source of platform mlflow; durations are hours or days as the name says."""

    page_size: int = 500
    max_params: int = 500
    max_metrics: int = 500
    max_tags: int = 200
    overlap_hours: float = 1.0
    """How far behind the newest start and end seen each sync looks again: clients set these times themselves."""
    recheck_days: float = 7.0
    """Runs that started this recently are read again for late tags, metrics and deletions, which move no timestamp."""
    recheck_hours: float = 6.0
    """How often that is done."""
    reconcile_hours: float = 24.0
    """How often everything is read from first to last, so that what is gone is noticed."""
    stale_days: float = 30.0
    """A run that has been RUNNING for longer is marked stale."""
    signatures: bool = True
    """Read each new model's signature (one small call a model, once), for lineage between columns and models."""
    model_inputs: str = "auto"
    """`auto` asks for the models that evaluation runs read, `always` asks for every run (9 ms each), `never` never."""
    prompt_text: bool = False
    """Keep the templates of prompts, which are user text."""
    traces: bool = False
    """Count traces by day, model and prompt; what was asked and answered is never read."""

    @property
    def overlap(self) -> timedelta:
        """`overlap_hours` as a duration."""
        return timedelta(hours=self.overlap_hours)

    @property
    def recheck_window(self) -> timedelta:
        """`recheck_days` as a duration."""
        return timedelta(days=self.recheck_days)

    @property
    def recheck_every(self) -> timedelta:
        """`recheck_hours` as a duration."""
        return timedelta(hours=self.recheck_hours)

    @property
    def reconcile_every(self) -> timedelta:
        """`reconcile_hours` as a duration."""
        return timedelta(hours=self.reconcile_hours)

    @property
    def stale_after(self) -> timedelta:
        """`stale_days` as a duration."""
        return timedelta(days=self.stale_days)

    @classmethod
    def of(cls, given: Mapping[str, Any], source: str) -> "Options":
        """Read the `options` of a source; raises `Misconfigured` with what is allowed."""
        options = read_options(cls, given, source, "mlflow")
        options._check(source)
        return options

    def _check(self, source: str) -> None:
        if self.model_inputs not in ("auto", "always", "never"):
            raise Misconfigured(f"source {source!r}: options.model_inputs is auto, always or never")
        if not 1 <= self.page_size <= 5000:
            raise Misconfigured(f"source {source!r}: options.page_size is between 1 and 5000 (200 to 500 is good)")
