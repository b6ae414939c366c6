"""What real Spark, dbt, Airflow and the Python client sent, held against what their pipeline really did."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from watersmeet.federation.model import AssetKind, Edge, EdgeKind, Scope
from watersmeet.federation.openlineage import admit, project

FILES = (
    "spark_shop_lake",
    "dbt_shop",
    "dbt_shop_structured_logs",
    "airflow_shop_daily",
    "airflow_spark_dbt_pipeline",
    "python_client",
)
WRONG_ON_PURPOSE = "airflow_shop_daily_dags_test"

Pair = tuple[str, str]
ColumnPair = tuple[Pair, Pair]


class Told:
    """The recorded events of some files, projected, with their names put as the truth has them."""

    def __init__(self, folder: Path, files: Iterable[str], truth: dict[str, Any]) -> None:
        self.thing = {
            f"{name['namespace']}/{name['name']}": thing["id"] for thing in truth["physical"] for name in thing["names"]
        }
        entities: dict[str, list[bytes]] = defaultdict(list)
        for file in files:
            for line in (folder / f"{file}.ndjson").read_text().splitlines():
                admitted = admit(json.dumps(json.loads(line)["body"]).encode(), key=b"secret")
                entities[admitted.entity].append(admitted.body)
        self.scopes = [scope for name, events in entities.items() for scope in project(name, events).scopes]
        self.suspects = {r.native_id for s in self.scopes for r in s.records if r.suspect}
        self.of_version = {
            e.upstream: e.downstream for s in self.scopes for e in s.edges if e.kind is EdgeKind.VERSION_OF
        }

    def named(self, native_id: str) -> str:
        native_id = self.of_version.get(native_id, native_id)
        return self.thing.get(native_id, native_id)

    def table_edges(self) -> set[Pair]:
        """Every (input, output) of one flow of one process that is no mere plan."""
        return {pair for scope in self.scopes for pair in self._pairs(scope)}

    def _pairs(self, scope: Scope) -> Iterator[Pair]:
        reads: dict[tuple[str, int], set[str]] = defaultdict(set)
        for edge in facts(scope, EdgeKind.READ):
            if edge.role is None:
                reads[edge.downstream, edge.flow].add(edge.upstream)
        for edge in facts(scope, EdgeKind.WRITE):
            for up in reads[edge.upstream, edge.flow]:
                yield self.named(up), self.named(edge.downstream)

    def column_edges(self) -> set[ColumnPair]:
        """Every column that went into a column, or into a whole table (`*`)."""
        return {
            (self._column(edge.upstream), self._column(edge.downstream))
            for scope in self.scopes
            for edge in facts(scope, EdgeKind.DERIVE)
        }

    def _column(self, native_id: str) -> Pair:
        dataset, found, field = native_id.rpartition("#")
        return (self.named(dataset), field) if found else (self.named(native_id), "*")


def facts(scope: Scope, kind: EdgeKind) -> Iterator[Edge]:
    return (edge for edge in scope.edges if edge.kind is kind and not edge.planned)


@pytest.fixture(scope="module")
def folder(shared: Path) -> Path:
    return shared / "data" / "emitters"


@pytest.fixture(scope="module")
def truth(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "truth.json").read_text())


@pytest.fixture(scope="module")
def told(folder: Path, truth: dict[str, Any]) -> Told:
    return Told(folder, FILES, truth)


@pytest.fixture(scope="module")
def wrong(folder: Path, truth: dict[str, Any]) -> Told:
    return Told(folder, [WRONG_ON_PURPOSE], truth)


def true_tables(truth: dict[str, Any], *told: str) -> set[Pair]:
    return {(one["up"], one["down"]) for one in truth["table_edges"] if not told or one["told"] in told}


def true_columns(truth: dict[str, Any], *told: str) -> set[ColumnPair]:
    return {(tuple(one["up"]), tuple(one["down"])) for one in truth["column_edges"] if not told or one["told"] in told}


def test_every_table_edge_that_is_told_is_found(told: Told, truth: dict[str, Any]) -> None:
    wanted = true_tables(truth, "yes", "partly")
    assert len(wanted) == 36
    assert wanted - told.table_edges() == set()


def test_no_table_edge_is_invented(told: Told, truth: dict[str, Any]) -> None:
    invented = told.table_edges() - true_tables(truth)
    # dbt's SQL parser took the function read_parquet for a table (truth.json, not_datasets): kept, marked, alone.
    assert {down for up, down in invented if up in told.suspects} == {"dbt.stg_orders", "dbt.stg_customers"}
    assert {pair for pair in invented if pair[0] not in told.suspects} == set()


def test_every_column_edge_that_is_told_is_found(told: Told, truth: dict[str, Any]) -> None:
    wanted = true_columns(truth, "yes")
    assert len(wanted) == 27
    assert wanted - told.column_edges() == set()


def test_column_edges_that_are_told_in_part_are_found_but_for_the_names_that_the_events_get_wrong(
    told: Told, truth: dict[str, Any]
) -> None:
    lost = true_columns(truth, "partly") - told.column_edges()
    # "the source is called read_parquet"; and "told as column _0, the parser's word for an expression without alias".
    called_read_parquet = {pair for pair in lost if pair[1][0] in ("dbt.stg_orders", "dbt.stg_customers")}
    assert lost - called_read_parquet == {(("pg.orders", "amount"), ("pg.daily_revenue", "revenue"))}
    assert len(called_read_parquet) == 7


def test_no_column_edge_is_invented(told: Told, truth: dict[str, Any]) -> None:
    invented = told.column_edges() - true_columns(truth)
    lies = {(one["dataset"], one["column"]) for one in truth["columns_that_do_not_exist"]}
    assert {down for _, down in invented if down in lies} == lies
    left = {pair for pair in invented if pair[1] not in lies}
    assert {up for (up, _), _ in left} <= told.suspects
    assert all(down in ("dbt.stg_orders", "dbt.stg_customers") for _, (down, _) in left)


def test_a_column_that_a_parser_made_up_is_marked(told: Told) -> None:
    column = "postgres://localhost:5432/shop.public.daily_revenue#_0"
    assert column in told.suspects


def test_a_name_that_is_no_dataset_belongs_to_the_job_that_named_it(told: Told) -> None:
    tables = {one for one in told.suspects if "#" not in one}
    assert {one.rpartition("!")[2] for one in tables} == {"duckdb:///srv/lake/shop.duckdb/read_parquet"}
    assert {one.partition("!")[0] for one in tables} == {
        "suspect:job:dbt_prod/shop.main.shop.stg_orders",
        "suspect:job:dbt_prod/shop.main.shop.stg_customers",
    }


def test_tests_of_dbt_write_nothing(told: Told, truth: dict[str, Any]) -> None:
    audits = {one["name"] for one in truth["not_datasets"] if "dbt_test__audit" in one["name"]}
    written = {edge.downstream for scope in told.scopes for edge in facts(scope, EdgeKind.WRITE)}
    assert len(audits) == 4
    assert not [one for one in written if "dbt_test__audit" in one]
    planned = {edge.downstream for scope in told.scopes for edge in scope.edges if edge.planned}
    assert {one.partition("shop.duckdb/")[2] for one in planned} >= audits


def test_the_hierarchy_over_three_emitters_is_known(folder: Path, truth: dict[str, Any]) -> None:
    told = Told(folder, ["airflow_spark_dbt_pipeline"], truth)
    parts = {
        (edge.upstream, edge.downstream)
        for scope in told.scopes
        for edge in scope.edges
        if edge.kind is EdgeKind.PART_OF and edge.upstream.startswith("job:")
    }
    assert {
        ("job:airflow_prod/shop_pipeline.spark_lake", "job:airflow_prod/shop_pipeline"),
        ("job:spark_prod/shop_lake", "job:airflow_prod/shop_pipeline.spark_lake"),
        ("job:airflow_prod/shop_pipeline.dbt_marts", "job:airflow_prod/shop_pipeline"),
        ("job:airflow_prod/dbt-run-shop", "job:airflow_prod/shop_pipeline.dbt_marts"),
        ("job:dbt_prod/shop.main.shop.stg_orders", "job:airflow_prod/dbt-run-shop"),
    } <= parts


def test_the_model_that_a_lineage_facet_tells_is_a_model_version(told: Told) -> None:
    kinds = {record.native_id: record.kind for scope in told.scopes for record in scope.records}
    assert kinds["mlflow://127.0.0.1:5000/models/churn/3"] is AssetKind.MODEL_VERSION


def test_a_dag_that_ran_without_a_scheduler_tells_what_was_not_and_no_more(wrong: Told, truth: dict[str, Any]) -> None:
    """`airflow dags test` runs all tasks in one process: the false claims are writes without any input."""
    airflow = {(one["up"], one["down"]) for one in truth["table_edges"] if one["by"].startswith("airflow")}
    assert wrong.table_edges() == airflow
    false = {
        edge.downstream
        for scope in wrong.scopes
        for edge in facts(scope, EdgeKind.WRITE)
        if ".query." in next(r.name for r in scope.records if r.kind is AssetKind.RUN and r.native_id == edge.upstream)
    }
    assert {wrong.named(one) for one in false} == {"pg.orders", "pg.daily_revenue"}
