"""What becomes of a server's edits in the store; the numbers are those of the guide's acceptance checks."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from watersmeet.connectors.mlflow.sandbox import Sandbox
from watersmeet.federation.model import SyncState
from watersmeet.federation.naming import Registry
from watersmeet.federation.rows import RecordRow, SourceRow, SyncRow
from watersmeet.federation.store import Store
from watersmeet.federation.sync import pull

from .conftest import Connect

V2 = "/api/2.0/mlflow"
DAY = timedelta(days=1, minutes=1)


class Lab:
    """A miniature server and a store that follows it; time passes between the syncs."""

    def __init__(self, sandbox: Sandbox, store: Store, connect: Connect) -> None:
        self.sandbox = sandbox
        self.store = store
        self._connect = connect
        self._now = datetime.now(UTC)
        store.journal.declare([SourceRow("tracking", "tracking", "mlflow", sandbox.url, 0)])

    def sync(self, after: timedelta = timedelta(0), **settings: Any) -> SyncRow:
        self._now += after
        connector = self._connect(self.sandbox.url, now=self._now, **settings)
        return pull(self.store, "tracking", connector, registry=Registry.EMPTY, clock=lambda: self._now)

    def post(self, path: str, **body: Any) -> Any:
        return self.sandbox.call("POST", f"{V2}/{path}", body)

    def record(self, native_id: str) -> RecordRow:
        asset = self.store.reader.find_native([native_id])[0].asset
        [row] = [row for row in self.store.reader.assets([asset])[asset] if row.native_id == native_id]
        return row


@pytest.fixture
def lab(sandbox: Sandbox, connect: Connect, tmp_path: Path) -> Iterator[Lab]:
    store = Store.open(f"sqlite:///{tmp_path / 'store.db'}")
    try:
        yield Lab(sandbox, store, connect)
    finally:
        store.close()


def make_run(lab: Lab) -> str:
    started = lab.post("runs/create", experiment_id="0", start_time=1_700_000_000_000)
    return started["run"]["info"]["run_id"]


def test_a_second_sync_of_an_unchanged_server_writes_nothing(lab: Lab) -> None:
    """MLflow, check 2."""
    make_run(lab)
    first, second, swept = lab.sync(), lab.sync(timedelta(minutes=15)), lab.sync(DAY)
    assert [one.state for one in (first, second, swept)] == [SyncState.SUCCEEDED] * 3
    assert first.written > 0
    assert [(one.written, one.removed) for one in (second, swept)] == [(0, 0), (0, 0)]


def test_a_deleted_model_is_buried_after_two_complete_listings(lab: Lab) -> None:
    """MLflow, check 4: one alone might be a permission that went missing."""
    made = lab.sandbox.call("POST", f"{V2}/logged-models", {"experiment_id": "0", "source_run_id": make_run(lab)})
    model = made["model"]["info"]["model_id"]
    lab.sync()
    lab.sandbox.world.tracking.delete_model(model)
    lab.sync(DAY)
    after_one = lab.record(f"logged-model/default/{model}").tombstoned_at
    lab.sync(DAY)
    after_two = lab.record(f"logged-model/default/{model}").tombstoned_at
    assert after_one is None
    assert after_two is not None


def test_a_deleted_run_is_buried_with_its_payload_and_comes_back(lab: Lab) -> None:
    """MLflow, check 4. MLflow, check 9."""
    run_id = make_run(lab)
    lab.post("runs/log-parameter", run_id=run_id, key="depth", value="3")
    lab.sync()
    lab.post("runs/delete", run_id=run_id)
    lab.sync(DAY)
    buried = lab.record(f"run/default/{run_id}")
    lab.post("runs/restore", run_id=run_id)
    lab.sync(DAY)
    revived = lab.record(f"run/default/{run_id}")
    assert buried.tombstoned_at is not None
    assert buried.facets["parameters"] == {"depth": "3"}
    assert revived.tombstoned_at is None


def test_what_gc_removed_stays_as_a_tombstone_with_its_payload(lab: Lab) -> None:
    """MLflow, check 9."""
    run_id = make_run(lab)
    lab.post("runs/log-parameter", run_id=run_id, key="depth", value="3")
    lab.sync()
    lab.sandbox.world.tracking.purge(run_id)
    lab.sync(DAY)
    lab.sync(DAY)
    buried = lab.record(f"run/default/{run_id}")
    assert buried.tombstoned_at is not None
    assert buried.facets["parameters"] == {"depth": "3"}


def test_a_grant_that_is_taken_away_buries_nothing(lab: Lab) -> None:
    """MLflow, check 12."""
    run_id = make_run(lab)
    lab.sync()
    lab.sandbox.hidden.add("default")
    states = [lab.sync(DAY).state for _ in range(3)]
    assert lab.record(f"run/default/{run_id}").tombstoned_at is None
    assert SyncState.SUCCEEDED not in states
    assert lab.store.journal.syncs("tracking", 1, None)[0].missing_grants == ("READ on experiments",)


def test_a_run_that_is_refused_now_is_unreachable_and_not_buried(lab: Lab) -> None:
    """MLflow, check 12: a listing lacks it and a question for it answers 403."""
    run_id = make_run(lab)
    lab.sync()
    lab.sandbox.fail("runs/search", kind="bent", bend=lambda answer: {}, times=100)
    lab.sandbox.fail("runs/get", status=403, times=100)
    lab.sync(DAY)
    told = lab.sync(DAY)
    assert lab.record(f"run/default/{run_id}").tombstoned_at is None
    assert told.missing_grants == (f"READ on what was read before: run/default/{run_id}, one of 1",)
    [aside] = [one for one in lab.store.journal.skips("tracking") if one.lost]
    assert aside.what == f"run/default/{run_id}"
    assert "unreachable" in aside.reason


def test_incremental_syncs_end_where_a_full_one_does(lab: Lab, connect: Connect, tmp_path: Path) -> None:
    """Design §6."""
    for _ in range(3):
        run_id = make_run(lab)
        lab.post("registered-models/create", name=f"m-{run_id[:5]}")
        lab.sync(timedelta(minutes=20))
        lab.post("runs/set-tag", run_id=run_id, key="late", value="yes")
        lab.post("runs/update", run_id=run_id, status="FINISHED", end_time=1_700_000_009_000)
    lab.sync(DAY)
    other = Store.open(f"sqlite:///{tmp_path / 'other.db'}")
    fresh = Lab(lab.sandbox, other, connect)
    fresh.sync(DAY)
    natives = [f"run/default/{one}" for one in lab.sandbox.world.tracking.runs]
    told = [[(row.facets, row.run) for row in map(one.record, natives)] for one in (lab, fresh)]
    counts = [one.store.journal.counts("tracking") for one in (lab, fresh)]
    other.close()
    assert told[0] == told[1]
    assert (counts[0].assets, counts[0].edges) == (counts[1].assets, counts[1].edges)
