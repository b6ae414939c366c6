"""How a server is read, and what its edits become; the numbers are those of the guide's acceptance checks."""

import itertools
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from watersmeet.connectors.mlflow.sandbox import Sandbox
from watersmeet.federation.model import EdgeKind, Role, RunState

from .conftest import NOW, Connect, Reading

Read = Callable[..., Reading]
V2 = "/api/2.0/mlflow"
NEXT_DAY = NOW + timedelta(days=1, minutes=1)


def post(sandbox: Sandbox, path: str, **body: Any) -> Any:
    """One call to the miniature, as its client would make it."""
    return sandbox.call("POST", f"{V2}/{path}", body)


def make_run(sandbox: Sandbox, start: int = 1_700_000_000_000, *, experiment: str = "0", end: int | None = None) -> str:
    run_id: str = post(sandbox, "runs/create", experiment_id=experiment, start_time=start)["run"]["info"]["run_id"]
    if end is not None:
        post(sandbox, "runs/update", run_id=run_id, status="FINISHED", end_time=end)
    return run_id


def log_dataset(sandbox: Sandbox, run_id: str, uri: str, context: str | None = "training", **more: Any) -> None:
    dataset = {"name": "d", "digest": "aaaa1111", "source_type": "s3", "source": json.dumps({"uri": uri})} | more
    tags = [{"key": "mlflow.data.context", "value": context}] if context else []
    post(sandbox, "runs/log-inputs", run_id=run_id, datasets=[{"tags": tags, "dataset": dataset}])


def calls(sandbox: Sandbox) -> list[str]:
    """The paths that were asked since the last time."""
    asked = [one.path for one in sandbox.calls]
    sandbox.calls.clear()
    return asked


def test_the_champion_is_traced_to_its_training_data(read: Read) -> None:
    """MLflow, check 1: alias → version → logged model → source run → training dataset with its columns."""
    with Sandbox() as sandbox:
        told = read(sandbox.url)
    [version] = [edge.upstream for edge in told.edges if edge.alias == "champion"]
    [model] = told.upstream(version, EdgeKind.DERIVE)
    [run] = told.upstream(model, EdgeKind.WRITE)
    [data] = told.upstream(run, EdgeKind.READ, Role.TRAINING)
    [dataset] = [edge.downstream for edge in told.edges if edge.upstream == data and edge.kind is EdgeKind.VERSION_OF]
    assert dataset == "data/s3://lake/features/customer_features"
    assert f"{dataset}#total_spent" in told.upstream(dataset, EdgeKind.PART_OF)
    assert f"{dataset}#total_spent" in told.upstream(model, EdgeKind.DERIVE)


def test_the_evaluation_data_of_a_training_shares_no_flow_with_its_model(read: Read) -> None:
    with Sandbox() as sandbox:
        told = read(sandbox.url)
    judged = {edge.flow for edge in told.edges if edge.role is Role.EVALUATION}
    written = {edge.flow for edge in told.edges if edge.kind is EdgeKind.WRITE and "logged-model" in edge.downstream}
    assert judged
    assert written
    assert not judged & written


def test_an_unchanged_server_costs_few_calls(sandbox: Sandbox, read: Read) -> None:
    """MLflow, check 2, small: fewer than 25 calls for a second sync."""
    for number in range(50):
        log_dataset(sandbox, make_run(sandbox, 1_700_000_000_000 + number, end=1_700_000_001_000), "s3://lake/x")
    first = read(sandbox.url)
    calls(sandbox)
    second = read(sandbox.url, first.cursor, now=NOW + timedelta(minutes=15))
    assert len(calls(sandbox)) < 25
    assert second.complete
    assert {scope.key: scope for scope in second.scopes}.items() <= {scope.key: scope for scope in first.scopes}.items()


def test_runs_are_told_once_whatever_comes_and_goes_between_the_pages(sandbox: Sandbox, connect: Connect) -> None:
    """MLflow, check 3."""
    ids = [make_run(sandbox, 1000 + number) for number in range(6)] + [make_run(sandbox, 5555) for _ in range(5)]
    seen: list[str] = []
    for batch in connect(sandbox.url, options={"page_size": 2}).read(None):
        runs = [scope.key for scope in batch.scopes if scope.family == "run"]
        if runs and not seen:
            post(sandbox, "runs/delete", run_id=ids[0])
            sandbox.world.tracking.purge(ids[1])
            make_run(sandbox, 9999)
        seen += runs
    assert len(seen) == len(set(seen)) == 12
    assert {f"run/default/{one}" for one in ids} <= set(seen)


def test_a_moved_alias_is_seen_at_once(sandbox: Sandbox, client: Any, read: Read) -> None:
    """MLflow, check 4."""
    client.create_registered_model("churn")
    for _ in range(2):
        client.create_model_version("churn", "s3://acme/churn")
    client.set_registered_model_alias("churn", "champion", "1")
    first = read(sandbox.url)
    client.set_registered_model_alias("churn", "champion", "2")
    second = read(sandbox.url, first.cursor)
    assert [edge.upstream for edge in first.edges if edge.alias == "champion"] == ["model-version/default/churn/1"]
    assert [edge.upstream for edge in second.edges if edge.alias == "champion"] == ["model-version/default/churn/2"]


@pytest.mark.parametrize("after", [timedelta(hours=6, minutes=1), timedelta(days=1, minutes=1)])
def test_late_edits_of_a_run_are_seen_in_the_recheck(
    sandbox: Sandbox, client: Any, read: Read, after: timedelta
) -> None:
    """MLflow, check 4: no timestamp moves, so only reading again finds them."""
    run_id = make_run(sandbox, 1_700_000_000_000, end=1_700_000_001_000)
    make_run(sandbox, 1_700_000_000_000 + 5 * 86_400_000, end=1_700_500_000_000)
    first = read(sandbox.url)
    client.set_tag(run_id, "late", "yes")
    client.delete_run(run_id)
    soon = read(sandbox.url, first.cursor, now=NOW + timedelta(minutes=15))
    later = read(sandbox.url, soon.cursor, now=NOW + after)
    assert f"run/default/{run_id}" not in soon.named("run")
    assert {"key": "late", "value": "yes"} in later.records[f"run/default/{run_id}"].facets["tags"]
    assert [stone.native_id for stone in later.tombstones] == [f"run/default/{run_id}"]


def test_a_restored_run_says_something_new(sandbox: Sandbox, client: Any, read: Read) -> None:
    """MLflow, check 4: else the store would take the unchanged words for no news and leave it buried."""
    run_id = make_run(sandbox)
    client.delete_run(run_id)
    deleted = read(sandbox.url)
    client.restore_run(run_id)
    restored = read(sandbox.url)
    native_id = f"run/default/{run_id}"
    assert deleted.records[native_id] != restored.records[native_id]
    assert not restored.tombstones


def test_a_running_run_is_updated_when_it_ends(sandbox: Sandbox, read: Read) -> None:
    """MLflow, check 5: whatever end it claims, it was open the last time."""
    run_id = make_run(sandbox, 1_600_000_000_000)
    make_run(sandbox, 1_700_000_000_000, end=1_700_000_001_000)
    first = read(sandbox.url)
    post(sandbox, "runs/update", run_id=run_id, status="FINISHED", end_time=1_600_000_005_000)
    second = read(sandbox.url, first.cursor, now=NOW + timedelta(minutes=15))
    states = [told.records[f"run/default/{run_id}"].run for told in (first, second)]
    assert [one.state for one in states if one] == [RunState.RUNNING, RunState.SUCCEEDED]
    assert run_id in first.cursor["workspaces"]["default"]["open"]
    assert run_id not in second.cursor["workspaces"]["default"]["open"]


def test_a_run_that_has_been_running_for_a_month_is_marked(sandbox: Sandbox, read: Read) -> None:
    """MLflow, check 5: stale, not lost."""
    run_id = make_run(sandbox, 1_600_000_000_000)
    assert read(sandbox.url).records[f"run/default/{run_id}"].facets["mlflow"]["stale"] is True


def test_spark_paths_that_contradict_the_stored_source_lower_the_confidence(sandbox: Sandbox, read: Read) -> None:
    """MLflow, check 6: MLflow keeps the first source of equal name and digest."""
    first, second = make_run(sandbox, 1), make_run(sandbox, 2)
    log_dataset(sandbox, first, "s3://lake/one")
    log_dataset(sandbox, second, "s3://lake/two")
    post(sandbox, "runs/set-tag", run_id=second, key="sparkDatasourceInfo", value="path=s3://lake/two,format=delta")
    told = read(sandbox.url)
    confidence = {edge.downstream: edge.confidence for edge in told.edges if edge.kind is EdgeKind.READ}
    assert confidence == {f"run/default/{first}": 1.0, f"run/default/{second}": 0.5}


def test_equal_names_and_digests_of_two_experiments_stay_apart(sandbox: Sandbox, read: Read) -> None:
    """MLflow, check 6."""
    other = post(sandbox, "experiments/create", name="other")["experiment_id"]
    for experiment in ("0", other):
        log_dataset(sandbox, make_run(sandbox, experiment=experiment), "", source_type="code", source="{}")
    told = read(sandbox.url)
    assert {"dataset/default/0/d@aaaa1111", f"dataset/default/{other}/d@aaaa1111"} <= told.records.keys()


@pytest.mark.parametrize("source", ["not json {", "", "x" * 60_000, json.dumps({"path": "a", "split": "None"})])
@pytest.mark.parametrize("source_type", ["my_custom", "hugging_face", "s3"])
def test_no_dataset_breaks_a_sync(sandbox: Sandbox, read: Read, source_type: str, source: str) -> None:
    """MLflow, check 7: node, edge and warning; the sync stays complete."""
    run_id = make_run(sandbox)
    log_dataset(sandbox, run_id, "", None, source_type=source_type, source=source, schema="<<<", profile="nan")
    told = read(sandbox.url)
    [edge] = [edge for edge in told.edges if edge.kind is EdgeKind.READ]
    assert edge.role is None
    assert edge.upstream in told.records
    assert [one.lost for one in told.skipped] == [False] * len(told.skipped)
    assert told.skipped
    assert told.complete


def test_what_gc_removed_is_confirmed_by_404_and_nothing_else(sandbox: Sandbox, connect: Connect, read: Read) -> None:
    """MLflow, check 9."""
    run_id = make_run(sandbox)
    kept = make_run(sandbox)
    model = sandbox.call("POST", f"{V2}/logged-models", {"experiment_id": "0", "source_run_id": run_id})
    post(sandbox, "registered-models/create", name="churn")
    source = f"models:/{model['model']['info']['model_id']}"
    post(sandbox, "model-versions/create", name="churn", source=source, run_id=run_id)
    sandbox.world.tracking.purge(run_id)
    told = read(sandbox.url)
    gone = list(connect(sandbox.url).gone([f"run/default/{run_id}", f"run/default/{kept}", "data/s3://lake/x"]))
    assert gone == [f"run/default/{run_id}"]
    assert told.upstream(f"logged-model/default/{source[8:]}", EdgeKind.WRITE) == {f"run/default/{run_id}"}
    assert told.upstream("model-version/default/churn/1", EdgeKind.DERIVE) == {f"logged-model/default/{source[8:]}"}


def test_only_a_reading_from_first_to_last_says_what_is_all(sandbox: Sandbox, read: Read) -> None:
    make_run(sandbox)
    small = {
        "experiment",
        "model",
        "model-version",
        "prompt",
        "prompt-version",
        "evaluation-dataset",
        "gateway-endpoint",
    }
    first = read(sandbox.url)
    second = read(sandbox.url, first.cursor, now=NOW + timedelta(minutes=15))
    third = read(sandbox.url, second.cursor, now=NEXT_DAY)
    assert first.listed == third.listed == small | {"run", "logged-model"}
    assert second.listed == small | {"logged-model"}
    assert all(batch.unsure for batch in first.batches if batch.listed)


def test_a_killed_sync_goes_on_where_it_stood(sandbox: Sandbox, connect: Connect, read: Read) -> None:
    ids = [make_run(sandbox, 1000 + number) for number in range(9)]
    options = {"page_size": 2}
    killed = Reading.by(itertools.islice(connect(sandbox.url, options=options).read(None), 4))
    resumed = read(sandbox.url, killed.cursor, options=options)
    told = {*killed.named("run"), *resumed.named("run")}
    assert told == {f"run/default/{one}" for one in ids}
    assert len(resumed.named("run")) < len(ids)
    assert resumed.complete
    assert "run" not in resumed.listed


def test_a_start_in_the_far_future_moves_no_watermark(sandbox: Sandbox, read: Read) -> None:
    make_run(sandbox, 4_000_000_000_000, end=4_000_000_000_001)
    first = read(sandbox.url)
    later = make_run(sandbox, 1_795_000_000_000, end=1_795_000_001_000)
    assert f"run/default/{later}" in read(sandbox.url, first.cursor, now=NOW + timedelta(minutes=15)).named("run")


def test_runs_before_time_began_are_read_too(sandbox: Sandbox, read: Read) -> None:
    ids = [make_run(sandbox, start) for start in (-5000, -1, 0, 7)]
    told = read(sandbox.url, options={"page_size": 1})
    assert sorted(told.named("run")) == sorted(f"run/default/{one}" for one in ids)


def test_equal_names_in_two_workspaces_stay_apart(read: Read, connect: Connect) -> None:
    """MLflow, check 13: the header goes with every call, and another workspace's 404 proves nothing."""
    with Sandbox(empty=True, workspaces=("risk", "growth")) as sandbox:
        for name in ("risk", "growth"):
            sandbox.call("POST", f"{V2}/registered-models/create", {"name": "fraud"}, name)
            experiment = sandbox.call("POST", f"{V2}/experiments/create", {"name": "e"}, name)["experiment_id"]
            sandbox.call("POST", f"{V2}/runs/create", {"experiment_id": experiment}, name)
        told = read(sandbox.url)
        asked = {one.workspace for one in sandbox.calls if one.path.startswith("/api/2.0")}
        run = next(one for one in told.named("run") if one.startswith("run/risk/"))
        elsewhere = [run.replace("risk", "growth"), run.replace("risk", "nowhere")]
        gone = list(connect(sandbox.url).gone([run, *elsewhere]))
    assert {"model/risk/fraud", "model/growth/fraud"} <= told.records.keys()
    assert asked == {"default", "risk", "growth"}
    assert gone == [elsewhere[0]]


def test_a_workspace_that_is_not_seen_any_more_hides_and_does_not_delete(read: Read, connect: Connect) -> None:
    """MLflow, check 13."""
    with Sandbox(empty=True, workspaces=("risk",)) as sandbox:
        sandbox.call("POST", f"{V2}/registered-models/create", {"name": "fraud"}, "risk")
        first = read(sandbox.url)
        sandbox.hidden.add("risk")
        second = read(sandbox.url, first.cursor)
        assert "model/risk/fraud" not in second.records
        assert "workspace 'risk' is not among those that the server shows" in second.failures[0]
        assert not second.complete
        assert second.grants == ["access to workspace risk"]
        assert list(connect(sandbox.url).gone(["model/risk/fraud"])) == []


def test_a_configured_workspace_that_is_not_shown_is_named(read: Read) -> None:
    """MLflow, check 13: the others are read."""
    with Sandbox(empty=True, workspaces=("risk",)) as sandbox:
        sandbox.call("POST", f"{V2}/experiments/create", {"name": "e"}, "risk")
        told = read(sandbox.url, workspaces=["risk", "growth"])
    assert "workspace 'growth' is not among" in told.failures[0]
    assert told.grants == ["access to workspace growth"]
    assert "experiment" in told.listed
    assert not told.complete


def test_a_user_who_may_see_nothing_deletes_nothing(sandbox: Sandbox, read: Read, connect: Connect) -> None:
    """MLflow, check 12: a search answers 200 and `{}`."""
    make_run(sandbox)
    first = read(sandbox.url)
    sandbox.hidden.add("default")
    second = read(sandbox.url, first.cursor)
    health = connect(sandbox.url).check()
    assert not second.listed
    assert not second.complete
    assert "no experiment is visible" in second.failures[-1]
    assert second.grants == list(health.missing_grants) == ["READ on experiments"]
    assert list(connect(sandbox.url).gone(first.named("run"))) == []


def test_a_registry_that_shows_nothing_is_told(sandbox: Sandbox, read: Read, connect: Connect) -> None:
    """MLflow, check 12: there may be none, or none for us; what was seen before is asked for."""
    [empty] = read(sandbox.url).skipped
    assert (empty.what, empty.lost) == ("default: registered models", False)
    assert "the credential may read none" in empty.reason
    post(sandbox, "registered-models/create", name="churn")
    shown = read(sandbox.url)
    assert shown.skipped == []
    sandbox.fail("registered-models/search", kind="bent", bend=lambda answer: {}, times=100)
    hidden = read(sandbox.url, shown.cursor)
    assert "does not say that 'churn' is gone" in hidden.failures[0]
    assert hidden.grants == ["READ on registered models"]
    assert not hidden.complete
    assert read(sandbox.url, hidden.cursor).failures == hidden.failures
    sandbox.faults.clear()
    sandbox.call("DELETE", f"{V2}/registered-models/delete", {"name": "churn"})
    assert read(sandbox.url, hidden.cursor).failures == []


def test_prompts_and_their_versions_are_no_models(sandbox: Sandbox, client: Any, read: Read) -> None:
    """MLflow, check 14."""
    for template in ("Hello {{name}}", "Hi {{name}}"):
        client.register_prompt("greeting", template)
    client.set_prompt_alias("greeting", "production", 2)
    client.create_registered_model("churn")
    told = read(sandbox.url)
    assert told.named("model") == ["model/default/churn"]
    assert set(told.named("prompt-version")) == {f"prompt-version/default/greeting/{one}" for one in (1, 2)}
    [alias] = [edge for edge in told.edges if edge.alias == "production"]
    assert (alias.upstream, alias.downstream) == ("prompt-version/default/greeting/2", "prompt/default/greeting")


def test_models_that_an_evaluation_read_are_asked_for(sandbox: Sandbox, read: Read) -> None:
    """MLflow, check 14: a search leaves them out."""
    model = sandbox.call("POST", f"{V2}/logged-models", {"experiment_id": "0"})["model"]["info"]["model_id"]
    run_id = make_run(sandbox)
    log_dataset(sandbox, run_id, "s3://lake/holdout", "eval")
    post(sandbox, "runs/log-inputs", run_id=run_id, models=[{"model_id": model}])
    told = read(sandbox.url)
    [edge] = told.between(f"logged-model/default/{model}", f"run/default/{run_id}")
    assert (edge.kind, edge.role, edge.flow) == (EdgeKind.READ, Role.EVALUATION, 2)
    assert not read(sandbox.url, options={"model_inputs": "never"}).between(edge.upstream, edge.downstream)


def test_a_nested_run_of_a_deleted_parent_keeps_its_parent(sandbox: Sandbox, client: Any, read: Read) -> None:
    """MLflow, check 14."""
    parent, child = make_run(sandbox), make_run(sandbox)
    client.set_tag(child, "mlflow.parentRunId", parent)
    sandbox.world.tracking.purge(parent)
    assert read(sandbox.url).between(f"run/default/{child}", f"run/default/{parent}", EdgeKind.PART_OF)


def test_an_old_server_is_read_with_what_it_has(read: Read, connect: Connect) -> None:
    """MLflow, check 15: no logged models, no server-info; the models that a run logged stand in a tag."""
    with Sandbox(empty=True, version="1.30.1") as sandbox:
        run_id = make_run(sandbox)
        history = json.dumps([{"run_id": run_id, "artifact_path": "model", "flavors": {"sklearn": {}}}])
        post(sandbox, "runs/set-tag", run_id=run_id, key="mlflow.log-model.history", value=history)
        post(sandbox, "registered-models/create", name="churn")
        post(sandbox, "model-versions/create", name="churn", source=f"runs:/{run_id}/model", run_id=run_id)
        told = read(sandbox.url)
        health = connect(sandbox.url).check()
    legacy = f"logged-model/default/runs:/{run_id}/model"
    assert told.complete
    assert told.upstream(legacy, EdgeKind.WRITE) == {f"run/default/{run_id}"}
    assert told.upstream("model-version/default/churn/1", EdgeKind.DERIVE) == {legacy}
    assert health.version == "1.30.1"
    assert health.capabilities["logged_models"] is False


def test_parameters_and_metrics_are_capped_and_secrets_hidden(sandbox: Sandbox, client: Any, read: Read) -> None:
    """MLflow, check 15."""
    run_id = make_run(sandbox)
    for number in range(5):
        client.log_param(run_id, f"p{number}", number)
        client.log_metric(run_id, f"m{number}", number)
    client.log_param(run_id, "db_password", "hunter2")
    client.set_tag(run_id, "data", "https://u:hunter2@acme.io/x?sig=hunter2")
    facets = read(sandbox.url, options={"max_metrics": 3}).records[f"run/default/{run_id}"].facets
    assert len(facets["metrics"]) == 3
    assert facets["parameters"]["db_password"] == "***"
    assert "hunter2" not in repr(facets)


def test_only_the_selected_experiments_and_models_are_read(sandbox: Sandbox, read: Read) -> None:
    wanted = post(sandbox, "experiments/create", name="churn/train")["experiment_id"]
    for name in ("churn", "tmp"):
        post(sandbox, "registered-models/create", name=name)
    inside, outside = make_run(sandbox, experiment=wanted), make_run(sandbox)
    told = read(sandbox.url, include=["churn*"])
    assert told.named("run") == [f"run/default/{inside}"]
    assert f"run/default/{outside}" not in told.records
    assert told.named("model") == ["model/default/churn"]
