"""How far an MLflow server has been read, workspace by workspace, as plain JSON that survives a kill."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from ...federation.connector import Cursor
from .wire import number

_FORMAT = 1
OPEN_RUNS = 5000
"""More running runs than this are not remembered by id; the reconciliation finds how they ended."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """Where a reading from first to last stands: experiments from this one on, runs started at or after `start`."""

    experiment: str
    start: int
    newest_end: int
    """The newest end that the server knew when the sweep began: later ones may have been passed by."""


@dataclass(frozen=True, slots=True)
class Mark:
    """How far one workspace has been read. Times are MLflow's own milliseconds, never our clock's, but for pacing."""

    start: int = 0
    end: int = 0
    models: int = 0
    open: tuple[str, ...] = ()
    rechecked: int = 0
    reconciled: int = 0
    sweep: Sweep | None = None
    registered: str = ""
    """A registered model that was shown: if none is any more, it is asked for by name."""

    @property
    def is_first(self) -> bool:
        """Whether no reading from first to last was ever finished."""
        return not self.start and not self.end and not self.reconciled

    def due(self, what: str, every: timedelta, now: datetime) -> bool:
        """Whether the recheck or the reconciliation is due."""
        return millis(now) - number(getattr(self, what)) >= every / timedelta(milliseconds=1)


@dataclass(slots=True)
class Marks:
    """The whole cursor while a read goes on."""

    workspaces: dict[str, Mark] = field(default_factory=dict[str, Mark])

    @classmethod
    def of(cls, since: Cursor | None) -> "Marks":
        """Read a stored cursor; one of another format is as none, so everything is read again."""
        if since is None or since.get("format") != _FORMAT:
            return cls()
        stored = cast(Mapping[str, Mapping[str, Any]], since.get("workspaces") or {})
        return cls({name: _mark(one) for name, one in stored.items()})

    def of_workspace(self, name: str) -> Mark:
        """How far that workspace is."""
        return self.workspaces.get(name, Mark())

    def move(self, name: str, **changes: Any) -> Mark:
        """Write down progress."""
        self.workspaces[name] = replace(self.of_workspace(name), **changes)
        return self.workspaces[name]

    def json(self) -> Cursor:
        """As it is stored."""
        return {"format": _FORMAT, "workspaces": {name: asdict(mark) for name, mark in self.workspaces.items()}}


def _mark(stored: Mapping[str, Any]) -> Mark:
    sweep = stored.get("sweep")
    return Mark(
        start=number(stored.get("start")),
        end=number(stored.get("end")),
        models=number(stored.get("models")),
        open=tuple(stored.get("open") or ()),
        rechecked=number(stored.get("rechecked")),
        reconciled=number(stored.get("reconciled")),
        sweep=Sweep(sweep["experiment"], number(sweep["start"]), number(sweep["newest_end"])) if sweep else None,
        registered=str(stored.get("registered") or ""),
    )


def millis(at: datetime) -> int:
    """A time as MLflow writes it."""
    return round((at - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(milliseconds=1))
