"""Which path of MLflow's REST API reaches what in the miniature."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from .sandbox_query import Row
from .sandbox_registry import Registry
from .sandbox_tracking import Tracking

_PREFIX = re.compile(r"/(?:ajax-)?api/(?:2\.0|3\.0)/mlflow/")
_MODERN = ("logged-models", "datasets", "gateway", "server-info", "workspaces", "traces", "scorers", "runs/outputs")
"""What MLflow 1 and 2 did not have."""


class Unknown(Exception):
    """No such route: the server answers 404 with a page, not with JSON."""


class World:
    """One workspace: tracking and registry."""

    def __init__(self, workspace: str, now: Callable[[], int], ids: Iterator[int]) -> None:
        self.tracking = Tracking(workspace, now, ids)
        self.registry = Registry(now, self.tracking)


def answer(world: World, method: str, path: str, body: Row, *, is_modern: bool = True) -> Any:
    """The JSON of one call; text where MLflow answers with text."""
    found = _PREFIX.match(path)
    if found is None:
        raise Unknown(path)
    rest = path[found.end() :]
    if not is_modern and rest.startswith(_MODERN):
        raise Unknown(path)
    parts = rest.split("/")
    match parts[0]:
        case "experiments":
            return _experiments(world.tracking, parts[1:], body)
        case "runs" | "metrics":
            return _runs(world.tracking, parts, body)
        case "logged-models":
            return _logged_models(world.tracking, method, parts[1:], body)
        case "registered-models":
            return _registered_models(world.registry, method, parts[1:], body)
        case "model-versions":
            return _model_versions(world.registry, parts[1:], body)
        case _:
            return _others(world.registry, method, parts, body)


def _experiments(tracking: Tracking, parts: list[str], body: Row) -> Row:
    match parts:
        case ["create"]:
            return tracking.create_experiment(body)
        case ["search"]:
            return tracking.search_experiments(body)
        case ["get"]:
            return {"experiment": tracking.experiment(body.get("experiment_id"))}
        case ["get-by-name"]:
            return {"experiment": tracking.experiment_by_name(body.get("experiment_name"))}
        case ["update"]:
            return tracking.update_experiment(body)
        case ["set-experiment-tag"]:
            return tracking.tag_experiment(body)
        case ["delete" | "restore" as what]:
            return tracking.set_experiment_stage(body, "deleted" if what == "delete" else "active")
        case _:
            raise Unknown("/".join(parts))


def _runs(tracking: Tracking, parts: list[str], body: Row) -> Row:
    match parts:
        case ["runs", "create"]:
            return tracking.create_run(body)
        case ["runs", "get"]:
            return {"run": tracking.run(body)}
        case ["runs", "search"]:
            return tracking.search_runs(body)
        case ["runs", "update"]:
            return tracking.update_run(body)
        case ["runs", "delete" | "restore" as what]:
            return tracking.set_run_stage(body, "deleted" if what == "delete" else "active")
        case ["runs", "log-metric"]:
            return tracking.log_metric(body)
        case ["runs", "log-parameter"]:
            return tracking.log_param(body)
        case ["runs", "log-batch"]:
            return tracking.log_batch(body)
        case ["runs", "set-tag"]:
            return tracking.tag_run(body)
        case ["runs", "delete-tag"]:
            return tracking.untag_run(body)
        case ["runs", "log-inputs"]:
            return tracking.log_inputs(body)
        case ["runs", "outputs"]:
            return tracking.log_outputs(body)
        case ["metrics", "get-history"]:
            metrics = tracking.run(body)["data"]["metrics"]
            return {"metrics": [one for one in metrics if one["key"] == body.get("metric_key")]}
        case _:
            raise Unknown("/".join(parts))


def _logged_models(tracking: Tracking, method: str, parts: list[str], body: Row) -> Any:
    match method, parts:
        case "POST", []:
            return tracking.create_model(body)
        case "POST", ["search"]:
            return tracking.search_models(body)
        case "GET", [model_id]:
            return {"model": tracking.model(model_id)}
        case "PATCH", [model_id]:
            return tracking.finish_model(model_id, body)
        case "DELETE", [model_id]:
            return tracking.delete_model(model_id)
        case "PATCH", [model_id, "tags"]:
            return tracking.tag_model(model_id, body)
        case "POST", [model_id, "params"]:
            return tracking.add_model_params(model_id, body)
        case "GET", [model_id, "artifacts", "files"]:
            return tracking.file(model_id, body.get("artifact_file_path"))
        case _:
            raise Unknown("/".join(parts))


def _registered_models(registry: Registry, method: str, parts: list[str], body: Row) -> Row:
    match method, parts:
        case _, ["create"]:
            return registry.create(body)
        case _, ["search"]:
            return registry.search(body)
        case _, ["get"]:
            return {"registered_model": registry.shown(body.get("name"))}
        case _, ["update"]:
            return registry.update(body)
        case _, ["delete"]:
            return registry.delete(body)
        case _, ["set-tag"]:
            return registry.tag(body)
        case _, ["get-latest-versions"]:
            return {"model_versions": registry.shown(body.get("name"))["latest_versions"]}
        case "GET", ["alias"]:
            return registry.aliased(body.get("name"), body.get("alias"))
        case "POST", ["alias"]:
            return registry.set_alias(body)
        case "DELETE", ["alias"]:
            return registry.delete_alias(body)
        case _:
            raise Unknown("/".join(parts))


def _model_versions(registry: Registry, parts: list[str], body: Row) -> Row:
    match parts:
        case ["create"]:
            return registry.create_version(body)
        case ["search"]:
            return registry.search_versions(body)
        case ["get"]:
            return {"model_version": registry.version_with_aliases(body.get("name"), body.get("version"))}
        case ["get-download-uri"]:
            return {"artifact_uri": registry.version(body.get("name"), body.get("version"))["source"]}
        case ["update"]:
            return registry.update_version(body)
        case ["transition-stage"]:
            return registry.move_version(body)
        case ["set-tag"]:
            return registry.tag_version(body)
        case ["delete"]:
            return registry.delete_version(body)
        case _:
            raise Unknown("/".join(parts))


def _others(registry: Registry, method: str, parts: list[str], body: Row) -> Row:
    match method, parts:
        case "POST", ["gateway", "endpoints", "create"]:
            return registry.create_endpoint(body)
        case "GET", ["gateway", "endpoints", "list"]:
            return {"endpoints": list(registry.endpoints.values())}
        case "GET", ["gateway", "endpoints", "get"]:
            return registry.endpoint(body.get("endpoint_id"))
        case "GET", ["gateway", "endpoints", "bindings", "list"]:
            return {"bindings": registry.bindings}
        case "POST", ["datasets", "create"]:
            return registry.create_dataset(body)
        case _, ["datasets", "search"]:
            return registry.search_datasets(body)
        case "GET", ["datasets", dataset_id]:
            return registry.dataset(dataset_id)
        case _, ["traces", "search"] | ["scorers", "list"]:
            return {}
        case _:
            raise Unknown("/".join(parts))
