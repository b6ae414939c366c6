"""The models that MLflow 1 and 2 logged: they stand in a tag of their run only."""

from collections.abc import Mapping
from typing import Any, cast

from ...federation.model import AssetKind, Json, Record
from .place import Place
from .wire import field, loads, objects, text


def legacy_models(tags: Mapping[str, str], run_id: str, place: Place) -> tuple[Record, ...]:
    """One model for each path that was logged; the tag went with MLflow 3, where models are things of their own."""
    history = objects(loads(tags.get("mlflow.log-model.history", "")))
    found = {text(one, "artifact_path"): one for one in history if text(one, "artifact_path")}
    return tuple(_model(path, one, run_id, place) for path, one in sorted(found.items()))


def legacy_id(run_id: str, path: str, place: Place) -> str:
    """What a model is called that has no id: the run and the path in its artifacts."""
    return place.logged_model(f"runs:/{run_id}/{path}")


def _model(path: str, raw: Json, run_id: str, place: Place) -> Record:
    told: Json = field(raw, "flavors")
    flavors = sorted(cast(dict[str, Any], told)) if isinstance(told, dict) else []
    signature = field(raw, "signature")
    facets: dict[str, Json] = {"mlflow": {"flavors": flavors}}
    if isinstance(signature, dict):
        facets["signature"] = signature
    return Record(
        legacy_id(run_id, path, place),
        AssetKind.MODEL_VERSION,
        path,
        subtype="logged",
        facets=facets,
    )
