"""What a run's dataset inputs become: a physical dataset, the version that MLflow saw, and its columns."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from ...federation.model import (
    AssetKind,
    Edge,
    EdgeKind,
    Evidence,
    Form,
    Json,
    Record,
    Role,
    Scope,
    Skipped,
    Spelling,
)
from .code import code_of
from .place import Place, described_by
from .sources import Located, locate, tables_of
from .wire import field, loads, objects, pairs, rows, sample, scrubbed, scrubbed_pairs, text

_ROLES = {
    "train": Role.TRAINING,
    "training": Role.TRAINING,
    "fit": Role.TRAINING,
    "eval": Role.EVALUATION,
    "evaluation": Role.EVALUATION,
    "validation": Role.EVALUATION,
    "valid": Role.EVALUATION,
    "val": Role.EVALUATION,
    "test": Role.EVALUATION,
    "testing": Role.EVALUATION,
    "holdout": Role.EVALUATION,
    "inference": Role.INFERENCE,
    "predict": Role.INFERENCE,
    "scoring": Role.INFERENCE,
    "feature": Role.FEATURE,
    "features": Role.FEATURE,
    "reference": Role.REFERENCE,
    "baseline": Role.REFERENCE,
}
"""The context of an input is free text; these are the words people and autologging use."""
_OUTPUT = frozenset({"output", "outputs", "produced"})


@dataclass(frozen=True, slots=True)
class Input:
    """One dataset that a run logged."""

    dataset: str
    """Native id of the physical dataset, or of MLflow's row where nothing physical was told."""
    node: str
    """What the run read or wrote: the version of it that MLflow saw, else the dataset."""
    row: str
    """`name@digest`: what metrics of logged models point at."""
    role: Role | None
    is_output: bool
    is_evaluation_dataset: bool
    confidence: float
    columns: Mapping[str, str]
    """Native ids of its columns by name."""
    scope: Scope | None
    """What describes the dataset; None where another listing does."""
    skipped: tuple[Skipped, ...]
    address: str
    """Where the data lay, spelled our way; empty where that is not told."""


def inputs_of(run: Json, place: Place) -> list[Input]:
    """All datasets of one run, as inputs or, by the community's idiom, as outputs."""
    info, data = field(run, "info"), field(run, "data")
    user = text(info, "user_id") or pairs(field(data, "tags")).get("mlflow.user", "")
    experiment = text(info, "experiment_id")
    return [_input(one, experiment, user, place) for one in rows(field(run, "inputs"), "dataset_inputs")]


def _input(raw: Json, experiment: str, user: str, place: Place) -> Input:
    dataset = field(raw, "dataset")
    context = pairs(field(raw, "tags")).get("mlflow.data.context", "").strip().lower()
    if text(dataset, "source_type") == "mlflow_evaluation_dataset":
        known = _evaluation_dataset(dataset, context, place)
        if known is not None:
            return known
    return _Row(dataset, experiment, user, place).input(context)


def _evaluation_dataset(dataset: Json, context: str, place: Place) -> Input | None:
    """An evaluation dataset of the same server: its own listing describes it; the digest here is another one."""
    dataset_id = text(loads(text(dataset, "source")), "dataset_id")
    if not dataset_id:
        return None
    native_id = place.evaluation_dataset(dataset_id)
    row = f"{text(dataset, 'name')}@{text(dataset, 'digest')}"
    role = _ROLES.get(context, Role.EVALUATION)
    return Input(native_id, native_id, row, role, False, True, 1.0, {}, None, (), "")


class _Row:
    """One row of MLflow's dataset table, being translated."""

    def __init__(self, raw: Json, experiment: str, user: str, place: Place) -> None:
        self._raw = raw
        self._experiment = experiment
        self._place = place
        self._name = text(raw, "name")
        self._digest = text(raw, "digest")
        self._key = place.logged_dataset(experiment, self._name, self._digest)
        self._located = locate(text(raw, "source_type"), field(raw, "source"), user)
        self._native_id = self._located.native_id or self._key
        self._warnings = [self._located.warning] if self._located.warning else []

    def input(self, context: str) -> Input:
        """The row as one run used it."""
        version = self._version()
        columns = tuple(self._columns())
        upstream = tuple(self._upstream())
        parts = [Edge(one.native_id, self._native_id, EdgeKind.PART_OF) for one in columns]
        records = described_by(self._record(), *version, *columns, *(record for record, _ in upstream))
        edges = (*self._version_of(version), *parts, *(edge for _, edge in upstream))
        return Input(
            dataset=self._native_id,
            node=version[0].native_id if version else self._native_id,
            row=f"{self._name}@{self._digest}",
            role=_ROLES.get(context),
            is_output=context in _OUTPUT,
            is_evaluation_dataset=False,
            confidence=self._located.confidence,
            columns={one.name: one.native_id for one in columns},
            scope=Scope(self._scope_key(), records, edges),
            skipped=tuple(self._skipped()),
            address=self._located.native_id or "",
        )

    def _scope_key(self) -> str:
        # A local path is another place for every user, though the row is one.
        return self._key if self._located.native_id is None else f"{self._key}/{self._native_id}"

    def _record(self) -> Record:
        located = self._located
        facets = dict(located.facets)
        if self._warnings:
            facets["parse_warning"] = self._warnings[0]
        if located.native_id is None:
            facets |= self._facets()
        schema = self._schema()
        if schema:
            facets["schema"] = schema
        return Record(
            self._native_id,
            AssetKind.DATASET,
            located.name or self._name or self._digest or "dataset",
            subtype=located.subtype or "logged",
            spellings=located.spellings or (self._spelling(),),
            facets=facets,
        )

    def _spelling(self) -> Spelling:
        """What MLflow alone knows: unique by experiment, name and digest."""
        place = self._place
        parts = (place.instance, place.workspace, self._experiment, self._name, self._digest)
        return Spelling(Form.MLFLOW_DATASET, parts)

    def _version(self) -> tuple[Record, ...]:
        """MLflow's digest covers at most 10,000 rows: it tells contents apart, and proves nothing equal elsewhere."""
        version = self._located.version or self._digest
        if self._located.native_id is None or not version:
            return ()
        return (
            Record(
                f"{self._native_id}@{version}",
                AssetKind.DATASET_VERSION,
                f"{self._name or self._located.name}@{version}",
                facets={f"mlflow.dataset/{self._experiment}/{self._name}@{self._digest}": self._facets()},
            ),
        )

    def _version_of(self, version: tuple[Record, ...]) -> Iterator[Edge]:
        for one in version:
            yield Edge(one.native_id, self._native_id, EdgeKind.VERSION_OF)

    def _facets(self) -> dict[str, Json]:
        told: dict[str, Json] = {"name": self._name, "digest": self._digest}
        told["source_type"] = text(self._raw, "source_type")
        if self._located.native_id is None and self._located.sql is None:
            told["source"] = sample(_without_tags(field(self._raw, "source")))
        if self._located.sql is not None:
            told["sql"] = scrubbed("", self._located.sql)
        profile = loads(text(self._raw, "profile")) if text(self._raw, "profile") else None
        if profile is not None:
            told["profile"] = profile
        return told

    def _schema(self) -> list[dict[str, Json]]:
        return [
            {"name": text(column, "name"), "type": _type(column)} for column in self._specs() if text(column, "name")
        ]

    def _specs(self) -> Iterator[Json]:
        written = text(self._raw, "schema")
        if not written:
            return
        schema = loads(written)
        if not isinstance(schema, Mapping):
            self._warnings.append(f"schema is not JSON: {sample(written)!r}")
            return
        yield from objects(cast(Mapping[str, Any], schema).get("mlflow_colspec"))
        tensors = cast(Mapping[str, Any], schema).get("mlflow_tensorspec")
        for part in ("features", "targets"):
            yield from objects(loads(field(tensors, part)))

    def _columns(self) -> Iterator[Record]:
        for column in self._schema():
            name = column["name"]
            namespace = self._located.field_namespace
            spelled = (Spelling(Form.FIELD, (*namespace, name)),) if namespace else ()
            yield Record(
                f"{self._native_id}#{name}",
                AssetKind.COLUMN,
                name,
                spellings=spelled,
                facets={"type": column["type"]},
            )

    def _upstream(self) -> Iterator[tuple[Record, Edge]]:
        """What a query reads, and the code that made a dataset that has no other source."""
        if self._located.sql is not None:
            yield from self._queried(self._located.sql)
        if self._located.subtype == "code":
            code = code_of(pairs(field(loads(field(self._raw, "source")), "tags")))
            if code is not None:
                yield code, Edge(code.native_id, self._native_id, EdgeKind.DERIVE, transformation="code")

    def _queried(self, sql: str) -> Iterator[tuple[Record, Edge]]:
        tables = tuple(tables_of(sql))
        if not tables:
            self._warnings.append("its SQL could not be parsed")
        for table in tables:
            yield (
                _stub(table),
                Edge(
                    cast(str, table.native_id),
                    self._native_id,
                    EdgeKind.DERIVE,
                    evidence=Evidence.PARSED,
                    confidence=0.7,
                    transformation="sql",
                ),
            )

    def _skipped(self) -> Iterator[Skipped]:
        for warning in self._warnings:
            yield Skipped(f"dataset {self._key}", warning, sample(field(self._raw, "source")), lost=False)


def _stub(table: Located) -> Record:
    return Record(
        cast(str, table.native_id), AssetKind.DATASET, table.name, "table", described=False, spellings=table.spellings
    )


def _type(column: Json) -> Json:
    kind = field(column, "type")
    return f"tensor{field(column, 'tensor-spec')}" if kind == "tensor" else kind if isinstance(kind, str) else "object"


def _without_tags(source: Json) -> Json:
    """A source of type `code` repeats the run's tags, which the run itself tells."""
    told = loads(source)
    if isinstance(told, Mapping) and "tags" in told:
        return {"tags": scrubbed_pairs(pairs(field(told, "tags")))}
    return source if source is not None else ""
