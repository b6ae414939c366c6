"""OpenLineage's naming: the specification, what breaks in the field, and the laws of a canonical spelling."""

import uuid

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from openlineage.client.naming import dataset as oracle

from watersmeet.federation.model import AssetKind, Form, Spelling
from watersmeet.federation.naming import Key, Registry, is_suspect, keys, openlineage_canonical, run_uuid


def of(namespace: str, name: str) -> tuple[Key, ...]:
    return keys(Spelling(Form.OPENLINEAGE, (namespace, name)), AssetKind.DATASET, Registry.EMPTY)


def strong(namespace: str, name: str) -> set[str]:
    return {key.text for key in of(namespace, name) if key.strong}


TOPIC = oracle.PubSubResourceType.TOPIC
SUBSCRIPTION = oracle.PubSubResourceType.SUBSCRIPTION

OFFICIAL = [
    (oracle.Athena("eu-west-1", "AwsDataCatalog", "shop", "orders"), "data|athena|eu-west-1|shop.orders"),
    (oracle.Athena("eu-west-1", "other", "shop", "orders"), "data|athena|eu-west-1|other.shop.orders"),
    (oracle.AWSGlue("eu-west-1", "123456789012", "shop", "orders"), "data|glue|eu-west-1:123456789012|shop.orders"),
    (oracle.AzureCosmosDB("acct", "shop", "orders"), "data|azurecosmos|acct/dbs/shop|colls/orders"),
    (oracle.AzureDataExplorer("acct", "shop", "orders"), "data|azurekusto|acct.kusto.windows.net|shop/orders"),
    (oracle.BigQuery("Proj", "Shop", "Orders"), "data|bigquery||proj.Shop.Orders"),
    (oracle.Cassandra("h", "9042", "shop", "orders"), "data|cassandra|h:9042|shop.orders"),
    (oracle.MySQL("h", "3306", "shop", "orders"), "data|mysql|h:3306|shop.orders"),
    (oracle.CrateDB("h", "5432", "db", "doc", "orders"), "data|crate|h:5432|db.doc.orders"),
    (oracle.DB2("h", "50000", "DB", "S", "ORDERS"), "data|db2|h:50000|DB.S.ORDERS"),
    (oracle.OceanBase("h", "2881", "shop", "orders"), "data|oceanbase|h:2881|shop.orders"),
    (oracle.Oracle("h", "1521", "SVC", "SHOP", "ORDERS"), "data|oracle|h:1521/svc|shop.orders"),
    (oracle.Postgres("h", "5432", "db", "public", "orders"), "data|postgres|h:5432|db.public.orders"),
    (oracle.Teradata("h", "1025", "shop", "orders"), "data|teradata|h:1025|shop.orders"),
    (oracle.Redshift("c", "eu-west-1", "5439", "db", "s", "t"), "data|redshift|c.eu-west-1:5439|db.s.t"),
    (oracle.Snowflake("Org", "Acct", "DB", "S", "ORDERS"), "data|snowflake|org-acct|db.s.orders"),
    (oracle.Trino("h", "8080", "hive", "shop", "Orders"), "data|trino|h:8080|hive.shop.orders"),
    (oracle.ABFSS("cont", "acct", "dir/x.csv"), "data|abs|acct|cont/dir/x.csv"),
    (oracle.DBFS("ws", "/mnt/x"), "data|dbfs|ws|/mnt/x"),
    (oracle.GCS("bucket", "dir/x.csv"), "data|gs|bucket|dir/x.csv"),
    (oracle.HDFS("nn", "8020", "/user/x"), "data|hdfs|nn:8020|/user/x"),
    (oracle.Hive("h", "9083", "shop", "orders"), "data|hive|h:9083|shop.orders"),
    (oracle.Kafka("broker", "9092", "shop.orders.v1"), "data|kafka|broker:9092|shop.orders.v1"),
    (oracle.LocalFileSystem("/srv/x.csv"), "data|file||/srv/x.csv"),
    (oracle.RemoteFileSystem("Host", "/srv/x.csv"), "data|file|host|/srv/x.csv"),
    (oracle.S3("bucket", "dir/x.csv"), "data|s3|bucket|dir/x.csv"),
    (oracle.WASBS("cont", "acct", "dir/x.csv"), "data|abs|acct|cont/dir/x.csv"),
    (oracle.PubSubNaming(TOPIC, "proj", "orders"), "data|pubsub||topic:proj:orders"),
    (oracle.PubSubNaming(SUBSCRIPTION, "proj", "orders"), "data|pubsub||subscription:proj:orders"),
]


@pytest.mark.parametrize(("told", "key"), OFFICIAL, ids=lambda value: type(value).__name__)
def test_what_the_official_client_writes_has_a_strong_key(told: oracle.DatasetNaming, key: str) -> None:
    assert key in strong(told.get_namespace(), told.get_name())


RENAMED = (oracle.WASBS,)
"""Stores whose canonical scheme is another's."""


@pytest.mark.parametrize(
    "told",
    [one for one, _ in OFFICIAL if not isinstance(one, RENAMED)],
    ids=lambda value: type(value).__name__,
)
def test_what_the_official_client_writes_is_canonical_but_for_the_case_of_hosts(told: oracle.DatasetNaming) -> None:
    namespace, name = openlineage_canonical(told.get_namespace(), told.get_name())
    assert (namespace, name) == (told.get_namespace().lower(), told.get_name())


def test_synapse_names_lack_their_database_so_only_the_pair_itself_is_strong() -> None:
    told = oracle.AzureSynapse("h", "1433", "dbo", "Orders")
    assert strong(told.get_namespace(), told.get_name()) == {"data|openlineage|mssql://h:1433|dbo.Orders"}
    assert of(told.get_namespace(), told.get_name())[0].text == "data|mssql|h:1433|dbo.orders"


SPEC = [
    ("mssql://h:1433", "db.dbo.Orders", "data|mssql|h:1433|db.dbo.orders"),
    ("milvus://h:19530", "db.docs", "data|milvus|h:19530|db.docs"),
    ("fabric-warehouse://x.datawarehouse.fabric.microsoft.com", "db.dbo.t", None),
    ("spanner://proj:inst", "db.s.t", "data|spanner|proj:inst|db.s.t"),
    (
        "unitycatalog://dbc.cloud.databricks.com",
        "main.Shop.T",
        "data|unitycatalog|dbc.cloud.databricks.com|main.shop.t",
    ),
    ("box://h:443/ent", "folder/x", "data|box|h:443/ent|folder/x"),
    ("filenet://h:80/repo", "folder/x", "data|filenet|h:80/repo|folder/x"),
    ("mssharepoint://h:443/site", "folder/x", "data|mssharepoint|h:443/site|folder/x"),
    ("inmemory://", "frame", "data|openlineage|inmemory://|frame"),
    ("duckdb:///srv/lake/shop.duckdb", "shop.main.orders", "data|duckdb|/srv/lake/shop.duckdb|shop.main.orders"),
    ("clickhouse://h:8123", "db.T", "data|clickhouse|h:8123|db.T"),
    ("spark_prod", "shop.orders", "data|openlineage|spark_prod|shop.orders"),
    ("food_delivery", "public.orders", "data|openlineage|food_delivery|public.orders"),
    ("mlflow://127.0.0.1:5000", "models/churn/3", "model|mlflow|127.0.0.1:5000/default|churn/3"),
    ("mlflow://127.0.0.1:5000/team", "models/churn", "model|mlflow|127.0.0.1:5000/team|churn"),
]


@pytest.mark.parametrize(("namespace", "name", "key"), SPEC)
def test_the_other_stores_of_the_specification_have_strong_keys(namespace: str, name: str, key: str | None) -> None:
    assert key is None or key in strong(namespace, name)
    assert strong(namespace, name)


BROKEN = [
    # one place, spelled in several ways: (canonical pair, further pairs)
    (("postgres://h:5432", "db.public.t"), ("postgresql://h:5432", "db.public.t")),
    (("postgres://h:5432", "db.public.t"), ("postgres://h", "db.public.t")),
    (("postgres://h:5432", "db.public.t"), ("POSTGRES://H:5432/", "db.public.t")),
    (("postgres://h:5432", "db.public.t"), ("postgresql+psycopg2://h", "db.public.t")),
    (("postgres://h:5432", "db.public.t"), ("postgres://user:secret@h:5432", "db.public.t")),
    (("postgres://h:5432", "db.public.t"), ("postgres://h:5432/db", "public.t")),
    (("postgres://h:5432", "db.public.t"), ("postgres://h:5432/db", "db.public.t")),
    (("postgres://h:5432", "db.public.t"), ("jdbc:postgresql://h/db?user=u&password=secret", "public.t")),
    (("postgres://h:5432", "db.public.t"), ("jdbc:postgresql://h:5432/?ssl=true", "db.public.t")),
    (("postgres://[::1]:5432", "db.public.t"), ("postgres://[::1]", "db.public.t")),
    (("mssql://h:1433", "db.dbo.t"), ("sqlserver://h:1433", "db.dbo.t")),
    (("mssql://h:1433", "db.dbo.t"), ("sqlserver://h;database=db", "dbo.t")),
    (("mssql://h:1433", "db.dbo.t"), ("jdbc:sqlserver://h:1433;databaseName=db;encrypt=true", "dbo.t")),
    (("mssql://h:1433", "db.dbo.t"), ("sqlserver://h:1433;database=db", "db.dbo.t")),
    (("mysql://h:3306", "db.t"), ("mariadb://h", "db.t")),
    (("mysql://h:3306", "db.t"), ("jdbc:mysql://h:3306/db?useSSL=false", "t")),
    (("oracle://h:1521", "svc.s.t"), ("jdbc:oracle:thin:@//h:1521/svc", "s.t")),
    (("oracle://h:1521", "svc.s.t"), ("jdbc:oracle:thin:@h:1521:svc", "s.t")),
    (("oracle://h:1521", "svc.s.t"), ("oracle://h", "svc.s.t")),
    (("redshift://c.eu-west-1:5439", "db.s.t"), ("redshift://c.abc.eu-west-1.redshift.amazonaws.com:5439", "db.s.t")),
    (
        ("redshift://w.eu-west-1:5439", "db.s.t"),
        ("redshift://w.123.eu-west-1.redshift-serverless.amazonaws.com", "db.s.t"),
    ),
    (("snowflake://org-acct", "DB.S.T"), ("snowflake://ORG-ACCT.snowflakecomputing.com", "DB.S.T")),
    (("trino://h:8080", "c.s.t"), ("trino://h/c/s", "t")),
    (("hive://h:9083", "db.t"), ("thrift://h:9083", "db.t")),
    (("kafka://a:9092", "t"), ("kafka://a", "t")),
    (("kafka://a:9092", "t"), ("kafka://a:9092,b:9092", "t")),
    (("bigquery", "p.d.t"), ("bigquery://", "p.d.t")),
    (("bigquery", "p.d.t"), ("bigquery://p", "d.t")),
    (("unitycatalog://h", "c.s.t"), ("databricks://h:443", "c.s.t")),
    (("s3://b", "k/x"), ("s3a://b", "k/x")),
    (("s3://b", "k/x"), ("s3n://b/", "/k/x/")),
    (("s3://b", "k/x"), ("S3A://B", "k/x")),
    (("s3://b", "k/x"), ("s3://b/k", "/x")),
    (("s3://b", "k/x"), ("s3://b", "s3a://b/k/x")),
    (("gs://b", "k/x"), ("gcs://b", "k/x/")),
    (("abfss://c@a.dfs.core.windows.net", "k/x"), ("abfs://c@a.dfs.core.windows.net", "/k/x")),
    (("abfss://c@a.dfs.core.windows.net", "k/x"), ("wasb://c@a.blob.core.windows.net", "k/x")),
    (("abfss://c@a.dfs.core.windows.net", "k/x"), ("wasbs://c@A.blob.core.windows.net", "k/x/")),
    (("hdfs://nn:8020", "/user/x"), ("hdfs://nn", "/user/x/")),
    (("hdfs://nn:8020", "/user/x"), ("hdfs://nn:8020/", "hdfs://nn/user/x")),
    (("file", "/srv/x"), ("file:/srv/x", "")),
    (("file", "/srv/x"), ("file:///srv/x", "/")),
    (("file", "/srv/x"), ("file", "file:/srv/x")),
    (("file", "/srv/x"), ("file", "file:///srv/x/")),
    (("file", "/srv/x"), ("file://", "/srv/x")),
    (("file", "/srv/x"), ("file:", "/srv/x/")),
    (("file", "/srv/x"), ("file://localhost", "/srv/x")),
    (("file", "/srv/raw/x.csv"), ("file:/srv", "raw/x.csv")),
    (("file://host", "/srv/x"), ("file://HOST/", "/srv/x")),
    (("arn:aws:glue:eu-west-1:123", "table/db/t"), ("ARN:aws:glue:EU-WEST-1:123", "table/db/t")),
    (("arn:aws:glue:eu-west-1:123", "table/db/t"), ("arn:aws:glue:eu-west-1:123", "db.t")),
    (("mssql://h:1433", "db.dbo.t"), ("mssql://h", "[db].[dbo].[t]")),
    (("mssql://h:1433", 'db.dbo."a.b"'), ("sqlserver://h;database=db", "[dbo].[a.b]")),
    (("mysql://h:3306", "db.t"), ("mysql://h", "`db`.`t`")),
    (("postgres://h:5432", "db.public.Orders"), ("postgres://h", 'db.public."Orders"')),
    (("snowflake://a", "DB.S.ORDERS"), ("snowflake://a", 'DB.S."ORDERS"')),
    (("snowflake://a", 'DB.S."Orders"'), ("snowflake://A/", 'DB.S."Orders"')),
]


@pytest.mark.parametrize(("canonical", "broken"), BROKEN)
def test_spellings_of_one_place_are_one_record(canonical: tuple[str, str], broken: tuple[str, str]) -> None:
    assert openlineage_canonical(*broken) == canonical
    assert openlineage_canonical(*canonical) == canonical
    assert of(*broken) == of(*canonical)


APART = [
    (("postgres://h:5432", "db.public.t"), ("postgres://h:5433", "db.public.t")),
    (("postgres://h:5432", "db.public.t"), ("postgres://h:5432", "db.public.T")),
    (("postgres://h:5432", "db.public.t"), ("mysql://h:5432", "db.public.t")),
    (("postgres://h:5432/one", "t"), ("postgres://h:5432/two", "t")),
    (("snowflake://org-acct", "D.S.T"), ("snowflake://ab12345.us-west-2.aws", "D.S.T")),
    (("s3://b", "k/x"), ("gs://b", "k/x")),
    (("s3://b", "k/x"), ("s3://b", "k/X")),
    (("s3://b", "x.parquet"), ("s3://b", "x_parquet")),
    (("s3://b", "a.b"), ("s3://b", "a/b")),
    (
        ("abfss://cont@acct1.dfs.core.windows.net", "dir/x.csv"),
        ("abfss://cont@acct2.dfs.core.windows.net", "dir/x.csv"),
    ),
    (("file", "/x"), ("file://host", "/x")),
    (("file", "/x"), ("file", "x")),
    (("kafka://a:9092", "t.x"), ("kafka://a:9092", "t.X")),
    (("bigquery", "p.d.t"), ("bigquery", "p.D.t")),
    (("file:/srv/lake/warehouse", "shop.t"), ("file:/srv/other/warehouse", "shop.t")),
    (("a|b", "c"), ("a", "b|c")),
    (("postgres://h", 'db."a.b".c'), ("postgres://h", "db.a.b.c")),
]


@pytest.mark.parametrize(("left", "right"), APART)
def test_different_places_share_no_strong_key(left: tuple[str, str], right: tuple[str, str]) -> None:
    assert not strong(*left) & strong(*right)


WEAK = [
    ("unity-catalog", "main.shop.t"),
    ("unitycatalog", "main.shop.t"),
    ("spark_catalog", "shop.t"),
    ("postgres://h:5432", "t"),
    ("file", "relative/x"),
    ("snowflake://acct", "DB..T"),
    ("bigquery", "d.t"),
    ("snowflake://acct", "DB.S.tmp_{{ ds }}"),
]


@pytest.mark.parametrize(("namespace", "name"), WEAK)
def test_a_name_without_its_place_or_its_upper_parts_has_no_strong_key_of_its_system(namespace: str, name: str) -> None:
    systems = {key.parts[1] for key in of(namespace, name) if key.strong}
    assert systems <= ({"openlineage"} if namespace not in ("unity-catalog", "unitycatalog") else set())


def test_spark_catalog_as_a_namespace_is_every_sparks_so_it_places_nothing() -> None:
    assert not strong("unity-catalog", "main.shop.t")
    assert of("unity-catalog", "main.shop.t")[0].placeless == "data|unitycatalog||main.shop.t"


SCHEMES = (
    "s3",
    "s3a",
    "gs",
    "gcs",
    "hdfs",
    "file",
    "dbfs",
    "abfss",
    "wasb",
    "postgres",
    "postgresql",
    "mssql",
    "sqlserver",
    "mysql",
    "oracle",
    "snowflake",
    "trino",
    "hive",
    "kafka",
    "bigquery",
    "duckdb",
    "sqlite",
    "mlflow",
    "redshift",
    "unitycatalog",
    "databricks",
    "foo",
    "glue",
    "athena",
    "awsathena",
    "jdbc:postgresql",
)
scheme = st.sampled_from(SCHEMES)
bit = st.text(alphabet='abXY01.:/@;?#|%\\"` =-_é\u0301İ', max_size=12)
namespaces = st.one_of(
    st.builds("{}://{}{}".format, scheme, bit, bit), st.builds("{}:{}".format, scheme, bit), scheme, bit, st.text()
)
names = st.one_of(bit, st.builds("{}:/{}".format, scheme, bit), st.text())


@given(namespaces, names)
@example("file", "file:/file:/x")
@example("s3://b", "s3://b/s3://b/k")
@example("s3://b/a.b", "c.d")
@example("file:/a/b", "c.d")
def test_a_canonical_pair_is_canonical(namespace: str, name: str) -> None:
    once = openlineage_canonical(namespace, name)
    assert openlineage_canonical(*once) == once


@given(namespaces, names)
def test_a_pair_and_its_canonical_spelling_have_the_same_keys(namespace: str, name: str) -> None:
    assert {key.text for key in of(*openlineage_canonical(namespace, name))} == {
        key.text for key in of(namespace, name)
    }


@given(namespaces, names)
def test_every_key_has_four_parts(namespace: str, name: str) -> None:
    for key in of(namespace, name):
        assert key.text.count("|") == 3
        assert key.parts[0] in {"data", "model", "run", "other"}
        assert key.placeless.count("|") == 3


CASE_MATTERS = [
    "postgres://h",
    "mysql://h",
    "db2://h",
    "clickhouse://h",
    "kafka://h",
    "s3://b",
    "gs://b",
    "file",
    "bigquery",
]


@given(st.sampled_from(CASE_MATTERS), st.text(alphabet="abcDE._", min_size=1, max_size=8))
def test_folding_never_joins_two_names_where_case_matters(namespace: str, name: str) -> None:
    name = f"p.q.{name}" if namespace == "bigquery" else f"/x/{name}"
    other = name[:4] + name[4:].swapcase()
    if name != other:
        assert not strong(namespace, name) & strong(namespace, other)


@given(st.sampled_from(["snowflake://a", "redshift://c.r", "hive://h", "trino://h", "mssql://h", "teradata://h"]))
def test_where_case_does_not_matter_names_share_the_folded_key_and_no_exact_one(namespace: str) -> None:
    upper, lower = strong(namespace, "DB.S.ORDERS"), strong(namespace, "db.s.orders")
    assert len(upper & lower) == 1
    assert len(upper | lower) == 3


@pytest.mark.parametrize("namespace", ["snowflake://acct", "oracle://h"])
def test_a_quoted_name_is_another_thing_than_its_unquoted_namesake(namespace: str) -> None:
    plain, quoted = strong(namespace, "DB.S.ORDERS"), strong(namespace, 'DB.S."Orders"')
    assert quoted
    assert not plain & quoted


def test_a_quoted_name_in_capitals_is_its_unquoted_namesake() -> None:
    assert strong("snowflake://acct", 'DB.S."ORDERS"') == strong("snowflake://acct", "DB.S.ORDERS")


@pytest.mark.parametrize("name", ["[db].[dbo].[my.table]", 'db.dbo."my.table"', "db.dbo.`my.table`"])
def test_quotes_of_every_sort_hold_a_part_together(name: str) -> None:
    assert 'data|mssql|h:1433|db.dbo."my.table"' in strong("mssql://h", name)


def test_composed_and_decomposed_letters_are_one() -> None:
    assert strong("postgres://h", "db.s.caf\u00e9") == strong("postgres://h", "db.s.cafe\u0301")


class TestSuspects:
    neighbours = ("shop.main.stg_orders", "shop.main.customers", "read_parquet")

    @pytest.mark.parametrize(
        "name", ["read_parquet", "generate_series", "unnest", "READ_CSV_AUTO", "main.orders", "orders"]
    )
    def test_functions_and_names_shorter_than_their_neighbours_are_suspect(self, name: str) -> None:
        assert is_suspect(name, self.neighbours)

    @pytest.mark.parametrize("name", ["shop.main.stg_orders", "a.b.c.d", "/srv/lake/x", '"read_parquet".a.b'])
    def test_complete_names_are_not(self, name: str) -> None:
        assert not is_suspect(name, self.neighbours)

    def test_a_name_alone_is_only_suspect_if_it_is_a_functions(self) -> None:
        assert not is_suspect("orders", [])
        assert is_suspect("read_parquet", [])

    def test_a_topic_or_an_object_is_never_too_short(self) -> None:
        assert not is_suspect("orders", ["shop.orders.v1", "shop.orders.v2"], "kafka://h")
        assert not is_suspect("orders", ["a.b.c", "d.e.f"], "s3://bucket")


class TestRunIds:
    def test_a_uuid_is_written_in_small_letters(self) -> None:
        text = "018F0E0E-1234-7ABC-8DEF-0123456789AB"
        assert run_uuid(text) == run_uuid(f"urn:uuid:{text}") == run_uuid(f"{{{text}}}") == text.lower()

    def test_another_id_becomes_what_marquez_makes_of_it(self) -> None:
        # Java's UUID.nameUUIDFromBytes("hello") is known.
        assert run_uuid("hello") == "5d41402a-bc4b-3a76-b971-9d911017c592"

    def test_short_groups_are_read_as_java_does(self) -> None:
        assert run_uuid("1-2-3-4-5") == "00000001-0002-0003-0004-000000000005"

    @given(st.uuids())
    def test_every_uuid_is_itself(self, run: uuid.UUID) -> None:
        assert run_uuid(str(run).upper()) == str(run)

    @given(st.text())
    def test_every_text_becomes_a_uuid_that_stays(self, text: str) -> None:
        assert run_uuid(run_uuid(text)) == run_uuid(text) == str(uuid.UUID(run_uuid(text)))
