"""The change log of DataHub in miniature: records as Kafka holds them, and how they are polled over HTTP."""

import base64
from typing import Any

import orjson

from .sandbox_registry import Refusal, Row

VERSIONED = "MetadataChangeLog_Versioned_v1"
SERIES = "MetadataChangeLog_Timeseries_v1"
PLATFORM = "PlatformEvent_v1"
MAX_EVENTS = 5000
CONSUMERS = 5
"""How many may poll at a time."""
_SPACE = "com.linkedin.pegasus2avro"
_STAMP = f"{_SPACE}.common.AuditStamp"
_LONGS = ("lastObserved", "schemaVersion")
_TEXTS = ("runId", "lastRunId", "pipelineName", "registryName", "registryVersion", "version")


class Changelog:
    """Three topics of one partition each; what is older than the retention is dropped from the front."""

    def __init__(self) -> None:
        self._topics: dict[str, list[str]] = {VERSIONED: [], SERIES: [], PLATFORM: []}
        self._first = dict.fromkeys(self._topics, 0)
        """The offset of the oldest record that is still there."""
        self.polling = 0

    def add(
        self,
        topic: str,
        change: str,
        urn: str,
        aspect: str,
        new: tuple[Any, Row] | None,
        old: tuple[Any, Row] | None,
        created: Row,
    ) -> None:
        """Append one record: value and system metadata, before and after."""
        record = {
            "auditHeader": None,
            "entityType": urn.split(":", 3)[2],
            "entityUrn": {"string": urn},
            "entityKeyAspect": None,
            "changeType": change,
            "aspectName": {"string": aspect},
            "aspect": _aspect(new),
            "systemMetadata": _system(new),
            "headers": None,
            "previousAspectValue": _aspect(old),
            "previousSystemMetadata": _system(old),
            "created": {_STAMP: _stamp(created)},
        }
        self._topics[topic].append(orjson.dumps(record).decode())

    def forget(self, topic: str = VERSIONED) -> None:
        """Drop all records of a topic, as the retention does."""
        self._first[topic] += len(self._topics[topic])
        self._topics[topic].clear()

    def start(self, topic: str, offset: str | None, *, is_looking_back: bool) -> int:
        """Where a poll begins. An offset that is no longer there becomes the end, in silence. Raises `Refusal`."""
        if topic not in self._topics:
            raise Refusal(f"Topic {topic} is not supported", 500, "Internal Server Error")
        first = self._first[topic]
        end = first + len(self._topics[topic])
        if offset is None:
            return first if is_looking_back else end
        try:
            wanted = int(orjson.loads(base64.b64decode(offset, validate=True))[f"{topic}-0"])
        except (ValueError, KeyError, TypeError) as error:
            raise Refusal(f"Failed to decode offset {offset}", 500, "Internal Server Error") from error
        return wanted if first <= wanted <= end else end

    def waiting(self, topic: str, start: int) -> int:
        """How many records stand at an offset or behind it."""
        return self._first[topic] + len(self._topics[topic]) - start

    def page(self, topic: str, start: int, limit: int) -> Row:
        """One answer, from an offset on."""
        at = max(start - self._first[topic], 0)
        told = self._topics[topic][at : at + limit]
        offset = base64.b64encode(orjson.dumps({f"{topic}-0": self._first[topic] + at + len(told)})).decode()
        events = [{"contentType": "application/json", "value": one} for one in told]
        return {"offsetId": offset, "count": len(events), "events": events}


def _aspect(one: tuple[Any, Row] | None) -> Row | None:
    if one is None:
        return None
    # Avro writes bytes into JSON as one character a byte.
    text = orjson.dumps(one[0]).decode("latin-1")
    return {f"{_SPACE}.mxe.GenericAspect": {"value": text, "contentType": "application/json"}}


def _system(one: tuple[Any, Row] | None) -> Row | None:
    if one is None:
        return None
    told = one[1]
    found: Row = {name: _union("long", told.get(name)) for name in _LONGS}
    found |= {name: _union("string", told.get(name)) for name in _TEXTS}
    found["properties"] = _union("map", told.get("properties"))
    for name in ("aspectCreated", "aspectModified"):
        found[name] = _union(_STAMP, _stamp(told[name]) if told.get(name) else None)
    return {f"{_SPACE}.mxe.SystemMetadata": found}


def _union(name: str, value: Any) -> Row | None:
    return None if value is None else {name: value}


def _stamp(one: Row) -> Row:
    return {"time": one["time"], "actor": one["actor"], "impersonator": None, "message": None}
