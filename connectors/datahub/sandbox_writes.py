"""How aspects are written to DataHub in miniature: by OpenAPI, by rest.li as proposals, and as whole snapshots."""

from typing import Any, cast

import orjson

from .registry import ASPECT_OF, named
from .sandbox_registry import Refusal, Row, judged, kind
from .sandbox_world import World, Write


def openapi(world: World, type_name: str, body: Any, actor: str) -> list[Row]:
    """POST /openapi/v3/entity/<type>: a list of entities, each with aspects. Gives them back. Raises `Refusal`."""
    if not isinstance(body, list):
        raise Refusal("a list of entities is expected")
    wanted = kind(type_name).name
    writes: list[Write] = []
    for entity in cast(list[Row], body):
        urn = str(entity.get("urn"))
        if judged(urn).type != wanted:
            raise Refusal(f"Invalid urn!: {urn} is no {wanted}", error=f"Invalid urn!: {urn}")
        writes += [_openapi_write(urn, name, told) for name, told in entity.items() if name != "urn"]
    world.write(*writes, actor=actor)
    return [_echoed(entity) for entity in cast(list[Row], body)]


def _openapi_write(urn: str, name: str, told: Any) -> Write:
    if not isinstance(told, dict) or "value" not in told:
        raise Refusal(f"{name} of {urn} has no value")
    row = cast(Row, told)
    headers = {key.lower(): value for key, value in cast(dict[str, str], row.get("headers") or {}).items()}
    aspect = named(name)
    if aspect is None:
        raise Refusal(f"Unknown aspect {name}")
    return Write(urn, aspect, row["value"], row.get("systemMetadata") or {}, headers.get("if-version-match"))


def _echoed(entity: Row) -> Row:
    return {name: told if name == "urn" else {"value": told["value"]} for name, told in entity.items()}


def proposals(world: World, told: list[Row], actor: str) -> str:
    """Proposals of rest.li, all or none. Gives the URN of the last. Raises `Refusal`."""
    writes = [_proposed(one) for one in told]
    world.write(*writes, actor=actor)
    return writes[-1].urn if writes else ""


def _proposed(told: Row) -> Write:
    urn, aspect, change = str(told.get("entityUrn")), str(told.get("aspectName")), told.get("changeType", "UPSERT")
    if change not in ("UPSERT", "CREATE"):
        raise Refusal(f"changeType {change} is not known to this miniature")
    aspect_told: Row = told.get("aspect") or {}
    value: Any = aspect_told.get("value")
    try:
        decoded = orjson.loads(value)
    except (orjson.JSONDecodeError, TypeError) as error:
        raise Refusal(f"the value of {aspect} of {urn} is no JSON") from error
    headers = {key.lower(): one for key, one in cast(dict[str, str], told.get("headers") or {}).items()}
    system: Row = told.get("systemMetadata") or {}
    version = headers.get("if-version-match")
    return Write(urn, aspect, decoded, system, version, must_be_new=change == "CREATE")


def snapshot(world: World, body: Row, actor: str) -> str:
    """A whole entity as one snapshot, its aspects called by their classes. Gives the URN. Raises `Refusal`."""
    told = next(iter(body["entity"]["value"].values()))
    system: Row = body.get("systemMetadata") or {}
    urn = str(told["urn"])
    writes: list[Write] = []
    for name, value in (pair for one in told["aspects"] for pair in one.items()):
        if name not in ASPECT_OF:
            raise Refusal(f"no aspect has the class {name}")
        writes.append(Write(urn, ASPECT_OF[name], value, system))
    world.write(*writes, actor=actor)
    return urn
