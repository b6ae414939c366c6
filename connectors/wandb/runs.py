"""What a project, a sweep and a run become: their records, and what a run read and wrote."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote

from ...federation.model import (
    AssetKind,
    Edge,
    EdgeKind,
    Evidence,
    Form,
    Json,
    Nature,
    Record,
    Role,
    Run,
    RunState,
    Scope,
    Skipped,
    Spelling,
)
from .artifacts import is_generated
from .config import Config
from .place import Place, Project, run_id, sweep_id, version_id
from .wire import field, kept, moment, prose, settings, text, texts

_STATES = {
    "pending": RunState.QUEUED,
    "running": RunState.RUNNING,
    "preempting": RunState.RUNNING,
    "finished": RunState.SUCCEEDED,
    "failed": RunState.FAILED,
    "crashed": RunState.FAILED,
    "killed": RunState.ABORTED,
    "preempted": RunState.ABORTED,
}
_OPEN = (RunState.QUEUED, RunState.RUNNING)
_SILENT = timedelta(minutes=5)
_MAKING, _JUDGING = 0, 1
"""The flows of a run: what it was evaluated on made nothing of the model that it wrote."""


@dataclass(frozen=True, slots=True)
class Told:
    """What one answer adds up to."""

    scopes: tuple[Scope, ...]
    skipped: tuple[Skipped, ...] = ()


def project(raw: Json, place: Place) -> Scope:
    """A project, or a registry."""
    one = Project.of(raw)
    record = Record(
        one.native_id,
        AssetKind.OTHER if one.is_registry else AssetKind.EXPERIMENT,
        prose(one.name) or one.id,
        subtype="registry" if one.is_registry else None,
        description=prose(raw, "description"),
        url=place.page(one.entity, one.name),
        created_at=moment(field(raw, "createdAt")),
        spellings=place.spellings("registry" if one.is_registry else "project", one.id, one.path),
        facets=_owned(raw) | {"wandb": {"entity": one.entity}},
    )
    return Scope(one.native_id, (record,))


def sweep(raw: Json, home: Project, place: Place) -> Scope:
    """A sweep: a part of its project that holds runs."""
    native_id = sweep_id(text(raw, "id"))
    name = text(raw, "name")
    record = Record(
        native_id,
        AssetKind.EXPERIMENT,
        prose(raw, "displayName") or name,
        subtype="sweep",
        description=prose(raw, "description"),
        url=place.page(home.entity, home.name, "sweeps", name),
        created_at=moment(field(raw, "createdAt")),
        spellings=place.spellings("sweep", text(raw, "id"), f"{home.path}/{name}"),
        facets={"wandb": {"method": text(raw, "method"), "config": settings(text(raw, "config")[:10_000])}},
    )
    edge = Edge(native_id, home.native_id, EdgeKind.PART_OF)
    return Scope(f"{home.family('sweep')}/{text(raw, 'id')}", (record,), (edge,))


def run(raw: Json, inputs: Sequence[Json], outputs: Sequence[Json], home: Project, place: Place) -> Told:
    """A run with everything that it used and logged: edges `{usedAs, node}` of the two connections."""
    return _Run(raw, inputs, outputs, home, place).told()


class _Run:
    """One run, being translated."""

    def __init__(self, raw: Json, inputs: Sequence[Json], outputs: Sequence[Json], home: Project, place: Place) -> None:
        self._raw = raw
        self._home = home
        self._place = place
        self._native_id = run_id(text(raw, "id"))
        self._inputs = self._wanted(inputs)
        self._outputs = self._wanted(outputs)
        self._state = _STATES.get(text(raw, "state"), RunState.UNKNOWN)
        self._started_at = moment(field(raw, "createdAt"))
        self._heard_at = moment(field(raw, "heartbeatAt"))
        self._config = Config.of(raw, self._native_id, place.options)

    def told(self) -> Told:
        """The run's own scope, and those of the job and the code that many runs share."""
        code, job = self._code(), self._job()
        scopes = [Scope(one.native_id, (one,)) for one in (code, job) if one is not None]
        edges = (*self._structure(job), *self._reads(code), *self._writes())
        key = f"{self._home.family('run')}/{text(self._raw, 'id')}"
        scopes.append(Scope(key, (self._record(),), edges, Nature.HAPPENED))
        return Told(tuple(scopes), self._config.skipped)

    def _wanted(self, edges: Sequence[Json]) -> list[Json]:
        known = [one for one in edges if text(one, "node", "id")]
        if self._place.options.generated:
            return known
        return [one for one in known if not is_generated(field(one, "node"))]

    def _record(self) -> Record:
        raw, home, place = self._raw, self._home, self._place
        name, is_open = text(raw, "name"), self._state in _OPEN
        return Record(
            self._native_id,
            AssetKind.RUN,
            prose(raw, "displayName") or name,
            subtype=prose(raw, "jobType"),
            description=prose(raw, "notes") or prose(raw, "description"),
            url=place.page(home.entity, home.name, "runs", name),
            created_at=self._started_at,
            # What moves while it runs is no change of what is told.
            updated_at=None if is_open else moment(field(raw, "updatedAt")),
            run=Run(self._state, self._started_at, None if is_open else self._heard_at),
            spellings=(
                *place.spellings("run", text(raw, "id"), f"{home.path}/{name}"),
                *self._config.spellings(texts(field(raw, "tags"))),
            ),
            facets=self._facets(is_open=is_open),
        )

    def _facets(self, *, is_open: bool) -> dict[str, Json]:
        raw = self._raw
        facets = _owned(raw) | self._config.facets()
        if tags := texts(field(raw, "tags")):
            facets["tags"] = [{"key": kept(one)} for one in tags]
        own: dict[str, Json] = {"state": text(raw, "state"), "entity": self._home.entity, "project": self._home.name}
        for name in ("group", "jobType", "sweepName", "host"):
            if written := prose(raw, name):
                own[name] = written
        if field(raw, "exitcode") is not None:
            own["exitcode"] = field(raw, "exitcode")
        if not is_open and self._heard_at is not None:
            own["ended_at_is"] = text(raw, "heartbeatIs") or "the last heartbeat: Weights & Biases tells no end"
        if is_open and self._heard_at is not None and self._place.now - self._heard_at > _SILENT:
            own["stale"] = True
        if roles := {text(one, "node", "id"): used for one in self._inputs if (used := texts(field(one, "usedAs")))}:
            own["used_as"] = roles
        own |= self._config.own
        facets["wandb"] = own
        return facets

    def _structure(self, job: Record | None) -> Iterator[Edge]:
        started = self._started_at
        yield Edge(self._native_id, self._home.native_id, EdgeKind.PART_OF, valid_from=started)
        if sweep_of := text(self._raw, "sweep", "id"):
            yield Edge(self._native_id, sweep_id(sweep_of), EdgeKind.PART_OF, valid_from=started)
        if job is not None:
            yield Edge(self._native_id, job.native_id, EdgeKind.RUN_OF, valid_from=started)

    def _job(self) -> Record | None:
        """What it was a run of: the kind of job and the program, as far as they are told."""
        kind, program = prose(self._raw, "jobType") or "", prose(self._raw, "runInfo", "program") or ""
        if program.startswith("<"):
            program = ""  # the client's word for a notebook or a shell
        name = " ".join(part for part in (kind, program) if part)
        if not name:
            return None
        return Record(
            f"job/{self._home.id}/{kind}|{program}",
            AssetKind.JOB,
            name,
            subtype="wandb",
            # Encoded: with a slash in it, it would be a path that people write, and those may be given anew.
            spellings=self._place.spellings("job", quote(f"{self._home.id}|{kind}|{program}", safe="|")),
            facets={"wandb": {"jobType": kind, "program": program, "project": self._home.path}},
        )

    def _code(self) -> Record | None:
        info = field(self._raw, "runInfo", "git")
        commit = text(self._raw, "commit") or text(info, "commit")
        remote = prose(info, "remote") or prose(self._raw, "github") or ""
        if not commit:
            return None
        name = remote.rstrip("/").removesuffix(".git").rpartition("/")[2].rpartition(":")[2] or "code"
        # A commit of a repository that nobody names is one of this project only.
        return Record(
            f"git/{remote or self._home.native_id}@{commit}",
            AssetKind.CODE,
            f"{name}@{commit[:12]}",
            subtype="git",
            spellings=(Spelling(Form.GIT, (remote, commit)),) if remote else (),
            facets={"repository": remote, "commit": commit},
        )

    def _reads(self, code: Record | None) -> Iterator[Edge]:
        for one in self._inputs:
            role = role_of(texts(field(one, "usedAs")))
            flow = _JUDGING if role is Role.EVALUATION else _MAKING
            yield self._edge(version_id(text(one, "node", "id")), EdgeKind.READ, flow, role)
        if code is not None:
            for flow in sorted(self._flows()):
                yield self._edge(code.native_id, EdgeKind.READ, flow, Role.CODE)

    def _writes(self) -> Iterator[Edge]:
        for one in self._outputs:
            yield self._edge(version_id(text(one, "node", "id")), EdgeKind.WRITE, self._flow_of(one), None)

    def _flow_of(self, output: Json) -> int:
        """Where all that was read was for judging, what comes out (but a model) came from it."""
        judged = [role_of(texts(field(one, "usedAs"))) is Role.EVALUATION for one in self._inputs]
        is_model = text(output, "node", "artifactType", "name").lower() == "model"
        return _JUDGING if judged and all(judged) and not is_model else _MAKING

    def _flows(self) -> set[int]:
        """The flows of what came out, else of what went in: code takes part in each."""
        written = {self._flow_of(one) for one in self._outputs}
        read = {
            _JUDGING if role_of(texts(field(one, "usedAs"))) is Role.EVALUATION else _MAKING for one in self._inputs
        }
        return written | read or {_MAKING}

    def _edge(self, other: str, kind: EdgeKind, flow: int, role: Role | None) -> Edge:
        upstream, downstream = (other, self._native_id) if kind is EdgeKind.READ else (self._native_id, other)
        failed = self._state in (RunState.FAILED, RunState.ABORTED)
        return Edge(
            upstream,
            downstream,
            kind,
            role=role,
            flow=flow,
            evidence=Evidence.OBSERVED,
            outcome=self._state if failed else None,
            valid_from=self._started_at,
        )


def role_of(used_as: Sequence[str]) -> Role | None:
    """What a use was for, by the word that the run gave it."""
    said = " ".join(used_as).lower()
    for sign, role in (
        ("eval", Role.EVALUATION),
        ("valid", Role.EVALUATION),
        ("test", Role.EVALUATION),
        ("train", Role.TRAINING),
        ("infer", Role.INFERENCE),
        ("predict", Role.INFERENCE),
        ("feature", Role.FEATURE),
        ("prompt", Role.PROMPT),
        ("refer", Role.REFERENCE),
        ("baseline", Role.REFERENCE),
    ):
        if sign in said:
            return role
    return None


def heard(raw: Json) -> datetime | None:
    """The latest time that a run tells of itself."""
    told = [moment(field(raw, name)) for name in ("heartbeatAt", "createdAt", "updatedAt")]
    return max((at for at in told if at is not None), default=None)


def _owned(raw: Json) -> dict[str, Json]:
    user = prose(raw, "user", "username")
    return {"owners": [{"name": user}]} if user else {}
