"""What the fields of a dataset become, and which field came from which."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast

from ...federation.model import AssetKind, Edge, EdgeKind, Evidence, Form, Json, Record, Skipped, Spelling
from .facets import governed
from .saying import Aspect, Place, Saying, Told, flow, kind_of
from .urn import Urn, column, encoded, plain, urn
from .wire import field, kept, objects, sample, stamped, text, texts, union_name, unwrapped


def schema(aspect: Aspect, place: Place) -> Told:
    """`schemaMetadata`: the columns. Of several types under one path (a union) the first is the column."""
    saying = Saying(aspect, place)
    saying.without("fields")
    listed: list[dict[str, Json]] = []
    for number, raw in enumerate(_fields(saying, "fields")):
        path = field(raw, "fieldPath")
        if not isinstance(path, str) or not path:
            saying.skipped.append(Skipped(f"{aspect.what}: fields/{number}", "a field without a path", sample(raw)))
            continue
        record = _column(aspect.urn, path, raw, place)
        if record.native_id in saying.others:
            saying.others[record.native_id] = _variant(saying.others[record.native_id], raw)
            continue
        saying.others[record.native_id] = record
        saying.add(Edge(record.native_id, saying.native_id, EdgeKind.PART_OF))
        listed.append({"name": record.name} | _told(type=record.subtype, description=record.description))
    saying.facets["schema"] = listed
    saying.updated_at = stamped(aspect.value, "lastModified")
    return saying.told()


def edited(aspect: Aspect, place: Place) -> Told:
    """`editableSchemaMetadata`: what people wrote about columns."""
    saying = Saying(aspect, place)
    saying.without("editableSchemaFieldInfo")
    for number, raw in enumerate(_fields(saying, "editableSchemaFieldInfo")):
        path = field(raw, "fieldPath")
        if not isinstance(path, str) or not path:
            what = f"{aspect.what}: editableSchemaFieldInfo/{number}"
            saying.skipped.append(Skipped(what, "a field without a path", sample(raw)))
            continue
        native_id = column(aspect.urn.text, encoded(path))
        described = Record(
            native_id,
            AssetKind.COLUMN,
            urn(native_id).label,
            described=False,
            description=text(raw, "description"),
            facets=governed(raw) | {"datahub.editableField": kept(raw)},
        )
        saying.others[native_id] = described
        saying.add(Edge(native_id, saying.native_id, EdgeKind.PART_OF))
    return saying.told()


def fine_grained(saying: Saying, via: str | None = None) -> None:
    """`fineGrainedLineages`: every upstream of an entry with each of its downstreams, by column where columns are told.

    What an entry says beyond its pairs (a query) is kept; an entry that joins nothing is kept whole.
    """
    further: list[Json] = []
    for number, raw in enumerate(_fields(saying, "fineGrainedLineages")):
        place = f"fineGrainedLineages/{number}"
        ups = [saying.end(one, f"{place}/upstreams") for one in texts(raw, "upstreams")]
        downs = [saying.end(one, f"{place}/downstreams") for one in texts(raw, "downstreams")]
        if not texts(raw, "downstreams") and saying.aspect.urn.type == "dataset":
            downs = [saying.aspect.urn]  # no downstream means the whole dataset
        pairs = [(up, down) for up in ups if up is not None for down in downs if down is not None]
        for up, down in pairs:
            saying.add(_derived(raw, up, down, via))
        if not pairs or field(raw, "query"):
            further.append(kept(raw))
    saying.without("fineGrainedLineages")
    if further:
        saying.facets["datahub.fineGrainedLineages"] = further


def _derived(raw: Json, up: Urn, down: Urn, via: str | None) -> Edge:
    confidence = field(raw, "confidenceScore")
    is_told = isinstance(confidence, int | float) and not isinstance(confidence, bool)
    return Edge(
        plain(up),
        plain(down),
        flow(kind_of(up), kind_of(down)),
        evidence=Evidence.PARSED if field(raw, "query") else Evidence.DECLARED,
        confidence=min(max(float(confidence), 0.0), 1.0) if is_told else 1.0,
        via=via,
        transformation=text(raw, "transformOperation"),
    )


def _column(dataset: Urn, path: str, raw: Json, place: Place) -> Record:
    written = f"urn:li:schemaField:({dataset.text},{encoded(path)})"
    native_id = column(dataset.text, encoded(path))
    return Record(
        native_id,
        AssetKind.COLUMN,
        urn(native_id).label,
        subtype=text(raw, "nativeDataType") or union_name(field(unwrapped(field(raw, "type")), "type")),
        description=text(raw, "description"),
        created_at=stamped(raw, "created"),
        updated_at=stamped(raw, "lastModified"),
        spellings=(Spelling(Form.URN, (written, place.source)),) if dataset.type == "dataset" else (),
        facets=governed(raw) | {"datahub.field": kept(raw)},
    )


def _variant(first: Record, raw: Json) -> Record:
    others = [*first.facets.get("datahub.variants", ()), kept(raw)]
    return replace(first, facets={**first.facets, "datahub.variants": others})


def _fields(saying: Saying, name: str) -> Iterator[dict[str, Any]]:
    """The objects of a list; what else stands in it is put aside."""
    found = field(saying.aspect.value, name)
    if isinstance(found, list) and len(cast(list[Any], found)) != len(list(objects(saying.aspect.value, name))):
        strange = sum(not isinstance(one, dict) for one in cast(list[Any], found))
        saying.skipped.append(Skipped(f"{saying.aspect.what}: {name}", f"{strange} entries are no objects"))
    elif found is not None and not isinstance(found, list):
        saying.skipped.append(Skipped(f"{saying.aspect.what}: {name}", "it is no list", sample(found)))
        saying.is_corrupt = True
    yield from objects(saying.aspect.value, name)


def _told(**fields: Json) -> dict[str, Json]:
    return {name: value for name, value in fields.items() if value is not None}
