"""How the tests of DataHub in miniature ask it, and the clock that it looks at."""

from collections.abc import Callable
from typing import Any

import httpx2

from watersmeet.connectors.datahub.sandbox import Sandbox

from .names import dataset

SCROLL = "/openapi/v3/entity/scroll"
POLL = "/openapi/v1/events/poll"
Ask = Callable[..., httpx2.Response]


class Clock:
    """A time that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


def properties(sandbox: Sandbox, *names: str, **more: Any) -> list[str]:
    """Datasets of these names."""
    urns = [dataset(name, **more) for name in names]
    for urn, name in zip(urns, names, strict=True):
        sandbox.put(urn, "datasetProperties", {"name": name})
    return urns


def scrolled(ask: Ask, body: Any = None, **params: Any) -> list[str]:
    """The names on all pages."""
    found: list[str] = []
    while True:
        page = ask("POST", SCROLL, params=params, json=body or {}).json()
        found += [one["urn"] for one in page["entities"]]
        if "scrollId" not in page:
            return found
        params["scrollId"] = page["scrollId"]


def criterion(field: str, *values: str, **more: Any) -> dict[str, Any]:
    return {"field": field, "values": values, "condition": "EQUAL", "negated": False, **more}


def grouped(*groups: list[dict[str, Any]]) -> dict[str, Any]:
    return {"filter": {"and": [{"criteria": group} for group in groups]}}
