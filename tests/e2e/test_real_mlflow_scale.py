"""A real MLflow server with 5,000 runs: what a sync of it costs in calls, memory and writes."""

import json
import re
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from watersmeet.federation.model import EdgeKind, Role
from watersmeet.federation.store import Store

from ..measured import measured, watersmeet
from .mlflow_server import RealMLflow

pytestmark = pytest.mark.real_server

RUNS = 5_000


@dataclass(frozen=True, slots=True)
class Synced:
    """What one `watersmeet sync` said, and what it cost."""

    row: dict[str, Any]
    calls: list[str]
    megabytes: float
    seconds: float
    """For people to read; no test holds it to a limit."""


@dataclass(frozen=True, slots=True)
class Scale:
    """A filled server, synced twice."""

    runs: list[str]
    store: str
    first: Synced
    second: Synced


@pytest.fixture(scope="module")
def scale(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scale]:
    folder, ours = tmp_path_factory.mktemp("mlflow"), tmp_path_factory.mktemp("ours")
    store = f"sqlite:///{ours / 'store.db'}"
    with RealMLflow(folder) as server:
        script = Path(__file__).with_name("fill_mlflow_bulk.py")
        runs = json.loads(server.run(str(script), str(folder / "mlflow.db"), str(RUNS)))
        settings = {
            "store": {"url": store},
            "sources": [{"name": "tracking", "platform": "mlflow", "url": server.url}],
        }
        (ours / "watersmeet.yaml").write_text(json.dumps(settings))
        first, second = (sync(ours / "watersmeet.yaml", folder / "server.log") for _ in range(2))
        yield Scale(runs, store, first, second)


def sync(config: Path, log: Path) -> Synced:
    """`watersmeet sync`, watched from outside: its memory by the system, its calls by the server's access log."""
    before, began = log.stat().st_size, time.monotonic()
    done = measured(watersmeet("--json", "--config", str(config), "sync"))
    seconds = time.monotonic() - began
    assert done.code == 0, done.err
    calls = re.findall(r'"(\S+ \S+) HTTP/1\.1"', log.read_bytes()[before:].decode())
    (row,) = json.loads(done.out)
    synced = Synced(row, calls, done.megabytes, seconds)
    print(f"{seconds:.1f} s, {len(calls)} calls, {synced.megabytes:.0f} MB, {row['written']} written")
    return synced


def test_every_run_is_there_with_all_that_it_told(scale: Scale) -> None:
    assert (scale.first.row["state"], scale.first.row["complete"]) == ("SUCCEEDED", True)
    with Store.open(scale.store, create=False) as store:
        found = store.reader.find_native([f"run/default/{one}" for one in scale.runs])
        runs = [run for rows in store.reader.assets(one.asset for one in found).values() for run in rows]
        edges = store.reader.edges_of(one.record for one in found)
    assert len({run.native_id for run in runs}) == RUNS
    # The seventh tag is the run's name, which is told as its name.
    assert {tuple(len(run.facets[facet]) for facet in ("metrics", "parameters", "tags")) for run in runs} == {
        (10, 12, 6)
    }
    assert {run.name for run in runs} == {f"run-{number}" for number in range(RUNS)}
    read = Counter(edge.role for edge in edges if edge.kind is EdgeKind.READ)
    assert (read[Role.TRAINING], read[Role.EVALUATION]) == (RUNS, RUNS)


def test_the_first_sync_needs_at_most_120_calls(scale: Scale) -> None:
    """MLflow, check 2 (real server)."""
    assert 0 < len(scale.first.calls) <= 120


def test_a_sync_stays_below_300_megabytes(scale: Scale) -> None:
    """MLflow, check 2 (real server)."""
    assert 0 < max(scale.first.megabytes, scale.second.megabytes) < 300


def test_a_second_sync_needs_less_than_25_calls_and_writes_nothing(scale: Scale) -> None:
    """MLflow, check 2 (real server)."""
    assert scale.second.row["state"] == "SUCCEEDED"
    assert (scale.second.row["written"], scale.second.row["removed"]) == (0, 0)
    assert 0 < len(scale.second.calls) < 25
