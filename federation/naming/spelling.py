"""Every form in which platforms write places, and the keys that each gives."""

import re
from collections.abc import Callable, Iterable
from dataclasses import replace

from ..model import AssetKind, Form, Spelling
from .columns import field_path
from .datahub import urn_keys
from .git import git_key
from .key import Key, PhysicalName, key, name_keys
from .mlflow import address, dataset_key, mlflow_key, paired
from .namespace import Place, authority_of, place
from .openlineage import (
    canonical,
    identifiers,
    is_spoken_for,
    physical,
    run_uuid,
)
from .quoting import cut
from .registry import Registry
from .suspects import is_metadata_table
from .systems import FILE, GLUE, OPENLINEAGE, UUID, Shape, System, system
from .uri import is_uri, split, table_uuid, volume
from .wandb import wandb_key

_Reader = Callable[[Spelling, AssetKind, Registry], tuple[Key, ...]]

_DATA_FREE = frozenset(
    {
        AssetKind.DATASET_VERSION,
        AssetKind.COLUMN,
        AssetKind.FEATURE,
        AssetKind.JOB,
        AssetKind.RUN,
        AssetKind.EXPERIMENT,
        AssetKind.CODE,
    }
)
"""Kinds that are never the very thing at a physical place: its name is a hint for them."""

_CLASS_OF = {
    AssetKind.DATASET: "data",
    AssetKind.DATASET_VERSION: "data",
    AssetKind.FEATURE_TABLE: "data",
    AssetKind.INDEX: "data",
    AssetKind.ARTIFACT: "data",
    AssetKind.COLUMN: "column",
    AssetKind.FEATURE: "column",
    AssetKind.JOB: "process",
    AssetKind.RUN: "run",
    AssetKind.MODEL: "model",
    AssetKind.MODEL_VERSION: "model",
    AssetKind.CODE: "code",
}
_MINE = {
    "column": frozenset({AssetKind.COLUMN, AssetKind.FEATURE, AssetKind.OTHER}),
    "process": frozenset({AssetKind.JOB, AssetKind.OTHER}),
    "run": frozenset({AssetKind.RUN, AssetKind.OTHER}),
    "code": frozenset({AssetKind.CODE, AssetKind.OTHER}),
}

_TABLE_LIKE = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*){1,2}")
_FILE_ENDINGS = frozenset(
    {
        "arrow",
        "avro",
        "csv",
        "db",
        "feather",
        "gz",
        "json",
        "jsonl",
        "orc",
        "parquet",
        "pkl",
        "pq",
        "sqlite",
        "tsv",
        "txt",
        "xlsx",
        "yaml",
        "zip",
    }
)
_REWRITTEN = re.compile(r"[^a-zA-Z0-9:/_\-.@+]")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_HEX = re.compile(r"[0-9a-fA-F]{32}")


def keys(spelling: Spelling, kind: AssetKind, registry: Registry) -> tuple[Key, ...]:
    """The keys of one spelling that a record of this kind carries."""
    found = _READERS[spelling.form](spelling, kind, registry)
    if not spelling.weak and (kind in _PLAIN or all(_fits(one, kind) for one in found)):
        return found
    return tuple(one if not spelling.weak and _fits(one, kind) else replace(one, strong=False) for one in found)


def keys_of(spellings: Iterable[Spelling], kind: AssetKind, registry: Registry) -> tuple[Key, ...]:
    """The keys of a record: each text once, as strong as any spelling makes it, its own name before an alias."""
    best: dict[str, Key] = {}
    for spelling in spellings:
        for one in keys(spelling, kind, registry):
            before = best.get(one.text)
            if before is None or _rank(one) < _rank(before):
                best[one.text] = one
    return tuple(best[text] for text in sorted(best))


def pair_keys(namespace: str, name: str, registry: Registry, rule: str = "OpenLineage name") -> tuple[Key, ...]:
    """The keys of an OpenLineage pair."""
    told, pair = place(namespace), canonical(namespace, name)
    if told.system.name == "mlflow":
        return _mlflow_pair(told, name, registry, rule)
    named = _settled(physical(*pair), told, pair[0], registry)
    found = name_keys(named, rule)
    if _is_pair_enough(named, pair[0], registry):
        found = (*found, key("data", OPENLINEAGE.name, *pair, strong=bool(name), rule=rule))
    return (*found, *_further(named, pair[1], rule))


def _openlineage(spelling: Spelling, kind: AssetKind, registry: Registry) -> tuple[Key, ...]:
    namespace, name = spelling.parts
    return pair_keys(namespace, name, registry)


def _symlink(spelling: Spelling, kind: AssetKind, registry: Registry) -> tuple[Key, ...]:
    namespace, name, type_ = (*spelling.parts, "")[:3]
    told, pair = place(namespace), canonical(namespace, name)
    if told.system.name == "mlflow":
        return _mlflow_pair(told, name, registry, "symlink")
    is_table = type_.upper() == "TABLE"
    named = _settled(physical(*pair, is_table=is_table), told, pair[0], registry)
    found = name_keys(named, "symlink")
    if is_table and is_metadata_table(*pair):
        return tuple(replace(one, strong=False) for one in found)
    return found


def _field(spelling: Spelling, kind: AssetKind, registry: Registry) -> tuple[Key, ...]:
    """A fourth part is the type of the symlink under whose name the dataset's field is told once more."""
    namespace, name, field, *type_ = spelling.parts
    told, pair, path = place(namespace), canonical(namespace, name), field_path(field)
    is_table, rule = type_ == ["TABLE"], "symlink" if type_ else "field"
    named = _settled(physical(*pair, is_table=is_table), told, pair[0], registry)
    if is_table and is_metadata_table(*pair):
        named = replace(named, complete=False)
    found = name_keys(named, rule, kind="column", field=path)
    if not type_ and _is_pair_enough(named, pair[0], registry):
        whole = PhysicalName(OPENLINEAGE, pair[0], (pair[1],))
        return (*found, *name_keys(whole, rule, kind="column", field=path))
    return found


def _uri(spelling: Spelling, kind: AssetKind, registry: Registry) -> tuple[Key, ...]:
    (uri,) = spelling.parts
    meant = address(uri)
    if meant is not None:
        return (mlflow_key("", "", meant.type, meant.id),)
    inside = volume(uri)
    if inside is not None:
        return (key("data", "volume", "", inside, strong=False, rule="volume"),)
    if not is_uri(uri):
        return _path_keys("", uri)
    pair = split(uri)
    named = _settled(physical(*pair), place(uri), pair[0], registry)
    return (*name_keys(named, "URI"), *_further(named, named.parts[-1], "URI"))


def _local(spelling: Spelling, kind: AssetKind, registry: Registry) -> tuple[Key, ...]:
    host, path = spelling.parts
    if path.startswith("file:/"):
        path = canonical(FILE.name, path)[1]
    if path.startswith("/dbfs/"):
        return _uri(Spelling(Form.URI, (f"dbfs:{path[5:]}",)), kind, registry)
    inside = volume(path)
    if inside is not None:
        return (key("data", "volume", "", inside, strong=False, rule="volume"),)
    return _path_keys(host, path)


def _path_keys(host: str, path: str) -> tuple[Key, ...]:
    """A path of one machine. It is never equal to a path of which no machine is told, only alike."""
    if not (path.startswith("/") or re.match(r"[A-Za-z]:[\\/]", path)):
        if _TABLE_LIKE.fullmatch(path) and path.rpartition(".")[2].lower() not in _FILE_ENDINGS:
            return (key("data", "table", "", path.lower(), strong=False, rule="looks like a table"),)
        return ()
    path = path.rstrip("/") or "/"
    alike = key("data", FILE.name, "", path, strong=False, rule="path of an unknown machine")
    if not host:
        return (alike,)
    return key("data", FILE.name, host.lower(), path, strong=True, rule="local path"), alike


def _table(spelling: Spelling, kind: AssetKind, registry: Registry) -> tuple[Key, ...]:
    word, where, name = spelling.parts
    kind_of_system = system(word)
    if kind_of_system.shape is Shape.WHOLE and place(word).system is OPENLINEAGE:
        kind_of_system = System(kind_of_system.name, Shape.DOTTED)
    named = identifiers(kind_of_system, authority_of(kind_of_system, where) if where else "", name)
    if where:
        here = place(where if "://" in where else f"{kind_of_system.prefix}://{where}")
        named = _settled(named, here, here.text, registry)
    return name_keys(named, "table name")


def _table_uuid(spelling: Spelling, kind: AssetKind, registry: Registry) -> tuple[Key, ...]:
    text = spelling.parts[0].strip().strip("{}").lower()
    return (key("data", UUID.name, "", text, strong=bool(_UUID.fullmatch(text)), rule="table UUID"),)


def _job(spelling: Spelling, kind: AssetKind, registry: Registry) -> tuple[Key, ...]:
    namespace, name = spelling.parts
    own = key("process", OPENLINEAGE.name, namespace, name, strong=True, rule="job name")
    stored = _REWRITTEN.sub("_", namespace)
    if stored == namespace:
        return (own,)
    rule = "job namespace as Marquez stores it"
    return own, key("process", OPENLINEAGE.name, stored, name, strong=True, rule=rule)


def _run(spelling: Spelling, kind: AssetKind, registry: Registry) -> tuple[Key, ...]:
    (run_id,) = spelling.parts
    own = key("run", OPENLINEAGE.name, "", run_uuid(run_id), strong=True, rule="run id")
    if not _HEX.fullmatch(run_id):
        return (own,)
    # Python takes 32 digits for a UUID, Java does not: both have stored it.
    digits = run_id.lower()
    dashed = "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
    return own, key("run", OPENLINEAGE.name, "", dashed, strong=True, rule="run id")


def _mlflow(spelling: Spelling, kind: AssetKind, registry: Registry) -> tuple[Key, ...]:
    return (mlflow_key(*spelling.parts),)


def _mlflow_dataset(spelling: Spelling, kind: AssetKind, registry: Registry) -> tuple[Key, ...]:
    return (dataset_key(*spelling.parts),)


def _wandb(spelling: Spelling, kind: AssetKind, registry: Registry) -> tuple[Key, ...]:
    return (wandb_key(*spelling.parts),)


def _git(spelling: Spelling, kind: AssetKind, registry: Registry) -> tuple[Key, ...]:
    url, commit = (*spelling.parts, "")[:2]
    found = git_key(url, commit)
    return (found,) if found else ()


def _native(spelling: Spelling, kind: AssetKind, registry: Registry) -> tuple[Key, ...]:
    source, native_id = spelling.parts
    return (key(_CLASS_OF.get(kind, "other"), "native", source, native_id, strong=True, rule="native id"),)


def _name(spelling: Spelling, kind: AssetKind, registry: Registry) -> tuple[Key, ...]:
    return (key(_CLASS_OF.get(kind, "other"), "name", "", spelling.parts[0], strong=False, rule="name"),)


def _urn(spelling: Spelling, kind: AssetKind, registry: Registry) -> tuple[Key, ...]:
    """A sibling's URN is no name of this thing's own: what it says of places says nothing of this one."""
    urn, source, told_as = (*spelling.parts, "", "")[:3]
    class_ = _CLASS_OF.get(kind, "other")
    if told_as:
        return (key(class_, "native", source, urn, strong=True, rule="sibling"),)
    own = key(class_, "native", source, urn, strong=bool(source), rule="native id")
    return (own, *urn_keys(urn, registry, source))


_READERS: dict[Form, _Reader] = {
    Form.OPENLINEAGE: _openlineage,
    Form.SYMLINK: _symlink,
    Form.FIELD: _field,
    Form.URI: _uri,
    Form.LOCAL: _local,
    Form.TABLE: _table,
    Form.OPENLINEAGE_JOB: _job,
    Form.OPENLINEAGE_RUN: _run,
    Form.MLFLOW: _mlflow,
    Form.MLFLOW_DATASET: _mlflow_dataset,
    Form.WANDB: _wandb,
    Form.GIT: _git,
    Form.TABLE_UUID: _table_uuid,
    Form.NATIVE: _native,
    Form.NAME: _name,
    Form.URN: _urn,
}


def _settled(named: PhysicalName, here: Place, namespace: str, registry: Registry) -> PhysicalName:
    """The same name under the one name that the registry knows its place by."""
    bound = registry.bound(here, namespace) if namespace else None
    if bound is not None:
        return _bound(named, bound.system, bound.name)
    if not registry.aliases or not named.authority:
        return named
    host, slash, rest = named.authority.partition("/") if named.system.name == "oracle" else (named.authority, "", "")
    known = registry.canonical(named.system, host, here.hosts)
    return named if known == host else replace(named, authority=f"{known}{slash}{rest}")


def _bound(named: PhysicalName, other: System, authority: str) -> PhysicalName:
    if not authority:
        return replace(named, authority="")
    if named.system.name == "oracle" and "/" in named.authority:
        authority = f"{authority}/{named.authority.partition('/')[2]}"
    if other.name == named.system.name:
        return replace(named, authority=authority)
    parts = named.parts
    if named.system.shape is not Shape.DOTTED and other.shape is Shape.DOTTED:
        parts = tuple(cut(".".join(parts)))
    return PhysicalName(other, authority, parts, complete=len(parts) >= other.tiers)


def _further(named: PhysicalName, name: str, rule: str) -> tuple[Key, ...]:
    """What a name says besides itself."""
    if named.system.name == "athena" and len(named.parts) == 2:
        # Athena's default catalogue is Glue's, but its namespace does not tell the account.
        return name_keys(PhysicalName(GLUE, "", named.parts), "Athena reads Glue")
    if named.system.shape in (Shape.OBJECT, Shape.PATH):
        known = table_uuid(name)
        if known is not None:
            return (key("data", UUID.name, "", known, strong=True, rule=f"table UUID in {rule}"),)
    return ()


def _mlflow_pair(here: Place, name: str, registry: Registry, rule: str) -> tuple[Key, ...]:
    meant = paired(name)
    instance = registry.canonical(here.system, here.authority)
    workspace = here.path.strip("/")
    if meant is None or meant.alias is not None:
        return (key("data", "mlflow", f"{instance}/{workspace}", name, strong=bool(instance and name), rule=rule),)
    return (mlflow_key(instance, workspace, meant.type, meant.id, rule=rule),)


def _is_pair_enough(named: PhysicalName, namespace: str, registry: Registry) -> bool:
    """Though the name lacks its place or its upper parts, equal pairs are one thing; but not where a person said no."""
    return not named.is_placed and is_spoken_for(namespace) and registry.bound(place(namespace), namespace) is None


def _fits(one: Key, kind: AssetKind) -> bool:
    """A thing of this kind may be the very thing that the key names."""
    if not one.strong:
        return True
    class_, system_name, _ = one.text.split("|", 2)
    if class_ == "data":
        return kind not in _DATA_FREE or (
            kind is AssetKind.DATASET_VERSION and system_name in ("mlflow-dataset", "mlflow", "wandb", "native")
        )
    if system_name == "native":
        return True
    if class_ == "model":
        return kind not in _DATA_FREE
    return class_ not in _MINE or kind in _MINE[class_]


_PLAIN = frozenset({AssetKind.OTHER})


def _rank(one: Key) -> tuple[bool, bool]:
    return not one.strong, one.is_alias
