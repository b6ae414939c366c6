"""Who may ask as long as there are no tokens: this machine, and nobody through a browser's back door (design §10)."""

import ipaddress
from collections.abc import Iterable
from typing import Any

import structlog
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from .wire import json_bytes

_NAMES = ("localhost", "127.0.0.1", "[::1]")
_FORWARDING = ("forwarded", "via", "x-real-ip")
_log = structlog.get_logger(__name__)


class LocalOnly:
    """Answers 403 to whatever does not come from this machine, on every path and for WebSockets too."""

    def __init__(self, app: ASGIApp, allowed_hosts: Iterable[str] = ()) -> None:
        self._app = app
        self._allowed = frozenset(allowed_hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            refused = self.refusal(scope)
            if refused is not None:
                _log.warning("refused", path=scope["path"], reason=refused.partition(":")[0])
                await _refuse(scope, refused, receive, send)
                return
        await self._app(scope, receive, send)

    def refusal(self, scope: Scope) -> str | None:
        """Why a request does not count as local; None: it does."""
        headers = Headers(scope=scope)
        if not _is_loopback(scope.get("client")):
            return "the request comes from another machine: `server.host` is for this machine alone without tokens"
        if any(name in _FORWARDING or name.startswith("x-forwarded-") for name in headers):
            return (
                "the request came through a proxy (Forwarded, X-Forwarded-*, X-Real-IP or Via): without tokens none "
                "may stand before this server; `server.host` is for this machine alone"
            )
        hosts, ours = headers.getlist("host"), self._ours(scope)
        if len(hosts) != 1 or hosts[0].lower() not in ours:
            return "the Host header does not name this server: list further names under `server.allowed_hosts`"
        origins = headers.getlist("origin")
        if any(origin.lower() not in {f"http://{host}" for host in ours} for origin in origins):
            return "the request comes from a page of another origin: list its host under `server.allowed_hosts`"
        return None

    def _ours(self, scope: Scope) -> frozenset[str]:
        """Every value of Host that means this server."""
        server = scope.get("server")
        port = server[1] if server else None
        ours = {f"{name}:{port}" for name in _NAMES}
        if port == 80:
            ours |= set(_NAMES)
        return self._allowed | ours


def _is_loopback(client: Any) -> bool:
    try:
        address = ipaddress.ip_address(client[0])
    except (TypeError, ValueError):
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


async def _refuse(scope: Scope, reason: str, receive: Receive, send: Send) -> None:
    body = json_bytes({"errors": [{"message": reason, "extensions": {"code": "FORBIDDEN"}}]})
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    kind = "http"
    if scope["type"] == "websocket":
        await receive()  # the handshake, which may be answered only once it is taken
        if "websocket.http.response" not in scope.get("extensions", {}):
            await send({"type": "websocket.close", "code": 1008, "reason": "not from this machine"})
            return
        kind = "websocket.http"
    await send({"type": f"{kind}.response.start", "status": 403, "headers": headers})
    await send({"type": f"{kind}.response.body", "body": body})
