"""What an experiment and a run become: their records, what the run read and wrote, and by which flow."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

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
    Tombstone,
)
from .code import code_of, job_of
from .datasets import Input, inputs_of
from .evaluations import JUDGING, TRAINING, Judged, evaluations
from .history import legacy_models
from .place import Place, described_by
from .wire import field, linked_prompts, moment, number, pairs, prose, rows, scrubbed_pairs, text

_STATES = {
    "SCHEDULED": RunState.QUEUED,
    "RUNNING": RunState.RUNNING,
    "FINISHED": RunState.SUCCEEDED,
    "FAILED": RunState.FAILED,
    "KILLED": RunState.ABORTED,
}
_TOLD_ELSEWHERE = ("mlflow.log-model.history", "mlflow.note.content", "mlflow.runName", "mlflow.linkedPrompts")


@dataclass(frozen=True, slots=True)
class Told:
    """What one answer adds up to."""

    scopes: tuple[Scope, ...]
    tombstones: tuple[Tombstone, ...] = ()
    skipped: tuple[Skipped, ...] = ()


def experiment(raw: Json, place: Place) -> Told:
    """An experiment. Those that the gateway makes for its endpoints are marked."""
    experiment_id = text(raw, "experiment_id")
    tags = pairs(field(raw, "tags"))
    native_id = place.experiment(experiment_id)
    record = Record(
        native_id,
        AssetKind.EXPERIMENT,
        prose(text(raw, "name")) or experiment_id,
        subtype="gateway" if "mlflow.experiment.isGateway" in tags else None,
        description=prose(tags.get("mlflow.note.content")),
        url=place.page("experiments", experiment_id),
        created_at=moment(field(raw, "creation_time")),
        updated_at=moment(field(raw, "last_update_time")),
        spellings=(place.spelling("experiment", experiment_id),),
        facets=_facets(tags, place, owner=tags.get("owner", ""))
        | {"mlflow": {"artifact_location": text(raw, "artifact_location"), "lifecycle": text(raw, "lifecycle_stage")}},
    )
    return Told((Scope(native_id, (record,)),), _tombstones(native_id, text(raw, "lifecycle_stage")))


def run(raw: Json, place: Place) -> Told:
    """A run with everything that it read and wrote. `raw` may lack the models it read: a search leaves them out."""
    return _Run(raw, place).told()


def _tombstones(native_id: str, lifecycle: str) -> tuple[Tombstone, ...]:
    # MLflow tells that something was deleted, never when.
    return (Tombstone(native_id, reason="deleted in MLflow; its payload is kept"),) if lifecycle == "deleted" else ()


def _facets(tags: dict[str, str], place: Place, *, owner: str) -> dict[str, Json]:
    kept = scrubbed_pairs(tags, _TOLD_ELSEWHERE, place.options.max_tags)
    facets: dict[str, Json] = {"tags": [{"key": key, "value": value} for key, value in kept.items()]} if kept else {}
    if owner:
        facets["owners"] = [{"name": owner}]
    return facets


class _Run:
    """One run, being translated."""

    def __init__(self, raw: Json, place: Place) -> None:
        self._raw = raw
        self._place = place
        self._info = field(raw, "info")
        self._tags = pairs(field(field(raw, "data"), "tags"))
        self._run_id = text(self._info, "run_id") or text(self._info, "run_uuid")
        self._native_id = place.run(self._run_id)
        self._inputs = inputs_of(raw, place)
        self._models_read = [text(one, "model_id") for one in rows(field(raw, "inputs"), "model_inputs")]
        self._models_written = [text(one, "model_id") for one in rows(field(raw, "outputs"), "model_outputs")]
        self._state = _STATES.get(text(self._info, "status"), RunState.UNKNOWN)
        self._started_at = moment(field(self._info, "start_time"))
        self._judges = self._is_evaluation()

    def told(self) -> Told:
        """The run's own scope, and one for each thing that many runs share."""
        code, job = code_of(self._tags), job_of(self._tags, self._place)
        legacy = legacy_models(self._tags, self._run_id, self._place)
        judged = evaluations(self._judgements(), self._place)
        edges = (*self._structure(job), *self._reads(code), *self._writes(legacy), *judged.edges)
        records = described_by(*judged.records, *legacy, self._record())
        scopes = [one.scope for one in self._inputs if one.scope is not None]
        scopes += [Scope(shared.native_id, (shared,)) for shared in (code, job) if shared is not None]
        scopes.append(Scope(self._native_id, records, edges, Nature.HAPPENED))
        return Told(
            tuple(scopes),
            _tombstones(self._native_id, text(self._info, "lifecycle_stage")),
            tuple(skipped for one in self._inputs for skipped in one.skipped),
        )

    def _record(self) -> Record:
        tags, place = self._tags, self._place
        return Record(
            self._native_id,
            AssetKind.RUN,
            prose(text(self._info, "run_name") or tags.get("mlflow.runName")) or self._run_id,
            subtype=tags.get("mlflow.runType"),
            description=prose(tags.get("mlflow.note.content")),
            url=place.page("experiments", text(self._info, "experiment_id"), "runs", self._run_id),
            created_at=self._started_at,
            run=Run(self._state, self._started_at, moment(field(self._info, "end_time"))),
            spellings=(place.spelling("run", self._run_id), *self._imported()),
            facets=self._facets(),
        )

    def _imported(self) -> Iterator[Spelling]:
        """The run that this one is a copy of, on some other server: a hint, as metrics of the two may differ."""
        for tag in ("mlflow_exim.run_info.run_id", "mlflow_export_import.run_info.run_id", "import.run_id"):
            if self._tags.get(tag):
                yield Spelling(Form.MLFLOW, ("", "", "run", self._tags[tag]), weak=True)

    def _facets(self) -> dict[str, Json]:
        data, options = field(self._raw, "data"), self._place.options
        user = text(self._info, "user_id") or self._tags.get("mlflow.user", "")
        facets = _facets(self._tags, self._place, owner=user)
        parameters = scrubbed_pairs(pairs(field(data, "params")), limit=options.max_params)
        if parameters:
            facets["parameters"] = parameters
        metrics = {text(one, "key"): field(one, "value") for one in rows(data, "metrics")[: options.max_metrics]}
        if metrics:
            facets["metrics"] = metrics
        facets["mlflow"] = self._own_facet()
        return facets

    def _own_facet(self) -> dict[str, Json]:
        own: dict[str, Json] = {
            "artifact_uri": text(self._info, "artifact_uri"),
            "lifecycle": text(self._info, "lifecycle_stage"),
        }
        contexts = {one.row: one.role.value for one in self._inputs if one.role is not None}
        if contexts:
            own["datasets"] = contexts
        if self._is_stale():
            own["stale"] = True
        return own

    def _is_stale(self) -> bool:
        if self._state is not RunState.RUNNING or self._started_at is None or self._place.now is None:
            return False
        return self._place.now - self._started_at > self._place.options.stale_after

    def _structure(self, job: Record | None) -> Iterator[Edge]:
        place, started = self._place, self._started_at
        experiment_id = text(self._info, "experiment_id")
        if experiment_id:
            yield Edge(self._native_id, place.experiment(experiment_id), EdgeKind.PART_OF, valid_from=started)
        parent = self._tags.get("mlflow.parentRunId")
        if parent:
            yield Edge(self._native_id, place.run(parent), EdgeKind.PART_OF, valid_from=started)
        if job is not None:
            yield Edge(self._native_id, job.native_id, EdgeKind.RUN_OF, valid_from=started)

    def _is_evaluation(self) -> bool:
        """Whether the models and prompts that it read were judged, not used."""
        if "evaluate" in self._tags.get("mlflow.runType", ""):
            return True
        judged = any(one.role is Role.EVALUATION for one in self._inputs)
        return judged or not any(one.is_output for one in self._inputs)

    def _flow(self, role: Role | None) -> int:
        return JUDGING if role is Role.EVALUATION else TRAINING

    def _reads(self, code: Record | None) -> Iterator[Edge]:
        for one in self._inputs:
            if not one.is_output:
                yield self._read(one.node, self._role(one), self._confidence(one))
        used = Role.EVALUATION if self._judges else Role.INFERENCE
        for model_id in self._models_read:
            yield self._read(self._place.logged_model(model_id), used)
        flows = sorted(self._flows()) or [TRAINING]
        for name, version in linked_prompts(self._tags):
            prompt = self._place.prompt_version(name, version)
            yield from (self._read(prompt, Role.PROMPT, flow=flow) for flow in flows)
        if code is not None:
            yield from (self._read(code.native_id, Role.CODE, flow=flow) for flow in flows)

    def _role(self, one: Input) -> Role | None:
        """An input without a context trained, or not: that was not told, unless the whole run is an evaluation."""
        if one.role is None and "evaluate" in self._tags.get("mlflow.runType", ""):
            return Role.EVALUATION
        return one.role

    def _flows(self) -> set[int]:
        """Which flows the run has; code and prompts take part in each."""
        flows = {self._flow(self._role(one)) for one in self._inputs if not one.is_output}
        if self._models_read:
            flows.add(JUDGING if self._judges else TRAINING)
        if self._models_written:
            flows.add(TRAINING)
        return flows

    def _read(self, upstream: str, role: Role | None, confidence: float = 1.0, flow: int | None = None) -> Edge:
        return Edge(
            upstream,
            self._native_id,
            EdgeKind.READ,
            role=role,
            flow=self._flow(role) if flow is None else flow,
            evidence=Evidence.OBSERVED,
            confidence=confidence,
            outcome=self._outcome(),
            valid_from=self._started_at,
        )

    def _writes(self, legacy: tuple[Record, ...]) -> Iterator[Edge]:
        for model_id in self._models_written:
            yield self._write(self._place.logged_model(model_id), TRAINING)
        for model in legacy:
            yield self._write(model.native_id, TRAINING)
        # Where nothing but judged inputs came in, what comes out (a table of errors, say) came from them.
        flow = JUDGING if self._flows() == {JUDGING} else TRAINING
        for one in self._inputs:
            if one.is_output:
                # MLflow holds no data: that a failed run wrote it is a plan (design §2).
                yield self._write(one.node, flow, planned=self._outcome() is not None, confidence=one.confidence)

    def _write(self, downstream: str, flow: int, *, planned: bool = False, confidence: float = 1.0) -> Edge:
        return Edge(
            self._native_id,
            downstream,
            EdgeKind.WRITE,
            flow=flow,
            evidence=Evidence.OBSERVED,
            confidence=confidence,
            planned=planned,
            outcome=self._outcome(),
            valid_from=self._started_at,
        )

    def _outcome(self) -> RunState | None:
        return self._state if self._state in (RunState.FAILED, RunState.ABORTED) else None

    def _confidence(self, one: Input) -> float:
        """Lower where Spark saw other paths: MLflow keeps the first source of equal name and digest (#11560)."""
        told = self._tags.get("sparkDatasourceInfo", "")
        path = one.address.removeprefix("data/")
        if not told or not path or "://" not in path:
            return one.confidence
        seen = [line.partition("path=")[2].partition(",")[0] for line in told.splitlines() if "path=" in line]
        return one.confidence if not seen or any(path.partition("://")[2] in one for one in seen) else 0.5

    def _judgements(self) -> Iterator[Judged]:
        if not self._judges:
            return
        datasets = [one for one in self._inputs if not one.is_output and self._role(one) is Role.EVALUATION]
        for model_id in self._models_read:
            for dataset in datasets or [None]:
                yield Judged(
                    self._run_id,
                    model_id,
                    dataset.row if dataset else "",
                    dataset.node if dataset else None,
                    {},
                    self._ended_at(),
                )

    def _ended_at(self) -> datetime | None:
        return moment(field(self._info, "end_time")) or self._started_at


def is_open(raw: Json) -> bool:
    """Whether a run may still change without being edited."""
    return text(field(raw, "info"), "status") in ("RUNNING", "SCHEDULED")


def started(raw: Json) -> int:
    """A run's start as MLflow writes it."""
    return number(field(field(raw, "info"), "start_time"))


def ended(raw: Json) -> int:
    """A run's end as MLflow writes it, 0 while it runs."""
    return number(field(field(raw, "info"), "end_time"))


def run_id(raw: Json) -> str:
    """A run's id; MLflow 0.9 and earlier had `run_uuid` only."""
    return text(field(raw, "info"), "run_id") or text(field(raw, "info"), "run_uuid")
