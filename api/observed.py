"""What every request leaves behind: a log line, two numbers, and headers that keep browsers careful."""

import re
import time
import uuid
from collections.abc import Callable

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..federation.openlineage.confidential import redacted
from .metrics import Metrics

_CAREFUL = {
    "content-security-policy": "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "object-src 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_log = structlog.get_logger(__name__)


class Observed:
    """Gives each request an id, and writes down how it ended; never what was asked."""

    def __init__(
        self, app: ASGIApp, metrics: Metrics, paths: frozenset[str], clock: Callable[[], float] = time.perf_counter
    ) -> None:
        """`paths`: those that are counted by name, so that whoever invents paths does not fill the registry."""
        self._app = app
        self._metrics = metrics
        self._paths = paths
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _ID.fullmatch(given) else uuid.uuid4().hex
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            await self._watch(scope, receive, send, request_id)

    async def _watch(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
        began, status = self._clock(), 0 if scope["type"] == "websocket" else 500

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                status = message["status"]
                _dress(message, request_id)
            elif message["type"] == "websocket.accept":
                status = 101
            await send(message)

        try:
            await self._app(scope, receive, sending)
        finally:
            seconds = self._clock() - began
            method, path = scope.get("method", "WEBSOCKET"), scope["path"]
            self._metrics.request(path if path in self._paths else "other", method, status, seconds)
            _log.info(
                "request",
                method=method,
                path=redacted(path)[0][:200],
                status=status,
                milliseconds=round(seconds * 1000, 1),
            )


def _dress(message: Message, request_id: str) -> None:
    headers = MutableHeaders(raw=message.setdefault("headers", []))
    for name, value in _CAREFUL.items():
        headers.setdefault(name, value)
    headers.setdefault("cache-control", "no-store")
    headers["x-request-id"] = request_id
