"""What an artifact says in Weights & Biases: where its data lies, what it was derived from, and what is told of it."""

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from ...federation.dossier import Dossier, Verdict
from ...federation.model import Json, Record
from ...federation.naming import canonical_uri
from .calling import own, place_of, short, slug, wholes_of
from .verdicts import Said
from .written import MARK, Held

ABOUT = "source.json"
"""The file of each version that says where it was read: it makes its content its own."""
KEPT = "kept in the metadata under _watersmeet"
_TAG = re.compile(r"[-\w]+([ ]+[-\w]+)*")
Entry = dict[str, Json]


@dataclass(slots=True)
class Content:
    """A version as it is to be."""

    about: bytes
    entries: dict[str, Entry] = field(default_factory=dict[str, Entry])

    @property
    def digest(self) -> str:
        """By the vendor's recipe."""
        lines = "".join(f"{path}:{self.entries[path]['digest']}\n" for path in sorted(self.entries))
        return hashlib.md5(f"wandb-artifact-manifest-v1\n{lines}".encode(), usedforsecurity=False).hexdigest()

    def manifest(self, id_: str) -> bytes:
        """As it is put into the store; `id_` is the version that its file came with."""
        contents = {
            path: entry if "ref" in entry else {**entry, "birthArtifactID": id_} for path, entry in self.entries.items()
        }
        policy = {"storagePolicy": "wandb-storage-policy-v1", "storagePolicyConfig": {"storageLayout": "V2"}}
        return json.dumps({"version": 1, **policy, "contents": contents}, sort_keys=True).encode()


def md5_of(body: bytes) -> str:
    """A file's digest, as entries and uploads write it."""
    return base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()


def content(
    record: Record, home: Record | None, source_id: str, files: list[str], upstream: Mapping[str, Held]
) -> Content:
    """What a version consists of: references to where its data lies (`files`: addresses that edges tell), to the
    versions that it was derived from, and a file that says where it was read."""
    told = {"native_id": record.native_id, "name": record.name, "source": source_id}
    made = Content(json.dumps(told, sort_keys=True, ensure_ascii=False).encode())
    made.entries[ABOUT] = {"digest": md5_of(made.about), "size": len(made.about)}
    for one in _told_files(record):
        _add(made, str(one["uri"]), one)
    here = [place for place in (place_of(record), place_of(home) if home is not None else None) if place]
    known = {canonical_uri(str(entry["ref"])) for entry in made.entries.values() if "ref" in entry}
    for uri in (*files, *here[:1]):
        if canonical_uri(uri) not in known:
            _add(made, uri, {})
    for native_id, held in sorted(upstream.items()):
        ref = f"wandb-artifact://{base64.b64decode(held.id).hex()}/{ABOUT}"
        made.entries[f"derived-from/{slug(held.collection)}-{short(native_id)[:6]}"] = {"digest": ref, "ref": ref}
    return made


def _told_files(record: Record) -> list[Mapping[str, Any]]:
    manifest: Json = record.facets.get("manifest")
    files: Json = cast(Mapping[str, Any], manifest).get("files") if isinstance(manifest, Mapping) else None
    found: list[Any] = cast(list[Any], files) if isinstance(files, list) else []
    return [cast(Mapping[str, Any], one) for one in found if isinstance(one, Mapping) and "uri" in one]


def _add(made: Content, uri: str, told: Mapping[str, Any]) -> None:
    path = uri.partition("://")[2].partition("/")[2] or slug(uri)
    if path in made.entries:
        path = f"{path}-{short(uri)[:6]}"
    entry: Entry = {"digest": told.get("digest") or uri, "ref": uri}
    if told.get("size"):
        entry["size"] = told["size"]
    if extra := {name: told[name] for name in ("etag", "versionID") if told.get(name)}:
        entry["extra"] = extra
    made.entries[path] = entry


def metadata(
    record: Record, dossier: Dossier | None, home: Record | None, source_id: str, upstream: list[str]
) -> dict[str, Json]:
    """What stands beside the content: the metadata that it had, and under one name all that has no other place."""
    kept: dict[str, Json] = {name: value for name, value in record.facets.items() if name != "tags"}
    for name, value in (("url", record.url), ("created_at", record.created_at), ("updated_at", record.updated_at)):
        if value is not None:
            kept[name] = value.isoformat() if isinstance(value, datetime) else value
    mark: dict[str, Json] = {"source": source_id, "native_id": record.native_id, "name": record.name}
    mark |= {"kind": record.kind.value, "subtype": record.subtype, "upstream": sorted(upstream), "kept": kept}
    mark["home"] = (home or record).native_id
    mark["wholes"] = wholes_of(record, dossier)
    if dossier is not None and dossier.parts:
        mark["columns"] = [{"name": one.name, "description": one.description, **one.facets} for one in dossier.parts]
    former: Json = own(record).get("metadata")
    return {**(cast(Mapping[str, Json], former) if isinstance(former, Mapping) else {}), MARK: mark}


def tags(record: Record) -> tuple[list[str], bool]:
    """The tags that a version or a collection may bear, and whether they are all that were told."""
    told: Json = record.facets.get("tags")
    found = (
        [cast(Mapping[str, Any], one) for one in cast(list[Any], told) if isinstance(one, Mapping)]
        if isinstance(told, list)
        else []
    )
    words = [f"{one.get('key')} {one['value']}" if one.get("value") else str(one.get("key")) for one in found]
    made = [" ".join(re.findall(r"[-\w]+", word))[:128].strip() for word in words]
    return [one for one in dict.fromkeys(made) if _TAG.fullmatch(one)], made == [str(one.get("key")) for one in found]


def say(dossier: Dossier, held: Held, target: str, said: Said) -> None:
    """What became of the facts of a version."""
    record = dossier.record
    said.exactly("name", record.name == held.name, "is called by its collection and its number there", target)
    said.held("description", target)
    for name in ("subtype", "url", "created_at", "updated_at"):
        said.changed(name, KEPT, target)
    said.exactly("facets/tags", tags(record)[1], "a tag there is words without a value: joined", target)
    for name in record.facets:
        if name == "wandb":
            reason = (
                f"metadata, type and collection are held; no content is copied, so that its digest is another: {KEPT}"
            )
            said.changed("facets/wandb", reason, target)
        elif name == "manifest":
            said.changed("facets/manifest", "its references are held; files stay where they are", target)
        elif name != "tags":
            said.changed(f"facets/{name}", KEPT, target)
    for part in dossier.parts:
        for fact in ("name", "subtype", "description", *(f"facets/{name}" for name in part.facets)):
            said.changed(fact, "the column is " + KEPT, target, of=part.native_id)


__all__ = ["ABOUT", "KEPT", "Content", "Verdict", "content", "md5_of", "metadata", "say", "tags"]
