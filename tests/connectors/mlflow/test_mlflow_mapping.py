"""What real answers of MLflow 3.17.2 become (the recordings that developers have beside their checkout)."""

import json
from pathlib import Path
from typing import Any

import pytest

from watersmeet.connectors.mlflow import evaluations, gateway, models, prompts, runs
from watersmeet.connectors.mlflow.options import Options
from watersmeet.connectors.mlflow.place import Place
from watersmeet.federation.model import AssetKind, EdgeKind, Evidence, Role, RunState, Scope

FEATURES = "data/table/5c1d9a3e-1111-2222-3333-444455556666"
HOLDOUT = "data/s3://acme-lake/holdout/eval.parquet"
PLACE = Place("tracking", "default")


@pytest.fixture(scope="module")
def recorded(shared: Path) -> Any:
    """Gives the answer of one recorded call."""

    def answer(name: str) -> Any:
        return json.loads((shared / "data" / "mlflow" / f"{name}.json").read_bytes())["response"]

    return answer


def told(recorded: Any, name: str) -> runs.Told:
    return runs.run(recorded(f"run_get_{name}")["run"], PLACE)


def own(answer: runs.Told) -> Scope:
    """The scope of the run itself."""
    return answer.scopes[-1]


def ends(scope: Scope, kind: EdgeKind) -> set[tuple[str, Role | None, int]]:
    """The other end of the run's edges of a kind, with role and flow."""
    return {
        (edge.upstream if kind is EdgeKind.READ else edge.downstream, edge.role, edge.flow)
        for edge in scope.edges
        if edge.kind is kind
    }


def test_a_training_run_reads_training_and_evaluation_data_in_different_flows(recorded: Any) -> None:
    scope = own(told(recorded, "child1"))
    data = {one for one in ends(scope, EdgeKind.READ) if one[0].startswith("data/")}
    assert data == {(f"{FEATURES}@12", Role.TRAINING, 0), (f"{HOLDOUT}@88bc1db1", Role.EVALUATION, 2)}
    assert ends(scope, EdgeKind.WRITE) == {("logged-model/default/m-285ca5edf77c4716a230459039016abe", None, 0)}


def test_code_takes_part_in_every_flow_of_a_run(recorded: Any) -> None:
    revision = "git/https://github.com/acme/fraud-ml.git@7e39cd2641200a7baf7df3448a57aa296ad99756"
    code = {one for one in ends(own(told(recorded, "child1")), EdgeKind.READ) if one[1] is Role.CODE}
    assert code == {(revision, Role.CODE, 0), (revision, Role.CODE, 2)}


def test_a_nested_run_is_part_of_its_parent_and_of_its_experiment(recorded: Any) -> None:
    assert ends(own(told(recorded, "child1")), EdgeKind.PART_OF) == {
        ("experiment/default/2", None, 0),
        ("run/default/ffef1f4c5584458aac5ceff917ea0474", None, 0),
    }


def test_a_dataset_with_the_context_output_was_written(recorded: Any) -> None:
    scope = own(told(recorded, "etl_run"))
    raw = "data/s3://acme-lake/raw/transactions/2025-01/part-0.parquet@9ac18502"
    assert (raw, None, 0) in ends(scope, EdgeKind.READ)
    assert ends(scope, EdgeKind.WRITE) == {(f"{FEATURES}@12", None, 0)}


def test_the_orchestrators_task_is_the_job_before_the_script(recorded: Any) -> None:
    jobs = {edge.downstream for edge in own(told(recorded, "etl_run")).edges if edge.kind is EdgeKind.RUN_OF}
    assert jobs == {"job/default/airflow:fraud_daily.build_features"}


def test_a_dataset_brings_its_columns_and_the_uuid_of_its_table(recorded: Any) -> None:
    scope = next(one for one in told(recorded, "parent").scopes if one.key.endswith(FEATURES))
    [table] = [one for one in scope.records if one.kind is AssetKind.DATASET]
    columns = [one.native_id for one in scope.records if one.kind is AssetKind.COLUMN]
    assert table.spellings[0].parts == ("5c1d9a3e-1111-2222-3333-444455556666",)
    assert columns == [f"{FEATURES}#{name}" for name in ("amount", "amount_log", "device_age_days", "is_fraud")]


def test_a_failed_run_keeps_what_it_read(recorded: Any) -> None:
    scope = own(told(recorded, "failed"))
    assert (f"{FEATURES}@12", Role.TRAINING, 0) in ends(scope, EdgeKind.READ)
    assert scope.records[-1].run is not None
    assert scope.records[-1].run.state is RunState.FAILED


def test_a_deleted_run_is_described_and_buried_without_a_time(recorded: Any) -> None:
    answer = told(recorded, "deleted")
    assert [(stone.native_id, stone.at) for stone in answer.tombstones] == [
        ("run/default/b659a3a2f4df415983c1ab8c38e35cee", None)
    ]
    assert own(answer).records[-1].described


def test_an_evaluation_run_reads_its_model_and_writes_an_evaluation(recorded: Any) -> None:
    scope = own(told(recorded, "eval_run"))
    model = "logged-model/default/m-285ca5edf77c4716a230459039016abe"
    evaluation = (
        "evaluation/default/d6944287dd6349debd1534551a32f8a0/m-285ca5edf77c4716a230459039016abe/holdout@88bc1db1"
    )
    assert (model, Role.EVALUATION, 2) in ends(scope, EdgeKind.READ)
    assert ends(scope, EdgeKind.WRITE) == {(evaluation, None, 2)}
    checked = {edge.upstream for edge in scope.edges if edge.kind is EdgeKind.CHECK}
    assert checked == {model, f"{HOLDOUT}@88bc1db1"}


def test_a_genai_evaluation_is_joined_by_the_id_of_its_dataset(recorded: Any) -> None:
    scope = own(told(recorded, "genai_eval_run"))
    dataset = "evaluation-dataset/default/d-c41d459f06b14135ab77d2e06f5794e5"
    assert (dataset, Role.EVALUATION, 2) in ends(scope, EdgeKind.READ)
    assert ("prompt-version/default/support-answer/2", Role.PROMPT, 2) in ends(scope, EdgeKind.READ)
    [listed] = recorded("eval_datasets_search")["datasets"]
    assert evaluations.evaluation_dataset(listed, PLACE).key == dataset


def test_every_source_of_the_mixed_run_becomes_an_edge(recorded: Any) -> None:
    """MLflow, check 8."""
    answer = told(recorded, "misc")
    read = {one[0] for one in ends(own(answer), EdgeKind.READ) if one[1] is not Role.CODE}
    assert read == {
        "data/https://data.acme.io/bench/fraud.csv@77f83ed0",
        "data/hf://datasets/acme/fraud-bench@a1b2c3d",
        "data/local/ana/data/fraud/local.csv@50e0cd00",
        "dataset/default/2/dataset@8a12884d",
        "dataset/default/2/joined@ae24ed9f",
        "data/table/hive_metastore.default.legacy@2af8a74d",
        "data/gs://acme-gcs/np/eval.npy@60f069be",
    }
    assert "SECRET" not in repr(answer)


def test_a_query_is_derived_from_the_tables_that_it_reads(recorded: Any) -> None:
    edges = [edge for scope in told(recorded, "misc").scopes for edge in scope.edges if edge.transformation == "sql"]
    assert {(edge.upstream, edge.evidence, edge.confidence) for edge in edges} == {
        ("data/table/main.fraud.features", Evidence.PARSED, 0.7),
        ("data/table/main.ref.country", Evidence.PARSED, 0.7),
    }


def test_malformed_datasets_become_nodes_and_edges_with_a_warning(recorded: Any) -> None:
    """MLflow, check 7."""
    answer = told(recorded, "malformed_dataset")
    read = {one[0] for one in ends(own(answer), EdgeKind.READ)}
    assert read == {"dataset/default/5/weird@x1", "dataset/default/5/weird2@x2"}
    described = {one.native_id: one for scope in answer.scopes for one in scope.records}
    assert all("parse_warning" in described[one].facets for one in read)
    assert answer.skipped
    assert not any(one.lost for one in answer.skipped)


def test_a_logged_model_is_written_by_its_run_and_judged_by_others(recorded: Any) -> None:
    raw = recorded("logged_model_get")["model"]
    judge = recorded("run_get_eval_run")["run"]
    scope = models.logged_model(raw, PLACE, {"d6944287dd6349debd1534551a32f8a0": judge})
    assert ("run/default/3f170f41c4c944bda54cd454a1943054", scope.key) in {
        (edge.upstream, edge.downstream) for edge in scope.edges if edge.kind is EdgeKind.WRITE
    }
    [judged] = [edge for edge in scope.edges if edge.kind is EdgeKind.READ]
    assert (judged.downstream, judged.role, judged.flow) == (
        "run/default/d6944287dd6349debd1534551a32f8a0",
        Role.EVALUATION,
        2,
    )
    values = {one.native_id: one.facets["metrics"] for one in scope.records if one.kind is AssetKind.EVALUATION}
    assert {tuple(metrics) for metrics in values.values()} == {("accuracy",), ("train_accuracy",), ("auc",)}


def test_a_model_without_a_run_is_tied_to_its_code_and_prompts(recorded: Any) -> None:
    scope = models.logged_model(recorded("logged_model_get_external")["model"], PLACE, {})
    assert {edge.upstream.partition("/")[0] for edge in scope.edges if edge.kind is EdgeKind.DERIVE} == {
        "git",
        "prompt-version",
    }


def test_a_version_comes_from_a_model_a_run_or_a_place_outside(recorded: Any) -> None:
    found = {}
    for raw in recorded("model_versions_search")["model_versions"]:
        scope = models.model_version(raw, PLACE)
        found[raw["version"]] = {
            (edge.kind, edge.upstream) for edge in scope.edges if edge.kind is not EdgeKind.VERSION_OF
        }
    assert found == {
        "1": {(EdgeKind.DERIVE, "logged-model/default/m-8f2a0f782a7a47a3ae4c4258d7e4eecc")},
        "2": {(EdgeKind.DERIVE, "logged-model/default/m-285ca5edf77c4716a230459039016abe")},
        "3": {(EdgeKind.WRITE, "run/default/3e207a2158e1484f9ae651fa32390578")},
        "4": {(EdgeKind.DERIVE, "artifact/s3://acme-models/import/fraud/9")},
    }


def test_a_copy_is_derived_from_the_version_that_it_copies() -> None:
    raw = {"name": "prod", "version": "1", "source": "models:/staging/7", "run_id": "f" * 32}
    edges = models.model_version(raw, PLACE).edges
    assert [(edge.upstream, edge.transformation) for edge in edges if edge.kind is EdgeKind.DERIVE] == [
        ("model-version/default/staging/7", "copy")
    ]


def test_databricks_writes_the_run_into_the_address_of_a_version() -> None:
    source = f"dbfs:/databricks/mlflow-tracking/12/{'a' * 32}/artifacts/model"
    edges = models.model_version({"name": "m", "version": "1", "source": source}, PLACE).edges
    assert ("run/default/" + "a" * 32) in {edge.upstream for edge in edges if edge.kind is EdgeKind.WRITE}


def test_aliases_and_stages_are_names_of_versions(recorded: Any) -> None:
    [raw] = recorded("registered_models_search")["registered_models"]
    scope = models.registered_model(raw, [("Production", "3")], PLACE)
    assert {(edge.alias, edge.upstream) for edge in scope.edges} == {
        ("champion", "model-version/default/fraud-detector/2"),
        ("challenger", "model-version/default/fraud-detector/1"),
        ("Production", "model-version/default/fraud-detector/3"),
    }


def test_the_template_of_a_prompt_is_kept_as_a_hash_unless_asked_for(recorded: Any) -> None:
    raw = recorded("model_version_get_prompt")["model_version"]
    assert "Be terse" not in repr(prompts.prompt_version(raw, PLACE))
    outspoken = Place("tracking", "default", Options(prompt_text=True))
    assert "Be terse" in repr(prompts.prompt_version(raw, outspoken))


def test_a_prompt_written_for_a_model_depends_on_it(recorded: Any) -> None:
    scope = prompts.prompt_version(recorded("model_version_get_prompt")["model_version"], PLACE)
    assert ("external-model/?/gpt-4o-mini", EdgeKind.DERIVE) in {(edge.upstream, edge.kind) for edge in scope.edges}


def test_a_gateway_endpoint_deploys_models_of_others(recorded: Any) -> None:
    [raw] = recorded("gw_endpoints_list")["endpoints"]
    scope = gateway.endpoint(raw, recorded("gw_bindings_list")["bindings"], PLACE)
    [edge] = scope.edges
    assert (edge.upstream, edge.kind, edge.weight) == ("external-model/openai/gpt-4o-mini", EdgeKind.DEPLOY, 1.0)
    assert "openai-key" not in repr(scope)


def test_columns_feed_the_model_whose_signature_has_their_names(recorded: Any) -> None:
    raw, run = recorded("logged_model_get")["model"], recorded("run_get_child1")["run"]
    scope = models.signature(raw, ["amount", "amount_log", "unheard_of"], PLACE, run)
    assert scope is not None
    assert {(edge.upstream, edge.evidence) for edge in scope.edges} == {
        (f"{FEATURES}#amount", Evidence.INFERRED),
        (f"{FEATURES}#amount_log", Evidence.INFERRED),
    }
