"""How addresses are written and compared."""

from urllib.parse import quote

import httpx2

from ...config.address import complaint
from ...config.errors import Misconfigured
from ...federation.errors import BadInput
from .redaction import address

_PORTS = {"http": 80, "https": 443}


def path(*segments: str) -> str:
    """`/a/b%2Fc`: each segment encoded for itself, so that a name that holds slashes stays one segment."""
    if not all(segments):
        raise BadInput("a name in an address is empty: it would name another thing, the list that it stands in")
    return "".join(f"/{_segment(one)}" for one in segments)


def _segment(name: str) -> str:
    # A segment of dots would climb: clients and proxies resolve it before the server sees it.
    return name.replace(".", "%2E") if name in (".", "..") else quote(name, safe="")


def based(url: str, source: str) -> httpx2.URL:
    """The address that all of a source's paths are below. Raises `Misconfigured`."""
    reason = complaint(url) or (None if url.startswith(("http://", "https://")) else "is no address of HTTP")
    if reason is not None:
        raise Misconfigured(f"{source}: url {address(url)!r} {reason}, e.g. https://host.acme.io")
    try:
        base = httpx2.URL(url)
    except httpx2.InvalidURL as error:
        raise Misconfigured(f"{source}: url {address(url)!r} is no address, e.g. https://host.acme.io") from error
    if base.userinfo or base.query:
        raise Misconfigured(
            f"{source}: url holds a user or parameters: give username and password, or token, beside it"
        )
    return base


def joined(base: str, below: str) -> httpx2.URL:
    """An address below a base that may have a path of its own."""
    return httpx2.URL(base.rstrip("/") + ("" if below.startswith("/") else "/") + below)


def origin(url: httpx2.URL) -> tuple[str, str, int | None]:
    """Scheme, host and port: what has to be equal for credentials to be sent along."""
    return url.scheme, url.host.lower(), url.port or _PORTS.get(url.scheme)


def wire_path(url: httpx2.URL) -> str:
    """The path as it goes over the wire: decoded, a name that holds slashes would look like several."""
    return url.raw_path.decode("ascii").partition("?")[0]


def where_of(method: str, url: httpx2.URL) -> str:
    """What is asked, as messages name it."""
    return f"{method} {wire_path(url)}"
