"""DataHub's URNs: which physical thing a dataset or a field of it is."""

import re
from dataclasses import dataclass, replace

from .columns import datahub_path
from .key import ENVIRONMENT, Key, PhysicalName, key, name_keys
from .namespace import place
from .openlineage import identifiers
from .registry import Registry
from .systems import Shape, System, system
from .uri import located

_DATASET = re.compile(
    r"urn:li:dataset:\(urn:li:dataPlatform:(?P<platform>.+?),(?P<name>.+),(?P<env>[^,()]+)\)", re.DOTALL
)
_FIELD = re.compile(r"urn:li:schemaField:\((?P<dataset>urn:li:dataset:\(.+?\)),(?P<path>.+)\)", re.DOTALL)
_ESCAPES = {"%2C": ",", "%28": "(", "%29": ")", "%2c": ","}
_FLATTENED = re.compile(r"_(parquet|csv|json|avro|orc|txt|gz|tsv|delta)$")
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
RULE = "DataHub URN"


@dataclass(frozen=True, slots=True)
class Urn:
    """The three parts of a dataset's URN, and the field behind it."""

    platform: str
    name: str
    environment: str
    field: str = ""


def parse(urn: str) -> Urn | None:
    """The parts of the URN of a dataset or of a field; None for every other kind."""
    field = _FIELD.fullmatch(urn)
    found = _DATASET.fullmatch(field["dataset"] if field else urn)
    if found is None:
        return None
    path = _decoded(field["path"]) if field else ""
    return Urn(found["platform"], _decoded(found["name"]), found["env"], path)


def urn_keys(urn: str, registry: Registry, source: str = "") -> tuple[Key, ...]:
    """The keys of a URN, its environment among them; weak where it lacks the place, as most do."""
    told = parse(urn)
    if told is None:
        return ()
    named = physical(told, registry, source)
    environment = key("other", ENVIRONMENT, told.environment.lower(), "", strong=False, rule=ENVIRONMENT)
    if told.field:
        steps = datahub_path(told.field)[0]
        return (*name_keys(named, RULE, kind="column", field=steps), environment)
    return (*name_keys(named, RULE), *_unflattened(named), environment)


def physical(told: Urn, registry: Registry, source: str = "") -> PhysicalName:
    """The physical name, with the place that a binding gives it or that it tells itself."""
    kind, name = system(told.platform), told.name
    if told.platform.startswith("arn:"):
        # OpenLineage's Glue namespace taken for a platform: it tells account and region.
        here = place(told.platform)
        return identifiers(here.system, here.authority, name)
    for instance in registry.instances(source, told.platform):
        bound = registry.instance(source, told.platform, instance, told.environment)
        if bound is not None and name.startswith(f"{instance}."):
            return _placed(_in(kind, name[len(instance) + 1 :]), bound.name)
    bound = registry.instance(source, told.platform, "", told.environment)
    return _placed(_in(kind, name), bound.name if bound else "")


def _placed(named: PhysicalName, authority: str) -> PhysicalName:
    """The name in the place that a binding gives it, unless it tells its own."""
    return replace(named, authority=authority) if authority and not named.authority else named


def _in(kind: System, name: str) -> PhysicalName:
    """A name as DataHub writes it for this system, without a place unless the name holds one."""
    if kind.name in ("s3", "gs"):
        return located(f"{kind.name}://{name.lstrip('/')}") or PhysicalName(kind, "", (name,))
    if kind.name == "abs":
        return PhysicalName(kind, "", (name.strip("/"),))
    if kind.name == "delta-lake":
        # Often a bucket and the path in it, sometimes a path relative to wherever the recipe ran: a hint.
        named = located(f"s3://{name.strip('/')}") or PhysicalName(kind, "", (name,))
        return replace(named, complete=False)
    if kind.name in ("kinesis", "dynamodb"):
        return _regional(kind, name)
    if kind.name == "fabric-onelake":
        return _by_guid(kind, name)
    if kind.shape is not Shape.DOTTED:
        # DataHub drops the machine of a file, so that even a whole path does not say which one.
        return PhysicalName(kind, "", (name,), complete=kind.name != "file")
    return _tiered(kind, name)


def _tiered(kind: System, name: str) -> PhysicalName:
    named = identifiers(kind, "", name)
    if kind.name == "oracle" and len(named.parts) == 2:
        return replace(named, complete=True)
    if kind.name == "athena" and len(named.parts) == 2:
        return replace(named, complete=True)
    return named


def _by_guid(kind: System, name: str) -> PhysicalName:
    """`workspace.lakehouse.schema.table`, the first two as GUIDs that are unique in the world."""
    workspace, _, rest = name.partition(".")
    lakehouse, _, table = rest.partition(".")
    if _GUID.fullmatch(workspace) and _GUID.fullmatch(lakehouse) and table:
        return PhysicalName(kind, f"{workspace}/{lakehouse}", tuple(table.split(".")))
    return PhysicalName(kind, "", tuple(name.split(".")))


def _regional(kind: System, name: str) -> PhysicalName:
    """`account.region.name`: the place stands in front of the name."""
    parts = name.split(".", 2)
    if len(parts) < 3:
        return PhysicalName(kind, "", (parts[-1],))
    return PhysicalName(kind, f"{parts[0]}:{parts[1]}", (parts[2],))


def _unflattened(named: PhysicalName) -> tuple[Key, ...]:
    """One of DataHub's builders writes `x.parquet` as `x_parquet`: the other reading is a hint."""
    if named.system.shape is not Shape.OBJECT or not _FLATTENED.search(named.parts[0]):
        return ()
    other = replace(named, parts=(_FLATTENED.sub(r".\1", named.parts[0]),))
    found = name_keys(other, f"{RULE}, ending restored")
    return tuple(replace(one, strong=False) for one in found)


def _decoded(text: str) -> str:
    for code, sign in _ESCAPES.items():
        text = text.replace(code, sign)
    return text
