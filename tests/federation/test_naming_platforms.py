"""One asset in the vocabularies of OpenLineage, DataHub and OpenMetadata: one key, or a weak one of the same name."""

from dataclasses import dataclass

import pytest

from watersmeet.federation.model import AssetKind, Form, Spelling
from watersmeet.federation.naming import Key, Registry, keys
from watersmeet.federation.naming.datahub import parse, urn_keys
from watersmeet.federation.naming.openmetadata import full_name_keys, split

GUIDS = "0e2c1c58-7a0f-4b6e-9a43-5d5b3f3f0f11.1e2c1c58-7a0f-4b6e-9a43-5d5b3f3f0f12"


@dataclass(frozen=True)
class Row:
    """One platform; `datahub` and `posted` are (platform, name), `full` is (service type, full name)."""

    key: str
    pairs: tuple[tuple[str, str], ...]
    datahub: tuple[str, str] | None = None
    posted: tuple[str, str] | None = None
    full: tuple[str, str] | None = None

    @property
    def placeless(self) -> str:
        return Key(self.key, True, "").placeless

    @property
    def authority(self) -> str:
        _, system, authority, _ = self.key.split("|")
        return f"{system}/{authority}"


ROWS = {
    "snowflake": Row(
        "data|snowflake|org-acct|db.schema.table",
        (("snowflake://org-acct", "DB.SCHEMA.TABLE"), ("snowflake://ORG-ACCT", "db.schema.table")),
        ("snowflake", "db.schema.table"),
        ("snowflake", "DB.SCHEMA.TABLE"),
        ("Snowflake", "svc.DB.SCHEMA.TABLE"),
    ),
    "bigquery": Row(
        "data|bigquery||project.dataset.table",
        (("bigquery", "project.dataset.table"), ("bigquery", "Project.dataset.table")),
        ("bigquery", "project.dataset.table"),
        ("bigquery", "project.dataset.table"),
        ("BigQuery", "svc.project.dataset.table"),
    ),
    "postgres": Row(
        "data|postgres|host:5432|db.schema.table",
        (("postgres://host:5432", "db.schema.table"), ("postgresql://host", "db.schema.table")),
        ("postgres", "db.schema.table"),
        ("postgres", "db.schema.table"),
        ("Postgres", "svc.db.schema.table"),
    ),
    "mysql": Row(
        "data|mysql|host:3306|db.table",
        (("mysql://host:3306", "db.table"),),
        ("mysql", "db.table"),
        ("mysql", "db.table"),
        ("Mysql", "svc.default.db.table"),
    ),
    "mysql, database named": Row(
        "data|mysql|host:3306|db.table", (("mysql://host", "db.table"),), full=("Mysql", "svc.prod.db.table")
    ),
    "mariadb": Row(
        "data|mysql|host:3306|db.table",
        (("mariadb://host:3306", "db.table"),),
        ("mariadb", "db.table"),
        full=("MariaDB", "svc.default.db.table"),
    ),
    "redshift": Row(
        "data|redshift|cluster.eu-west-1:5439|db.schema.table",
        (("redshift://cluster.eu-west-1:5439", "db.schema.table"),),
        ("redshift", "db.schema.table"),
        ("redshift", "db.schema.table"),
        ("Redshift", "svc.db.schema.table"),
    ),
    "mssql": Row(
        "data|mssql|host:1433|db.schema.table",
        (
            ("mssql://host:1433", "DB.schema.Table"),
            ("sqlserver://host:1433", "db.schema.table"),
            ("sqlserver://host:1433;database=db", "schema.table"),
        ),
        ("mssql", "DB.schema.Table"),
        ("mssql", "db.schema.table"),
        ("Mssql", "svc.db.schema.table"),
    ),
    "synapse, three parts": Row(
        "data|mssql|host:1433|db.schema.table",
        (("sqlserver://host:1433/db", "schema.table"),),
        ("mssql", "db.schema.table"),
        full=("Synapse", "svc.db.schema.table"),
    ),
    "oracle": Row(
        "data|oracle|host:1521/service|schema.table",
        (("oracle://host:1521", "service.SCHEMA.TABLE"), ("jdbc:oracle:thin:@//host/service", "SCHEMA.TABLE")),
        ("oracle", "schema.table"),
        ("oracle", "service.SCHEMA.TABLE"),
        ("Oracle", "svc.default.SCHEMA.TABLE"),
    ),
    "hive": Row(
        "data|hive|metastore:9083|db.table",
        (("hive://metastore:9083", "db.table"), ("thrift://metastore", "DB.Table")),
        ("hive", "db.table"),
        ("presto-on-hive", "db.table"),
        ("Hive", "svc.default.db.table"),
    ),
    "glue": Row(
        "data|glue|eu-west-1:123456789012|db.tbl",
        (("arn:aws:glue:eu-west-1:123456789012", "table/db/tbl"), ("arn:aws:glue:eu-west-1:123456789012", "db.tbl")),
        ("glue", "db.tbl"),
        ("glue", "db.tbl"),
        ("Glue", "svc.123456789012.db.tbl"),
    ),
    "athena": Row(
        "data|athena|eu-west-1|db.table",
        (("awsathena://athena.eu-west-1.amazonaws.com", "AwsDataCatalog.db.table"),),
        ("athena", "db.table"),
        ("athena", "AwsDataCatalog.db.table"),
        ("Athena", "svc.AwsDataCatalog.db.table"),
    ),
    "athena, default database": Row(
        "data|athena|eu-west-1|db.table",
        (("athena://eu-west-1", "awsdatacatalog.db.table"),),
        full=("Athena", "svc.default.db.table"),
    ),
    "s3": Row(
        "data|s3|bucket|path/part.with.dots",
        (("s3://bucket", "path/part.with.dots"), ("s3a://bucket", "/path/part.with.dots/")),
        ("s3", "bucket/path/part.with.dots"),
        ("s3", "bucket/path/part.with.dots/"),
        ("S3", 'svc.bucket."path/part.with.dots"'),
    ),
    "gcs": Row(
        "data|gs|bucket|path/x",
        (("gs://bucket", "path/x"), ("gcs://bucket", "path/x")),
        ("gcs", "bucket/path/x"),
        ("gcs", "bucket/path/x"),
        ("GCS", "svc.bucket.path.x"),
    ),
    "abs": Row(
        "data|abs|acct|container/path/x",
        (
            ("abfss://container@acct.dfs.core.windows.net", "path/x"),
            ("wasbs://container@acct.blob.core.windows.net", "/path/x"),
        ),
        ("abs", "container/path/x"),
        ("abs", "container/path/x"),
        ("ADLS", 'svc.container."path/x"'),
    ),
    "hdfs": Row(
        "data|hdfs|namenode:8020|/path/x",
        (("hdfs://namenode:8020", "/path/x"), ("hdfs://namenode", "/path/x/")),
        ("hdfs", "/path/x"),
        ("hdfs", "/path/x"),
    ),
    "kafka": Row(
        "data|kafka|broker:9092|a.b",
        (("kafka://broker:9092", "a.b"), ("kafka://broker", "a.b")),
        ("kafka", "a.b"),
        ("kafka", "a.b"),
        ("Kafka", 'svc."a.b"'),
    ),
    "unity catalog": Row(
        "data|unitycatalog|host|catalog.schema.table",
        (("unitycatalog://host", "catalog.schema.table"), ("databricks://host", "Catalog.schema.table")),
        ("databricks", "catalog.schema.table"),
        ("unity-catalog", "catalog.schema.table"),
        ("UnityCatalog", "svc.catalog.schema.table"),
    ),
    "unity catalog as databricks": Row(
        "data|unitycatalog|host|catalog.schema.table",
        (("unitycatalog://host:443", "catalog.schema.table"),),
        ("unitycatalog", "catalog.schema.table"),
        full=("Databricks", "svc.catalog.schema.table"),
    ),
    "trino": Row(
        "data|trino|host:8080|catalog.schema.table",
        (("trino://host:8080", "catalog.schema.table"),),
        ("trino", "catalog.schema.table"),
        ("trino", "catalog.schema.table"),
        ("Trino", "svc.catalog.schema.table"),
    ),
    "teradata": Row(
        "data|teradata|host:1025|db.table",
        (("teradata://host", "db.table"), ("teradata://host:1025", "DB.TABLE")),
        ("teradata", "db.table"),
        ("teradata", "db.table"),
        ("Teradata", "svc.default.db.table"),
    ),
    "clickhouse": Row(
        "data|clickhouse|host:8123|db.Table",
        (("clickhouse://host:8123", "db.Table"),),
        ("clickhouse", "db.Table"),
        ("clickhouse", "db.Table"),
        ("Clickhouse", "svc.default.db.Table"),
    ),
    "db2": Row(
        "data|db2|host:50000|TESTDB.case_sensitive.lowercase_table",
        (("db2://host:50000", "TESTDB.case_sensitive.lowercase_table"),),
        ("db2", "TESTDB.case_sensitive.lowercase_table"),
        ("db2", "TESTDB.case_sensitive.lowercase_table"),
        ("Db2", "svc.TESTDB.case_sensitive.lowercase_table"),
    ),
    "dbt, which names the warehouse's table": Row(
        "data|postgres|host:5432|db.schema.model", (("postgres://host:5432", "db.schema.model"),)
    ),
    "pubsub": Row(
        "data|pubsub||topic:proj:topic",
        (("pubsub", "topic:proj:topic"),),
        ("pubsub", "topic:proj:topic"),
        ("pubsub", "topic:proj:topic"),
    ),
    "fabric": Row(
        "data|fabric-warehouse|x.datawarehouse.fabric.microsoft.com|db.schema.table",
        (("fabric-warehouse://x.datawarehouse.fabric.microsoft.com:1433", "db.schema.table"),),
        posted=("fabric-warehouse", "db.schema.table"),
    ),
    "crate": Row("data|crate|host:5432|db.doc.t", (("crate://host", "db.doc.t"),)),
    "presto": Row("data|presto|host:8080|c.s.t", (("presto://host", "c.s.t"),), ("presto", "c.s.t")),
    "vertica": Row("data|vertica|host:5433|db.s.t", (("vertica://host", "db.s.t"),), ("vertica", "db.s.t")),
    "mongodb": Row(
        "data|mongodb|host:27017|db.coll",
        (("mongodb://host", "db.coll"),),
        ("mongodb", "db.coll"),
        full=("MongoDB", "svc.default.db.coll"),
    ),
}
rows = pytest.mark.parametrize("row", ROWS.values(), ids=ROWS.keys())


def urn(platform: str, name: str, env: str = "PROD") -> str:
    return f"urn:li:dataset:(urn:li:dataPlatform:{platform},{name},{env})"


def of_pair(pair: tuple[str, str], registry: Registry = Registry.EMPTY) -> tuple[Key, ...]:
    return keys(Spelling(Form.OPENLINEAGE, pair), AssetKind.DATASET, registry)


def of_data(found: tuple[Key, ...]) -> Key:
    return next(key for key in found if key.text.startswith("data|"))


@rows
def test_every_openlineage_pair_has_the_one_strong_key(row: Row) -> None:
    for pair in row.pairs:
        assert Key(row.key, True, of_data(of_pair(pair)).rule) == of_data(of_pair(pair))


@rows
def test_datahub_has_the_same_key_or_the_same_name_without_its_place(row: Row) -> None:
    for told in filter(None, (row.datahub, row.posted)):
        key = of_data(urn_keys(urn(*told), Registry.EMPTY))
        assert key.placeless == row.placeless
        assert key.text == row.key if key.strong else not key.parts[2]


@rows
def test_openmetadata_has_the_same_key_or_the_same_name_without_its_place(row: Row) -> None:
    if row.full is not None:
        key = of_data(full_name_keys(row.full[1], row.full[0], Registry.EMPTY))
        assert key.placeless == row.placeless
        assert key.text == row.key if key.strong else not key.parts[2]


@rows
def test_a_binding_gives_the_catalogues_names_their_place(row: Row) -> None:
    if row.authority.endswith("/") or row.datahub is None:
        return
    registry = Registry.of(
        bindings=[
            {"source": "dh", "platform": row.datahub[0], "env": "PROD", "authority": row.authority},
            {"source": "om", "service": "svc", "authority": row.authority},
        ]
    )
    assert of_data(urn_keys(urn(*row.datahub), registry, "dh")).text == row.key
    assert of_data(urn_keys(urn(*row.datahub), registry, "dh")).strong
    if row.full is not None:
        assert of_data(full_name_keys(row.full[1], row.full[0], registry, "om")).text == row.key
    of_dev = of_data(urn_keys(urn(*row.datahub, "DEV"), registry, "dh"))
    assert of_dev == of_data(urn_keys(urn(*row.datahub, "DEV"), Registry.EMPTY, "dh"))


class TestStatedDifferences:
    """Where the vocabularies do not meet, and what is known instead."""

    def test_two_parts_of_synapse_share_the_end_of_the_name_only(self) -> None:
        pair = of_pair(("sqlserver://host:1433", "schema.table"))
        assert [(key.text, key.strong) for key in pair] == [
            ("data|mssql|host:1433|schema.table", False),
            ("data|openlineage|mssql://host:1433|schema.table", True),
        ]
        assert of_data(urn_keys(urn("mssql", "db.schema.table"), Registry.EMPTY)).parts[3].endswith("schema.table")

    def test_glue_taken_for_a_platform_tells_its_account_after_all(self) -> None:
        told = urn("arn:aws:glue:eu-west-1:123456789012", "table/db/tbl")
        assert of_data(urn_keys(told, Registry.EMPTY)).text == ROWS["glue"].key
        assert of_data(urn_keys(told, Registry.EMPTY)).strong

    def test_athena_is_glue_where_a_binding_says_the_account(self) -> None:
        registry = Registry.of(
            bindings=[
                {
                    "openlineage": "awsathena://athena.eu-west-1.amazonaws.com",
                    "authority": "glue/eu-west-1:123456789012",
                }
            ]
        )
        pair = ("awsathena://athena.eu-west-1.amazonaws.com", "AwsDataCatalog.db.tbl")
        assert of_data(of_pair(pair, registry)).text == ROWS["glue"].key

    def test_athena_without_one_hints_at_glue(self) -> None:
        pair = of_pair(("awsathena://athena.eu-west-1.amazonaws.com", "AwsDataCatalog.db.tbl"))
        assert [key.text for key in pair if not key.strong] == ["data|glue||db.tbl"]

    def test_datahubs_blob_names_lack_the_account_so_they_only_hint(self) -> None:
        found = urn_keys(urn("abs", "cont/dir/x_csv"), Registry.EMPTY)
        assert [key.text for key in found if key.parts[0] == "data"] == [
            "data|abs||cont/dir/x_csv",
            "data|abs||cont/dir/x.csv",
        ]
        assert not any(key.strong for key in found)

    def test_a_flattened_ending_is_a_hint_beside_the_name_as_written(self) -> None:
        found = urn_keys(urn("s3", "b/k/x_parquet"), Registry.EMPTY)
        assert [(key.text, key.strong) for key in found if key.parts[0] == "data"] == [
            ("data|s3|b|k/x_parquet", True),
            ("data|s3|b|k/x.parquet", False),
        ]

    @pytest.mark.parametrize("name", ["bucket/path", "bucket/path/", "external_metastore/"])
    def test_a_delta_lake_name_may_be_relative_so_its_path_is_a_hint(self, name: str) -> None:
        key = of_data(urn_keys(urn("delta-lake", name), Registry.EMPTY))
        assert not key.strong
        assert key.text.startswith("data|s3|")

    def test_an_iceberg_name_is_a_catalogs_and_the_catalog_is_not_told(self) -> None:
        key = of_data(urn_keys(urn("iceberg", "ns.table"), Registry.EMPTY))
        assert (key.text, key.strong) == ("data|iceberg||ns.table", False)
        assert full_name_keys("svc.default.ns.table", "Iceberg", Registry.EMPTY)[0].placeless == key.text

    def test_a_dbt_model_is_the_warehouses_table_only_by_its_siblings(self) -> None:
        key = of_data(urn_keys(urn("dbt", "db.schema.table"), Registry.EMPTY))
        assert (key.text, key.strong) == ("data|dbt||db.schema.table", False)

    def test_kinesis_and_dynamodb_tell_the_place_in_front_of_the_name(self) -> None:
        stream = of_data(urn_keys(urn("kinesis", "123456789012.eu-west-1.orders"), Registry.EMPTY))
        assert (stream.text, stream.strong) == ("data|kinesis|123456789012:eu-west-1|orders", True)
        table = of_data(urn_keys(urn("dynamodb", "eu-west-1.orders"), Registry.EMPTY))
        assert (table.text, table.strong) == ("data|dynamodb||orders", False)

    def test_fabric_is_known_by_its_guids(self) -> None:
        key = of_data(urn_keys(urn("fabric-onelake", f"{GUIDS}.dbo.t"), Registry.EMPTY))
        assert key.strong
        assert key.text == f"data|fabric-onelake|{GUIDS.replace('.', '/')}|dbo.t"
        assert not of_data(urn_keys(urn("fabric-onelake", "ws.lake.dbo.t"), Registry.EMPTY)).strong

    def test_models_have_no_openlineage_name_and_mlflows_own_key(self) -> None:
        spelling = Spelling(Form.MLFLOW, ("tracking", "default", "model-version", "churn/3"))
        (key,) = keys(spelling, AssetKind.MODEL_VERSION, Registry.EMPTY)
        assert (key.text, key.strong) == ("model|mlflow|tracking/default|churn/3", True)
        assert urn_keys("urn:li:mlModel:(urn:li:dataPlatform:mlflow,churn_3,PROD)", Registry.EMPTY) == ()

    def test_the_literal_unity_catalog_names_no_place(self) -> None:
        (key,) = keys(
            Spelling(Form.SYMLINK, ("unity-catalog", "main.shop.t", "TABLE")), AssetKind.DATASET, Registry.EMPTY
        )
        assert (key.text, key.strong) == ("data|unitycatalog||main.shop.t", False)


class TestDatahub:
    def test_the_environment_goes_along_to_block_what_differs_in_it(self) -> None:
        found = urn_keys(urn("snowflake", "a.b.c", "DEV"), Registry.EMPTY)
        assert ("other|environment|dev|", "environment") in {(key.text, key.rule) for key in found}

    def test_an_instance_is_taken_off_only_where_it_is_bound(self) -> None:
        registry = Registry.of(
            bindings=[
                {
                    "source": "dh",
                    "platform": "snowflake",
                    "instance": "sf_main",
                    "env": "PROD",
                    "authority": "snowflake/acme-prod",
                }
            ]
        )
        told = urn("snowflake", "sf_main.db.s.t")
        assert urn_keys(told, registry, "dh")[0].text == "data|snowflake|acme-prod|db.s.t"
        assert urn_keys(told, registry, "another")[0].text == "data|snowflake||sf_main.db.s.t"
        assert urn_keys(urn("snowflake", "sf_other.db.s.t"), registry, "dh")[0].strong is False

    def test_commas_and_brackets_in_a_name_come_back(self) -> None:
        told = parse(urn("external", "a%2C %28new%29"))
        assert told is not None
        assert told.name == "a, (new)"

    @pytest.mark.parametrize(
        ("path", "key"),
        [
            ("[version=2.0].[type=struct].[type=string].id", "column|postgres||a.b.c#id"),
            ("[version=2.0].[type=struct].address.[type=string].city", "column|postgres||a.b.c#address.city"),
            ("[version=2.0].[key=True].[type=string].id", "column|postgres||a.b.c#[key=True].id"),
            ("address.city", "column|postgres||a.b.c#address.city"),
        ],
    )
    def test_fields_lose_their_types_and_keep_the_mark_of_a_key(self, path: str, key: str) -> None:
        found = urn_keys(f"urn:li:schemaField:({urn('postgres', 'a.b.c')},{path})", Registry.EMPTY)
        assert found[0].text == key

    @pytest.mark.parametrize("text", ["", "urn:li:corpuser:jdoe", "urn:li:dataset:(x)", "urn:li:dataset:(a,b,c)"])
    def test_what_names_no_dataset_has_no_keys(self, text: str) -> None:
        assert urn_keys(text, Registry.EMPTY) == ()


class TestOpenMetadata:
    def test_quoted_parts_hold_together(self) -> None:
        assert split('svc."a.b"."say ""hi"""') == ("svc", "a.b", 'say "hi"')

    def test_reserved_words_are_signs(self) -> None:
        assert split("svc.a__reserved__colon__b.c__reserved__arrow__d") == ("svc", "a::b", "c>d")

    def test_a_column_is_its_table_and_the_rest(self) -> None:
        (key,) = full_name_keys("svc.db.public.t.address.city", "Postgres", Registry.EMPTY, column=True)
        assert key.text == "column|postgres||db.public.t#address.city"

    def test_a_service_alone_has_no_keys(self) -> None:
        assert full_name_keys("svc", "Postgres", Registry.EMPTY) == ()
