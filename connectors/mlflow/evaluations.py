"""What was judged: evaluation datasets, and one evaluation for each run, model and dataset with its metrics."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from ...federation.model import AssetKind, Edge, EdgeKind, Evidence, Json, Record, Scope
from .place import Place
from .wire import field, loads, moment, pairs, scrubbed_pairs, text

TRAINING, JUDGING = 0, 2
"""The flows of a run: what trained (or transformed), and what was judged. They never mix; flow 0 is also that of the
same run as an emitter of events tells it."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One model, judged by one run on one dataset (`name@digest`, empty where none was told)."""

    run_id: str
    model_id: str
    row: str
    dataset: str | None
    """Native id of the dataset, where the teller knows it."""
    metrics: Mapping[str, Json]
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Evaluations:
    """Records of evaluations and the edges about them."""

    records: tuple[Record, ...]
    edges: tuple[Edge, ...]


def evaluations(judged: Iterable[Judged], place: Place) -> Evaluations:
    """The asset was judged (CHECK), the run wrote the result; its metrics stand on the evaluation."""
    all_of_it = tuple(judged)
    return Evaluations(
        tuple(_record(one, place) for one in all_of_it),
        tuple(dict.fromkeys(edge for one in all_of_it for edge in _edges(one, place))),
    )


def _record(one: Judged, place: Place) -> Record:
    on = f" on {one.row}" if one.row else ""
    return Record(
        place.evaluation(one.run_id, one.model_id, one.row),
        AssetKind.EVALUATION,
        f"evaluation{on}",
        subtype="metrics",
        created_at=one.at,
        facets={"metrics": dict(one.metrics)} if one.metrics else {},
    )


def _edges(one: Judged, place: Place) -> Iterator[Edge]:
    native_id = place.evaluation(one.run_id, one.model_id, one.row)
    checked = [place.logged_model(one.model_id), *([one.dataset] if one.dataset else [])]
    for asset in checked:
        yield Edge(asset, native_id, EdgeKind.CHECK, evidence=Evidence.OBSERVED, valid_from=one.at)
    if one.run_id:
        yield Edge(
            place.run(one.run_id),
            native_id,
            EdgeKind.WRITE,
            flow=JUDGING,
            evidence=Evidence.OBSERVED,
            valid_from=one.at,
        )


def evaluation_dataset(raw: Json, place: Place) -> Scope:
    """An evaluation dataset of MLflow's own; tags, schema and profile are JSON in strings."""
    dataset_id = text(raw, "dataset_id")
    native_id = place.evaluation_dataset(dataset_id)
    tags = scrubbed_pairs(pairs(field(raw, "tags")), limit=place.options.max_tags)
    facets: dict[str, Json] = {
        "mlflow": {"digest": text(raw, "digest"), "profile": loads(text(raw, "profile") or "{}")}
    }
    if tags:
        facets["tags"] = [{"key": key, "value": value} for key, value in tags.items()]
    owner = text(raw, "created_by") or tags.get("owner", "")
    if owner:
        facets["owners"] = [{"name": owner}]
    columns = tuple(_columns(raw, native_id))
    if columns:
        facets["schema"] = [{"name": one.name, "type": one.facets["type"]} for one in columns]
    record = Record(
        native_id,
        AssetKind.DATASET,
        text(raw, "name") or dataset_id,
        subtype="evaluation",
        url=place.page("evaluation-datasets", dataset_id),
        created_at=moment(field(raw, "created_time")),
        updated_at=moment(field(raw, "last_update_time")),
        spellings=(place.spelling("evaluation-dataset", dataset_id),),
        facets=facets,
    )
    parts = tuple(Edge(one.native_id, native_id, EdgeKind.PART_OF) for one in columns)
    return Scope(native_id, (record, *columns), parts)


def _columns(raw: Json, native_id: str) -> Iterator[Record]:
    schema = loads(text(raw, "schema") or "{}")
    for part in ("inputs", "outputs", "expectations"):
        for name, kind in sorted(pairs(field(schema, part)).items()):
            path = f"{part}.{name}"
            yield Record(f"{native_id}#{path}", AssetKind.COLUMN, path, facets={"type": kind})
