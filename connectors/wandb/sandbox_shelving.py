"""What the miniature does when artifacts are written: pending until they are committed, then for ever."""

import json
from collections.abc import Iterable
from typing import Any

from graphql import GraphQLError

from .sandbox_artifacts import (
    Artifact,
    ArtifactCollectionMembership,
    ArtifactPortfolio,
    ArtifactSequence,
    Collection,
    Tag,
    digest_of,
)
from .sandbox_query import gid, page
from .sandbox_writing import Input, Runs


class Mutation(Runs):
    """Everything that can be asked to be changed."""

    def create_artifact(self, input: Input) -> dict[str, Artifact]:
        """A version that waits for its content; the newest one again where its content is the same."""
        project = self._project(input["entityName"], input["projectName"])
        run = self._run(input) if input.get("runName") else None
        client = input.get("clientID")
        if client and client in self._world.clients:
            return {"artifact": self._world.artifacts[self._world.clients[client]]}
        names: list[str] = input.get("artifactCollectionNames") or [input["artifactCollectionName"]]
        sequence = self._world.collection(project, names[0], input["artifactTypeName"], ArtifactSequence)
        wanted = [one["alias"] for one in input.get("aliases") or ()]
        newest = sequence.latest_artifact()
        if input.get("enableDigestDeduplication") and newest is not None and newest.digest == input["digest"]:
            if run is not None and newest not in run.outputs:
                run.outputs.append(newest)
            self._name(newest, sequence, wanted)
            artifact = newest
        else:
            artifact = self._world.begin(sequence, input["digest"], run, input.get("metadata") or "{}")
            artifact.description = input.get("description")
            artifact.awaited = wanted
            artifact.words = [one["tagName"] for one in input.get("tags") or ()]
            artifact.digest_algorithm = input.get("digestAlgorithm") or "MANIFEST_MD5"
            artifact.history_step = input.get("historyStep")
            if input.get("ttlDurationSeconds"):
                artifact.ttl_duration_seconds = input["ttlDurationSeconds"]
                artifact.ttl_is_inherited = False
        if client:
            self._world.clients[client] = artifact.id
        return {"artifact": artifact}

    def create_artifact_manifest(self, input: Input) -> dict[str, Any]:
        """Where the list of what a version consists of is put."""
        return {"artifact_manifest": self._manifest(self._artifact(input["artifactID"]))}

    def update_artifact_manifest(self, input: Input) -> dict[str, Any]:
        """The same, once the client knows its digest."""
        found = next(one for one in self._world.artifacts.values() if one.manifest_id == input["artifactManifestID"])
        return {"artifact_manifest": self._manifest(found)}

    def _manifest(self, artifact: Artifact) -> dict[str, Any]:
        file = {"id": gid("File", artifact.number), "upload_headers": list[str]()}
        file["upload_url"] = self._storage.sign(f"artifacts/{artifact.number}/wandb_manifest.json")
        return {"id": artifact.manifest_id, "type": "FULL", "digest": artifact.digest, "file": file}

    def create_artifact_files(self, input: Input) -> dict[str, Any]:
        """Where files of versions are put."""
        return {"files": page([self._file(one) for one in input["artifactFiles"]], first=len(input["artifactFiles"]))}

    def _file(self, told: Input) -> dict[str, Any]:
        artifact = self._artifact(told["artifactID"])
        path = f"artifacts/{artifact.number}/{told['name']}"
        own = {"id": gid("File", f"{artifact.number}/{told['name']}"), "name": told["name"], "artifact": artifact}
        return {**own, "storage_path": path, "upload_url": self._storage.sign(path), "upload_headers": list[str]()}

    def commit_artifact(self, input: Input) -> dict[str, Artifact]:
        """From now on it is a version: it has its number and its names. What has not arrived keeps it from that."""
        artifact = self._artifact(input["artifactID"])
        if artifact.state == "COMMITTED":
            return {"artifact": artifact}
        body = self._world.uploads.get(f"artifacts/{artifact.number}/wandb_manifest.json")
        if body is None:
            raise GraphQLError("the manifest has not been uploaded")
        entries = json.loads(body)["contents"]
        if artifact.digest_algorithm == "MANIFEST_MD5" and digest_of(entries) != artifact.digest:
            raise GraphQLError("the manifest does not add up to the digest of the artifact")
        if missing := [path for path in entries if not self._world.has_file(artifact, path, entries[path])]:
            raise GraphQLError(f"files have not been uploaded: {', '.join(missing)}")
        self._world.commit(artifact, entries)
        self._name(artifact, artifact.artifact_sequence, ["latest", *artifact.awaited])
        return {"artifact": artifact}

    def use_artifact(self, input: Input) -> dict[str, Artifact]:
        """A run reads a version; saying so again changes nothing but the role."""
        run, artifact = self._run(input), self._artifact(input["artifactID"])
        role = [input["usedAs"]] if input.get("usedAs") else []
        former = next((roles for one, roles in run.inputs if one is artifact), None)
        if former is None:
            self._world.use(run, artifact, *role)
        else:
            former.extend(one for one in role if one not in former)
        return {"artifact": artifact}

    def update_artifact(self, input: Input) -> dict[str, Artifact]:
        """Change what is said of a version."""
        artifact = self._artifact(input["artifactID"])
        for name in ("description", "metadata"):
            if input.get(name) is not None:
                self._world.change(artifact, **{name: input[name]})
        gone = {one["tagName"] for one in input.get("tagsToDelete") or ()}
        added = [one["tagName"] for one in input.get("tagsToAdd") or ()]
        artifact.words = list(dict.fromkeys(one for one in (*artifact.words, *added) if one not in gone))
        if input.get("aliases") is not None:
            self._rename(artifact, [one["alias"] for one in input["aliases"]])
        if input.get("ttlDurationSeconds") is not None:
            artifact.ttl_duration_seconds = input["ttlDurationSeconds"]
        return {"artifact": artifact}

    def _rename(self, artifact: Artifact, aliases: list[str]) -> None:
        sequence = artifact.artifact_sequence
        for former in artifact.aliases(sequence.name):
            sequence.drop(former.alias)
        self._name(artifact, sequence, aliases)

    def delete_artifact(self, input: Input) -> dict[str, Artifact]:
        """Delete a version; one that has names must be said to lose them."""
        artifact = self._artifact(input["artifactID"])
        if artifact.aliases() and not input.get("deleteAliases"):
            raise GraphQLError("cannot delete an artifact that has aliases")
        self._world.delete_artifact(artifact)
        return {"artifact": artifact}

    def link_artifact(self, input: Input) -> dict[str, Any]:
        """Put a version into a collection of a registry; it is there once, however often it is said."""
        id_ = input.get("artifactID") or self._world.clients.get(str(input.get("clientID")), "")
        artifact = self._artifact(id_)
        project = self._project(input.get("entityName"), input.get("projectName"))
        name, type_ = str(input.get("artifactPortfolioName")), artifact.artifact_type.name
        portfolio = self._world.collection(project, name, type_, ArtifactPortfolio)
        member = next((one for one in portfolio.members if one.artifact is artifact), None)
        member = member or self._world.admit(artifact, portfolio)
        for alias in ("latest", *(one["alias"] for one in input.get("aliases") or ())):
            portfolio.move(alias, member)
        return {"version_index": member.version_index, "artifact_membership": member}

    def unlink_artifact(self, input: Input) -> dict[str, bool]:
        """Take a version out of a collection of a registry."""
        artifact = self._artifact(input["artifactID"])
        for member in self._members(artifact):
            if member.artifact_collection.id == input["artifactPortfolioID"]:
                member.artifact_collection.members.remove(member)
                artifact.memberships.remove(member)
        return {"success": True}

    def _members(self, artifact: Artifact) -> list[ArtifactCollectionMembership]:
        return list(artifact.memberships)

    def add_aliases(self, input: Input) -> dict[str, bool]:
        """Give a version names; who bore them bears them no more."""
        artifact = self._artifact(input["artifactID"])
        for one in input["aliases"]:
            self._name(artifact, self._collection(one), [one["alias"]])
        return {"success": True}

    def delete_aliases(self, input: Input) -> dict[str, bool]:
        """Take names away."""
        self._artifact(input["artifactID"])
        for one in input["aliases"]:
            self._collection(one).drop(one["alias"])
        return {"success": True}

    def _name(self, artifact: Artifact, collection: Collection, aliases: Iterable[str]) -> None:
        member = next((one for one in artifact.memberships if one.artifact_collection is collection), None)
        if member is None:
            raise GraphQLError(f"the artifact is not in {collection.name}")
        for alias in aliases:
            collection.move(alias, member)

    def update_artifact_sequence(self, input: Input) -> dict[str, Collection]:
        """Change what is said of a collection."""
        return self._changed(input["artifactSequenceID"], input)

    def update_artifact_portfolio(self, input: Input) -> dict[str, Collection]:
        """The same for one of a registry."""
        return self._changed(input["artifactPortfolioID"], input)

    def _changed(self, id_: str, told: Input) -> dict[str, Collection]:
        here = (project for entity in self._world.entities.values() for project in entity.shown())
        found = next((one for project in here for one in project.collections if one.id == id_), None)
        if found is None:
            raise GraphQLError(f"collection {id_} not found")
        self._entity(found.project.entity.name)
        self._world.change(found, **{key: told[key] for key in ("name", "description") if told.get(key) is not None})
        return {"artifact_collection": found}

    def create_artifact_collection_tag_assignments(self, input: Input) -> dict[str, list[Tag]]:
        """Tag a collection."""
        found = self._collection(input)
        found.words = list(dict.fromkeys((*found.words, *(one["tagName"] for one in input["tags"]))))
        return {"tags": [Tag(word) for word in found.words]}

    def delete_artifact_collection_tag_assignments(self, input: Input) -> dict[str, bool]:
        """Take tags off a collection."""
        found = self._collection(input)
        gone = {one["tagName"] for one in input["tags"]}
        found.words = [word for word in found.words if word not in gone]
        return {"success": True}
