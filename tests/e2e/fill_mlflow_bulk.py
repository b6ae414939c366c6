"""Writes thousands of runs straight into MLflow's own tables: its client would need minutes for them.

Run with the Python of the server's environment, once the server has made its tables: `python fill_mlflow_bulk.py
mlflow.db 5000`. Each run has 10 metrics, 12 parameters, 7 tags and 2 data sets. Prints the ids of the runs as JSON.
"""

import json
import sqlite3
import sys
from collections.abc import Iterable, Iterator
from typing import Any
from uuid import NAMESPACE_OID, uuid5

Row = tuple[Any, ...]
EXPERIMENT = 4711
BEGIN, MINUTE = 1_700_000_000_000, 60_000
"""The first run started in November 2023: no clock reads these times as ahead of it."""
STILL_RUNNING = 100
"""Of so many runs one has not ended."""
TABLES, VERSIONS = 20, 40
SCHEMA = json.dumps({"mlflow_colspec": [{"type": "double", "name": f"f{n}", "required": True} for n in range(20)]})


def fill(database: sqlite3.Connection, count: int) -> list[str]:
    """All in one transaction, so that a server at work sees all of it or nothing."""
    runs = list(enumerate(_id("run", n) for n in range(count)))
    read = list(_inputs(runs))
    with database:
        _insert(database, "experiments", [_experiment()])
        _insert(database, "runs", (_run(n, run) for n, run in runs))
        _insert(database, "params", ((f"p{k}", str(k * n), run) for n, run in runs for k in range(12)))
        _insert(database, "tags", ((key, value, run) for n, run in runs for key, value in _tags(n).items()))
        measured = [(f"m{k}", n + k / 10, BEGIN + n, run) for n, run in runs for k in range(10)]
        _insert(database, "metrics", ((*one, 0, False) for one in measured))
        _insert(database, "latest_metrics", ((key, value, at, 0, False, run) for key, value, at, run in measured))
        _insert(database, "datasets", _datasets())
        _insert(database, "inputs", ((uuid, "DATASET", data, "RUN", run, 0) for uuid, data, run, _ in read))
        _insert(database, "input_tags", ((uuid, "mlflow.data.context", context) for uuid, _, _, context in read))
    return [run for _, run in runs]


def _insert(database: sqlite3.Connection, table: str, rows: Iterable[Row]) -> None:
    database.executemany(f"INSERT INTO {table} ({_COLUMNS[table]}) VALUES ({_marks(table)})", rows)


_COLUMNS = {
    "experiments": "experiment_id, name, artifact_location, lifecycle_stage, creation_time, last_update_time",
    "runs": "run_uuid, name, source_type, source_name, entry_point_name, user_id, status, start_time, end_time, "
    "source_version, lifecycle_stage, artifact_uri, experiment_id",
    "params": "key, value, run_uuid",
    "tags": "key, value, run_uuid",
    "metrics": "key, value, timestamp, run_uuid, step, is_nan",
    "latest_metrics": "key, value, timestamp, step, is_nan, run_uuid",
    "datasets": "dataset_uuid, experiment_id, name, digest, dataset_source_type, dataset_source, dataset_schema, "
    "dataset_profile",
    "inputs": "input_uuid, source_type, source_id, destination_type, destination_id, step",
    "input_tags": "input_uuid, name, value",
}


def _marks(table: str) -> str:
    return ", ".join("?" * len(_COLUMNS[table].split(", ")))


def _experiment() -> Row:
    return EXPERIMENT, "perf/bulk", f"mlflow-artifacts:/{EXPERIMENT}", "active", BEGIN, BEGIN


def _run(number: int, run: str) -> Row:
    start = BEGIN + number * MINUTE
    open_still = number % STILL_RUNNING == 0
    ending = ("RUNNING", start, None) if open_still else ("FINISHED", start, start + MINUTE // 2)
    artifacts = f"mlflow-artifacts:/{EXPERIMENT}/{run}/artifacts"
    return run, f"run-{number}", "UNKNOWN", "", "", "ana", *ending, "", "active", artifacts, EXPERIMENT


def _tags(number: int) -> dict[str, str]:
    return {
        "mlflow.runName": f"run-{number}",
        "mlflow.source.name": "train.py",
        "mlflow.source.type": "JOB",
        "mlflow.source.git.commit": f"{number:040x}",
        "mlflow.user": "ana",
        "team": "risk",
        "x": "y",
    }


def _datasets() -> Iterator[Row]:
    for n in range(VERSIONS):
        uri, profile = f"s3://lake/ds{n % TABLES}/v{n}", json.dumps({"num_rows": 1})
        yield _dataset(_id("data", n), f"ds{n % TABLES}", f"{n:08x}", uri, profile)
    yield _dataset(_id("data", "hold"), "hold", "aaaaaaaa", "s3://lake/hold", "{}")


def _dataset(uuid: str, name: str, digest: str, uri: str, profile: str) -> Row:
    return uuid, EXPERIMENT, name, digest, "s3", json.dumps({"uri": uri}), SCHEMA, profile


def _inputs(runs: Iterable[tuple[int, str]]) -> Iterator[tuple[str, str, str, str]]:
    """For each run what it was trained on and what it was judged by."""
    for n, run in runs:
        yield _id("input", n, "training"), _id("data", n % VERSIONS), run, "training"
        yield _id("input", n, "eval"), _id("data", "hold"), run, "eval"


def _id(*parts: object) -> str:
    return uuid5(NAMESPACE_OID, "/".join(map(str, parts))).hex


if __name__ == "__main__":
    print(json.dumps(fill(sqlite3.connect(sys.argv[1]), int(sys.argv[2]))))
