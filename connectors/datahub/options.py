"""What only a DataHub source can be told: how much is asked at once, and which parts are asked for at all."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

from ...config.errors import Misconfigured
from ..options import Reader, read_options
from .schemas import FABRICS

MOST = 5000
"""The server silently answers 5000 to everything beyond 10000."""

IGNORED = (
    *("dataHubExecutionRequest", "dataHubIngestionSource", "dataHubOpenAPISchema", "dataHubPageModule"),
    *("dataHubPageTemplate", "dataHubPolicy", "dataHubRetention", "dataHubStepState", "dataHubUpgrade", "dataHubView"),
    *("globalSettings", "post", "telemetry", "test"),
)
"""What DataHub keeps of itself and its page."""


@dataclass(frozen=True, slots=True)
class Options:
    """`options` of a source of platform datahub."""

    page_size: int = 300
    """Entities a page; halved where an answer is too large."""
    events: bool = True
    """Follow the change log between full readings, where the server lets us."""
    events_retention_days: float = 6.0
    """Changes older than this may be gone from the log: then everything is read."""
    full_hours: float = 24.0
    """How often everything is read from first to last, so that what is gone is noticed."""
    run_events: int = 20
    """How many of the newest events of a run or an assertion are read; 0: none, so that runs have no end."""
    ignore: tuple[str, ...] = IGNORED
    """Types of entities that are not read."""
    trackers: Mapping[str, str] = field(default_factory=dict[str, str])
    """`{mlflow: tracking}`: the source that reads the tracker whose runs DataHub knows, so that both join."""
    env: str = "PROD"
    """Writing: the environment that things of other platforms stand in."""
    platform_instance: Mapping[str, str] = field(default_factory=dict[str, str])
    """Writing: `{postgres: warehouse}`, the instance of a platform, which stands in front of names and beside them."""

    @property
    def full_every(self) -> timedelta:
        """`full_hours` as a duration."""
        return timedelta(hours=self.full_hours)

    @property
    def events_retention(self) -> timedelta:
        """`events_retention_days` as a duration."""
        return timedelta(days=self.events_retention_days)

    @classmethod
    def of(cls, given: Mapping[str, Any], source: str) -> "Options":
        """Read the `options` of a source; raises `Misconfigured` with what is allowed."""
        options = read_options(cls, given, source, "datahub", _READERS)
        options._check(source)
        return options

    def _check(self, source: str) -> None:
        if self.page_size < 1:
            raise Misconfigured(f"source {source!r}: options.page_size is at least 1 (200 to 500 is good)")
        if self.env not in FABRICS:
            known = ", ".join(sorted(FABRICS))
            raise Misconfigured(f"source {source!r}: options.env {self.env!r} is none of DataHub's: {known}")
        if self.run_events < 0:
            raise Misconfigured(f"source {source!r}: options.run_events is 0 or more")


def _types(value: Any) -> tuple[str, ...]:
    if isinstance(value, list) and all(isinstance(one, str) for one in cast(list[object], value)):
        return tuple(cast(list[str], value))
    raise ValueError("must be a list of types")


def _by_platform(what: str) -> Reader:
    def reader(value: Any) -> dict[str, str]:
        if isinstance(value, dict) and all(isinstance(one, str) for one in cast(dict[str, object], value).values()):
            return cast(dict[str, str], value)
        raise ValueError(f"names {what} for a platform")

    return reader


_READERS: Mapping[str, Reader] = {
    "ignore": _types,
    "trackers": _by_platform("a source"),
    "platform_instance": _by_platform("an instance"),
}
