"""Sixty and more ways in which a DataHub server fails, and what is to be seen of each."""

import base64
from collections.abc import Callable
from itertools import count
from typing import Any

import orjson

from .failures import Failure, Kind, Moment
from .house import FAILED, PARTIAL, SUCCEEDED
from .http_kinds import (
    ABSENT,
    ARRAY,
    BANISHED,
    BEHIND,
    BOMB,
    BROKEN,
    DOWN,
    ELSEWHERE,
    ERROR,
    FORBIDDEN,
    NESTED,
    NULL,
    REJECTED,
    RESET,
    SIGN_ON,
    SILENT,
    THROTTLED,
    TRUNCATED,
    UNKNOWN,
    WORD,
)

FIRST, NEXT, AGAIN = Moment.FIRST, Moment.NEXT, Moment.AGAIN
CONFIG = ("GET /config", "/config")
REGISTRY = ("GET /specifications", "entity/specifications")
SCROLL = ("POST /entity/scroll", "entity/scroll")
SERIES = ("POST /aspects for the events of runs", "getTimeseries")
_ONE_BY_ONE: dict[str, Any] = {"options": {"page_size": 1}}
_MEND = "mend what it names, then run `watersmeet sync catalog`"
_PART: dict[str, Any] = {"status": "DEGRADED", "remedy": _MEND}
_OTHER: dict[str, Any] = {
    "status": "REFUSED",
    "says": "no configuration of a DataHub",
    "remedy": "give the credential the named grant",
}
_tokens = count()


def _cursor(row: str) -> str:
    return base64.urlsafe_b64encode(orjson.dumps({"sort": [row]})).decode()


def _stuck(answer: Any) -> Any:
    return {**answer, "scrollId": _cursor("urn:li:a")}


def _endless(answer: Any) -> Any:
    return {"entities": [], "totalCount": 9, "scrollId": _cursor(f"urn:li:{next(_tokens):09}")}


def _circle(answer: Any) -> Any:
    return {**answer, "scrollId": _cursor(("urn:li:a", "urn:li:b")[next(_tokens) % 2])}


def _short(answer: Any) -> Any:
    return {**answer, "totalCount": 9_999}


def _rowless(answer: Any) -> Any:
    return {"totalCount": 3}


def _bent(done: str, bend: Callable[[Any], Any], says: str, remedy: str) -> Kind:
    return Kind(done, {"kind": "bent", "bend": bend}, "DEGRADED", says, remedy)


STUCK = _bent("answers with a cursor that leads nowhere", _stuck, "page again", _MEND)
CIRCLE = _bent("answers with cursors that lead in a circle", _circle, "page again", _MEND)
ENDLESS = _bent("answers empty pages and always promises another", _endless, "never end", _MEND)
SHORT = _bent("answers fewer entities than it counts", _short, "9999", _MEND)
ROWLESS = _bent("answers without entities", _rowless, "a page without `entities`", "report it with the kept sample")
LOST = Kind(
    "answers 500, its search context missing",
    {"status": 500, "body": '{"message": "all shards failed; nested: search context missing for id x"}'},
    "DEGRADED",
    "scroll_unstable|restart",
    "sync catalog",
)
GONE = Failure(
    "Nobody listens at the address",
    lambda house: None,
    FAILED,
    "UNREACHABLE",
    "nobody answers",
    "check that the address answers",
    Moment.NEXT,
    {"url": "http://127.0.0.1:1"},
)


def _hidden(type_name: str) -> Failure:
    return Failure(
        f"The grant to read entities of type {type_name} is taken away",
        lambda house: house.sandbox.hide(type_name),
        PARTIAL,
        "DEGRADED",
        f"GET_ENTITY on {type_name}",
        "GET_ENTITY",
    )


def _broken(done: str, aspect: str, value: Any, says: str) -> Failure:
    return Failure(
        done,
        lambda house: house.spoil(aspect, value),
        SUCCEEDED,
        "OK",
        says,
        "sources catalog",
    )


FAILURES: tuple[Failure, ...] = (
    GONE,
    *(_hidden(one) for one in ("dataset", "mlModel", "dashboard", "corpuser")),
    # What the server says of itself
    *(kind.at(*CONFIG, FAILED, FIRST) for kind in (UNKNOWN, FORBIDDEN, DOWN, BEHIND, SILENT, ELSEWHERE)),
    *(kind.at(*CONFIG, FAILED, FIRST, **_OTHER) for kind in (ARRAY, WORD, NULL, ERROR)),
    SIGN_ON.at(*CONFIG, FAILED, FIRST, says="wrong_url_or_proxy: a web page"),
    *(kind.at(*CONFIG, FAILED, NEXT) for kind in (THROTTLED, BANISHED, RESET, ABSENT)),
    *(kind.at(*CONFIG, FAILED) for kind in (BROKEN, TRUNCATED, BOMB, NESTED)),
    *(kind.at(*REGISTRY, FAILED, FIRST) for kind in (DOWN, SILENT, RESET)),
    *(kind.at(*REGISTRY, FAILED) for kind in (UNKNOWN, FORBIDDEN, SIGN_ON, BROKEN, TRUNCATED)),
    # Entities
    *(kind.at(*SCROLL, FAILED, FIRST) for kind in (UNKNOWN, ABSENT, TRUNCATED, DOWN)),
    *(
        kind.at(*SCROLL, PARTIAL, FIRST, skip=4, settings=_ONE_BY_ONE)
        for kind in (BEHIND, RESET, SILENT, THROTTLED, BANISHED)
    ),
    *(kind.at(*SCROLL, FAILED, skip=4, settings=_ONE_BY_ONE) for kind in (UNKNOWN, TRUNCATED)),
    *(kind.at(*SCROLL, PARTIAL, **_PART) for kind in (FORBIDDEN, REJECTED, SIGN_ON, STUCK, CIRCLE, ENDLESS, SHORT)),
    *(kind.at(*SCROLL, FAILED, says="a page without `entities`") for kind in (ARRAY, WORD, NULL, ERROR, ROWLESS)),
    *(kind.at(*SCROLL, FAILED) for kind in (NESTED, ELSEWHERE)),
    LOST.at(*SCROLL, PARTIAL, skip=4, settings=_ONE_BY_ONE),
    # Events of runs. A change log that fails is none of these: everything is read instead, and nothing is missing.
    *(kind.at(*SERIES, PARTIAL, **_PART) for kind in (FORBIDDEN, BROKEN)),
    # What stands in the catalogue
    _broken("Upstreams that are no list", "upstreamLineage", {"upstreams": 5}, "upstreams: it names no thing"),
    _broken("An upstream that is a number", "upstreamLineage", {"upstreams": [{"dataset": 5}]}, "it is no text"),
    _broken(
        "An upstream whose name is cut off",
        "upstreamLineage",
        {"upstreams": [{"dataset": "urn:li:data"}]},
        "a type and no thing of it",
    ),
)
