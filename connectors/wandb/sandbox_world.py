"""What the miniature holds, and what people do to it."""

import base64
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import count
from typing import Any

from .sandbox_artifacts import (
    Artifact,
    ArtifactCollectionMembership,
    ArtifactPortfolio,
    ArtifactSequence,
    ArtifactType,
    Collection,
    digest_of,
)
from .sandbox_query import gid
from .sandbox_runs import Run, RunQueue, Signing, Sweep, Trigger, View
from .sandbox_things import Entity, Organization, Project, User

Entry = Mapping[str, Any]
"""One line of a manifest."""
FEATURES = (
    "ARTIFACT_TAGS",
    "ARTIFACT_REGISTRY_SEARCH",
    "ARTIFACT_COLLECTIONS_FILTERING_SORTING",
    "ARTIFACT_COLLECTION_MEMBERSHIP_FILES",
    "ARTIFACT_DIGEST_ALGORITHM",
    "AUTOMATIONS_ON_ORGANIZATION",
    "INCLUDE_ARTIFACT_TYPES_IN_REGISTRY_CREATION",
    "PROJECT_ARTIFACT_COLLECTION_MEMBERSHIP",
    "QUERY_AUTOMATIONS_ON_ENTITY",
    "SWEEPS_QUERY_FILTERING",
    "TOTAL_COUNT_IN_FILE_CONNECTION",
)
"""What of the service a client asks for before it reads in that way."""


class World:
    """One instance: an organisation, its teams, and the one who asks."""

    def __init__(self, sign: Signing, clock: Callable[[], float]) -> None:
        self._sign = sign
        self._clock = clock
        self._numbers = count(1)
        self.told_time: datetime | None = None
        """When things happen, if not now."""
        self.organization = Organization(next(self._numbers), "Acme")
        org = Entity(next(self._numbers), "acme-org", self.organization, entity_type="organization")
        self.organization.org_entity = org
        team = Entity(next(self._numbers), "acme", self.organization)
        self.entities = {one.name: one for one in (team, org)}
        self.user = User(next(self._numbers), "ada", "acme", "Ada", "ada@acme.example", belongs_to=[team])
        self.artifacts: dict[str, Artifact] = {}
        self.clients: dict[str, str] = {}
        """The ids of versions by those that clients made up for them."""
        self.uploads: dict[str, bytes] = {}
        """What was put into the object store, by its path there."""
        self.features: dict[str, bool] = dict.fromkeys(FEATURES, True)
        """What `serverInfo` says that the server can do."""

    def now(self) -> str:
        """The time, as the service writes it."""
        time = self.told_time or datetime.fromtimestamp(self._clock(), UTC)
        return time.strftime("%Y-%m-%dT%H:%M:%SZ")

    # What people do.

    def project(self, path: str) -> Project:
        """`entity/project`; it is made if it is not there."""
        entity, _, name = path.partition("/")
        owner = self.entities[entity]
        found = next((one for one in owner.all_projects if one.name == name), None)
        if found is None:
            found = Project(next(self._numbers), name, owner, self.now(), self.user)
            owner.all_projects.append(found)
        return found

    def log_run(
        self,
        path: str,
        name: str,
        *,
        config: Mapping[str, Any] | None = None,
        summary: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> Run:
        """A run that is over, if `state` says nothing else."""
        project = self.project(path)
        now = self.now()
        wrapped = {key: {"value": value, "desc": None} for key, value in (config or {}).items()}
        told = {"_wandb": {"value": {"cli_version": "0.31.0"}, "desc": None}, **wrapped}
        id_ = gid("Run", f"v1:{name}:{project.name}:{project.entity.name}")
        run = Run(id_, project, name, self.user, now, now, now, self._sign, name)
        run.config_text, run.summary_text = json.dumps(told), json.dumps(summary or {})
        for key, value in more.items():
            setattr(run, key, value)
        project.all_runs.append(run)
        return run

    def change(self, thing: Run | Artifact | Collection, **what: Any) -> None:
        """Edit tags (`words` of artifacts and collections), notes, a state, broken JSON (`config_text`)..."""
        for name, value in what.items():
            setattr(thing, name, value)
        thing.updated_at = self.now()
        if isinstance(thing, Run) and "state" in what:
            thing.heartbeat_at = self.now()

    def log_artifact(
        self,
        run: Run,
        name: str,
        type_: str,
        entries: Mapping[str, Entry],
        *,
        aliases: Sequence[str] = (),
        metadata: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> Artifact:
        """A version. The same content as the newest one's is that one again; the run is noted all the same."""
        sequence = self.collection(run.project, name, type_, ArtifactSequence)
        digest = digest_of(entries)
        newest = sequence.latest_artifact()
        if newest is not None and newest.digest == digest and newest.state == "COMMITTED":
            version = newest
        else:
            version = self._version(run, sequence, entries, digest, json.dumps(metadata or {}))
        for key, value in more.items():
            setattr(version, key, value)
        run.outputs.append(version)
        member = next(one for one in version.memberships if one.artifact_collection is sequence)
        for alias in ("latest", *aliases):
            sequence.move(alias, member)
        return version

    def _version(
        self, run: Run, sequence: ArtifactSequence, entries: Mapping[str, Entry], digest: str, metadata: str
    ) -> Artifact:
        at, number = len(sequence.members), next(self._numbers)
        version = Artifact(number, sequence, at, entries, digest, self.now(), run, self._sign, metadata)
        self.artifacts[version.id] = version
        self.admit(version, sequence)
        return version

    def begin(self, sequence: ArtifactSequence, digest: str, run: Run | None, metadata: str) -> Artifact:
        """A version that waits for its content: nothing lists it yet."""
        number, by = next(self._numbers), run or self.user
        version = Artifact(number, sequence, -1, {}, digest, self.now(), by, self._sign, metadata, state="PENDING")
        self.artifacts[version.id] = version
        return version

    def commit(self, version: Artifact, entries: Mapping[str, Entry]) -> None:
        """Its content has come."""
        version.entries, version.state = entries, "COMMITTED"
        version.version_index_of_its_own = len(version.artifact_sequence.members)
        self.admit(version, version.artifact_sequence)
        if isinstance(version.created_by, Run):
            version.created_by.outputs.append(version)

    def has_file(self, version: Artifact, path: str, told: Entry) -> bool:
        """Whether an entry's file is there: what is only referred to needs none."""
        born = told.get("birthArtifactID") or version.id
        number = base64.b64decode(born).decode().rpartition(":")[2]
        return "ref" in told or f"artifacts/{number}/{path}" in self.uploads

    def admit(self, version: Artifact, collection: Collection) -> ArtifactCollectionMembership:
        """Put a version into a collection, where it gets the next number."""
        member = ArtifactCollectionMembership(version, collection, len(collection.members), self.now())
        collection.members.append(member)
        version.memberships.append(member)
        return member

    def use(self, run: Run, version: Artifact, *roles: str) -> None:
        """A run reads a version, in the roles that it names."""
        run.inputs.append((version, list(roles)))
        if run not in version.users:
            version.users.append(run)

    def link(self, version: Artifact, registry: str, name: str, *aliases: str) -> ArtifactCollectionMembership:
        """Put a version into a collection of a registry (`model`)."""
        project = self.project(f"acme-org/wandb-registry-{registry}")
        portfolio = self.collection(project, name, version.artifact_type.name, ArtifactPortfolio)
        member = self.admit(version, portfolio)
        for alias in ("latest", *aliases):
            portfolio.move(alias, member)
        return member

    def collection(self, project: Project, name: str, type_: str, kind: type[Any]) -> Any:
        """The collection of a name; it is made if it is not there."""
        found = project.artifact_collection(name)
        if found is None:
            of = project.types.setdefault(type_, ArtifactType(project, type_, self.now()))
            found = kind(next(self._numbers), project, name, of, self.now(), self.now())
            project.collections.append(found)
        return found

    def delete_run(self, run: Run) -> None:
        """It leaves no trace in lists."""
        run.project.all_runs.remove(run)

    def delete_artifact(self, version: Artifact) -> None:
        """It stays under its names as deleted, and has no content."""
        self.change_state(version, "DELETED")
        for member in version.memberships:
            member.names = []

    def change_state(self, version: Artifact, state: str) -> None:
        """PENDING, COMMITTED or DELETED."""
        self.change(version, state=state)

    def hide_project(self, path: str, access_is: str = "hidden") -> None:
        """The caller may see it no more; "denied" if that is to be said, "granted" takes it back."""
        self.project(path).access_is = access_is

    def start_sweep(self, path: str, name: str, config: str, **more: Any) -> Sweep:
        """A search over parameters."""
        project = self.project(path)
        sweep = Sweep(next(self._numbers), project, name, config, self.now(), **more)
        project.all_sweeps.append(sweep)
        return sweep

    def report(self, path: str, title: str, spec: str = "{}") -> View:
        """A page on runs."""
        view = View(next(self._numbers), title, self.user, self.now(), spec=spec)
        self.project(path).all_reports.append(view)
        return view

    def queue(self, path: str, name: str, *launched: Run, environment: Mapping[str, str]) -> RunQueue:
        """A launch queue; each item's run spec holds the environment."""
        queue = RunQueue(next(self._numbers), name, self.now())
        for run in launched:
            spec = {"env": dict(environment), "project": run.project.name}
            told = {"state": "CLAIMED", "associated_run_id": run.name, "run_spec": spec, "created_at": self.now()}
            queue.items.append({"id": gid("RunQueueItem", next(self._numbers)), **told})
        self.project(path).run_queues.append(queue)
        return queue

    def automate(self, scope: Collection, name: str, event: str, payload: str) -> Trigger:
        """Call a webhook with a payload when something happens to a collection."""
        hook = {"__typename": "GenericWebhookIntegration", "id": gid("Integration", next(self._numbers))}
        hook |= {"name": "deploy", "url_endpoint": "https://ci.acme.example/hook"}
        action = {"__typename": "GenericWebhookTriggeredAction", "integration": hook, "request_payload": payload}
        trigger = Trigger(next(self._numbers), name, scope, self.now(), event, action)
        scope.project.triggers.append(trigger)
        return trigger

    # What lies in the object store.

    def stored(self, path: str) -> bytes | None:
        """The bytes of a manifest or of a run's file."""
        match path.split("/", 3):
            case ["artifacts", number, "wandb_manifest.json"]:
                found = self.artifacts.get(gid("Artifact", number))
                return json.dumps(found.manifest()).encode() if found else None
            case ["artifacts", *_]:
                return self.uploads.get(path)
            case _:
                run, name = self.run_of(path)
                return run.kept.get(name) if run else None

    def run_of(self, path: str) -> tuple[Run | None, str]:
        """The run that a path of the object store belongs to, and the name of its file."""
        match path.split("/", 3):
            case ["runs", number, name, file]:
                found = (run for run in self._runs() if str(run.project.number) == number and run.name == name)
                return next(found, None), file
            case _:
                return None, ""

    def _runs(self) -> list[Run]:
        return [run for entity in self.entities.values() for one in entity.all_projects for run in one.all_runs]


def entry(content: bytes) -> dict[str, Any]:
    """The line of a file that was uploaded."""
    digest = base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
    return {"digest": digest, "size": len(content)}


def reference(uri: str, digest: str, size: int = 1024, **extra: str) -> dict[str, Any]:
    """The line of a file that lies elsewhere."""
    return {"digest": digest, "ref": uri, "size": size, "extra": extra}


def within(version: Artifact, path: str) -> dict[str, Any]:
    """The line of a file that lies in another version."""
    uri = f"wandb-artifact://{base64.b64decode(version.id).hex()}/{path}"
    return {"digest": version.entries[path]["digest"], "ref": uri, "size": version.entries[path].get("size", 0)}
