"""How far an instance has been read, project by project, as plain JSON that survives a kill."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, cast

from ...federation.connector import Cursor
from .wire import moment, number

_FORMAT = 1
PENDING = 1000
"""As many versions that wait for their manifest are remembered, and as many whose manifest could not be had."""


@dataclass(frozen=True, slots=True)
class Mark:
    """How far one project has been read. Times are the platform's own, but for pacing."""

    entity: str = ""
    name: str = ""
    newest: str = ""
    """The latest time that any run told."""
    versions: str = ""
    """The newest creation of a version whose manifest was read."""
    newest_versions: tuple[str, ...] = ()
    """Those that were made then."""
    pending: tuple[str, ...] = ()
    """Versions that had no manifest yet."""
    unread: tuple[str, ...] = ()
    """Versions whose manifest could not be had."""
    reconciled: str = ""
    """When everything was last read from first to last, by our clock."""
    page: str = ""
    """A full reading that was broken off goes on behind this page of runs."""
    shown: int = 0
    """As many runs as it had shown until then."""
    counted: int = 0
    """As many as the platform counted then."""

    @property
    def is_open(self) -> bool:
        """Whether a full reading was broken off."""
        return bool(self.page)

    def is_due(self, every: timedelta, now: datetime) -> bool:
        """Whether everything is to be read."""
        last = moment(self.reconciled)
        return last is None or now - last >= every


@dataclass(slots=True)
class Marks:
    """The whole cursor while a read goes on."""

    projects: dict[str, Mark] = field(default_factory=dict[str, Mark])
    updated_filter: bool | None = None
    """Whether runs can be asked for by their last update; None: not tried yet."""

    @classmethod
    def of(cls, since: Cursor | None) -> "Marks":
        """Read a stored cursor; one of another format is as none, so everything is read again."""
        if since is None or since.get("format") != _FORMAT:
            return cls()
        stored = cast(Mapping[str, Mapping[str, Any]], since.get("projects") or {})
        filtering = since.get("updated_filter")
        return cls({id_: _mark(one) for id_, one in stored.items()}, filtering if isinstance(filtering, bool) else None)

    def of_project(self, id_: str) -> Mark:
        """How far that project is."""
        return self.projects.get(id_, Mark())

    def move(self, id_: str, **changes: Any) -> Mark:
        """Write down progress."""
        self.projects[id_] = replace(self.of_project(id_), **changes)
        return self.projects[id_]

    def json(self) -> Cursor:
        """As it is stored."""
        projects = {id_: asdict(mark) for id_, mark in self.projects.items()}
        return {"format": _FORMAT, "updated_filter": self.updated_filter, "projects": projects}


def _mark(stored: Mapping[str, Any]) -> Mark:
    return Mark(
        **{
            name: str(stored.get(name) or "") for name in ("entity", "name", "newest", "versions", "reconciled", "page")
        },
        newest_versions=tuple(stored.get("newest_versions") or ()),
        pending=tuple(stored.get("pending") or ()),
        unread=tuple(stored.get("unread") or ()),
        shown=number(stored.get("shown")),
        counted=number(stored.get("counted")),
    )
