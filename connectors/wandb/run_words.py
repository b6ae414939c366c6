"""What a run, or a job that stands for its runs, says in Weights & Biases: config, summary, tags, state, code."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, cast

from ...federation.dossier import Dossier, edge_fact
from ...federation.model import AssetKind, Edge, EdgeKind, Json, Record, RunState
from .calling import STATES, own
from .verdicts import Said
from .wire import parameter
from .written import RunAt, entity_mark

_KEPT = "kept in the run's config under _watersmeet"
_TAG = 64
_HELD_OF_OWN = {"state", "group", "jobType", "host", "entity", "project", "used_as", "ended_at_is"}


class RunWords:
    """One run, being said."""

    def __init__(self, dossier: Dossier, at: RunAt, entity: str, said: Said) -> None:
        self._dossier = dossier
        self._record = dossier.record
        self._own = own(dossier.record)
        self._at = at
        self._entity = entity
        self._said = said
        self._target = f"{entity}/{at.project}/{at.name}"
        self._kept: dict[str, Json] = {}
        self.wrote = [edge.downstream for edge in dossier.edges if edge.kind is EdgeKind.WRITE and not edge.planned]

    @property
    def state(self) -> str:
        """Weights & Biases' word for how far it is."""
        run = self._record.run
        return str(self._own.get("state") or STATES[run.state if run is not None else RunState.UNKNOWN])

    def input(self) -> dict[str, Json]:
        """The run as it is to be; what becomes of each fact is said along the way."""
        told: dict[str, Json] = {"entityName": self._entity, "modelName": self._at.project, "name": self._at.name}
        told["displayName"] = self._record.name or self._record.native_id
        told |= self._plain() | self._code() | self._structure()
        told["tags"] = self._tags()
        told["summaryMetrics"] = json.dumps(self._metrics())
        # Last: it takes along what found no place of its own.
        told["config"] = json.dumps(self._config())
        return {name: value for name, value in told.items() if value not in (None, "")}

    def _plain(self) -> dict[str, Json]:
        record, said = self._record, self._said
        is_run = record.kind is AssetKind.RUN
        reason = "held as a run that stands for the job: Weights & Biases has no jobs apart from runs"
        said.exactly("name", is_run, reason, self._target)
        said.held("description", self._target)
        for name, value in (("url", record.url), ("created_at", record.created_at), ("updated_at", record.updated_at)):
            if value is not None:
                self._keep(name, value.isoformat() if isinstance(value, datetime) else value)
        if record.run is not None:
            times = {"started_at": record.run.started_at, "ended_at": record.run.ended_at}
            kept = {name: at.isoformat() for name, at in times.items() if at is not None}
            if record.run.error:
                kept["error"] = record.run.error
            self._kept["run"] = kept
            said.changed("run", f"the state is held; Weights & Biases sets times by itself: {_KEPT}", self._target)
        kind = self._own.get("jobType")
        if record.subtype is not None:
            if record.subtype == kind:
                said.held("subtype", self._target)
            else:
                self._keep("subtype", record.subtype)
        return {
            "notes": record.description,
            "jobType": kind,
            "groupName": self._own.get("group"),
            "host": self._own.get("host"),
        }

    def _keep(self, name: str, value: Json) -> None:
        self._kept[name] = value
        self._said.changed(name, _KEPT, self._target)

    def _tags(self) -> list[str]:
        if not isinstance(self._record.facets.get("tags"), list):
            return []
        found = [tag for one in _list(self._record.facets.get("tags")) if (tag := _tag(one))]
        cut = [one[:_TAG] for one in found]
        is_exact = cut == found and all(not one.get("value") for one in _list(self._record.facets.get("tags")))
        if not is_exact:
            self._kept["tags"] = self._record.facets.get("tags")
        reason = f"a tag there is one word of at most {_TAG} letters: key and value are joined, and {_KEPT}"
        self._said.exactly("facets/tags", is_exact, reason, self._target)
        return cut

    def _metrics(self) -> Mapping[str, Json]:
        found = self._record.facets.get("metrics")
        if not isinstance(found, Mapping):
            return {}
        self._said.held("facets/metrics", self._target)
        return cast(Mapping[str, Json], found)

    def _config(self) -> dict[str, Json]:
        found = self._record.facets.get("parameters")
        parameters = cast(Mapping[str, Json], found) if isinstance(found, Mapping) else dict[str, Json]()
        if isinstance(found, Mapping):
            self._said.held("facets/parameters", self._target)
        self._facets()
        mark = {"source": self._dossier.source_id, "platform": self._dossier.platform, "wrote": self.wrote}
        kept: dict[str, Json] = {"native_id": self._record.native_id, "kept": self._kept}
        return {name: {"value": natural(name, one)} for name, one in parameters.items()} | entity_mark(mark | kept)

    def _facets(self) -> None:
        for name, value in self._record.facets.items():
            if isinstance(value, list if name == "tags" else Mapping) and name in ("tags", "metrics", "parameters"):
                continue
            self._kept[name] = value
            rest = ", ".join(sorted(self._own.keys() - _HELD_OF_OWN))
            if name == "wandb":
                reason = f"group, job type and host are held; the rest ({rest}) is {_KEPT}"
                self._said.exactly("facets/wandb", not rest, reason, self._target)
            else:
                self._said.changed(f"facets/{name}", _KEPT, self._target)

    def _code(self) -> dict[str, Json]:
        """The first commit that it read; a run has one."""
        told: dict[str, Json] = {}
        for edge, code in self._reads_of_code():
            repository, commit = code.facets.get("repository"), code.facets.get("commit")
            fact = edge_fact(edge)
            if not isinstance(commit, str):
                self._said.lost(fact, "no commit is told of the code")
            elif told and told["commit"] != commit:
                self._said.lost(fact, "a run has one commit there")
            else:
                told = {"commit": commit, "jobRepo": repository}
                self._said.held(fact, self._target)
        return told

    def _reads_of_code(self) -> Iterator[tuple[Edge, Record]]:
        for edge in self._dossier.edges:
            end = self._dossier.ends.get(edge.upstream)
            if edge.kind is EdgeKind.READ and end is not None and end.kind is AssetKind.CODE:
                yield edge, end

    def _structure(self) -> dict[str, Json]:
        told: dict[str, Json] = {}
        for edge in self._dossier.edges:
            end, fact = self._dossier.ends.get(edge.downstream), edge_fact(edge)
            if edge.kind is EdgeKind.RUN_OF and end is not None:
                told |= self._job(end, fact)
            elif edge.kind is EdgeKind.PART_OF and end is not None:
                self._part(end, fact)
        return told

    def _job(self, job: Record, fact: str) -> dict[str, Json]:
        mine = own(job)
        if "program" in mine:
            self._said.held(fact, self._target)
            return {"jobProgram": mine["program"]}
        self._said.changed(fact, "held as the run's job type", self._target)
        return {"jobType": (job.name or job.native_id)[:_TAG]}

    def _part(self, whole: Record, fact: str) -> None:
        if whole.kind is AssetKind.EXPERIMENT and whole.subtype != "sweep":
            self._said.held(fact, self._at.project)
        else:
            self._kept.setdefault("part_of", []).append(whole.native_id)
            what = (
                "a sweep there is made only by searching"
                if whole.subtype == "sweep"
                else "runs there stand in projects"
            )
            self._said.changed(fact, f"{what}: {_KEPT}", self._target)


def natural(name: str, value: Json) -> Json:
    """A parameter as what it was before it became text: a number where it comes back as the same text."""
    if not isinstance(value, str):
        return value
    try:
        found = json.loads(value, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        return value
    return found if found is not None and not isinstance(found, str) and parameter(name, found) == value else value


def _list(value: Json) -> list[Mapping[str, Any]]:
    found: list[Any] = cast(list[Any], value) if isinstance(value, list) else []
    return [cast(Mapping[str, Any], one) for one in found if isinstance(one, Mapping)]


def _tag(told: Mapping[str, Any]) -> str:
    key, value = str(told.get("key") or ""), str(told.get("value") or "")
    return f"{key}:{value}" if value else key
