"""How the miniature filters, orders and pages: Mongo's operators, and an offset in each cursor."""

import base64
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Protocol, TypeVar, cast

from graphql import GraphQLError


class Told(Protocol):
    """A thing that can be filtered and ordered by; an unknown key raises `KeyError`."""

    def told(self, key: str) -> Any: ...


Thing = TypeVar("Thing")
Asked = TypeVar("Asked", bound=Told)

_DEFAULT = 50
_TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")
_TESTS: Mapping[str, Callable[[Any, Any], bool]] = {
    "$eq": lambda value, wanted: value == wanted,
    "$ne": lambda value, wanted: value != wanted,
    "$gt": lambda value, wanted: value is not None and value > wanted,
    "$gte": lambda value, wanted: value is not None and value >= wanted,
    "$lt": lambda value, wanted: value is not None and value < wanted,
    "$lte": lambda value, wanted: value is not None and value <= wanted,
    "$in": lambda value, wanted: value in wanted,
    "$nin": lambda value, wanted: value not in wanted,
    "$exists": lambda value, wanted: (value is not None) == wanted,
    "$regex": lambda value, wanted: re.search(wanted, value or "") is not None,
}


def gid(kind: str, number: object) -> str:
    """An id as W&B hands it out."""
    return base64.b64encode(f"{kind}:{number}".encode()).decode()


@lru_cache(maxsize=1024)
def snake(name: str) -> str:
    """GraphQL's spelling in Python's."""
    return re.sub("(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def matching(things: Iterable[Asked], filters: str | None) -> list[Asked]:
    """The things that fulfil a filter as it was sent, in JSON."""
    wanted = _sent(filters or "{}")
    return [thing for thing in things if _holds(thing, wanted)]


def _sent(filters: str) -> dict[str, Any]:
    try:
        told: Any = json.loads(filters, parse_constant=_no_number)
    except ValueError as error:
        raise GraphQLError(f"invalid filters: {error}") from error
    if not isinstance(told, dict):
        raise GraphQLError("invalid filters: not an object")
    return cast(dict[str, Any], told)


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


def _holds(thing: Told, wanted: Mapping[str, Any]) -> bool:
    held = [_clause(thing, key, one) for key, one in wanted.items()]  # each: an unknown key never hides behind another
    return all(held)


def _clause(thing: Told, key: str, wanted: Any) -> bool:
    match key:
        case "$and":
            return all([_holds(thing, one) for one in wanted])
        case "$or":
            return any([_holds(thing, one) for one in wanted])
        case "$nor":
            return not any([_holds(thing, one) for one in wanted])
        case "$not":
            return not _holds(thing, wanted)
        case _:
            return _compared(thing, key, wanted)


def _compared(thing: Told, key: str, wanted: Any) -> bool:
    told = _value(thing, key)
    if not isinstance(wanted, dict):
        return wanted in cast(list[Any], told) if isinstance(told, list) else told == wanted
    return all(_test(told, op, one) for op, one in cast(dict[str, Any], wanted).items())


def _test(told: Any, op: str, wanted: Any) -> bool:
    if op == "$not":
        return not all([_test(told, inner, one) for inner, one in cast(dict[str, Any], wanted).items()])
    if op not in _TESTS:
        raise GraphQLError(f"invalid filter operator: {op}")
    if isinstance(told, str) and _TIME.fullmatch(told) and op in ("$gt", "$gte", "$lt", "$lte"):
        # A time without its Z matches nothing, and nobody is told.
        return str(wanted).endswith("Z") and _TESTS[op](told, wanted)
    if isinstance(told, list) and op in ("$in", "$nin"):
        return bool({*cast(list[Any], told)} & {*wanted}) == (op == "$in")
    return _TESTS[op](told, wanted)


def _value(thing: Told, key: str) -> Any:
    head, dot, rest = key.partition(".")
    try:
        return thing.told(f"{snake(head)}{dot}{rest}")
    except KeyError as error:
        raise GraphQLError(f"invalid filter key: {key}") from error


def ordered(things: Sequence[Asked], order: str | None) -> list[Asked]:
    """Sorted as `+created_at` or `-created_at` say; what is equal keeps its place."""
    if not order:
        return list(things)
    key = order.lstrip("+-")
    return sorted(things, key=lambda thing: str(_value(thing, key) or ""), reverse=order.startswith("-"))


def _node(thing: object) -> dict[str, Any]:
    return {"node": thing}


def _always(_: object) -> bool:
    return True


def page(
    things: Iterable[Thing],
    first: int | None = None,
    after: str | None = None,
    edge: Callable[[Thing], dict[str, Any]] = _node,
    shown: Callable[[Thing], bool] = _always,
    **_: Any,
) -> dict[str, Any]:
    """A connection. Its cursor is an offset, with all that this implies when things come and go."""
    all_of_them = list(things)
    start, size = _offset(after), _DEFAULT if first is None else first
    cut = list(enumerate(all_of_them[start : start + size], start))
    return {
        "total_count": sum(map(shown, all_of_them)),
        # Cut first, hidden then: what the caller may not see leaves a hole in a page, or makes an empty one.
        "edges": [{"cursor": _cursor(at), **edge(one)} for at, one in cut if shown(one)],
        "page_info": {
            "has_next_page": start + size < len(all_of_them),
            "end_cursor": _cursor(cut[-1][0]) if cut else None,
            "has_previous_page": start > 0,
            "start_cursor": _cursor(start) if cut else None,
        },
    }


def _cursor(at: int) -> str:
    return base64.b64encode(f"arrayconnection:{at}".encode()).decode()


def _offset(cursor: str | None) -> int:
    if not cursor:
        return 0
    try:
        kind, _, at = base64.b64decode(cursor, validate=True).decode().partition(":")
        if kind == "arrayconnection":
            return int(at) + 1
    except ValueError as error:
        raise GraphQLError(f"invalid cursor: {cursor}") from error
    raise GraphQLError(f"invalid cursor: {cursor}")
