"""Where every question to the miniature starts, and what it shows to whom."""

from collections.abc import Mapping
from typing import Any

from .sandbox_artifacts import Artifact, Collection
from .sandbox_query import page
from .sandbox_things import Entity, Organization, Project, User
from .sandbox_world import World


class Query:
    """Where every question starts: what the caller sees. Without a good key that is nothing but the server itself."""

    def __init__(self, world: World, *, is_known: bool) -> None:
        self._world = world
        self._is_known = is_known
        self._seen: Mapping[str, Entity] = world.entities if is_known else {}

    def viewer(self, entity_name: str | None = None) -> User | None:
        return self._world.user if self._is_known else None

    def server_info(self) -> dict[str, Any]:
        features = [{"name": name, "is_enabled": is_on} for name, is_on in self._world.features.items()]
        version = {"out_of_date": False, "latest_version_string": "0.75.0", "version_on_this_instance_string": "0.75.0"}
        clients = {"max_cli_version": "0.31.0"}
        return {"features": features, "latest_local_version_info": version, "cli_version_info": clients}

    def entity(self, name: str | None = None) -> Entity | None:
        return self._seen.get(name or self._world.user.entity)

    def organization(self, name: str | None = None, id: str | None = None) -> Organization | None:
        found = self._world.organization
        return found if self._is_known and (name == found.name or id == found.id) else None

    def project(self, name: str | None = None, entity_name: str | None = None) -> Project | None:
        owner = self.entity(entity_name)
        return owner.project(name) if owner else None

    def model(self, name: str | None = None, entity_name: str | None = None) -> Project | None:
        return self.project(name, entity_name)

    def client_id_mapping(self, client_id: str) -> dict[str, str] | None:
        found = self._world.clients.get(client_id) if self._is_known else None
        return {"server_id": found} if found else None

    def models(self, entity_name: str | None = None, order: str | None = None, **which: Any) -> dict[str, Any] | None:
        owner = self.entity(entity_name)
        return owner.projects(order=order, **which) if owner else None

    def projects(self, entity_name: str | None = None, order: str | None = None, **which: Any) -> dict[str, Any] | None:
        return self.models(entity_name, order, **which)

    def artifact(self, id: str) -> Artifact | None:
        found = self._world.artifacts.get(id) if self._is_known else None
        return found if found and found.artifact_sequence.project.access_is == "granted" else None

    def artifact_collection(self, id: str) -> Collection | None:
        shown = (project for entity in self._seen.values() for project in entity.shown())
        return next((one for project in shown for one in project.collections if one.id == id), None)

    def users(self, query: str | None = None) -> dict[str, Any]:
        return page([self._world.user] if self._is_known else [])
