"""Runs of Weights & Biases: what they become, and pages that are empty, twice, cut or broken."""

import json
from typing import Any

import httpx2
import pytest

from watersmeet.federation.connector import Batch
from watersmeet.federation.model import AssetKind, EdgeKind, Form, Role, RunState

from .telling import Platform, page, projects, run
from .told import edges, records, runs, skipped, used


def test_a_run_becomes_what_it_was_with_what_it_used_and_logged():
    told = list(
        Platform(
            ProjectPage=page(
                [
                    run(
                        "a",
                        displayName="brisk-sun-1",
                        jobType="train",
                        tags=["best"],
                        user={"username": "ana"},
                        commit="a" * 40,
                        config=json.dumps(
                            {"lr": {"value": 0.1}, "_wandb": {"value": {}}, "api_key": {"value": "s3cret"}}
                        ),
                        summaryMetrics=json.dumps({"auc": 0.9, "loss": {"min": 1}, "_wandb": {"runtime": 1}}),
                        runInfo={"program": "train.py", "git": {"remote": "git@github.com:acme/fraud.git"}},
                        sweep={"id": "S1"},
                        inputArtifacts=used("A1", role="training"),
                        outputArtifacts=used("A2", type_="model"),
                    )
                ]
            )
        )
        .connector()
        .read(None)
    )
    one = records(told)["run/Ra"]
    assert (one.kind, one.name, one.subtype) == (AssetKind.RUN, "brisk-sun-1", "train")
    assert one.facets["metrics"] == {"auc": 0.9, "loss.min": 1}
    assert one.facets["parameters"]["lr"] == "0.1"
    assert "s3cret" not in str(one)
    assert one.facets["owners"] == [{"name": "ana"}]
    assert one.facets["tags"] == [{"key": "best"}]
    assert one.run is not None
    assert one.run.state is RunState.SUCCEEDED
    assert one.run.ended_at is not None
    assert one.run.ended_at.hour == 1
    assert "heartbeat" in one.facets["wandb"]["ended_at_is"]
    assert one.url == "https://forge.coreweave.com/wandb/acme/fraud/runs/a"
    git = f"git/git@github.com:acme/fraud.git@{'a' * 40}"
    assert [(one.upstream, one.role) for one in edges(told, EdgeKind.READ)] == [
        ("version/A1", Role.TRAINING),
        (git, Role.CODE),
    ]
    assert [one.downstream for one in edges(told, EdgeKind.WRITE)] == ["version/A2"]
    assert {one.downstream for one in edges(told, EdgeKind.PART_OF)} == {"project/Pfraud", "sweep/S1"}
    assert [one.downstream for one in edges(told, EdgeKind.RUN_OF)] == ["job/Pfraud/train|train.py"]


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ("pending", RunState.QUEUED),
        ("running", RunState.RUNNING),
        ("preempting", RunState.RUNNING),
        ("failed", RunState.FAILED),
        ("crashed", RunState.FAILED),
        ("killed", RunState.ABORTED),
        ("preempted", RunState.ABORTED),
        ("new word", RunState.UNKNOWN),
    ],
)
def test_the_word_for_a_state_is_kept_beside_ours(said: str, state: RunState):
    one = records(Platform(ProjectPage=page([run("a", state=said)])).connector().read(None))["run/Ra"]
    assert one.run is not None
    assert one.run.state is state
    assert one.facets["wandb"]["state"] == said
    is_open = state in (RunState.QUEUED, RunState.RUNNING)
    assert (one.run.ended_at is None) is is_open
    assert ("stale" in one.facets["wandb"]) is is_open


def test_what_a_run_was_judged_on_made_nothing_of_the_model_that_it_wrote():
    one = run("a", inputArtifacts=used("A1", role="eval"), outputArtifacts=used("A2", type_="model"))
    told = list(Platform(ProjectPage=page([one])).connector().read(None))
    assert edges(told, EdgeKind.READ)[0].role is Role.EVALUATION
    assert edges(told, EdgeKind.READ)[0].flow != edges(told, EdgeKind.WRITE)[0].flow


def test_artifacts_that_the_client_makes_by_itself_are_left_out_unless_asked_for():
    one = run("a", outputArtifacts=used("H", type_="wandb-history"))
    assert not edges(Platform(ProjectPage=page([one])).connector().read(None), EdgeKind.WRITE)
    asked = Platform(ProjectPage=page([one])).connector(options={"generated": True})
    assert edges(asked.read(None), EdgeKind.WRITE)


def test_a_run_that_another_tracker_knows_says_so_as_a_hint():
    config = json.dumps({"mlflow_run_id": {"value": "f" * 32}})
    told = Platform(ProjectPage=page([run("a", config=config, tags=["mlflow.run_id:0a"])])).connector().read(None)
    hints = [one for one in records(told)["run/Ra"].spellings if one.form is Form.MLFLOW]
    assert [(one.parts[3], one.weak) for one in hints] == [("f" * 32, True), ("0a", True)]


def test_a_run_joins_that_of_another_tracker_where_the_settings_say_who_reads_it():
    platform = Platform(ProjectPage=page([run("a", config=json.dumps({"mlflow.run_id": "0a"}))]))
    told = platform.connector(options={"mlflow": "tracking/default"}).read(None)
    (one,) = [one for one in records(told)["run/Ra"].spellings if one.form is Form.MLFLOW]
    assert (one.parts, one.weak) == (("tracking", "default", "run", "0a"), False)


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ({"config": "{not json"}, "cannot be read"),
        ({"config": "[1]"}, "no object"),
        ({"summaryMetrics": json.dumps({"x": 1, "blob": "y" * 5_000_000})}, "characters"),
    ],
)
def test_a_run_whose_config_is_broken_is_kept_and_so_are_its_neighbours(broken: dict[str, Any], reason: str):
    """Wandb, check 8: malformed JSON and a summary of 5 MB."""
    told = list(Platform(ProjectPage=page([run("a"), run("b", **broken), run("c")])).connector().read(None))
    assert runs(told) == ["run/Ra", "run/Rb", "run/Rc"]
    (one,) = skipped(told)
    assert reason in one.reason
    assert not one.lost
    if "config" in broken:
        assert records(told)["run/Rb"].facets["wandb"]["config_text"] == broken["config"]


def test_numbers_that_are_none_are_no_reason_to_drop_the_others():
    """Wandb, check 8: NaN."""
    told = list(Platform(ProjectPage=page([run("a", summaryMetrics='{"loss": NaN, "auc": 1}')])).connector().read(None))
    assert records(told)["run/Ra"].facets["metrics"] == {"auc": 1}
    assert not skipped(told)


def pages(*told: dict[str, Any]) -> Any:
    """One page after another, whatever is asked for."""
    rest = list(told)
    return lambda _: rest.pop(0) if len(rest) > 1 else rest[0]


def test_an_empty_page_is_not_the_end_while_there_are_more():
    """Wandb, check 3: the vendor's client ends there."""
    told = pages(page([run("a")], count=2, after="1"), page([], count=2, after="2"), page([run("b")], count=2))
    assert runs(Platform(ProjectPage=told).connector().read(None)) == ["run/Ra", "run/Rb"]


@pytest.mark.parametrize("after", ["1", ""])
def test_a_cursor_that_does_not_move_is_an_error(after: str):
    lost = page([run("b")], count=9, after="x")
    lost["project"]["runs"]["pageInfo"]["endCursor"] = after or None
    told = list(Platform(ProjectPage=pages(page([run("a")], count=9, after="1"), lost)).connector().read(None))
    assert "does not say where" in "".join(one for batch in told for one in batch.failures)
    assert "run:Pfraud" not in told[-1].listed


def test_a_run_that_slipped_between_pages_is_found_by_the_count():
    """Wandb, check 7: pages are offsets, so a run removed meanwhile hides another one."""
    first = [page([run("a"), run("b")], count=4, after="1"), page([run("d")], count=3)]
    again = [page([run("b"), run("c")], count=3, after="1"), page([run("d")], count=3)]
    platform = Platform(ProjectPage=pages(first[0], page([run("d")], count=4), *again))
    told = list(platform.connector().read(None))
    assert sorted(runs(told)) == ["run/Ra", "run/Rb", "run/Rc", "run/Rd"]
    scopes = [scope.key for batch in told for scope in batch.scopes if scope.family == "run:Pfraud"]
    assert len(scopes) == len(set(scopes)) == 4


def test_runs_that_are_counted_and_not_shown_are_told():
    platform = Platform(ProjectPage=page([run("a")], count=3))
    told = list(platform.connector().read(None))
    assert "1 of 3 runs are shown" in "".join(one for batch in told for one in batch.failures)
    assert platform.times("ProjectPage") == 3


def test_a_killed_read_goes_on_behind_the_page_that_was_stored():
    """Wandb, check 6."""

    def answer(variables: dict[str, Any]) -> dict[str, Any]:
        match variables["after"]:
            case None:
                return page([run("a")], count=3, after="1")
            case "1":
                return page([run("b")], count=3, after="2")
            case _:
                return page([run("c")], count=3)

    stored: list[Batch] = []
    for batch in Platform(ProjectPage=answer).connector().read(None):
        stored.append(batch)
        if runs([batch]) == ["run/Rb"]:
            break
    platform = Platform(ProjectPage=answer)
    rest = list(platform.connector().read(stored[-1].resume))
    assert runs(rest) == ["run/Rc"]
    assert sorted(runs([*stored, *rest])) == ["run/Ra", "run/Rb", "run/Rc"]
    assert platform.times("ProjectPage") == 1
    assert "run:Pfraud" not in rest[-1].listed


def test_a_second_read_asks_for_what_is_new_with_times_that_have_a_zone():
    """Wandb, check 12: an idle cycle costs a request for each project and three more, and times end in Z."""
    platform = Platform(Projects=projects("a", "b"), ProjectPage=page([run("x")]))
    connector = platform.connector()
    since = list(connector.read(None))[-1].resume
    since = list(connector.read(since))[-1].resume  # tries once whether edits can be asked for
    platform.asked.clear()
    told = list(connector.read(since))
    assert len(platform.asked) <= 2 + 3
    filters = json.loads(platform.asked[-1][1]["filters"])
    assert filters["$or"] == [
        {"heartbeatAt": {"$gt": "2026-08-01T00:50:00Z"}},
        {"createdAt": {"$gt": "2026-08-01T00:50:00Z"}},
        {"state": "running"},
        {"updatedAt": {"$gt": "2026-08-01T00:50:00Z"}},
    ]
    assert told[-1].listed == ("project",)


def test_a_server_that_cannot_be_asked_for_edits_is_not():
    refusal = httpx2.Response(400, json={"errors": [{"message": "invalid filter key: updatedAt"}]})
    platform = Platform(ProjectPage=page([run("x")]), UpdatedFilter=refusal)
    connector = platform.connector()
    since = list(connector.read(None))[-1].resume
    list(connector.read(since))
    assert "updatedAt" not in platform.asked[-1][1]["filters"]


def test_a_run_with_more_inputs_than_a_page_is_read_to_the_last():
    """Wandb, check 11."""
    rest = {"project": {"id": "P", "run": {"id": "Ra", "inputArtifacts": used("A2", "A3")}}}
    one = run("a", inputArtifacts=used("A1", more=True))
    told = Platform(ProjectPage=page([one]), RunInputs=rest).connector().read(None)
    assert [one.upstream for one in edges(told, EdgeKind.READ)] == ["version/A1", "version/A2", "version/A3"]
