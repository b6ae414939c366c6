"""Events as Spark, dbt and Airflow shape them, each of a world of its own, with secrets where people leave them."""

import uuid
from collections.abc import Callable
from typing import Any

SECRET = "PLANTED"
"""What no letter, log or answer may hold."""
_SPEC = "https://openlineage.io/spec"


def _facet(schema: str, /, **members: Any) -> dict[str, Any]:
    return {"_producer": "https://example.com/fire", "_schemaURL": f"{_SPEC}/facets/1-0-0/{schema}.json", **members}


def run_id(number: int) -> str:
    """The run of an event by its number."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"fire/{number}"))


def namespaces(number: int) -> tuple[str, str]:
    """Where the job and the datasets of an event live; no two share one."""
    return f"fire-{number}", f"postgres://fire-{number}:5432"


def _event(number: int, kind: str, **more: Any) -> dict[str, Any]:
    return {
        "eventType": kind,
        "eventTime": f"2026-11-20T{number % 24:02}:{number % 60:02}:07.123456Z",
        "producer": "https://example.com/fire/1.0",
        "schemaURL": f"{_SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent",
        **more,
    }


def spark(number: int) -> dict[str, Any]:
    """A write of an application, with its properties."""
    space, data = namespaces(number)
    columns = [{"name": "id", "type": "long"}, {"name": "total", "type": "decimal(10,2)"}]
    properties = {"spark.master": "yarn", "spark.hadoop.fs.s3a.secret.key": f"{SECRET}-key", "spark.app.name": "shop"}
    return _event(
        number,
        "COMPLETE",
        run={
            "runId": run_id(number),
            "facets": {
                "spark_properties": _facet("SparkProperties", properties=properties),
                "processing_engine": _facet("ProcessingEngine", version="3.5.1", name="spark"),
            },
        },
        job={"namespace": space, "name": "shop.execute_insert_into_hadoop_fs_relation_command.totals"},
        inputs=[{"namespace": data, "name": "shop.raw.orders", "facets": {"schema": _facet("Schema", fields=columns)}}],
        outputs=[
            {
                "namespace": data,
                "name": "shop.mart.totals",
                "facets": {
                    "schema": _facet("Schema", fields=columns),
                    "dataSource": _facet("DataSource", name=data, uri=f"postgres://etl:{SECRET}-pw@fire-{number}/shop"),
                },
                "outputFacets": {"outputStatistics": _facet("OutputStatistics", rowCount=1200, size=65536)},
            }
        ],
    )


def dbt(number: int) -> dict[str, Any]:
    """A model with its SQL and its columns."""
    space, data = namespaces(number)
    source = {"namespace": data, "name": "shop.raw.orders", "field": "amount", "transformations": []}
    return _event(
        number,
        "COMPLETE",
        run={
            "runId": run_id(number),
            "facets": {
                "parent": _facet(
                    "Parent", run={"runId": run_id(-number - 1)}, job={"namespace": space, "name": "dbt-run"}
                ),
                "dbt_version": _facet("DbtVersion", version="1.11.0"),
                "environmentVariables": _facet(
                    "EnvironmentVariables", environmentVariables=[{"name": "DBT_HOME", "value": f"/{SECRET}/env"}]
                ),
            },
        },
        job={
            "namespace": space,
            "name": "shop.main.shop.stg_orders.build.run",
            "facets": {"sql": _facet("SQL", query="select amount * 2 as doubled from raw.orders where amount > 0")},
        },
        inputs=[],
        outputs=[
            {
                "namespace": data,
                "name": "shop.main.stg_orders",
                "facets": {"columnLineage": _facet("ColumnLineage", fields={"doubled": {"inputFields": [source]}})},
            }
        ],
    )


def airflow(number: int) -> dict[str, Any]:
    """A task of a DAG, with its connection and its owner."""
    space, data = namespaces(number)
    connection = {"login": "etl", "password": f'pa"{SECRET}-conn', "extra": {"api_key": f"{SECRET}-extra"}}
    return _event(
        number,
        ("START", "COMPLETE", "FAIL")[number % 3],
        run={
            "runId": run_id(number),
            "facets": {
                "airflow": _facet("Airflow", connection=connection, task={"retries": 2}),
                "nominalTime": _facet("NominalTime", nominalStartTime="2026-11-20T00:00:00Z"),
            },
        },
        job={
            "namespace": space,
            "name": "daily.load_totals",
            "facets": {
                "ownership": _facet("Ownership", owners=[{"name": "team:größe", "type": "MAINTAINER"}]),
                "jobType": _facet("JobType", processingType="BATCH", integration="AIRFLOW", jobType="TASK"),
            },
        },
        inputs=[{"namespace": data, "name": "shop.mart.totals"}],
        outputs=[{"namespace": data, "name": "shop.report.daily", "facets": {}}],
    )


SHAPES: tuple[Callable[[int], dict[str, Any]], ...] = (spark, dbt, airflow)


def original(number: int) -> dict[str, Any]:
    """The event of a number."""
    return SHAPES[number % len(SHAPES)](number)
