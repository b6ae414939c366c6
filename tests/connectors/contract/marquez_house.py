"""Marquez in miniature, for the contract."""

import uuid
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from watersmeet.connectors.http import Http
from watersmeet.connectors.marquez.read import Marquez
from watersmeet.connectors.marquez.sandbox import Sandbox

from .house import STUMBLES, House

DAY = datetime(2026, 3, 1, tzinfo=UTC)
_SPEC = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"


def event(
    job: str, at: datetime, kind: str = "COMPLETE", reads: str = "orders", facets: dict[str, Any] | None = None
) -> dict[str, Any]:
    """One event of a run of its own day."""
    number = uuid.uuid5(uuid.NAMESPACE_URL, f"{job}/{at:%Y-%m-%dT%H}")
    return {
        "eventType": kind,
        "eventTime": at.isoformat().replace("+00:00", "Z"),
        "run": {"runId": str(number), "facets": facets or {}},
        "job": {"namespace": "shop", "name": job, "facets": {}},
        "inputs": [{"namespace": "postgres://db:5432", "name": f"shop.public.{reads}", "facets": {}}],
        "outputs": [{"namespace": "postgres://db:5432", "name": f"shop.public.of_{job}", "facets": {}}],
        "producer": "https://example.org/p",
        "schemaURL": _SPEC,
    }


def edited(choice: int, made: int) -> dict[str, Any]:
    """The event that an edit of this number sends."""
    at = DAY + timedelta(hours=made)
    if choice % 7 == 0:
        at -= timedelta(days=3)  # sent late
    kind = ("START", "RUNNING", "COMPLETE", "FAIL", "ABORT")[choice % 5]
    return event(f"job{choice % 4}", at, kind, reads=f"table{choice % 3}")


def leaking(secret: str) -> dict[str, Any]:
    """An event with a secret wherever producers leave one."""
    signed = f"https://lake.acme.io/x.csv?sig={secret}&X-Amz-Signature={secret}"
    facets: dict[str, Any] = {
        "environmentVariables": {"environmentVariables": [{"name": "AWS_SECRET_ACCESS_KEY", "value": secret}]},
        "acme_custom": {"deep": [{"apiToken": secret, "db_password": secret}], "where": signed},
        "errorMessage": {"message": f"cannot reach postgres://ada:{secret}@db/x", "programmingLanguage": "SQL"},
    }
    told = event("leaky", DAY, facets=facets)
    source = {"dataSource": {"name": "db", "uri": f"postgres://ada:{secret}@db:5432/x"}}
    told["inputs"][0]["facets"] = source
    told["job"]["facets"] = {"sql": {"query": f"COPY x FROM '{signed}' CREDENTIALS 'aws_secret_access_key={secret}'"}}
    return told


class MarquezHouse(House):
    """A Marquez with the pipelines of the churn model."""

    platform = "marquez"
    name = "pipelines"
    root = "s3://lake/features/customer_features"
    small: ClassVar[Mapping[str, Any]] = {"options": {"page_size": 3, "jobs_page": 3}}
    narrowing = ("shop",)
    cannot: ClassVar[Mapping[str, str]] = {
        "test_an_empty_page_is_not_the_end": "Marquez names no next page: an empty one is the end of its feed",
    }

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self._made = 0

    @classmethod
    @contextmanager
    def opened(cls) -> Generator["MarquezHouse"]:
        with Sandbox() as sandbox:
            yield cls(sandbox)

    @property
    def address(self) -> str:
        return self.sandbox.url

    @property
    def asked(self) -> int:
        return len(self.sandbox.calls)

    def connect(self, now: datetime, **settings: Any) -> Marquez:
        source = self.source(**settings)
        http = Http.of(source, sleep=lambda seconds: None, clock=lambda: now)
        return Marquez(source, clock=lambda: now, http=http)

    def mend(self) -> None:
        self.sandbox.faults.clear()
        self.sandbox.between.clear()

    # What people do

    def grow(self, number: int) -> None:
        for _ in range(number):
            self._made += 1
            self.sandbox.seed([event("daily", DAY + timedelta(hours=self._made))])

    def edit(self, choice: int) -> None:
        self._made += 1
        if choice % 11 == 0:
            self.sandbox.call("POST", "namespaces", "s3://lake", "datasets", "raw/clickstream", "tags", f"T{choice}")
        else:
            self.sandbox.seed([edited(choice, self._made)])

    def add(self, name: str, at: datetime) -> str:
        self.sandbox.seed([event(name, at)])
        return f"job:shop/{name}"

    def huge(self, name: str, size: int) -> str:
        self.sandbox.seed([event(name, DAY, facets={"acme_custom": {"text": "x" * size}})])
        return f"job:shop/{name}"

    def plant(self, secret: str) -> None:
        self.sandbox.seed([leaking(secret)])

    def trip(self, secret: str) -> None:
        body = f'{{"message": "no: Bearer {secret}, https://ada:{secret}@db, token={secret}"}}'
        self.sandbox.fail("dbt/jobs", status=403, body=body, times=1000)

    def stumble(self, kind: str) -> None:
        self.sandbox.fail("events/lineage", skip=2, **STUMBLES[kind])

    def unknown(self, name: str) -> None:
        self.sandbox.seed(
            [event("odd", DAY, facets={name: {"_producer": "p", "_schemaURL": "s", "grain": [1, {"a": None}]}})]
        )
