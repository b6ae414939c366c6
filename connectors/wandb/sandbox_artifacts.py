"""The artifacts of the miniature: versions in collections, under aliases, with manifests and users."""

import base64
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .sandbox_query import gid, matching, ordered, page

if TYPE_CHECKING:
    from .sandbox_runs import Run
    from .sandbox_things import Project, User

Connection = dict[str, Any]
"""One page of a listing."""


@dataclass(slots=True, eq=False)
class ArtifactType:
    """`dataset`, `model`: what a project's artifacts are."""

    project: "Project"
    name: str
    created_at: str
    description: str = ""

    @property
    def id(self) -> str:
        return gid("ArtifactType", f"{self.project.number}/{self.name}")

    def artifact_collection(self, name: str) -> "Collection | None":
        return next((one for one in self._collections() if one.name == name), None)

    def artifact_collections(self, filters: str | None = None, order: str | None = None, **which: Any) -> Connection:
        return page(ordered(matching(self._collections(), filters), order), **which)

    def _collections(self) -> list["Collection"]:
        return [one for one in self.project.collections if one.default_artifact_type is self]


@dataclass(slots=True, eq=False)
class Tag:
    """A word on a version or a collection."""

    name: str
    tag_category_name: str | None = None
    attributes: str = "{}"

    @property
    def id(self) -> str:
        return gid("Tag", self.name)


@dataclass(slots=True, eq=False)
class Collection:
    """A name with versions under it."""

    number: int
    project: "Project"
    name: str
    default_artifact_type: ArtifactType
    created_at: str
    updated_at: str | None = None
    description: str = ""
    state: str = "READY"
    words: list[str] = field(default_factory=list[str])
    members: list["ArtifactCollectionMembership"] = field(default_factory=list["ArtifactCollectionMembership"])

    @property
    def id(self) -> str:
        return gid("ArtifactCollection", self.number)

    def tags(self) -> Connection:
        return page([Tag(word) for word in self.words])

    def aliases(self, **which: Any) -> Connection:
        return page([alias for member in self.members for alias in member.aliases()], **which)

    def artifacts(self, filters: str | None = None, order: str | None = None, **which: Any) -> Connection:
        """Its versions; those that were deleted are not listed."""
        members = {id(one.artifact): one for one in self.members if one.artifact.state == "COMMITTED"}
        found = ordered(matching([one.artifact for one in members.values()], filters), order)
        return page(found, **which, edge=lambda one: {"node": one, "version": f"v{members[id(one)].version_index}"})

    def artifact_membership(self, alias_name: str) -> "ArtifactCollectionMembership | None":
        """By alias, version or digest; one that was deleted still answers."""
        return next((one for one in self.members if one.answers_to(alias_name)), None)

    def artifact_memberships(self, **which: Any) -> Connection:
        return page(self.members, **which)

    def move(self, alias: str, member: "ArtifactCollectionMembership") -> None:
        """An alias stands for one version at a time."""
        self.drop(alias)
        member.names.append(alias)

    def drop(self, alias: str) -> None:
        """Take an alias away."""
        for one in self.members:
            if alias in one.names:
                one.names = [name for name in one.names if name != alias]

    def told(self, key: str) -> Any:
        """What filters and orders go by."""
        match key:
            case "name" | "created_at" | "updated_at" | "description" | "state":
                return getattr(self, key)
            case "tag" | "tags":
                return self.words
            case "type":
                return self.default_artifact_type.name
            case _:
                raise KeyError(key)


class ArtifactSequence(Collection):
    """Where runs log a thing's versions."""

    __slots__ = ()

    @property
    def digest_algorithm(self) -> str | None:
        newest = self.latest_artifact()
        return newest.digest_algorithm if newest else None

    def latest_artifact(self) -> "Artifact | None":
        return self.members[-1].artifact if self.members else None


class ArtifactPortfolio(Collection):
    """Where versions that were logged elsewhere are linked to."""

    __slots__ = ()


@dataclass(slots=True, eq=False)
class ArtifactAlias:
    """One alias in one collection."""

    alias: str
    artifact: "Artifact"
    artifact_collection: Collection

    @property
    def id(self) -> str:
        return gid("ArtifactAlias", f"{self.artifact_collection.number}/{self.alias}")

    @property
    def artifact_collection_name(self) -> str:
        return self.artifact_collection.name


@dataclass(slots=True, eq=False)
class ArtifactCollectionMembership:
    """A version in a collection: it is numbered there, and has aliases there."""

    artifact: "Artifact"
    artifact_collection: Collection
    version_index: int
    created_at: str
    names: list[str] = field(default_factory=list[str])

    @property
    def id(self) -> str:
        return gid("ArtifactCollectionMembership", f"{self.artifact_collection.number}/{self.artifact.number}")

    @property
    def commit_hash(self) -> str:
        return self.artifact.commit_hash

    def aliases(self) -> list[ArtifactAlias]:
        return [ArtifactAlias(name, self.artifact, self.artifact_collection) for name in self.names]

    def files(self, names: list[str] | None = None, **which: Any) -> Connection:
        return page(self.artifact.stored(names), **which)

    def answers_to(self, name: str) -> bool:
        """Whether it is meant by an alias, a version or a digest."""
        artifact = self.artifact
        return name in self.names or name in (f"v{self.version_index}", artifact.digest, artifact.commit_hash)

    def told(self, key: str) -> Any:
        """What filters and orders go by."""
        match key:
            case "alias":
                return self.names
            case "version_index" | "created_at":
                return getattr(self, key)
            case _:
                return self.artifact.told(key)


@dataclass(slots=True, eq=False)
class Artifact:
    """One version."""

    number: int
    artifact_sequence: ArtifactSequence
    version_index_of_its_own: int
    entries: Mapping[str, Mapping[str, Any]]
    digest: str
    created_at: str
    created_by: "Run | User | None"
    hand_out: Callable[[str], str]
    """Signs a path of the object store."""
    metadata: str = "{}"
    description: str | None = None
    updated_at: str | None = None
    state: str = "COMMITTED"
    digest_algorithm: str = "MANIFEST_MD5"
    ttl_duration_seconds: int = -2
    ttl_is_inherited: bool = True
    history_step: int | None = None
    words: list[str] = field(default_factory=list[str])
    users: list["Run"] = field(default_factory=list["Run"])
    memberships: list[ArtifactCollectionMembership] = field(default_factory=list[ArtifactCollectionMembership])
    awaited: list[str] = field(default_factory=list[str])
    """The names that it gets when it is committed."""

    @property
    def id(self) -> str:
        return gid("Artifact", self.number)

    @property
    def manifest_id(self) -> str:
        return gid("ArtifactManifest", self.number)

    @property
    def artifact_type(self) -> ArtifactType:
        return self.artifact_sequence.default_artifact_type

    @property
    def commit_hash(self) -> str:
        return hashlib.md5(f"{self.number}".encode(), usedforsecurity=False).hexdigest()[:20]

    @property
    def size(self) -> int:
        return sum(one.get("size", 0) for one in self.entries.values())

    @property
    def file_count(self) -> int:
        return len(self.entries)

    @property
    def used_count(self) -> int:
        return len(self.users)

    def version_index(self, artifact_collection_name: str | None = None) -> int:
        found = (one for one in self.memberships if one.artifact_collection.name == artifact_collection_name)
        return next((one.version_index for one in found), self.version_index_of_its_own)

    def tags(self) -> list[Tag]:
        return [Tag(word) for word in self.words]

    def aliases(self, artifact_collection_name: str | None = None) -> list[ArtifactAlias]:
        wanted = (one for one in self.memberships if artifact_collection_name in (None, one.artifact_collection.name))
        return [alias for one in wanted for alias in one.aliases()]

    def used_by(self, filters: str | None = None, order: str | None = None, **which: Any) -> Connection:
        found = ordered(matching(self.users, filters), order)
        return page(found, **which, shown=lambda run: not run.is_hidden)

    def artifact_memberships(self, **which: Any) -> Connection:
        return page(self.memberships, **which)

    def current_manifest(self) -> "dict[str, Any] | None":
        """Nothing of a version that was deleted."""
        if self.state != "COMMITTED":
            return None
        manifest = {"id": self.manifest_id, "type": "FULL", "digest": self.digest}
        return {**manifest, "created_at": self.created_at, "artifact": self, "file": self._file("wandb_manifest.json")}

    def files_by_manifest_entries(self, entries: list[dict[str, Any]] | None = None, **which: Any) -> Connection:
        """Where the files lie that a manifest names."""
        return page([self._file(one["name"]) for one in entries or ()], first=len(entries or ()))

    def artifact_lineage_dag(self, limit: int, filter_generated_artifacts: bool) -> None:
        """The graph of the pages is not in the miniature."""

    def manifest(self) -> dict[str, Any]:
        """What lies in the object store."""
        policy = {"storagePolicy": "wandb-storage-policy-v1", "storagePolicyConfig": {"storageLayout": "V2"}}
        return {"version": 1, **policy, "contents": dict(sorted(self.entries.items()))}  # as the client writes it

    def stored(self, names: list[str] | None = None) -> list[dict[str, Any]]:
        """Its files: what is only referred to is none."""
        kept = (name for name, entry in self.entries.items() if "ref" not in entry)
        return [self._file(name) for name in kept if names is None or name in names]

    def _file(self, name: str) -> dict[str, Any]:
        entry = self.entries.get(name, {})
        told = {"id": gid("File", f"{self.number}/{name}"), "name": name, "display_name": name}
        url = self.hand_out(f"artifacts/{self._keeper(entry)}/{name}")
        return {
            **told,
            "size_bytes": entry.get("size", 0),
            "digest": entry.get("digest"),
            "direct_url": url,
            "url": url,
        }

    def _keeper(self, entry: Mapping[str, Any]) -> str:
        """The number of the version with which a file came."""
        born = entry.get("birthArtifactID")
        return base64.b64decode(born).decode().rpartition(":")[2] if born else str(self.number)

    def told(self, key: str) -> Any:
        """What filters and orders go by."""
        match key:
            case "state" | "digest" | "created_at" | "updated_at" | "size" | "description":
                return getattr(self, key)
            case "version_index":
                return self.version_index_of_its_own
            case "tag" | "tags":
                return self.words
            case "alias":
                return [one.alias for one in self.aliases()]
            case _ if key.startswith("metadata."):
                return json.loads(self.metadata).get(key.removeprefix("metadata."))
            case _:
                raise KeyError(key)


def digest_of(entries: Mapping[str, Mapping[str, Any]]) -> str:
    """The digest of a manifest, as the client computes it."""
    lines = (f"{path}:{entries[path]['digest']}\n" for path in sorted(entries))
    return _md5(["wandb-artifact-manifest-v1\n", *lines])


def _md5(parts: Iterable[str]) -> str:
    return hashlib.md5("".join(parts).encode(), usedforsecurity=False).hexdigest()
