"""A real MLflow server with 5,000 runs: what a sync of it costs in calls, memory and writes."""

import json
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from watersmeet.federation.model import EdgeKind, Role
from watersmeet.federation.store import Store

from .mlflow_server import RealMLflow

pytestmark = pytest.mark.real_server

RUNS = 5_000
_PEAKS_A_MEGABYTE = 1024 if sys.platform == "linux" else 1024**2  # kilobytes on Linux, bytes on macOS
# A process of its own, small, so that its children's peak is the command's and not that of the tests: a child counts
# what it was before it became another program.
_MEASURE = """
import json, resource, subprocess, sys
done = subprocess.run(sys.argv[1:], capture_output=True, text=True)
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(json.dumps({"code": done.returncode, "out": done.stdout, "err": done.stderr, "peak": peak}))
"""


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
    command = [sys.executable, "-m", "watersmeet.api.cli", "--json", "--config", str(config), "sync"]
    watched = subprocess.run([sys.executable, "-c", _MEASURE, *command], capture_output=True, text=True, timeout=600)
    seconds = time.monotonic() - began
    assert watched.returncode == 0, watched.stderr
    told = json.loads(watched.stdout)
    assert told["code"] == 0, told["err"]
    calls = re.findall(r'"(\S+ \S+) HTTP/1\.1"', log.read_bytes()[before:].decode())
    (row,) = json.loads(told["out"])
    synced = Synced(row, calls, told["peak"] / _PEAKS_A_MEGABYTE, seconds)
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
