"""Sixty ways in which an MLflow server fails, and what is to be seen of each."""

from itertools import count
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
EXPERIMENTS = ("POST /experiments/search", "experiments/search")
RUNS = ("POST /runs/search", "runs/search")
LOGGED = ("POST /logged-models/search", "logged-models/search")
VERSIONS = ("GET /model-versions/search", r"model-versions/search\?max")
MODELS = ("GET /registered-models/search", r"registered-models/search\?max")
PROMPTS = ("GET /model-versions/search for prompts", r"model-versions/search\?filter")
EVALUATIONS = ("POST /datasets/search", "datasets/search")
GATEWAY = ("GET /gateway/endpoints/list", "endpoints/list")
_ONE_BY_ONE = {"options": {"page_size": 1}}
_PART: dict[str, Any] = {
    "status": "DEGRADED",
    "remedy": "mend what it names, then run `watersmeet sync tracking`",
}
_tokens = count()


def _stuck(answer: Any) -> Any:
    return {**answer, "next_page_token": "again"}


def _endless(answer: Any) -> Any:
    return {"next_page_token": f"more-{next(_tokens)}"}


def _circle(answer: Any) -> Any:
    return {"next_page_token": ("one", "two")[next(_tokens) % 2]}


def _bent(done: str, bend: Any, says: str) -> Kind:
    return Kind(done, {"kind": "bent", "bend": bend}, "DEGRADED", says, "report it with the kept sample")


STUCK = _bent("answers with a token that leads nowhere", _stuck, "a token that it has given")
CIRCLE = _bent("answers with tokens that lead in a circle", _circle, "a token that it has given")
ENDLESS = _bent("answers empty pages and always promises another", _endless, "brought nothing in 100 pages")
HOST = Kind(
    "answers that it does not know its own name",
    {"status": 403, "body": "Invalid Host header - possible DNS rebinding attack detected"},
    "DEGRADED",
    "--allowed-hosts",
    "look at the log",
)
HIDDEN = Failure(
    "The grant to read the experiments is taken away (200 with nothing)",
    lambda house: house.sandbox.hidden.add("default"),
    PARTIAL,
    "DEGRADED",
    "no experiment is visible",
    "READ on experiments",
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

FAILURES: tuple[Failure, ...] = (
    GONE,
    HIDDEN,
    # The probe
    *(kind.at("GET /version", "/version", FAILED, FIRST) for kind in (UNKNOWN, FORBIDDEN, DOWN, SILENT, ELSEWHERE)),
    HOST.at("GET /version", "/version", FAILED, FIRST),
    *(kind.at("GET /server-info", "server-info", FAILED) for kind in (BROKEN, NESTED, ARRAY, ERROR)),
    # Experiments
    *(kind.at(*EXPERIMENTS, FAILED, FIRST) for kind in (FORBIDDEN, ABSENT, SIGN_ON, TRUNCATED)),
    *(kind.at(*EXPERIMENTS, FAILED, NEXT) for kind in (UNKNOWN, THROTTLED, BANISHED, RESET)),
    *(kind.at(*EXPERIMENTS, FAILED) for kind in (NULL, ARRAY, STUCK, ENDLESS, BOMB)),
    # Runs
    *(kind.at(*RUNS, PARTIAL, FIRST) for kind in (FORBIDDEN, BROKEN, SIGN_ON, REJECTED)),
    *(
        kind.at(*RUNS, PARTIAL, FIRST, skip=2, settings=_ONE_BY_ONE)
        for kind in (UNKNOWN, BEHIND, RESET, TRUNCATED, STUCK)
    ),
    *(kind.at(*RUNS, FAILED, NEXT) for kind in (DOWN, SILENT, WORD)),
    *(kind.at(*RUNS, FAILED) for kind in (THROTTLED, BOMB, NESTED, NULL, ERROR, CIRCLE)),
    # Logged models
    *(kind.at(*LOGGED, PARTIAL, **_PART) for kind in (UNKNOWN, FORBIDDEN, SIGN_ON, ARRAY, ERROR, STUCK)),
    *(kind.at(*LOGGED, FAILED) for kind in (BROKEN, RESET)),
    # The registry
    *(kind.at(*VERSIONS, PARTIAL, FIRST, **_PART) for kind in (FORBIDDEN, NESTED, NULL)),
    *(kind.at(*VERSIONS, PARTIAL, FIRST) for kind in (TRUNCATED, BANISHED)),
    *(kind.at(*MODELS, PARTIAL, NEXT, **_PART) for kind in (FORBIDDEN, REJECTED)),
    *(kind.at(*MODELS, FAILED) for kind in (DOWN, BOMB)),
    *(kind.at(*PROMPTS, PARTIAL, **_PART) for kind in (FORBIDDEN, ELSEWHERE, CIRCLE)),
    # What is small
    *(kind.at(*EVALUATIONS, PARTIAL, **_PART) for kind in (FORBIDDEN, WORD)),
    *(kind.at(*GATEWAY, PARTIAL, **_PART) for kind in (FORBIDDEN, SIGN_ON, ARRAY)),
)
