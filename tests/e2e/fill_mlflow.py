"""Fills a real MLflow server with one of everything that carries lineage, by MLflow's own client.

Run with the Python of the server's environment: `python fill_mlflow.py http://127.0.0.1:5000`. Prints the ids as JSON.
"""

# It runs in the server's own environment, whose packages are not there where types are checked:
# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false, reportPrivateImportUsage=false, reportOptionalMemberAccess=false

import json
import os
import sys
import warnings

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("LOGNAME", "ada")
warnings.filterwarnings("ignore")

import mlflow  # noqa: E402  # takes its settings from the environment
import pandas as pd  # noqa: E402
from mlflow import MlflowClient  # noqa: E402
from mlflow.data.delta_dataset_source import DeltaDatasetSource  # noqa: E402
from mlflow.data.spark_dataset_source import SparkDatasetSource  # noqa: E402
from mlflow.entities import LoggedModelInput  # noqa: E402
from mlflow.genai.datasets import create_dataset  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402

GIT = {"mlflow.source.git.commit": "3f1c2ab94de07712a5f0d9a1c8b6e4f2d7a90b13"}
GIT["mlflow.source.git.repoURL"] = "https://github.com/acme/churn"
FRAME = pd.DataFrame({"orders": [1.0, 2.0, 3.0, 4.0], "spent": [1.0, 4.0, 9.0, 16.0], "churned": [0, 1, 0, 1]})


def features() -> DeltaDatasetSource:
    """A table of Unity Catalog: name, version and UUID travel in the source."""
    return DeltaDatasetSource(
        delta_table_name="main.churn.features",
        delta_table_version=7,
        delta_table_id="5c1d9a3e-1111-2222-3333-444455556666",
    )


def train(ids: dict[str, str]) -> None:
    """A run that made the table, a nested training with two data sets, and a failed one."""
    mlflow.set_experiment("churn/train")
    with mlflow.start_run(run_name="make-features", tags=GIT) as run:
        ids["etl"] = run.info.run_id
        raw = mlflow.data.from_pandas(FRAME, source="s3://lake/raw/orders.parquet", name="orders")
        mlflow.log_input(raw, context="input")
        made = mlflow.data.from_pandas(FRAME, source=features(), name="main.churn.features")
        mlflow.log_input(made, context="output")
    data = mlflow.data.from_pandas(FRAME.head(3), source=features(), name="main.churn.features", targets="churned")
    holdout = mlflow.data.from_pandas(FRAME.tail(2), source="s3://lake/holdout.parquet", name="holdout")
    with mlflow.start_run(run_name="sweep") as parent:
        ids["parent"] = parent.info.run_id
        with mlflow.start_run(nested=True, run_name="train", tags=GIT) as run:
            ids["train"] = run.info.run_id
            mlflow.log_input(data, context="training")
            mlflow.log_input(holdout, context="eval")
            model = LogisticRegression().fit(FRAME[["orders", "spent"]], FRAME.churned)
            told = mlflow.sklearn.log_model(model, name="churn", input_example=FRAME[["orders", "spent"]].head(2))
            mlflow.log_metric("auc", 0.8, dataset=holdout, model_id=told.model_id)
            ids["model"] = told.model_id
    with mlflow.start_run(run_name="mixed") as run:
        ids["mixed"] = run.info.run_id
        signed = "https://user:word@data.acme.io/x.csv?sig=SECRET"
        mlflow.log_input(
            mlflow.data.from_pandas(FRAME, source=mlflow.data.http_dataset_source.HTTPDatasetSource(signed))
        )
        query = SparkDatasetSource(sql="SELECT * FROM main.churn.features JOIN main.ref.country USING (country)")
        mlflow.log_input(mlflow.data.from_pandas(FRAME.head(2), source=query, name="joined"), context="training")
        mlflow.log_input(mlflow.data.from_pandas(FRAME.tail(1)))
    run = MlflowClient().create_run(mlflow.get_experiment_by_name("churn/train").experiment_id, run_name="failed")
    ids["failed"] = run.info.run_id
    MlflowClient().set_terminated(run.info.run_id, "FAILED")


def register(ids: dict[str, str]) -> None:
    """Versions from a logged model, a run, a place outside and another version, with two aliases."""
    client = MlflowClient()
    mlflow.register_model(f"models:/{ids['model']}", "churn")
    client.create_model_version("churn", f"runs:/{ids['train']}/churn", run_id=ids["train"])
    client.create_model_version("churn", "s3://acme-models/churn/9")
    client.copy_model_version("models:/churn/1", "churn-prod")
    client.set_registered_model_alias("churn", "champion", "1")
    client.set_registered_model_alias("churn", "challenger", "2")


def judge(ids: dict[str, str]) -> None:
    """An evaluation run, of which only `inputs.model_inputs` names the model, and an evaluation data set."""
    experiment = mlflow.set_experiment("churn/evaluate")
    holdout = mlflow.data.from_pandas(FRAME.tail(2), source="s3://lake/holdout.parquet", name="holdout")
    with mlflow.start_run(run_name="evaluate") as run:
        ids["evaluate"] = run.info.run_id
        mlflow.log_input(holdout, context="eval", model=LoggedModelInput(model_id=ids["model"]))
    golden = create_dataset(name="golden", experiment_id=[experiment.experiment_id])
    golden.merge_records([{"inputs": {"question": "why?"}, "expectations": {"expected_response": "price"}}])
    ids["golden"] = golden.dataset_id


def talk(ids: dict[str, str]) -> None:
    """An agent without a run, and a prompt in two versions."""
    ids["agent"] = mlflow.create_external_model(name="agent", model_type="agent", tags=GIT).model_id
    for template in ("Answer {{question}}", "Answer {{question}} briefly"):
        mlflow.genai.register_prompt(name="answer", template=template)
    mlflow.genai.set_prompt_alias("answer", "production", 2)


def main() -> None:
    """Fill, and print what there is."""
    mlflow.set_tracking_uri(sys.argv[1])
    ids: dict[str, str] = {}
    for part in (train, register, judge, talk):
        part(ids)
    print(json.dumps(ids))


if __name__ == "__main__":
    main()
