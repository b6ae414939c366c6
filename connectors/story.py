"""A shop's customers, from raw tables to a served model: the one story that the sandboxes tell together."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

WAREHOUSE = "postgres://warehouse:5432"
LAKE = "s3://lake"
REPOSITORY = "https://github.com/acme/churn"
REVISION = "3f1c2ab94de07712a5f0d9a1c8b6e4f2d7a90b13"
FEATURES = "s3://lake/features/customer_features"
HOLDOUT = "s3://lake/features/customer_holdout"
_NAMES = UUID("6f0a4a5e-6a55-4d5c-9a5e-2f7f3c0b7d11")
_SPEC = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
_PRODUCERS = {
    "dbt": "https://github.com/OpenLineage/OpenLineage/tree/1.39.0/integration/dbt",
    "airflow": "https://github.com/apache/airflow/tree/providers-openlineage/2.7.0",
    "kserve": "https://github.com/kserve/kserve/tree/0.15.0",
}

Table = tuple[str, str]
RAW_CUSTOMERS: Table = (WAREHOUSE, "shop.raw.customers")
RAW_ORDERS: Table = (WAREHOUSE, "shop.raw.orders")
CUSTOMER_ORDERS: Table = (WAREHOUSE, "shop.marts.customer_orders")
REVENUE: Table = (WAREHOUSE, "shop.reporting.revenue")
CLICKS: Table = (LAKE, "raw/clickstream")
FEATURE_TABLE: Table = (LAKE, "features/customer_features")
HOLDOUT_TABLE: Table = (LAKE, "features/customer_holdout")
ENDPOINT: Table = ("kserve://prod", "churn-api")

COLUMNS: Mapping[Table, tuple[str, ...]] = {
    RAW_CUSTOMERS: ("id", "country"),
    RAW_ORDERS: ("id", "customer_id", "amount", "ordered_at"),
    CUSTOMER_ORDERS: ("customer_id", "country", "orders", "total_spent"),
    REVENUE: ("country", "revenue"),
    CLICKS: ("customer_id", "url", "clicked_at"),
    FEATURE_TABLE: ("customer_id", "orders", "total_spent", "churned"),
    HOLDOUT_TABLE: ("customer_id", "orders", "total_spent", "churned"),
}


@dataclass(frozen=True, slots=True)
class Job:
    """One job and what one of its runs did; `columns` says which column came from which."""

    tool: str
    name: str
    started: str
    inputs: tuple[Table, ...]
    output: Table
    columns: Mapping[str, tuple[tuple[Table, str], ...]] = field(
        default_factory=dict[str, tuple[tuple[Table, str], ...]]
    )
    path: str | None = None


JOBS = (
    Job(
        "dbt",
        "shop.marts.customer_orders",
        "2025-01-05T02:00:00Z",
        (RAW_CUSTOMERS, RAW_ORDERS),
        CUSTOMER_ORDERS,
        {
            "customer_id": ((RAW_CUSTOMERS, "id"),),
            "country": ((RAW_CUSTOMERS, "country"),),
            "orders": ((RAW_ORDERS, "id"),),
            "total_spent": ((RAW_ORDERS, "amount"),),
        },
        "models/marts/customer_orders.sql",
    ),
    Job("airflow", "reporting.revenue", "2025-01-05T03:00:00Z", (CUSTOMER_ORDERS,), REVENUE),
    Job(
        "airflow",
        "features.customer_features",
        "2025-01-05T04:00:00Z",
        (CUSTOMER_ORDERS,),
        FEATURE_TABLE,
        {
            "customer_id": ((CUSTOMER_ORDERS, "customer_id"),),
            "orders": ((CUSTOMER_ORDERS, "orders"),),
            "total_spent": ((CUSTOMER_ORDERS, "total_spent"),),
        },
        "dags/features.py",
    ),
    Job("airflow", "features.customer_holdout", "2025-01-05T05:00:00Z", (CUSTOMER_ORDERS,), HOLDOUT_TABLE),
    # A week later the same job also reads the clicks: what fed the model before is another question than what does now.
    Job(
        "airflow",
        "features.customer_features",
        "2025-01-12T04:00:00Z",
        (CUSTOMER_ORDERS, CLICKS),
        FEATURE_TABLE,
        {},
        "dags/features.py",
    ),
)


def events(tracker: str) -> Iterator[dict[str, Any]]:
    """The pipelines' half of the story, as the tools would send it; `tracker` is host and port of the MLflow server."""
    champion = (f"mlflow://{tracker}", "models/churn/2")
    deployment = Job("kserve", "deploy.churn-api", "2025-01-14T06:00:00Z", (champion,), ENDPOINT)
    for number, job in enumerate((*JOBS, deployment)):
        yield _event(job, number, "START")
        yield _event(job, number, "COMPLETE")


def _event(job: Job, number: int, kind: str) -> dict[str, Any]:
    ended = job.started.replace(":00:00Z", ":07:00Z")
    return {
        "eventType": kind,
        "eventTime": job.started if kind == "START" else ended,
        "producer": _PRODUCERS[job.tool],
        "schemaURL": _SPEC,
        "run": {"runId": str(uuid5(_NAMES, f"{job.name}/{number}"))},
        "job": {"namespace": job.tool, "name": job.name, "facets": _code(job)},
        "inputs": [_dataset(table, job.tool, {}) for table in job.inputs],
        "outputs": [_dataset(job.output, job.tool, _column_lineage(job))],
    }


def _facet(tool: str, name: str, **content: Any) -> dict[str, Any]:
    return {"_producer": _PRODUCERS[tool], "_schemaURL": f"https://openlineage.io/spec/facets/{name}.json", **content}


def _code(job: Job) -> dict[str, Any]:
    if job.path is None:
        return {}
    location = {"type": "git", "repoUrl": REPOSITORY, "path": job.path, "version": REVISION}
    url = f"{REPOSITORY}/blob/{REVISION}/{job.path}"
    return {
        "sourceCodeLocation": _facet(job.tool, "1-0-1/SourceCodeLocationJobFacet", url=url, **location),
    }


def _dataset(table: Table, tool: str, facets: dict[str, Any]) -> dict[str, Any]:
    if table in COLUMNS:
        fields = [{"name": name} for name in COLUMNS[table]]
        facets = {"schema": _facet(tool, "1-2-0/SchemaDatasetFacet", fields=fields), **facets}
    elif table == ENDPOINT:
        facets = {"datasetType": _facet(tool, "1-0-0/DatasetTypeDatasetFacet", datasetType="ENDPOINT")}
    return {"namespace": table[0], "name": table[1], "facets": facets}


def _column_lineage(job: Job) -> dict[str, Any]:
    if not job.columns:
        return {}
    fields = {
        column: {"inputFields": [{"namespace": table[0], "name": table[1], "field": name} for table, name in upstream]}
        for column, upstream in job.columns.items()
    }
    return {"columnLineage": _facet(job.tool, "1-2-0/ColumnLineageDatasetFacet", fields=fields)}


Call = Callable[[str, str, dict[str, Any]], dict[str, Any]]
"""Sends one request (method, path, body) to MLflow and gives back its answer."""


def experiments(call: Call) -> None:
    """The tracker's half of the story: two trainings, of which the second is the champion."""
    experiment = call("POST", "/api/2.0/mlflow/experiments/create", {"name": "churn"})["experiment_id"]
    call("POST", "/api/2.0/mlflow/registered-models/create", {"name": "churn"})
    for version, (day, score) in enumerate((("2025-01-06", 0.81), ("2025-01-13", 0.86)), 1):
        run = _training(call, experiment, version, day, score)
        model = _logged(call, experiment, run, version)
        _judged(call, run, model, day, score)
        _registered(call, run, model)
        call("POST", "/api/2.0/mlflow/runs/update", {"run_id": run, "status": "FINISHED", "end_time": _stamp(day, 9)})
    champion = {"name": "churn", "alias": "champion", "version": "2"}
    call("POST", "/api/2.0/mlflow/registered-models/alias", champion)


def _training(call: Call, experiment: str, version: int, day: str, score: float) -> str:
    tags = {
        "mlflow.user": "ada",
        "mlflow.source.name": "train.py",
        "mlflow.source.type": "PROJECT",
        "mlflow.source.git.commit": REVISION,
        "mlflow.source.git.repoURL": REPOSITORY,
    }
    body = {
        "experiment_id": experiment,
        "run_name": f"train-churn-{version}",
        "start_time": _stamp(day, 8),
        "tags": [{"key": key, "value": value} for key, value in tags.items()],
    }
    run: str = call("POST", "/api/2.0/mlflow/runs/create", body)["run"]["info"]["run_id"]
    inputs = [_input("customer_features", FEATURES, "training"), _input("customer_holdout", HOLDOUT, "evaluation")]
    call("POST", "/api/2.0/mlflow/runs/log-inputs", {"run_id": run, "datasets": inputs})
    metrics = [{"key": "auc", "value": score, "timestamp": _stamp(day, 9), "step": 0}]
    params = [{"key": "max_depth", "value": str(3 + version)}]
    call("POST", "/api/2.0/mlflow/runs/log-batch", {"run_id": run, "metrics": metrics, "params": params, "tags": []})
    return run


def _input(name: str, uri: str, context: str) -> dict[str, Any]:
    schema = {"mlflow_colspec": [{"name": column, "type": "double"} for column in COLUMNS[FEATURE_TABLE]]}
    return {
        "tags": [{"key": "mlflow.data.context", "value": context}],
        "dataset": {
            "name": name,
            "digest": f"{uuid5(_NAMES, uri).hex[:8]}",
            "source_type": "s3",
            "source": json.dumps({"uri": uri}),
            "schema": json.dumps(schema),
        },
    }


def _logged(call: Call, experiment: str, run: str, version: int) -> str:
    body = {"experiment_id": experiment, "name": f"churn-{version}", "model_type": "classifier", "source_run_id": run}
    model: str = call("POST", "/api/2.0/mlflow/logged-models", body)["model"]["info"]["model_id"]
    ready = {"model_id": model, "status": "LOGGED_MODEL_READY"}
    call("PATCH", f"/api/2.0/mlflow/logged-models/{model}", ready)
    call("POST", "/api/2.0/mlflow/runs/outputs", {"run_id": run, "models": [{"model_id": model, "step": 0}]})
    return model


def _judged(call: Call, run: str, model: str, day: str, score: float) -> None:
    body = {"run_id": run, "key": "holdout_auc", "value": score - 0.02, "timestamp": _stamp(day, 9), "step": 0}
    holdout = {"dataset_name": "customer_holdout", "dataset_digest": uuid5(_NAMES, HOLDOUT).hex[:8]}
    call("POST", "/api/2.0/mlflow/runs/log-metric", {**body, "model_id": model, **holdout})


def _registered(call: Call, run: str, model: str) -> None:
    body = {"name": "churn", "source": f"models:/{model}", "run_id": run, "model_id": model}
    call("POST", "/api/2.0/mlflow/model-versions/create", body)


def _stamp(day: str, hour: int) -> int:
    return int(datetime.fromisoformat(f"{day}T{hour:02}:00:00+00:00").timestamp() * 1000)
