"""What prompts and their versions become: MLflow keeps them as registered models with a mark."""

from collections.abc import Mapping
from hashlib import sha256

from ...federation.model import AssetKind, Edge, EdgeKind, Json, Record, Scope
from .gateway import external_model
from .place import Place, described_by
from .wire import field, loads, moment, pairs, prose, rows, scrubbed_pairs, text

IS_PROMPT = "mlflow.prompt.is_prompt"
ONLY_PROMPTS = f"tags.`{IS_PROMPT}` = 'true'"
_INNER = (
    IS_PROMPT,
    "mlflow.prompt.text",
    "_mlflow_prompt_type",
    "_mlflow_prompt_model_config",
    "_mlflow_experiment_ids",
)


def is_prompt(raw: Json) -> bool:
    """Whether a row of the registry is a prompt; a server that does not know prompts lists them among its models."""
    return pairs(field(raw, "tags")).get(IS_PROMPT) == "true"


def prompt(raw: Json, place: Place) -> Scope:
    """A prompt with its aliases."""
    name = text(raw, "name")
    native_id = place.prompt(name)
    tags = pairs(field(raw, "tags"))
    facets = _facets(tags, place)
    experiments = [one for one in tags.get("_mlflow_experiment_ids", "").split(",") if one]
    if experiments:
        facets["mlflow"] = {"experiments": experiments}
    record = Record(
        native_id,
        AssetKind.PROMPT,
        name,
        description=prose(text(raw, "description")),
        url=place.page("prompts", name),
        created_at=moment(field(raw, "creation_timestamp")),
        updated_at=moment(field(raw, "last_updated_timestamp")),
        spellings=(place.spelling("prompt", name),),
        facets=facets,
    )
    edges = tuple(
        Edge(place.prompt_version(name, text(one, "version")), native_id, EdgeKind.ALIAS_OF, alias=text(one, "alias"))
        for one in rows(raw, "aliases")
    )
    return Scope(native_id, (record,), edges)


def prompt_version(raw: Json, place: Place) -> Scope:
    """A version of a prompt: its template's hash always, the template itself only where that was asked for."""
    name, version = text(raw, "name"), text(raw, "version")
    native_id = place.prompt_version(name, version)
    created = moment(field(raw, "creation_timestamp"))
    tags = pairs(field(raw, "tags"))
    record = Record(
        native_id,
        AssetKind.PROMPT_VERSION,
        f"{name}/{version}",
        subtype=tags.get("_mlflow_prompt_type"),
        description=prose(text(raw, "description")),
        url=place.page("prompts", name),
        created_at=created,
        updated_at=moment(field(raw, "last_updated_timestamp")),
        spellings=(place.spelling("prompt-version", f"{name}/{version}"),),
        facets=_facets(tags, place) | {"prompt": _template(tags, place)},
    )
    edges = [Edge(native_id, place.prompt(name), EdgeKind.VERSION_OF, valid_from=created)]
    model = _model(tags)
    if model is not None:
        edges.append(
            Edge(model.native_id, native_id, EdgeKind.DERIVE, valid_from=created, transformation="model config")
        )
    return Scope(native_id, described_by(*([model] if model else []), record), tuple(edges))


def _template(tags: Mapping[str, str], place: Place) -> dict[str, Json]:
    template = tags.get("mlflow.prompt.text", "")
    told: dict[str, Json] = {"sha256": sha256(template.encode("utf-8", "surrogatepass")).hexdigest()}
    if place.options.prompt_text:
        told["text"] = template
    return told


def _model(tags: Mapping[str, str]) -> Record | None:
    """The LLM that a prompt was written for."""
    config = loads(tags.get("_mlflow_prompt_model_config", ""))
    name = text(config, "model_name")
    return external_model(text(config, "provider"), name, described=False) if name else None


def _facets(tags: Mapping[str, str], place: Place) -> dict[str, Json]:
    kept = scrubbed_pairs(tags, _INNER, place.options.max_tags)
    return {"tags": [{"key": key, "value": value} for key, value in kept.items()]} if kept else {}
