"""The ways in which any server over HTTP fails, and what is to be seen of each."""

from datetime import timedelta
from typing import Any

from .failures import Kind

TINY = {"http": {"page_bytes": 4_000_000}}
HASTY = {"http": {"timeout": "0.1s", "retries": 1}}
_GRANT = "give the credential the named grant"
_LATER = "try again later"
_REPORT = "report it with the kept sample"


def _array(answer: Any) -> Any:
    return [answer]


def _word(answer: Any) -> Any:
    return "ok"


def _nothing(answer: Any) -> Any:
    return None


def _error(answer: Any) -> Any:
    return {"error": "internal error", "status": 500}


UNKNOWN = Kind("answers 401", {"status": 401}, "REFUSED", "401 on", _GRANT)
FORBIDDEN = Kind("answers 403", {"status": 403}, "REFUSED", "403 on", _GRANT)
ABSENT = Kind("answers 404 with a page", {"status": 404}, "DEGRADED", "404 on", _REPORT)
REJECTED = Kind("answers 400", {"status": 400}, "DEGRADED", "400 on", _REPORT)
THROTTLED = Kind("answers 429 again and again", {"status": 429}, "UNREACHABLE", "429 on", _LATER)
BANISHED = Kind(
    "answers 429 and wants an hour of rest",
    {"status": 429, "headers": {"Retry-After": "3600"}},
    "UNREACHABLE",
    "asks us to come back at",
    _LATER,
)
BROKEN = Kind("answers 500", {"status": 500}, "UNREACHABLE", "500 on", _LATER)
BEHIND = Kind("answers 502", {"status": 502}, "UNREACHABLE", "502 on", _LATER)
DOWN = Kind("answers 503", {"status": 503}, "UNREACHABLE", "503 on", _LATER)
SILENT = Kind("answers too late", {"kind": "slow", "seconds": 0.5}, "UNREACHABLE", "no answer in time", _LATER, HASTY)
RESET = Kind("breaks off in its answer", {"kind": "reset"}, "UNREACHABLE", "broke off", _LATER)
TRUNCATED = Kind("answers half of its JSON", {"kind": "truncated"}, "UNREACHABLE", "was cut off", _LATER)
SIGN_ON = Kind("answers 200 with a page to sign in", {"kind": "html"}, "REFUSED", "a page to sign in", _GRANT)
BOMB = Kind("answers a gzip bomb of 32 MB", {"kind": "bomb"}, "UNREACHABLE", "larger than what is taken", _LATER, TINY)
NESTED = Kind("answers 100,000 lists in one another", {"kind": "nested"}, "DEGRADED", "stand in one another", _REPORT)
ELSEWHERE = Kind(
    "answers 302 to another host",
    {"status": 302, "headers": {"Location": "http://elsewhere.example/login"}},
    "REFUSED",
    "leads to",
    _GRANT,
)
ARRAY = Kind("answers a list instead of an object", {"kind": "bent", "bend": _array}, "DEGRADED", "answer", _REPORT)
WORD = Kind("answers a word instead of an object", {"kind": "bent", "bend": _word}, "DEGRADED", "answer", _REPORT)
NULL = Kind("answers null", {"kind": "bent", "bend": _nothing}, "DEGRADED", "answer", _REPORT)
ERROR = Kind("answers 200 with an error", {"kind": "bent", "bend": _error}, "DEGRADED", "answer", _REPORT)
HOUR = timedelta(hours=1)
