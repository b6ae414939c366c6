"""The borders of the naming rules: a part more or less, other case, a slash at the end, a rule that does not apply."""

import pytest

from watersmeet.federation.model import AssetKind, Form, Spelling
from watersmeet.federation.naming import Key, Registry, keys, spellings_of
from watersmeet.federation.naming.datahub import urn_keys
from watersmeet.federation.naming.mlflow import address
from watersmeet.federation.naming.openmetadata import full_name_keys
from watersmeet.federation.naming.suspects import is_suspect
from watersmeet.federation.naming.uri import split

NOBODY = Registry.EMPTY


def told(found: tuple[Key, ...]) -> list[tuple[str, bool]]:
    return [(one.text, one.strong) for one in found]


def bound(system: str, **binding: str) -> Registry:
    return Registry.of(bindings=[{"source": "catalog", **binding, "authority": f"{system}/acme"}])


class TestOpenMetadata:
    @pytest.mark.parametrize(
        ("service", "name", "path"),
        [
            ("Oracle", "svc.db.sch.t", "sch.t"),
            ("Mysql", "svc.shop.db.t", "db.t"),
            ("Hive", "svc.lake.db.t", "db.t"),
            ("Teradata", "svc.x.db.t", "db.t"),
            ("Clickhouse", "svc.x.db.t", "db.t"),
            ("MongoDB", "svc.x.db.c", "db.c"),
            ("Mysql", "svc.default.db.t", "db.t"),
            ("Glue", "svc.cat.db.t", "db.t"),
            ("Glue", "svc.db.t", "db.t"),
            ("Athena", "svc.cat.db.t", "cat.db.t"),
            ("Postgres", "svc.db.sch.t", "db.sch.t"),
            ("BigQuery", "svc.default.t", "default.t"),
        ],
    )
    def test_a_level_that_the_system_does_not_have_is_left_out(self, service: str, name: str, path: str):
        (loose,) = full_name_keys(name, service, NOBODY)
        assert loose.parts[3] == path
        assert not loose.strong

    @pytest.mark.parametrize(
        ("service", "system", "name", "complete"),
        [
            ("Oracle", "oracle", "svc.sch.t", True),
            ("Athena", "athena", "svc.db.t", True),
            ("Mysql", "mysql", "svc.db.t", True),
            ("Postgres", "postgres", "svc.db.sch.t", True),
            ("Postgres", "postgres", "svc.sch.t", False),
            ("Snowflake", "snowflake", "svc.sch.t", False),
        ],
    )
    def test_a_place_makes_a_name_certain_only_if_no_upper_part_is_missing(
        self, service: str, system: str, name: str, complete: bool
    ):
        found = full_name_keys(name, service, bound(system, service="svc"), "catalog")
        assert {one.parts[2] for one in found} == {"acme"}
        assert any(one.strong for one in found) is complete

    def test_a_binding_counts_for_its_own_source(self):
        registry = bound("postgres", service="svc")
        assert full_name_keys("svc.db.sch.t", "Postgres", registry, "other")[0].parts[2] == ""
        assert full_name_keys("svc.db.sch.t", "Postgres", registry)[0].parts[2] == ""

    def test_a_full_name_keeps_the_case_that_it_was_given(self):
        found = full_name_keys('svc."Db".sch."T"', "Postgres", bound("postgres", service="svc"), "catalog")
        assert told(found) == [("data|postgres|acme|Db.sch.T", True)]

    @pytest.mark.parametrize(
        ("service", "name", "key", "strong"),
        [
            ("S3", 'svc.bucket."/a/b/"', "data|s3|bucket|a/b", True),
            ("S3", "svc.bucket.a.b", "data|s3|bucket|a/b", True),
            ("GCS", "svc.bucket.k", "data|gs|bucket|k", True),
            ("ADLS", 'svc.box."/a/"', "data|abs||box/a", False),
            ("Kafka", 'svc."shop.orders"', "data|kafka||shop.orders", False),
            ("Kafka", "svc.shop.orders", "data|kafka||shop.orders", False),
        ],
    )
    def test_containers_and_topics(self, service: str, name: str, key: str, strong: bool):
        assert told(full_name_keys(name, service, NOBODY)) == [(key, strong)]

    def test_a_column_has_three_parts_before_it_in_a_warehouse_and_one_in_a_topic(self):
        (table,) = full_name_keys("svc.db.sch.t.address.street", "Postgres", NOBODY, column=True)
        assert table.text == "column|postgres||db.sch.t#address.street"
        (topic,) = full_name_keys("svc.orders.payload.id", "Kafka", NOBODY, column=True)
        assert topic.text == "column|kafka||orders#payload.id"
        assert full_name_keys("svc.db.sch.t", "Postgres", NOBODY, column=True)[0].parts[0] == "data"


class TestObjectsBehindWebAddresses:
    @pytest.mark.parametrize(
        ("uri", "namespace", "name"),
        [
            ("https://acct.blob.core.windows.net/box/a%20b/c", "abfss://box@acct.dfs.core.windows.net", "a b/c"),
            ("https://acct.blob.core.windows.net//box/a", "abfss://box@acct.dfs.core.windows.net", "a"),
            ("https://s3.amazonaws.com/bucket/k/j", "s3://bucket", "k/j"),
            ("https://s3.eu-west-1.amazonaws.com//bucket/k", "s3://bucket", "k"),
            ("https://storage.googleapis.com/bucket/k/j", "gs://bucket", "k/j"),
            ("https://storage.cloud.google.com/bucket/k/j", "gs://bucket", "k/j"),
            ("https://STORAGE.googleapis.com//bucket/k", "gs://bucket", "k"),
            ("https://bucket.s3.amazonaws.com/k", "s3://bucket", "k"),
        ],
    )
    def test_a_bucket_and_its_object_are_found(self, uri: str, namespace: str, name: str):
        assert split(uri) == (namespace, name)

    @pytest.mark.parametrize(
        "host",
        ["acct.blob.core.windows.net", "s3.amazonaws.com", "storage.googleapis.com", "storage.cloud.google.com"],
    )
    @pytest.mark.parametrize("path", ["", "/", "//"])
    def test_the_service_alone_is_a_page(self, host: str, path: str):
        assert split(f"https://{host}{path}")[0] == f"https://{host}"


class TestMlflow:
    def test_a_dataset_without_a_place_is_known_in_its_server_and_workspace(self):
        spelled = Spelling(Form.MLFLOW_DATASET, ("mlflow.test", "team", "3/4", "train", "ab12"))
        (one,) = keys(spelled, AssetKind.DATASET, NOBODY)
        assert (one.text, one.strong, one.rule) == (
            "data|mlflow-dataset|mlflow.test/team|3%2F4/train@ab12",
            True,
            "MLflow dataset",
        )

    @pytest.mark.parametrize(
        ("uri", "type_", "id_", "alias"),
        [
            ("models:/churn@champion", "model", "churn", "champion"),
            ("models:/churn@a@b", "model", "churn", "a@b"),
            ("models:/churn/3/model.pkl", "model-version", "churn/3", None),
            ("models:/churn/Production/x", "model", "churn", "Production"),
            ("models:/churn/2@old", "model", "churn", "old"),
            ("models:/churn/", "model", "churn", None),
            ("models:/churn//x", "model", "churn", None),
        ],
    )
    def test_what_an_address_names(self, uri: str, type_: str, id_: str, alias: str | None):
        found = address(uri)
        assert found is not None
        assert (found.type, found.id, found.alias) == (type_, id_, alias)


class TestDatahub:
    @pytest.mark.parametrize(
        ("platform", "name", "key", "strong"),
        [
            ("s3", "/bucket/k", "data|s3|bucket|k", True),
            ("gcs", "bucket/k/", "data|gs|bucket|k", True),
            ("file", "/data/x.csv", "data|file||/data/x.csv", False),
            ("delta-lake", "/bucket/t/", "data|s3|bucket|t", False),
            ("oracle", "sch.t", "data|oracle||sch.t", False),
            ("fabric-onelake", "ws.lake.t", "data|fabric-onelake||ws.lake.t", False),
            ("kinesis", "12.eu.stream.one", 'data|kinesis|12:eu|"stream.one"', True),
            ("dynamodb", "eu.t", "data|dynamodb||t", False),
        ],
    )
    def test_names_as_datahub_writes_them(self, platform: str, name: str, key: str, strong: bool):
        urn = f"urn:li:dataset:(urn:li:dataPlatform:{platform},{name},PROD)"
        assert (key, strong) in told(urn_keys(urn, NOBODY))

    def test_one_guid_of_two_tells_no_place(self):
        guid = "0e2c1c58-7a0f-4b6e-9a43-5d5b3f3f0f11"
        for name in (f"{guid}.lake.t", f"ws.{guid}.t"):
            urn = f"urn:li:dataset:(urn:li:dataPlatform:fabric-onelake,{name},PROD)"
            assert {one.parts[2] for one in urn_keys(urn, NOBODY) if one.parts[1] == "fabric-onelake"} == {""}

    def test_a_name_that_tells_its_place_keeps_it_under_a_binding(self):
        registry = bound("s3", platform="s3")
        urn = "urn:li:dataset:(urn:li:dataPlatform:s3,bucket/k,PROD)"
        assert urn_keys(urn, registry, "catalog")[0].text == "data|s3|bucket|k"

    def test_a_binding_without_environment_counts_in_each(self):
        registry = bound("snowflake", platform="snowflake", instance="sf")
        for env in ("PROD", "DEV"):
            urn = f"urn:li:dataset:(urn:li:dataPlatform:snowflake,sf.db.sch.t,{env})"
            assert urn_keys(urn, registry, "catalog")[0].parts[2] == "acme"
        exact = bound("snowflake", platform="snowflake", instance="sf", env="PROD")
        urn = "urn:li:dataset:(urn:li:dataPlatform:snowflake,sf.db.sch.t,DEV)"
        assert urn_keys(urn, exact, "catalog")[0].parts[2] == ""


class TestBindings:
    def test_the_longest_pattern_decides(self):
        registry = Registry.of(
            bindings=[
                {"openlineage": "postgres://*", "authority": "postgres/any"},
                {"openlineage": "postgres://db-*", "authority": "postgres/db"},
                {"openlineage": "postgres://db-7:5432", "authority": "postgres/seven"},
            ]
        )

        def where(namespace: str) -> str:
            return keys(Spelling(Form.OPENLINEAGE, (namespace, "db.sch.t")), AssetKind.DATASET, registry)[0].parts[2]

        assert [where(f"postgres://{host}") for host in ("x", "db-1", "db-7")] == ["any", "db", "seven"]

    def test_a_pattern_of_one_source_goes_before_those_of_all(self):
        registry = Registry.of(
            bindings=[
                {"openlineage": "postgres://db-*", "authority": "postgres/all"},
                {"openlineage": "postgres://*", "source": "mine", "authority": "postgres/mine"},
            ]
        )
        spelled = Spelling(Form.OPENLINEAGE, ("postgres://db-1", "db.sch.t"))
        assert keys(spelled, AssetKind.DATASET, registry.within("mine"))[0].parts[2] == "mine"
        assert keys(spelled, AssetKind.DATASET, registry.within("other"))[0].parts[2] == "all"


class TestSuspects:
    @pytest.mark.parametrize(
        ("name", "neighbours", "namespace", "suspect"),
        [
            ("t", ["a.b.c", "d.e.f"], "postgres://h", True),
            ("sch.t", ["a.b.c"], "postgres://h", True),
            ("a.b.t", ["a.b.c"], "postgres://h", False),
            ("t", [], "postgres://h", False),
            ("t", ["t"], "postgres://h", False),
            ("t", ["a.b", "x", "y"], "postgres://h", False),  # most have one part
            ("t", ["a.b", "x"], "postgres://h", True),  # as many with two: the longer form counts
            ("t", ["path/a.b.c"], "postgres://h", False),  # a path is no neighbour of names
            ("t", ["a.b.c"], "kafka://h", False),  # topics have no parts
            ("t", ["a.b.c"], "", True),
            ("read_parquet", [], "postgres://h", True),
            ("READ_PARQUET", [], "", True),
            ("sch.read_parquet", [], "", False),
            ("read_parquet", ["a.b"], "s3://bucket", False),
            ("a/b", ["a.b.c"], "", False),
        ],
    )
    def test_a_name_is_suspect_by_itself_or_beside_its_neighbours(
        self, name: str, neighbours: list[str], namespace: str, suspect: bool
    ):
        assert is_suspect(name, neighbours, namespace) is suspect


class TestPasted:
    def test_a_run_is_looked_up_as_its_node_and_by_its_key(self):
        run = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
        found = spellings_of(run)
        assert {(one.kind, one.value) for one in found} >= {("native", f"run:{run}"), ("native", run)}
        assert any(one.kind == "key" and str(one.value).startswith("run|") for one in found)

    def test_a_prompts_version_is_meant_wherever_it_is(self):
        found = {(one.kind, one.value) for one in spellings_of("prompts:/qa/3")}
        assert ("anywhere", "other|mlflow||prompt/qa/3") in found
