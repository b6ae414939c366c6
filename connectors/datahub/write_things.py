"""What a thing of another platform says of itself, in the aspects that its type has in DataHub."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from ...federation.model import AssetKind, Form, Json, Record, RunState
from .registry import KNOWN
from .urn import encoded
from .wire import field
from .write_draft import Draft, Value
from .write_names import Names

NOBODY = "urn:li:corpuser:unknown"


@dataclass(frozen=True, slots=True)
class _Shape:
    """The aspect that describes a type, and what it has fields for."""

    aspect: str
    name: str = "name"
    description: str = "description"
    url: str = "externalUrl"
    created: str = "created"
    updated: str = "lastModified"


_SHAPES: Mapping[str, _Shape] = {
    "dataset": _Shape("datasetProperties"),
    "dataJob": _Shape("dataJobInfo"),
    "dataProcessInstance": _Shape("dataProcessInstanceProperties", description="", updated=""),
    "container": _Shape("containerProperties"),
    "mlModelGroup": _Shape("mlModelGroupProperties"),
    "mlModel": _Shape("mlModelProperties"),
    "mlModelDeployment": _Shape("mlModelDeploymentProperties", name="", created="", updated=""),
    "mlFeature": _Shape("mlFeatureProperties", name="", url="", created="", updated=""),
    "mlFeatureTable": _Shape("mlFeatureTableProperties", name="", url="", created="", updated=""),
    "dashboard": _Shape("dashboardInfo", name="title", created="", updated=""),
}
_ENDS = {RunState.SUCCEEDED: "SUCCESS", RunState.FAILED: "FAILURE", RunState.ABORTED: "SKIPPED"}
_WORDS = {
    AssetKind.RUN: "ML Training Run",
    AssetKind.EVALUATION: "Evaluation",
    AssetKind.DATASET_VERSION: "Dataset Version",
    AssetKind.ARTIFACT: "Artifact",
    AssetKind.PROMPT: "Prompt",
    AssetKind.PROMPT_VERSION: "Prompt Version",
    AssetKind.INDEX: "Index",
    AssetKind.AGENT: "Agent",
    AssetKind.CODE: "Code",
    AssetKind.OTHER: "Other",
}
_EXPERIMENT = "ML Experiment"
_TRACKERS = frozenset({"mlflow", "wandb"})


class Things:
    """One thing and its own facts, but for edges."""

    def __init__(self, draft: Draft, names: Names) -> None:
        self._draft = draft
        self._names = names
        self._record = names.dossier.record
        self._type = names.type_of(self._record)
        self._shape = _SHAPES[self._type]
        self._urn = names.of(self._record)

    @property
    def properties(self) -> Value:
        """The aspect that describes it."""
        # What another source tells of a table or a file stands: this one may know less of it.
        return self._draft.aspect(self._urn, self._shape.aspect, fills=self._record.kind is AssetKind.DATASET)

    def tell(self) -> None:
        """Everything."""
        self._describe()
        self._require()
        self._class()
        self._live()
        for name, value in self._record.facets.items():
            self._facet(name, value)
        self._place()

    # What it is

    def _describe(self) -> None:
        record, shape = self._record, self._shape
        if shape.name:
            self.properties[shape.name] = record.name or record.native_id
            self._carry("name", item=shape.name)
        else:
            self._note("name", record.name or record.native_id)
        for name, value in (("description", record.description), ("url", record.url)):
            if value is not None:
                self._text(name, getattr(shape, name), value)
        for name, at, where in (
            ("created_at", record.created_at, shape.created),
            ("updated_at", record.updated_at, shape.updated),
        ):
            if at is not None:
                self._time(name, where, at)

    def _text(self, name: str, where: str, value: str) -> None:
        if where:
            self.properties[where] = value
            self._carry(name, item=where)
        else:
            self._note(name, value)

    def _time(self, name: str, where: str, at: datetime) -> None:
        if where:
            self.properties[where] = {"time": millis(at), "actor": NOBODY}
            self._carry(name, item=where)
        elif name == "created_at" and self._type == "mlModelDeployment":
            self.properties["createdAt"] = millis(at)
            self._carry(name)
        else:
            self._note(name, at.isoformat())

    def _require(self) -> None:
        """Fields without which an aspect is refused, whatever was told."""
        record = self._record
        match self._type:
            case "dataProcessInstance":
                began = (record.run.started_at if record.run else None) or record.created_at
                self.properties.setdefault("created", {"time": millis(began) if began else 0, "actor": NOBODY})
            case "dataJob":
                flow = self._names.flow(record)
                self.properties.update({"type": {"string": "COMMAND"}, "flowUrn": flow})
                name = flow.split(",")[1]
                self._draft.aspect(flow, "dataFlowInfo")["name"] = name
            case "dashboard":
                stamps = {"created": record.created_at, "lastModified": record.updated_at or record.created_at}
                told = {name: {"time": millis(at) if at else 0, "actor": NOBODY} for name, at in stamps.items()}
                self.properties.setdefault("description", "")
                self.properties["lastModified"] = told
            case _:
                pass

    def _class(self) -> None:
        """What it is called: by its platform, or where DataHub has no such type, by us."""
        record = self._record
        word = record.subtype or _WORDS.get(record.kind)
        named = [word] if word else []
        if record.kind is AssetKind.EXPERIMENT:
            named = [_EXPERIMENT, *named]
        if self._type in _SUBTYPED and named:
            self._draft.aspect(self._urn, "subTypes", fills=record.kind is AssetKind.DATASET)["typeNames"] = named
            if record.subtype is not None:
                self._carry("subtype", aspect="subTypes", item="typeNames")
        elif record.subtype is not None:
            self._note("subtype", record.subtype)

    def _live(self) -> None:
        """How a run went, as the events that a run would have sent itself."""
        run = self._record.run
        if run is None:
            return
        if self._type != "dataProcessInstance":
            self._note("run", {"state": run.state, "started": run.started_at, "ended": run.ended_at})
            return
        events = [value for value in (_start(run.started_at), _end(run.state, run.ended_at, run.error)) if value]
        for value in events:
            self._draft.event(self._urn, "dataProcessInstanceRunEvent", value)
        reason = "" if _is_told(run.state, run.started_at, run.ended_at, run.error) else _LESS
        if events:
            self._carry("run", aspect="dataProcessInstanceRunEvent", reason=reason)
        else:
            self._note("run", {"state": run.state})

    def _place(self) -> None:
        """On which instance of its platform it lies, and the tracker's own id of a run."""
        record, instance = self._record, self._names.instance_of(self._record)
        if "dataPlatformInstance" in KNOWN[self._type].aspects and self._type not in ("dataJob", "dashboard"):
            platform = f"urn:li:dataPlatform:{self._names.platform_of(record)}"
            told = self._draft.aspect(self._urn, "dataPlatformInstance")
            told["platform"] = platform
            if instance:
                told["instance"] = f"urn:li:dataPlatformInstance:({platform},{encoded(instance)})"
        if record.kind is AssetKind.RUN and self._names.dossier.platform in _TRACKERS:
            self._draft.aspect(self._urn, "mlTrainingRunProperties")["id"] = native_run(record)

    # What else is told of it

    def _facet(self, name: str, value: Json) -> None:
        has = KNOWN[self._type].aspects
        fact = f"facets/{name}"
        match name:
            case "owners" if "ownership" in has and _are(value, "name"):
                for one in cast(list[Any], value):
                    self._draft.add(self._urn, "ownership", "owners", _owner(one))
                roles = any("role" in one for one in cast(list[Any], value))
                self._carry(fact, aspect="ownership", reason=_ROLES if roles else "")
            case "tags" if "globalTags" in has and _are(value, "key"):
                for one in cast(list[Any], value):
                    self._draft.add(self._urn, "globalTags", "tags", {"tag": f"urn:li:tag:{_tag(one)}"})
                pairs = any(one.get("value") is not None for one in cast(list[Any], value))
                self._carry(fact, aspect="globalTags", reason=_PAIRS if pairs else "")
            case "terms" if "glossaryTerms" in has and _are(value, "name"):
                for one in cast(list[Any], value):
                    self._draft.add(self._urn, "glossaryTerms", "terms", {"urn": f"urn:li:glossaryTerm:{one['name']}"})
                self._draft.aspect(self._urn, "glossaryTerms")["auditStamp"] = {"time": 0, "actor": NOBODY}
                self._carry(fact, aspect="glossaryTerms")
            case "links" if "institutionalMemory" in has and _are(value, "url"):
                for one in cast(list[Any], value):
                    self._draft.add(self._urn, "institutionalMemory", "elements", _link(one))
                self._carry(fact, aspect="institutionalMemory")
            case "parameters" | "metrics" if self._type in _MEASURED and isinstance(value, Mapping):
                self._measure(name, cast(Mapping[str, Json], value))
            case "schema" if self._type == "dataset" and self._names.dossier.parts:
                self._carry(fact, aspect="schemaMetadata", reason=_SCHEMA, item="fields")
            case _:
                self._note(fact, value, name)

    def _measure(self, name: str, value: Mapping[str, Json]) -> None:
        aspect, listed = _MEASURED[self._type], {"parameters": "hyperParams", "metrics": "trainingMetrics"}[name]
        rows = [{"name": key, "value": one if isinstance(one, str) else str(one)} for key, one in value.items()]
        told = self._draft.aspect(self._urn, aspect)
        told[listed] = rows
        if aspect == "mlTrainingRunProperties":
            told.setdefault("id", native_run(self._record))
        texts = all(isinstance(one, str) for one in value.values())
        self._carry(f"facets/{name}", aspect=aspect, reason="" if texts else "numbers stand as texts")

    def _carry(self, fact: str, *, aspect: str = "", reason: str = "", item: str = "") -> None:
        self._draft.carry((self._record.native_id, fact), self._urn, aspect or self._shape.aspect, reason, item)

    def _note(self, fact: str, value: Json, name: str = "") -> None:
        if self._record.kind is AssetKind.DATASET:
            self._draft.aspect(self._urn, self._shape.aspect, fills=True)
        self._draft.note((self._record.native_id, fact), self._urn, self._shape.aspect, name or fact, value)


_MEASURED = {"dataProcessInstance": "mlTrainingRunProperties", "mlModel": "mlModelProperties"}
_SUBTYPED = frozenset(name for name, one in KNOWN.items() if "subTypes" in one.aspects)
_LESS = "DataHub knows that a run was skipped, not that it was cut off, and no error of its own but a short word"
_ROLES = "the role is lost: DataHub knows only roles of its own, so all are technical owners"
_PAIRS = "a tag with a value is one tag `key:value`"
_SCHEMA = "stands as the fields of the schema"


def millis(at: datetime) -> int:
    """A time as DataHub writes it."""
    return round(at.timestamp() * 1000)


def native_run(record: Record) -> str:
    """A run's id at its tracker."""
    for spelling in record.spellings:
        if spelling.form in (Form.MLFLOW, Form.WANDB):
            return spelling.parts[-1]
    return record.native_id.rpartition("/")[2]


def _is_told(state: RunState, started: datetime | None, ended: datetime | None, error: str | None) -> bool:
    """Whether the events tell all of it."""
    if state in (RunState.RUNNING, RunState.SUCCEEDED, RunState.FAILED):
        return bool(started if state is RunState.RUNNING else ended)
    return False


def _start(at: datetime | None) -> Value | None:
    return {"timestampMillis": millis(at), "status": "STARTED"} if at is not None else None


def _end(state: RunState, at: datetime | None, error: str | None) -> Value | None:
    if state not in _ENDS or at is None:
        return None
    native = (error or state.value)[:_LONGEST_ERROR]
    result = {"type": _ENDS[state], "nativeResultType": native}
    return {"timestampMillis": millis(at), "status": "COMPLETE", "result": result}


_LONGEST_ERROR = 500


def _are(value: Json, name: str) -> bool:
    """Whether something is a list of objects that all have a text of this name."""
    rows = cast(list[Any], value) if isinstance(value, list) else [None]
    return all(isinstance(field(one, name), str) and field(one, name) for one in rows)


def _owner(one: Mapping[str, Any]) -> Json:
    return {"owner": f"urn:li:corpuser:{encoded(one['name'])}", "type": "TECHNICAL_OWNER"}


def _tag(one: Mapping[str, Any]) -> str:
    value = one.get("value")
    return encoded(one["key"] if value is None else f"{one['key']}:{value}")


def _link(one: Mapping[str, Any]) -> Json:
    stamp = {"time": 0, "actor": NOBODY}
    return {"url": one["url"], "description": str(one.get("name") or one["url"]), "createStamp": stamp}
