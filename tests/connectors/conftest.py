"""What the tests of the connectors share: what all batches of one read add up to."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

import orjson
import pytest

from watersmeet.federation.connector import Batch, Cursor, Event
from watersmeet.federation.model import Edge, EdgeKind, Record, Scope, Skipped, Tombstone

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


@dataclass
class Told:
    """All that one read told."""

    batches: list[Batch] = field(default_factory=list[Batch])

    @classmethod
    def by(cls, batches: Iterable[Batch]) -> Self:
        return cls(list(batches))

    def _all(self, what: str) -> Iterator[Any]:
        for batch in self.batches:
            yield from getattr(batch, what)

    @property
    def scopes(self) -> list[Scope]:
        return list(self._all("scopes"))

    @property
    def events(self) -> list[Event]:
        return list(self._all("events"))

    @property
    def bodies(self) -> list[Any]:
        """The events, decoded."""
        return [orjson.loads(event.body) for event in self.events]

    @property
    def edges(self) -> list[Edge]:
        return [edge for scope in self.scopes for edge in scope.edges]

    @property
    def records(self) -> dict[str, Record]:
        """What describes each thing; a stub only where nothing else does."""
        found: dict[str, Record] = {}
        for record in (record for scope in self.scopes for record in scope.records):
            if record.described or record.native_id not in found:
                found[record.native_id] = record
        return found

    @property
    def tombstones(self) -> list[Tombstone]:
        return list(self._all("tombstones"))

    @property
    def skipped(self) -> list[Skipped]:
        return list(self._all("skipped"))

    @property
    def failures(self) -> list[str]:
        return list(self._all("failures"))

    @property
    def grants(self) -> list[str]:
        return list(self._all("missing_grants"))

    @property
    def listed(self) -> set[str]:
        return set(self._all("listed"))

    @property
    def cursor(self) -> Cursor:
        """The last place to resume from, as it comes back from the store."""
        stored = [batch.resume for batch in self.batches if batch.resume is not None][-1]
        return orjson.loads(orjson.dumps(stored))

    @property
    def complete(self) -> bool:
        return self.batches[-1].complete

    def pairs(self, kind: EdgeKind) -> set[tuple[str, str]]:
        """Both ends of all edges of a kind."""
        return {(edge.upstream, edge.downstream) for edge in self.edges if edge.kind is kind}


@pytest.fixture
def told() -> Callable[[Iterable[Batch]], Told]:
    return Told.by
