"""Where an OpenLineage namespace points, however it is spelled."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

from .systems import GLUE, NOWHERE, OPENLINEAGE, Shape, System, by_scheme

_ROUNDS = 8
"""How often a spelling may be wrapped in another before it is taken as it is."""

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):(//)?(.*)", re.DOTALL)
_GLUE = re.compile(r"arn:aws[a-z-]*:glue:([^:/|]+):([^:/|]+)", re.IGNORECASE)
_ORACLE = re.compile(r"oracle:[a-z0-9]+:@(?://)?([^:/]+)(:\d+)?(?:[:/](.*))?", re.IGNORECASE)
_PORT = re.compile(r":(\d*)$")
_DATABASE = re.compile(r"(?:^|[;?&])(?:database|databaseName)=([^;&]*)", re.IGNORECASE)
_REDSHIFT = re.compile(r"^(.+?)\.[^.]+\.([a-z0-9-]+)\.redshift(?:-serverless)?\.amazonaws\.com(\.cn)?(?=:|$)")
_ATHENA = re.compile(r"^athena\.(.+?)\.amazonaws\.com(\.cn)?(?::443)?$")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a namespace points."""

    system: System
    text: str
    """The namespace as the canon writes it."""
    authority: str = ""
    """Host and port, bucket, account; empty: not told."""
    path: str = ""
    """What follows the authority, from its slash on, without a slash at its end."""
    hosts: tuple[str, ...] = ()
    """All of them, where a cluster lists several."""

    bare: str = ""
    """The canonical namespace without its path."""


@lru_cache(maxsize=16384)
def place(namespace: str) -> Place:
    """Where a namespace points; one that names no system we know is a place of its own."""
    first = here = _read(namespace)
    for _ in range(_ROUNDS):
        again = _read(here.text)
        if again == here:
            break
        here = again
    # The canon has room for one host of a cluster; the registry may know it by another.
    return replace(here, hosts=first.hosts) if len(first.hosts) > 1 else here


def _read(namespace: str) -> Place:
    text = namespace.strip()
    glue = _GLUE.fullmatch(text)
    if glue is not None:
        text = text.lower()
        return Place(GLUE, text, f"{glue[1]}:{glue[2]}".lower(), bare=text)
    text = _without_jdbc(text)
    url = _URL.fullmatch(text)
    known = by_scheme(url[1].lower()) if url else None
    if url is not None and (url[2] or (known and (not url[3] or url[3].startswith("/")))):
        return _at(known or System(url[1].lower()), url[3], has_authority=bool(url[2]))
    bare = by_scheme(text)
    if bare is not None:
        return Place(bare, text, bare=text)
    return Place(OPENLINEAGE, text, text, bare=text)


def is_nowhere(here: Place) -> bool:
    """The namespace is a constant of some software."""
    return here.text in NOWHERE


def ported(system: System, host: str) -> str:
    """A host with the port that it has if none is told, or without the one that goes without saying."""
    told = _PORT.search(host)
    if told is not None and (not told[1] or int(told[1]) == system.spare_port):
        host, told = host[: told.start()].rstrip(":"), None
    if told is None and system.port is not None and host:
        return f"{host}:{system.port}"
    return host


def authority_of(system: System, text: str) -> str:
    """The authority that somebody wrote by itself (`pg1.acme.io`, `postgres://pg1:5432`, `ab12.us-west-2.aws`)."""
    if system.filed or system.name in ("openlineage", "warehouse"):
        return text
    if "://" in text:
        return place(text).authority
    return _host(system, text)


def _without_jdbc(text: str) -> str:
    while text[:5].lower() == "jdbc:":
        text = text[5:].strip()
    oracle = _ORACLE.fullmatch(text)
    if oracle is None:
        return text
    host, port, service = oracle.groups()
    return f"oracle://{host}{port or ''}/{service or ''}"


def _at(system: System, rest: str, *, has_authority: bool) -> Place:
    address, options = _cut_options(system, rest)
    if system.filed or not system.placed:
        path = address.rstrip("/")
        return _written(system, "", path if system.filed or path.startswith("/") or not path else f"/{path}")
    authority, slash, path = address.partition("/") if has_authority else ("", "/", address.lstrip("/"))
    path = (slash + path).rstrip("/")
    if system.shape is Shape.DOTTED and not path:
        database = _DATABASE.search(options)
        path = f"/{database[1]}" if database and database[1] else ""
    if system.name == "abs":
        return _azure(system, authority, path)
    return _written(system, authority, path)


def _cut_options(system: System, rest: str) -> tuple[str, str]:
    """The address, and what drivers hang on to it."""
    if system.shape in (Shape.OBJECT, Shape.PATH):
        return rest, ""
    signs = "?" if system.filed else "?;"
    ends = [rest.find(sign) for sign in signs if sign in rest]
    return (rest[: min(ends)], rest[min(ends) :]) if ends else (rest, "")


def _host(system: System, text: str) -> str:
    """One host, without credentials, in small letters, as its system writes it."""
    host = text.rpartition("@")[2].strip().lower()
    tidy = _TIDY.get(system.name)
    return ported(system, tidy(host) if tidy else host)


def _written(system: System, authority: str, path: str) -> Place:
    hosts = tuple(_host(system, one) for one in authority.split(",") if one.strip())
    first = hosts[0] if hosts else ""
    if system.name == "file" and first in ("localhost", "127.0.0.1", "[::1]"):
        first, hosts = "", ()
    return Place(system, _text(system, first, path), first, path, hosts, _text(system, first, ""))


def _text(system: System, authority: str, path: str) -> str:
    if authority:
        return f"{system.prefix}://{_HOSTED.get(system.name, '{}').format(authority)}{path}"
    if path:
        return f"{system.prefix}://{path}" if system.filed else f"{system.prefix}:{path}"
    return system.prefix if by_scheme(system.name) else f"{system.prefix}://"


def _azure(system: System, authority: str, path: str) -> Place:
    """`container@account.dfs.core.windows.net`, whichever of the four schemes and two endpoints was used."""
    container, at, host = authority.strip().lower().rpartition("@")
    host = ported(system, host.strip()).replace(".blob.", ".dfs.", 1)
    bare = f"{system.prefix}://{container}{at}{host}"
    account = host.partition(".")[0] if at else ""
    return Place(system, bare + path, account, path, (container or host,), bare)


def _redshift(host: str) -> str:
    return _REDSHIFT.sub(r"\1.\2", host)


def _athena(host: str) -> str:
    found = _ATHENA.fullmatch(host)
    return found[1] if found else host


def _snowflake(host: str) -> str:
    host = _PORT.sub("", host)
    return host.removesuffix(".snowflakecomputing.com").removesuffix(".snowflakecomputing.cn")


_TIDY: dict[str, Callable[[str], str]] = {"redshift": _redshift, "athena": _athena, "snowflake": _snowflake}
_HOSTED = {"athena": "athena.{}.amazonaws.com"}
