"""Which address a request comes from, for the audit log and the limit on failures; nobody is trusted for it."""

import ipaddress
from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.types import Scope

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
UNKNOWN = "unknown"


class Addresses:
    """Reads addresses, with the proxies that are believed."""

    def __init__(self, trusted: Sequence[str]) -> None:
        self._trusted = tuple(ipaddress.ip_network(text) for text in trusted)

    def of(self, scope: Scope) -> str:
        """The peer; behind a proxy that is believed the one before it. An IPv6 address stands for its network (/64)."""
        client = scope.get("client")
        peer = _read(client[0]) if client else None
        if peer is not None and self._trusts(peer):
            peer = self._forwarded(scope, peer)
        return _spelt(peer)

    def _forwarded(self, scope: Scope, peer: _Address) -> _Address:
        """The last hop that is none of ours: what stands before it, its sender may have invented."""
        told = ",".join(Headers(scope=scope).getlist("x-forwarded-for"))
        for text in reversed(told.split(",") if told else []):
            hop = _read(text.strip())
            if hop is None:
                return peer
            peer = hop
            if not self._trusts(hop):
                return hop
        return peer

    def _trusts(self, address: _Address) -> bool:
        return any(address in network for network in self._trusted)


def _read(text: str) -> _Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _spelt(address: _Address | None) -> str:
    if address is None:
        return UNKNOWN
    if isinstance(address, ipaddress.IPv4Address) or address.is_loopback:
        return str(address)
    return str(ipaddress.ip_network((address, 64), strict=False))
