"""Whom we believe to be the platform, and the certificate that we show it."""

import ssl
from pathlib import Path

import httpx2

from ...config.errors import Misconfigured


def trust(
    base: httpx2.URL, source: str, ca: Path | None, client_cert: Path | None, client_key: Path | None
) -> ssl.SSLContext:
    """The rules of TLS for a source. Raises `Misconfigured`."""
    if base.scheme != "https":
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # believes nobody, and costs nothing
    context = ssl.create_default_context()
    if ca is not None:
        try:
            context.load_verify_locations(ca)
        except (OSError, ssl.SSLError) as error:
            raise Misconfigured(
                f"{source}: ca {ca} cannot be used ({_reason(error)}): it must be a file in PEM"
            ) from error
    if client_cert is not None:
        try:
            context.load_cert_chain(client_cert, client_key, password=_no_passphrase)
        except (OSError, ssl.SSLError) as error:
            reason = f"client_cert {client_cert} cannot be used ({_reason(error)})"
            remedy = "certificate and key must be in PEM, the key without a passphrase"
            raise Misconfigured(f"{source}: {reason}: {remedy}") from error
    return context


def _no_passphrase() -> str:
    """Else OpenSSL asks on the terminal, and waits."""
    return ""


def _reason(error: OSError) -> str:
    return error.strerror or str(error) or type(error).__name__
