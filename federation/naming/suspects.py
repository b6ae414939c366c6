"""Names that look like a dataset's and may be none: functions, names cut short, views of a table's inside."""

from collections import Counter
from collections.abc import Iterable

from .namespace import place
from .quoting import cut, folded
from .systems import OPENLINEAGE, Shape

_FUNCTIONS = frozenset(
    {
        "arrays_zip",
        "delta_scan",
        "explode",
        "flatten",
        "generate_series",
        "generate_subscripts",
        "glob",
        "iceberg_scan",
        "json_each",
        "json_table",
        "json_to_recordset",
        "lateral",
        "opendatasource",
        "openjson",
        "openrowset",
        "parquet_metadata",
        "parquet_scan",
        "parquet_schema",
        "posexplode",
        "postgres_scan",
        "range",
        "read_avro",
        "read_blob",
        "read_csv",
        "read_csv_auto",
        "read_files",
        "read_json",
        "read_json_auto",
        "read_json_objects",
        "read_ndjson",
        "read_ndjson_auto",
        "read_parquet",
        "read_text",
        "read_xlsx",
        "regexp_split_to_table",
        "repeat_row",
        "result_scan",
        "sequence",
        "sniff_csv",
        "split_to_table",
        "sqlite_scan",
        "string_split",
        "string_to_table",
        "table_changes",
        "unnest",
        "values",
    }
)
"""Functions that stand in SQL where a table could."""

_METADATA_TABLES = frozenset(
    {
        "all_data_files",
        "all_delete_files",
        "all_entries",
        "all_files",
        "all_manifests",
        "data_files",
        "delete_files",
        "entries",
        "files",
        "history",
        "manifests",
        "metadata_log_entries",
        "partitions",
        "position_deletes",
        "refs",
        "snapshots",
    }
)
"""What Iceberg shows of a table behind the table's own name."""


def is_metadata_table(namespace: str, name: str) -> bool:
    """`db.t.snapshots` and the like: a view of a table's inside, and no second name of the table."""
    parts = name.removeprefix("table/").replace("/", ".").split(".")
    system = place(namespace).system
    tiers = system.tiers if system.shape is Shape.DOTTED and system.tiers else 2
    return len(parts) > tiers and folded(parts[-1]) in _METADATA_TABLES


def is_suspect(name: str, neighbours: Iterable[str], namespace: str = "") -> bool:
    """Whether a name known only from parsed SQL may be no asset: a function, or shorter than its neighbours' names."""
    if "/" in name or (namespace and place(namespace).system.shape in (Shape.OBJECT, Shape.PATH)):
        return False
    parts = len(cut(name))
    if parts == 1 and folded(name) in _FUNCTIONS:
        return True
    counts = Counter(len(cut(other)) for other in neighbours if other != name and "/" not in other)
    usual = max(counts, key=lambda count: (counts[count], count), default=0)
    return parts < usual and not _is_opaque(namespace)


def _is_opaque(namespace: str) -> bool:
    """Its names have no parts, so none can lack any."""
    if not namespace:
        return False
    system = place(namespace).system
    return system.shape is Shape.WHOLE and system is not OPENLINEAGE
