"""What OpenLineage has no words for, in a facet of our own: records and edges, and how they are put back."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from ..model import (
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
    Spelling,
)
from .datasets import PATCH
from .foreign import is_list, object_of, objects_of, text_of
from .moments import moment

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Patch:
    """What must be changed in the plain reading of an event so that it says all that was exported."""

    subject: str
    """The native id of what the event speaks of."""
    same: tuple[str, ...] = ()
    """Native ids of the records that the plain reading gets right; it describes no others."""
    records: tuple[Record, ...] = ()
    edges: tuple[Edge, ...] = ()
    without: tuple[Edge, ...] = ()
    """Edges that the plain reading has and the exported graph has not."""
    is_dated: bool = True
    """False: the event had to have a time, and nobody told one."""


def difference(
    subject: str, plain: Scope | None, records: Iterable[Record], edges: Iterable[Edge], *, is_dated: bool
) -> Patch:
    """What turns a plain reading into these records and edges."""
    read = {record.native_id: document(record) for record in plain.records} if plain else {}
    told = list(records)
    before, wanted = set(plain.edges) if plain else set[Edge](), set(edges)
    return Patch(
        subject,
        tuple(sorted(record.native_id for record in told if read.get(record.native_id) == document(record))),
        tuple(record for record in told if read.get(record.native_id) != document(record)),
        _ordered(wanted - before),
        _ordered(before - wanted),
        is_dated,
    )


def patched(scope: Scope, patches: Sequence[Patch]) -> Scope:
    """The scope as it was exported."""
    if not patches:
        return scope
    mine = {name for patch in patches for name in patch.same}
    records = {record.native_id: record for record in scope.records if record.native_id in mine}
    edges = set(scope.edges)
    for patch in patches:
        edges -= set(patch.without)
    for patch in patches:
        records.update({record.native_id: record for record in patch.records})
        edges |= set(patch.edges)
    dated = all(patch.is_dated for patch in patches)
    return Scope(
        scope.key,
        tuple(records[name] for name in sorted(records)),
        _ordered(edges),
        scope.nature if dated or scope.nature is Nature.HAPPENED else Nature.STANDING,
        scope.stated_at if dated else None,
    )


def facet(patch: Patch, base: Mapping[str, Json]) -> Json:
    """The patch as a facet."""
    told: dict[str, Json] = {
        "subject": patch.subject,
        "same": list(patch.same),
        "records": [document(record) for record in patch.records],
        "edges": [_edge(edge) for edge in patch.edges],
        "without": [_edge(edge) for edge in patch.without],
    }
    kept = {name: value for name, value in told.items() if value}
    return {**base, **kept} if patch.is_dated else {**base, **kept, "undated": True}


def read(facets: Mapping[str, Json]) -> Patch | None:
    """The patch among facets; None where there is none."""
    told = object_of(facets, PATCH)
    if not text_of(told, "subject"):
        return None
    return Patch(
        text_of(told, "subject"),
        tuple(name for name in _list(told, "same") if isinstance(name, str)),
        _each(objects_of(told, "records"), _record_of),
        _each(objects_of(told, "edges"), _edge_of),
        _each(objects_of(told, "without"), _edge_of),
        told.get("undated") is not True,
    )


def document(record: Record) -> dict[str, Json]:
    """A record as JSON. Who said it and when is no part of it: the importer is another teller."""
    told: dict[str, Json] = {
        "native_id": record.native_id,
        "kind": record.kind.value,
        "name": record.name,
        "subtype": record.subtype,
        "stub": not record.described,
        "description": record.description,
        "url": record.url,
        "created_at": _iso(record.created_at),
        "updated_at": _iso(record.updated_at),
        "run": record.run and _run(record.run),
        "spellings": sorted([one.form.value, list(one.parts), one.weak] for one in record.spellings),
        "facets": dict(record.facets),
        "suspect": record.suspect,
    }
    return {name: value for name, value in told.items() if value}


def _each(told: Iterable[Mapping[str, Any]], read: Callable[[Mapping[str, Any]], _T]) -> tuple[_T, ...]:
    """Those that can be understood: a facet of ours may come from a newer version."""
    found: list[_T] = []
    for one in told:
        try:
            found.append(read(one))
        except (ValueError, KeyError, TypeError):
            continue
    return tuple(found)


def _list(told: Mapping[str, Any], key: str) -> Sequence[Any]:
    found = told.get(key)
    return found if is_list(found) else ()


def _needed(told: Mapping[str, Any], key: str) -> str:
    found = text_of(told, key)
    if not found:
        raise ValueError(f"no {key}")
    return found


def _text(told: Mapping[str, Any], key: str) -> str | None:
    return text_of(told, key) or None


def _record_of(told: Mapping[str, Any]) -> Record:
    return Record(
        native_id=_needed(told, "native_id"),
        kind=AssetKind(told["kind"]),
        name=text_of(told, "name"),
        subtype=_text(told, "subtype"),
        described=told.get("stub") is not True,
        description=_text(told, "description"),
        url=_text(told, "url"),
        created_at=moment(told.get("created_at")),
        updated_at=moment(told.get("updated_at")),
        run=_run_of(object_of(told, "run")) if told.get("run") else None,
        spellings=tuple(
            Spelling(Form(form), tuple(map(str, parts)), weak is True) for form, parts, weak in _list(told, "spellings")
        ),
        facets=dict(object_of(told, "facets")),
        suspect=told.get("suspect") is True,
    )


def _run(run: Run) -> Json:
    told = {
        "state": run.state.value,
        "started_at": _iso(run.started_at),
        "ended_at": _iso(run.ended_at),
        "error": run.error,
    }
    return {name: value for name, value in told.items() if value is not None}


def _run_of(told: Mapping[str, Any]) -> Run:
    return Run(
        RunState(told["state"]), moment(told.get("started_at")), moment(told.get("ended_at")), _text(told, "error")
    )


def _edge(edge: Edge) -> Json:
    told: dict[str, Json] = {
        "upstream": edge.upstream,
        "downstream": edge.downstream,
        "kind": edge.kind.value,
        "role": edge.role and edge.role.value,
        "flow": edge.flow or None,
        "evidence": edge.evidence.value,
        "confidence": edge.confidence if edge.confidence != 1.0 else None,
        "via": edge.via,
        "planned": edge.planned or None,
        "outcome": edge.outcome and edge.outcome.value,
        "valid_from": _iso(edge.valid_from),
        "valid_to": _iso(edge.valid_to),
        "transformation": edge.transformation,
        "alias": edge.alias,
        "weight": edge.weight,
    }
    return {name: value for name, value in told.items() if value is not None}


def _edge_of(told: Mapping[str, Any]) -> Edge:
    return Edge(
        _needed(told, "upstream"),
        _needed(told, "downstream"),
        EdgeKind(told["kind"]),
        role=Role(told["role"]) if told.get("role") else None,
        flow=int(told.get("flow", 0)),
        evidence=Evidence(told["evidence"]),
        confidence=float(told.get("confidence", 1.0)),
        via=_text(told, "via"),
        planned=told.get("planned") is True,
        outcome=RunState(told["outcome"]) if told.get("outcome") else None,
        valid_from=moment(told.get("valid_from")),
        valid_to=moment(told.get("valid_to")),
        transformation=_text(told, "transformation"),
        alias=_text(told, "alias"),
        weight=float(told["weight"]) if told.get("weight") is not None else None,
    )


def _ordered(edges: Iterable[Edge]) -> tuple[Edge, ...]:
    return tuple(sorted(edges, key=repr))


def _iso(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat()
