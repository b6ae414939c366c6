"""OpenLineage's names: one spelling of each pair, and the physical name behind it."""

import hashlib
import re
import uuid

from .key import PhysicalName
from .namespace import Place, is_nowhere, place
from .quoting import cut, cut_quoted, dotted, folded, in_quotes, nfc, unbracketed
from .systems import GLUE, WAREHOUSE, Shape, System, by_scheme

_URI = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):/", re.ASCII)
_TEMPLATE = re.compile(r"\{\{|\}\}")
_HEX_GROUPS = re.compile(r"[0-9a-fA-F]+(?:-[0-9a-fA-F]+){4}")
_GROUPS = (8, 4, 4, 4, 12)


def canonical(namespace: str, name: str) -> tuple[str, str]:
    """The one spelling of a pair that all spellings of the same place share; the case of names is never touched."""
    here = place(namespace)
    match here.system.shape:
        case Shape.DOTTED:
            name = _unquoted(here.system, name)
            has_database = here.path and not here.system.filed and here.system is not GLUE
            return _completed(here, name) if has_database else (here.text, name)
        case Shape.OBJECT | Shape.PATH:
            return _stored(here, name)
        case Shape.WHOLE:
            return here.text, name


def physical(namespace: str, name: str, *, is_table: bool = False) -> PhysicalName:
    """The thing that a canonical pair names; `is_table` where its producer says that the name is a catalogue's."""
    here = place(namespace)
    system = here.system
    match system.shape:
        case Shape.DOTTED:
            return identifiers(system, here.path if system.filed else here.authority + here.path, name)
        case Shape.OBJECT | Shape.PATH:
            if here.path or (is_table and name and "/" not in name):
                return PhysicalName(WAREHOUSE, here.text, tuple(cut(nfc(name))))
            return stored(here, name)
        case Shape.WHOLE:
            return PhysicalName(system, here.authority + here.path, (name,), complete=bool(name))


def stored(here: Place, name: str) -> PhysicalName:
    """A file, a folder or an object, by its canonical name."""
    if here.system.name == "abs":
        return PhysicalName(here.system, here.authority, ("/".join((*here.hosts, name.lstrip("/"))),))
    # A local file without a host is one file for all who say so: the pair (`file`, path) is OpenLineage's own.
    complete = not (here.system.name == "file" and not name.startswith("/"))
    return PhysicalName(here.system, here.authority, (name,), complete=complete)


def identifiers(system: System, authority: str, name: str) -> PhysicalName:
    """A name of dotted identifiers, as its system understands them."""
    if system.name == "glue" and name.startswith("table/"):
        return PhysicalName(system, authority, tuple(name.split("/", 2)[1:]))
    quoted = cut_quoted(unbracketed(name) if system.name == "mssql" else name)
    parts = tuple(part for part, _ in quoted)
    exact = system.quoted_exact and any(was and part != part.upper() for part, was in quoted)
    complete = len(parts) >= system.tiers and all(parts) and not _TEMPLATE.search(name)
    if system.name == "oracle" and len(parts) >= 3:
        authority = f"{authority}/{folded(parts[0])}" if authority else ""
        parts = parts[1:]
    elif system.name == "athena" and len(parts) == 3 and folded(parts[0]) == "awsdatacatalog":
        parts = parts[1:]
    return PhysicalName(system, authority, parts, complete, exact)


def is_spoken_for(namespace: str) -> bool:
    """The pair itself says which thing is meant, though we may not know its system: equal pairs are one thing."""
    here = place(namespace)
    return bool(here.text) and not is_nowhere(here)


def run_uuid(run_id: str) -> str:
    """A run's id as a UUID in small letters; one that is none becomes what Marquez makes of it."""
    text = run_id.strip().removeprefix("urn:uuid:").strip("{}")
    if len(text) <= 36 and _HEX_GROUPS.fullmatch(text):
        # Java reads short groups as numbers and keeps the last digits of long ones.
        groups = zip(text.split("-"), _GROUPS, strict=True)
        return "-".join(group.rjust(size, "0")[-size:].lower() for group, size in groups)
    digest = hashlib.md5(run_id.encode("utf-8", "surrogatepass"), usedforsecurity=False).digest()
    return str(uuid.UUID(bytes=digest, version=3))


def _unquoted(system: System, name: str) -> str:
    """A dotted name without the quotes that say nothing."""
    if system is GLUE:
        return f"table/{name.replace('.', '/')}" if "/" not in name and name.count(".") == 1 else name
    return ".".join(_pieces(system, name))


def _pieces(system: System, name: str) -> list[str]:
    """The parts of a dotted name as they are written, in quotes where these mean something."""
    if not any(sign in name for sign in '"`['):
        return name.split(".")
    quoted = cut_quoted(unbracketed(name) if system.name == "mssql" else name)
    return [
        in_quotes(part) if was and system.quoted_exact and part != part.upper() else dotted((part,))
        for part, was in quoted
    ]


def _completed(here: Place, name: str) -> tuple[str, str]:
    """A database that stands in the namespace goes where the canon has it: in front of the name."""
    above = [dotted((part,)) for part in here.path.strip("/").split("/")]
    parts = _pieces(here.system, name)
    if len(above) + len(parts) == here.system.tiers and all(parts):
        return here.bare, _unquoted(here.system, ".".join((*above, *parts)))
    if len(parts) >= here.system.tiers and parts[: len(above)] == above:
        return here.bare, name
    return here.text, name


def _stored(here: Place, name: str) -> tuple[str, str]:
    here, name = _unwrapped(here, name)
    if not here.path:
        return here.text, tidy(here.system, name)
    if not name.strip("/"):
        return here.bare, tidy(here.system, here.path)
    if here.system.shape is Shape.PATH and name.startswith("/"):
        return here.bare, tidy(here.system, name)
    if "/" in name:
        return here.bare, tidy(here.system, f"{here.path}/{name.lstrip('/')}")
    return here.text, name


def _unwrapped(here: Place, name: str) -> tuple[Place, str]:
    """Whole URIs in place of a name: what follows their authority."""
    while (scheme := _URI.match(name)) is not None and by_scheme(scheme[1].lower()) is here.system:
        inner = place(name)
        if here.authority and (inner.authority, inner.hosts) != (here.authority, here.hosts):
            break
        here, name = place(inner.bare), tidy(inner.system, inner.path)
    return here, name


def tidy(system: System, name: str) -> str:
    """An object's key without slashes around it, a path with one before it and none behind."""
    if system.shape is Shape.OBJECT:
        return name.strip("/") or "/"
    return ("/" + name.strip("/")) if name.startswith("/") else name.rstrip("/") or "/"
