"""The vendor's own client edits and deletes in the miniature, and reads what our writer wrote into it."""

from pathlib import Path

from watersmeet.connectors.wandb.sandbox import Sandbox

from .targets import told_by, written
from .vendor import asked_by_client

_EDITS = """
model = api.artifact("acme/churn/churn-model:v1")
model.description = "the one that serves"
model.metadata["seen"] = True
model.aliases.append("blue")
model.aliases.append("green")
model.tags = ["fair", "small"]
model.save()
model.aliases.remove("blue")
model.tags = ["fair"]
model.save()
link = api.artifact("acme-org/wandb-registry-model/churn:v0")
link.unlink()
collection = api.artifact_collection("model", "acme/churn/churn-model")
collection.description = "who leaves"
collection.tags = ["people", "money"]
collection.save()
collection.tags = ["people"]
collection.save()
entry = api.artifact_collection("model", "acme-org/wandb-registry-model/churn")
entry.description = "in use"
entry.save()
api.artifact("acme/churn/churn-model:v0").delete(delete_aliases=True)
registry = api.create_registry(organization="Acme", name="prompts", visibility="organization", description="words")
run = api.run("acme/churn/eval0001")
run.tags, run.notes = ["judged"], "by hand"
run.config["limit"] = 3
run.update()
with open("remark.txt", "w") as file:
    file.write("good")
run.upload_file("remark.txt")
api.run("acme/churn/train001").delete()
told(registry.full_name)
"""
_READ = """
found = {"runs": {}, "versions": {}, "about": [], "registry": []}
for run in api.runs("acme/churn", lazy=False):
    used = sorted(one.name for one in run.used_artifacts())
    logged = sorted(one.name for one in run.logged_artifacts())
    config = {name: value for name, value in run.config.items() if not name.startswith("_")}
    found["runs"][run.name] = [run.state, run.job_type, run.commit, config, used, logged]
for kind in api.artifact_types("acme/churn"):
    for collection in kind.collections():
        for one in collection.artifacts():
            assert one.manifest.digest() == one.digest
            found["versions"][one.name] = [kind.name, sorted(one.aliases), sorted(
                entry.ref.partition("://")[0] for entry in one.manifest.entries.values() if entry.ref)]
            found["about"].append(json.load(open(one.get_entry("source.json").download()))["name"])
found["registry"] = [
    [one.source_qualified_name, sorted(one.aliases)]
    for registry in api.registries("Acme") for one in registry.versions()
]
told(found)
"""


def test_the_client_edits_and_deletes() -> None:
    with Sandbox() as sandbox:
        assert asked_by_client(sandbox, _EDITS) == "wandb-registry-prompts"
        assert [(one.operation, one.complaints) for one in sandbox.calls if one.complaints] == []
        project, registries = sandbox.world.project("acme/churn"), sandbox.world.entities["acme-org"].all_projects
        (models,) = [one for one in project.collections if one.name == "churn-model"]
        gone, kept = (one.artifact for one in models.members)
        assert (gone.state, gone.aliases()) == ("DELETED", [])
        assert (kept.description, kept.words) == ("the one that serves", ["fair"])
        assert sorted(one.alias for one in kept.aliases("churn-model")) == ["green", "latest"]
        assert (models.description, models.words) == ("who leaves", ["people"])
        assert [(one.name, one.description) for one in registries][-1] == ("wandb-registry-prompts", "words")
        (entry,) = registries[0].collections
        assert (entry.description, [one.artifact for one in entry.members]) == ("in use", [kept])
        (judged,) = [one for one in project.all_runs if one.name == "eval0001"]
        assert (judged.tags, judged.notes, judged.kept["remark.txt"]) == (["judged"], "by hand", b"good")
        assert '"limit"' in judged.config_text
        assert [one.name for one in project.all_runs] == ["prep0001", "train002", "eval0001"]


def test_the_client_reads_what_our_writer_wrote(tmp_path: Path) -> None:
    """It computes each version's digest from its manifest, and finds the one that we told."""
    with told_by("wandb", tmp_path) as dossiers, Sandbox(empty=True) as target:
        written(target, dossiers)
        found = asked_by_client(target, _READ)
        assert [one.complaints for one in target.calls if one.complaints] == []
    commit = "3f1c2ab94de07712a5f0d9a1c8b6e4f2d7a90b13"
    config = {"features": "s3://lake/features/customer_features", "max_depth": 4}
    used = ["customer-features:v0", "customer-holdout:v0"]
    assert found["runs"]["train-churn-1"] == ["finished", "train", commit, config, used, ["churn-model:v0"]]
    assert found["versions"] == {
        "customer-features:v0": ["dataset", ["latest"], ["gs", "https", "s3", "s3"]],
        "customer-holdout:v0": ["dataset", ["latest"], ["s3"]],
        "churn-model:v0": ["model", [], ["wandb-artifact"]],
        "churn-model:v1": ["model", ["latest"], ["wandb-artifact"]],
    }
    assert sorted(found["about"]) == sorted(found["versions"])
    assert found["registry"] == [
        ["acme/churn/churn-model:v0", []],
        ["acme/churn/churn-model:v1", ["latest", "production"]],
    ]
