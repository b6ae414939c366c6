"""What stands beside the runs of Weights & Biases: artifacts, registries, sweeps, reports, and what is gone."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from watersmeet.config.errors import Misconfigured
from watersmeet.connectors.wandb.place import version_id
from watersmeet.connectors.wandb.sandbox import Sandbox
from watersmeet.connectors.wandb.sandbox_artifacts import Artifact
from watersmeet.connectors.wandb.sandbox_query import gid
from watersmeet.connectors.wandb.sandbox_runs import Run
from watersmeet.connectors.wandb.sandbox_world import entry
from watersmeet.federation.model import EdgeKind

from .miniature import answering, asked, checked, connected, edges, named, read, records

PATH = "acme/fraud"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A project with one run and one version; nothing that is asked of it may be wrong."""
    with Sandbox(empty=True) as running:
        run = running.world.log_run(PATH, "maker")
        running.world.log_artifact(run, "words", "dataset", {"a": entry(b"a")})
        yield running
        assert [one.complaints for one in running.calls if one.complaints] == []


@pytest.fixture
def maker(sandbox: Sandbox) -> Run:
    return sandbox.world.project(PATH).all_runs[0]


@pytest.fixture
def words(sandbox: Sandbox) -> Artifact:
    (found,) = sandbox.world.artifacts.values()
    return found


def at(number: int, day: int = 1) -> str:
    """A second of a day to come in the life of the project."""
    return f"2026-08-{day:02}T00:{number // 60:02}:{number % 60:02}Z"


class TestVersions:
    """Read once, when they are new."""

    def test_an_alias_is_a_statement_of_its_collection(self, sandbox: Sandbox, words: Artifact) -> None:
        told = read(sandbox)
        collection = words.artifact_sequence
        assert [(one.upstream, one.downstream, one.alias) for one in edges(told, EdgeKind.ALIAS_OF)] == [
            (version_id(words.id), f"collection/{collection.id}", "latest")
        ]
        assert f"alias:{collection.project.id}" in told[-1].listed

    def test_one_that_is_pending_is_asked_for_again(self, sandbox: Sandbox, maker: Run) -> None:
        world = sandbox.world
        late = world.log_artifact(maker, "late", "dataset", {"a": {"digest": "d", "ref": "s3://lake/a"}})
        world.change_state(late, "PENDING")
        since = read(sandbox)[-1].resume
        assert since is not None
        assert since["projects"][late.artifact_sequence.project.id]["pending"] == (late.id,)
        world.change_state(late, "COMMITTED")
        assert [one.upstream for one in edges(read(sandbox, since), EdgeKind.DERIVE)] == ["file/s3://lake/a"]

    def test_new_ones_are_read_until_one_is_older_than_the_last_read(self, sandbox: Sandbox, maker: Run) -> None:
        """Wandb, check 12: a new version is seen within one cycle."""
        world = sandbox.world
        since = read(sandbox)[-1].resume
        known = len(world.artifacts)
        for number in range(30):
            world.log_artifact(maker, "words", "dataset", {"a": entry(b"new %d" % number)})
        for number, one in enumerate(list(world.artifacts.values())):
            one.created_at = at(number, day=1 if number < known else 2)
        sandbox.calls.clear()
        sandbox.storage.calls.clear()
        since = {**(since or {}), "projects": _moved(since, at(0))}
        told = read(sandbox, since)
        new = {version_id(one.id) for one in list(world.artifacts.values())[known:]}
        assert new <= records(told).keys()
        assert len(sandbox.storage.calls) == 30
        assert (asked(sandbox, "Versions"), asked(sandbox, "Manifests"), asked(sandbox, "Memberships")) == (1, 2, 0)

    def test_metadata_that_cannot_be_read_is_kept_as_it_is(self, sandbox: Sandbox, words: Artifact) -> None:
        sandbox.world.change(words, metadata="{odd", ttl_duration_seconds=60, words=["gold"])
        one = records(read(sandbox))[version_id(words.id)]
        assert one.facets["wandb"]["metadata_text"] == "{odd"
        assert one.facets["wandb"]["ttl_seconds"] == 60
        assert one.facets["tags"] == [{"key": "gold"}]


def _moved(since: Any, versions: str) -> Any:
    """A cursor whose newest versions are of another time."""
    return {id_: {**mark, "versions": versions} for id_, mark in since["projects"].items()}


class TestRegistries:
    """The same version under a further name."""

    @pytest.fixture
    def model(self, sandbox: Sandbox, maker: Run) -> Artifact:
        made = sandbox.world.log_artifact(maker, "net", "model", {"m": entry(b"m")})
        sandbox.world.link(made, "model", "detector", "production")
        return made

    def test_a_link_is_a_name_of_the_same_version(self, sandbox: Sandbox, model: Artifact) -> None:
        told = read(sandbox)
        found = records(told)
        entry_of = f"collection/{model.memberships[1].artifact_collection.id}"
        registry = sandbox.world.project("acme-org/wandb-registry-model")
        assert found[f"project/{registry.id}"].subtype == "registry"
        assert found[entry_of].subtype == "registered"
        mine = version_id(model.id)
        assert {
            one.alias for one in edges(told, EdgeKind.ALIAS_OF) if (one.upstream, one.downstream) == (mine, entry_of)
        } == {
            "latest",
            "production",
            "v0",
        }
        things = {one.downstream for one in edges(told, EdgeKind.VERSION_OF) if one.upstream == mine}
        assert things == {entry_of, f"collection/{model.artifact_sequence.id}"}

    def test_links_that_fit_a_page_cost_no_further_question(self, sandbox: Sandbox, model: Artifact) -> None:
        since = read(sandbox)[-1].resume
        sandbox.calls.clear()
        told = read(sandbox, since)
        assert [one.upstream for one in edges(told, EdgeKind.VERSION_OF)].count(version_id(model.id)) >= 1
        assert asked(sandbox, "Memberships") == 0


class TestListingsBeyondAPage:
    """Each is read to the last."""

    def test_sweeps_as_experiments_of_their_project(self, sandbox: Sandbox) -> None:
        for number in range(60):
            sandbox.world.start_sweep(PATH, f"s{number:02}", "method: grid\n", display_name="grid" if number else None)
        told = read(sandbox)
        sweeps = [one for one in records(told).values() if one.subtype == "sweep"]
        assert [one.name for one in sweeps] == ["s00", *["grid"] * 59]
        assert len({one.upstream for one in edges(told, EdgeKind.PART_OF) if one.upstream.startswith("sweep/")}) == 60

    def test_aliases_of_a_collection(self, sandbox: Sandbox, words: Artifact) -> None:
        words.memberships[0].names = [f"n{number:04}" for number in range(1001)]
        told = [one.alias for one in edges(read(sandbox), EdgeKind.ALIAS_OF)]
        assert sorted(map(str, told)) == words.memberships[0].names
        assert asked(sandbox, "Aliases") == 1


def test_what_a_queue_or_an_automation_carries_is_never_asked_for() -> None:
    """Wandb, check 15: only what they are called, and where they stand."""
    with Sandbox() as sandbox:
        found = {one.subtype: one for one in records(read(sandbox)).values()}
    assert found["report"].name == "Churn by month"
    assert [one["state"] for one in found["queue"].facets["wandb"]["items"]] == ["CLAIMED"]
    assert found["automation"].facets["wandb"]["event"] == "ADD_ARTIFACT_ALIAS"
    told = "".join(map(str, found.values()))
    assert not [one for one in ("sandbox-run-spec-secret", "sandbox-webhook-secret", "ci.acme.example") if one in told]


def _delete_run(sandbox: Sandbox) -> str:
    run = sandbox.world.project(PATH).all_runs[0]
    sandbox.world.delete_run(run)
    return f"run/{run.id}"


def _delete_version(sandbox: Sandbox) -> str:
    (version,) = sandbox.world.artifacts.values()
    sandbox.world.delete_artifact(version)
    return version_id(version.id)


def _delete_collection(sandbox: Sandbox) -> str:
    return f"collection/{sandbox.world.project(PATH).collections.pop().id}"


def _hide(sandbox: Sandbox) -> str:
    sandbox.world.hide_project(PATH)
    return f"run/{sandbox.world.project(PATH).all_runs[0].id}"


@pytest.mark.parametrize(
    ("happens", "gone"),
    [
        (_delete_run, True),
        (_delete_version, True),
        (_delete_collection, True),
        (_hide, False),
        (lambda sandbox: version_id(gid("Artifact", 999)), True),
        (lambda sandbox: version_id(next(iter(sandbox.world.artifacts))), False),
        (lambda sandbox: f"run/{sandbox.world.project(PATH).all_runs[0].id}", False),
        (lambda sandbox: f"collection/{sandbox.world.project(PATH).collections[0].id}", False),
        (lambda sandbox: "run/opaque", False),
        (lambda sandbox: "job/x", False),
        (lambda sandbox: f"project/{sandbox.world.project(PATH).id}", False),
    ],
)
def test_gone_is_what_the_platform_itself_has_no_more(
    sandbox: Sandbox, happens: Callable[[Sandbox], str], gone: bool
) -> None:
    native_id = happens(sandbox)
    with connected(sandbox) as reader:
        assert list(reader.gone([native_id])) == ([native_id] if gone else [])


def test_what_is_refused_is_not_gone(sandbox: Sandbox, words: Artifact) -> None:
    answering(sandbox, "Artifact", {"errors": [{"message": "permission denied"}], "data": None})
    with connected(sandbox) as reader:
        assert list(reader.gone([version_id(words.id)])) == []
        assert reader.refused == (version_id(words.id),)


def test_projects_are_chosen_by_name_or_by_path(sandbox: Sandbox) -> None:
    for name in ("churn", "tmp"):
        sandbox.world.log_run(f"acme/{name}", "a")
    told = read(sandbox, include=["acme/*"], exclude=["tmp"])
    assert named(told, "project/") == ["acme/churn", "acme/fraud"]
    with connected(sandbox, exclude=[PATH]) as reader:
        assert list(reader.left_out(records(told).values())) == [f"project/{sandbox.world.project(PATH).id}"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"pages": 1}, "known are"),
        ({"page_size": "x"}, "must be a int"),
        ({"page_size": 0}, "between 1 and 1000"),
        ({"max_references": 0}, "at least 1"),
    ],
)
def test_an_option_that_cannot_be_is_told(sandbox: Sandbox, options: dict[str, Any], said: str) -> None:
    with pytest.raises(Misconfigured, match=said):
        checked(sandbox, options=options)
