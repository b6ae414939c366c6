"""Sixty and more ways in which Weights & Biases fails, and what is to be seen of each."""

import base64
from collections.abc import Callable
from typing import Any

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
    TINY,
    TRUNCATED,
    UNKNOWN,
    WORD,
)

FIRST, NEXT, AGAIN = Moment.FIRST, Moment.NEXT, Moment.AGAIN
VIEWER = ("The question for the key's owner", "Viewer")
PROJECTS = ("The question for projects", "Projects")
RUNS = ("The question for runs", "ProjectPage")
MEMBERS = ("The question for versions", "Memberships")
MANIFEST = ("The question for a manifest", "Manifest")
BESIDES = ("The question for reports and queues", "Besides")
_ONE_BY_ONE: dict[str, Any] = {"options": {"page_size": 1}}
_MEND = "mend what it names, then run `watersmeet sync experiments`"
_GRANT = "give the credential the named grant"
_PART: dict[str, Any] = {"status": "DEGRADED", "remedy": _MEND}
_ASIDE: dict[str, Any] = {"status": "OK", "remedy": "sources experiments"}


def _offset(at: int) -> str:
    return base64.b64encode(f"arrayconnection:{at}".encode()).decode()


def _info(answer: Any, *names: str, **told: Any) -> Any:
    """The answer with another end of its page."""
    here = answer["data"]
    for name in names:
        here = here[name]
    here["pageInfo"] |= {"hasNextPage": True, **told}
    return answer


def _paged(done: str, says: str, *names: str, cursor: Callable[[], str | None]) -> Kind:
    def bend(answer: Any) -> Any:
        return _info(answer, *names, endCursor=cursor())

    return Kind(done, {"kind": "bent", "bend": bend}, "DEGRADED", says, _MEND)


def _error(message: str, code: str = "", *path: str | int) -> dict[str, Any]:
    return {"message": message, "path": list(path), "extensions": {"code": code}}


def _refused(done: str, errors: list[dict[str, Any]], status: str, says: str, remedy: str) -> Kind:
    def bend(_: Any) -> Any:
        return {"data": None, "errors": errors}

    return Kind(done, {"kind": "bent", "bend": bend}, status, says, remedy)


def _beside(answer: Any) -> Any:
    """A part of the answer is missing, and an error says so."""
    answer["data"]["project"]["sweeps"] = None
    return {**answer, "errors": [_error("sweeps cannot be counted", "INTERNAL", "project", "sweeps")]}


def _viewerless(answer: Any) -> Any:
    return {"data": {**answer["data"], "viewer": None}}


def _projectless(answer: Any) -> Any:
    return {"data": {"project": None}}


def _overcounted(answer: Any) -> Any:
    answer["data"]["project"]["runCount"] += 3
    return answer


STUCK_RUNS = _paged(
    "says that there is more, and where it was", "does not say where", "project", "runs", cursor=lambda: _offset(-1)
)
LOST_RUNS = _paged(
    "says that there is more, and no cursor", "does not say where", "project", "runs", cursor=lambda: None
)
STUCK = _paged(
    "says that there is more, and where it was",
    "does not say where",
    "artifactCollection",
    "artifactMemberships",
    cursor=lambda: _offset(-1),
)
LOST = _paged(
    "says that there is more, and no cursor",
    "does not say where",
    "artifactCollection",
    "artifactMemberships",
    cursor=lambda: None,
)
NOBODY = Kind(
    "answers 200 with viewer: null", {"kind": "bent", "bend": _viewerless}, "REFUSED", "the key is nobody's", _GRANT
)
HIDDEN = Kind(
    "answers 200 with project: null", {"kind": "bent", "bend": _projectless}, "DEGRADED", "inaccessible", _MEND
)
HALF = Kind(
    "answers with errors beside a part",
    {"kind": "bent", "bend": _beside},
    "DEGRADED",
    "sweeps cannot be counted",
    _MEND,
)
FEWER = Kind(
    "shows fewer runs than it counts", {"kind": "bent", "bend": _overcounted}, "DEGRADED", "runs are shown", _MEND
)
DENIED = _refused(
    "answers 200 with PERMISSION_ERROR alone",
    [_error("permission denied", "PERMISSION_ERROR")],
    "REFUSED",
    "permission denied",
    _GRANT,
)
TIMED_OUT = _refused(
    "answers 200 with a timeout alone",
    [_error("query timed out", "INTERNAL")],
    "UNREACHABLE",
    "timed out",
    "try again later",
)
ODD = _refused(
    "answers 200 with an error nobody knows", [_error("no such moon")], "DEGRADED", "no such moon", "kept sample"
)
UNFIT = _refused(
    "answers that it does not know a field that is needed",
    [_error('Cannot query field "runs" on type "Project".')],
    "DEGRADED",
    "Cannot query field",
    "kept sample",
)
RATED = Kind(
    "answers 429 with RateLimit-Reset again and again",
    {"status": 429, "headers": {"RateLimit-Reset": "2", "RateLimit-Remaining": "0"}},
    "UNREACHABLE",
    "429 on",
    "try again later",
)
GONE = Failure(
    "Nobody listens at the address",
    lambda house: None,
    FAILED,
    "UNREACHABLE",
    "nobody answers",
    "check that the address answers",
    NEXT,
    {"url": "http://127.0.0.1:1", "also": []},
)


def _key(done: str, key: str, status: str, says: str, remedy: str, *, refuses: bool = False) -> Failure:
    def strike(house: Any) -> None:
        house.sandbox.refuses_keys = refuses

    return Failure(done, strike, FAILED, status, says, remedy, NEXT, {"key": key})


def _stored(done: str, says: str, **fault: Any) -> Failure:
    """A failure of the object store, where manifests lie."""
    settings = fault.pop("settings", {})
    return Failure(
        f"The store of manifests {done}",
        lambda house: house.sandbox.storage.fail("wandb_manifest", **{"times": 10_000, **fault}),
        SUCCEEDED,
        says=says,
        settings=settings,
        **_ASIDE,
    )


def _down(done: str, says: str, **fault: Any) -> Failure:
    """The object store in trouble: it is asked no more, and the rest is read."""
    return Failure(
        f"The store of manifests {done}",
        lambda house: house.sandbox.storage.fail("wandb_manifest", **{"times": 10_000, **fault}),
        PARTIAL,
        "DEGRADED",
        says,
        _MEND,
    )


def _odd(done: str, strike: Callable[[Any], object], says: str) -> Failure:
    """Told in a way that cannot be, and of no weight for lineage: it is noted."""
    return Failure(done, strike, SUCCEEDED, "OK", says, "", AGAIN, harmless=True)


def _unlisted(done: str, also: list[str]) -> Failure:
    return Failure(done, lambda house: None, SUCCEEDED, says="is not asked", settings={"also": also}, **_ASIDE)


def _manifest(done: str, body: str, says: str) -> Failure:
    return _stored(f"answers {done}", says, status=200, body=body)


def _access(done: str, access: str, says: str) -> Failure:
    return Failure(
        done,
        lambda house: house.sandbox.world.hide_project("acme/churn", access),
        PARTIAL,
        "DEGRADED",
        says,
        "access to acme/churn",
        NEXT,
    )


FAILURES: tuple[Failure, ...] = (
    GONE,
    # The key
    _key("A key of another instance (viewer: null)", "x" * 40, "REFUSED", "the key is nobody's", _GRANT),
    _key("A key that was revoked (401)", "x" * 40, "REFUSED", "401 on", _GRANT, refuses=True),
    _key("A key that was cut off", "x" * 20, "DEGRADED", "40 characters or more", "look at the log"),
    *(kind.at(*VIEWER, FAILED, FIRST) for kind in (NOBODY, UNKNOWN, FORBIDDEN, DOWN, SILENT, SIGN_ON, ELSEWHERE)),
    *(kind.at(*VIEWER, FAILED, NEXT) for kind in (RATED, BANISHED, RESET, TRUNCATED, ABSENT, DENIED, TIMED_OUT)),
    *(kind.at(*VIEWER, FAILED) for kind in (ARRAY, WORD, NULL, ERROR, NESTED, BOMB)),
    # Projects
    *(kind.at(*PROJECTS, FAILED, FIRST) for kind in (BROKEN, TRUNCATED)),
    *(kind.at(*PROJECTS, FAILED) for kind in (BEHIND, THROTTLED, UNKNOWN)),
    *(kind.at(*PROJECTS, PARTIAL, **_PART) for kind in (FORBIDDEN, REJECTED, ODD)),
    _access("The project is hidden (project: null)", "hidden", "inaccessible"),
    _access("The project is denied (an error)", "denied", "inaccessible"),
    Failure(
        "The project is hidden (it is listed no more)",
        lambda house: house.sandbox.world.hide_project("acme/churn"),
        SUCCEEDED,
        "DEGRADED",
        "refused now, not gone",
        "grant READ on what was read before",
    ),
    # Runs
    *(kind.at(*RUNS, PARTIAL, FIRST) for kind in (DOWN, RESET)),
    *(kind.at(*RUNS, PARTIAL, FIRST, skip=3, settings=_ONE_BY_ONE) for kind in (RATED, BANISHED, BEHIND, SILENT)),
    *(kind.at(*RUNS, FAILED, skip=3, settings=_ONE_BY_ONE) for kind in (TRUNCATED, TIMED_OUT, UNKNOWN)),
    *(
        kind.at(*RUNS, PARTIAL, **_PART)
        for kind in (FORBIDDEN, SIGN_ON, REJECTED, HIDDEN, HALF, STUCK_RUNS, LOST_RUNS, FEWER)
    ),
    *(kind.at(*RUNS, PARTIAL, **_PART) for kind in (UNFIT, ODD, DENIED, NESTED)),
    # Versions and their manifests
    *(kind.at(*MEMBERS, PARTIAL, **_PART) for kind in (FORBIDDEN, STUCK, LOST, ODD)),
    *(kind.at(*MEMBERS, FAILED) for kind in (BROKEN, RATED)),
    *(kind.at(*MANIFEST, SUCCEEDED, **_ASIDE) for kind in (FORBIDDEN, ODD, DENIED)),
    _stored("answers 403 with XML", "403 on", status=403, body="<Error><Code>AccessDenied</Code></Error>"),
    _stored("answers that the address is over", "403 on", status=403, body="<Error>Request has expired</Error>"),
    _stored("answers 404", "404 on", status=404),
    _manifest("a page", "<html>hello</html>", "no contents"),
    _manifest("half of a manifest", '{"version": 1, "contents": {"a.csv": {"digest": "x', "breaks off"),
    _manifest("a manifest without contents", '{"version": 1}', "no contents"),
    _manifest("lists in one another", '{"contents": {"a": ' + "[" * 100_000, "breaks off"),
    _stored("answers 503 for one of them again and again", "503 on", status=503, times=6),
    _down("answers 503 again and again", "not asked any more.*503 on", status=503),
    _down("breaks off in its answer", "not asked any more.*broke off", kind="reset"),
    _stored("answers a gzip bomb of 32 MB", "larger than what is taken", kind="bomb", settings=TINY),
    _unlisted("The store of manifests is not listed", []),
    _unlisted("The store of manifests is listed on another port", ["http://127.0.0.1:9"]),
    # What is told in a way that cannot be
    _odd(
        "The config of a run is malformed JSON",
        lambda house: house.spoil(house.newest(), config_text='{"lr": {"value": 1'),
        "config of run/.* cannot be read .*the text is kept",
    ),
    _odd(
        "The summary of a run holds NaN and Infinity",
        lambda house: house.spoil(house.newest(), summary_text='{"loss": NaN, "best": -Infinity, "auc": 0.9}'),
        "summaryMetrics of run/.* holds numbers that are none",
    ),
    _odd(
        "A manifest does not add up to the digest of its version",
        lambda house: house.spoil(next(iter(house.sandbox.world.artifacts.values())), digest="0" * 32),
        "do not add up to the digest",
    ),
    _odd(
        "The server is old: it does not know the algorithm of digests",
        lambda house: house.sandbox.lack("Artifact.digestAlgorithm"),
        "field Artifact.digestAlgorithm.*does not know the field",
    ),
    # Beside the runs
    *(kind.at(*BESIDES, PARTIAL, **_PART) for kind in (FORBIDDEN, ODD, DENIED)),
)
