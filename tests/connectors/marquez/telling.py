"""How the tests of the Marquez connector write what tools tell a server."""

import uuid
from collections.abc import Callable, Iterable
from typing import Any

from ..conftest import Told

Read = Callable[..., Told]


def event(
    job: str,
    at: str = "2026-11-26T08:00:00Z",
    kind: str = "COMPLETE",
    *,
    run: object = None,
    inputs: Iterable[tuple[str, str]] = (),
    outputs: Iterable[tuple[str, str]] = (),
    namespace: str = "shop",
    **facets: Any,
) -> dict[str, Any]:
    number = uuid.uuid5(uuid.NAMESPACE_URL, f"{namespace}/{job}/{at if run is None else run}")
    return {
        "eventType": kind,
        "eventTime": at,
        "run": {"runId": str(number), "facets": facets},
        "job": {"namespace": namespace, "name": job, "facets": {}},
        "inputs": [{"namespace": one[0], "name": one[1], "facets": {}} for one in inputs],
        "outputs": [{"namespace": one[0], "name": one[1], "facets": {}} for one in outputs],
        "producer": "https://example.org/p",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
    }


def parent(job: str, namespace: str = "shop", run: int = 1) -> dict[str, Any]:
    return {"run": {"runId": str(uuid.UUID(int=run))}, "job": {"namespace": namespace, "name": job}}


def jobs(told: Told) -> list[str]:
    return [body["job"]["name"] for body in told.bodies]
