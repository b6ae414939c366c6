"""What a read of the platform told, and answers about artifacts for it."""

from collections.abc import Iterable
from typing import Any

import httpx2

from watersmeet.federation.connector import Batch
from watersmeet.federation.model import Edge, EdgeKind, Record, Skipped

from .telling import Platform, page

STORE = "https://storage.googleapis.com/bucket/manifest.json"


def records(batches: Iterable[Batch]) -> dict[str, Record]:
    found: dict[str, Record] = {}
    for one in (one for batch in batches for scope in batch.scopes for one in scope.records):
        if one.described or one.native_id not in found:
            found[one.native_id] = one
    return found


def edges(batches: Iterable[Batch], kind: EdgeKind) -> list[Edge]:
    return [one for batch in batches for scope in batch.scopes for one in scope.edges if one.kind is kind]


def skipped(batches: Iterable[Batch]) -> list[Skipped]:
    return [one for batch in batches for one in batch.skipped]


def runs(batches: Iterable[Batch]) -> list[str]:
    return [one for one in records(batches) if one.startswith("run/")]


def used(*ids: str, type_: str = "dataset", role: str = "", more: bool = False) -> dict[str, Any]:
    rows = [{"usedAs": [role] if role else [], "node": artifact(one, type_)} for one in ids]
    return {"totalCount": len(ids), "edges": rows, "pageInfo": {"hasNextPage": more, "endCursor": "next"}}


def artifact(id_: str, type_: str = "dataset", **more: Any) -> dict[str, Any]:
    project = {"id": "Pfraud", "name": "fraud", "entityName": "acme"}
    return {
        "id": id_,
        "versionIndex": 0,
        "state": "COMMITTED",
        "digest": "d" * 32,
        "artifactType": {"name": type_},
        "artifactSequence": {"id": f"C{type_}", "name": type_, "project": project},
        "createdAt": "2026-08-01T00:30:00Z",
    } | more


def collection(*versions: dict[str, Any], type_: str = "dataset", **more: Any) -> dict[str, Any]:
    names = [{"node": {"alias": "latest", "artifact": {"id": versions[-1]["id"]}}}] if versions else []
    return {
        "__typename": "ArtifactSequence",
        "id": f"C{type_}",
        "name": type_,
        "defaultArtifactType": {"name": type_},
        "aliases": {"edges": names, "pageInfo": {"hasNextPage": False}},
        "artifacts": listing(*versions),
    } | more


def listing(*nodes: dict[str, Any]) -> dict[str, Any]:
    return {"edges": [{"node": one} for one in nodes], "pageInfo": {"hasNextPage": False}}


def shelf(*versions: dict[str, Any], contents: dict[str, Any] | None = None, **answers: Any) -> Platform:
    """A project with one collection of these versions, each with a manifest of these contents."""
    members = [{"id": f"M{one['id']}", "artifact": one} for one in versions]
    manifest = {"id": "m", "file": {"directUrl": STORE}}
    told = {
        "ProjectPage": page([], artifactCollections=listing(collection(*versions))),
        "Memberships": {"artifactCollection": {"id": "C", "artifactMemberships": listing(*members)}},
        "Manifest": {"artifact": {"id": "A", "currentManifest": manifest if contents is not None else None}},
        STORE: httpx2.Response(200, json={"version": 1, "contents": contents or {}}),
    }
    return Platform(**(told | answers))
