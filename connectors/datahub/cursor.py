"""How far a DataHub has been read, as plain JSON that survives a kill and stays small: the store knows what is old."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from ...federation.connector import Cursor
from .options import Options

_FORMAT = 2


@dataclass(frozen=True, slots=True)
class Marks:
    """Where the reading stands. Times are ours."""

    full: str = ""
    """When the last reading from first to last began; empty: there was none."""
    polled: str = ""
    """When the change log was last asked."""
    offsets: Mapping[str, str] = field(default_factory=dict[str, str])
    """For each topic where the change log goes on; none: it cannot be followed."""
    totals: Mapping[str, int] = field(default_factory=dict[str, int])
    """How many entities each group of types had."""
    group: str = ""
    """The group that a reading from first to last is at; empty: none is under way."""
    scroll: str | None = None
    began: str = ""
    """When that reading began."""

    @classmethod
    def of(cls, since: Cursor | None) -> "Marks":
        """Read a stored cursor; one of another format is as none."""
        if since is None or since.get("format") != _FORMAT:
            return cls()
        return cls(**{name: since[name] for name in cls.__slots__ if name in since})

    def json(self) -> Cursor:
        """As it is stored."""
        return {"format": _FORMAT, **asdict(self)}

    def moved(self, **changes: Any) -> "Marks":
        """The same with some changes."""
        return replace(self, **changes)

    def is_due(self, options: Options, now: datetime) -> bool:
        """Whether everything must be read: none ever was, it is time, or changes may be gone from the log."""
        if not self.full or not self.offsets or self.group:
            return True
        return _older(self.full, options.full_every, now) or _older(self.polled, options.events_retention, now)

    def since_full(self) -> datetime | None:
        """When the last reading from first to last began."""
        return datetime.fromisoformat(self.full) if self.full else None


def written(at: datetime) -> str:
    """A time as the cursor keeps it."""
    return at.astimezone(UTC).isoformat()


def _older(at: str, than: timedelta, now: datetime) -> bool:
    return not at or now - datetime.fromisoformat(at) >= than
