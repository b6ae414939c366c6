"""Which place each dataset source of MLflow names (guide §5)."""

import json
from typing import Any

import pytest

from watersmeet.connectors.mlflow.sources import locate, tables_of
from watersmeet.federation.model import Form

PLACES: list[tuple[str, dict[str, Any], str | None]] = [
    ("s3", {"uri": "s3://Lake/features/x.parquet"}, "data/s3://lake/features/x.parquet"),
    ("s3", {"uri": "s3a://lake/features/"}, "data/s3://lake/features"),
    ("gs", {"uri": "gcs://bucket/np/eval.npy"}, "data/gs://bucket/np/eval.npy"),
    ("wasbs", {"uri": "wasbs://box@acme.blob.core.windows.net/a"}, "data/abfss://box@acme.dfs.core.windows.net/a"),
    ("abfss", {"uri": "abfs://box@acme.dfs.core.windows.net/a"}, "data/abfss://box@acme.dfs.core.windows.net/a"),
    ("hdfs", {"uri": "hdfs://NN:8020/warehouse/t"}, "data/hdfs://nn:8020/warehouse/t"),
    ("local", {"uri": "/data/fraud/local.csv"}, "data/local/ana/data/fraud/local.csv"),
    ("local", {"uri": "/dbfs/mnt/x.csv"}, "data/dbfs:/mnt/x.csv"),
    ("local", {"uri": "/Volumes/main/ml/files/x.csv"}, "data/dbfs:/Volumes/main/ml/files/x.csv"),
    ("uc_volume", {"path": "/Volumes/main/ml/files/x.csv"}, "data/dbfs:/Volumes/main/ml/files/x.csv"),
    ("http", {"url": "https://u:p@data.acme.io/b.csv?sig=SECRET"}, "data/https://data.acme.io/b.csv"),
    ("hugging_face", {"path": "acme/fraud", "split": "None"}, "data/hf://datasets/acme/fraud"),
    ("delta_table", {"path": "s3://lake/delta/t/"}, "data/s3://lake/delta/t"),
    ("delta_table", {"delta_table_name": "main.fraud.features"}, "data/table/main.fraud.features"),
    ("delta_table", {"delta_table_name": "a.b.c", "delta_table_id": "5c1d"}, "data/table/5c1d"),
    ("spark", {"table_name": "hive_metastore.default.legacy"}, "data/table/hive_metastore.default.legacy"),
    ("acme_plugin", {"table": "a.b.c"}, "data/table/a.b.c"),
    ("acme_plugin", {"uri": "s3://lake/x"}, "data/s3://lake/x"),
    ("code", {"tags": {"mlflow.user": "ana"}}, None),
    ("spark", {"sql": "SELECT 1"}, None),
    ("local", {"uri": "data/train.csv"}, None),
]
"""A type and a source as MLflow stores them, and the place that they name for the user ana."""


def located(source_type: str, source: Any, user: str = "ana") -> Any:
    return locate(source_type, json.dumps(source), user)


@pytest.mark.parametrize(("source_type", "source", "native_id"), PLACES)
def test_a_source_names_one_place(source_type: str, source: dict[str, Any], native_id: str | None) -> None:
    """MLflow, check 8."""
    assert located(source_type, source).native_id == native_id


@pytest.mark.parametrize("source", ["not json {", "", "[]", '"text"', "null", "x" * 60_000])
@pytest.mark.parametrize("source_type", ["my_custom", "", "s3", "spark"])
def test_a_source_that_is_no_object_is_kept_with_a_warning(source_type: str, source: str) -> None:
    """MLflow, check 7."""
    found = locate(source_type, source, "ana")
    assert found.native_id is None
    assert found.warning
    assert len(found.warning) < 700


@pytest.mark.parametrize("source_type", ["s3", "http", "local", "hugging_face", "delta_table", "uc_volume", "plugin"])
def test_an_empty_object_is_kept_with_a_warning(source_type: str) -> None:
    assert located(source_type, {}).warning


def test_signatures_and_passwords_of_addresses_go_nowhere() -> None:
    """MLflow, check 8."""
    found = located("http", {"url": "https://user:word@data.acme.io/b.csv?X-Amz-Signature=SECRET#SECRET"})
    assert "SECRET" not in repr(found)
    assert "word" not in repr(found)


def test_a_table_with_a_uuid_is_found_by_it_and_by_its_name() -> None:
    found = located("delta_table", {"delta_table_name": "main.fraud.features", "delta_table_id": "5c1d9a3e"})
    assert [(one.form, one.weak) for one in found.spellings] == [(Form.TABLE_UUID, False), (Form.TABLE, False)]


def test_the_version_of_a_delta_table_is_told_apart_from_the_digest() -> None:
    assert located("delta_table", {"delta_table_name": "a.b.c", "delta_table_version": 12}).version == "12"
    assert located("delta_table", {"delta_table_name": "a.b.c"}).version is None


@pytest.mark.parametrize("name", ["hive_metastore.default.legacy", "spark_catalog.default.t", "default.t"])
def test_names_that_mean_another_table_in_every_workspace_join_nothing(name: str) -> None:
    assert all(one.weak for one in located("spark", {"table_name": name}).spellings)


def test_a_path_of_an_unknown_machine_joins_nothing() -> None:
    found = located("local", {"uri": "/data/x.csv"})
    assert all(one.weak for one in found.spellings)
    assert found.native_id != located("local", {"uri": "/data/x.csv"}, user="bob").native_id


def test_a_table_logged_as_a_local_file_is_a_candidate_only() -> None:
    found = located("local", {"uri": "main.fraud.features"})
    assert found.native_id == "data/table/main.fraud.features"
    assert found.confidence == 0.5
    assert found.warning


def test_what_a_hugging_face_split_does_not_say_is_not_kept() -> None:
    source = {"path": "acme/fraud", "config_name": "default", "split": "None", "revision": "a1b2"}
    found = located("hugging_face", source)
    assert found.facets == {"slice": {"config_name": "default"}}
    assert found.version == "a1b2"


def test_the_folder_of_an_object_is_a_hint() -> None:
    spellings = located("s3", {"uri": "s3://lake/holdout/eval.parquet"}).spellings
    assert [(one.parts, one.weak) for one in spellings] == [
        (("s3://lake/holdout/eval.parquet",), False),
        (("s3://lake/holdout",), True),
    ]


def test_a_query_reads_its_tables_and_not_its_own_parts() -> None:
    sql = "WITH recent AS (SELECT * FROM main.fraud.features) SELECT * FROM recent JOIN main.ref.country USING (c)"
    assert [one.native_id for one in tables_of(sql)] == [
        "data/table/main.fraud.features",
        "data/table/main.ref.country",
    ]


def test_a_query_that_is_none_reads_nothing() -> None:
    assert list(tables_of("SELEKT ((")) == []
