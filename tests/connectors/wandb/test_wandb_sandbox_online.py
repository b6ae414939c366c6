"""Runs that the vendor's own client logs into the miniature: what it sends is taken, and read back by all."""

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from watersmeet.config.settings import Source
from watersmeet.connectors.wandb.read import Wandb
from watersmeet.connectors.wandb.sandbox import KEY, Sandbox
from watersmeet.federation.connector import Batch
from watersmeet.federation.model import EdgeKind, RunState

from .miniature import edges, records, skipped
from .vendor import asked_by_client, logged_by_client

_STORY = """
run = wandb.init(
    project="churn", entity="acme", id="train1", name="first", config={"lr": 0.1, "net": {"layers": 2}},
    tags=["nightly"], group="g1", job_type="train", notes="by night",
)
run.log({"loss": 1.0})
run.log({"loss": 0.5})
run.summary["auc"] = 0.9
with open("rows.csv", "w") as file:
    file.write("a,b")
raw = wandb.Artifact("raw", "dataset", metadata={"rows": 3}, description="as it came")
raw.add_file("rows.csv")
raw.add_reference("s3://acme-lake/raw/part-0.parquet", checksum=False)
run.log_artifact(raw, aliases=["gold"])
raw.wait()
run.use_artifact("raw:gold")
model = wandb.Artifact("clf", "model")
with model.new_file("clf.bin") as file:
    file.write("weights")
model.add_reference(raw.get_entry("rows.csv"), name="trained-on.csv")
run.log_artifact(model)
model.wait()
model.aliases.append("champion")
model.tags = ["fair"]
model.save()
run.link_artifact(model, "wandb-registry-model/churn", aliases=["production"])
run.finish()
again = wandb.init(project="churn", entity="acme", id="train2", job_type="train")
same = wandb.Artifact("clf", "model")
with same.new_file("clf.bin") as file:
    file.write("weights")
same.add_reference(raw.get_entry("rows.csv"), name="trained-on.csv")
again.log_artifact(same)
same.wait()
again.finish(exit_code=1)
told({"digests": [raw.digest, model.digest], "version": [model.version, same.version]})
"""
_READ = """
run, other = api.run("acme/churn/train1"), api.run("acme/churn/train2")
clf = api.artifact("acme/churn/clf:champion")
told({
    "run": [run.name, run.state, run.group, run.job_type, run.notes, run.tags, run.config, run.summary["auc"]],
    "other": other.state,
    "used": [one.name for one in run.used_artifacts()],
    "logged": [[one.name for one in each.logged_artifacts()] for each in (run, other)],
    "aliases": sorted(clf.aliases), "tags": clf.tags, "digests": [
        api.artifact("acme/churn/raw:v0").manifest.digest(), clf.manifest.digest()],
    "file": open(api.artifact("acme/churn/raw:v0").get_entry("rows.csv").download()).read(),
    "refs": [entry.ref for entry in clf.manifest.entries.values() if entry.ref],
    "registry": [[one.qualified_name, one.source_qualified_name, sorted(one.aliases)]
        for registry in api.registries("Acme") for one in registry.versions()],
})
"""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(empty=True) as running:
        running.world.project("acme-org/wandb-registry-model")
        yield running


@pytest.fixture(scope="module")
def logged(sandbox: Sandbox) -> Any:
    """What the client says while it logs."""
    return logged_by_client(sandbox, _STORY)


@pytest.fixture(scope="module")
def seen(logged: Any, sandbox: Sandbox) -> Any:
    """What the client reads back."""
    return asked_by_client(sandbox, _READ)


@pytest.fixture(scope="module")
def batches(logged: Any, sandbox: Sandbox) -> list[Batch]:
    """What our reader reads back."""
    given = {"name": "lab", "platform": "wandb", "url": sandbox.url, "token": KEY, "also": [sandbox.storage.url]}
    connector = Wandb(Source.model_validate(given))
    try:
        return list(connector.read(None))
    finally:
        connector.close()


def test_nothing_that_the_client_sends_is_refused(seen: Any, sandbox: Sandbox) -> None:
    assert [(one.operation, one.complaints) for one in sandbox.calls if one.complaints] == []
    asked = {one.operation for one in sandbox.calls}
    assert asked >= {"UpsertBucket", "CreateArtifact", "CreateArtifactManifest", "CreateArtifactFiles"}
    assert asked >= {"CommitArtifact", "UseArtifact", "LinkArtifact", "AddAliases", "UpdateArtifact", "CreateRunFiles"}


def test_the_client_reads_back_what_it_logged(seen: Any) -> None:
    config = {"lr": 0.1, "net": {"layers": 2}}
    assert seen["run"] == ["first", "finished", "g1", "train", "by night", ["nightly"], config, 0.9]
    assert seen["other"] == "failed"
    assert (seen["used"], seen["file"]) == (["raw:v0"], "a,b")
    assert (seen["aliases"], seen["tags"]) == (["champion", "latest"], ["fair"])
    assert seen["registry"] == [
        ["acme-org/wandb-registry-model/churn:v0", "acme/churn/clf:v0", ["latest", "production"]]
    ]


def test_the_same_content_logged_again_is_no_new_version(logged: Any, seen: Any) -> None:
    assert logged["version"] == ["v0", "v0"]
    assert seen["logged"] == [["raw:v0", "clf:v0"], ["clf:v0"]]


def test_digests_are_what_the_entries_add_up_to(logged: Any, seen: Any) -> None:
    assert seen["digests"] == logged["digests"]


def test_our_reader_reads_back_what_the_client_logged(batches: list[Batch]) -> None:
    assert batches[-1].complete
    assert skipped(batches) == []
    found = {one.name: one for one in records(batches).values()}
    first = found["first"]
    ended = {name: one.run.state for name, one in found.items() if one.run is not None}
    assert ended == {"first": RunState.SUCCEEDED, "train2": RunState.FAILED}
    assert first.facets["parameters"] == {"lr": "0.1", "net": '{"layers": 2}'}
    assert first.facets["metrics"]["auc"] == 0.9
    assert (first.facets["wandb"]["group"], first.subtype, first.description) == ("g1", "train", "by night")
    assert first.facets["tags"] == [{"key": "nightly"}]


def test_our_reader_reads_back_edges_references_names_and_the_link(batches: list[Batch]) -> None:
    name = {id_: one.name or id_ for id_, one in records(batches).items()}

    def told(kind: EdgeKind) -> set[tuple[str, str]]:
        return {(name[one.upstream], name[one.downstream]) for one in edges(batches, kind)}

    assert told(EdgeKind.READ) == {("raw:v0", "first")}
    assert told(EdgeKind.WRITE) == {("first", "raw:v0"), ("first", "clf:v0"), ("train2", "clf:v0")}
    assert told(EdgeKind.DERIVE) == {("acme-lake/raw/part-0.parquet", "raw:v0"), ("raw:v0", "clf:v0")}
    named = {(one.alias, name[one.upstream], name[one.downstream]) for one in edges(batches, EdgeKind.ALIAS_OF)}
    assert named == {
        ("latest", "raw:v0", "raw"),
        ("gold", "raw:v0", "raw"),
        ("latest", "clf:v0", "clf"),
        ("champion", "clf:v0", "clf"),
        ("latest", "clf:v0", "churn"),
        ("production", "clf:v0", "churn"),
        ("v0", "clf:v0", "churn"),
    }
    manifests = [one.facets["manifest"] for one in records(batches).values() if "manifest" in one.facets]
    assert all(one["digest_agrees"] for one in manifests)


def test_the_object_store_never_sees_the_key(seen: Any, sandbox: Sandbox) -> None:
    assert {one.method for one in sandbox.storage.calls} == {"GET", "PUT"}
    assert {one.authorization for one in sandbox.storage.calls} == {None}


def posted(sandbox: Sandbox, query: str, key: str = KEY, **variables: Any) -> list[str]:
    """Why a change was refused."""
    body = {"query": query, "variables": variables}
    answer = httpx2.post(f"{sandbox.url}/graphql", json=body, auth=("api", key), trust_env=False).json()
    return [one["message"] for one in answer.get("errors", ())]


_RUN = 'mutation M($e: String) { upsertBucket(input: {entityName: $e, modelName: "p", name: "r"}) { inserted } }'


def test_nobody_writes_without_a_key_or_where_the_key_may_only_read(sandbox: Sandbox) -> None:
    assert posted(sandbox, _RUN, key="x" * 40, e="acme") == ["user is not logged in"]
    assert posted(sandbox, _RUN, e="elsewhere") == ["entity elsewhere not found"]
    with Sandbox(empty=True) as other:
        other.world.entities["acme"].read_only = True
        assert posted(other, _RUN, e="acme") == ["permission denied to write to acme"]
        assert other.world.entities["acme"].all_projects == []


def test_a_version_is_committed_only_with_all_that_it_consists_of() -> None:
    begin = """mutation B { createArtifact(input: {
        entityName: "acme", projectName: "p", artifactTypeName: "dataset", artifactCollectionName: "raw", digest: "d"
    }) { artifact { id } } }"""
    with Sandbox(empty=True) as sandbox:
        sandbox.world.project("acme/p")
        assert posted(sandbox, begin) == []
        (waiting,) = sandbox.world.artifacts.values()
        commit = f'mutation C {{ commitArtifact(input: {{artifactID: "{waiting.id}"}}) {{ artifact {{ id }} }} }}'
        assert posted(sandbox, commit) == ["the manifest has not been uploaded"]
        store, path = sandbox.storage, f"artifacts/{waiting.number}/wandb_manifest.json"
        httpx2.put(store.sign(path), json={"contents": {"a": {"digest": "x"}}}, trust_env=False)
        assert posted(sandbox, commit) == ["the manifest does not add up to the digest of the artifact"]
        waiting.digest = "f3d2ae0b7b5a7a4d2f7c1a6e2a0f9d11"
        waiting.digest_algorithm = "MANIFEST_XXH128"
        assert posted(sandbox, commit) == ["files have not been uploaded: a"]
        assert (waiting.state, waiting.memberships) == ("PENDING", [])


def test_what_is_not_there_is_said_by_name() -> None:
    with Sandbox() as sandbox:
        model = sandbox.world.project("acme/churn").collections[-1].members[-1].artifact
        where = 'entityName: "acme", projectName: "{}", runName: "{}"'
        used = 'mutation M {{ useArtifact(input: {{{}, artifactID: "{}"}}) {{ artifact {{ id }} }} }}'
        assert posted(sandbox, used.format(where.format("nope", "r"), model.id)) == ["project acme/nope not found"]
        assert posted(sandbox, used.format(where.format("churn", "r"), model.id)) == ["run r not found"]
        assert posted(sandbox, used.format(where.format("churn", "eval0001"), "x")) == ["artifact x not found"]
        nameless = 'mutation M { upsertBucket(input: {entityName: "acme", modelName: "p"}) { inserted } }'
        assert posted(sandbox, nameless) == ["a run needs a name"]
        unknown = 'mutation M { upsertBucket(input: {id: "x", notes: "n"}) { inserted } }'
        assert posted(sandbox, unknown) == ["run x not found"]
        tagged = """mutation M { createArtifactCollectionTagAssignments(input: {
            entityName: "acme", projectName: "churn", artifactCollectionName: "nope", tags: []}) { tags { id } } }"""
        assert posted(sandbox, tagged) == ["collection nope not found"]
        renamed = (
            'mutation M { updateArtifactSequence(input: {artifactSequenceID: "x"}) { artifactCollection { id } } }'
        )
        assert posted(sandbox, renamed) == ["collection x not found"]


def test_states_and_aliases_are_set_as_a_whole_too() -> None:
    with Sandbox() as sandbox:
        project = sandbox.world.project("acme/churn")
        run, model = project.all_runs[-1], project.collections[-1].members[-1].artifact
        state = f'mutation M {{ updateRunState(input: {{runID: "{run.id}", state: "killed"}}) {{ success }} }}'
        assert posted(sandbox, state) == []
        assert run.state == "killed"
        name = '{alias: "only", artifactCollectionName: "churn-model"}'
        told = f'artifactID: "{model.id}", ttlDurationSeconds: 60, aliases: [{name}]'
        update = f"mutation M {{ updateArtifact(input: {{{told}}}) {{ artifact {{ id }} }} }}"
        assert posted(sandbox, update) == []
        assert [one.alias for one in model.aliases("churn-model")] == ["only"]
        assert model.ttl_duration_seconds == 60
        delete = f'mutation M {{ deleteArtifact(input: {{artifactID: "{model.id}"}}) {{ artifact {{ id }} }} }}'
        assert posted(sandbox, delete) == ["cannot delete an artifact that has aliases"]
