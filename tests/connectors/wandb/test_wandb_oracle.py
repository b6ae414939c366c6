"""The reader against the vendor's own client: of one miniature, both tell the same."""

from collections.abc import Iterator
from typing import Any

import pytest

from watersmeet.connectors.wandb.sandbox import Sandbox
from watersmeet.connectors.wandb.sandbox_world import World, entry, within
from watersmeet.federation.connector import Batch
from watersmeet.federation.model import EdgeKind, Role

from .miniature import edges, named, path, read, records, skipped, tied
from .vendor import asked_by_client

_ALL = """
found = {"projects": [], "runs": [], "used": [], "logged": [], "versions": [], "aliases": [], "links": []}
for project in api.projects("acme"):
    path = f"acme/{project.name}"
    found["projects"].append(path)
    for run in api.runs(path, lazy=False):
        found["runs"].append([f"{path}/{run.id}", run.state, run.config, dict(run.summary), run.tags])
        found["used"] += [[f"{path}/{run.id}", one.source_qualified_name] for one in run.used_artifacts()]
        found["logged"] += [[f"{path}/{run.id}", one.source_qualified_name] for one in run.logged_artifacts()]
    for kind in api.artifact_types(path):
        for collection in kind.collections():
            for version in collection.artifacts():
                found["versions"].append([version.source_qualified_name, version.id, version.digest, version.type])
                found["aliases"] += [[version.source_qualified_name, alias] for alias in version.aliases]
for registry in api.registries("Acme"):
    for version in registry.versions():
        found["links"].append([version.qualified_name, version.source_qualified_name, sorted(version.aliases)])
told(found)
"""


def fill(world: World) -> None:
    """Beside the story's project of four runs two more, with three and two."""
    base = world.log_run("acme/fraud", "base", config={"lr": 0.1}, summary={"auc": 0.7})
    words = world.log_artifact(base, "words", "dataset", {"a.txt": entry(b"a")}, aliases=["first"])
    tuned = world.log_run("acme/fraud", "tuned", config={"lr": 0.2}, state="running", tags=["best"])
    world.use(tuned, words, "training")
    world.log_artifact(tuned, "words", "dataset", {"a.txt": entry(b"b"), "old.txt": within(words, "a.txt")})
    world.log_run("acme/fraud", "dead", state="crashed")
    judged = world.log_run("acme/nlp", "judged", job_type="evaluate")
    world.use(judged, words, "evaluation")
    model = world.log_artifact(judged, "judge", "model", {"m.bin": entry(b"m")})
    world.link(model, "model", "judge", "production")
    world.log_run("acme/nlp", "idle")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        fill(running.world)
        yield running


@pytest.fixture(scope="module")
def client(sandbox: Sandbox) -> Any:
    """What the vendor's client tells."""
    return asked_by_client(sandbox, _ALL)


@pytest.fixture(scope="module")
def ours(sandbox: Sandbox, client: Any) -> list[Batch]:
    """What the reader tells."""
    told = read(sandbox)
    assert told[-1].complete
    return told


class TestBothTellTheSame:
    """Wandb, check 1: three projects, nine runs and a registry."""

    def test_projects_and_runs(self, client: Any, ours: list[Batch]) -> None:
        assert len(client["projects"]) == 3
        assert named(ours, "project/") == sorted([*client["projects"], "acme-org/wandb-registry-model"])
        assert len(client["runs"]) == 9
        assert named(ours, "run/") == sorted(one[0] for one in client["runs"])

    def test_states_parameters_metrics_and_tags(self, client: Any, ours: list[Batch]) -> None:
        known = {path(one): one for name, one in records(ours).items() if name.startswith("run/")}
        for run, state, config, summary, tags in client["runs"]:
            facets = known[run].facets
            assert facets["wandb"]["state"] == state
            assert facets.get("parameters", {}) == {name: str(value) for name, value in config.items()}
            assert facets.get("metrics", {}) == summary
            assert [one["key"] for one in facets.get("tags", [])] == tags

    def test_what_runs_used_and_logged(self, client: Any, ours: list[Batch]) -> None:
        used = {one for one in tied(ours, EdgeKind.READ) if not one[1].startswith("git/")}
        assert used == {("READ", version, run) for run, version in client["used"]}
        assert tied(ours, EdgeKind.WRITE) == {("WRITE", run, version) for run, version in client["logged"]}

    def test_the_roles_that_the_client_does_not_show(self, ours: list[Batch]) -> None:
        """It has no word for `usedAs`, so the world itself is held against what was told."""
        known = records(ours)
        roles = {
            (known[one.downstream].name, known[one.upstream].name, one.role)
            for one in edges(ours, EdgeKind.READ)
            if one.role is not Role.CODE
        }
        assert {("tuned", "words:v0", Role.TRAINING), ("judged", "words:v0", Role.EVALUATION)} < roles
        assert ("judge-churn", "customer-holdout:v0", None) in roles

    def test_versions_and_their_names(self, client: Any, ours: list[Batch]) -> None:
        known = records(ours)
        assert named(ours, "version/") == sorted(one[0] for one in client["versions"])
        assert {(one[1], one[2]) for one in client["versions"]} == {
            (name.removeprefix("version/"), one.facets["wandb"]["digest"])
            for name, one in known.items()
            if name.startswith("version/")
        }
        assert all(known[f"version/{one[1]}"].kind.value.startswith(one[3].upper()) for one in client["versions"])
        in_projects = {
            (known[one.upstream].name, one.alias)
            for one in edges(ours, EdgeKind.ALIAS_OF)
            if known[one.downstream].subtype != "registered"
        }
        assert in_projects == {(version.rpartition("/")[2], alias) for version, alias in client["aliases"]}

    def test_one_model_version_has_two_names(self, client: Any, ours: list[Batch]) -> None:
        known = records(ours)
        links = {
            (known[one.upstream].name, known[one.downstream].name)
            for one in edges(ours, EdgeKind.VERSION_OF)
            if known[one.downstream].subtype == "registered"
        }
        assert links == {
            (source.rpartition("/")[2], name.rpartition("/")[2].partition(":")[0])
            for name, source, _ in client["links"]
        }
        names = {
            (known[one.upstream].name, known[one.downstream].name, one.alias)
            for one in edges(ours, EdgeKind.ALIAS_OF)
            if known[one.downstream].subtype == "registered"
        }
        assert names == {
            (source.rpartition("/")[2], name.rpartition("/")[2].partition(":")[0], alias)
            for name, source, aliases in client["links"]
            for alias in (*aliases, name.rpartition(":")[2])
        }


def test_what_the_client_loses_at_an_empty_page_is_read() -> None:
    """Wandb, check 3: it ends there, and says nothing."""
    with Sandbox(empty=True) as sandbox:
        made = [sandbox.world.log_run("acme/fraud", f"run{number}") for number in range(9)]
        made[4].is_hidden = made[5].is_hidden = True
        listed = asked_by_client(sandbox, 'told([one.id for one in api.runs("acme/fraud", per_page=2)])')
        told = read(sandbox, options={"page_size": 2})
    assert listed == ["run0", "run1", "run2", "run3"]
    assert named(told, "run/") == [f"acme/fraud/run{number}" for number in (0, 1, 2, 3, 6, 7, 8)]
    assert told[-1].complete


def test_a_config_that_makes_the_client_lose_all_runs_costs_none() -> None:
    """Wandb, check 8: it raises at the first one."""
    script = """
try:
    told([one.id for one in api.runs("acme/fraud", lazy=False)])
except Exception as error:
    told(type(error).__name__)
"""
    with Sandbox(empty=True) as sandbox:
        made = [sandbox.world.log_run("acme/fraud", f"run{number}", config={"lr": number}) for number in range(3)]
        sandbox.world.change(made[1], config_text='{"lr": {"value": 1')
        listed = asked_by_client(sandbox, script)
        told = read(sandbox)
    assert isinstance(listed, str)
    assert named(told, "run/") == ["acme/fraud/run0", "acme/fraud/run1", "acme/fraud/run2"]
    (one,) = skipped(told)
    assert (one.lost, "cannot be read" in one.reason) == (False, True)
