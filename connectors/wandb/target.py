"""One entity of Weights & Biases that is written to: projects, runs and versions, each made once."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

from ...federation.dossier import Dossier, Look
from ...federation.errors import SourceRefused
from ...federation.model import EdgeKind, Json, Record
from .api import RIGHT, Api
from .calling import (
    TYPES,
    asset_project,
    collection_name,
    home_of,
    is_reference,
    other_name,
    place_of,
    run_name,
    run_project,
    short,
    slug,
    type_of,
)
from .mutations import (
    COMMIT,
    CREATE_ARTIFACT,
    CREATE_FILES,
    CREATE_MANIFEST,
    DIGEST_OF,
    ONE_RUN,
    TARGET,
    UPDATE_ARTIFACT,
    UPSERT_PROJECT,
    UPSERT_RUN,
)
from .options import Options
from .registries import Registries
from .run_words import RunWords
from .verdicts import Said
from .version_words import ABOUT, Content, content, md5_of, metadata, tags
from .wire import edges, field, number, text, texts
from .written import Held, Ledger, RunAt, Shelf, entity_mark, mark_of, stamp_of

_IMPORT = "import"


class Known:
    """What is told of things: what is handed over now, and what can be looked up of all others."""

    def __init__(self, dossiers: Sequence[Dossier], look: Look) -> None:
        self._here = {one.record.native_id: one for one in dossiers}
        self._look = look

    def here(self, native_id: str) -> Dossier | None:
        """Of a thing that is handed over now."""
        return self._here.get(native_id)

    def any(self, native_id: str) -> Dossier | None:
        """Of any thing."""
        return self._here.get(native_id) or self._look(native_id)


class Target:
    """Writes what one source tells. Everything it does may be done again, and comes to the same."""

    def __init__(self, api: Api, entity: str | None, options: Options, source_id: str) -> None:
        self._api = api
        self._project = slug(options.write_project)
        self._source_id = source_id
        asked = api.ask(TARGET, {"entity": entity}).data
        if field(asked, "viewer") is None:
            raise SourceRefused(f"{api.name}: the key is not known there. Make another one on the page /authorize")
        found = field(asked, "entity")
        if found is None:
            raise SourceRefused(
                f"{api.name}: there is no entity {entity or 'of its own'} for this key. Name one under `workspaces`"
            )
        self.entity = text(found, "name")
        if field(found, "readOnly") is True:
            raise SourceRefused(f"{api.name}: permission denied to write to {self.entity}. {RIGHT}")
        self.ledger = Ledger(api, self.entity, source_id)
        self.ledger.load()
        org = text(found, "organization", "orgEntity", "name")
        self.registries = Registries(api, org, options.write_registry, self.ledger, source_id)
        self._importers: set[RunAt] = set()

    # Projects and runs

    def project(self, name: str, description: str | None = None) -> None:
        """See to it that a project is there."""
        told = {"entityName": self.entity, "name": name, "description": description}
        self._api.change(UPSERT_PROJECT, {"input": told})
        self.ledger.projects.add(name)

    def run(self, dossier: Dossier, said: Said) -> RunAt:
        """Make a run, or bring it up to date."""
        at = self.ledger.runs.get(dossier.record.native_id) or self._new_run(dossier)
        words = RunWords(dossier, at, self.entity, said)
        self._api.change(UPSERT_RUN, {"input": words.input()})
        self.ledger.projects.add(at.project)
        self.ledger.ran(dossier.record.native_id, at, words.wrote)
        self._end(at, words.state)
        return at

    def _new_run(self, dossier: Dossier) -> RunAt:
        """A run of the same id that is somebody else's is left alone."""
        record = dossier.record
        project, name = run_project(dossier, self._project), run_name(record, self._source_id)
        asked = {"entity": self.entity, "project": project, "run": name}
        found = field(self._api.ask(ONE_RUN, asked).data, "project", "run")
        mark = mark_of(field(found, "config"))
        mine = {"source": self._source_id, "native_id": record.native_id}
        if found is not None and {key: text(mark, key) for key in mine} != mine:
            name = other_name(record, self._source_id)
        return RunAt(project, name)

    def _end(self, at: RunAt, state: str) -> None:
        """Say how it ended: the file stream knows good and bad ends, as the client tells them; the rest is a word."""
        if state in ("finished", "failed"):
            body = {"complete": True, "exitcode": 0 if state == "finished" else 1}
            self._api.post(f"/files/{self.entity}/{at.project}/{at.name}/file_stream", json.dumps(body).encode())
        else:
            told = {"entityName": self.entity, "modelName": at.project, "name": at.name, "state": state}
            self._api.change(UPSERT_RUN, {"input": told})

    # Versions

    def version(self, record: Record, known: Known) -> Held:
        """The version that stands for a thing; it is made if it is not there. Raises `Unwritten`."""
        held, dossier = self.ledger.versions.get(record.native_id), known.here(record.native_id)
        if held is None:
            return self._made(record, known)
        if dossier is not None:
            self.tell(held, record, dossier)
        self._log_again(held, record)
        return held

    def _made(self, record: Record, known: Known) -> Held:
        """What it was derived from is made first, however far back that goes; a circle is cut where it closes."""
        waiting, begun, there = [record], set[str](), self.ledger.versions
        while waiting:
            one = waiting[-1]
            if one.native_id in begun or one.native_id in there:
                waiting.pop()
                if one.native_id not in there:
                    self._new_version(one, known.any(one.native_id))
                    self._log_again(there[one.native_id], one)  # once something newer stands there it is too late
            else:
                begun.add(one.native_id)
                ends = _derived_from(known.any(one.native_id))
                waiting += [end for end in ends if end.native_id not in begun and end.native_id not in there]
        return there[record.native_id]

    def _new_version(self, record: Record, dossier: Dossier | None) -> None:
        writers = self.ledger.writers.get(record.native_id, [])
        project = asset_project(record) or (writers[0].project if writers else self._project)
        home = home_of(record, dossier)
        ends = [end.native_id for end in _derived_from(dossier)]
        upstream = {one: self.ledger.versions[one] for one in ends if one in self.ledger.versions}
        made = content(record, home, self._source_id, _files(dossier), upstream)
        name = self._shelf(project, record, home)
        if record.native_id in self.ledger.versions:
            return  # all runs that told of it there were deleted: it was found with its collection
        if project not in self.ledger.projects:
            self.project(project)
        run = next((one for one in writers if one.project == project), None)
        beside = self._beside(record, dossier, home, list(upstream))
        asked = self._creation(project, name, type_of(record), made, run)
        id_, index = self._committed(asked | beside, made, run or self._importer(project))
        held = Held(id_, project, name, index, set(upstream), _stamp(beside))
        self.ledger.stands(record.native_id, held)
        self.ledger.shelve(project, name, Shelf("", type_of(record), (home or record).native_id))
        if run is not None:
            self.ledger.outputs.setdefault(run, set()).add(id_)

    def _beside(
        self, record: Record, dossier: Dossier | None, home: Record | None, upstream: list[str]
    ) -> dict[str, Json]:
        told = metadata(record, dossier, home, self._source_id, upstream)
        words = [{"tagName": one} for one in tags(record)[0]]
        return {"description": record.description or "", "metadata": json.dumps(told, sort_keys=True), "tags": words}

    def _creation(self, project: str, name: str, type_: str, made: Content, run: RunAt | None) -> dict[str, Json]:
        return {
            "entityName": self.entity,
            "projectName": project,
            "runName": run.name if run is not None else None,
            "artifactTypeName": type_,
            "artifactCollectionName": name,
            "digest": made.digest,
            "digestAlgorithm": "MANIFEST_MD5",
            "enableDigestDeduplication": True,
        }

    def _committed(self, asked: dict[str, Json], made: Content, keeper: RunAt) -> tuple[str, int]:
        created = field(self._api.change(CREATE_ARTIFACT, {"input": asked}), "artifact")
        id_ = text(created, "id")
        if text(created, "state") != "COMMITTED":
            self._fill(id_, made, keeper)
            created = field(self._api.change(COMMIT, {"input": {"artifactID": id_}}), "artifact")
        return id_, number(created, "versionIndex")

    def _fill(self, id_: str, made: Content, keeper: RunAt) -> None:
        body = made.manifest(id_)
        told = {"artifactID": id_, "name": "wandb_manifest.json", "digest": md5_of(body), "type": "FULL"}
        where = {"entityName": self.entity, "projectName": keeper.project, "runName": keeper.name}
        manifest = field(self._api.change(CREATE_MANIFEST, {"input": told | where}), "artifactManifest")
        file = {"artifactID": id_, "artifactManifestID": text(manifest, "id"), "name": ABOUT, "md5": md5_of(made.about)}
        asked = {"artifactFiles": [file], "storageLayout": "V2"}
        for one in edges(self._api.change(CREATE_FILES, {"input": asked}), "files"):
            self._put(field(one, "node"), made.about)
        self._put(field(manifest, "file"), body)

    def _put(self, file: Json, body: bytes) -> None:
        # No address: it is there already.
        if url := text(file, "uploadUrl"):
            said = (one.partition(":") for one in texts(field(file, "uploadHeaders")))
            self._api.put(url, body, {name.strip(): value.strip() for name, _, value in said})

    def _importer(self, project: str) -> RunAt:
        """A manifest is put in under the name of a run, also where no run wrote its version."""
        at = RunAt(project, f"{_IMPORT}-{slug(self._source_id, 40)}")
        if at in self._importers:
            return at
        told = {"entityName": self.entity, "modelName": project, "name": at.name, "jobType": _IMPORT}
        told["displayName"] = f"import from {self._source_id}"
        told["config"] = json.dumps(entity_mark({"source": self._source_id, "native_id": ""}))
        self._api.change(UPSERT_RUN, {"input": told})
        self._end(at, "finished")
        self._importers.add(at)
        return at

    def _shelf(self, project: str, record: Record, home: Record | None) -> str:
        """The collection of a version: one that is somebody else's, or of another type, is left alone."""
        name, key = collection_name(record, home), (home or record).native_id
        former = self.ledger.shelf(project, name)
        if former is None or (former.type == type_of(record) and (former.is_empty or former.home == key)):
            return name
        return f"{name[:110]}-{short(self._source_id, key)}"

    def _log_again(self, held: Held, record: Record) -> None:
        """Runs that wrote the same, or were not there yet when it was made: the service knows it by its digest while
        nothing newer stands there."""
        for run in self.ledger.writers.get(record.native_id, []):
            outputs = self.ledger.outputs.setdefault(run, set())
            is_newest = self.ledger.newest.get((held.project, held.collection)) == held.index
            if held.id in outputs or not is_newest or run.project != held.project:
                continue
            digest = text(self._api.ask(DIGEST_OF, {"artifact": held.id}).data, "artifact", "digest")
            asked = self._creation(held.project, held.collection, type_of(record), Content(b""), run) | {
                "digest": digest
            }
            created = field(self._api.change(CREATE_ARTIFACT, {"input": asked}), "artifact")
            if text(created, "id") == held.id:
                outputs.add(held.id)

    def tell(self, held: Held, record: Record, dossier: Dossier) -> None:
        """Bring up to date what stands beside a version's content."""
        beside = self._beside(record, dossier, home_of(record, dossier), list(held.upstream))
        if held.stamp == _stamp(beside):
            return
        told = {"artifactID": held.id, "description": beside["description"], "metadata": beside["metadata"]}
        self._api.change(UPDATE_ARTIFACT, {"input": told | {"tagsToAdd": beside["tags"]}})
        held.stamp = _stamp(beside)


def _derived_from(dossier: Dossier | None) -> list[Record]:
    """The things of which a version names others as what it was made from."""
    if dossier is None:
        return []
    own = dossier.record.native_id
    ends = (
        dossier.ends.get(one.upstream)
        for one in dossier.edges
        if one.kind is EdgeKind.DERIVE and one.downstream == own and one.upstream != own
    )
    return [end for end in ends if end is not None and end.kind in TYPES and not is_reference(end, dossier.platform)]


def _files(dossier: Dossier | None) -> list[str]:
    """The addresses of files that a version was derived from."""
    if dossier is None:
        return []
    ends = (
        dossier.ends[one.upstream]
        for one in dossier.edges
        if one.kind is EdgeKind.DERIVE and one.downstream == dossier.record.native_id and one.upstream in dossier.ends
    )
    places = ((end, place_of(end)) for end in ends if is_reference(end, dossier.platform))
    return [place or end.native_id.removeprefix("file/") for end, place in places]


def _stamp(beside: Mapping[str, Json]) -> str:
    words = [str(one["tagName"]) for one in cast(list[dict[str, Any]], beside["tags"])]
    return stamp_of(str(beside["description"]), json.loads(str(beside["metadata"])), words)
