"""The miniature's experiments, runs and logged models, kept in memory under MLflow's rules."""

import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import orjson

from .sandbox_query import Refusal, Row, matching, missing, ordered, page, values
from .wire import rows

_VIEWS = {"ACTIVE_ONLY": ("active",), "DELETED_ONLY": ("deleted",), "ALL": ("active", "deleted")}
_RUN_ATTRIBUTES = frozenset(
    {"start_time", "end_time", "status", "run_id", "run_name", "user_id", "artifact_uri", "created"}
)
_MAX_SOURCE = 65535


class Tracking:
    """Experiments, runs and logged models of one workspace."""

    def __init__(self, workspace: str, now: Callable[[], int], experiment_ids: Iterator[int]) -> None:
        self._workspace = workspace
        self._now = now
        self._ids = experiment_ids
        self.experiments: dict[str, Row] = {}
        self.runs: dict[str, Row] = {}
        self.models: dict[str, Row] = {}
        self.files: dict[tuple[str, str], str] = {}
        """Text files of logged models, by model and path."""
        self._datasets: dict[tuple[str, str, str], Row] = {}

    # Experiments

    def create_experiment(self, body: Row) -> Row:
        name = body.get("name") or ""
        if any(one["name"] == name for one in self.experiments.values()):
            raise Refusal(f"Experiment(name={name}) already exists.", "RESOURCE_ALREADY_EXISTS")
        number, at = str(next(self._ids)), self._now()
        where = "" if self._workspace == "default" else f"workspaces/{self._workspace}/"
        self.experiments[number] = {
            "experiment_id": number,
            "name": name,
            "artifact_location": body.get("artifact_location") or f"mlflow-artifacts:/{where}{number}",
            "lifecycle_stage": "active",
            "last_update_time": at,
            "creation_time": at,
            "tags": rows(body, "tags"),
            "workspace": self._workspace,
        }
        return {"experiment_id": number}

    def experiment(self, number: Any) -> Row:
        if str(number) not in self.experiments:
            raise missing(f"No Experiment with id={number} exists")
        return self.experiments[str(number)]

    def experiment_by_name(self, name: Any) -> Row:
        found = [one for one in self.experiments.values() if one["name"] == name]
        if not found:
            raise missing(f"Could not find experiment with name '{name}'")
        return found[0]

    def update_experiment(self, body: Row) -> Row:
        self.experiment(body["experiment_id"]).update(name=body["new_name"], last_update_time=self._now())
        return {}

    def tag_experiment(self, body: Row) -> Row:
        _put(self.experiment(body["experiment_id"])["tags"], body)  # moves no timestamp, as in the open server
        return {}

    def set_experiment_stage(self, body: Row, stage: str) -> Row:
        experiment = self.experiment(body["experiment_id"])
        experiment.update(lifecycle_stage=stage, last_update_time=self._now())
        for run in self.runs.values():
            if run["info"]["experiment_id"] == experiment["experiment_id"]:
                run["info"]["lifecycle_stage"] = stage
        return {}

    def search_experiments(self, body: Row) -> Row:
        stages = _VIEWS[_view(body.get("view_type"))]
        kept = [one for one in self.experiments.values() if one["lifecycle_stage"] in stages]
        found = matching(kept, body.get("filter"), _plain)
        orders = values(body, "order_by") or ["creation_time DESC"]
        result = ordered(found, [*orders, "experiment_id ASC"], _plain)
        return page(result, "experiments", body.get("max_results"), body.get("page_token"), 50_000, 1000)

    # Runs

    def create_run(self, body: Row) -> Row:
        experiment = self.experiment(body.get("experiment_id") or "0")
        run_id = uuid.uuid4().hex
        tags = rows(body, "tags")
        name = body.get("run_name") or _tag(tags, "mlflow.runName") or f"run-{run_id[:6]}"
        _put(tags, {"key": "mlflow.runName", "value": name})
        info = {
            "run_uuid": run_id,
            "experiment_id": experiment["experiment_id"],
            "run_name": name,
            "user_id": body.get("user_id") or "",
            "status": "RUNNING",
            "start_time": int(body.get("start_time") or 0),
            "artifact_uri": f"{experiment['artifact_location']}/{run_id}/artifacts",
            "lifecycle_stage": "active",
            "run_id": run_id,
        }
        self.runs[run_id] = {
            "info": info,
            "data": {"metrics": [], "params": [], "tags": tags},
            "inputs": {"dataset_inputs": [], "model_inputs": []},
            "outputs": {"model_outputs": []},
        }
        return {"run": self.runs[run_id]}

    def run(self, body: Row) -> Row:
        run_id = body.get("run_id") or body.get("run_uuid") or ""
        if run_id not in self.runs:
            raise missing(f"Run with id={run_id} not found")
        return self.runs[run_id]

    def update_run(self, body: Row) -> Row:
        info = self.run(body)["info"]
        if body.get("status"):
            info["status"] = body["status"]
        if body.get("end_time"):
            info["end_time"] = int(body["end_time"])
        if body.get("run_name"):
            info["run_name"] = body["run_name"]
        return {"run_info": info}

    def set_run_stage(self, body: Row, stage: str) -> Row:
        self.run(body)["info"]["lifecycle_stage"] = stage  # moves no timestamp
        return {}

    def purge(self, run_id: str) -> None:
        """What `mlflow gc` does: the run is gone, and what names it keeps naming it."""
        del self.runs[run_id]

    def log_metric(self, body: Row) -> Row:
        run = self.run(body)
        metric = {
            "key": body["key"],
            "value": body["value"],
            "timestamp": int(body.get("timestamp") or self._now()),
            "step": int(body.get("step") or 0),
        }
        kept = [one for one in run["data"]["metrics"] if one["key"] != metric["key"]]
        run["data"]["metrics"] = [*kept, metric]
        model_id = body.get("model_id")
        if model_id:
            data = {name: body[name] for name in ("dataset_name", "dataset_digest") if body.get(name)}
            told = {**metric, **data, "model_id": model_id, "run_id": run["info"]["run_id"]}
            self.model(model_id)["data"]["metrics"].append(told)
        return {}

    def log_batch(self, body: Row) -> Row:
        for name, most in (("metrics", 1000), ("params", 100), ("tags", 100)):
            if len(rows(body, name)) > most:
                raise Refusal(f"A batch logging request can contain at most {most} {name}.")
        for metric in rows(body, "metrics"):
            self.log_metric({**metric, "run_id": body["run_id"]})
        for param in rows(body, "params"):
            self.log_param({**param, "run_id": body["run_id"]})
        for tag in rows(body, "tags"):
            self.tag_run({**tag, "run_id": body["run_id"]})
        return {}

    def log_param(self, body: Row) -> Row:
        params = self.run(body)["data"]["params"]
        value = str(body["value"])[:6000]
        before = _tag(params, body["key"])
        if before is not None and before != value:
            raise Refusal(f"Changing param values is not allowed. Param with key='{body['key']}' was already logged")
        _put(params, {"key": body["key"], "value": value})
        return {}

    def tag_run(self, body: Row) -> Row:
        _put(self.run(body)["data"]["tags"], {"key": body["key"], "value": str(body["value"])[:8000]})
        return {}

    def untag_run(self, body: Row) -> Row:
        data = self.run(body)["data"]
        data["tags"] = [tag for tag in data["tags"] if tag["key"] != body["key"]]
        return {}

    def log_inputs(self, body: Row) -> Row:
        run = self.run(body)
        for given in rows(body, "datasets"):
            self._log_dataset(run, given)
        for model in rows(body, "models"):
            if model not in run["inputs"]["model_inputs"]:
                run["inputs"]["model_inputs"].append({"model_id": model["model_id"]})
        return {}

    def _log_dataset(self, run: Row, given: Row) -> None:
        dataset = given["dataset"]
        if len(dataset.get("source") or "") > _MAX_SOURCE:
            raise Refusal(f"'source' exceeds the maximum length of {_MAX_SOURCE} characters")
        key = (run["info"]["experiment_id"], dataset.get("name") or "", dataset.get("digest") or "")
        # Unique by experiment, name and digest: the first source is kept, whatever comes later.
        kept = self._datasets.setdefault(key, dict(dataset))
        logged = run["inputs"]["dataset_inputs"]
        if all(one["dataset"] is not kept for one in logged):
            logged.append({"tags": rows(given, "tags"), "dataset": kept})

    def log_outputs(self, body: Row) -> Row:
        outputs = self.run(body)["outputs"]["model_outputs"]
        for model in rows(body, "models"):
            if any(one["model_id"] == model["model_id"] for one in outputs):
                raise Refusal("UNIQUE constraint failed: inputs.source_type", "BAD_REQUEST")
            outputs.append({"model_id": model["model_id"], "step": int(model.get("step") or 0)})
        return {}

    def search_runs(self, body: Row) -> Row:
        wanted = {str(one) for one in values(body, "experiment_ids")}
        stages = _VIEWS[_view(body.get("run_view_type"))]
        kept = [
            run
            for run in self.runs.values()
            if run["info"]["experiment_id"] in wanted and run["info"]["lifecycle_stage"] in stages
        ]
        found = matching(kept, body.get("filter"), _of_run, _RUN_ATTRIBUTES)
        orders = [*values(body, "order_by"), "attributes.start_time DESC", "attributes.run_id ASC"]
        result = [_searched(run) for run in ordered(found, orders, _of_run)]
        return page(result, "runs", body.get("max_results"), body.get("page_token"), 50_000, 1000)

    # Logged models

    def create_model(self, body: Row) -> Row:
        model_id, at = f"m-{uuid.uuid4().hex}", self._now()
        experiment = self.experiment(body.get("experiment_id") or "0")
        self.models[model_id] = {
            "info": {
                "model_id": model_id,
                "experiment_id": experiment["experiment_id"],
                "name": body.get("name") or model_id,
                "creation_timestamp_ms": at,
                "last_updated_timestamp_ms": at,
                "artifact_uri": f"{experiment['artifact_location']}/models/{model_id}/artifacts",
                "status": "LOGGED_MODEL_PENDING",
                "model_type": body.get("model_type") or "",
                "source_run_id": body.get("source_run_id") or "",
                "tags": rows(body, "tags"),
            },
            "data": {"params": rows(body, "params"), "metrics": []},
        }
        return {"model": self.models[model_id]}

    def model(self, model_id: Any) -> Row:
        if model_id not in self.models:
            raise missing(f"Logged model with ID '{model_id}' not found.")
        return self.models[model_id]

    def finish_model(self, model_id: str, body: Row) -> Row:
        status = body.get("status") or "LOGGED_MODEL_READY"
        self.model(model_id)["info"].update(status=status, last_updated_timestamp_ms=self._now())
        return {"model": self.model(model_id)}

    def tag_model(self, model_id: str, body: Row) -> Row:
        for tag in rows(body, "tags"):
            _put(self.model(model_id)["info"]["tags"], tag)  # moves no timestamp
        return {"model": self.model(model_id)}

    def add_model_params(self, model_id: str, body: Row) -> Row:
        self.model(model_id)["data"]["params"].extend(rows(body, "params"))
        return {}

    def delete_model(self, model_id: str) -> Row:
        self.model(model_id)
        del self.models[model_id]
        return {}

    def file(self, model_id: str, path: Any) -> str:
        self.model(model_id)
        if (model_id, path) not in self.files:
            raise missing(f"No such artifact: '{path}'")
        return self.files[model_id, path]

    def sign_models(self, inputs: Mapping[str, str]) -> None:
        """Give every model a file MLmodel whose signature takes these columns."""
        columns = orjson.dumps(
            [{"type": kind, "name": name, "required": True} for name, kind in inputs.items()]
        ).decode()
        for model_id in self.models:
            self.files[model_id, "MLmodel"] = f"model_id: {model_id}\nsignature:\n  inputs: '{columns}'\n"

    def search_models(self, body: Row) -> Row:
        wanted = {str(one) for one in values(body, "experiment_ids")}
        kept = [one for one in self.models.values() if one["info"]["experiment_id"] in wanted]
        found = matching(kept, body.get("filter"), _of_model)
        order = values(body, "order_by") or [{"field_name": "creation_timestamp", "ascending": False}]
        result = ordered(found, [*order, {"field_name": "model_id", "ascending": True}], _of_model)
        return page(result, "models", body.get("max_results"), body.get("page_token"), 5000, 100)


def _view(told: Any) -> str:
    view = {1: "ACTIVE_ONLY", 2: "DELETED_ONLY", 3: "ALL"}.get(told, told) or "ACTIVE_ONLY"
    return view if view in _VIEWS else "ACTIVE_ONLY"


def _searched(run: Row) -> Row:
    """A search leaves out the models that a run read; only a get tells them."""
    return {**run, "inputs": {"dataset_inputs": run["inputs"]["dataset_inputs"]}}


def _put(tags: list[Row], tag: Row) -> None:
    for one in tags:
        if one["key"] == tag["key"]:
            one["value"] = tag["value"]
            return
    tags.append({"key": tag["key"], "value": tag["value"]})


def _tag(tags: list[Row], key: str) -> Any:
    return next((one["value"] for one in tags if one["key"] == key), None)


def _plain(row: Row, place: str, key: str) -> Any:
    return _tag(row["tags"], key) if place == "tags" else row.get(key)


def _of_run(run: Row, place: str, key: str) -> Any:
    if place != "attributes":
        return _tag(run["data"][place], key)
    return run["info"].get("start_time" if key == "created" else key)


def _of_model(model: Row, place: str, key: str) -> Any:
    info = model["info"]
    if place == "tags":
        return _tag(info["tags"], key)
    return info.get(f"{key}_ms" if key.endswith("_timestamp") else key)
