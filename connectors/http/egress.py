"""Which machine an address leads to, and whether a request of ours may go there (design §10)."""

import ipaddress
import socket
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase

import httpx2

from ...config.errors import Misconfigured

Place = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str], list[str]]
"""The addresses of a name, in the order in which they are tried. Raises `OSError`."""

_METADATA_NAMES = ("metadata.google.internal", "metadata.goog", "metadata", "instance-data")
_METADATA = frozenset(
    ipaddress.ip_address(one)
    for one in ("169.254.169.254", "fd00:ec2::254", "fd20:ce::254", "100.100.100.200", "168.63.129.16", "192.0.0.192")
)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_THIS_MACHINE = "it leads to this machine"
_METADATA_OF = "it leads to the metadata of a cloud's machine"
_NOWHERE = "it leads to no single machine"


def resolved(name: str) -> list[str]:
    """As the operating system resolves a name; an address stands for itself."""
    found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def place(text: str) -> Place:
    """The address that is reached in the end: what wraps an IPv4 address in an IPv6 one is taken off.

    Raises `ValueError` for what is no address.
    """
    found = ipaddress.ip_address(text.strip("[]"))
    if isinstance(found, ipaddress.IPv6Address):
        if found in _NAT64:
            return ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        return found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else found)
    return found


def never(where: Place) -> str | None:
    """Why nobody is asked there, whatever the settings say; None: nothing stands against it."""
    if where in _METADATA or where.is_link_local:
        return _METADATA_OF
    if where.is_unspecified or where.is_multicast or (where.is_reserved and not where.is_loopback):
        return _NOWHERE
    return None


def is_here(url: httpx2.URL) -> bool:
    """Whether an address is written as one of this machine, in figures: no resolver has a say in it."""
    try:
        return place(url.host).is_loopback
    except ValueError:
        return False


def near(entry: str, base: httpx2.URL, source: str) -> httpx2.URL:
    """An entry of `also` that is a whole address: one of this machine, for a source that is on it over http too.

    Raises `Misconfigured`.
    """
    try:
        url = httpx2.URL(entry)
    except httpx2.InvalidURL as error:
        raise Misconfigured(f"{source}: also: an entry is no address: {error}") from error
    if url.scheme != "http" or url.raw_path not in (b"", b"/") or url.userinfo or not is_here(url):
        raise Misconfigured(
            f"{source}: also: {url.host!r} is given as an address. List the host alone (`*.amazonaws.com`): it is "
            "asked over https. Whole addresses are those of this machine, in figures: http://127.0.0.1:9000"
        )
    if base.scheme != "http" or not (is_here(base) or base.host == "localhost"):
        raise Misconfigured(
            f"{source}: also: {entry} is this machine, and the source itself is not on it over http: what it hands out "
            "does not lead here. Take the entry out"
        )
    return url


class Also:
    """The hosts beside a source's own that may be asked for what the platform hands out by address.

    An address is judged twice: as it is written (`objection`), and by the machine it leads to (`place_objection`).
    """

    def __init__(self, base: httpx2.URL, patterns: Iterable[str], resolve: Resolve = resolved) -> None:
        self._patterns = tuple(pattern.lower() for pattern in patterns)
        self._base = base
        self._resolve = resolve
        self._near: bool | None = None

    def objection(self, url: httpx2.URL) -> str | None:
        """Why an address may not be asked; None: it may, if it leads to a place that may."""
        if url.scheme != "https":
            return "it is not https"
        if url.userinfo:
            return "it holds a user"
        if url.port is not None and url.port != 443:
            return f"port {url.port} is not the one of https"
        host = url.host.lower().rstrip(".")
        if not any(fnmatchcase(host, pattern) for pattern in self._patterns):
            return "its host is not among those listed under `also`"
        if host in _METADATA_NAMES:
            return _METADATA_OF
        if host == "localhost" or host.endswith(".localhost"):
            return _THIS_MACHINE
        try:
            return self.place_objection(place(host))
        except ValueError:
            return None

    def place_objection(self, where: Place) -> str | None:
        """Why a request may not go to a machine."""
        if (reason := never(where)) is not None:
            return reason
        if where.is_loopback:
            return _THIS_MACHINE
        return None if where.is_global or self._is_near() else "it leads into a private network"

    def _is_near(self) -> bool:
        """Whether the source itself is private: then what it hands out may be so too."""
        if self._near is None:
            try:
                self._near = not any(place(one).is_global for one in self._resolve(self._base.host))
            except OSError:
                return False
        return self._near
