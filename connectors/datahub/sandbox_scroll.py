"""How DataHub in miniature finds, filters and pages: searches in the order of names, and points in time."""

import base64
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import orjson

from .sandbox_registry import Refusal, Row
from .sandbox_world import Entity

_MAX, _INSTEAD = 10_000, 5_000
"""More than the one is silently made the other."""
_MAX_QUERY = 500
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(slots=True)
class _Snapshot:
    """What a search saw, until it is forgotten."""

    rows: list[str]
    until: float


@dataclass(frozen=True, slots=True)
class Window:
    """Which page of a search is asked for."""

    count: int
    scroll: str | None = None
    keep_alive: float = 300.0
    is_frozen: bool = False
    """True: the pages come from a point in time, which ends; else each page looks anew."""
    is_backwards: bool = False


class Searches:
    """The searches that are under way."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._frozen: dict[str, _Snapshot] = {}
        self._opened = 0

    def forget(self) -> None:
        """Lose all points in time, as a restart does."""
        self._frozen.clear()

    def page(self, rows: Iterable[str], window: Window) -> tuple[list[str], str | None, int]:
        """One page of names in their order, where the next one begins, and how many rows there are."""
        after, known = _cursor(window.scroll)
        if window.is_frozen:
            known, found = self._snapshot(known, rows, window)
        else:
            known, found = None, sorted(rows, reverse=window.is_backwards)
        left = [row for row in found if after is None or (row < after if window.is_backwards else row > after)]
        size = clamped(window.count)
        told = left[:size]
        # A full page carries a cursor even if nothing follows: the last page is then empty.
        following = _encoded(told[-1], known) if told and len(told) == size else None
        return told, following, len(found)

    def cursor(self, row: str) -> str:
        """A cursor that stands behind one row."""
        return _encoded(row, None)

    def _snapshot(self, known: str | None, rows: Iterable[str], window: Window) -> tuple[str, list[str]]:
        if window.scroll is None:
            self._opened += 1
            known = f"pit-{self._opened}"
            self._frozen[known] = _Snapshot(sorted(rows, reverse=window.is_backwards), 0.0)
        snapshot = self._frozen.get(known or "")
        if snapshot is None or known is None or (window.scroll is not None and snapshot.until < self._clock()):
            reason = "OpenSearchStatusException[OpenSearch exception [type=search_phase_execution_exception, "
            message = f"{reason}reason=all shards failed]]; nested: search context missing for id {known}"
            raise Refusal(message, 500, "Internal Server Error")
        snapshot.until = self._clock() + window.keep_alive
        return known, snapshot.rows


def clamped(count: int) -> int:
    """How many rows a page really has."""
    if count < 1:
        raise Refusal(f"count must be positive: {count}")
    return _INSTEAD if count > _MAX else count


def window(params: Mapping[str, str], *, is_frozen: bool = False) -> Window:
    """The page that the parameters of a call ask for. Raises `Refusal`."""
    try:
        count = int(params.get("count", "10"))
    except ValueError as error:
        raise Refusal(f"count is no number: {params['count']}") from error
    alive = params.get("pitKeepAlive", "5m")
    unit = alive.lstrip("0123456789.")
    if unit not in _UNITS or alive == unit:
        raise Refusal(f"pitKeepAlive is no duration: {alive}")
    seconds = float(alive.removesuffix(unit)) * _UNITS[unit]
    is_backwards = params.get("sortOrder") == "DESCENDING"
    return Window(count, params.get("scrollId") or None, seconds, is_frozen, is_backwards)


def in_slice(text: str, params: Mapping[str, str]) -> bool:
    """Whether a row belongs to the slice that is asked for."""
    if "sliceMax" not in params:
        return True
    return zlib.crc32(text.encode()) % int(params["sliceMax"]) == int(params.get("sliceId", "0"))


def meant(text: str, entity: Entity, query: str | None) -> bool:
    """Whether a search text finds an entity. Raises `Refusal`."""
    if query and len(query) > _MAX_QUERY:
        raise Refusal(f"Query exceeds the maximum of {_MAX_QUERY} characters")
    if not query or query == "*":
        return True
    written = orjson.dumps([one.value for one in entity.aspects.values()]).decode()
    return query.strip('"*').lower() in f"{text} {written}".lower()


def let_through(text: str, entity: Entity, given: Any) -> bool:
    """Whether a filter lets an entity through: of the groups one is enough, in a group every criterion counts."""
    return filtered(given, lambda field: _values(text, entity, field))


def filtered(given: Any, values: Callable[[str], list[str]]) -> bool:
    """Whether values pass a filter. The list that is called `and` is of alternatives. Raises `Refusal`."""
    told: Row = given or {}
    groups = [_criteria(group) for group in cast(list[Row], told.get("and") or [])]
    return not groups or any(all(_holds(one, values) for one in group) for group in groups)


def _criteria(group: Row) -> list[Row]:
    return group.get("criteria") or []


def _holds(criterion: Row, values: Callable[[str], list[str]]) -> bool:
    field, wanted = str(criterion["field"]).removesuffix(".keyword"), [str(one) for one in criterion.get("values", [])]
    here = values(field)
    match criterion.get("condition", "EQUAL"):
        case "EQUAL" | "IN":
            holds = any(one in wanted for one in here)
        case "EXISTS":
            holds = bool(here)
        case "CONTAIN":
            holds = any(part in one for one in here for part in wanted)
        case "GREATER_THAN":
            holds = any(_number(one) > _number(wanted[0]) for one in here)
        case "LESS_THAN":
            holds = any(_number(one) < _number(wanted[0]) for one in here)
        case other:
            # The API's words differ from the engine's for some conditions, and are looked up by name.
            raise Refusal(f"No enum constant com.linkedin.metadata.query.filter.Condition.{other}")
    return holds is not bool(criterion.get("negated"))


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise Refusal(f"no number: {text}") from error


def _values(text: str, entity: Entity, field: str) -> list[str]:
    """What the index holds of an entity under one name."""
    match field:
        case "urn":
            return [text]
        case "removed":
            return [str(entity.is_removed).lower()]
        case "platform" | "platformInstance":
            told = _aspect(entity, "dataPlatformInstance").get("platform" if field == "platform" else "instance")
            return [told] if told else []
        case "origin":
            parts = text.rstrip(")").rsplit(",", 1)
            return parts[1:]
        case "typeNames":
            return list(_aspect(entity, "subTypes").get("typeNames", []))
        case "lastObserved":
            return [str(max((int(one.system.get("lastObserved") or 0) for one in entity.aspects.values()), default=0))]
        case _:
            return [str(one.value[field]) for one in entity.aspects.values() if field in one.value]


def _aspect(entity: Entity, name: str) -> Row:
    stored = entity.aspects.get(name)
    return stored.value if stored is not None else {}


def _cursor(scroll: str | None) -> tuple[str | None, str | None]:
    if scroll is None:
        return None, None
    try:
        told = orjson.loads(base64.urlsafe_b64decode(scroll))
        return told["sort"][0], told.get("pitId")
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise Refusal(f"Failed to decode scrollId {scroll}", 500, "Internal Server Error") from error


def _encoded(row: str, known: str | None) -> str:
    told: Row = {"sort": [row]} if known is None else {"sort": [row], "pitId": known}
    return base64.urlsafe_b64encode(orjson.dumps(told)).decode()
