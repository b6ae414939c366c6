"""What an aspect becomes where the target holds one already: a person's word stands, nothing of others is taken out."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

from ...federation.dossier import Verdict
from ...federation.model import Json
from .patch import ITEM_KEYS
from .wire import field, text
from .write_plan import Fate, Proposal, sized

_PERSONS = "a person wrote this in DataHub, whose word stands"
_DRAWN = "a person tells it there, whose word stands"
_STOOD = "what DataHub was told of it before stands: another source may know it better"
_WHOLE = frozenset({"assertionInfo", "schemaMetadata", "dataProcessInstanceRunEvent", "assertionRunEvent"})
"""Aspects that are one statement: an old one and a new one are never mixed."""
_BY: Mapping[str, tuple[str, ...]] = {
    **ITEM_KEYS,
    "owners": ("owner", "type", "typeUrn"),
    "aliases": ("versionTag",),
    "fields": ("fieldPath",),
    "fineGrainedLineages": ("transformOperation", "downstreams", "query", "upstreams"),
    "inputDatasets": (),
    "outputDatasets": (),
    "inputDatajobs": (),
    "inputDatasetFields": (),
    "outputDatasetFields": (),
    "inputs": (),
    "outputs": (),
    "upstreamInstances": (),
    "trainingJobs": (),
    "downstreamJobs": (),
    "mlFeatures": (),
    "mlPrimaryKeys": (),
    "groups": (),
    "deployments": (),
    "sources": (),
    "siblings": (),
    "charts": (),
    "datasets": (),
}
"""By which fields the items of each list are told apart; without any, an item is its own name."""
_MAPS = frozenset({"customProperties", "hyperParameters"})
_STAMPS = frozenset({"auditStamp"})
"""Who last touched it there: nothing that we know better."""


def merged(proposal: Proposal, old: Mapping[str, Any] | None) -> tuple[dict[str, Any], Fate]:
    """The aspect as it shall stand, and what was kept of a person's in it."""
    new = dict(proposal.value)
    if old is None or old == new:
        return new, Fate()
    if proposal.aspect.startswith("editable"):
        return dict(old), Fate(Verdict.KEPT, _PERSONS)
    if proposal.aspect in _WHOLE and not proposal.fills:
        return new, Fate()
    kept: dict[str, str] = {}
    value = dict(old)
    for name, told in new.items():
        if proposal.fills and not told and told is not False:
            continue  # only there because a new aspect is refused without it
        value[name] = _joined(name, old.get(name), told, kept, fills=proposal.fills)
    return value, Fate(kept=kept)


def item(name: str, value: Json, part: str = "") -> str:
    """How an item of a list, or a part of it, is called among what is kept."""
    return f"{name}/{_named(_BY[name])(value)}{f'/{part}' if part else ''}"


def _joined(name: str, old: Json, new: Json, kept: dict[str, str], *, fills: bool) -> Json:
    if old is None:
        return new
    if name in _STAMPS:
        return old
    if name in _MAPS and isinstance(old, dict) and isinstance(new, dict):
        return {**cast(dict[str, Any], old), **cast(dict[str, Any], new)}
    if name in _BY and isinstance(old, list) and isinstance(new, list):
        return list(_items(name, cast(list[Any], old), cast(list[Any], new), kept, fills=fills))
    if fills and old != new:
        kept[name] = _STOOD
    return cast(Json, old if fills else new)


def _items(listed: str, old: list[Any], new: list[Any], kept: dict[str, str], *, fills: bool) -> Iterator[Any]:
    """Old items in their order, each in its new form where there is one, then the new ones."""
    named = _named(_BY[listed])
    told = {named(one): one for one in new}
    seen = set[str]()
    for one in old:
        name = named(one)
        seen.add(name)
        if name not in told:
            yield one
        elif _is_a_persons(one) and one != told[name]:
            kept.update(dict.fromkeys(_ends(one), _DRAWN))
            yield one
        elif fills and isinstance(one, dict):
            yield _filled(listed, cast(dict[str, Any], one), told[name], kept)
        else:
            yield told[name]
    yield from (one for name, one in told.items() if name not in seen)


def _filled(listed: str, old: dict[str, Any], new: Mapping[str, Any], kept: dict[str, str]) -> dict[str, Any]:
    """An item with what it lacked; what it says already stands."""
    less = [part for part, told in new.items() if part not in _STAMPS and old.get(part, told) != told]
    kept.update({item(listed, new, part): _STOOD for part in less})
    kept.update(dict.fromkeys(_ends(old) if less else (), _STOOD))
    return {**new, **old}


def _named(by: tuple[str, ...]) -> Callable[[Any], str]:
    def name(item: Any) -> str:
        return sized([field(item, one) for one in by] if by and isinstance(item, dict) else item).decode()

    return name


def _is_a_persons(item: Any) -> bool:
    return text(field(item, "properties"), "source") == "UI"


def _ends(item: Any) -> Iterator[str]:
    yield from (one for name in ("dataset", "destinationUrn") if (one := text(item, name)))
