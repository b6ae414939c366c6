"""What an aspect becomes where the target holds one already: a person's word stands, nothing of others is taken out."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

from ...federation.dossier import Verdict
from ...federation.model import Json
from .patch import ITEM_KEYS
from .wire import field, text
from .write_plan import Fate, Proposal, sized

_PERSONS = "a person wrote this in DataHub, whose word stands"
_STOOD = "what DataHub holds of it already stands"
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
    kept = set[str]()
    value = dict(old)
    for name, told in new.items():
        if proposal.fills and not told and told is not False:
            continue  # only there because a new aspect is refused without it
        value[name] = _joined(name, old.get(name), told, kept, fills=proposal.fills)
    is_less = proposal.fills and any(_is_less(name, value.get(name), told) for name, told in new.items())
    fate = Fate(Verdict.KEPT, _STOOD) if is_less else Fate()
    return value, Fate(fate.verdict, fate.reason, frozenset(kept))


def _joined(name: str, old: Json, new: Json, kept: set[str], *, fills: bool) -> Json:
    if old is None:
        return new
    if name in _STAMPS:
        return old
    if name in _MAPS and isinstance(old, dict) and isinstance(new, dict):
        return {**cast(dict[str, Any], old), **cast(dict[str, Any], new)}
    if name in _BY and isinstance(old, list) and isinstance(new, list):
        return list(_items(_BY[name], cast(list[Any], old), cast(list[Any], new), kept, fills=fills))
    return cast(Json, old if fills else new)


def _items(by: tuple[str, ...], old: list[Any], new: list[Any], kept: set[str], *, fills: bool) -> Iterator[Any]:
    """Old items in their order, each in its new form where there is one, then the new ones."""
    named = _named(by)
    told = {named(one): one for one in new}
    seen = set[str]()
    for one in old:
        name = named(one)
        seen.add(name)
        if name not in told:
            yield one
        elif _is_a_persons(one) and one != told[name]:
            kept.update(_ends(one))
            yield one
        else:
            yield one if fills else told[name]
    yield from (one for name, one in told.items() if name not in seen)


def _named(by: tuple[str, ...]) -> Callable[[Any], str]:
    def name(item: Any) -> str:
        return sized([field(item, one) for one in by] if by and isinstance(item, dict) else item).decode()

    return name


def _is_a_persons(item: Any) -> bool:
    return text(field(item, "properties"), "source") == "UI"


def _ends(item: Any) -> Iterator[str]:
    yield from (one for name in ("dataset", "destinationUrn") if (one := text(item, name)))


def _is_less(name: str, stands: Json, told: Json) -> bool:
    """Whether something that was to be told is not, since another word stood there."""
    return name not in _BY and name not in _MAPS and stands != told
