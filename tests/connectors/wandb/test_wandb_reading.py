"""Runs of Weights & Biases: what they become, and pages that are empty, twice, cut or broken."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from watersmeet.connectors.wandb.sandbox import Sandbox
from watersmeet.connectors.wandb.sandbox_runs import Run
from watersmeet.connectors.wandb.sandbox_world import World, entry
from watersmeet.federation.model import AssetKind, EdgeKind, Form, Record, Role, RunState

from .miniature import ALWAYS, RUNS, asked, edges, failures, named, read, records, skipped

PATH = "acme/fraud"


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    with Sandbox(empty=True) as running:
        yield running


@pytest.fixture
def sandbox(running: Sandbox) -> Iterator[Sandbox]:
    """One project without runs; nothing that is asked of it may be wrong."""
    running.faults.clear()
    running.calls.clear()
    running.world.entities["acme"].all_projects.clear()
    running.world.project(PATH)
    yield running
    assert [one.complaints for one in running.calls if one.complaints] == []


@pytest.fixture
def world(sandbox: Sandbox) -> World:
    return sandbox.world


def told_of(sandbox: Sandbox, run: Run, **more: Any) -> Record:
    """What a read makes of a run."""
    return records(read(sandbox, **more))[f"run/{run.id}"]


class TestWhatARunBecomes:
    """A record with facets, and edges to all that it had to do with."""

    @pytest.fixture
    def run(self, world: World) -> Run:
        world.told_time = None
        config = {"lr": 0.1, "api_key": "s3cret"}
        summary = {"auc": 0.9, "loss": {"min": 1}, "_wandb": {"runtime": 1}}
        made = world.log_run(PATH, "a", config=config, summary=summary, display_name="brisk-sun-1", job_type="train")
        made.tags, made.commit = ["best"], "a" * 40
        made.created_at, made.heartbeat_at = "2026-08-01T00:00:00Z", "2026-08-01T01:00:00"  # without a zone, as of old
        made.run_info = {"program": "train.py", "git": {"remote": "git@github.com:acme/fraud.git"}}
        made.sweep = world.start_sweep(PATH, "s1", "method: grid\n")
        return made

    def test_its_facets(self, sandbox: Sandbox, run: Run) -> None:
        one = told_of(sandbox, run)
        assert (one.kind, one.name, one.subtype) == (AssetKind.RUN, "brisk-sun-1", "train")
        assert one.facets["metrics"] == {"auc": 0.9, "loss.min": 1}
        assert one.facets["parameters"]["lr"] == "0.1"
        assert "s3cret" not in str(one)
        assert one.facets["owners"] == [{"name": "ada"}]
        assert one.facets["tags"] == [{"key": "best"}]
        assert one.run is not None
        assert one.run.state is RunState.SUCCEEDED
        assert one.run.ended_at is not None
        assert one.run.ended_at.hour == 1
        assert "heartbeat" in one.facets["wandb"]["ended_at_is"]
        assert one.url == f"{sandbox.url}/acme/fraud/runs/a"

    def test_its_edges(self, sandbox: Sandbox, world: World, run: Run) -> None:
        words = world.log_artifact(world.log_run(PATH, "maker"), "words", "dataset", {"a": entry(b"a")})
        world.use(run, words, "training")
        model = world.log_artifact(run, "model", "model", {"m": entry(b"m")})
        told = read(sandbox)
        mine = f"run/{run.id}"
        project, git = f"project/{world.project(PATH).id}", f"git/git@github.com:acme/fraud.git@{'a' * 40}"
        assert [(one.upstream, one.role) for one in edges(told, EdgeKind.READ) if one.downstream == mine] == [
            (f"version/{words.id}", Role.TRAINING),
            (git, Role.CODE),
        ]
        written = [one.downstream for one in edges(told, EdgeKind.WRITE) if one.upstream == mine]
        assert written == [f"version/{model.id}"]
        assert run.sweep is not None
        wholes = {one.downstream for one in edges(told, EdgeKind.PART_OF) if one.upstream == mine}
        assert wholes == {project, f"sweep/{run.sweep.id}"}
        jobs = [one.downstream for one in edges(told, EdgeKind.RUN_OF) if one.upstream == mine]
        assert jobs == [f"job/{world.project(PATH).id}/train|train.py"]


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
def test_the_word_for_a_state_is_kept_beside_ours(sandbox: Sandbox, said: str, state: RunState) -> None:
    one = told_of(sandbox, sandbox.world.log_run(PATH, "a", state=said, heartbeat_at="2026-08-01T01:00:00Z"))
    assert one.run is not None
    assert one.run.state is state
    assert one.facets["wandb"]["state"] == said
    is_open = state in (RunState.QUEUED, RunState.RUNNING)
    assert (one.run.ended_at is None) is is_open
    assert ("stale" in one.facets["wandb"]) is is_open


def test_what_a_run_was_judged_on_made_nothing_of_the_model_that_it_wrote(sandbox: Sandbox, world: World) -> None:
    words = world.log_artifact(world.log_run(PATH, "maker"), "words", "dataset", {"a": entry(b"a")})
    run = world.log_run(PATH, "a")
    world.use(run, words, "eval")
    model = world.log_artifact(run, "model", "model", {"m": entry(b"m")})
    told = read(sandbox)
    (judged,) = edges(told, EdgeKind.READ)
    (made,) = [one for one in edges(told, EdgeKind.WRITE) if one.downstream == f"version/{model.id}"]
    assert judged.role is Role.EVALUATION
    assert judged.flow != made.flow


def test_artifacts_that_the_client_makes_by_itself_are_left_out_unless_asked_for(sandbox: Sandbox) -> None:
    run = sandbox.world.log_run(PATH, "a")
    sandbox.world.log_artifact(run, "run-a-history", "wandb-history", {"h": entry(b"h")})
    told = read(sandbox)
    assert not edges(told, EdgeKind.WRITE)
    assert not [one for one in records(told) if one.startswith(("collection/", "version/"))]
    assert edges(read(sandbox, options={"generated": True}), EdgeKind.WRITE)


class TestRunsThatAnotherTrackerKnows:
    """Ids in configs and tags."""

    def spelt(self, one: Record) -> list[tuple[Any, bool]]:
        return [(spelling.parts, spelling.weak) for spelling in one.spellings if spelling.form is Form.MLFLOW]

    def test_each_is_a_hint(self, sandbox: Sandbox) -> None:
        config = {"mlflow_run_id": "f" * 32}
        run = sandbox.world.log_run(PATH, "a", config=config, tags=["mlflow.run_id:0a"])
        told = self.spelt(told_of(sandbox, run))
        assert [(parts[3], is_weak) for parts, is_weak in told] == [("f" * 32, True), ("0a", True)]

    def test_it_joins_where_the_settings_say_who_reads_the_other(self, sandbox: Sandbox) -> None:
        run = sandbox.world.log_run(PATH, "a", config={"mlflow.run_id": "0a"})
        told = self.spelt(told_of(sandbox, run, options={"mlflow": "tracking/default"}))
        assert told == [(("tracking", "default", "run", "0a"), False)]


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ({"config_text": "{not json"}, "cannot be read"),
        ({"config_text": "[1]"}, "no object"),
        ({"summary_text": json.dumps({"x": 1, "blob": "y" * 5_000_000})}, "characters"),
    ],
)
def test_a_run_whose_config_is_broken_is_kept_and_so_are_its_neighbours(
    sandbox: Sandbox, broken: dict[str, Any], reason: str
) -> None:
    """Wandb, check 8: malformed JSON and a summary of 5 MB."""
    made = [sandbox.world.log_run(PATH, name) for name in "abc"]
    sandbox.world.change(made[1], **broken)
    told = read(sandbox)
    assert named(told, "run/") == ["acme/fraud/a", "acme/fraud/b", "acme/fraud/c"]
    (one,) = skipped(told)
    assert reason in one.reason
    assert not one.lost
    if "config_text" in broken:
        assert records(told)[f"run/{made[1].id}"].facets["wandb"]["config_text"] == broken["config_text"]


def test_numbers_that_are_none_are_no_reason_to_drop_the_others(sandbox: Sandbox) -> None:
    """Wandb, check 8: NaN."""
    run = sandbox.world.log_run(PATH, "a")
    sandbox.world.change(run, summary_text='{"loss": NaN, "auc": 1, "by": {"best": "-Infinity"}, "word": "nan"}')
    told = read(sandbox)
    facets = records(told)[f"run/{run.id}"].facets
    assert facets["metrics"] == {"auc": 1}
    assert facets["wandb"]["not_numbers"] == {"loss": "NaN", "by.best": "-Infinity"}, "the client writes it in quotes"
    (one,) = skipped(told)
    assert "numbers that are none" in one.reason
    assert not one.lost


@pytest.mark.parametrize("after", ["YXJyYXljb25uZWN0aW9uOjA=", None])
def test_a_cursor_that_does_not_move_is_an_error(sandbox: Sandbox, after: str | None) -> None:
    for name in "abc":
        sandbox.world.log_run(PATH, name)

    def bend(answer: Any) -> Any:
        answer["data"]["project"]["runs"]["pageInfo"] |= {"hasNextPage": True, "endCursor": after}
        return answer

    sandbox.fail(RUNS, kind="bent", bend=bend, skip=1, times=ALWAYS)
    told = read(sandbox, options={"page_size": 1})
    assert "does not say where" in failures(told)
    assert f"run:{sandbox.world.project(PATH).id}" not in told[-1].listed


def test_a_second_read_asks_for_what_is_new_with_times_that_have_a_zone(sandbox: Sandbox, world: World) -> None:
    """Wandb, check 12: an idle cycle costs a request for each project and three more, and times end in Z."""
    for path in (PATH, "acme/other"):
        run = world.log_run(path, "x")
        run.created_at = run.heartbeat_at = run.updated_at = "2026-08-01T01:00:00Z"
    since = read(sandbox)[-1].resume
    since = read(sandbox, since)[-1].resume  # tries once whether edits can be asked for
    sandbox.calls.clear()
    told = read(sandbox, since)
    assert len(sandbox.calls) <= 2 + 3
    newer = {"$gt": "2026-08-01T00:50:00Z"}
    assert {one.variables["filters"] for one in sandbox.calls if one.operation == RUNS} == {
        json.dumps(
            {"$or": [{"heartbeatAt": newer}, {"createdAt": newer}, {"state": "running"}, {"updatedAt": newer}]},
            separators=(",", ":"),
        )
    }
    assert told[-1].listed == ("project",)
    assert asked(sandbox, "UpdatedFilter") == 0
