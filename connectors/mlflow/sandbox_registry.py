"""The miniature's registry, gateway and evaluation datasets, kept in memory under MLflow's rules."""

import re
import uuid
from collections.abc import Callable
from typing import Any

import orjson

from .sandbox_query import Refusal, Row, matching, missing, ordered, page, values
from .sandbox_tracking import Tracking
from .wire import rows

IS_PROMPT = "mlflow.prompt.is_prompt"


class Registry:
    """Registered models and prompts with their versions and aliases, of one workspace."""

    def __init__(self, now: Callable[[], int], tracking: Tracking) -> None:
        self._now = now
        self._tracking = tracking
        self.models: dict[str, Row] = {}
        self.versions: dict[tuple[str, str], Row] = {}
        self.endpoints: dict[str, Row] = {}
        self.bindings: list[Row] = []
        self.datasets: dict[str, Row] = {}

    # Models

    def create(self, body: Row) -> Row:
        name = body.get("name") or ""
        if name in self.models:
            raise Refusal(f"Registered Model (name={name}) already exists.", "RESOURCE_ALREADY_EXISTS")
        at = self._now()
        self.models[name] = {
            "name": name,
            "creation_timestamp": at,
            "last_updated_timestamp": at,
            "description": body.get("description"),
            "tags": rows(body, "tags"),
            "aliases": [],
        }
        return {"registered_model": self.models[name]}

    def model(self, name: Any) -> Row:
        if name not in self.models:
            raise missing(f"Registered Model with name={name} not found")
        return self.models[name]

    def shown(self, name: Any) -> Row:
        """A model as it is answered: with its latest version in each stage."""
        model = self.model(name)
        latest: dict[str, Row] = {}
        for version in self._versions_of(model["name"]):
            latest[version["current_stage"]] = version
        return {**model, "latest_versions": list(latest.values())}

    def update(self, body: Row) -> Row:
        self.model(body["name"]).update(description=body.get("description"), last_updated_timestamp=self._now())
        return {"registered_model": self.shown(body["name"])}

    def delete(self, body: Row) -> Row:
        self.model(body["name"])
        del self.models[body["name"]]
        for version in self._versions_of(body["name"]):
            del self.versions[body["name"], version["version"]]
        return {}

    def tag(self, body: Row) -> Row:
        _put(self.model(body["name"])["tags"], body)  # moves no timestamp
        return {}

    def search(self, body: Row) -> Row:
        hidden = IS_PROMPT not in (body.get("filter") or "")
        kept = [self.shown(name) for name, one in self.models.items() if not (hidden and _is_prompt(one))]
        found = matching(kept, body.get("filter"), _value)
        result = ordered(found, values(body, "order_by") or ["name ASC"], _value)
        return page(result, "registered_models", body.get("max_results"), body.get("page_token"), 1000, 100)

    # Versions

    def create_version(self, body: Row) -> Row:
        model, at = self.model(body.get("name")), self._now()
        source = body.get("source") or ""
        if source.startswith("file:"):
            raise Refusal(f"Invalid model version source: '{source}'.")
        number = str(max((int(one["version"]) for one in self._versions_of(model["name"])), default=0) + 1)
        self.versions[model["name"], number] = {
            "name": model["name"],
            "version": number,
            "creation_timestamp": at,
            "last_updated_timestamp": at,
            "current_stage": "None",
            "description": body.get("description") or "",
            "source": source,
            "run_id": body.get("run_id") or "",
            "status": "READY",
            "tags": rows(body, "tags"),
            "run_link": body.get("run_link") or "",
        }
        model["last_updated_timestamp"] = at
        self._mark_logged_model(source, model["name"], number)
        return {"model_version": self.versions[model["name"], number]}

    def _mark_logged_model(self, source: str, name: str, version: str) -> None:
        found = re.fullmatch(r"models:/(m-[0-9a-f]+)", source)
        if found and found[1] in self._tracking.models:
            # The real server writes each version twice, once as a number and once as text.
            value = orjson.dumps([{"name": name, "version": int(version)}, {"name": name, "version": version}]).decode()
            _put(self._tracking.models[found[1]]["info"]["tags"], {"key": "mlflow.modelVersions", "value": value})

    def version(self, name: Any, number: Any) -> Row:
        if (name, str(number)) not in self.versions:
            raise missing(f"Model Version (name={name}, version={number}) not found")
        return self.versions[name, str(number)]

    def version_with_aliases(self, name: Any, number: Any) -> Row:
        version = self.version(name, number)
        aliases = [one["alias"] for one in self.model(name)["aliases"] if one["version"] == version["version"]]
        return {**version, "aliases": aliases}

    def update_version(self, body: Row) -> Row:
        version = self.version(body["name"], body["version"])
        version.update(description=body.get("description") or "", last_updated_timestamp=self._now())
        return {"model_version": version}

    def move_version(self, body: Row) -> Row:
        version = self.version(body["name"], body["version"])
        version.update(current_stage=body["stage"], last_updated_timestamp=self._now())
        return {"model_version": version}

    def tag_version(self, body: Row) -> Row:
        _put(self.version(body["name"], body["version"])["tags"], body)  # moves no timestamp
        return {}

    def delete_version(self, body: Row) -> Row:
        self.version(body["name"], body["version"])
        del self.versions[body["name"], str(body["version"])]
        model = self.model(body["name"])
        model["aliases"] = [one for one in model["aliases"] if one["version"] != str(body["version"])]
        model["last_updated_timestamp"] = self._now()
        return {}

    def search_versions(self, body: Row) -> Row:
        hidden = IS_PROMPT not in (body.get("filter") or "")
        kept = [one for one in self.versions.values() if not (hidden and _is_prompt(self.models[one["name"]]))]
        found = matching(kept, body.get("filter"), _value)
        result = ordered(found, values(body, "order_by") or ["last_updated_timestamp DESC"], _value)
        return page(result, "model_versions", body.get("max_results"), body.get("page_token"), 200_000, 10_000)

    def _versions_of(self, name: str) -> list[Row]:
        found = [one for (owner, _), one in self.versions.items() if owner == name]
        return sorted(found, key=lambda one: int(one["version"]))

    # Aliases

    def set_alias(self, body: Row) -> Row:
        model = self.model(body["name"])
        self.version(body["name"], body["version"])
        if body["alias"] == "latest" or re.fullmatch(r"v\d+", body["alias"]):
            raise Refusal(f"'{body['alias']}' is a reserved alias name")
        self.delete_alias(body)
        model["aliases"] = [*model["aliases"], {"alias": body["alias"], "version": str(body["version"])}]
        return {}

    def delete_alias(self, body: Row) -> Row:
        model = self.model(body["name"])
        model["aliases"] = [one for one in model["aliases"] if one["alias"] != body["alias"]]
        return {}

    def aliased(self, name: Any, alias: Any) -> Row:
        found = [one["version"] for one in self.model(name)["aliases"] if one["alias"] == alias]
        if not found:
            raise missing(f"Registered model alias {alias} not found.")
        return {"model_version": self.version_with_aliases(name, found[0])}

    # Gateway and evaluation datasets

    def create_endpoint(self, body: Row) -> Row:
        """Like the real call, but with the model definitions inline, so that one call makes an endpoint."""
        at, endpoint_id = self._now(), f"e-{uuid.uuid4().hex}"
        mappings = [
            {
                "mapping_id": f"m-{uuid.uuid4().hex}",
                "endpoint_id": endpoint_id,
                "model_definition": {
                    "model_definition_id": f"d-{uuid.uuid4().hex}",
                    "name": one["model_name"],
                    "provider": one["provider"],
                    "model_name": one["model_name"],
                },
                "weight": float(one.get("weight", 1.0)),
                "linkage_type": one.get("linkage_type", "PRIMARY"),
            }
            for one in rows(body, "model_configs")
        ]
        self.endpoints[endpoint_id] = {
            "endpoint_id": endpoint_id,
            "name": body.get("name") or "",
            "created_at": at,
            "last_updated_at": at,
            "model_mappings": mappings,
            "usage_tracking": bool(body.get("usage_tracking")),
        }
        return {"endpoint": self.endpoints[endpoint_id]}

    def endpoint(self, endpoint_id: Any) -> Row:
        if endpoint_id not in self.endpoints:
            raise missing(f"GatewayEndpoint not found ({endpoint_id})")
        return {"endpoint": self.endpoints[endpoint_id]}

    def create_dataset(self, body: Row) -> Row:
        dataset_id, at = f"d-{uuid.uuid4().hex}", self._now()
        self.datasets[dataset_id] = {
            "dataset_id": dataset_id,
            "name": body.get("name") or "",
            "tags": body.get("tags") or "{}",
            "schema": body.get("schema"),
            "profile": body.get("profile"),
            "digest": uuid.uuid4().hex[:8],
            "created_time": at,
            "last_update_time": at,
            "created_by": body.get("created_by"),
            "experiment_ids": [str(one) for one in values(body, "experiment_ids")],
        }
        return {"dataset": _shown(self.datasets[dataset_id])}

    def dataset(self, dataset_id: str) -> Row:
        if dataset_id not in self.datasets:
            raise missing(f"Evaluation dataset with id '{dataset_id}' not found")
        return {"dataset": _shown(self.datasets[dataset_id])}

    def search_datasets(self, body: Row) -> Row:
        wanted = {str(one) for one in values(body, "experiment_ids")}
        kept = [one for one in self.datasets.values() if not wanted or wanted & set(one["experiment_ids"])]
        shown = [_shown(one) for one in kept]
        return page(shown, "datasets", body.get("max_results"), body.get("page_token"), 1000, 50)


def _shown(dataset: Row) -> Row:
    return {key: value for key, value in dataset.items() if key != "experiment_ids"}


def _is_prompt(model: Row) -> bool:
    return any(tag["key"] == IS_PROMPT and tag["value"] == "true" for tag in model["tags"])


def _put(tags: list[Row], tag: Row) -> None:
    tags[:] = [one for one in tags if one["key"] != tag["key"]]
    tags.append({"key": tag["key"], "value": tag["value"]})


def _value(row: Row, place: str, key: str) -> Any:
    if place == "tags":
        return next((one["value"] for one in row["tags"] if one["key"] == key), None)
    if key in ("version_number", "version") and row.get("version"):
        return int(row["version"])
    return row.get("source" if key == "source_path" else key)
