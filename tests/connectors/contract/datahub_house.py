"""DataHub in miniature over real HTTP, for the contract and for the failures."""

import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, ClassVar

from watersmeet.connectors import story
from watersmeet.connectors.datahub import sandbox_story as told
from watersmeet.connectors.datahub.read import DataHub
from watersmeet.connectors.datahub.sandbox import Sandbox

from .house import STUMBLES, House

_PLATFORM = "urn:li:dataPlatform:hive"


class DataHubHouse(House):
    """A catalogue with the story of the churn model."""

    platform = "datahub"
    name = "catalog"
    root = told.table(story.CUSTOMER_ORDERS)
    small: ClassVar[Mapping[str, Any]] = {"options": {"page_size": 3}}
    narrowing = ("apart",)

    def __init__(self) -> None:
        self._at: datetime | None = None
        self.sandbox = Sandbox(clock=self._now)
        self.sandbox.most_wait = 0.0
        self.sandbox.between.append(self._count)
        self._asked = 0
        self._made = 0
        self._spoilt: list[str] = []

    @classmethod
    @contextmanager
    def opened(cls) -> Generator["DataHubHouse"]:
        house = cls()
        with house.sandbox:
            yield house

    @property
    def address(self) -> str:
        return self.sandbox.url

    @property
    def asked(self) -> int:
        return self._asked

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
        tables = list(self.sandbox.world.urns({"dataset"}, with_removed=True))
        one, other = tables[choice // 12 % len(tables)], tables[choice // 100 % len(tables)]
        match choice % 12:
            case 0 | 1:
                self._table(f"table {self._made}")
            case 2:
                self.sandbox.put(one, "globalTags", {"tags": [{"tag": f"urn:li:tag:t{choice}"}]})
            case 3:
                self.sandbox.put(one, "upstreamLineage", {"upstreams": [{"dataset": other, "type": "COPY"}]})
            case 4:
                self.sandbox.put(one, "upstreamLineage", {"upstreams": []})
            case 5:
                self.sandbox.world.delete_aspect(one, "upstreamLineage")
            case 6:
                self.sandbox.soft_delete(one)
            case 7:
                self.sandbox.soft_delete(one, removed=False)
            case 8:
                if one != self.root:
                    self.sandbox.hard_delete(one)
            case 9:
                self._run(choice, one, other)
            case 10:
                # Of our own tables alone: a column that is dropped leaves an empty name behind, which no reader tells.
                own = next((name for name in tables if _PLATFORM in name), None) or self._table("own")
                self.sandbox.put(own, "schemaMetadata", _schema(f"{choice}"))
            case _:
                self.sandbox.put(one, "datasetProperties", {"name": f"renamed {choice}"})

    def add(self, name: str, at: datetime) -> str:
        self._at = at
        try:
            return self._table(name, created={"time": round(at.timestamp() * 1000), "actor": told.ADA})
        finally:
            self._at = None

    def huge(self, name: str, size: int) -> str:
        return self._table(name, description="x" * size)

    def plant(self, secret: str) -> None:
        signed = f"https://lake.acme.io/x.csv?sig={secret}&X-Amz-Signature={secret}"
        address = f"postgres://ada:{secret}@db/x"
        custom = {"db_password": secret, "source": signed, "uri": address}
        description = f"read with {signed}, password={secret}"
        urn = self._table("leaky", description=description, customProperties=custom, externalUrl=address)
        view = {"materialized": False, "viewLanguage": "SQL", "viewLogic": f"select 1 -- password={secret}"}
        self.sandbox.put(urn, "viewProperties", view)
        run = {"name": address, "created": {"time": 1, "actor": told.ADA}, "customProperties": custom}
        self.sandbox.put("urn:li:dataProcessInstance:leaky", "dataProcessInstanceProperties", run)
        native = {"id": "1", "hyperParams": [{"name": "api_token", "value": secret}], "outputUrls": [signed]}
        self.sandbox.put("urn:li:dataProcessInstance:leaky", "mlTrainingRunProperties", native)
        self.sandbox.break_aspect(urn, "upstreamLineage", {"upstreams": [{"dataset": f"token={secret}"}]})
        self.sandbox.break_aspect(urn, "spaceship", {"password": secret, "at": address})
        self.sandbox.break_aspect(urn, "ownership", f"token={secret}")
        fields = _schema(f"token={secret}")
        self.sandbox.break_aspect(urn, "schemaMetadata", {**fields, "fields": [*fields["fields"], secret]})
        strange = {"api_key": secret, "rows": [{"name": "password", "value": secret}]}
        self.sandbox.put(urn, UNMAPPED, strange)

    def trip(self, secret: str) -> None:
        body = f'{{"error": "no: Bearer {secret}, https://ada:{secret}@db, token={secret}"}}'
        self.sandbox.fail("entity/scroll", status=403, body=body, times=1000)

    def unknown(self, name: str) -> None:
        odd = {name: {"grain": [1, {"a": None}]}}
        self.sandbox.put(self._table("odd", **odd), UNMAPPED, odd)

    def stumble(self, kind: str) -> None:
        self.sandbox.fail("entity/scroll", skip=2, **STUMBLES[kind])

    def empty_page(self) -> None:
        """Let the server put an empty page before the first one."""
        start = "eyJzb3J0IjpbIiJdfQ=="  # behind the empty name, before all others
        self.sandbox.fail("entity/scroll", kind="bent", bend=lambda page: {**page, "entities": [], "scrollId": start})

    def _table(self, name: str, **properties: Any) -> str:
        self._made += 1
        urn = f"urn:li:dataset:({_PLATFORM},{name.replace(' ', '.')},PROD)"
        self.sandbox.put(urn, "datasetProperties", {"name": name, **properties})
        self.sandbox.put(urn, "schemaMetadata", _schema())
        pair = {"upstreams": [f"urn:li:schemaField:({urn},id)"], "downstreams": [f"urn:li:schemaField:({urn},copy)"]}
        entry = {"upstreamType": "FIELD_SET", "downstreamType": "FIELD", **pair}
        self.sandbox.put(urn, "upstreamLineage", {"upstreams": [], "fineGrainedLineages": [entry]})
        return urn

    def _run(self, choice: int, read: str, wrote: str) -> None:
        """A run of its own, or an event of one that is there: it goes on, fails or succeeds."""
        run = f"urn:li:dataProcessInstance:run{choice // 12 % 5}"
        at = 1_760_000_000_000 + choice
        event: dict[str, Any] = {"timestampMillis": at, "status": "STARTED"}
        if choice % 5:
            result = ("SUCCESS", "FAILURE")[choice % 2]
            event |= {"status": "COMPLETE", "result": {"type": result, "nativeResultType": "x"}}
        self.sandbox.put(run, "dataProcessInstanceInput", {"inputs": [], "inputEdges": [{"destinationUrn": read}]})
        self.sandbox.put(run, "dataProcessInstanceOutput", {"outputs": [], "outputEdges": [{"destinationUrn": wrote}]})
        self.sandbox.put(run, "dataProcessInstanceRunEvent", event)

    def _count(self, asked: object) -> None:
        """What the miniature remembers of its calls would count as the reader's memory."""
        self._asked += 1
        self.sandbox.calls.clear()

    def _now(self) -> float:
        return self._at.timestamp() if self._at is not None else time.time()


UNMAPPED = "partitionsSummary"
"""An aspect that the server knows, and we have no words for."""


def _schema(description: str = "") -> dict[str, Any]:
    """Two columns."""
    type_ = {"type": {"com.linkedin.schema.NumberType": {}}}
    fields = [
        {"fieldPath": name, "nativeDataType": "int", "type": type_, "nullable": True, "description": description}
        for name in ("id", "copy")
    ]
    other = {"com.linkedin.schema.OtherSchema": {"rawSchema": ""}}
    return {
        "schemaName": "x",
        "platform": _PLATFORM,
        "version": 0,
        "hash": "",
        "platformSchema": other,
        "fields": fields,
    }
