"""What logged models, registered models and their versions become, and how a version is tied to what made it."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
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
    Scope,
    Spelling,
)
from .code import code_of
from .datasets import Input, inputs_of
from .evaluations import JUDGING, TRAINING, Judged, evaluations
from .history import legacy_id
from .place import Place, described_by
from .wire import (
    field,
    linked_prompts,
    moment,
    number,
    pairs,
    prose,
    rows,
    sample,
    scrubbed_pairs,
    text,
    without_secrets,
)

_TRACKED = re.compile(r"dbfs:/databricks/mlflow-tracking/(?P<experiment>[^/]+)/(?P<run>[0-9a-f]{32})/")
_TOLD_ELSEWHERE = ("mlflow.modelVersions", "mlflow.linkedPrompts")


def logged_model(raw: Json, place: Place, runs: Mapping[str, Json]) -> Scope:
    """A logged model, with its evaluations. `runs` holds those that its metrics name, as far as they are there."""
    return _LoggedModel(raw, place, runs).scope()


class _LoggedModel:
    """One logged model, being translated."""

    def __init__(self, raw: Json, place: Place, runs: Mapping[str, Json]) -> None:
        self._raw = raw
        self._place = place
        self._runs = runs
        self._info, self._data = field(raw, "info"), field(raw, "data")
        self._model_id = text(self._info, "model_id")
        self._source_run = text(self._info, "source_run_id")
        self._tags = pairs(field(self._info, "tags"))
        self._native_id = place.logged_model(self._model_id)
        self._created_at = moment(field(self._info, "creation_timestamp_ms"))

    def scope(self) -> Scope:
        """The model and all that was told of it; what made it and what judged it happened, and does not expire."""
        judged = evaluations(self._judgements(), self._place)
        code = code_of(self._tags) if not self._source_run else None
        records = described_by(*judged.records, *([code] if code else []), self._record())
        edges = (*self._made(code), *self._judging(), *judged.edges)
        return Scope(self._native_id, records, tuple(dict.fromkeys(edges)), Nature.HAPPENED)

    def _record(self) -> Record:
        info, place = self._info, self._place
        return Record(
            self._native_id,
            AssetKind.MODEL_VERSION,
            prose(text(info, "name")) or self._model_id,
            subtype="logged",
            url=place.page("experiments", text(info, "experiment_id"), "models", self._model_id),
            created_at=self._created_at,
            updated_at=moment(field(info, "last_updated_timestamp_ms")),
            spellings=(place.spelling("logged-model", self._model_id),),
            facets=self._facets(),
        )

    def _facets(self) -> dict[str, Json]:
        options, info = self._place.options, self._info
        facets = _tag_facets(self._tags, self._place)
        if self._tags.get("mlflow.user"):
            facets["owners"] = [{"name": self._tags["mlflow.user"]}]
        parameters = scrubbed_pairs(pairs(field(self._data, "params")), limit=options.max_params)
        if parameters:
            facets["parameters"] = parameters
        facets["mlflow"] = {
            "status": text(info, "status").removeprefix("LOGGED_MODEL_"),
            "model_type": text(info, "model_type"),
            "artifact_uri": without_secrets(text(info, "artifact_uri")),
            "external": self._tags.get("mlflow.model.isExternal") == "true",
        }
        return facets

    def _made(self, code: Record | None) -> Iterator[Edge]:
        created = self._created_at
        if self._source_run:
            yield _wrote(self._place.run(self._source_run), self._native_id, created)
        if text(self._info, "experiment_id"):
            experiment = self._place.experiment(text(self._info, "experiment_id"))
            yield Edge(self._native_id, experiment, EdgeKind.PART_OF, valid_from=created)
        if code is not None:
            yield Edge(code.native_id, self._native_id, EdgeKind.DERIVE, valid_from=created, transformation="code")
        for name, version in linked_prompts(self._tags):
            prompt = self._place.prompt_version(name, version)
            yield Edge(prompt, self._native_id, EdgeKind.DERIVE, valid_from=created, transformation="prompt")

    def _judgements(self) -> Iterator[Judged]:
        """Only metrics of models name their data set; each is one evaluation by its run."""
        groups: dict[tuple[str, str], list[Json]] = defaultdict(list)
        for metric in rows(self._data, "metrics")[: self._place.options.max_metrics]:
            row = f"{text(metric, 'dataset_name')}@{text(metric, 'dataset_digest')}"
            groups[text(metric, "run_id"), row if row != "@" else ""].append(metric)
        for (run_id, row), metrics in groups.items():
            if not row and run_id in ("", self._source_run):
                continue  # a run's plain metric of its own model: the run tells it
            values = {text(one, "key"): field(one, "value") for one in metrics}
            at = min((number(field(one, "timestamp")) for one in metrics), default=0)
            yield Judged(run_id, self._model_id, row, self._dataset(run_id, row), values, moment(at))

    def _dataset(self, run_id: str, row: str) -> str | None:
        run = self._runs.get(run_id)
        found = (one.node for one in inputs_of(run, self._place) if one.row == row) if run is not None and row else ()
        return next(iter(found), None)

    def _judging(self) -> Iterator[Edge]:
        """Runs that put metrics on a model which they did not write have read it to judge it."""
        for metric in rows(self._data, "metrics"):
            run_id = text(metric, "run_id")
            if run_id and run_id != self._source_run:
                begun = moment(field(field(self._runs.get(run_id), "info"), "start_time"))
                yield Edge(
                    self._native_id,
                    self._place.run(run_id),
                    EdgeKind.READ,
                    role=Role.EVALUATION,
                    flow=JUDGING,
                    evidence=Evidence.OBSERVED,
                    valid_from=begun,
                )


def signature(model: Json, columns: Iterable[str], place: Place, run: Json) -> Scope | None:
    """Columns of what trained a model, where the model's inputs have their names: an inference, and never expires."""
    info = field(model, "info")
    model_id = text(info, "model_id")
    wanted = frozenset(columns)
    native_id = place.logged_model(model_id)
    edges = tuple(
        Edge(
            column,
            native_id,
            EdgeKind.DERIVE,
            evidence=Evidence.INFERRED,
            confidence=0.8,
            via=place.run(text(info, "source_run_id")),
            valid_from=moment(field(field(run, "info"), "start_time")),
            transformation="signature-match",
        )
        for one in _trained_on(inputs_of(run, place))
        for name, column in one.columns.items()
        if name in wanted
    )
    scope = Scope(f"signature/{place.workspace}/{model_id}", edges=tuple(dict.fromkeys(edges)), nature=Nature.HAPPENED)
    return scope if edges else None


def _trained_on(inputs: Iterable[Input]) -> Iterator[Input]:
    yield from (one for one in inputs if not one.is_output and one.role in (Role.TRAINING, None))


def registered_model(raw: Json, stages: Iterable[tuple[str, str]], place: Place) -> Scope:
    """A registered model with its aliases, and its stages, which are aliases too; MLflow keeps no history of them."""
    name = text(raw, "name")
    native_id = place.model(name)
    facets = _tag_facets(pairs(field(raw, "tags")), place)
    owner = pairs(field(raw, "tags")).get("owner") or text(raw, "user_id")
    if owner:
        facets["owners"] = [{"name": owner}]
    record = Record(
        native_id,
        AssetKind.MODEL,
        name,
        description=prose(text(raw, "description")),
        url=place.page("models", name),
        created_at=moment(field(raw, "creation_timestamp")),
        updated_at=moment(field(raw, "last_updated_timestamp")),
        spellings=(place.spelling("model", name),),
        facets=facets,
    )
    named = [(text(one, "alias"), text(one, "version")) for one in rows(raw, "aliases")]
    edges = tuple(
        Edge(place.model_version(name, version), native_id, EdgeKind.ALIAS_OF, alias=alias)
        for alias, version in dict.fromkeys([*named, *stages])
    )
    return Scope(native_id, (record,), edges)


def stage(raw: Json) -> str | None:
    """A version's stage, where it has one (`None` is a word here)."""
    told = text(raw, "current_stage")
    return told if told not in ("", "None") else None


def model_version(raw: Json, place: Place, *, has_logged_models: bool = True) -> Scope:
    """A version of a registered model and what it was made from; this happened once and does not expire."""
    name, version = text(raw, "name"), text(raw, "version")
    native_id = place.model_version(name, version)
    created = moment(field(raw, "creation_timestamp"))
    facets = _tag_facets(pairs(field(raw, "tags")), place)
    facets["mlflow"] = {
        "source": without_secrets(text(raw, "source")),
        "status": text(raw, "status"),
        "run_id": text(raw, "run_id"),
        "stage": stage(raw),
    }
    record = Record(
        native_id,
        AssetKind.MODEL_VERSION,
        f"{name}/{version}",
        description=prose(text(raw, "description")),
        url=place.page("models", name, "versions", version),
        created_at=created,
        updated_at=moment(field(raw, "last_updated_timestamp")),
        spellings=(place.spelling("model-version", f"{name}/{version}"),),
        facets=facets,
    )
    address = text(raw, "source")
    artifact = _artifact(address) if _is_outside(address) else None
    edges = (
        Edge(native_id, place.model(name), EdgeKind.VERSION_OF, valid_from=created),
        *_origins(raw, native_id, created, place, has_logged_models=has_logged_models),
        *([_derived(artifact.native_id, native_id, created, "registered")] if artifact else []),
    )
    return Scope(native_id, (*([artifact] if artifact else []), record), edges, Nature.HAPPENED)


def _origins(
    raw: Json, native_id: str, created: datetime | None, place: Place, *, has_logged_models: bool
) -> Iterator[Edge]:
    """A logged model, another version (a copy), or a run: MLflow 1 and 2 registered a path in its artifacts."""
    source, run_id = text(raw, "source"), text(raw, "run_id")
    model_id = text(raw, "model_id")
    if source.startswith("models:/m-"):
        model_id = source.removeprefix("models:/").partition("/")[0]
    if model_id:
        yield _derived(place.logged_model(model_id), native_id, created, "registered")
        return
    if source.startswith("models:/"):
        name, _, version = source.removeprefix("models:/").partition("/")
        yield _derived(place.model_version(name, version), native_id, created, "copy")
        return
    written_by, path = _run_of(source)
    if written_by or run_id:
        yield _wrote(place.run(written_by or run_id), native_id, created)
    if written_by and not has_logged_models:
        yield _derived(legacy_id(written_by, path, place), native_id, created, "registered")


def _is_outside(source: str) -> bool:
    """Whether a version lies at an address of its own."""
    return bool(source) and source != "dummy-source" and not source.startswith("models:/") and not _run_of(source)[0]


def _run_of(source: str) -> tuple[str, str]:
    """The run that an artifact address names, and the path within it."""
    if source.startswith("runs:/"):
        run_id, _, path = source.removeprefix("runs:/").partition("/")
        return run_id, path
    tracked = _TRACKED.match(source)  # Databricks writes where it lies, which names experiment and run
    if tracked:
        return tracked["run"], source[tracked.end() :].removeprefix("artifacts/")
    return "", ""


def _artifact(source: str) -> Record:
    address = without_secrets(source)
    form = Spelling(Form.URI, (address,)) if "://" in address else Spelling(Form.LOCAL, ("", address), weak=True)
    return Record(f"artifact/{address}", AssetKind.ARTIFACT, sample(address), subtype="model", spellings=(form,))


def _wrote(run: str, downstream: str, at: datetime | None) -> Edge:
    return Edge(run, downstream, EdgeKind.WRITE, flow=TRAINING, evidence=Evidence.OBSERVED, valid_from=at)


def _derived(upstream: str, downstream: str, at: datetime | None, how: str) -> Edge:
    return Edge(upstream, downstream, EdgeKind.DERIVE, valid_from=at, transformation=how)


def _tag_facets(tags: Mapping[str, str], place: Place) -> dict[str, Json]:
    kept = scrubbed_pairs(tags, _TOLD_ELSEWHERE, place.options.max_tags)
    return {"tags": [{"key": key, "value": value} for key, value in kept.items()]} if kept else {}
