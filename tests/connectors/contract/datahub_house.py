"""DataHub in miniature, for the contract."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, ClassVar

import httpx2

from watersmeet.connectors.datahub.read import DataHub

from ..datahub.catalog import URL, Catalog
from ..datahub.conftest import column, dataset
from .house import NOW, House

MODEL = "urn:li:mlModel:(urn:li:dataPlatform:mlflow,churn_1,PROD)"
RUN = "urn:li:dataProcessInstance:r"
TYPES = {
    "dataset": ("status", "datasetProperties", "upstreamLineage", "schemaMetadata", "ownership", "acme"),
    "dataProcessInstance": ("dataProcessInstanceProperties", "dataProcessInstanceOutput", "dataProcessInstanceInput"),
    "mlModel": ("mlModelProperties", "status"),
    "tag": ("tagProperties",),
}


class DataHubHouse(House):
    """A catalogue with the story of the churn model."""

    platform = "datahub"
    name = "catalog"
    root = MODEL
    small: ClassVar[Mapping[str, Any]] = {"options": {"page_size": 3}}
    narrowing = ("apart",)

    def __init__(self) -> None:
        self.catalog = Catalog()
        self.catalog.types = dict(TYPES)
        self._made = 0
        self._at = NOW - timedelta(days=10)
        raw = self._table("raw")
        self._put(RUN, "dataProcessInstanceProperties", {"name": "train", "created": {"time": 1_700_000_000_000}})
        self._put(RUN, "dataProcessInstanceInput", {"inputEdges": [{"destinationUrn": raw}]})
        self._put(RUN, "dataProcessInstanceOutput", {"outputEdges": [{"destinationUrn": MODEL}]})
        self._put(MODEL, "mlModelProperties", {"name": "churn 1", "trainingJobs": [RUN]})
        self.catalog.series[RUN] = ['{"timestampMillis": 1700000000000, "status": "STARTED"}']

    @classmethod
    @contextmanager
    def opened(cls) -> Generator["DataHubHouse"]:
        yield cls()

    @property
    def address(self) -> str:
        return URL

    @property
    def asked(self) -> int:
        return self.catalog.calls

    def connect(self, now: datetime, **settings: Any) -> DataHub:
        source, transport = self.source(**settings), self.catalog.transport
        return DataHub(source, transport=transport, clock=lambda: now, sleep=lambda seconds: None)

    def mend(self) -> None:
        self.catalog.faults.clear()

    # What people do

    def grow(self, number: int) -> None:
        for _ in range(number):
            self._table(f"t{self._made}")

    def edit(self, choice: int) -> None:
        tables = sorted(one for one in self.catalog.entities if ":dataset:" in one) or [self._table("first")]
        table, other = tables[choice // 10 % len(tables)], tables[choice // 100 % len(tables)]
        match choice % 10:
            case 0 | 1:
                self._table(f"t{self._made}")
            case 2:
                self._put(table, "upstreamLineage", {"upstreams": [{"dataset": other, "type": "COPY"}]})
            case 3:
                self._put(table, "upstreamLineage", {"upstreams": []})
            case 4:
                self._put(table, "status", {"removed": True})
            case 5:
                self._put(table, "status", {"removed": False})
            case 6:
                fields = [{"fieldPath": name, "description": f"{choice}"} for name in ("id", "copy")]
                self._put(table, "schemaMetadata", {"fields": fields})
            case 7:
                self.catalog.drop(table)
            case 8:
                if "upstreamLineage" in self.catalog.entities[table]:
                    self.catalog.drop(table, "upstreamLineage")
            case _:
                self._put(table, "datasetProperties", {"name": f"renamed {choice}"})

    def add(self, name: str, at: datetime) -> str:
        return self._table(name, at)

    def huge(self, name: str, size: int) -> str:
        made = dataset(name)
        self._put(made, "datasetProperties", {"description": "x" * size})
        return made

    def plant(self, secret: str) -> None:
        signed = f"https://lake.acme.io/x.csv?sig={secret}&X-Amz-Signature={secret}"
        properties = {"db_password": secret, "source": signed, "uri": f"postgres://ada:{secret}@db/x"}
        table = self._table("leaky")
        told = {"customProperties": properties, "description": f"password={secret}", "externalUrl": signed}
        self._put(table, "datasetProperties", told)
        self._put(table, "schemaMetadata", {"fields": [{"fieldPath": "a", "description": f"token={secret}"}, secret]})
        self._put(table, "upstreamLineage", {"upstreams": [{"dataset": f"postgres://ada:{secret}@db/x"}]})
        self._put(table, "acme", {"api_key": secret, "rows": [{"name": "password", "value": secret}]})
        self.catalog.entities[table]["ownership"] = {"value": f"token={secret}"}

    def trip(self, secret: str) -> None:
        body = f'{{"message": "no: Bearer {secret}, https://ada:{secret}@db, token={secret}"}}'
        self.catalog.fail("scroll", 403, body=body)

    def unknown(self, name: str) -> None:
        self._put(self._table("odd"), "acme", {name: {"grain": [1, {"a": None}]}})

    def stumble(self, kind: str) -> None:
        left = [1]

        def bad(request: httpx2.Request) -> httpx2.Response | None:
            if not request.url.path.endswith("/scroll") or not left[0]:
                return None
            left[0] -= 1
            match kind:
                case "reset":
                    raise httpx2.ReadError("reset")
                case "truncated":
                    return httpx2.Response(200, text='{"entities": [{"urn": "urn:li:tag')
                case "429 with Retry-After":
                    return httpx2.Response(429, headers={"Retry-After": "7"})
                case status:
                    return httpx2.Response(int(status))

        self.catalog.faults.append(bad)

    def empty_page(self) -> None:
        """Let the server put an empty page before the first one."""
        left = [1]

        def empty(request: httpx2.Request) -> httpx2.Response | None:
            if not request.url.path.endswith("/scroll") or not left[0]:
                return None
            left[0] -= 1
            return httpx2.Response(200, json={"entities": [], "scrollId": "AA=="})

        self.catalog.faults.append(empty)

    def _table(self, name: str, at: datetime | None = None) -> str:
        self._made += 1
        made = dataset(name)
        self._put(made, "datasetProperties", {"name": name}, at)
        self._put(made, "schemaMetadata", {"fields": [{"fieldPath": "id"}, {"fieldPath": "copy"}]}, at)
        lineage = {"upstreams": [column(made, "id")], "downstreams": [column(made, "copy")]}
        self._put(made, "upstreamLineage", {"upstreams": [], "fineGrainedLineages": [lineage]}, at)
        return made

    def _put(self, urn: str, aspect: str, value: Any, at: datetime | None = None) -> None:
        self._at += timedelta(seconds=1)
        self.catalog.put(urn, aspect, value, round((at or self._at).timestamp() * 1000))
