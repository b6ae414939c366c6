"""How the miniature filters, orders and pages: MLflow's grammar, as far as a client that lists things uses it."""

import base64
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, cast

import orjson

Row = dict[str, Any]
Value = Callable[[Row, str, str], Any]
"""Gives a row's value for a place (attributes, tags, params, metrics) and a key; None where it has none."""

_CLAUSE = re.compile(
    r"\s*(?:(?P<place>attributes?|attr|run|params?|parameters?|metrics?|tags?)\.)?"
    r"(?P<key>`[^`]+`|\"[^\"]+\"|[\w.\- ]+?)\s*(?P<op>!=|>=|<=|=|>|<|\bNOT IN\b|\bIN\b|\bLIKE\b|\bILIKE\b)\s*"
    r"(?P<value>'[^']*'|\"[^\"]*\"|\([^)]*\)|-?[\d.]+)\s*",
    re.IGNORECASE,
)
_PLACES = {"a": "attributes", "r": "attributes", "p": "params", "m": "metrics", "t": "tags"}


class Refusal(Exception):
    """An answer that is an error, as MLflow words it."""

    def __init__(self, message: str, code: str = "INVALID_PARAMETER_VALUE", status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


def missing(message: str) -> Refusal:
    """404, by MLflow itself."""
    return Refusal(message, "RESOURCE_DOES_NOT_EXIST", 404)


def values(body: Row, name: str) -> list[Any]:
    """A list that may be absent, or a single value as a query string has it."""
    told: Any = body.get(name) or ()
    return [*cast(list[Any], told)] if isinstance(told, list | tuple) else [told]


def matching(
    rows: Iterable[Row], written: str | None, value: Value, attributes: frozenset[str] | None = None
) -> list[Row]:
    """The rows that fulfil all clauses; there is no OR. Other attributes than those named are refused."""
    clauses = [_clause(one) for one in _split(written or "")]
    for place, key, _, _ in clauses:
        if place == "attributes" and attributes is not None and key not in attributes:
            raise Refusal(f"Invalid attribute key '{key}' specified. Valid keys are '{set(attributes)}'")
    return [
        row for row in rows if all(_holds(value(row, place, key), op, wanted) for place, key, op, wanted in clauses)
    ]


def _split(written: str) -> list[str]:
    if not written.strip():
        return []
    if re.search(r"\sOR\s", written, re.IGNORECASE):
        raise Refusal(f"Invalid clause(s) in filter string: 'OR' in {written!r}")
    return re.split(r"\s+AND\s+", written, flags=re.IGNORECASE)


def _clause(written: str) -> tuple[str, str, str, Any]:
    found = _CLAUSE.fullmatch(written)
    if found is None:
        raise Refusal(f"Invalid filter string: {written!r}")
    place = _PLACES[(found["place"] or "a")[0].lower()]
    key, op, wanted = found["key"].strip('`"').strip(), found["op"].upper(), found["value"]
    if op in ("IN", "NOT IN"):
        if place != "attributes" or key != "run_id":
            raise Refusal(f"Only the 'run_id' attribute supports comparison with a list, not {key!r}")
        return place, key, op, re.findall(r"'([^']*)'", wanted)
    quoted = wanted[0] in "'\""
    return place, key, op, wanted[1:-1] if quoted else float(wanted)


def _holds(value: Any, op: str, wanted: Any) -> bool:
    if value is None:
        return False  # as in SQL: a run without an end is neither before nor after anything
    match op:
        case "=":
            return value == wanted
        case "!=":
            return value != wanted
        case "IN":
            return value in wanted
        case "NOT IN":
            return value not in wanted
        case "LIKE" | "ILIKE":
            pattern = re.escape(wanted).replace("%", ".*").replace("_", ".")
            return re.fullmatch(pattern, value, re.IGNORECASE if op == "ILIKE" else 0) is not None
        case _:
            left, right = float(value), float(wanted)
            return {">": left > right, ">=": left >= right, "<": left < right, "<=": left <= right}[op]


def ordered(rows: Sequence[Row], orders: Sequence[str | Mapping[str, Any]], value: Value) -> list[Row]:
    """Sorted by the last order first, so that the first one counts most; what has no value stands at the end."""
    result = list(rows)
    for order in reversed(orders):
        place, key, ascending = _order(order)

        def rank(row: Row, place: str = place, key: str = key) -> Any:
            return value(row, place, key)

        told = sorted((row for row in result if rank(row) is not None), key=rank, reverse=not ascending)
        result = told + [row for row in result if rank(row) is None]
    return result


def _order(order: str | Mapping[str, Any]) -> tuple[str, str, bool]:
    if isinstance(order, Mapping):
        return "attributes", str(order.get("field_name", "")), order.get("ascending") is not False
    word, _, direction = order.strip().partition(" ")
    place, dot, key = word.partition(".")
    place = _PLACES.get(place[:1].lower(), "attributes") if dot else "attributes"
    return place, (key if dot else word).strip('`"'), direction.strip().upper() != "DESC"


def page(rows: Sequence[Row], name: str, size: Any, token: str | None, most: int, default: int) -> Row:
    """One page. The token is an offset, with all that this implies when rows come and go; an empty list is left out."""
    wanted = default if size in (None, "", 0, "0") else int(size)
    if not 0 < wanted <= most:
        raise Refusal(f"Invalid value {wanted} for parameter 'max_results' supplied: it must be at most {most}")
    start = _offset(token)
    answer: Row = {name: list(rows[start : start + wanted])} if rows[start : start + wanted] else {}
    if start + wanted < len(rows):
        answer["next_page_token"] = base64.b64encode(orjson.dumps({"offset": start + wanted})).decode()
    return answer


def _offset(token: str | None) -> int:
    if not token:
        return 0
    try:
        return int(orjson.loads(base64.b64decode(token, validate=True))["offset"])
    except (ValueError, KeyError, TypeError) as error:
        raise Refusal(f"Invalid page token: {token!r}") from error
