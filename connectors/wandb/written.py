"""What a target already holds of one source: read once, so that nothing is written twice, also after a kill."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ...federation.model import Json
from .api import Api
from .mutations import PROJECT_NAMES, WRITTEN_COLLECTIONS, WRITTEN_RUNS, WRITTEN_VERSIONS
from .wire import edges, loads, nodes, number, text, texts
from .wire import field as field_of

MARK = "_watersmeet"
"""Under this name configs and metadata say where a thing was read. Names that begin so are no parameters."""
SOURCE_KEY = "_watersmeet_source"
_RUNS, _COLLECTIONS, _VERSIONS = 100, 100, 200


@dataclass(frozen=True, slots=True)
class RunAt:
    """A run's address in the target's entity."""

    project: str
    name: str


@dataclass(slots=True)
class Held:
    """A version that stands there."""

    id: str
    project: str
    collection: str
    index: int
    upstream: set[str] = field(default_factory=set[str])
    """The native ids of what it says that it was derived from."""
    stamp: str = ""
    """What stands beside its content, as a hash."""

    @property
    def name(self) -> str:
        """`collection:v0`."""
        return f"{self.collection}:v{self.index}"


@dataclass(frozen=True, slots=True)
class Shelf:
    """A collection that stands there."""

    id: str
    type: str
    home: str
    """The native id of what it was made for; empty: somebody else's."""
    is_empty: bool = False
    """Nothing stands in it yet: what was to was cut off."""


class Ledger:
    """What stands in one entity, by the native ids of one source."""

    def __init__(self, api: Api, entity: str, source_id: str) -> None:
        self._api = api
        self._entity = entity
        self._source_id = source_id
        self.runs: dict[str, RunAt] = {}
        self.outputs: dict[RunAt, set[str]] = {}
        self.writers: dict[str, list[RunAt]] = {}
        """By the native id of a version, the runs that wrote it, the first one first."""
        self.versions: dict[str, Held] = {}
        self.shelves: dict[tuple[str, str], Shelf] = {}
        self.newest: dict[tuple[str, str], int] = {}
        self.projects: set[str] = set()

    def load(self) -> None:
        """Read it."""
        for reply in self._api.pages(PROJECT_NAMES, {"entity": self._entity}, 100, "models"):
            self.projects.update(text(one, "name") for one in nodes(reply.data, "models"))
        for project in sorted(self.projects):
            self._load_runs(project)
            self._load_versions(project)

    def ran(self, native_id: str, run: RunAt, wrote: Iterator[str] | list[str]) -> None:
        """A run stands there, and these are what it wrote."""
        self.runs[native_id] = run
        self.outputs.setdefault(run, set())
        for one in wrote:
            known = self.writers.setdefault(one, [])
            if run not in known:
                known.append(run)

    def stands(self, native_id: str, held: Held) -> None:
        """A version stands there."""
        self.versions[native_id] = held
        place = (held.project, held.collection)
        self.newest[place] = max(held.index, self.newest.get(place, -1))

    def _load_runs(self, project: str) -> None:
        filters = json.dumps({f"config.{SOURCE_KEY}.value": self._source_id})
        asked = {"entity": self._entity, "project": project, "filters": filters}
        for reply in self._api.pages(WRITTEN_RUNS, asked, _RUNS, "project", "runs"):
            for one in nodes(reply.data, "project", "runs"):
                told = mark_of(field_of(one, "config"))
                run = RunAt(project, text(one, "name"))
                self.ran(text(told, "native_id"), run, texts(field_of(told, "wrote")))
                self.outputs[run].update(text(edge, "node", "id") for edge in edges(one, "outputArtifacts"))

    def _load_versions(self, project: str) -> None:
        asked = {"entity": self._entity, "project": project}
        for reply in self._api.pages(WRITTEN_COLLECTIONS, asked, _COLLECTIONS, "project", "artifactCollections"):
            for one in nodes(reply.data, "project", "artifactCollections"):
                self._load_collection(project, one)

    def _load_collection(self, project: str, raw: Json) -> None:
        name, type_, home = text(raw, "name"), text(raw, "defaultArtifactType", "name"), ""
        if text(raw, "__typename") == "ArtifactSequence":
            asked = {"collection": text(raw, "id")}
            for reply in self._api.pages(WRITTEN_VERSIONS, asked, _VERSIONS, "artifactCollection", "artifacts"):
                for one in nodes(reply.data, "artifactCollection", "artifacts"):
                    home = self._load_version(project, name, one) or home
        self.shelves[project, name] = Shelf(text(raw, "id"), type_, home, (project, name) not in self.newest)

    def _load_version(self, project: str, name: str, raw: Json) -> str:
        metadata, _ = loads(field_of(raw, "metadata"))
        told, index = field_of(metadata, MARK), number(raw, "versionIndex")
        self.newest[project, name] = max(index, self.newest.get((project, name), -1))
        if text(told, "source") != self._source_id:
            return ""
        tags = [text(one, "name") for one in _objects(field_of(raw, "tags"))]
        upstream = set(texts(field_of(told, "upstream")))
        stamp = stamp_of(text(raw, "description"), metadata, tags)
        self.stands(text(told, "native_id"), Held(text(raw, "id"), project, name, index, upstream, stamp))
        return text(told, "home")


def _objects(value: Json) -> list[Json]:
    return list(value) if isinstance(value, list) else []  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]  # foreign JSON


def mark_of(config: Json) -> Json:
    """What a run's config says of where it was read; None if it was not written by us."""
    told, _ = loads(config)
    return field_of(told, MARK, "value")


def stamp_of(description: str, metadata: Json, tags: list[str]) -> str:
    """A hash of what stands beside a version's content."""
    told = json.dumps([description, metadata, sorted(tags)], sort_keys=True, default=str)
    return hashlib.sha256(told.encode()).hexdigest()


def entity_mark(told: Mapping[str, Json]) -> dict[str, Json]:
    """The mark as a config holds it."""
    return {MARK: {"value": dict(told)}, SOURCE_KEY: {"value": told["source"]}}
