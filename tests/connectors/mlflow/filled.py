"""What must be read from a server that `tests/e2e/fill_mlflow.py` filled, be it real or recorded."""

from collections.abc import Callable
from typing import Any

from watersmeet.federation.model import AssetKind, EdgeKind, Evidence, Role, RunState

from .conftest import Reading

Ids = dict[str, Any]
Check = Callable[[Reading, Ids], None]
TABLE = "data/table/5c1d9a3e-1111-2222-3333-444455556666"
HOLDOUT = "data/s3://lake/holdout.parquet"


def run(ids: Ids, name: str) -> str:
    return f"run/default/{ids[name]}"


def model(ids: Ids, name: str = "model") -> str:
    return f"logged-model/default/{ids[name]}"


def datasets_of(told: Reading, native_id: str, role: Role | None) -> set[str]:
    """The datasets whose versions a run read for a purpose."""
    read = {
        edge.upstream
        for edge in told.edges
        if edge.downstream == native_id and edge.kind is EdgeKind.READ and edge.role is role
    }
    whole = {edge.upstream: edge.downstream for edge in told.edges if edge.kind is EdgeKind.VERSION_OF}
    return {whole.get(one, one) for one in read}


def champion_leads_to_its_training_data(told: Reading, ids: Ids) -> None:
    """MLflow, check 1."""
    [version] = [edge.upstream for edge in told.edges if edge.alias == "champion"]
    assert told.upstream(version, EdgeKind.DERIVE) == {model(ids)}
    assert told.upstream(model(ids), EdgeKind.WRITE) == {run(ids, "train")}
    assert datasets_of(told, run(ids, "train"), Role.TRAINING) == {TABLE}
    assert told.upstream(TABLE, EdgeKind.PART_OF) == {f"{TABLE}#{name}" for name in ("orders", "spent", "churned")}


def judged_data_trained_nothing(told: Reading, ids: Ids) -> None:
    """Design §2."""
    assert datasets_of(told, run(ids, "train"), Role.EVALUATION) == {HOLDOUT}
    read = {edge.flow for edge in told.edges if edge.downstream == run(ids, "train") and edge.role is Role.EVALUATION}
    assert not read & {edge.flow for edge in told.between(run(ids, "train"), model(ids))}


def columns_feed_the_model(told: Reading, ids: Ids) -> None:
    """Signature and schema share the names of two columns."""
    fed = {
        edge.upstream
        for edge in told.edges
        if edge.downstream == model(ids) and edge.evidence is Evidence.INFERRED and edge.kind is EdgeKind.DERIVE
    }
    assert fed == {f"{TABLE}#orders", f"{TABLE}#spent"}


def every_kind_of_version_has_its_origin(told: Reading, ids: Ids) -> None:
    """MLflow, check 14."""
    assert told.upstream("model-version/default/churn/2", EdgeKind.WRITE) == {run(ids, "train")}
    assert told.upstream("model-version/default/churn/3", EdgeKind.DERIVE) == {"artifact/s3://acme-models/churn/9"}
    assert told.upstream("model-version/default/churn-prod/1", EdgeKind.DERIVE) == {"model-version/default/churn/1"}


def an_evaluation_reads_the_model_that_only_a_get_tells(told: Reading, ids: Ids) -> None:
    """MLflow, check 14."""
    [edge] = told.between(model(ids), run(ids, "evaluate"), EdgeKind.READ)
    assert (edge.role, edge.flow) == (Role.EVALUATION, 2)
    evaluations = [one for one in told.records.values() if one.kind is AssetKind.EVALUATION]
    assert {one.facets.get("metrics", {}).get("auc") for one in evaluations} == {0.8, None}


def prompts_are_no_models(told: Reading, ids: Ids) -> None:
    """MLflow, check 14."""
    assert set(told.named("model")) == {"model/default/churn", "model/default/churn-prod"}
    assert set(told.named("prompt-version")) == {"prompt-version/default/answer/1", "prompt-version/default/answer/2"}
    assert [edge.upstream for edge in told.edges if edge.alias == "production"] == ["prompt-version/default/answer/2"]
    assert "Answer {{question}}" not in repr(told)


def an_agent_without_a_run_is_tied_to_its_code(told: Reading, ids: Ids) -> None:
    """MLflow, check 14."""
    [code] = told.upstream(model(ids, "agent"), EdgeKind.DERIVE)
    assert told.records[code].kind is AssetKind.CODE


def what_was_made_was_written(told: Reading, ids: Ids) -> None:
    """A dataset with the context `output`; the same table is read by the training."""
    etl = run(ids, "etl")
    written = {edge.downstream for edge in told.edges if edge.upstream == etl and edge.kind is EdgeKind.WRITE}
    assert written == {f"{TABLE}@7"}
    [read] = [edge for edge in told.edges if edge.downstream == run(ids, "train") and edge.role is Role.TRAINING]
    assert read.upstream == f"{TABLE}@7"


def nothing_secret_is_told(told: Reading, ids: Ids) -> None:
    """MLflow, check 8."""
    assert "data/https://data.acme.io/x.csv" in datasets_of(told, run(ids, "mixed"), None)
    assert "SECRET" not in repr(told)
    assert "user:word" not in repr(told)


def a_query_reads_its_tables(told: Reading, ids: Ids) -> None:
    """MLflow, check 8."""
    parsed = {edge.upstream for edge in told.edges if edge.evidence is Evidence.PARSED}
    assert parsed == {"data/table/main.churn.features", "data/table/main.ref.country"}


def runs_are_nested_and_end_as_they_ended(told: Reading, ids: Ids) -> None:
    """MLflow, check 14."""
    assert told.between(run(ids, "train"), run(ids, "parent"), EdgeKind.PART_OF)
    failed = told.records[run(ids, "failed")].run
    assert failed is not None
    assert failed.state is RunState.FAILED


def evaluation_datasets_are_listed(told: Reading, ids: Ids) -> None:
    """MLflow, check 14."""
    golden = told.records[f"evaluation-dataset/default/{ids['golden']}"]
    assert (golden.kind, golden.name, golden.subtype) == (AssetKind.DATASET, "golden", "evaluation")


CHECKS: tuple[Check, ...] = (
    champion_leads_to_its_training_data,
    judged_data_trained_nothing,
    columns_feed_the_model,
    every_kind_of_version_has_its_origin,
    an_evaluation_reads_the_model_that_only_a_get_tells,
    prompts_are_no_models,
    an_agent_without_a_run_is_tied_to_its_code,
    what_was_made_was_written,
    nothing_secret_is_told,
    a_query_reads_its_tables,
    runs_are_nested_and_end_as_they_ended,
    evaluation_datasets_are_listed,
)
