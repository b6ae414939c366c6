"""A transport that resolves a name once, looks where it leads, and connects to just that."""

import ssl
from collections.abc import Callable, Iterable

import httpcore2
import httpx2

from ...federation.errors import SourceRefused
from .egress import Place, Resolve, place

Judge = Callable[[Place], str | None]
"""Why a request may not go to a machine; None: it may."""


class Pinned(httpx2.HTTPTransport):
    """Refuses by the address that is connected to, so that a name cannot mean one machine when it is judged and another
    when it is asked. TLS is held to the name. It raises `SourceRefused`.
    """

    def __init__(self, context: ssl.SSLContext, source: str, judge: Judge, resolve: Resolve) -> None:
        super().__init__(verify=context, trust_env=False)
        self._pool.close()
        self._pool = httpcore2.ConnectionPool(
            ssl_context=context, keepalive_expiry=5.0, network_backend=_Doorkeeper(source, judge, resolve)
        )


class _Doorkeeper(httpcore2.NetworkBackend):
    def __init__(self, source: str, judge: Judge, resolve: Resolve) -> None:
        self._source = source
        self._judge = judge
        self._resolve = resolve
        self._network = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        unreachable: httpcore2.ConnectError | httpcore2.ConnectTimeout | None = None
        for address in self._admitted(host):
            try:
                return self._network.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                unreachable = error
        raise unreachable or httpcore2.ConnectError(f"the name {host} has no address")

    def _admitted(self, host: str) -> list[str]:
        """The addresses of a name, if all of them may be asked: one that may not makes the whole name suspect."""
        try:
            found = self._resolve(host)
        except (OSError, UnicodeError) as error:
            raise httpcore2.ConnectError(f"the name {host} is not known: {error}") from error
        for address in found:
            if (reason := self._judge(place(address))) is not None:
                raise SourceRefused(
                    f"{self._source}: no request is sent to {host} ({address}): {reason}. Correct the address, or what "
                    "the name means in DNS; docs/security.md says where requests may go"
                )
        return found
