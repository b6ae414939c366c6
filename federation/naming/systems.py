"""Which systems hold data, and by which rules each writes its names: ports, tiers, case, schemes."""

from dataclasses import dataclass
from enum import Enum
from functools import lru_cache


class Shape(Enum):
    """How the name of a thing is built within its system."""

    DOTTED = "dotted"
    """Identifiers joined by dots: database.schema.table."""
    OBJECT = "object"
    """The key of an object in a bucket: no leading slash, no trailing one."""
    PATH = "path"
    """An absolute path."""
    WHOLE = "whole"
    """One opaque text; dots and slashes in it mean nothing."""


@dataclass(frozen=True, slots=True)
class System:
    """The naming rules of one kind of system."""

    name: str
    shape: Shape = Shape.WHOLE
    tiers: int = 0
    """How many parts a complete name has; 0: any number."""
    folds: bool = False
    """Unquoted identifiers ignore case."""
    folds_first: bool = False
    """Only the first part ignores case."""
    quoted_exact: bool = False
    """A quoted identifier that is not all capitals is another thing than its unquoted namesake."""
    port: int | None = None
    """Added where a host tells none."""
    spare_port: int | None = None
    """Left out where a host tells it."""
    placed: bool = True
    """False: one namespace for the whole world, so a name needs no authority."""
    hostless: bool = False
    """A name without a host is a place of its own: equal ones are one thing."""
    scheme: str = ""
    """The scheme of its canonical OpenLineage namespace, if that is not the name."""
    schemes: tuple[str, ...] = ()
    """Other schemes and names by which it is known."""
    filed: bool = False
    """Its authority is the path of a file."""
    artificial: tuple[str, ...] = ()
    """Upper parts that some catalogues invent, and that say nothing."""

    @property
    def prefix(self) -> str:
        """The scheme with which OpenLineage's canon writes this system's namespaces."""
        return self.scheme or self.name


def _dotted(name: str, tiers: int, **rules: object) -> System:
    return System(name, Shape.DOTTED, tiers, **rules)  # type: ignore[arg-type]  # only this table calls it


_TABLE = (
    _dotted(
        "athena", 3, folds=True, scheme="awsathena", schemes=("awsathena",), artificial=("awsdatacatalog", "default")
    ),
    _dotted("bigquery", 3, folds_first=True, placed=False),
    _dotted("cassandra", 2, port=9042),
    _dotted("clickhouse", 2, port=8123, artificial=("default",)),
    _dotted("crate", 3, port=5432, schemes=("cratedb",)),
    _dotted("db2", 3, port=50000),
    _dotted("dremio", 0),
    _dotted("duckdb", 3, filed=True),
    _dotted("dynamodb", 1),
    _dotted("fabric-onelake", 4),
    _dotted("fabric-warehouse", 3, spare_port=1433),
    _dotted("glue", 2, folds=True),
    _dotted("hive", 2, folds=True, port=9083, schemes=("thrift", "presto-on-hive"), artificial=("default",)),
    _dotted("iceberg", 0, artificial=("default",)),
    _dotted("kinesis", 1),
    _dotted("milvus", 2, port=19530),
    _dotted("mongodb", 2, port=27017, schemes=("mongo",), artificial=("default",)),
    _dotted("mssql", 3, folds=True, port=1433, schemes=("sqlserver", "synapse", "azuresql")),
    _dotted("mysql", 2, port=3306, schemes=("mariadb",), artificial=("default",)),
    _dotted("oceanbase", 2, port=2881),
    _dotted("oracle", 3, folds=True, quoted_exact=True, port=1521),
    _dotted("postgres", 3, port=5432, schemes=("postgresql",)),
    _dotted("presto", 3, folds=True, port=8080),
    _dotted("redshift", 3, folds=True, port=5439),
    _dotted("snowflake", 3, folds=True, quoted_exact=True),
    _dotted("spanner", 3),
    _dotted("sqlite", 0, filed=True),
    _dotted("teradata", 2, folds=True, port=1025, artificial=("default",)),
    _dotted("trino", 3, folds=True, port=8080),
    _dotted("unitycatalog", 3, folds=True, spare_port=443, schemes=("databricks", "unity-catalog")),
    _dotted("vertica", 3, port=5433),
    _dotted("warehouse", 0),
    System("s3", Shape.OBJECT, schemes=("s3a", "s3n")),
    System("gs", Shape.OBJECT, schemes=("gcs",)),
    System("abs", Shape.OBJECT, scheme="abfss", schemes=("abfss", "abfs", "wasbs", "wasb")),
    System("r2", Shape.OBJECT),
    System("b2", Shape.OBJECT),
    System("hf", Shape.OBJECT),
    System("file", Shape.PATH, hostless=True),
    System("hdfs", Shape.PATH, port=8020),
    System("viewfs", Shape.PATH),
    System("dbfs", Shape.PATH),
    System("ftp", Shape.PATH, spare_port=21),
    System("sftp", Shape.PATH, spare_port=22),
    System("http", Shape.PATH, spare_port=80),
    System("https", Shape.PATH, spare_port=443),
    System("volume", Shape.WHOLE),
    System("kafka", port=9092),
    System("pubsub", placed=False),
    System("mlflow"),
)

OPENLINEAGE = System("openlineage")
"""A namespace that names no system we know: the pair as it stands."""

UUID = System("table-uuid", placed=False)
"""Tables by the identifier that their catalogue or format gave them."""

_BY_NAME = {system.name: system for system in _TABLE}
_BY_SCHEME = {scheme: system for system in _TABLE for scheme in (system.name, system.prefix, *system.schemes)}

GLUE = _BY_NAME["glue"]
FILE = _BY_NAME["file"]
WAREHOUSE = _BY_NAME["warehouse"]
DOTTED = tuple(system for system in _TABLE if system.shape is Shape.DOTTED)

NOWHERE = frozenset({"unity-catalog", "unitycatalog", "databricks", "spark_catalog", "hive_metastore"})
"""Namespaces that software writes as a constant: equal ones say nothing of the place."""


def by_scheme(scheme: str) -> System | None:
    """The system that a scheme, a driver's name or a catalogue's word for it means; None if nobody knows it."""
    known = _BY_SCHEME.get(scheme)
    return known or _BY_SCHEME.get(scheme.partition("+")[0])


@lru_cache(maxsize=1024)
def system(word: str) -> System:
    """The rules for what a platform calls a system; an unknown one takes its names as they are."""
    word = word.lower()
    return by_scheme(word) or System(word.replace("|", "_"))
