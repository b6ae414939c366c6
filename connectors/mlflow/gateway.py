"""What the gateway's endpoints become: deployments of models that live with their providers."""

from collections.abc import Iterable

from ...federation.model import AssetKind, Edge, EdgeKind, Json, Record, Scope
from .place import Place, described_by
from .wire import field, moment, rows, text


def external_model(provider: str, name: str, *, described: bool = True) -> Record:
    """A model outside: `openai/gpt-4o-mini`. No key or address of it is read."""
    native_id = f"external-model/{provider or '?'}/{name}"
    facets: dict[str, Json] = {"provider": provider} if provider else {}
    return Record(native_id, AssetKind.MODEL, name, "external", described=described, facets=facets)


def endpoint(raw: Json, bindings: Iterable[Json], place: Place) -> Scope:
    """An endpoint, the models that it routes to with their share of traffic, and what is bound to it."""
    endpoint_id = text(raw, "endpoint_id")
    native_id = place.endpoint(endpoint_id)
    mappings = [one for one in rows(raw, "model_mappings") if text(field(one, "model_definition"), "model_name")]
    models = [
        external_model(text(definition, "provider"), text(definition, "model_name"))
        for definition in (field(one, "model_definition") for one in mappings)
    ]
    bound = [
        {"type": text(one, "resource_type"), "id": text(one, "resource_id")}
        for one in bindings
        if text(one, "endpoint_id") == endpoint_id
    ]
    record = Record(
        native_id,
        AssetKind.DEPLOYMENT,
        text(raw, "name") or endpoint_id,
        subtype="gateway",
        url=place.page("gateway", "endpoints", endpoint_id),
        created_at=moment(field(raw, "created_at")),
        updated_at=moment(field(raw, "last_updated_at")),
        spellings=(place.spelling("gateway-endpoint", endpoint_id),),
        facets={"mlflow": {"bindings": bound}} if bound else {},
    )
    edges = tuple(
        Edge(
            model.native_id, native_id, EdgeKind.DEPLOY, weight=share, transformation=text(one, "linkage_type") or None
        )
        for model, one, share in zip(models, mappings, _shares(mappings), strict=True)
    )
    return Scope(native_id, described_by(*models, record), edges)


def _shares(mappings: Iterable[Json]) -> list[float]:
    """Weights are relative; a fallback gets nothing as long as the others answer."""
    weights = [
        0.0 if text(one, "linkage_type") == "FALLBACK" else float(field(one, "weight") or 0.0) for one in mappings
    ]
    total = sum(weights)
    return [weight / total if total else 0.0 for weight in weights]
