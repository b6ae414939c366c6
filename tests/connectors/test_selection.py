"""What becomes of what was read, when a source's settings let it through no more, and again."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from watersmeet.config.settings import Source
from watersmeet.connectors.catalogue import connector
from watersmeet.connectors.marquez.sandbox import Sandbox as MarquezSandbox
from watersmeet.connectors.mlflow.sandbox import Sandbox as MLflowSandbox
from watersmeet.federation.clock import utcnow
from watersmeet.federation.model import SyncState
from watersmeet.federation.naming import Registry
from watersmeet.federation.rows import SourceRow, Weight
from watersmeet.federation.store import Store, examine
from watersmeet.federation.sync import pull

from .marquez.telling import event

V2 = "/api/2.0/mlflow"


class Follower:
    """A store that follows one server under settings that change."""

    def __init__(self, url: str, platform: str, folder: Path) -> None:
        self._source = {"name": "lab", "platform": platform, "url": url}
        self.address = f"sqlite:///{folder / 'store.db'}"
        self.store = Store.open(self.address)
        self.store.journal.declare([SourceRow("lab", "lab", platform, url, 0)])

    def sync(self, **settings: Any) -> None:
        reader = connector(Source.model_validate({**self._source, **settings}))
        try:
            row = pull(self.store, "lab", reader, registry=Registry.EMPTY)
        finally:
            reader.close()
        assert row.state is SyncState.SUCCEEDED, row.message

    def shown(self) -> dict[str, int]:
        """Living, described things: native ids with their record ids."""
        columns = self.store.reader.columns()
        rows = (row for rows in self.store.reader.assets(columns.asset.tolist()).values() for row in rows)
        return {row.native_id: row.id for row in rows if row.described and row.tombstoned_at is None}

    def words(self) -> set[str]:
        """What the change log says."""
        rows, _ = self.store.reader.changes(first=10_000)
        return {row.what for row in rows}

    def is_sound(self) -> bool:
        found = examine(self.address, Registry.EMPTY, full=True, clock=utcnow)
        return not [one for one in found if one.weight is Weight.BROKEN]


Follow = Callable[[str, str], Follower]


@pytest.fixture
def follow(tmp_path: Path) -> Iterator[Follow]:
    made: list[Follower] = []

    def one(url: str, platform: str) -> Follower:
        made.append(Follower(url, platform, tmp_path))
        return made[-1]

    yield one
    for follower in made:
        follower.store.close()


def test_an_excluded_experiment_goes_with_its_runs_and_comes_back_the_same(follow: Follow) -> None:
    with MLflowSandbox(empty=True) as sandbox:
        runs: dict[str, str] = {}
        for name in ("churn", "tmp/one"):
            made = sandbox.call("POST", f"{V2}/experiments/create", {"name": name})
            number = made["experiment_id"]
            run = sandbox.call("POST", f"{V2}/runs/create", {"experiment_id": number, "start_time": 1_700_000_000_000})
            runs[name] = f"run/default/{run['run']['info']['run_id']}"
            sandbox.call("POST", f"{V2}/registered-models/create", {"name": name.replace("/", "-")})
        follower = follow(sandbox.url, "mlflow")
        follower.sync()
        before = follower.shown()
        assert set(runs.values()) <= before.keys()
        follower.sync(exclude=["tmp*"])
        narrowed = follower.shown()
        assert runs["churn"] in narrowed
        assert runs["tmp/one"] not in narrowed
        assert "model/default/tmp-one" not in narrowed
        assert "withheld" in follower.words()
        assert "tombstoned" not in follower.words()
        assert follower.is_sound()
        follower.sync()
        assert follower.shown() == before
        assert follower.is_sound()


def test_an_excluded_namespace_goes_with_its_runs_and_comes_back_the_same(follow: Follow) -> None:
    day = (datetime.now(UTC) - timedelta(days=1)).strftime("%Y-%m-%d")
    table = [("postgres://db:5432", "shop.public.orders")]
    private = [("postgres://db:5432", "shop.public.scratch")]
    with MarquezSandbox(empty=True) as sandbox:
        sandbox.seed(
            [
                event("load", f"{day}T08:00:00Z", namespace="shop", outputs=table),
                event("try", f"{day}T09:00:00Z", namespace="tmp", inputs=table, outputs=private),
            ]
        )
        follower = follow(sandbox.url, "marquez")
        follower.sync()
        before = follower.shown()
        assert {"job:shop/load", "job:tmp/try"} <= before.keys()
        follower.sync(exclude=["tmp"])
        narrowed = follower.shown()
        assert "job:shop/load" in narrowed
        gone = before.keys() - narrowed.keys()
        assert "job:tmp/try" in gone
        scratch = "postgres://db:5432/shop.public.scratch"  # of which nobody else speaks
        assert {name if name == scratch else name.partition(":")[0] for name in gone} == {"job", "run", scratch}
        assert "tombstoned" not in follower.words()
        follower.sync(exclude=["tmp"])
        assert follower.shown() == narrowed
        assert follower.is_sound()
        follower.sync()
        assert follower.shown() == before
        assert follower.is_sound()
