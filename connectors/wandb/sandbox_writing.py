"""What the miniature does when it is written to: projects and runs."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from graphql import GraphQLError

from .sandbox_artifacts import Artifact, Collection
from .sandbox_runs import Run
from .sandbox_storage import Storage
from .sandbox_things import Entity, Project
from .sandbox_world import World

Input = Mapping[str, Any]
"""An input object, with the names that the schema gives."""
_BY_FIELD = {
    "displayName": "display_name",
    "groupName": "group",
    "jobType": "job_type",
    "description": "description",
    "notes": "notes",
    "commit": "commit",
    "host": "host",
    "state": "state",
    "config": "config_text",
    "summaryMetrics": "summary_text",
}


class Writing:
    """What every mutation stands on: who may write, and where."""

    def __init__(self, world: World, storage: Storage, *, is_known: bool) -> None:
        self._world = world
        self._storage = storage
        self._is_known = is_known

    def _entity(self, name: str | None) -> Entity:
        if not self._is_known:
            raise GraphQLError("user is not logged in", extensions={"code": "PERMISSION_ERROR"})
        found = self._world.entities.get(name or self._world.user.entity)
        if found is None:
            raise GraphQLError(f"entity {name} not found")
        if found.read_only:
            raise GraphQLError(f"permission denied to write to {found.name}", extensions={"code": "PERMISSION_ERROR"})
        return found

    def _project(self, entity: str | None, name: str | None) -> Project:
        found = self._entity(entity).project(name)
        if found is None:
            raise GraphQLError(f"project {entity}/{name} not found")
        return self._open(found)

    def _open(self, project: Project) -> Project:
        """A project that the caller may write to."""
        if project.read_only:
            where = f"{project.entity.name}/{project.name}"
            raise GraphQLError(f"permission denied to write to {where}", extensions={"code": "PERMISSION_ERROR"})
        return project

    def _run(self, told: Input) -> Run:
        found = self._project(told["entityName"], told["projectName"]).run(told["runName"])
        if found is None:
            raise GraphQLError(f"run {told['runName']} not found")
        return found

    def _artifact(self, id_: str) -> Artifact:
        found = self._world.artifacts.get(id_)
        if found is None or not self._is_known:
            raise GraphQLError(f"artifact {id_} not found")
        self._entity(found.artifact_sequence.project.entity.name)
        return found

    def _collection(self, told: Input) -> Collection:
        found = self._project(told["entityName"], told["projectName"]).artifact_collection(
            told["artifactCollectionName"]
        )
        if found is None:
            raise GraphQLError(f"collection {told['artifactCollectionName']} not found")
        return found


class Runs(Writing):
    """Projects, runs, and the files of runs."""

    def upsert_model(self, input: Input) -> dict[str, Any]:
        """Make a project, or change what is said of one."""
        entity = self._entity(input.get("entityName"))
        former = entity.project(input.get("name"))
        project = self._open(former or self._world.project(f"{entity.name}/{input['name']}"))
        for name in ("description", "access"):
            if input.get(name) is not None:
                setattr(project, name, input[name])
        if input.get("allowAllArtifactTypesInRegistry") is not None:
            project.allow_all_artifact_types_in_registry = input["allowAllArtifactTypesInRegistry"]
        return {"inserted": former is None, "project": project, "model": project}

    def upsert_bucket(self, input: Input) -> dict[str, Any]:
        """Make a run, or change what is said of one: what is not told stays."""
        run, is_new = self._bucket(input)
        for name, here in _BY_FIELD.items():
            if input.get(name) is not None:
                setattr(run, here, input[name])
        if input.get("tags") is not None:
            run.tags = list(input["tags"])
        if input.get("sweep"):
            run.sweep = run.project.sweep(input["sweep"])
        _note_code(run, input)
        run.heartbeat_at = run.updated_at = self._world.now()
        return {"bucket": run, "inserted": is_new}

    def _bucket(self, told: Input) -> tuple[Run, bool]:
        if told.get("id"):
            entity = self._entity(None)
            found = next((one for one in self._runs(entity) if one.id == told["id"]), None)
            if found is None:
                raise GraphQLError(f"run {told['id']} not found")
            return found, False
        entity = self._entity(told.get("entityName"))
        project, name = told.get("modelName") or "uncategorized", told.get("name")
        if not name:
            raise GraphQLError("a run needs a name")
        found = self._open(self._world.project(f"{entity.name}/{project}")).run(name)
        if found is not None:
            return found, False
        return self._world.log_run(f"{entity.name}/{project}", name, state=told.get("state") or "running"), True

    def _runs(self, entity: Entity) -> Iterable[Run]:
        return (run for project in entity.all_projects for run in project.all_runs)

    def update_run_state(self, input: Input) -> dict[str, bool]:
        """Say how far a run is."""
        run, _ = self._bucket({"id": input["runID"]})
        self._world.change(run, state=input["state"])
        return {"success": True}

    def delete_run(self, input: Input) -> dict[str, str]:
        """Take a run away."""
        run, _ = self._bucket({"id": input["id"]})
        self._world.delete_run(run)
        return {"client_mutation_id": str(input.get("clientMutationId") or "")}

    def create_run_files(self, input: Input) -> dict[str, Any]:
        """Addresses where the files of a run are put."""
        run = self._run(input)
        files = [{"name": name, "upload_url": self._storage.sign(run.file_path(name))} for name in input["files"]]
        return {"run_id": run.id, "upload_headers": list[str](), "files": files}

    def mark_run_files_uploaded(self, input: Input) -> dict[str, bool]:
        """Say that the files of a run have arrived."""
        self._run(input)
        return {"success": True}


def _note_code(run: Run, told: Input) -> None:
    """The program and the repository that a run tells of itself."""
    info = dict(run.run_info or {})
    git = dict(info.get("git") or {})
    if told.get("jobProgram"):
        info["program"] = told["jobProgram"]
    if told.get("jobRepo"):
        run.github = git["remote"] = told["jobRepo"]
    if told.get("commit"):
        git["commit"] = told["commit"]
    if git:
        info["git"] = git
    run.run_info = info or None


def note_file(run: Run, name: str, body: bytes) -> None:
    """Keep a file of a run; from the one that describes its machine, the service shows parts beside the run."""
    run.kept[name] = body
    if name == "wandb-metadata.json":
        told = json.loads(body)
        own = {key: told[key] for key in ("program", "args", "os", "python", "git") if told.get(key)}
        run.run_info = {**(run.run_info or {}), **own}
