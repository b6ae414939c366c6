"""A catalogue of any size: its datasets are made when they are asked for, so that many of them take no memory."""

from collections.abc import Callable, Iterator
from typing import Any

from watersmeet.connectors.datahub.sandbox_world import Entity, Stored, World

COLUMNS = 10
SOURCES = 200
"""So many datasets read from nothing; every later one reads from the one that many before it."""
_TIME = 1_750_000_000_000
_ACTOR = {"time": _TIME, "actor": "urn:li:corpuser:datahub"}
_SYSTEM = {"lastObserved": _TIME, "runId": "grown", "version": "1", "aspectCreated": _ACTOR, "aspectModified": _ACTOR}


def urn_of(number: int) -> str:
    """The name of one dataset. Names stand in the order of their numbers."""
    return f"urn:li:dataset:(urn:li:dataPlatform:postgres,warehouse.grown.table_{number:07},PROD)"


def table_edges(datasets: int) -> int:
    """How many edges between datasets are told; between their columns ten times as many."""
    return max(datasets - SOURCES, 0)


class Grown(World):
    """So many datasets, each with ten columns, each column but the first datasets' from a column of another one."""

    def __init__(self, clock: Callable[[], float], datasets: int) -> None:
        super().__init__(clock)
        self._names = [urn_of(number) for number in range(datasets)]
        self._numbers = {name: number for number, name in enumerate(self._names)}

    def get(self, urn: str) -> Entity | None:
        number = self._numbers.get(urn)
        return super().get(urn) if number is None else _made(number)

    def urns(self, kinds: set[str] | None = None, *, with_removed: bool = True) -> Iterator[str]:
        if kinds is None or "dataset" in kinds:
            yield from self._names
        yield from super().urns(kinds, with_removed=with_removed)


def _made(number: int) -> Entity:
    told = {"status": {"removed": False}, "datasetProperties": _properties(number), "schemaMetadata": _schema()}
    told["ownership"] = {"owners": [{"owner": f"urn:li:corpuser:owner_{number % 500}", "type": "TECHNICAL_OWNER"}]}
    if number >= SOURCES:
        told["upstreamLineage"] = _lineage(urn_of(number), urn_of(number - SOURCES))
    return Entity({name: Stored(value, _SYSTEM) for name, value in told.items()})


def _properties(number: int) -> dict[str, Any]:
    return {"name": f"table_{number:07}", "description": f"Number {number}", "customProperties": {"team": "grown"}}


def _schema() -> dict[str, Any]:
    return {
        "schemaName": "grown",
        "platform": "urn:li:dataPlatform:postgres",
        "version": 0,
        "hash": "",
        "platformSchema": {"com.linkedin.schema.OtherSchema": {"rawSchema": ""}},
        "fields": [
            {
                "fieldPath": f"column_{number}",
                "nullable": False,
                "type": {"type": {"com.linkedin.schema.StringType": {}}},
                "nativeDataType": "text",
            }
            for number in range(COLUMNS)
        ],
    }


def _lineage(down: str, up: str) -> dict[str, Any]:
    return {
        "upstreams": [{"dataset": up, "type": "TRANSFORMED", "auditStamp": _ACTOR}],
        "fineGrainedLineages": [
            {
                "upstreamType": "FIELD_SET",
                "downstreamType": "FIELD",
                "upstreams": [f"urn:li:schemaField:({up},column_{number})"],
                "downstreams": [f"urn:li:schemaField:({down},column_{number})"],
                "confidenceScore": 1.0,
            }
            for number in range(COLUMNS)
        ],
    }
