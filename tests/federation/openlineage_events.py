"""Small OpenLineage events for tests: what is not said has a plain default."""

import json
from collections.abc import Iterable
from typing import Any

from watersmeet.federation.model import Edge, EdgeKind, Record, Scope
from watersmeet.federation.openlineage import Admitted, Projection, admit, project

RUN = "0190a0e0-0000-7000-8000-000000000001"
PG = "postgres://db:5432"
PRODUCER = "https://github.com/OpenLineage/OpenLineage/tree/1.54.0/integration/test"
SPEC = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/"
KEY = b"a key of the store"


def facet(**content: Any) -> dict[str, Any]:
    return {"_producer": PRODUCER, "_schemaURL": "https://example.org/facet.json", **content}


def table(name: str, facets: dict[str, Any] | None = None, namespace: str = PG, **io: Any) -> dict[str, Any]:
    return {"namespace": namespace, "name": name, "facets": facets or {}, **io}


def run_event(
    type_: str | None = "COMPLETE",
    *,
    minute: int = 5,
    inputs: Iterable[dict[str, Any]] = (),
    outputs: Iterable[dict[str, Any]] = (),
    run: str = RUN,
    run_facets: dict[str, Any] | None = None,
    job_facets: dict[str, Any] | None = None,
    **members: Any,
) -> dict[str, Any]:
    return {
        "eventType": type_,
        "eventTime": f"2026-03-01T10:{minute:02}:00Z",
        "producer": PRODUCER,
        "schemaURL": f"{SPEC}RunEvent",
        "run": {"runId": run, "facets": run_facets or {}},
        "job": {"namespace": "prod", "name": "marts", "facets": job_facets or {}},
        "inputs": list(inputs),
        "outputs": list(outputs),
        **members,
    }


def job_type(integration: str, kind: str = "TASK", processing: str = "BATCH", **more: Any) -> dict[str, Any]:
    return {"jobType": facet(processingType=processing, integration=integration, jobType=kind, **more)}


def column_lineage(dataset: Iterable[tuple[str, str]] = (), **fields: list[tuple[str, str]]) -> dict[str, Any]:
    named = {path: {"inputFields": [_field(*one) for one in sources]} for path, sources in fields.items()}
    return {"columnLineage": facet(fields=named, dataset=[_field(*one) for one in dataset])}


def _field(name: str, field: str) -> dict[str, Any]:
    step = {"type": "DIRECT", "subtype": "IDENTITY"}
    return {"namespace": PG, "name": name, "field": field, "transformations": [step]}


def body(event: Any) -> bytes:
    return json.dumps(event).encode()


def taken(event: Any) -> Admitted:
    return admit(body(event), key=KEY)


def projected(*events: Any) -> Projection:
    """The projection of events of one entity."""
    admitted = [taken(event) for event in events]
    [entity] = {one.entity for one in admitted}
    return project(entity, [one.body for one in admitted])


def scope_of(*events: Any) -> Scope:
    [scope] = projected(*events).scopes
    return scope


def records(scope: Scope) -> dict[str, Record]:
    return {record.native_id: record for record in scope.records}


def edges(scope: Scope, kind: EdgeKind) -> list[Edge]:
    return [edge for edge in scope.edges if edge.kind is kind]


def met(scope: Scope) -> set[tuple[str, str]]:
    """Which input met which output, by the last part of their names; plans are left out."""
    reads, writes = edges(scope, EdgeKind.READ), edges(scope, EdgeKind.WRITE)
    return {
        (short(read.upstream), short(write.downstream))
        for write in writes
        for read in reads
        if (read.downstream, read.flow) == (write.upstream, write.flow) and not write.planned and read.role is None
    }


def short(native_id: str) -> str:
    return native_id.rpartition(".")[2]
