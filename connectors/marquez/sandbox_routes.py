"""Which call of Marquez' API is answered how."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from .sandbox_graph import Graph, NoNode
from .sandbox_intake import Intake, Refused, moment, parsed
from .sandbox_shapes import Shapes, fed
from .sandbox_things import Dataset, Job, Row
from .sandbox_world import ASKABLE, World

Params = Mapping[str, str]
_FOR_EVER = datetime(2030, 1, 1, tzinfo=UTC)
_SINCE_EVER = datetime(1970, 1, 1, tzinfo=UTC)
_LISTS = ("jobs", "namespaces", "sources", "tags")


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; `body` None: a page if it is an error, else nothing."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


class Failed(Exception):
    """An answer that ends the work."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


def missing(message: str = "HTTP 404 Not Found") -> Failed:
    """404 as JSON."""
    return Failed(Reply(404, {"code": 404, "message": message}))


class Routes:
    """The API under /api/v1. `is_unstable`: what has one time or moved comes in another order each time, as the
    missing tie-break allows."""

    def __init__(
        self, world: World, address: Callable[[], str], *, is_unstable: bool = False, is_fork: bool = False
    ) -> None:
        self.world = world
        self.is_unstable = is_unstable
        self._is_fork = is_fork
        self._address = address
        self._shapes = Shapes(world)
        self._graph = Graph(world, self._shapes)
        self._intake = Intake(world)
        self._logged = itertools.count(1)
        self._asked = itertools.count()

    def answer(self, method: str, path: Sequence[str], params: Params, body: bytes, content_type: str) -> Reply:
        """Answer one call; `path` are the decoded segments."""
        try:
            return self._answer(method, path, params, body, content_type)
        except Failed as failed:
            return failed.reply
        except Refused as refused:
            return Reply(refused.status, refused.body)
        except NoNode as error:
            if error.broken:
                return self._broken()
            return missing(error.message or "HTTP 404 Not Found").reply

    def _answer(self, method: str, path: Sequence[str], params: Params, body: bytes, content_type: str) -> Reply:
        match [method, *path]:
            case ["POST", "lineage"]:
                if content_type.partition(";")[0].strip() != "application/json":
                    raise Failed(Reply(415, {"code": 415, "message": "HTTP 415 Unsupported Media Type"}))
                self._intake.post(body)
                return Reply(201)
            case ["GET", "events", "lineage"]:
                return Reply(200, self._events(params))
            case ["GET", "lineage"]:
                return Reply(200, self._graph.lineage(_needed(params, "nodeId"), _number(params, "depth", 20)))
            case ["GET", "column-lineage"]:
                return Reply(200, self._graph.columns(_needed(params, "nodeId")))
            case ["GET", "runlineage", "upstream"]:
                return (
                    self._broken() if params.get("runId") in self.world.runs else self._no_run(params.get("runId", ""))
                )
            case ["GET", "search"]:
                return Reply(200, self._search(params))
            case ["GET", "search", "simple"] if self._is_fork:
                return Reply(200, {"totalCount": 0, "results": []})
            case ["GET", "jobs", "runs", run_id]:
                return self._run(run_id)
            case ["GET", "jobs", "runs", run_id, "facets"]:
                return self._run_facets(run_id, params)
            case [_, ("jobs" | "namespaces" | "sources" | "tags") as what]:
                return self._list(method, what, params)
            case ["GET", "sources", name] if name in self.world.sources:
                return Reply(200, self._shapes.source(name))
            case ["PUT", "tags", name]:
                return self._put_tag(name, body)
            case [_, "namespaces", name, *rest]:
                return self._namespace(method, name, rest, params)
            case _:
                raise missing()

    # Lists

    def _list(self, method: str, what: str, params: Params) -> Reply:
        if method != "GET":
            raise Failed(Reply(405, {"code": 405, "message": "HTTP 405 Method Not Allowed"}, {"Allow": "GET,OPTIONS"}))
        if what in self.world.poisoned:
            return self._broken()
        match what:
            case "namespaces":
                rows = [self._shapes.namespace(name) for name in sorted(self.world.namespaces)]
                return Reply(200, {"namespaces": _page(rows, params)})
            case "sources":
                rows = [self._shapes.source(name) for name in sorted(self.world.sources)]
                return Reply(200, {"sources": _page(rows, params)})
            case "tags":
                rows = [
                    {"name": name, "description": told} for name, told in sorted(self.world.tags.items(), key=_folded)
                ]
                return Reply(200, {"tags": _page(rows, params)})
            case _:
                return self._jobs(self.world.listed_jobs(), params)

    def _jobs(self, jobs: list[Job], params: Params) -> Reply:
        states = params.get("lastRunStates")
        wanted = [job for job in jobs if states is None or self._last_state(job) in (None, *states.split(","))]
        return Reply(200, {"totalCount": len(jobs), "jobs": [self._shapes.job(one) for one in _page(wanted, params)]})

    def _last_state(self, job: Job) -> str | None:
        return self._shapes.job(job)["latestRun"]["state"] if job.runs else None

    def _events(self, params: Params) -> Row:
        after, before = _time(params, "after", _SINCE_EVER), _time(params, "before", _FOR_EVER)
        direction = params.get("sortDirection", "desc").upper()
        if direction not in ("ASC", "DESC"):
            raise _bad("query param sortDirection must be one of [DESC, ASC]")
        inside = [one for one in self.world.events if after <= one[0] < before]
        told = [one for one in inside if one[1] == "run"]
        if self.is_unstable and next(self._asked) % 2:
            told.reverse()
        told.sort(key=lambda one: one[0], reverse=direction == "DESC")
        page = _page(told, params)
        # The number counts every kind of event, the list holds those of runs alone.
        return {"totalCount": len(inside), "events": [fed(at, event) for at, _, event in page]}

    def _search(self, params: Params) -> Row:
        if params.get("sort", "name").upper() not in ("NAME", "UPDATE_AT"):
            raise _bad("query param sort must be one of [NAME, UPDATE_AT]")
        wanted, text = params.get("filter"), _needed(params, "q").lower()
        things: list[tuple[str, Dataset | Job]] = [
            *(("DATASET", one) for pair, one in self.world.datasets.items() if pair == (one.namespace, one.name)),
            *(("JOB", one) for one in self.world.jobs.values()),
        ]
        found = [
            {
                "type": kind,
                "name": one.name,
                "updatedAt": self._shapes.job(one)["updatedAt"]
                if isinstance(one, Job)
                else self._shapes.dataset(one)["updatedAt"],
                "namespace": one.namespace,
                "nodeId": f"{kind.lower()}:{one.namespace}:{one.name}",
            }
            for kind, one in things
            if text in one.name.lower() and not one.hidden and wanted in (None, kind)
        ]
        key = "updatedAt" if params.get("sort", "name").upper() == "UPDATE_AT" else "name"
        rows = _page(sorted(found, key=lambda row: row[key]), {"limit": params.get("limit", "10")})
        return {"totalCount": len(rows), "results": rows}

    # One thing

    def _run(self, run_id: str) -> Reply:
        if f"run/{run_id}" in self.world.poisoned:
            return self._broken()
        if run_id not in self.world.runs:
            return self._no_run(run_id)
        return Reply(200, self._shapes.run(self.world.runs[run_id]))

    def _no_run(self, run_id: str) -> Reply:
        return missing(f"Run '{run_id}' not found." if len(run_id) == 36 else "HTTP 404 Not Found").reply

    def _run_facets(self, run_id: str, params: Params) -> Reply:
        kind = _needed(params, "type")
        run = self.world.runs.get(run_id)
        if run is None:
            return self._no_run(run_id)
        return Reply(200, {"runId": run_id, "facets": run.facets if kind == "run" else run.job_facets})

    def _put_tag(self, name: str, body: bytes) -> Reply:
        described = parsed(body).get("description")
        self.world.tags[name] = described
        return Reply(200, {"name": name, "description": described})

    def _namespace(self, method: str, name: str, rest: Sequence[str], params: Params) -> Reply:
        if not ASKABLE.fullmatch(name):
            raise missing()
        match [method, *rest]:
            case ["GET"]:
                self._known(name)
                return Reply(200, self._shapes.namespace(name))
            case ["DELETE"]:
                self._known(name)
                before = self._shapes.namespace(name)
                self.world.hide_namespace(name)
                return Reply(200, before)
            case ["GET", "datasets"]:
                self._known(name)
                datasets = self.world.listed_datasets(name)
                rows = [self._shapes.dataset(one) for one in _page(datasets, params)]
                return Reply(200, {"totalCount": len(datasets), "datasets": rows})
            case ["GET", "jobs"]:
                if f"jobs/{name}" in self.world.poisoned:
                    return self._broken()
                return self._jobs(self.world.listed_jobs(name), params)
            case [_, "datasets", dataset, *more]:
                return self._dataset(method, name, dataset, more, params)
            case [_, "jobs", job, *more]:
                return self._job(method, name, job, more, params)
            case _:
                raise missing()

    def _known(self, name: str) -> None:
        if name not in self.world.namespaces:
            raise missing(f"Namespace '{name}' not found.")

    def _dataset(self, method: str, namespace: str, name: str, rest: Sequence[str], params: Params) -> Reply:
        one = self.world.datasets.get((namespace, name))
        if one is None or one.hidden:
            raise missing(f"Dataset '{name}' not found.")
        match [method, *rest]:
            case ["GET"]:
                return Reply(200, self._shapes.dataset(one, (namespace, name)))
            case ["DELETE"]:
                shown = self._shapes.tagged_dataset(one)
                one.hidden = True
                return Reply(200, shown)
            case ["GET", "versions"]:
                rows = [self._shapes.dataset_version(one, version) for version in reversed(one.versions)]
                return Reply(200, {"versions": _page(rows, params), "totalCount": len(rows)})
            case [("POST" | "DELETE"), "tags", tag]:
                self._tag(one.tags, tag, method)
                return Reply(200, self._shapes.tagged_dataset(one))
            case [("POST" | "DELETE"), "fields", column, "tags", tag]:
                row = next((row for row in one.fields if row["name"] == column), None)
                if row is None:
                    raise missing(f"Field '{column}' not found for dataset '{name}'.")
                self._tag(row["tags"], tag, method)
                return Reply(200, self._shapes.tagged_dataset(one))
            case _:
                raise missing()

    def _job(self, method: str, namespace: str, name: str, rest: Sequence[str], params: Params) -> Reply:
        if f"job/{namespace}/{name}" in self.world.poisoned:
            return self._broken()
        one = self.world.jobs.get((namespace, name))
        if one is None or one.hidden:
            raise missing(f"Job '{name}' not found.")
        if one.symlink is not None and method == "GET":
            return self._moved(one.symlink, rest)
        match [method, *rest]:
            case ["GET"]:
                return Reply(200, self._shapes.job(one))
            case ["DELETE"]:
                shown = self._shapes.job(one)
                one.hidden = True
                return Reply(200, shown)
            case ["GET", "versions"]:
                rows = [self._shapes.job_version(one, version) for version in reversed(one.versions)]
                return Reply(200, {"versions": _page(rows, params)})
            case ["GET", "runs"]:
                rows = self._shapes.runs(one)
                return Reply(200, {"runs": _page(rows, params), "totalCount": len(rows)})
            case [("POST" | "DELETE"), "tags", tag]:
                self._tag(one.tags, tag, method)
                return Reply(200, self._shapes.bare_job(one))
            case _:
                raise missing()

    def _moved(self, target: tuple[str, str], rest: Sequence[str]) -> Reply:
        segments = ["api", "v1", "namespaces", target[0], "jobs", target[1], *rest]
        location = self._address() + "".join(f"/{quote(one, safe='')}" for one in segments)
        return Reply(301, None, {"Location": location})

    def _tag(self, tags: list[str], tag: str, method: str) -> None:
        self.world.tags.setdefault(tag, None)
        if method == "POST" and tag not in tags:
            tags.append(tag)
        elif method == "DELETE" and tag in tags:
            tags.remove(tag)

    def _broken(self) -> Reply:
        message = f"There was an error processing your request. It has been logged (ID {next(self._logged):016x})."
        return Reply(500, {"code": 500, "message": message})


def _folded(item: tuple[str, Any]) -> str:
    return item[0].lower()


def _bad(message: str) -> Failed:
    return Failed(Reply(400, {"code": 400, "message": message}))


def _needed(params: Params, name: str) -> str:
    if name not in params:
        raise Failed(Reply(400, {"errors": [f"query param {name} must not be null"]}))
    return params[name]


def _number(params: Params, name: str, default: int) -> int:
    text = params.get(name, str(default))
    if not text.lstrip("-").isdigit():
        raise missing()
    return int(text)


def _page(rows: Sequence[Any], params: Params) -> list[Any]:
    limit, offset = _number(params, "limit", 100), _number(params, "offset", 0)
    for name, value in (("limit", limit), ("offset", offset)):
        if value < 0:
            raise Failed(Reply(400, {"errors": [f"query param {name} must be greater than or equal to 0"]}))
    return list(rows[offset : offset + limit])


def _time(params: Params, name: str, default: datetime) -> datetime:
    if name not in params:
        return default
    try:
        return moment(params[name])
    except ValueError as error:
        raise _bad(f"Parameter is invalid: {error}") from error
