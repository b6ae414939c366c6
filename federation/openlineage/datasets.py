"""Datasets, their columns and versions, as their facets describe them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..identity import kind_of
from ..model import AssetKind, Edge, EdgeKind, Evidence, Form, Json, Record, Spelling
from ..naming.mlflow import paired
from ..naming.namespace import place
from .document import Pair, canonical, pair_of
from .foreign import object_of, objects_of, text_of
from .merge import Facts
from .names import column_id, teller, version_id
from .sheet import spelled

PATCH = "watersmeet_graph"
"""The facet in which our own export says what OpenLineage has no words for; it describes nothing itself."""
NORMAL = frozenset({"links", "metrics", "openlineage", "owners", "parameters", "schema", "tags"})
"""Keys of facets that mean the same whatever platform told them; OpenLineage's own of that name stand aside."""

_KINDS = {kind.value: kind for kind in AssetKind} | {
    "ENDPOINT": AssetKind.DEPLOYMENT,
    "FEATURE_VIEW": AssetKind.FEATURE_TABLE,
    "FEATURE_GROUP": AssetKind.FEATURE_TABLE,
    "VECTOR_INDEX": AssetKind.INDEX,
    "SEARCH_INDEX": AssetKind.INDEX,
}
_NO_DATASETS = frozenset({AssetKind.COLUMN, AssetKind.JOB, AssetKind.RUN})
_MLFLOW = {
    "model": AssetKind.MODEL,
    "model-version": AssetKind.MODEL_VERSION,
    "logged-model": AssetKind.MODEL_VERSION,
    "prompt": AssetKind.PROMPT,
    "prompt-version": AssetKind.PROMPT_VERSION,
    "experiment": AssetKind.EXPERIMENT,
    "deployment": AssetKind.DEPLOYMENT,
}


def kind(pair: Pair, facets: Mapping[str, Json]) -> AssetKind:
    """What a dataset is: its facet says it, and MLflow's names say whether a model or a version of it is meant."""
    told = _KINDS.get(text_of(facets.get("datasetType"), "datasetType").upper(), AssetKind.DATASET)
    found = [AssetKind.DATASET if told in _NO_DATASETS else told]
    if place(pair[0]).system.name == "mlflow":
        meant = paired(pair[1])
        found += [_MLFLOW[meant.type]] if meant and meant.type in _MLFLOW else []
    return kind_of(found)


def described(native_id: str, facts: Facts, *, written: bool, suspect: bool) -> Record:
    """The record of a dataset. A mere name is a stub, unless somebody wrote to it."""
    facets = facts.facets
    what = kind(facts.pair, facets)
    return Record(
        native_id=native_id,
        kind=what,
        name=facts.pair[1],
        subtype=_subtype(what, facets),
        described=not suspect and (written or bool(facets)),
        description=text_of(facets.get("documentation"), "description") or None,
        spellings=_spellings(facts),
        facets={} if suspect else _facets(facets),
        teller=teller(facts.producer),
        suspect=suspect,
        stated_at=facts.at,
    )


def kept(facets: Mapping[str, Json]) -> dict[str, Json]:
    """Facets as they came; those whose key means something else here stand under `openlineage:<key>`."""
    told = ((name, facet) for name, facet in facets.items() if name != PATCH)
    return {f"openlineage:{name}" if name in NORMAL else name: facet for name, facet in told}


def owners(facets: Mapping[str, Json]) -> list[Json]:
    """`ownership` in the common form."""
    told = objects_of(facets.get("ownership"), "owners")
    return [
        {"name": text_of(one, "name"), **({"role": text_of(one, "type")} if text_of(one, "type") else {})}
        for one in told
        if text_of(one, "name")
    ]


def tags(facets: Mapping[str, Json], field: str = "") -> list[Json]:
    """`tags` in the common form: those of the whole, or of one field of it."""
    told = objects_of(facets.get("tags"), "tags")
    mine = [one for one in told if text_of(one, "key") and text_of(one, "field") == field]
    return [{"key": text_of(one, "key"), "value": text_of(one, "value")} for one in mine]


def normal(facets: Mapping[str, Json]) -> dict[str, Json]:
    """What facets of every slot can say in the common form."""
    found = {"owners": owners(facets), "tags": tags(facets)}
    return {name: value for name, value in found.items() if value}


def columns(dataset: Record, pair: Pair, facts: Facts) -> Iterator[Record]:
    """The columns that a schema lists, nested ones by their dotted path."""
    tagged = {text_of(one, "field") for one in objects_of(facts.facets.get("tags"), "tags")}
    for number, (path, one) in enumerate(_fields(facts.facets), 1):
        facets: dict[str, Json] = {"type": text_of(one, "type"), "ordinal": one.get("ordinal_position", number)}
        if path in tagged:
            facets["tags"] = tags(facts.facets, path)
        yield Record(
            native_id=column_id(dataset.native_id, path),
            kind=AssetKind.COLUMN,
            name=path,
            subtype=text_of(one, "type") or None,
            description=text_of(one, "description") or None,
            spellings=(Spelling(Form.FIELD, (*pair, path)),),
            facets=facets,
            teller=dataset.teller,
            suspect=dataset.suspect,
            stated_at=dataset.stated_at,
        )


def column_stub(dataset: Record, pair: Pair, path: str, *, suspect: bool) -> Record:
    """A column of which only the name is told."""
    return Record(
        native_id=column_id(dataset.native_id, path),
        kind=AssetKind.COLUMN,
        name=path,
        described=False,
        spellings=(Spelling(Form.FIELD, (*pair, path)),),
        teller=dataset.teller,
        suspect=suspect or dataset.suspect,
    )


def version(dataset: Record, facts: Facts, of_io: Mapping[str, Json]) -> Record | None:
    """The version that was read or written, where one is told."""
    told = (
        text_of(facts.facets.get("version"), "datasetVersion")
        or text_of(of_io.get("icebergCommitReport"), "snapshotId")
        or text_of(of_io.get("icebergScanReport"), "snapshotId")
    )
    if not told or dataset.kind is not AssetKind.DATASET or dataset.suspect:
        return None
    return Record(
        native_id=version_id(dataset.native_id, told),
        kind=AssetKind.DATASET_VERSION,
        name=f"{dataset.name}@{told}",
        facets={"version": told},
        teller=dataset.teller,
        stated_at=dataset.stated_at,
    )


def hangs(upstream: Record, downstream: Record, kind: EdgeKind, evidence: Evidence, since: Any) -> Edge:
    """A part or version, and its whole."""
    return Edge(upstream.native_id, downstream.native_id, kind, evidence=evidence, valid_from=since)


def change(facts: Facts) -> str:
    """What `lifecycleStateChange` says, in capitals."""
    return text_of(facts.facets.get("lifecycleStateChange"), "lifecycleStateChange").upper()


def _facets(facets: Mapping[str, Json]) -> dict[str, Json]:
    found = {**kept(facets), **normal(facets)}
    schema = [_column(path, one) for path, one in _fields(facets)]
    if schema:
        found["schema"] = schema
    return found


def _column(path: str, one: Mapping[str, Json]) -> Json:
    told = {name: text_of(one, name) for name in ("type", "description")}
    return {"name": path, **{name: text for name, text in told.items() if text}}


def _fields(facets: Mapping[str, Json]) -> Sequence[tuple[str, Mapping[str, Json]]]:
    found: list[tuple[str, Mapping[str, Json]]] = []
    _gather(facets.get("schema"), "", found)
    return found


def _gather(holder: Json, above: str, found: list[tuple[str, Mapping[str, Json]]]) -> None:
    for one in objects_of(holder, "fields"):
        name = text_of(one, "name")
        if name:
            found.append((above + name, one))
            _gather(one, f"{above}{name}.", found)


def _subtype(what: AssetKind, facets: Mapping[str, Json]) -> str | None:
    facet = facets.get("datasetType")
    told = text_of(facet, "datasetType") if what is AssetKind.DATASET else text_of(facet, "subType")
    return told.lower() or None


def _spellings(facts: Facts) -> tuple[Spelling, ...]:
    facets = facts.facets
    found = [Spelling(Form.OPENLINEAGE, pair) for pair in (facts.spelled or {facts.pair})]
    for one in objects_of(facets.get("symlinks"), "identifiers"):
        pair = pair_of(one)
        if pair and canonical(*pair) != facts.pair:
            found.append(Spelling(Form.SYMLINK, (*pair, text_of(one, "type"))))
    uri = text_of(facets.get("dataSource"), "uri")
    if ":/" in uri:
        found.append(Spelling(Form.URI, (uri,), weak=True))
    former = pair_of(object_of(facets.get("lifecycleStateChange"), "previousIdentifier"))
    if former and change(facts) == "RENAME":
        found.append(Spelling(Form.SYMLINK, (*former, "RENAMED")))
    return spelled(found)
