"""Who there is in the miniature, and their projects."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from graphql import GraphQLError

from .sandbox_artifacts import Artifact, ArtifactCollectionMembership, ArtifactPortfolio, ArtifactType, Collection
from .sandbox_query import gid, matching, ordered, page
from .sandbox_runs import Run, RunQueue, Sweep, Trigger, View

Connection = dict[str, Any]
"""One page of a listing."""


@dataclass(slots=True, eq=False)
class User:
    """Somebody with a key."""

    number: int
    username: str
    entity: str
    name: str = ""
    email: str = ""
    admin: bool = False
    flags: str = "{}"
    belongs_to: list["Entity"] = field(default_factory=list["Entity"])

    @property
    def id(self) -> str:
        return gid("User", self.number)

    def teams(self) -> Connection:
        return page(self.belongs_to)

    def api_keys(self) -> Connection:
        return page(list[Any]())


@dataclass(slots=True, eq=False)
class Organization:
    """What teams belong to; its registries are projects of an entity of its own."""

    number: int
    name: str
    org_entity: "Entity | None" = None
    feature_flags: tuple[()] = ()
    core_weave_organization_id: str | None = None

    @property
    def id(self) -> str:
        return gid("Organization", self.number)

    def advanced_registry_features(self) -> dict[str, bool]:
        return {"advanced_search": True}

    def triggers(self, **which: Any) -> Connection:
        return _triggers(self.org_entity.all_projects if self.org_entity else (), **which)


@dataclass(slots=True, eq=False)
class Entity:
    """A team, or an organisation's side that owns its registries."""

    number: int
    name: str
    organization: Organization
    is_team: bool = True
    entity_type: str = "team"
    all_projects: list["Project"] = field(default_factory=list["Project"])
    members: tuple[()] = ()
    xxhash_digests_enabled: bool = False
    read_only: bool = False
    """The caller may look, and not write."""

    @property
    def id(self) -> str:
        return gid("Entity", self.number)

    def shown(self) -> list["Project"]:
        """The projects that the caller may see."""
        return [one for one in self.all_projects if one.access_is == "granted"]

    def project(self, name: str | None = None) -> "Project | None":
        found = next((one for one in self.all_projects if one.name == name), None)
        if found is not None and found.access_is == "denied":
            raise GraphQLError("permission denied", extensions={"code": "PERMISSION_ERROR"})
        return found if found is not None and found.access_is == "granted" else None

    def projects(self, filters: str | None = None, order: str | None = None, **which: Any) -> Connection:
        return page(ordered(matching(self.shown(), filters), order), **which)

    def artifact_collections(
        self,
        project_filters: str | None = None,
        filters: str | None = None,
        collection_types: list[str] | None = None,
        order: str | None = None,
        **which: Any,
    ) -> Connection:
        found = self._collections(project_filters, filters)
        wanted = collection_types or ["SEQUENCE", "PORTFOLIO"]
        kept = [one for one in found if ("PORTFOLIO" if isinstance(one, ArtifactPortfolio) else "SEQUENCE") in wanted]
        return page(ordered(kept, order), **which)

    def artifact_memberships(
        self,
        project_filters: str | None = None,
        collection_filters: str | None = None,
        filters: str | None = None,
        order: str | None = None,
        **which: Any,
    ) -> Connection:
        collections = self._collections(project_filters, collection_filters)
        members: list[ArtifactCollectionMembership] = [one for each in collections for one in each.members]
        return page(ordered(matching(members, filters), order), **which)

    def _collections(self, project_filters: str | None, filters: str | None) -> list[Collection]:
        projects = matching(self.shown(), project_filters)
        return matching([one for project in projects for one in project.collections], filters)

    def triggers(self, **which: Any) -> Connection:
        return _triggers(self.all_projects, **which)

    def integrations(self, **which: Any) -> Connection:
        return page(list[Any](), **which)


def _triggers(
    projects: Iterable["Project"], filters: str | None = None, order: str | None = None, **which: Any
) -> Connection:
    found = [one for project in projects for one in project.triggers]
    return page(ordered(matching(found, filters), order), **which)


@dataclass(slots=True, eq=False)
class Project:
    """Runs, sweeps, collections, and what people made of them."""

    number: int
    name: str
    entity: Entity
    created_at: str
    user: User
    description: str = ""
    access: str = "PRIVATE"
    is_benchmark: bool = False
    read_only: bool = False
    allow_all_artifact_types_in_registry: bool = True
    access_is: str = "granted"
    """"granted", "hidden" (it answers null) or "denied" (it answers an error)."""
    all_runs: list[Run] = field(default_factory=list[Run])
    all_sweeps: list[Sweep] = field(default_factory=list[Sweep])
    collections: list[Collection] = field(default_factory=list[Collection])
    types: dict[str, ArtifactType] = field(default_factory=dict[str, ArtifactType])
    all_reports: list[View] = field(default_factory=list[View])
    run_queues: list[RunQueue] = field(default_factory=list[RunQueue])
    triggers: list[Trigger] = field(default_factory=list[Trigger])
    members: tuple[()] = ()
    team_members: tuple[()] = ()

    @property
    def id(self) -> str:
        return gid("Project", self.number)

    @property
    def internal_id(self) -> str:
        return gid("ProjectInternalId", self.number)

    @property
    def entity_name(self) -> str:
        return self.entity.name

    def run_count(self, filters: str | None = None) -> int:
        return sum(not one.is_hidden for one in matching(self.all_runs, filters))

    def run(self, name: str, desc: str | None = None) -> Run | None:
        return next((one for one in self.all_runs if one.name == name and not one.is_hidden), None)

    def bucket(self, name: str, missing_ok: bool = False) -> Run | None:
        """A run, by the older word."""
        return self.run(name)

    def runs(self, filters: str | None = None, order: str | None = None, **which: Any) -> Connection:
        found = ordered(matching(self.all_runs, filters), order)
        return page(found, **which, shown=lambda run: not run.is_hidden)

    def sweep(self, sweep_name: str) -> Sweep | None:
        return next((one for one in self.all_sweeps if one.name == sweep_name), None)

    @property
    def total_sweeps(self) -> int:
        return len(self.all_sweeps)

    def sweeps(self, filters: str | None = None, **which: Any) -> Connection:
        return page(matching(self.all_sweeps, filters), **which)

    def artifact(self, name: str) -> Artifact | None:
        found = self.artifact_collection_membership(name)
        return found.artifact if found else None

    def artifact_type(self, name: str) -> ArtifactType | None:
        return self.types.get(name)

    def artifact_types(self, include_all: bool = False, **which: Any) -> Connection:
        return page(self.types.values(), **which)

    def artifact_collection(self, name: str) -> Collection | None:
        return next((one for one in self.collections if one.name == name), None)

    def artifact_collections(self, filters: str | None = None, order: str | None = None, **which: Any) -> Connection:
        return page(ordered(matching(self.collections, filters), order), **which)

    def artifact_collection_membership(self, name: str) -> ArtifactCollectionMembership | None:
        collection, _, alias = name.partition(":")
        found = self.artifact_collection(collection)
        return found.artifact_membership(alias or "latest") if found else None

    def all_views(self, view_type: str | None = None, view_name: str | None = None, **which: Any) -> Connection:
        return page([one for one in self.all_reports if view_name in (None, one.name)], **which)

    def run_queue(self, name: str) -> RunQueue | None:
        return next((one for one in self.run_queues if one.name == name), None)

    def told(self, key: str) -> Any:
        """What filters and orders go by."""
        match key:
            case "id" | "project_id":
                return self.number
            case "name" | "created_at" | "description":
                return getattr(self, key)
            case _:
                raise KeyError(key)
