"""A DataHub of the tests that answers in memory, and misbehaves where it is told to."""

import base64
import json
from collections import deque
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import httpx2

URL = "http://datahub.test:8080"
Answer = httpx2.Response
Fault = Callable[[httpx2.Request], Answer | None]
OBJECTS = {
    "dataset": (
        "status",
        "datasetProperties",
        "upstreamLineage",
        "schemaMetadata",
        "ownership",
        "siblings",
        "datasetProfile",
    ),
    "dataProcessInstance": ("dataProcessInstanceProperties", "dataProcessInstanceRunEvent", "status"),
    "assertion": ("assertionInfo", "assertionRunEvent"),
    "tag": ("tagProperties",),
    "corpuser": ("corpUserInfo",),
}


class Catalog:
    """Entities by URN, each with its aspects as the API wraps them."""

    def __init__(self) -> None:
        self.entities: dict[str, dict[str, Any]] = {}
        self.series: dict[str, list[str]] = {}
        self.log: dict[str, list[Any]] = {"MetadataChangeLog_Versioned_v1": [], "MetadataChangeLog_Timeseries_v1": []}
        self.types: dict[str, tuple[str, ...]] | None = dict(OBJECTS)
        self.calls = 0
        self.asked: deque[tuple[str, dict[str, str], Any]] = deque(maxlen=20)
        """The last calls: path, parameters, body."""
        self.faults: list[Fault] = []
        self.config: dict[str, Any] = {
            "noCode": "true",
            "versions": {"acryldata/datahub": {"version": "1.2.0"}},
            "datahub": {"serverEnv": "core"},
        }

    def put(self, urn: str, aspect: str, value: Any, at: int = 1_700_000_000_000, **stamps: Any) -> None:
        """State an aspect, and tell the change log."""
        entity = self.entities.setdefault(urn, {})
        version = int(entity.get(aspect, {}).get("systemMetadata", {}).get("version", "0")) + 1
        told = {"version": str(version), "aspectModified": {"time": at}, "lastObserved": at, **stamps}
        entity[aspect] = {"value": value, "systemMetadata": told}
        self.tell(urn, aspect)

    def drop(self, urn: str, aspect: str = "") -> None:
        """Delete an aspect, or the whole entity."""
        if aspect:
            del self.entities[urn][aspect]
        else:
            del self.entities[urn]
        self.tell(urn, aspect or f"{urn.split(':')[2]}Key", "DELETE")

    def tell(self, urn: str, aspect: str, change: str = "UPSERT") -> None:
        """One record of the change log, with Avro's unions."""
        record = {"entityType": urn.split(":")[2], "entityUrn": {"string": urn}, "changeType": change}
        self.log["MetadataChangeLog_Versioned_v1"].append(json.dumps({**record, "aspectName": {"string": aspect}}))

    def fail(self, part: str, status: int, times: int = -1, body: Any = None, headers: Any = None) -> None:
        """Answer so to the next calls whose path holds `part`; -1: to all."""
        left = [times]

        def fault(request: httpx2.Request) -> Answer | None:
            if part not in request.url.path or left[0] == 0:
                return None
            left[0] -= 1
            content = body if isinstance(body, str) else json.dumps(body if body is not None else {"error": "told to"})
            return Answer(status, text=content, headers=headers)

        self.faults.append(fault)

    @property
    def transport(self) -> httpx2.MockTransport:
        """What takes the place of the network."""
        return httpx2.MockTransport(self)

    def __call__(self, request: httpx2.Request) -> Answer:
        body: Any = json.loads(request.content) if request.content else None
        query = dict(request.url.params.multi_items())
        self.calls += 1
        self.asked.append((request.url.path, query, body))
        for fault in self.faults:
            answer = fault(request)
            if answer is not None:
                return answer
        match request.url.raw_path.decode().partition("?")[0].strip("/").split("/"):
            case ["config"]:
                return Answer(200, json=self.config)
            case [*_, "specifications"] if self.types is not None:
                return self._registry(int(query["start"]), int(query["count"]))
            case ["openapi", "v3", "entity", "scroll"]:
                return self._scroll(query, body)
            case ["openapi", "v3", "entity", _, "batchGet"]:
                return Answer(
                    200, json=[self._shown(one["urn"], list(one)) for one in body if one["urn"] in self.entities]
                )
            case ["openapi", "v3", "entity", _, urn, *aspect]:
                found = self.entities.get(unquote(urn))
                there = found is not None and all(one in found for one in aspect)
                return Answer(200, json={"urn": unquote(urn)}) if there else Answer(404)
            case ["openapi", "v1", "events", "poll"]:
                return self._poll(query)
            case ["aspects"]:
                values = [{"aspect": {"value": one}} for one in self.series.get(body["urn"], [])][: body["limit"]]
                return Answer(200, json={"value": {"values": values}})
            case _:
                return Answer(404, json={"error": "no such route"})

    def _registry(self, start: int, count: int) -> Answer:
        assert self.types is not None
        listed = [
            {
                "name": name,
                "keyAspectName": f"{name}Key",
                "aspectSpecs": [{"aspectAnnotation": {"name": one}} for one in aspects],
            }
            for name, aspects in self.types.items()
        ]
        return Answer(200, json={"start": start, "total": len(listed), "elements": listed[start : start + count]})

    def _scroll(self, query: dict[str, str], body: Any) -> Answer:
        count, after = int(query["count"]), base64.b64decode(query.get("scrollId", "")).decode()
        there = sorted(one for one in self.entities if one.split(":")[2] in body["entities"])
        rows = [one for one in there if one > after][:count]
        told: dict[str, Any] = {
            "entities": [self._shown(one, body.get("aspects")) for one in rows],
            "totalCount": len(there),
        }
        if len(rows) == count:
            told["scrollId"] = base64.b64encode(rows[-1].encode()).decode()
        return Answer(200, json=told)

    def _shown(self, urn: str, aspects: list[str] | None) -> dict[str, Any]:
        entity = self.entities[urn]
        if aspects is None:
            return {"urn": urn}
        return {"urn": urn, **{name: one for name, one in entity.items() if not aspects or name in aspects}}

    def _poll(self, query: dict[str, str]) -> Answer:
        events = self.log[query["topic"]]
        at = int(query.get("offsetId", len(events)))
        some = events[at : at + int(query["limit"])]
        return Answer(
            200,
            json={
                "offsetId": str(at + len(some)),
                "count": len(some),
                "events": [{"contentType": "application/json", "value": one} for one in some],
            },
        )

    def scrolls(self) -> list[tuple[dict[str, str], Any]]:
        """All scrolls that were asked."""
        return [(query, body) for path, query, body in self.asked if path.endswith("/scroll")]
