"""Sixty ways in which a Marquez server fails, and what is to be seen of each."""

from typing import Any

from .failures import Failure, Kind, Moment
from .house import FAILED, PARTIAL
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
FEED = ("GET /events/lineage", "events/lineage")
NAMESPACES = ("GET /namespaces", r"namespaces\?")
DATASETS = ("GET /datasets of one namespace", r"dbt/datasets\?")
JOBS = ("GET /jobs of one namespace", r"dbt/jobs\?")
_PAGES = {"options": {"page_size": 4}}
_PART: dict[str, Any] = {
    "status": "DEGRADED",
    "remedy": "mend what it names, then run `watersmeet sync pipelines`",
}


def _same(answer: Any) -> Any:
    return {"namespaces": [{"name": "dbt", "isHidden": False}] * 500, "totalCount": 9999}


def _bent(done: str, bend: Any, says: str) -> Kind:
    return Kind(done, {"kind": "bent", "bend": bend}, "DEGRADED", says, "report it with the kept sample")


SAME = _bent("answers every offset with the same full page", _same, "answers every offset with the same page")
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

FAILURES: tuple[Failure, ...] = (
    GONE,
    # The feed
    *(
        kind.at(*FEED, FAILED, FIRST)
        for kind in (UNKNOWN, FORBIDDEN, ABSENT, REJECTED, BROKEN, SIGN_ON, TRUNCATED, BOMB, ARRAY)
    ),
    *(
        kind.at(*FEED, PARTIAL, FIRST, skip=1, settings=_PAGES)
        for kind in (UNKNOWN, FORBIDDEN, THROTTLED, DOWN, RESET, TRUNCATED, NESTED, NULL)
    ),
    *(
        kind.at(*FEED, FAILED, NEXT)
        for kind in (UNKNOWN, BANISHED, BEHIND, SILENT, RESET, ELSEWHERE, WORD, ERROR, THROTTLED)
    ),
    *(kind.at(*FEED, FAILED) for kind in (DOWN, SIGN_ON, NESTED, BOMB)),
    # The lists
    *(
        kind.at(*NAMESPACES, PARTIAL, FIRST, **_PART)
        for kind in (UNKNOWN, FORBIDDEN, ABSENT, BROKEN, SIGN_ON, TRUNCATED, SAME)
    ),
    *(kind.at(*NAMESPACES, PARTIAL, **_PART) for kind in (THROTTLED, RESET, BOMB, NULL, NESTED, SILENT)),
    *(kind.at(*DATASETS, PARTIAL, FIRST, **_PART) for kind in (FORBIDDEN, BROKEN, ARRAY)),
    *(kind.at(*DATASETS, PARTIAL, **_PART) for kind in (UNKNOWN, BANISHED, RESET, SIGN_ON, ERROR)),
    *(kind.at(*JOBS, PARTIAL, FIRST, **_PART) for kind in (FORBIDDEN, BROKEN, TRUNCATED)),
    *(kind.at(*JOBS, PARTIAL, **_PART) for kind in (DOWN, SILENT, ELSEWHERE, NESTED, NULL)),
)
