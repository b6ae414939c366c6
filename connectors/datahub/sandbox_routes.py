"""Which path of DataHub's APIs reaches what in the miniature: OpenAPI v3, the registry, and what is left of rest.li."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import orjson

from . import sandbox_writes as writes
from .registry import CLASS_OF, KNOWN, is_series, named
from .relations import named as names_in
from .sandbox_lineage import passing
from .sandbox_registry import Refusal, Row, judged, key_of, kind, kind_of, spec_of
from .sandbox_scroll import Searches, filtered, in_slice, let_through, meant, window
from .sandbox_world import Entity, World
from .wire import objects

_RESTLI = "com.linkedin.restli.server.RestLiServiceException"


class Unknown(Exception):
    """No such route."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back."""

    body: Any = None
    status: int = 200


@dataclass(frozen=True, slots=True)
class Call:
    """One call, taken apart."""

    method: str
    segments: list[str]
    """Of the path, each decoded for itself."""
    params: Mapping[str, str] = field(default_factory=dict[str, str])
    lists: Mapping[str, list[str]] = field(default_factory=dict[str, list[str]])
    """The parameters that may be given several times."""
    body: Any = None
    actor: str = "urn:li:corpuser:datahub"


class Routes:
    """All that is answered at once; the change log waits, so `sandbox` asks it."""

    def __init__(self, world: World, searches: Searches, hidden: set[str]) -> None:
        self._world = world
        self._searches = searches
        self._hidden = hidden
        self.fixed: set[str] = set()
        self.has_scroll = True
        self.is_pinned = False

    def answer(self, call: Call) -> Reply:
        """The answer to one call. Raises `Refusal`, `Unknown`."""
        match call.segments:
            case ["openapi", "v3", "entity", *rest]:
                return self._entity(call, rest)
            case ["openapi", "v3", "relationship", "scroll"] if call.method == "POST":
                return self._relationships(call)
            case ["openapi", "v3", "lineage", "scroll"] if call.method == "POST":
                return self._lineage(call)
            case ["openapi", "v1", "registry", "models", "entity", "specifications"]:
                return _specifications(call)
            case ["aspects" | "entities" | "entitiesV2", *_]:
                return self._restli(call)
            case _:
                raise Unknown

    def _entity(self, call: Call, rest: list[str]) -> Reply:
        match call.method, rest:
            case "POST", ["scroll"]:
                if not self.has_scroll:
                    raise Unknown
                body = cast(Row, call.body or {})
                listed: list[str] = body.get("entities") or []
                kinds = {kind(one).name for one in listed} or None
                return self._found(call, kinds, body.get("aspects"), body.get("filter"))
            case "POST", ["generic", "batchGet"]:
                told = cast(dict[str, list[Row]], call.body)
                return Reply({name: self._batch(call, rows) for name, rows in told.items()})
            case "POST", [_, "batchGet"]:
                return Reply(self._batch(call, call.body))
            case "POST", [name]:
                self._may_edit(call)
                return Reply(writes.openapi(self._world, name, call.body, call.actor))
            case "GET", [name]:
                reply = self._found(call, {kind(name).name}, call.lists.get("aspects", []), None)
                return Reply({**reply.body, "facets": []})
            case _, [name, *segments] if segments:
                return self._one(call, kind(name).name, *_split(segments))
            case _:
                raise Unknown

    def _found(self, call: Call, kinds: set[str] | None, aspects: list[str] | None, given: Any) -> Reply:
        params, rows = call.params, self._matching(call, kinds, given)
        told, following, total = self._searches.page(
            rows, window(params, is_frozen=self.is_pinned or "sliceMax" in params)
        )
        shown = self._shown_all(told, call, aspects)
        if params.get("scrollIdPerEntity") == "true":
            shown = [{**one, "scrollId": self._searches.cursor(one["urn"])} for one in shown]
        return Reply({**({"scrollId": following} if following else {}), "entities": shown, "totalCount": total})

    def _matching(self, call: Call, kinds: set[str] | None, given: Any) -> list[str]:
        """The names that a search finds; nothing is looked into where the search asks for nothing."""
        query = call.params.get("query")
        found = self._world.urns(kinds, with_removed=call.params.get("includeSoftDelete") == "true")
        rows = [urn for urn in found if in_slice(urn, call.params)]
        if query in (None, "", "*") and not given:
            return rows
        held = self._world.entities
        return [urn for urn in rows if meant(urn, held[urn], query) and let_through(urn, held[urn], given)]

    def _shown_all(self, urns: Iterable[str], call: Call, aspects: list[str] | None) -> list[Row]:
        found = [(urn, self._world.get(urn)) for urn in urns]
        self._may_read(call, *(urn for urn, _ in found))  # one that may not be read refuses the whole page
        return [_shown(urn, one, call, aspects) for urn, one in found if one is not None]

    def _may_read(self, call: Call, *urns: str) -> None:
        if any(urn.split(":", 3)[2] in self._hidden for urn in urns):
            message = f"{call.actor} is unauthorized to READ entities."
            raise Refusal(message, 403, message)

    def _may_edit(self, call: Call) -> None:
        rows = objects({"rows": call.body}, "rows") if self.fixed else ()
        if any(not self.fixed.isdisjoint((*row, row.get("urn"), *str(row.get("urn")).split(":")[2:3])) for row in rows):
            message = f"{call.actor} is unauthorized to CREATE entities."
            raise Refusal(message, 403, message)

    def _batch(self, call: Call, rows: Iterable[Row]) -> list[Row]:
        shown: list[Row] = []
        for row in rows:
            urn = judged(row.get("urn")).text
            self._may_read(call, urn)
            entity = self._world.get(urn)
            if entity is not None:
                shown.append(_shown(urn, entity, call, [name for name in row if name != "urn"]))
        return shown

    def _one(self, call: Call, type_name: str, text: str, aspect: str | None) -> Reply:
        found = judged(text)
        if found.type != type_name:
            raise Refusal(f"Invalid urn!: {text}", error=f"Invalid urn!: {text}")
        self._may_read(call, text)
        entity = self._world.get(text)
        match call.method:
            case "DELETE":
                self._world.delete_aspect(text, aspect or kind_of(text).key)
                return Reply()
            case "POST" if aspect is not None:
                return Reply(writes.openapi(self._world, type_name, [{"urn": text, aspect: call.body}], call.actor)[0])
            case "HEAD":
                return Reply(status=204 if entity is not None and _is_there(entity, aspect, call) else 404)
            case "GET":
                return _told(text, entity, aspect, call)
            case _:
                raise Unknown

    def _relationships(self, call: Call) -> Reply:
        with_removed = call.params.get("includeSoftDelete") == "true"
        body = cast(Row, call.body or {})
        rows = {
            "|".join(edge): edge
            for edge in self._edges(with_removed)
            if in_slice(edge[0], call.params) and _is_wanted(edge, call, body)
        }
        told, following, _ = self._searches.page(rows, window(call.params, is_frozen=True))
        edges = [row.split("|") for row in told]
        results = [
            {"relationshipType": name, "source": _end(source), "destination": _end(destination)}
            for source, name, destination in edges
        ]
        return Reply({**({"scrollId": following} if following else {}), "results": results})

    def _lineage(self, call: Call) -> Reply:
        anchors: list[str] = cast(Row, call.body or {}).get("urns") or []
        rows = {one.row: one for one in passing(self._world, call.lists, anchors)}
        told, following, _ = self._searches.page(rows, window(call.params, is_frozen=True))
        shown = [rows[row].shown for row in told if row in rows]
        return Reply({**({"scrollId": following} if following else {}), "results": shown})

    def _edges(self, with_removed: bool) -> Iterable[tuple[str, str, str]]:
        for urn in self._world.urns(with_removed=with_removed):
            for aspect, stored in self._world.entities[urn].aspects.items():
                for one in names_in(aspect, stored.value):
                    if one.relation.name and isinstance(one.value, str):
                        yield urn, one.relation.name, one.value

    def _restli(self, call: Call) -> Reply:
        try:
            return self._restli_answer(call)
        except Refusal as error:
            status = 422 if error.status == 400 else error.status
            return Reply({"exceptionClass": _RESTLI, "message": str(error), "status": status}, status)

    def _restli_answer(self, call: Call) -> Reply:
        body = cast(Row, call.body or {})
        match call.method, call.segments, call.params.get("action"):
            case "POST", ["aspects"], "ingestProposal":
                return Reply({"value": writes.proposals(self._world, [body["proposal"]], call.actor)})
            case "POST", ["aspects"], "ingestProposalBatch":
                return Reply({"value": writes.proposals(self._world, body["proposals"], call.actor)})
            case "POST", ["aspects"], "getTimeseriesAspectValues":
                self._may_read(call, body["urn"])
                return Reply({"value": _series(body, self._world.get(body["urn"]))})
            case "POST", ["entities"], "ingest":
                return Reply({"value": writes.snapshot(self._world, body, call.actor)})
            case "POST", ["entities"], "delete":
                rows, events = self._world.delete(body["urn"])
                return Reply({"value": {"rows": rows, "timeseriesRows": events, "urn": body["urn"]}})
            case "GET", ["aspects", urn], _:
                return _legacy_aspect(urn, self._world.get(urn), call)
            case "GET", ["entitiesV2", urn], _:
                return _legacy_entity(urn, self._world.get(urn), call)
            case _:
                raise Unknown


def _split(segments: list[str]) -> tuple[str, str | None]:
    """The URN of a path, and the aspect behind it. A client that does not encode spreads the URN over segments."""
    aspect = named(segments[-1]) if len(segments) > 1 else None
    return "/".join(segments[:-1] if aspect else segments), aspect


def _shown(urn: str, entity: Entity, call: Call, aspects: list[str] | None) -> Row:
    """An entity: without aspects, with all of them (an empty list), or with those that are named."""
    if aspects is None:
        return {"urn": urn}
    wanted = {named(one) or one for one in aspects}
    with_system = call.params.get("systemMetadata") == "true"
    told = {name: one for name, one in list(entity.aspects.items()) if not wanted or name in wanted}
    return {"urn": urn, **{name: one.shown(with_system=with_system) for name, one in told.items()}}


def _is_there(entity: Entity, aspect: str | None, call: Call) -> bool:
    is_shown = call.params.get("includeSoftDelete") == "true" or not entity.is_removed
    return is_shown and (aspect is None or entity.at(aspect, 0) is not None)


def _told(text: str, entity: Entity | None, aspect: str | None, call: Call) -> Reply:
    if entity is None:
        return Reply(status=404)
    if aspect is None:
        return Reply(_shown(text, entity, call, call.lists.get("aspects", [])))
    stored = entity.at(aspect, int(call.params.get("version") or 0))
    if stored is None:
        return Reply(status=404)
    return Reply(stored.shown(with_system=call.params.get("systemMetadata") == "true"))


def _specifications(call: Call) -> Reply:
    start, count = int(call.params.get("start", "0")), int(call.params.get("count", "20"))
    told = [spec_of(KNOWN[name]) for name in sorted(KNOWN)][start : start + count]
    return Reply({"start": start, "count": len(told), "total": len(KNOWN), "elements": told})


def _is_wanted(edge: tuple[str, str, str], call: Call, body: Row) -> bool:
    # The filters follow the walk; the edges stay as they are stored.
    near, far = (edge[2], edge[0]) if call.params.get("direction") == "INCOMING" else (edge[0], edge[2])
    wanted: Mapping[str, list[str]] = call.lists
    return (
        edge[1] in wanted.get("relationshipTypes", [edge[1]])
        and _kind(near) in wanted.get("sourceTypes", [_kind(near)])
        and _kind(far) in wanted.get("destinationTypes", [_kind(far)])
        and filtered(body.get("sourceFilter"), _only("urn", near))
        and filtered(body.get("destinationFilter"), _only("urn", far))
        and filtered(body.get("edgeFilter"), _only("relationshipType", edge[1]))
    )


def _only(field_name: str, value: str) -> Callable[[str], list[str]]:
    return lambda name: [value] if name == field_name else []


def _kind(urn: str) -> str:
    return urn.split(":", 3)[2] if urn.count(":") > 2 else ""


def _end(urn: str) -> Row:
    return {"urn": urn, "entityType": _kind(urn)}


def _series(body: Row, entity: Entity | None) -> Row:
    aspect = body["aspect"]
    if not is_series(aspect):
        raise Refusal(f"{aspect} is no time series")
    first, last = body.get("startTimeMillis") or 0, body.get("endTimeMillis") or float("inf")
    told = [] if entity is None else entity.series.get(aspect, [])
    kept = [one for one in told if first <= one.value["timestampMillis"] <= last and _passes(body, one.value)]
    newest = sorted(kept, key=lambda one: -one.value["timestampMillis"])[: body.get("limit") or 10_000]
    values = [
        {
            "aspect": {"value": orjson.dumps(one.value).decode(), "contentType": "application/json"},
            "systemMetadata": one.system,
        }
        for one in newest
    ]
    return {"entityName": body["entity"], "aspectName": aspect, "limit": body.get("limit"), "values": values}


def _passes(body: Row, event: Row) -> bool:
    given: Row = body.get("filter") or {}
    groups: list[Row] = given.get("or") or []
    return not groups or any(
        all(str(event.get(one["field"])) in (one.get("values") or [one.get("value")]) for one in group["and"])
        for group in groups
    )


def _legacy_aspect(urn: str, entity: Entity | None, call: Call) -> Reply:
    aspect, version = call.params.get("aspect", ""), int(call.params.get("version") or 0)
    stored = entity.at(aspect, version) if entity is not None else None
    if stored is None:
        message = f"Did not find urn: {urn} aspect: {aspect} version: {version}"
        raise Refusal(message, 404)
    told = {"version": version, "aspect": {CLASS_OF[aspect]: stored.value}, "systemMetadata": stored.system}
    return Reply(told)


def _legacy_entity(urn: str, entity: Entity | None, call: Call) -> Reply:
    listed = call.params.get("aspects", "").removeprefix("List(").removesuffix(")")
    wanted = set(listed.split(",")) if listed else None
    held = {name: one.value for name, one in (entity.aspects.items() if entity else ())}
    # A name that nobody ever wrote is answered with its key, as if it were there.
    told = {name: value for name, value in held.items() if wanted is None or name in wanted} or {
        kind_of(urn).key: key_of(urn)
    }
    aspects = {name: {"name": name, "type": "VERSIONED", "version": 0, "value": value} for name, value in told.items()}
    return Reply({"urn": urn, "entityName": kind_of(urn).name, "aspects": aspects})
