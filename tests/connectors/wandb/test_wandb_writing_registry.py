"""Models that another platform registered: versions of a collection, and entries of the organization's registry."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from watersmeet.connectors.wandb.sandbox import Sandbox
from watersmeet.federation.dossier import Dossier, Verdict
from watersmeet.federation.model import AssetKind, Edge, EdgeKind, Record

from .targets import dossier, runs, standing, verdict, versions, written

MODEL = Record("m/churn", AssetKind.MODEL, "churn", description="who leaves", facets={"tags": [{"key": "pii free"}]})
FIRST, SECOND = (Record(f"m/churn/{at}", AssetKind.MODEL_VERSION, f"churn/{at}") for at in (1, 2))
AT = datetime(2026, 1, 2, tzinfo=UTC)
ENTRY = "wandb-registry-model"


@pytest.fixture
def target() -> Iterator[Sandbox]:
    with Sandbox(empty=True) as running:
        yield running


def of(version: Record, model: Record = MODEL) -> Edge:
    return Edge(version.native_id, model.native_id, EdgeKind.VERSION_OF)


def named(version: Record, alias: str, model: Record = MODEL) -> Edge:
    return Edge(version.native_id, model.native_id, EdgeKind.ALIAS_OF, alias=alias)


def registered(*among: Record) -> list[Dossier]:
    """A model with two versions, the second one its champion."""
    first = dossier(FIRST, of(FIRST), among=(MODEL, *among))
    second = dossier(SECOND, of(SECOND), named(SECOND, "champion"), among=(MODEL, *among))
    return [dossier(MODEL), first, second]


def entry(target: Sandbox, name: str = "churn") -> list[tuple[str, list[str]]]:
    """What an entry of the registry holds: versions by their collection, each with its names."""
    found = target.world.project(f"acme-org/{ENTRY}").artifact_collection(name)
    assert found is not None
    return [(one.artifact.artifact_sequence.name, sorted(one.names)) for one in found.members]


def test_a_registered_model_is_an_entry_of_the_registry_with_its_versions_and_names(target: Sandbox) -> None:
    outcomes = written(target, registered())
    assert versions(target) == {"watersmeet/churn": 2, f"{ENTRY}/churn": 2}
    assert entry(target) == [("churn", []), ("churn", ["champion", "latest"])]
    there = target.world.project(f"acme-org/{ENTRY}").collections[0]
    assert (there.description, there.words) == ("who leaves", ["pii free"])
    assert verdict(outcomes, of(FIRST), FIRST)[0] is Verdict.MIGRATED
    assert verdict(outcomes, named(SECOND, "champion"), SECOND)[0] is Verdict.MIGRATED
    (place,) = {one.target for one in outcomes if one.fact.startswith("edges/VERSION_OF")}
    assert place == f"acme-org/{ENTRY}/churn"


def test_the_same_again_links_nothing_twice(target: Sandbox) -> None:
    outcomes = written(target, registered())
    former = standing(target)
    assert written(target, registered()) == outcomes
    assert standing(target) == former


def test_another_registry_can_be_named_or_none(target: Sandbox) -> None:
    written(target, registered(), options={"write_registry": ""})
    assert versions(target) == {"watersmeet/churn": 2}
    written(target, registered(), options={"write_registry": "scoring"})
    assert versions(target)["wandb-registry-scoring/churn"] == 2


def test_without_an_organization_it_stands_in_its_collection_alone_and_that_is_said(target: Sandbox) -> None:
    target.world.organization.org_entity = None
    outcomes = written(target, registered())
    verdicts = verdict(outcomes, of(FIRST), FIRST)
    assert verdicts[0] is Verdict.TRANSFORMED
    assert "no organization" in verdicts[1]
    champion = verdict(outcomes, named(SECOND, "champion"), SECOND)
    assert champion == (Verdict.MIGRATED, "")
    assert versions(target) == {"watersmeet/churn": 2}


def test_an_entry_of_somebody_else_is_left_alone(target: Sandbox) -> None:
    by = target.world.log_run("acme/theirs", "r0")
    target.world.link(target.world.log_artifact(by, "other", "model", {"a": {"digest": "x"}}), "model", "churn", "best")
    outcomes = written(target, registered())
    assert entry(target) == [("other", ["best", "latest"])]
    (ours,) = [one for one in versions(target) if one.startswith(f"{ENTRY}/churn-")]
    assert [names for _, names in entry(target, ours.partition("/")[2])] == [[], ["champion", "latest"]]
    assert verdict(outcomes, of(FIRST), FIRST) == (Verdict.TRANSFORMED, "is called otherwise in the registry")
    assert {one.target for one in outcomes if one.fact.startswith("edges/VERSION_OF")} == {f"acme-org/{ours}"}
    assert written(target, registered()) == outcomes


def test_two_models_that_would_be_called_alike_have_an_entry_each(target: Sandbox) -> None:
    spaced, dashed = (
        Record(f"m/{at}", AssetKind.MODEL, name) for at, name in enumerate(("churn model", "churn-model"))
    )
    one, two = (Record(f"m/{at}/1", AssetKind.MODEL_VERSION, f"churn{at}/1") for at in range(2))
    told = [dossier(one, of(one, spaced), among=(spaced,)), dossier(two, of(two, dashed), among=(dashed,))]
    outcomes = written(target, told)
    assert sorted(count for name, count in versions(target).items() if name.startswith(ENTRY)) == [1, 1]
    assert written(target, told) == outcomes


def test_a_version_of_two_models_is_an_entry_of_both(target: Sandbox) -> None:
    group = Record("g/scoring", AssetKind.MODEL, "scoring")
    told = [dossier(FIRST, of(FIRST), of(FIRST, group), among=(MODEL, group))]
    outcomes = written(target, told)
    assert [verdict(outcomes, of(FIRST, each), FIRST)[0] for each in (MODEL, group)] == [Verdict.MIGRATED] * 2
    assert [entry(target, name) for name in ("churn", "scoring")] == [[("churn", ["latest"])]] * 2
    assert written(target, told) == outcomes


def test_a_registry_that_may_not_be_written_keeps_back_its_entries_alone(target: Sandbox) -> None:
    registry = target.world.project(f"acme-org/{ENTRY}")
    registry.read_only = True
    outcomes = written(target, registered())
    failed = [one for one in outcomes if one.verdict is Verdict.FAILED]
    assert {one.fact.partition("/")[0] for one in failed} == {"edges"}
    assert versions(target) == {"watersmeet/churn": 2}
    registry.read_only = False
    assert [one for one in written(target, registered()) if one.verdict is Verdict.FAILED] == []
    assert entry(target) == [("churn", []), ("churn", ["champion", "latest"])]


class Fenced(Sandbox):
    """A miniature where whatever is asked of the organization is denied."""

    how: Response

    async def answer(self, request: Request) -> Response:
        told = (await request.body()).decode("utf-8", "replace")
        return self.how if '"acme-org"' in told else await super().answer(request)


GATE = Response("not for you", 403)
REFUSAL = JSONResponse({"data": None, "errors": [{"message": "permission denied", "path": ["project"]}]})


@pytest.mark.parametrize("how", [GATE, REFUSAL, None], ids=["behind a gate", "hidden", "shown"])
def test_a_closed_registry_keeps_back_no_more_than_its_entries_of_however_many_models(how: Response | None) -> None:
    """More models than refusals in a row would end a migration; each says what is missing, and how to go without."""
    models = [Record(f"m/{at}", AssetKind.MODEL, f"model {at}") for at in range(60)]
    pairs = [(Record(f"m/{at}/1", AssetKind.MODEL_VERSION, f"model {at}/1"), one) for at, one in enumerate(models)]
    told = [dossier(one, of(one, model), named(one, "best", model), among=(model,)) for one, model in pairs]
    with (Sandbox if how is None else Fenced)(empty=True) as target:
        if isinstance(target, Fenced):
            assert how is not None
            target.how = how
        target.world.project(f"acme-org/{ENTRY}").read_only = True
        outcomes = written(target, told)
        assert len(versions(target)) == len(models)
        target.world.project(f"acme-org/{ENTRY}").read_only = False
        without = written(target, told, options={"write_registry": ""})
    failed = [one for one in outcomes if one.verdict is Verdict.FAILED]
    assert {one.fact.partition("/")[0] for one in failed} == {"edges"}
    assert len(failed) == 2 * len(models)
    assert all("options.write_registry" in one.reason for one in failed), failed[0]
    assert [one for one in without if one.verdict is Verdict.FAILED] == []


def test_what_others_have_in_the_entity_costs_no_question(target: Sandbox) -> None:
    """But for one in a hundred projects, and one for each name that a collection is to have."""

    def cost(sandbox: Sandbox) -> int:
        before = len(sandbox.calls)
        written(sandbox, registered())
        return len(sandbox.calls) - before

    bare = cost(target)
    with Sandbox(empty=True) as crowded:
        for at in range(60):
            by = crowded.world.log_run(f"acme/theirs-{at}", "r0")
            for each in range(3):
                crowded.world.log_artifact(by, f"things-{each}", "dataset", {"a": {"digest": "x"}})
        assert cost(crowded) == bare
        again = cost(crowded)
    assert again == cost(target)


def test_the_same_again_costs_no_request_for_what_has_one_version() -> None:
    def again(things: int) -> int:
        tables = [Record(f"t/{at}@1", AssetKind.DATASET_VERSION, f"table {at}") for at in range(things)]
        with Sandbox(empty=True) as sandbox:
            written(sandbox, [dossier(one) for one in tables])
            before = len(sandbox.calls)
            written(sandbox, [dossier(one) for one in tables])
            return len(sandbox.calls) - before

    assert again(12) == again(3)


def test_a_run_that_somebody_deleted_doubles_no_version(target: Sandbox) -> None:
    written(target, registered())
    project = target.world.project("acme/watersmeet")
    assert runs(target) == [f"watersmeet/{one.name}" for one in project.all_runs]
    project.all_runs.clear()
    written(target, registered())
    assert versions(target) == {"watersmeet/churn": 2, f"{ENTRY}/churn": 2}


def test_a_first_version_that_somebody_deleted_leaves_the_collection_ours(target: Sandbox) -> None:
    """Also where somebody logged one of their own between the first and the last."""
    target.world.told_time = AT
    written(target, registered()[:2])
    target.world.told_time = AT + timedelta(hours=1)
    theirs = target.world.log_run("acme/watersmeet", "theirs")
    target.world.log_artifact(theirs, "churn", "model", {"a": {"digest": "x"}})
    target.world.told_time = AT + timedelta(hours=2)
    written(target, registered())
    collection = target.world.project("acme/watersmeet").collections[0]
    target.world.delete_artifact(collection.members[0].artifact)
    written(target, registered()[:1] + registered()[2:])
    assert [name for name in versions(target) if name.startswith("watersmeet/")] == ["watersmeet/churn"]
    assert [one.artifact.state for one in collection.members] == ["DELETED", "COMMITTED", "COMMITTED"]
