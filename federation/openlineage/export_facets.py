"""What is known of an asset as OpenLineage facets: those it came with, and those that can be made of the rest."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from ..model import AssetKind, Edge, EdgeKind, Form, Json, Record
from .document import Pair
from .export_names import Book, symlinks
from .foreign import is_list, is_object
from .subjects import Subject

PRODUCER = "urn:watersmeet:export"
SPEC = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/"
_FACETS = "https://openlineage.io/spec/facets/"
_OF_EVENTS = frozenset(
    {"columnLineage", "dataQualityAssertions", "lifecycleStateChange", "lineage", "symlinks", "version"}
)
"""Facets of a dataset that tell of one event: as a lasting truth they would be read as something else."""
_STEP = re.compile(r"(DIRECT|INDIRECT)(?:/(\w+))?( \(masking\))?")


def facet(name: str, version: str, **content: Json) -> dict[str, Json]:
    """A standard facet of ours."""
    return {"_producer": PRODUCER, "_schemaURL": f"{_FACETS}{version}/{name}.json#/$defs/{name}", **content}


def own(name: str) -> dict[str, Json]:
    """What every facet holds, for one that only we know."""
    return {"_producer": PRODUCER, "_schemaURL": f"urn:watersmeet:facet:{name}:1"}


def came(record: Record) -> dict[str, Json]:
    """The facets that the record came with from OpenLineage."""
    found: dict[str, Json] = {}
    for key, value in record.facets.items():
        if is_object(value) and isinstance(value.get("_producer"), str) and isinstance(value.get("_schemaURL"), str):
            found[key.removeprefix("openlineage:")] = dict(value)
    return found


def of_dataset(subject: Subject, pair: Pair, book: Book) -> dict[str, Json]:
    """The facets of a dataset, or of what is told like one."""
    record = subject.record
    found = {key: value for key, value in came(record).items() if key not in _OF_EVENTS}
    _common(found, record, "Dataset")
    fields = [_field(column) for column in sorted(subject.columns, key=_ordinal)]
    if fields and "schema" not in found:
        found["schema"] = facet("SchemaDatasetFacet", "1-2-0", fields=fields)
    if "datasetType" not in found and (record.kind is not AssetKind.DATASET or record.subtype):
        found["datasetType"] = type_of(record)
    links = [{"namespace": ns, "name": name, "type": kind or "ALIAS"} for ns, name, kind in symlinks(record, pair)]
    if links:
        found["symlinks"] = facet("SymlinksDatasetFacet", "1-0-1", identifiers=links)
    change = _change(subject)
    if change:
        found["lifecycleStateChange"] = facet("LifecycleStateChangeDatasetFacet", "1-0-1", **change)
    lineage = _declared(subject, book)
    if lineage:
        name = "LineageDatasetFacet"
        found["lineage"] = facet(name, "1-0-0", **lineage) | {
            "_schemaURL": f"{_FACETS}1-0-0/LineageFacet.json#/$defs/{name}"
        }
    return found


def of_job(record: Record) -> dict[str, Json]:
    """The facets of a job."""
    found = {key: value for key, value in came(record).items() if key != "lineage"}
    _common(found, record, "Job")
    return found


def of_run(record: Record) -> dict[str, Json]:
    """The facets of a run, but for its parent."""
    found = came(record)
    told = record.facets.get("tags")
    if "tags" not in found and is_list(told):
        found["tags"] = facet("TagsRunFacet", "1-0-0", tags=_tags(told))
    parameters = record.facets.get("parameters")
    if "executionParameters" not in found and is_object(parameters):
        some = [{"key": str(key), "value": str(value)} for key, value in sorted(parameters.items())]
        found["executionParameters"] = facet("ExecutionParametersRunFacet", "1-0-0", parameters=some)
    error = record.run.error if record.run else None
    if error and "errorMessage" not in found:
        found["errorMessage"] = facet("ErrorMessageRunFacet", "1-0-1", message=error, programmingLanguage="unknown")
    return found


def type_of(record: Record) -> Json:
    """What kind of thing is told like a dataset."""
    if record.kind is AssetKind.DATASET:
        return facet("DatasetTypeDatasetFacet", "1-0-1", datasetType=(record.subtype or "").upper())
    kind = "ENDPOINT" if record.kind is AssetKind.DEPLOYMENT else record.kind.value
    more = {"subType": record.subtype} if record.subtype else {}
    return facet("DatasetTypeDatasetFacet", "1-0-1", datasetType=kind, **more)


def columns_of(target: str, edges: Iterable[Edge], book: Book) -> Json | None:
    """The column lineage of one dataset, from the edges that one run drew."""
    fields: dict[str, list[Json]] = {}
    whole: list[Json] = []
    for edge in edges:
        if edge.kind is not EdgeKind.DERIVE or not book.field(edge.upstream) or book.dataset(edge.downstream) != target:
            continue
        namespace, name = book.pair(book.dataset(edge.upstream))
        one = {
            "namespace": namespace,
            "name": name,
            "field": book.field(edge.upstream),
            "transformations": steps(edge.transformation),
        }
        path = book.field(edge.downstream)
        fields.setdefault(path, []).append(one) if path else whole.append(one)
    if not fields and not whole:
        return None
    named = {path: {"inputFields": some} for path, some in sorted(fields.items())}
    more = {"dataset": whole} if whole else {}
    return facet("ColumnLineageDatasetFacet", "1-2-0", fields=named, **more)


def steps(text: str | None) -> list[Json]:
    """The transformations that a text joins; a text in other words says nothing here."""
    found: list[Json] = []
    for word in (text or "").split(", "):
        step = _STEP.fullmatch(word)
        if step is not None:
            subtype = {"subtype": step[2]} if step[2] else {}
            found.append({"type": step[1], **subtype, "masking": step[3] is not None})
    return found


def job_lineage(entries: list[Json]) -> Json:
    """Explicit lineage of a job or a run."""
    name = "LineageJobFacet"
    return facet(name, "1-0-0", entries=entries) | {"_schemaURL": f"{_FACETS}1-0-0/LineageFacet.json#/$defs/{name}"}


def _common(found: dict[str, Json], record: Record, slot: str) -> None:
    """What datasets and jobs have alike."""
    if record.description and "documentation" not in found:
        found["documentation"] = facet(f"Documentation{slot}Facet", "1-1-0", description=record.description)
    owners = record.facets.get("owners")
    if "ownership" not in found and is_list(owners):
        some = [_owner(one) for one in owners if is_object(one)]
        found["ownership"] = facet(f"Ownership{slot}Facet", "1-0-1", owners=some)
    tags = record.facets.get("tags")
    if "tags" not in found and is_list(tags):
        found["tags"] = facet(f"Tags{slot}Facet", "1-0-0", tags=_tags(tags))


def _owner(one: Mapping[Any, Any]) -> Json:
    role = {"type": str(one["role"])} if one.get("role") else {}
    return {"name": str(one.get("name", "")), **role}


def _tags(told: Iterable[Any]) -> list[Json]:
    some = [one for one in told if is_object(one) and one.get("key")]
    return [{"key": str(one["key"]), "value": str(one.get("value") or "")} for one in some]


def _field(column: Record) -> Json:
    told = {"name": column.name, "type": column.subtype, "description": column.description}
    return {name: value for name, value in told.items() if value}


def _ordinal(column: Record) -> tuple[int, str]:
    told = column.facets.get("ordinal")
    return (told if isinstance(told, int) else 2**31, column.name)


def _change(subject: Subject) -> dict[str, Json]:
    if subject.tombstoned_at is not None:
        return {"lifecycleStateChange": "DROP"}
    for one in subject.record.spellings:
        if one.form is Form.SYMLINK and one.parts[2:] == ("RENAMED",):
            former = {"namespace": one.parts[0], "name": one.parts[1]}
            return {"lifecycleStateChange": "RENAME", "previousIdentifier": former}
    return {}


def _declared(subject: Subject, book: Book) -> dict[str, Json]:
    """What the dataset is made of where no process is known in between; a deployment is made of what it serves."""
    whole: list[Json] = []
    fields: dict[str, list[Json]] = {}
    for edge in subject.edges:
        if edge.kind not in (EdgeKind.DERIVE, EdgeKind.DEPLOY, EdgeKind.CHECK):
            continue
        namespace, name = book.pair(book.dataset(edge.upstream))
        one = {"type": "DATASET", "namespace": namespace, "name": name}
        if book.kinds.get(edge.upstream) is AssetKind.JOB:
            one["type"] = "JOB"
        field, path, changes = book.field(edge.upstream), book.field(edge.downstream), steps(edge.transformation)
        more: dict[str, Json] = {
            **({"field": field} if field else {}),
            **({"transformations": changes} if changes else {}),
        }
        fields.setdefault(path, []).append({**one, **more}) if path else whole.append({**one, **more})
    found: dict[str, Json] = {}
    if whole or fields:
        found["inputs"] = whole
    if fields:
        found["fields"] = {path: {"inputs": some} for path, some in sorted(fields.items())}
    return found
