"""A real MLflow server, filled and edited by its own client; the numbers are those of the guide's acceptance checks."""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from watersmeet.config.settings import Source
from watersmeet.connectors.mlflow.read import MLflow
from watersmeet.federation.connector import Cursor
from watersmeet.federation.errors import SourceRefused
from watersmeet.federation.model import EdgeKind, RunState

from ..connectors.mlflow.conftest import Reading
from ..connectors.mlflow.filled import CHECKS, Check, Ids
from .mlflow_server import RealMLflow

pytestmark = pytest.mark.real_server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealMLflow]:
    with RealMLflow(tmp_path_factory.mktemp("mlflow")) as running:
        yield running


@pytest.fixture(scope="module")
def ids(server: RealMLflow) -> Ids:
    return server.fill()


@pytest.fixture(scope="module")
def told(server: RealMLflow, ids: Ids) -> Reading:
    return read(server.url)


def read(url: str, since: Cursor | None = None, *, later: timedelta = timedelta(0), **settings: Any) -> Reading:
    """Read a server once, as if some time had passed."""
    connector = connect(url, later=later, **settings)
    try:
        return Reading.by(connector.read(since))
    finally:
        connector.close()


def connect(url: str, *, later: timedelta = timedelta(0), **settings: Any) -> MLflow:
    source = Source.model_validate({"name": "tracking", "platform": "mlflow", "url": url, **settings})
    return MLflow(source, clock=lambda: datetime.now(UTC) + later)


def gone(url: str, *native_ids: str, **settings: Any) -> list[str]:
    """Which of these are really gone."""
    connector = connect(url, **settings)
    try:
        return list(connector.gone(native_ids))
    finally:
        connector.close()


def start(server: RealMLflow, experiment: str = "0") -> str:
    return server.do(f"print(client.create_run({experiment!r}).info.run_id)").strip()


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_what_was_filled_in_is_read(told: Reading, ids: Ids, check: Check) -> None:
    """MLflow, check 1 (real server). MLflow, check 8 (real server). MLflow, check 14 (real server)."""
    check(told, ids)


def test_the_sync_is_complete_and_nothing_was_lost(told: Reading) -> None:
    assert told.complete
    assert not told.failures
    assert not [one for one in told.skipped if one.lost]


def test_a_second_sync_tells_nothing_new(server: RealMLflow, told: Reading) -> None:
    """MLflow, check 2 (real server)."""
    again = read(server.url, told.cursor, later=timedelta(minutes=15))
    before = {scope.key: scope for scope in told.scopes}
    assert [scope.key for scope in again.scopes if before.get(scope.key) != scope] == []


def test_edits_are_seen_in_the_next_sync_or_the_recheck(server: RealMLflow, told: Reading) -> None:
    """MLflow, check 4 (real server)."""
    late, doomed = start(server), start(server)
    server.do(f"client.set_terminated({late!r}); client.set_terminated({doomed!r})")
    model = server.do("print(client.create_logged_model('0', name='short-lived').model_id)").strip()
    first = read(server.url, told.cursor, later=timedelta(minutes=15))
    server.do(
        "client.set_registered_model_alias('churn', 'champion', '3')\n"
        f"client.set_tag({late!r}, 'late', 'yes'); client.log_metric({late!r}, 'late', 1)\n"
        f"client.delete_run({doomed!r}); client.delete_logged_model({model!r})"
    )
    second = read(server.url, first.cursor, later=timedelta(hours=7))
    third = read(server.url, second.cursor, later=timedelta(hours=32))
    facets = second.records[f"run/default/{late}"].facets
    assert [edge.upstream for edge in second.edges if edge.alias == "champion"] == ["model-version/default/churn/3"]
    assert {"key": "late", "value": "yes"} in facets["tags"]
    assert facets["metrics"] == {"late": 1.0}
    assert f"run/default/{doomed}" in [stone.native_id for stone in second.tombstones]
    assert "logged-model" in third.listed
    assert f"logged-model/default/{model}" not in third.records
    assert gone(server.url, f"logged-model/default/{model}") == [f"logged-model/default/{model}"]


def test_a_running_run_that_ends_is_one_run(server: RealMLflow, told: Reading) -> None:
    """MLflow, check 5 (real server)."""
    run_id = start(server)
    first = read(server.url, told.cursor, later=timedelta(minutes=15))
    server.do(f"client.set_terminated({run_id!r})")
    second = read(server.url, first.cursor, later=timedelta(minutes=30))
    states = [one.run.state for one in (told.records[f"run/default/{run_id}"] for told in (first, second)) if one.run]
    assert states == [RunState.RUNNING, RunState.SUCCEEDED]


def test_pages_that_shift_lose_and_double_no_run(server: RealMLflow) -> None:
    """MLflow, check 3 (real server)."""
    made = "[client.create_run(experiment, start_time=1000 + n).info.run_id for n in range(6)]"
    name = "drift"
    answer = server.do(f"experiment = client.create_experiment({name!r})\nprint(*{made}, experiment)").split()
    runs, experiment = answer[:-1], answer[-1]
    seen: list[str] = []
    connector = connect(server.url, include=[name], options={"page_size": 2})
    for batch in connector.read(None):
        page = [scope.key for scope in batch.scopes if scope.family == "run"]
        if page and not seen:
            server.do(f"client.delete_run({runs[0]!r}); client.create_run({experiment!r}, start_time=9999)")
        seen += page
    connector.close()
    assert len(seen) == len(set(seen)) == 7


def test_what_gc_removed_is_confirmed_and_keeps_its_models(server: RealMLflow) -> None:
    """MLflow, check 9 (real server)."""
    run_id = start(server)
    model = server.do(f"print(client.create_logged_model('0', source_run_id={run_id!r}).model_id)").strip()
    server.do(f"client.delete_run({run_id!r})")
    server.run("-m", "mlflow", "gc", "--backend-store-uri", server.database, "--run-ids", run_id)
    told = read(server.url)
    assert told.between(f"run/default/{run_id}", f"logged-model/default/{model}", EdgeKind.WRITE)
    assert gone(server.url, f"run/default/{run_id}") == [f"run/default/{run_id}"]


@pytest.mark.filterwarnings("ignore")  # what the vendor's own package deprecates is not ours to mend
def test_a_database_is_read_as_its_server_is(server: RealMLflow, ids: Ids) -> None:
    pytest.importorskip("mlflow", reason="needs the extra mlflow: uv sync --extra mlflow")
    over_http, over_files = read(server.url), read(server.database)
    gateway_and_signatures = {"gateway-endpoint", "signature"}
    ends = [
        {
            (edge.upstream, edge.downstream, edge.kind, edge.role, edge.flow)
            for scope in told.scopes
            if scope.family not in gateway_and_signatures
            for edge in scope.edges
        }
        for told in (over_http, over_files)
    ]
    assert ends[0] == ends[1]


def test_the_command_syncs_it_and_the_second_time_writes_nothing(server: RealMLflow, ids: Ids, tmp_path: Path) -> None:
    """MLflow, check 2 (real server), from the command line into a store."""
    settings = {
        "store": {"url": f"sqlite:///{tmp_path / 'store.db'}"},
        "sources": [{"name": "tracking", "platform": "mlflow", "url": server.url}],
    }
    (tmp_path / "watersmeet.yaml").write_text(json.dumps(settings))
    command = [sys.executable, "-m", "watersmeet.api.cli", "--json", "--config", str(tmp_path / "watersmeet.yaml")]
    ended: list[dict[str, Any]] = []
    for _ in range(2):
        done = subprocess.run([*command, "sync"], capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        ended += json.loads(done.stdout)
    assert [one["state"] for one in ended] == ["SUCCEEDED", "SUCCEEDED"]
    assert ended[0]["written"] > 100
    assert (ended[1]["written"], ended[1]["removed"]) == (0, 0)


ADMIN: dict[str, Any] = {"username": "admin", "password": "watersmeet-tests"}
BOT: dict[str, Any] = {"username": "bot", "password": "password12345"}
_SET_UP = """
import requests
def post(path, body, workspace=None):
    headers = {"X-MLFLOW-WORKSPACE": workspace} if workspace else {}
    answer = requests.post(URL + path, json=body, headers=headers, auth=("admin", "watersmeet-tests"))
    answer.raise_for_status()
    return answer.json()
post("/api/2.0/mlflow/users/create", {"username": "bot", "password": "password12345"})
for name in ("risk", "growth"):
    post("/api/3.0/mlflow/workspaces", {"name": name})
    post("/api/2.0/mlflow/registered-models/create", {"name": "fraud"}, name)
    experiment = post("/api/2.0/mlflow/experiments/create", {"name": "train"}, name)["experiment_id"]
    print(post("/api/2.0/mlflow/runs/create", {"experiment_id": experiment}, name)["run"]["info"]["run_id"])
"""


def test_users_see_what_they_may_and_workspaces_stay_apart(tmp_path: Path) -> None:
    """MLflow, check 12 (real server). MLflow, check 13 (real server).

    A user without grants gets 200 and nothing; 404 in another workspace proves nothing.
    """
    with RealMLflow(tmp_path, "--app-name", "basic-auth", "--enable-workspaces") as server:
        risk, growth = server.run("-c", _SET_UP.replace("URL", repr(server.url))).split()
        told = read(server.url, **ADMIN)
        blind = read(server.url, told.cursor, **BOT)
        changed = read(server.url, told.cursor, workspaces=["risk", "nowhere"], **ADMIN)
        runs = [f"run/risk/{risk}", f"run/growth/{growth}", f"run/risk/{growth}"]
        assert gone(server.url, *runs, **ADMIN) == [runs[2]]
        assert gone(server.url, *runs, **BOT) == []
        with pytest.raises(SourceRefused):
            read(server.url, username="admin", password="wrong")
    assert {"model/risk/fraud", "model/growth/fraud", *runs[:2]} <= told.records.keys()
    assert told.complete
    assert not blind.complete
    assert not blind.listed
    assert "READ on experiments" in blind.grants
    assert [one.split("'")[1] for one in changed.failures] == ["nowhere"]
    assert not changed.complete
    assert {scope.key.split("/")[1] for scope in changed.scopes if scope.family == "experiment"} == {"risk"}
