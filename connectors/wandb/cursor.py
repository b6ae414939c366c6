"""How far an instance has been read, project by project, as plain JSON that survives a kill."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
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
    """Versions that had no manifest yet, or whose manifest was put off: the next sync asks for them."""
    unread: tuple[str, ...] = ()
    """Versions whose manifest could not be had."""
    open_since: str = ""
    """Of both there may be more, which were made then or later."""
    reconciled: str = ""
    """When everything was last read from first to last, by our clock."""
    began: str = ""
    """When the full reading began that is under way or was broken off, by our clock."""
    page: str = ""
    """It goes on behind this page of runs,"""
    collections: str = ""
    """behind this page of collections,"""
    collection: str = ""
    """in this collection,"""
    members: str = ""
    """behind this page of its versions;"""
    shelved: bool = False
    """or all of them have been read."""
    shown: int = 0
    """As many runs as it had shown until then."""
    counted: int = 0
    """As many as the platform counted then."""

    def opened(self, now: str) -> "Mark":
        """At the beginning of a full reading; at its end, without a time."""
        first = {"page": "", "shown": 0, "counted": 0, "collections": "", "collection": "", "members": ""}
        first["open_since"] = ""
        return replace(self, began=now, shelved=False, **first)

    @property
    def is_open(self) -> bool:
        """Whether a full reading was broken off."""
        return bool(self.began)

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
        return self.put(id_, replace(self.of_project(id_), **changes))

    def put(self, id_: str, mark: Mark) -> Mark:
        """Write down how far a project is."""
        self.projects[id_] = mark
        return mark

    def json(self) -> Cursor:
        """As it is stored."""
        projects = {id_: asdict(mark) for id_, mark in self.projects.items()}
        return {"format": _FORMAT, "updated_filter": self.updated_filter, "projects": projects}


def _mark(stored: Mapping[str, Any]) -> Mark:
    return Mark(**{one.name: _restored(stored.get(one.name), one.default) for one in fields(Mark)})


def _restored(value: Any, default: Any) -> Any:
    """A value of the kind that its default is of, whatever stands there."""
    match default:
        case bool():
            return value is True
        case int():
            return number(value)
        case str():
            return str(value or "")
        case _:
            return tuple(value or ())
