"""What counts as this machine: its own address, its own names, no page of another origin, no proxy (design §10)."""

import ipaddress
from collections.abc import Iterable
from typing import Any

from starlette.datastructures import Headers
from starlette.types import Scope

_NAMES = ("localhost", "127.0.0.1", "[::1]")
_FORWARDING = ("forwarded", "via", "x-real-ip")
_SAFE_SITES = ("same-origin", "none")
_STANDARD = {"http": 80, "https": 443}


class Local:
    """Tells whether a request is made by this machine, of its own will."""

    def __init__(self, allowed_hosts: Iterable[str] = ()) -> None:
        self._allowed = frozenset(allowed_hosts)

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
        if any(origin.lower() not in {f"{_scheme(scope)}://{host}" for host in ours} for origin in origins):
            return "the request comes from a page of another origin: list its host under `server.allowed_hosts`"
        if not _of_own_will(scope, headers):
            return (
                "a page of another site made the browser ask (Sec-Fetch-Site): only pages whose host is in "
                "`server.allowed_hosts`, or this server's own, may"
            )
        return None

    def foreign(self, scope: Scope) -> str | None:
        """Why a request that shows a token is refused all the same: a page of another origin has got hold of it."""
        headers = Headers(scope=scope)
        ours = {*self._allowed, *(host.lower() for host in headers.getlist("host"))}
        for origin in headers.getlist("origin"):
            if origin.lower().partition("://")[2] not in ours:
                return "the request comes from a page of another origin: list its host under `server.allowed_hosts`"
        return None

    def _ours(self, scope: Scope) -> frozenset[str]:
        """Every value of Host that means this server."""
        server = scope.get("server")
        port = server[1] if server else None
        ours = {f"{name}:{port}" for name in _NAMES}
        if port == _STANDARD[_scheme(scope)]:
            ours |= set(_NAMES)
        return self._allowed | ours


def _scheme(scope: Scope) -> str:
    return "https" if scope.get("scheme") in ("https", "wss") else "http"


def _of_own_will(scope: Scope, headers: Headers) -> bool:
    """Whether the browser, if it is one, was not sent by a foreign page; a link to the console may be followed."""
    if all(site in _SAFE_SITES for site in headers.getlist("sec-fetch-site")):
        return True
    follows = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    return follows and scope["type"] == "http" and scope["method"] == "GET" and scope["path"] == "/"


def _is_loopback(client: Any) -> bool:
    try:
        address = ipaddress.ip_address(client[0])
    except (TypeError, ValueError):
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback
