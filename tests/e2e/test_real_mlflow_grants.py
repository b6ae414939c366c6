"""What a user of a real MLflow server with basic auth sees, and what becomes of it when grants are taken away."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from watersmeet.config.settings import Source
from watersmeet.connectors.mlflow.read import MLflow
from watersmeet.federation.model import SyncState
from watersmeet.federation.naming import Registry
from watersmeet.federation.rows import SourceRow, SyncRow
from watersmeet.federation.store import Store
from watersmeet.federation.sync import pull

from .mlflow_server import RealMLflow

pytestmark = pytest.mark.real_server
ADMIN = ("admin", "watersmeet-tests")
BOT: dict[str, Any] = {"username": "bot", "password": "password12345"}
DAY = timedelta(days=1, minutes=1)
_SETTINGS = """[mlflow]
default_permission = NO_PERMISSIONS
database_uri = sqlite:///{folder}/auth.db
admin_username = admin
admin_password = watersmeet-tests
"""


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RealMLflow]:
    """Nobody may see anything that was not granted."""
    (tmp_path / "auth.ini").write_text(_SETTINGS.format(folder=tmp_path))
    monkeypatch.setenv("MLFLOW_AUTH_CONFIG_PATH", str(tmp_path / "auth.ini"))
    with RealMLflow(tmp_path, "--app-name", "basic-auth") as running:
        yield running


def post(server: RealMLflow, path: str, version: int = 2, **body: Any) -> Any:
    """One call of the administrator."""
    address = f"{server.url}/api/{version}.0/mlflow/{path}"
    answer = httpx2.post(address, json=body, auth=ADMIN, timeout=60, trust_env=False)
    assert answer.status_code == 200, answer.text
    return answer.json()


def permit(server: RealMLflow, how: str, kind: str, name: str, **more: Any) -> None:
    where = f"users/permissions/{how}"
    post(server, where, 3, username="bot", resource_type=kind, resource_id=name, **more)


def test_a_grant_that_is_taken_away_is_told_and_buries_nothing(server: RealMLflow, tmp_path: Path) -> None:
    """MLflow, check 12 (real server): first the registry's, then one experiment's, then the last one's."""
    post(server, "users/create", **BOT)
    hidden, kept = (post(server, "experiments/create", name=name)["experiment_id"] for name in ("train", "other"))
    run_id = post(server, "runs/create", experiment_id=hidden, start_time=1)["run"]["info"]["run_id"]
    post(server, "registered-models/create", name="fraud")
    now = datetime.now(UTC)

    def sync() -> SyncRow:
        nonlocal now
        now += DAY
        told = {"name": "tracking", "platform": "mlflow", "url": server.url, **BOT}
        connector = MLflow(Source.model_validate(told), clock=lambda: now)
        try:
            return pull(store, "tracking", connector, registry=Registry.EMPTY, clock=lambda: now)
        finally:
            connector.close()

    with Store.open(f"sqlite:///{tmp_path / 'store.db'}") as store:
        store.journal.declare([SourceRow("tracking", "tracking", "mlflow", server.url, 0)])
        blind = sync()
        for kind, name in (("experiment", hidden), ("experiment", kept), ("registered_model", "fraud")):
            permit(server, "grant", kind, name, permission="READ")
        seeing = sync()
        living = store.journal.counts("tracking").assets
        permit(server, "revoke", "registered_model", "fraud")
        without_models = sync()
        permit(server, "revoke", "experiment", hidden)
        sync()
        without_runs = sync()
        aside = {one.what for one in store.journal.skips("tracking") if "unreachable" in one.reason}
        permit(server, "revoke", "experiment", kept)
        blind_again = sync()
        assert store.journal.counts("tracking").assets == living > 3
    assert (blind.state, blind.missing_grants) == (SyncState.PARTIAL, ("READ on experiments",))
    assert seeing.state is SyncState.SUCCEEDED
    assert "READ on registered models" in without_models.missing_grants
    assert "does not say that 'fraud' is gone" in without_models.failures[0]
    assert {f"run/default/{run_id}", f"experiment/default/{hidden}"} <= aside
    assert any("READ on what was read before" in one for one in without_runs.missing_grants)
    assert "READ on experiments" in blind_again.missing_grants
