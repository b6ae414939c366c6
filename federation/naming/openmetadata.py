"""OpenMetadata's full names: a free service name in front, quoted parts, and databases that do not exist."""

from dataclasses import replace

from .key import Key, PhysicalName, name_keys
from .openlineage import identifiers
from .quoting import cut, dotted, folded
from .registry import Registry
from .systems import Shape, System, system
from .uri import located

_RESERVED = {"__reserved__colon__": "::", "__reserved__arrow__": ">", "__reserved__quote__": '"'}
RULE = "OpenMetadata full name"
_STORES = {"s3", "gs", "abs"}


def split(full_name: str) -> tuple[str, ...]:
    """The parts of a full name, unquoted."""
    return tuple(map(_decoded, cut(full_name)))


def full_name_keys(
    full_name: str, service_type: str, registry: Registry, source: str = "", *, column: bool = False
) -> tuple[Key, ...]:
    """The keys of a table, topic or container, or of a column (`column`: the last part names it)."""
    service, *parts = split(full_name)
    field: tuple[str, ...] = ()
    kind = system(_SERVICES.get(service_type.lower(), service_type))
    if column:
        parts, field = _without_column(kind, parts)
    if not parts:
        return ()
    named = _physical(kind, tuple(parts))
    bound = registry.service(source, service)
    if bound is not None and bound.name:
        named = replace(named, authority=bound.name)
    return name_keys(named, RULE, kind="column" if field else "data", field=field)


_SERVICES = {
    "deltalake": "delta-lake",
    "azuresql": "mssql",
    "unitycatalog": "unitycatalog",
    "databricks": "unitycatalog",
    "adls": "abs",
    "gcs": "gs",
    "pubsub": "pubsub",
    "kinesisfirehose": "kinesis",
}


def _without_column(kind: System, parts: list[str]) -> tuple[list[str], tuple[str, ...]]:
    """service.database.schema.table.column, where a column may have fields of its own."""
    tiers = 3 if kind.shape is Shape.DOTTED else 1
    return parts[:tiers], tuple(parts[tiers:])


def _physical(kind: System, parts: tuple[str, ...]) -> PhysicalName:
    if kind.name in _STORES:
        return _container(kind, parts)
    if kind.shape is not Shape.DOTTED:
        return PhysicalName(kind, "", (".".join(parts),))
    if kind.name == "glue" and len(parts) == 3:
        return PhysicalName(kind, "", parts[1:])
    if len(parts) > 2 and folded(parts[0]) in kind.artificial:
        parts = parts[1:]
    if kind.name in ("oracle", "mysql", "hive", "teradata", "clickhouse", "mongodb") and len(parts) == 3:
        # Two-tier systems get a database that only OpenMetadata knows.
        parts = parts[1:]
    complete = kind.name in ("oracle", "athena", "mysql") or len(parts) >= kind.tiers
    return replace(identifiers(kind, "", dotted(parts)), complete=complete, exact=False)


def _container(kind: System, parts: tuple[str, ...]) -> PhysicalName:
    """A bucket, and the folders in it."""
    bucket, *rest = parts
    path = "/".join(part.strip("/") for part in rest)
    if kind.name == "abs":
        return PhysicalName(kind, "", (f"{bucket}/{path}",))
    return located(f"{kind.name}://{bucket}/{path}") or PhysicalName(kind, bucket, (path,))


def _decoded(part: str) -> str:
    for code, sign in _RESERVED.items():
        part = part.replace(code, sign)
    return part
