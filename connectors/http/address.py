"""Which addresses may be asked, and how they are written."""

import ipaddress
from collections.abc import Iterable
from fnmatch import fnmatchcase
from urllib.parse import quote

import httpx2

from ...federation.errors import BadInput

_PORTS = {"http": 80, "https": 443}
_NO_SITE = ("localhost", "metadata.google.internal", "metadata")


def path(*segments: str) -> str:
    """`/a/b%2Fc`: each segment encoded for itself, so that a name that holds slashes stays one segment."""
    if not all(segments):
        raise BadInput("a name in an address is empty: it would name another thing, the list that it stands in")
    return "".join(f"/{_segment(one)}" for one in segments)


def _segment(name: str) -> str:
    # A segment of dots would climb: clients and proxies resolve it before the server sees it.
    return name.replace(".", "%2E") if name in (".", "..") else quote(name, safe="")


def joined(base: str, below: str) -> httpx2.URL:
    """An address below a base that may have a path of its own."""
    return httpx2.URL(base.rstrip("/") + ("" if below.startswith("/") else "/") + below)


def origin(url: httpx2.URL) -> tuple[str, str, int | None]:
    """Scheme, host and port: what has to be equal for credentials to be sent along."""
    return url.scheme, url.host.lower(), url.port or _PORTS.get(url.scheme)


class Also:
    """The hosts beside a source's own that may be asked for what the platform hands out by address.

    A name is judged by what it is, an address by where it leads; what a name resolves to is the transport's business.
    """

    def __init__(self, base: httpx2.URL, patterns: Iterable[str]) -> None:
        self._patterns = tuple(pattern.lower() for pattern in patterns)
        self._near = _is_private(base.host)

    def objection(self, url: httpx2.URL) -> str | None:
        """Why an address may not be asked; None: it may."""
        if url.scheme != "https":
            return "it is not https"
        if url.userinfo:
            return "it holds a user"
        if url.port is not None and url.port != 443:
            return f"port {url.port} is not the one of https"
        host = url.host.lower().rstrip(".")
        if not any(fnmatchcase(host, pattern) for pattern in self._patterns):
            return "its host is not among those listed under `also`"
        return self._place(host)

    def _place(self, host: str) -> str | None:
        if host in _NO_SITE or host.endswith(".localhost"):
            return "it leads to this machine or to its cloud's metadata"
        try:
            place = ipaddress.ip_address(host)
        except ValueError:
            return None
        if place.is_loopback or place.is_link_local or place.is_multicast or place.is_unspecified or place.is_reserved:
            return "it leads to this machine or to its cloud's metadata"
        return "it leads into a private network" if place.is_private and not self._near else None


def _is_private(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return "." not in host or host.endswith((".local", ".internal", ".lan"))
