"""How the server may be reached from other machines: by which certificate, through which proxies."""

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, cast

from pydantic import AfterValidator, Field

from .address import is_loopback
from .section import Conflict, Section, told, wrong
from .values import FilePath, Texts


def _networks(texts: tuple[str, ...]) -> tuple[str, ...]:
    for position, text in enumerate(texts):
        try:
            ipaddress.ip_network(text)
        except ValueError as error:
            raise wrong(f"has something else than an address or a network at place {position + 1}") from error
    return texts


Networks = Annotated[Texts, AfterValidator(_networks)]
"""Addresses (`10.0.0.5`) and networks (`10.0.0.0/8`)."""


class Tls(Section):
    """The certificate that the server shows; without one it speaks plain HTTP."""

    cert: FilePath | None = Field(default=None, examples=["./server.pem"])
    """The certificate with those that it leads up by, in PEM; read again when the file changes."""
    key: FilePath | None = Field(default=None, examples=["./server.key"])
    """Its key, where `cert` does not hold it; readable by nobody else."""

    @classmethod
    def conflicts(cls, given: Mapping[str, object]) -> Iterator[Conflict]:
        """A key to nothing."""
        if told(given, "key") and not told(given, "cert"):
            yield Conflict(("key",), "needs a cert beside it", "cert: ./server.pem")


def reach(given: Mapping[str, object]) -> Iterator[Conflict]:
    """What the keys of `server` must agree on, so that nobody is let in by an oversight."""
    host, tls = given.get("host"), cast(Any, given.get("tls"))
    encrypted = bool(tls.cert if isinstance(tls, Tls) else isinstance(tls, dict) and cast(Any, tls).get("cert"))
    if isinstance(host, str) and not is_loopback(host.strip()) and not encrypted and not _yes(given, "plaintext"):
        reason = (
            "is reachable from other machines, and tokens would go there unencrypted: name a certificate "
            "(server.tls), or say with `plaintext: true` that something before the server encrypts"
        )
        yield Conflict(("host",), reason, "tls: {cert: ./server.pem, key: ./server.key}")
    if _yes(given, "local_without_token") and told(given, "trusted_proxies"):
        reason = "lets in whatever comes through a proxy on this machine: take it away, or trusted_proxies"
        yield Conflict(("local_without_token",), reason, "local_without_token: false")


def _yes(given: Mapping[str, object], key: str) -> bool:
    return str(given.get(key, "")).strip().lower() in ("true", "yes", "on", "1", "t", "y")
