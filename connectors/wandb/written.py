"""What a target already holds of one source: read once, so that nothing is written twice, also after a kill.

Whoever writes a version into a project writes a run there before, be it the one that versions are put in under. So a
project without a run of the source holds nothing of it, and is not read.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ...federation.model import Json
from .api import Api
from .mutations import ONE_COLLECTION, WRITTEN_COLLECTIONS, WRITTEN_PROJECTS, WRITTEN_RUNS, WRITTEN_VERSIONS
from .wire import edges, loads, nodes, number, text, texts
from .wire import field as field_of

MARK = "_watersmeet"
"""Under this name configs and metadata say where a thing was read. Names that begin so are no parameters."""
SOURCE_KEY = "_watersmeet_source"
_PROJECTS, _RUNS, _COLLECTIONS, _VERSIONS = 100, 100, 100, 200


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
    wholes: tuple[str, ...] = ()
    """The native ids of all that its versions are versions of."""
    is_empty: bool = False
    """Nothing stands in it yet: what was to was cut off."""
    is_link: bool = False
    """Of a registry."""


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
        self.newest: dict[tuple[str, str], int] = {}
        self.projects: set[str] = set()
        self._shelves: dict[tuple[str, str], Shelf | None] = {}
        self._homes: dict[str, tuple[str, str]] = {}
        self._listed: set[str] = set()
        """Projects of which every collection is known."""

    def load(self) -> None:
        """Read the projects that hold anything of the source."""
        asked = {"entity": self._entity, "filters": self._ours()}
        for reply in self._api.pages(WRITTEN_PROJECTS, asked, _PROJECTS, "models"):
            for one in nodes(reply.data, "models"):
                self.projects.add(text(one, "name"))
                if number(one, "runCount"):
                    self._listed.add(text(one, "name"))
        for project in sorted(self._listed):
            self._list(project)

    def _list(self, project: str) -> None:
        self._listed.add(project)
        self._load_runs(project)
        self._load_collections(project)

    def _ours(self) -> str:
        return json.dumps({f"config.{SOURCE_KEY}.value": self._source_id})

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

    def shelf(self, project: str, name: str) -> Shelf | None:
        """The collection of a name in a project, asked for once."""
        place = (project, name)
        if place not in self._shelves and project not in self._listed:
            self._shelves[place] = found = self.there(self._entity, project, name)
            if found is not None and found.home:
                self._list(project)  # somebody deleted the runs that told of it
        return self._shelves.get(place)

    def shelve(self, project: str, name: str, shelf: Shelf) -> None:
        """A collection stands there."""
        self._shelves[project, name] = shelf
        if shelf.home:
            self._homes.setdefault(shelf.home, (project, name))

    def place(self, home: str) -> tuple[str, str] | None:
        """Project and name of the collection that was made for a thing, by its native id."""
        return self._homes.get(home)

    def there(self, entity: str, project: str, name: str) -> Shelf | None:
        """The collection of a name as it stands there now, of whichever entity. Raises `Unwritten`."""
        told = self._api.ask_beside(ONE_COLLECTION, {"entity": entity, "project": project, "name": name}).data
        found = field_of(told, "project", "artifactCollection")
        return self._shelf(found) if found is not None else None

    def _load_runs(self, project: str) -> None:
        asked = {"entity": self._entity, "project": project, "filters": self._ours()}
        for reply in self._api.pages(WRITTEN_RUNS, asked, _RUNS, "project", "runs"):
            for one in nodes(reply.data, "project", "runs"):
                told = mark_of(field_of(one, "config"))
                if native_id := text(told, "native_id"):
                    run = RunAt(project, text(one, "name"))
                    self.ran(native_id, run, texts(field_of(told, "wrote")))
                    self.outputs[run].update(text(edge, "node", "id") for edge in edges(one, "outputArtifacts"))

    def _load_collections(self, project: str) -> None:
        asked = {"entity": self._entity, "project": project}
        for reply in self._api.pages(WRITTEN_COLLECTIONS, asked, _COLLECTIONS, "project", "artifactCollections"):
            for one in nodes(reply.data, "project", "artifactCollections"):
                shelf = self._shelf(one)
                self.shelve(project, text(one, "name"), shelf)
                if shelf.home and not shelf.is_link:
                    self._load_versions(project, text(one, "name"), one)

    def _shelf(self, raw: Json) -> Shelf:
        """Whose it is: its first version tells, or its last, where a person deleted the first."""
        members = [*nodes(raw, "oldest"), *nodes(raw, "newest")]
        told = [field_of(loads(field_of(one, "metadata"))[0], MARK) for one in members]
        ours = [one for one in told if text(one, "source") == self._source_id]
        wholes = tuple(dict.fromkeys(whole for one in ours for whole in texts(field_of(one, "wholes"))))
        home = text(ours[0], "home") if ours else ""
        is_link = text(raw, "__typename") == "ArtifactPortfolio"
        return Shelf(text(raw, "id"), text(raw, "defaultArtifactType", "name"), home, wholes, not members, is_link)

    def _load_versions(self, project: str, name: str, raw: Json) -> None:
        """An only version is told with its collection."""
        if field_of(raw, "oldest", "pageInfo", "hasNextPage") is False:
            for one in nodes(raw, "oldest"):
                self._load_version(project, name, one)
            return
        asked = {"collection": text(raw, "id")}
        for reply in self._api.pages(WRITTEN_VERSIONS, asked, _VERSIONS, "artifactCollection", "artifacts"):
            for one in nodes(reply.data, "artifactCollection", "artifacts"):
                self._load_version(project, name, one)

    def _load_version(self, project: str, name: str, raw: Json) -> None:
        metadata, _ = loads(field_of(raw, "metadata"))
        told, index = field_of(metadata, MARK), number(raw, "versionIndex")
        self.newest[project, name] = max(index, self.newest.get((project, name), -1))
        if text(told, "source") == self._source_id:
            tags = [text(one, "name") for one in _objects(field_of(raw, "tags"))]
            upstream = set(texts(field_of(told, "upstream")))
            stamp = stamp_of(text(raw, "description"), metadata, tags)
            self.stands(text(told, "native_id"), Held(text(raw, "id"), project, name, index, upstream, stamp))


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
