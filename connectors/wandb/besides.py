"""Reports, launch queues and automations of a project: what they point at, never what they carry."""

from collections.abc import Iterator

from ...federation.model import AssetKind, Edge, EdgeKind, Json, Record, Scope
from .place import Place, Project
from .wire import field, moment, nodes, objects, prose, text


def told(data: Json, home: Project, place: Place) -> Iterator[Scope]:
    """One scope each. A queue item's run spec holds environments, an action's payload credentials: neither is asked
    for."""
    here = field(data, "project")
    for one in nodes(here, "allViews"):
        yield _scope("report", one, home, place, facets={})
    for one in objects(field(here, "runQueues")):
        items = [
            {"id": text(item, "id"), "state": text(item, "state"), "run": text(item, "associatedRunId")}
            for item in nodes(one, "runQueueItems")
        ]
        yield _scope("queue", one, home, place, facets={"items": items})
    for one in objects(field(here, "triggers")):
        facets: dict[str, Json] = {
            "event": text(one, "triggeringCondition", "eventType"),
            "action": text(one, "triggeredAction", "__typename"),
            "watches": text(one, "scope", "id"),
            "enabled": field(one, "enabled") is True,
        }
        yield _scope("automation", one, home, place, facets=facets)


def _scope(what: str, raw: Json, home: Project, place: Place, *, facets: dict[str, Json]) -> Scope:
    id_ = text(raw, "id")
    user = prose(raw, "user", "username")
    record = Record(
        f"{what}/{id_}",
        AssetKind.DASHBOARD if what == "report" else AssetKind.OTHER,
        prose(raw, "displayName") or prose(raw, "name") or id_,
        subtype=what,
        description=prose(raw, "description"),
        created_at=moment(field(raw, "createdAt")),
        updated_at=moment(field(raw, "updatedAt")),
        spellings=place.spellings(what, id_),
        facets=({"owners": [{"name": user}]} if user else {}) | {"wandb": {"project": home.path, **facets}},
    )
    return Scope(f"{home.family(what)}/{id_}", (record,), (Edge(f"{what}/{id_}", home.native_id, EdgeKind.PART_OF),))
