"""What a platform must offer to be heard."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Protocol, runtime_checkable

from .dossier import Dossier, Look, Written
from .model import Json, Record, Scope, Skipped, Tombstone

Cursor = Mapping[str, Json]
"""Where to resume: plain JSON, written and read by the connector alone, stored in one transaction with its batch."""


@dataclass(frozen=True, slots=True)
class Event:
    """One OpenLineage event as it came: `body` are its bytes, `place` says where it stood (a file and line, a page)."""

    body: bytes
    place: str = ""


@dataclass(frozen=True, slots=True)
class Batch:
    """One page of news, and where to resume once it is safely stored."""

    scopes: tuple[Scope, ...] = ()
    tombstones: tuple[Tombstone, ...] = ()
    events: tuple[Event, ...] = ()
    """Raw OpenLineage events: the store keeps them, `openlineage` makes scopes of them."""
    skipped: tuple[Skipped, ...] = ()
    missing_grants: tuple[str, ...] = ()
    """Permissions that were refused, in the platform's own words."""
    failures: tuple[str, ...] = ()
    """Parts that could not be read though the rest could: the sync ends as PARTIAL."""
    resume: Cursor | None = None
    """Where a killed sync goes on; None: keep the former one."""
    listed: tuple[str, ...] = ()
    """Families that this very `read` has now listed from first to last: what it did not mention is gone."""
    unread: tuple[str, ...] = ()
    """Keys of scopes that are there and could not be read: a listing without them still leaves them as they were."""
    unsure: bool = False
    """True: the platform cannot tell a missing permission from nothing, so it takes two such listings."""
    complete: bool = False
    """True on the last batch, if everything that was meant to be read was read."""
    done: int = 0
    total: int | None = None
    """Progress: things read so far in this read, and how many there will be where that is known."""


@dataclass(frozen=True, slots=True)
class Health:
    """What `check` found."""

    reachable: bool
    version: str | None = None
    message: str = ""
    missing_grants: tuple[str, ...] = ()
    capabilities: Mapping[str, bool] = field(default_factory=dict[str, bool])


@runtime_checkable
class Selective(Protocol):
    """A connector whose source may leave things out (`include`, `exclude`, workspaces, namespaces)."""

    @property
    def selection(self) -> str:
        """What is let through, as a text: where another one is in force, what the store holds is judged anew."""
        ...

    def left_out(self, records: Iterable[Record]) -> Iterator[str]:
        """The native ids of those that the selection leaves out, judged by kind, name, native id and spellings alone.
        What is a run, a part or a version of one of them goes with it."""
        ...


@runtime_checkable
class Refusing(Protocol):
    """A connector whose platform tells what is absent from what is hidden."""

    @property
    def refused(self) -> tuple[str, ...]:
        """Of the native ids that `gone` was asked for in this read, those that the platform will not speak of."""
        ...


@runtime_checkable
class Connector(Protocol):
    """One configured source of one platform. A reader never writes to its platform."""

    platform: ClassVar[str]

    def check(self) -> Health:
        """Reach the platform and tell version and permissions; raises `SourceError`."""
        ...

    def read(self, since: Cursor | None) -> Iterator[Batch]:
        """Yield what is new, lazily; `since` is the last stored cursor, None means everything. Raises `SourceError`."""
        ...

    def gone(self, native_ids: Iterable[str]) -> Iterator[str]:
        """Of the things a complete listing lacked, those that are really gone (a 404 and no 403)."""
        ...

    def close(self) -> None:
        """Give back connections and files."""
        ...


@runtime_checkable
class Writer(Protocol):
    """One target that can take what was read elsewhere.

    Whoever calls it goes through all dossiers once for each of `stages`, in one stable order, as they came to be, and
    keeps the place after each call: after a kill the last call is made again, so writing the same twice must change
    nothing.
    """

    platform: ClassVar[str]
    stages: ClassVar[tuple[str, ...]]
    """The rounds it needs, by name: `("all",)` where the target takes things in any order."""
    at_once: ClassVar[int]
    """How many dossiers it takes a call, at most."""

    def check(self) -> Health:
        """Reach the target and tell version and permissions; raises `SourceError`."""
        ...

    def write(self, stage: str, dossiers: Sequence[Dossier], look: Look) -> Written:
        """Put them there; when it returns, the target holds what it says. Over all stages each fact (`dossier.facts`)
        has exactly one outcome. A fact that the target refuses is one too; raises `SourceError` where it cannot be
        reached, refuses the key or has no more room. `look` is for what must be there first and is handed over in
        another call."""
        ...

    def close(self) -> None:
        """Finish what is open, and give back connections and files."""
        ...
