"""Whether the process lives, whether it can answer, and its numbers."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from ..federation.errors import StoreUnavailable
from ..federation.store import Store
from .access import caller_of
from .metrics import CONTENT_TYPE, Metrics
from .wire import json_bytes

_PATIENCE = 5.0
"""Seconds that the store may take to say that it is there."""


class Health:
    """What whoever runs the service looks at."""

    def __init__(self, store: Store, metrics: Metrics) -> None:
        self._store = store
        self._metrics = metrics

    async def alive(self, _request: Request) -> Response:
        """`/healthz`: the process answers."""
        return _json({"status": "ok"}, 200)

    async def ready(self, request: Request) -> Response:
        """`/readyz`: the store answers too; why it does not is told to whoever may ask other things."""
        known = caller_of(request.scope) is not None
        try:
            async with asyncio.timeout(_PATIENCE):
                await asyncio.to_thread(self._store.is_ready)
        except StoreUnavailable as error:
            return _json({"status": "unavailable", **({"reason": str(error)} if known else {})}, 503)
        except TimeoutError:
            reason = f"the store did not answer within {_PATIENCE:g} s"
            return _json({"status": "unavailable", **({"reason": reason} if known else {})}, 503)
        return _json({"status": "ok"}, 200)

    async def metrics(self, _request: Request) -> Response:
        """`/metrics`: numbers for Prometheus."""
        try:
            text = await asyncio.to_thread(self._metrics.text)
        except StoreUnavailable as error:
            return _json({"status": "unavailable", "reason": str(error)}, 503)
        return Response(text, headers={"content-type": CONTENT_TYPE})


def _json(body: dict[str, str], status: int) -> Response:
    return Response(json_bytes(body), status, media_type="application/json")
