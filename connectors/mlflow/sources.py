"""Which physical place a dataset's `source` names: MLflow stores any JSON there and checks nothing."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import urlsplit

from ...federation.model import Form, Json, Spelling
from .wire import loads, sample, text, without_secrets

_SCHEMES = {"s3a": "s3", "s3n": "s3", "gcs": "gs", "abfs": "abfss", "wasb": "abfss", "wasbs": "abfss"}
_OBJECT_STORES = frozenset({"s3", "gs", "abfss", "hdfs", "viewfs", "r2", "b2", "ftp", "sftp", "dbfs"})
_TABLE_NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*){1,2}")
_LOCAL_CATALOGS = ("hive_metastore.", "spark_catalog.")


@dataclass(frozen=True, slots=True)
class Located:
    """Where the data lay. `native_id` is None when nothing physical was told: the row in MLflow is all there is."""

    native_id: str | None
    name: str = ""
    subtype: str | None = None
    spellings: tuple[Spelling, ...] = ()
    version: str | None = None
    """The version that the platform of the data gave it, not MLflow's digest."""
    confidence: float = 1.0
    warning: str | None = None
    facets: Mapping[str, Json] = field(default_factory=dict[str, Json])
    sql: str | None = None
    field_namespace: tuple[str, str] | None = None
    """How OpenLineage would name the place, where that is plain: its columns are then named alike."""


def locate(source_type: str, source: Json, user: str) -> Located:
    """Read one dataset source; what cannot be understood is kept as it is, with a warning."""
    told = loads(source) if isinstance(source, str) else source
    if not isinstance(told, Mapping):
        return Located(
            None, warning=f"source of type {source_type or '(none)'!r} is not a JSON object: {sample(source)!r}"
        )
    told = cast(Mapping[str, Any], told)
    match source_type:
        case "local":
            return _local(text(told, "uri"), user)
        case "http":
            return _address(text(told, "url"))
        case "hugging_face":
            return _hugging_face(told)
        case "delta_table" | "spark":
            return _table_or_path(told, user)
        case "uc_volume":
            return _volume(text(told, "path"))
        case "code":
            return Located(None, subtype="code")
        case _:
            return _any(source_type, told, user)


def _any(source_type: str, told: Mapping[str, Any], user: str) -> Located:
    """Object stores, and plugins' own types: whatever looks like an address or a table is taken as one."""
    for key in ("uri", "url", "path"):
        if text(told, key):
            return _path(text(told, key), user)
    for key in ("table_name", "delta_table_name", "table"):
        if text(told, key):
            return _table(text(told, key))
    return Located(None, warning=f"source of type {source_type or '(none)'!r} names no place that we know")


def _path(path: str, user: str) -> Located:
    return _address(path) if "://" in path else _local(path, user)


def _address(written: str) -> Located:
    clean = without_secrets(written)
    scheme, authority, path = _cut(clean)
    if not scheme or not (authority or path):
        return Located(None, warning=f"{sample(written)!r} is no address")
    if scheme == "file":
        return _local(path, authority)
    canonical = f"{scheme}://{authority}{path}"
    spellings = [Spelling(Form.URI, (clean,))]
    parent = canonical.rpartition("/")[0]
    if scheme in _OBJECT_STORES and parent.count("/") > 2:
        spellings.append(Spelling(Form.URI, (parent,), weak=True))
    namespace = (f"{scheme}://{authority}", path.lstrip("/")) if scheme in _OBJECT_STORES and path else None
    return Located(
        f"data/{canonical}", path.lstrip("/") or canonical, "file", tuple(spellings), field_namespace=namespace
    )


def _cut(address: str) -> tuple[str, str, str]:
    """Scheme, authority and path of an address, spelled one way, so that a place is one record."""
    parts = urlsplit(address)
    scheme, authority = parts.scheme.lower(), parts.netloc.lower()
    if scheme in ("wasb", "wasbs"):
        authority = authority.replace(".blob.", ".dfs.", 1)
    return _SCHEMES.get(scheme, scheme), authority, parts.path.rstrip("/")


def _local(path: str, user: str) -> Located:
    """A path on some machine that MLflow does not name, unless it is a mount of Databricks."""
    path = without_secrets(path)
    if path.startswith("/Volumes/"):
        return _volume(path)
    if path.startswith(("/dbfs/", "dbfs:/")):
        inner = path.partition("/dbfs/" if path.startswith("/dbfs/") else "dbfs:/")[2].strip("/")
        if inner.startswith("Volumes/"):
            return _volume(f"/{inner}")
        return Located(f"data/dbfs:/{inner}", inner, "file", (Spelling(Form.URI, (f"dbfs:/{inner}",)),))
    if not path.startswith("/") and not re.match(r"[A-Za-z]:[\\/]", path):
        return _unrooted(path)
    # One path is another file on every machine: the user who logged it is all that keeps machines apart.
    clean = path.rstrip("/") or "/"
    spelling = Spelling(Form.LOCAL, ("", clean), weak=True)
    return Located(f"data/local/{user or 'unknown'}{clean}", clean, "file", (spelling,), confidence=0.9)


def _unrooted(path: str) -> Located:
    if _TABLE_NAME.fullmatch(path) and path.count(".") == 2:
        located = _table(path, weak=True)
        warning = f"{path!r} was logged as a local file but looks like a table"
        return Located(located.native_id, located.name, "table", located.spellings, confidence=0.5, warning=warning)
    return Located(None, warning=f"{sample(path)!r} is relative to a folder that MLflow does not tell")


def _volume(path: str) -> Located:
    """A file in a Unity Catalog volume: catalog, schema, volume, then the path inside."""
    parts = [part for part in path.strip("/").split("/") if part]
    if len(parts) < 4 or parts[0] != "Volumes":
        return Located(None, warning=f"{sample(path)!r} is no path of a volume")
    clean = "/".join(parts)
    return Located(f"data/dbfs:/{clean}", "/".join(parts[1:]), "volume", (Spelling(Form.URI, (f"dbfs:/{clean}",)),))


def _hugging_face(told: Mapping[str, Any]) -> Located:
    path = text(told, "path")
    if not path:
        return Located(None, warning="a Hugging Face source without a path")
    slice_ = {
        key: told[key]
        for key in ("config_name", "data_dir", "data_files", "split")
        if told.get(key) not in (None, "", "None")  # the client writes an absent split as the text "None"
    }
    revision = text(told, "revision")
    return Located(
        f"data/hf://datasets/{path}",
        path,
        "file",
        (Spelling(Form.URI, (f"hf://datasets/{path}",)),),
        version=revision if revision != "None" else None,
        facets={"slice": slice_} if slice_ else {},
    )


def _table_or_path(told: Mapping[str, Any], user: str) -> Located:
    if text(told, "sql"):
        return Located(None, subtype="query", sql=text(told, "sql"))
    name = text(told, "delta_table_name") or text(told, "table_name")
    # Version 0 never arrives: the client leaves out what is false.
    version = text(told, "delta_table_version") or None
    if name:
        return _table(name, uuid=text(told, "delta_table_id"), version=version)
    if text(told, "path"):
        located = _path(text(told, "path"), user)
        return Located(
            located.native_id,
            located.name,
            "table",
            located.spellings,
            version,
            located.confidence,
            located.warning,
            field_namespace=located.field_namespace,
        )
    return Located(None, warning="a table source without a name, a path or a query")


def _table(name: str, *, uuid: str = "", version: str | None = None, weak: bool = False) -> Located:
    """A table by its UUID where told, else by its name; a name without a metastore is no authority's."""
    # hive_metastore and spark_catalog are another catalog in every workspace.
    weak = weak or name.startswith(_LOCAL_CATALOGS) or name.count(".") < 2
    spellings = [Spelling(Form.TABLE, ("unitycatalog", "", name), weak=weak)]
    if uuid:
        spellings.insert(0, Spelling(Form.TABLE_UUID, (uuid,)))
    native_id = f"data/table/{uuid}" if uuid else f"data/table/{name}"
    return Located(native_id, name, "table", tuple(spellings), version, 0.8 if weak and not uuid else 1.0)


def tables_of(sql: str) -> Iterator[Located]:
    """The tables that a query reads; nothing where it cannot be parsed."""
    from sqlglot import exp, parse_one  # imported here: few sources hold SQL, and it is large
    from sqlglot.errors import SqlglotError

    try:
        tree = parse_one(sql, dialect="spark")
    except SqlglotError:
        return
    inner = {cte.alias_or_name for cte in tree.find_all(exp.CTE)}
    names = {
        ".".join(part.name for part in table.parts)
        for table in tree.find_all(exp.Table)
        if table.name and not (table.name in inner and not table.db)
    }
    yield from map(_table, sorted(names))
