"""DataHub in miniature over real HTTP, for the failures."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, ClassVar

from watersmeet.connectors import story
from watersmeet.connectors.datahub import sandbox_story as told
from watersmeet.connectors.datahub.read import DataHub
from watersmeet.connectors.datahub.sandbox import Sandbox

from .house import House

_PLATFORM = "urn:li:dataPlatform:hive"


class DataHubServerHouse(House):
    """A catalogue with the story of the churn model."""

    platform = "datahub"
    name = "catalog"
    root = told.table(story.CUSTOMER_ORDERS)
    small: ClassVar[Mapping[str, Any]] = {"options": {"page_size": 3}}
    narrowing = ("apart",)

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.sandbox.most_wait = 0.0
        self._made = 0
        self._spoilt: list[str] = []

    @classmethod
    @contextmanager
    def opened(cls) -> Generator["DataHubServerHouse"]:
        with Sandbox() as sandbox:
            yield cls(sandbox)

    @property
    def address(self) -> str:
        return self.sandbox.url

    @property
    def asked(self) -> int:
        return len(self.sandbox.calls)

    def connect(self, now: datetime, **settings: Any) -> DataHub:
        return DataHub(self.source(**settings), clock=lambda: now, sleep=lambda seconds: None)

    def mend(self) -> None:
        self.sandbox.faults.clear()
        self.sandbox.hidden.clear()
        self.sandbox.may_follow = True
        for aspect in self._spoilt:
            self.sandbox.world.delete_aspect(told.table(story.RAW_CUSTOMERS), aspect)
        self._spoilt.clear()

    def spoil(self, aspect: str, value: Any) -> None:
        """Let something that no server takes stand in a table that lacked the aspect, until it is mended."""
        self._spoilt.append(aspect)
        self.sandbox.break_aspect(told.table(story.RAW_CUSTOMERS), aspect, value)

    # What people do

    def grow(self, number: int) -> None:
        for _ in range(number):
            self._table(f"table {self._made}")

    def edit(self, choice: int) -> None:
        tables = list(self.sandbox.world.urns({"dataset"}))
        one = tables[choice // 10 % len(tables)]
        match choice % 10:
            case 0 | 1:
                self._table(f"table {self._made}")
            case 2:
                self.sandbox.put(one, "globalTags", {"tags": [{"tag": f"urn:li:tag:t{choice}"}]})
            case 3:
                upstream = tables[choice // 100 % len(tables)]
                edge = {"dataset": upstream, "type": "COPY"}
                self.sandbox.put(one, "upstreamLineage", {"upstreams": [edge]})
            case 4:
                self.sandbox.world.delete_aspect(one, "upstreamLineage")
            case 5:
                self.sandbox.soft_delete(one)
            case 6:
                self.sandbox.soft_delete(one, removed=False)
            case 7:
                if one != self.root:
                    self.sandbox.hard_delete(one)
            case 8:
                event = {"timestampMillis": 1_760_000_000_000 + choice, "status": "STARTED"}
                self.sandbox.put(f"urn:li:dataProcessInstance:run{choice}", "dataProcessInstanceRunEvent", event)
            case _:
                self.sandbox.put(one, "datasetProperties", {"name": f"renamed {choice}"})

    def add(self, name: str, at: datetime) -> str:
        stamp = {"time": round(at.timestamp() * 1000), "actor": told.ADA}
        urn = f"urn:li:dataset:({_PLATFORM},{name},PROD)"
        self.sandbox.put(urn, "datasetProperties", {"name": name, "created": stamp})
        return urn

    def huge(self, name: str, size: int) -> str:
        return self._table(name, description="x" * size)

    def plant(self, secret: str) -> None:
        signed = f"https://lake.acme.io/x.csv?sig={secret}&X-Amz-Signature={secret}"
        address = f"postgres://ada:{secret}@db/x"
        custom = {"db_password": secret, "source": signed, "uri": address}
        urn = self._table("leaky", description=f"read with {signed}", customProperties=custom, externalUrl=address)
        view = {"materialized": False, "viewLanguage": "SQL", "viewLogic": f"select 1 -- password={secret}"}
        self.sandbox.put(urn, "viewProperties", view)
        run = {"name": address, "created": {"time": 1, "actor": told.ADA}, "customProperties": custom}
        self.sandbox.put("urn:li:dataProcessInstance:leaky", "dataProcessInstanceProperties", run)
        native = {"id": "1", "hyperParams": [{"name": "api_token", "value": secret}], "outputUrls": [signed]}
        self.sandbox.put("urn:li:dataProcessInstance:leaky", "mlTrainingRunProperties", native)
        self.sandbox.break_aspect(urn, "upstreamLineage", {"upstreams": [{"dataset": f"token={secret}"}]})
        self.sandbox.break_aspect(urn, "spaceship", {"password": secret, "at": address})

    def trip(self, secret: str) -> None:
        body = f'{{"error": "no: Bearer {secret}, https://ada:{secret}@db, token={secret}"}}'
        self.sandbox.fail("entity/scroll", status=403, body=body, times=1000)

    def unknown(self, name: str) -> None:
        self._table("odd", **{name: {"grain": [1, {"a": None}]}})

    def stumble(self, kind: str) -> None:
        self.sandbox.fail("entity/scroll", skip=2, **STUMBLES[kind])

    def empty_page(self) -> None:
        """Let the server put an empty page before the first one."""
        start = "eyJzb3J0IjpbIiJdfQ=="  # behind the empty name, before all others
        self.sandbox.fail("entity/scroll", kind="bent", bend=lambda page: {**page, "entities": [], "scrollId": start})

    def _table(self, name: str, **properties: Any) -> str:
        self._made += 1
        urn = f"urn:li:dataset:({_PLATFORM},made.{self._made},PROD)"
        self.sandbox.put(urn, "datasetProperties", {"name": name, **properties})
        return urn


STUMBLES: dict[str, dict[str, Any]] = {
    "429": {"status": 429},
    "429 with Retry-After": {"status": 429, "headers": {"Retry-After": "7"}},
    "500": {"status": 500, "times": 2},
    "503": {"status": 503, "times": 3},
    "reset": {"kind": "reset"},
    "truncated": {"kind": "truncated"},
}
