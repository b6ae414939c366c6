"""PATCH records: they address the items of a list by what those items are about, never by their place."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from ...federation.model import Json
from .wire import field

_FIELDS = "fineGrainedLineages"
_NONE = "NONE"
ITEM_KEYS: dict[str, tuple[str, ...]] = {
    "upstreams": ("dataset",),
    "inputDatasetEdges": ("destinationUrn",),
    "outputDatasetEdges": ("destinationUrn",),
    "inputDatajobEdges": ("destinationUrn",),
    "inputEdges": ("destinationUrn",),
    "outputEdges": ("destinationUrn",),
    "chartEdges": ("destinationUrn",),
    "datasetEdges": ("destinationUrn",),
    "dashboards": ("destinationUrn",),
    "assets": ("destinationUrn",),
    "tags": ("tag",),
    "terms": ("urn",),
    "owners": ("owner", "type"),
    "properties": ("propertyUrn",),
    "editableSchemaFieldInfo": ("fieldPath",),
    "elements": ("url",),
}
"""By which fields the items of each list are told apart; the items of lists that are not named are their own keys."""


class BadPatch(ValueError):
    """An operation that is not understood, with the reason."""


def patched(value: Mapping[str, Any], operations: Json) -> dict[str, Any]:
    """An aspect after some operations. Raises `BadPatch`, and then nothing was done."""
    done: dict[str, Any] = _copied(value)
    wrapped = field(operations, "patch")
    listed: Json = wrapped if wrapped is not None else operations
    if not isinstance(listed, list):
        raise BadPatch("a patch is a list of operations")
    for one in cast(list[Any], listed):
        _apply(done, one)
    return done


def _apply(value: dict[str, Any], operation: Json) -> None:
    kind, path = field(operation, "op"), field(operation, "path")
    if kind not in ("add", "replace", "remove") or not isinstance(path, str) or not path.startswith("/"):
        raise BadPatch(f"the operation {kind!r} at {path!r} is not known")
    steps = [step.replace("~1", "/").replace("~0", "~") for step in path[1:].split("/")]
    if steps[0] == _FIELDS and len(steps) == 5:
        _columns(value, steps[1:], field(operation, "value"), is_gone=kind == "remove")
    else:
        _put(value, steps, field(operation, "value"), is_gone=kind == "remove")


def _put(value: dict[str, Any], steps: Sequence[str], new: Json, *, is_gone: bool) -> None:
    name, rest = steps[0], steps[1:]
    if not rest:
        if is_gone:
            value.pop(name, None)
        else:
            value[name] = new
        return
    inner = value.get(name)
    if isinstance(inner, list) or (inner is None and (name in ITEM_KEYS or rest[0].startswith("urn:li:"))):
        value[name] = _listed(cast(list[Any], inner or []), ITEM_KEYS.get(name, ()), rest, new, is_gone=is_gone)
    elif inner is None or isinstance(inner, dict):
        below = cast(dict[str, Any], inner or {})
        value[name] = below
        _put(below, rest, new, is_gone=is_gone)
    else:
        raise BadPatch(f"{name!r} is neither a list nor an object")


def _listed(items: list[Any], keys: tuple[str, ...], steps: Sequence[str], new: Json, *, is_gone: bool) -> list[Any]:
    """A list with one item added, changed or taken out."""
    if not keys:
        others = [one for one in items if one != steps[0]]
        return others if is_gone else [*others, new if new not in (None, {}) else steps[0]]
    wanted, rest = steps[: len(keys)], steps[len(keys) :]
    told = dict(zip(keys, wanted, strict=False))
    found = [one for one in items if all(field(one, key) == name for key, name in told.items())]
    others = [one for one in items if not any(one is same for same in found)]
    if rest:
        item: dict[str, Any] = dict(found[0]) if found else dict(told)
        _put(item, rest, new, is_gone=is_gone)
        return [*others, item]
    if is_gone:
        return others
    return [*others, {**told, **cast(dict[str, Any], new)} if isinstance(new, dict) else dict(told)]


def _columns(value: dict[str, Any], steps: Sequence[str], new: Json, *, is_gone: bool) -> None:
    """`/fineGrainedLineages/<operation>/<downstream>/<query>/<upstream>`: one pair of columns."""
    operation, downstream, query, upstream = (None if step == _NONE else step for step in steps)
    kept: list[Any] = []
    for entry in cast(list[Any], value.get(_FIELDS) or []):
        kept += _without(entry, operation, downstream, query, upstream)
    if not is_gone:
        told: dict[str, Any] = {"upstreamType": "FIELD_SET", "upstreams": [upstream]}
        told |= {"downstreamType": "FIELD", "downstreams": [downstream]}
        further = {"transformOperation": operation, "query": query}
        told |= {name: one for name, one in further.items() if one is not None}
        kept.append(told | (cast(dict[str, Any], new) if isinstance(new, dict) else {}))
    value[_FIELDS] = kept


def _without(
    entry: Json, operation: str | None, downstream: str | None, query: str | None, upstream: str | None
) -> list[Json]:
    """An entry without one of its pairs: as it was, as the entries of its other pairs, or nothing."""
    if field(entry, "transformOperation") != operation or field(entry, "query") != query:
        return [entry]
    ups, downs = cast(list[Any], field(entry, "upstreams") or []), cast(list[Any], field(entry, "downstreams") or [])
    if upstream not in ups or downstream not in downs:
        return [entry]
    fewer: list[Any] = [one for one in ups if one != upstream]
    others: list[Any] = [one for one in downs if one != downstream]
    left: list[Json] = [{**entry, "downstreams": [downstream], "upstreams": fewer}] if fewer else []
    return left + ([{**entry, "downstreams": others}] if others else [])


def _copied(value: Json) -> Any:
    if isinstance(value, Mapping):
        return {name: _copied(one) for name, one in cast(Mapping[str, Any], value).items()}
    return [_copied(one) for one in cast(list[Any], value)] if isinstance(value, list) else value
