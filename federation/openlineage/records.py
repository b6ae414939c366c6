"""Datasets, columns, jobs and runs of events as records."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from ..model import AssetKind, Edge, EdgeKind, Evidence, Form, Json, Record, Run, Spelling
from ..naming import is_suspect, run_uuid
from .union import Pair, Told, Union

_VERSION = re.compile(r"/tree/[^/]+|/v?\d+(\.\d+)+[^/]*$")
_KINDS = {
    "MODEL": AssetKind.MODEL,
    "MODEL_VERSION": AssetKind.MODEL_VERSION,
    "ENDPOINT": AssetKind.DEPLOYMENT,
    "DEPLOYMENT": AssetKind.DEPLOYMENT,
    "PROMPT": AssetKind.PROMPT,
    "PROMPT_VERSION": AssetKind.PROMPT_VERSION,
    "EVALUATION": AssetKind.EVALUATION,
    "ARTIFACT": AssetKind.ARTIFACT,
    "FEATURE": AssetKind.FEATURE,
    "FEATURE_TABLE": AssetKind.FEATURE_TABLE,
    "DASHBOARD": AssetKind.DASHBOARD,
    "INDEX": AssetKind.INDEX,
    "AGENT": AssetKind.AGENT,
    "EXPERIMENT": AssetKind.EXPERIMENT,
}
PREFIX = "openlineage:"
"""Before the standard's own facets, so that they never clash with the words that all platforms share."""


def teller_of(producer: str) -> str | None:
    """A producer, whatever its version."""
    return _VERSION.sub("", producer).rstrip("/") or None


def native_job(pair: Pair) -> str:
    """The native id of a job."""
    return f"job:{pair[0]}/{pair[1]}"


def native_run(run_id: str) -> str:
    """The native id of a run."""
    return f"run:{run_id}"


class Namer:
    """Native ids of datasets, within one process: a suspect name belongs to the job that named it."""

    def __init__(self, union: Union, process: str) -> None:
        self._process = process
        self._names: dict[str, list[str]] = {}
        for namespace, name in union.datasets:
            self._names.setdefault(namespace, []).append(name)

    def is_suspect(self, pair: Pair) -> bool:
        """Whether the name may be no dataset at all."""
        return is_suspect(pair[1], self._names.get(pair[0], ()), pair[0])

    def native(self, pair: Pair) -> str:
        """What the dataset is called within the source."""
        plain = f"{pair[0]}/{pair[1]}"
        return f"suspect:{self._process}!{plain}" if self.is_suspect(pair) else plain


def dataset(told: Told, namer: Namer, teller: str | None) -> Iterator[Record]:
    """A dataset with its columns, and its version where that is told."""
    native, suspect = namer.native(told.pair), namer.is_suspect(told.pair)
    facets, at = told.facets, _at(told)
    described = bool(facets) or any(told.ends.values())
    yield Record(
        native_id=native,
        kind=kind_of(facets),
        name=told.pair[1],
        subtype=_subtype(facets),
        described=not suspect and (described or bool(told.ends)),
        description=_text(facets.get("documentation"), "description"),
        spellings=() if suspect else tuple(_spellings(told)),
        facets=dataset_facets(facets),
        teller=teller,
        suspect=suspect,
        stated_at=at,
    )
    if not suspect:
        tags = _column_tags(facets)
        for path, field in fields(facets):
            yield column(told, native, path, teller, field, tags.get(path, []))
        if version := _text(facets.get("version"), "datasetVersion"):
            yield Record(f"{native}@{version}", AssetKind.DATASET_VERSION, version, teller=teller, stated_at=at)


def _at(told: Told) -> datetime | None:
    return told.told_at if told.told_at.year > 1 else None


def column(
    told: Told, native: str, path: str, teller: str | None, field: Mapping[str, Any] | None, tags: list[Json]
) -> Record:
    """One column; without `field` only its name is known."""
    namespace, name = told.pair
    links = [(*link, path, kind) for *link, kind in _symlinks(told.facets)]
    more = {key: value for key, value in (field or {}).items() if key not in ("name", "fields", "description", "type")}
    return Record(
        native_id=f"{native}#{path}",
        kind=AssetKind.COLUMN,
        name=path,
        subtype=str(field["type"]) if field and field.get("type") else None,
        described=field is not None,
        description=str(field["description"]) if field and field.get("description") else None,
        spellings=(
            Spelling(Form.FIELD, (namespace, name, path)),
            *(Spelling(Form.FIELD, (one[0], one[1], one[2], one[3])) for one in links),
        ),
        facets={**more, **({"tags": tags} if tags else {})},
        teller=teller,
        stated_at=_at(told),
    )


def fields(facets: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The columns of a schema facet, nested ones by their dotted path."""
    yield from _nested((facets.get("schema") or {}).get("fields"), "", 8)


def _nested(told: Any, before: str, left: int) -> Iterator[tuple[str, dict[str, Any]]]:
    if not isinstance(told, list) or left == 0:
        return
    for field in told:
        if isinstance(field, dict) and isinstance(field.get("name"), str):
            path = f"{before}{field['name']}"
            yield path, field
            yield from _nested(field.get("fields"), f"{path}.", left - 1)


def _spellings(told: Told) -> Iterator[Spelling]:
    for pair in sorted({told.pair, *told.spellings}):
        yield Spelling(Form.OPENLINEAGE, pair)
    for namespace, name, kind in _symlinks(told.facets):
        yield Spelling(Form.SYMLINK, (namespace, name, kind))
    former = (told.facets.get("lifecycleStateChange") or {}).get("previousIdentifier")
    if isinstance(former, dict) and former.get("namespace") and former.get("name"):
        yield Spelling(Form.SYMLINK, (str(former["namespace"]), str(former["name"]), "RENAME"))


def _symlinks(facets: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for one in (facets.get("symlinks") or {}).get("identifiers") or ():
        if isinstance(one, dict) and one.get("namespace") and one.get("name"):
            yield str(one["namespace"]), str(one["name"]), str(one.get("type") or "TABLE")


def kind_of(facets: Mapping[str, Any]) -> AssetKind:
    """A dataset, or what its type facet says it is."""
    told = _text(facets.get("datasetType"), "datasetType") or ""
    return _KINDS.get(told.upper(), AssetKind.DATASET)


def _subtype(facets: Mapping[str, Any]) -> str | None:
    kind = _text(facets.get("datasetType"), "datasetType")
    return kind.lower() if kind else None


def _text(facet: Any, name: str) -> str | None:
    value = facet.get(name) if isinstance(facet, dict) else None
    return str(value) if value not in (None, "") else None


def dataset_facets(facets: Mapping[str, Any]) -> dict[str, Json]:
    """The standard's facets as they came, and the words that all platforms share."""
    shared: dict[str, Json] = {f"{PREFIX}{name}": facet for name, facet in facets.items()}
    columns = [
        {name: field[name] for name in ("name", "type", "description") if field.get(name)} | {"name": path}
        for path, field in fields(facets)
    ]
    if columns:
        shared["schema"] = columns
    return shared | common(facets)


def common(facets: Mapping[str, Any]) -> dict[str, Json]:
    """Owners and tags, which datasets, jobs and runs bear alike."""
    found: dict[str, Json] = {}
    owners = [one for one in _list(facets.get("ownership"), "owners") if one.get("name")]
    tags = [one for one in _list(facets.get("tags"), "tags") if one.get("key") and not one.get("field")]
    if owners:
        found["owners"] = [{"name": str(one["name"]), "role": one.get("type")} for one in owners]
    if tags:
        found["tags"] = [{"key": str(one["key"]), "value": one.get("value")} for one in tags]
    return found


def _column_tags(facets: Mapping[str, Any]) -> dict[str, list[Json]]:
    found: dict[str, list[Json]] = {}
    for one in _list(facets.get("tags"), "tags"):
        if one.get("key") and one.get("field"):
            found.setdefault(str(one["field"]), []).append({"key": str(one["key"]), "value": one.get("value")})
    return found


def _list(facet: Any, name: str) -> list[dict[str, Any]]:
    items = facet.get(name) if isinstance(facet, dict) else None
    return [one for one in items if isinstance(one, dict)] if isinstance(items, list) else []


def job(pair: Pair, facets: Mapping[str, Any], teller: str | None, at: datetime | None, *, described: bool) -> Record:
    """A job."""
    kind = facets.get("jobType") or {}
    return Record(
        native_id=native_job(pair),
        kind=AssetKind.JOB,
        name=pair[1],
        subtype=str(kind.get("jobType") or kind.get("integration") or "").lower() or None,
        described=described,
        description=_text(facets.get("documentation"), "description"),
        url=_text(facets.get("sourceCodeLocation"), "url"),
        spellings=(Spelling(Form.OPENLINEAGE_JOB, pair),),
        facets={f"{PREFIX}{name}": facet for name, facet in facets.items()} | common(facets),
        teller=teller,
        stated_at=at,
    )


def run(union: Union, run_id: str, teller: str | None, extra: Mapping[str, Json]) -> Record:
    """The run that events tell of."""
    facets = union.run_facets
    shared: dict[str, Json] = (
        {f"{PREFIX}{name}": facet for name, facet in facets.items()} | common(facets) | dict(extra)
    )
    parameters = _list(facets.get("executionParameters"), "parameters")
    if parameters:
        shared["parameters"] = [{"key": one.get("key"), "value": one.get("value")} for one in parameters]
    return Record(
        native_id=native_run(run_id),
        kind=AssetKind.RUN,
        name=f"{union.job[1]} {run_id[:8]}" if union.jobs else run_id,
        run=Run(union.state, union.started, union.ended, error_of(facets)),
        created_at=union.started,
        updated_at=union.last,
        spellings=tuple(Spelling(Form.OPENLINEAGE_RUN, (one,)) for one in sorted(union.run_spellings)),
        facets=shared,
        teller=teller,
        stated_at=union.last,
    )


def error_of(facets: Mapping[str, Any]) -> str | None:
    """What went wrong, in the words of the standard's facet or of Spark's."""
    message = _text(facets.get("errorMessage"), "message")
    trace = _text(facets.get("spark.exception") or facets.get("spark_exception"), "stackTrace")
    text = message or (trace.strip().splitlines()[0] if trace and trace.strip() else None)
    return text[:2000] if text else None


def stub_run(run_id: str, teller: str | None) -> Record:
    """A run of which only the id is known."""
    return Record(
        native_run(run_uuid(run_id)),
        AssetKind.RUN,
        run_id,
        described=False,
        spellings=(Spelling(Form.OPENLINEAGE_RUN, (run_id,)),),
        teller=teller,
    )


def part_of(records: Iterable[Record]) -> Iterator[Edge]:
    """Columns and versions belong to their dataset."""
    for record in records:
        if record.kind is AssetKind.COLUMN:
            yield Edge(record.native_id, record.native_id.rpartition("#")[0], EdgeKind.PART_OF)
        elif record.kind is AssetKind.DATASET_VERSION:
            parent = record.native_id[: -len(record.name) - 1]
            yield Edge(record.native_id, parent, EdgeKind.VERSION_OF, evidence=Evidence.OBSERVED)
