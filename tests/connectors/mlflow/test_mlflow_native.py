"""Stores without a server: opened only if they are there, never written, and told as a server would tell them."""

import hashlib
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from watersmeet.config.errors import Misconfigured
from watersmeet.federation.errors import SourceChanged, SourceUnavailable
from watersmeet.federation.model import EdgeKind, Role

from .conftest import Connect, Reading

pytest.importorskip("mlflow", reason="needs the extra mlflow: uv sync --extra mlflow")
pytestmark = pytest.mark.filterwarnings("ignore")  # what MLflow's own package deprecates is not ours to mend
Read = Callable[..., Reading]

_FILL = """
import sys
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, LoggedModelOutput
client = MlflowClient(tracking_uri=sys.argv[1], registry_uri=sys.argv[1])
run = client.create_run("0", start_time=1700000000000).info.run_id
source = '{"uri": "s3://lake/features"}'
tag = InputTag("mlflow.data.context", "train")
client.log_inputs(run, [DatasetInput(Dataset("f", "aaaa1111", "s3", source), [tag])])
model = client.create_logged_model("0", name="churn", source_run_id=run)
client.finalize_logged_model(model.model_id, "READY")
client.log_outputs(run, [LoggedModelOutput(model.model_id, 0)])
client.set_terminated(run, end_time=1700000001000)
client.create_registered_model("churn")
client.create_model_version("churn", "s3://acme/churn", run_id=run)
client.set_registered_model_alias("churn", "champion", "1")
"""


def fill(uri: str, folder: Path) -> None:
    """The vendor's own client makes the store, in a process of its own: it takes its settings from the environment."""
    environment = {"MLFLOW_ALLOW_FILE_STORE": "true", "MLFLOW_DISABLE_TELEMETRY": "true", "HOME": str(folder)}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _FILL, uri], env=environment, cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mlflow")
    fill(f"sqlite:///{folder}/mlflow.db", folder)
    return folder / "mlflow.db"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mlruns")
    fill((folder / "mlruns").as_uri(), folder)
    return folder / "mlruns"


def told_as_by_a_server(told: Reading) -> bool:
    [run] = told.named("run")
    [model] = told.named("logged-model")
    [champion] = [edge.upstream for edge in told.edges if edge.alias == "champion"]
    return (
        told.complete
        and told.upstream(run, EdgeKind.READ, Role.TRAINING) == {"data/s3://lake/features@aaaa1111"}
        and told.upstream(model, EdgeKind.WRITE) == {run}
        and told.upstream(champion, EdgeKind.WRITE) == {run}
    )


def test_a_database_is_told_as_by_a_server_and_left_as_it_was(database: Path, read: Read) -> None:
    before = hashlib.sha256(database.read_bytes()).digest(), sorted(database.parent.iterdir())
    assert told_as_by_a_server(read(f"sqlite:///{database}"))
    assert (hashlib.sha256(database.read_bytes()).digest(), sorted(database.parent.iterdir())) == before


def test_a_folder_is_told_as_by_a_server_and_left_as_it_was(
    folder: Path, read: Read, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # where the vendor's package would make a database of its own
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert told_as_by_a_server(read(folder.as_uri()))
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
    assert not list(tmp_path.iterdir())


def test_what_is_gone_from_a_database_is_confirmed(database: Path, connect: Connect) -> None:
    asked = ["run/default/" + "0" * 32, "experiment/default/0", "model/default/churn", "model/default/other"]
    assert list(connect(f"sqlite:///{database}").gone(asked)) == [asked[0], asked[3]]


@pytest.mark.parametrize("url", ["sqlite:///{}/mlflow.db", "file://{}/mlruns"])
def test_what_is_not_there_is_not_made(tmp_path: Path, read: Read, url: str) -> None:
    with pytest.raises(SourceUnavailable, match="nothing was made"):
        read(url.format(tmp_path))
    assert not list(tmp_path.iterdir())


def test_an_older_database_is_refused_and_not_upgraded(database: Path, tmp_path: Path, read: Read) -> None:
    old = tmp_path / "old.db"
    old.write_bytes(database.read_bytes())
    with closing(sqlite3.connect(old)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '97727af70f4d'")
        connection.commit()
    before = old.read_bytes()
    with pytest.raises(SourceChanged, match="mlflow db upgrade"):
        read(f"sqlite:///{old}")
    assert old.read_bytes() == before


def test_a_database_may_be_given_as_a_path(database: Path, connect: Connect) -> None:
    assert connect(None, path=str(database)).check().reachable


def test_an_address_that_no_plugin_knows_is_a_wrong_setting(read: Read) -> None:
    with pytest.raises(Misconfigured, match="knows no store"):
        read("acme-tracking://somewhere")


def test_a_file_that_is_no_database_is_named(tmp_path: Path, read: Read) -> None:
    (tmp_path / "mlflow.db").write_text("hello")
    with pytest.raises(SourceChanged, match="cannot be read as a database of MLflow"):
        read(f"sqlite:///{tmp_path}/mlflow.db")
