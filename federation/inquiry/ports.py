"""As much of the store as questions need."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol

from ..graph.graph import GraphReader
from ..rows import EdgeRow, Head, Match, SourceCounts, SourceRow, SyncRow


class Reader(GraphReader, Protocol):
    """Rows of a page, and records by their names."""

    def present_id(self, any_id: int) -> int | None:
        """The asset that a record belongs to now."""
        ...

    def assets_of(self, records: Iterable[int]) -> dict[int, int]:
        """The present asset of each record."""
        ...

    def heads(self, ids: Iterable[int]) -> dict[int, Head]:
        """As much of each asset as a page shows."""
        ...

    def changed_since(self, seq: int, assets: Iterable[int]) -> int:
        """How many of these assets the change log speaks of after a number."""
        ...

    def edges(self, claims: Iterable[int]) -> dict[int, EdgeRow]:
        """Claims by their ids."""
        ...

    def edges_of(self, records: Iterable[int], *, kinds: Iterable[int] = ()) -> list[EdgeRow]:
        """Live claims at these records."""
        ...

    def find_native(self, native_ids: Iterable[str], source_id: str | None = None) -> list[Match]:
        """Records by what their source calls them."""
        ...

    def find_keys(self, keys: Iterable[str], source_id: str | None = None) -> list[Match]:
        """Records by a key."""
        ...

    def find_places(self, keys: Iterable[str], source_id: str | None = None) -> list[Match]:
        """Records by a key without its authority."""
        ...


class Journal(Protocol):
    """What is known of sources and their pulls."""

    def sources(self) -> list[SourceRow]:
        """All sources."""
        ...

    def counts(self, source_id: str) -> SourceCounts:
        """What one source holds now."""
        ...

    def syncs(self, source_id: str | None = None, first: int = 20, after: int | None = None) -> Sequence[SyncRow]:
        """Pulls, newest first."""
        ...

    def last_complete(self, source_id: str) -> SyncRow | None:
        """The newest pull that read everything."""
        ...


class AnsweringStore(Protocol):
    """A store that questions can be put to."""

    @property
    def reader(self) -> Reader:
        """What is known."""
        ...

    @property
    def journal(self) -> Journal:
        """Of whom it is known."""
        ...

    def secret(self) -> bytes:
        """The key that signs cursors."""
        ...

    def identity(self) -> str:
        """The store's own id."""
        ...


def seconds(moment: datetime) -> int:
    """Whole seconds since 1970, rounded down."""
    return int(moment.timestamp() // 1)
