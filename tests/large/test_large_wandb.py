"""An instance of many runs with three versions each: read through kills, in little memory, and then hardly asked."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

import pytest

from watersmeet.connectors.wandb.sandbox import KEY, Sandbox
from watersmeet.connectors.wandb.shelf import MANIFESTS
from watersmeet.federation.model import AssetKind, EdgeKind

from ..scale import how_many
from .wandb_world import LINES, grow, used, versions
from .watched import MOST_MEGABYTES, Synced, Watched

RUNS = how_many(quick=500, ci=2_000, long=100_000)
PAGE = 100
COLLECTIONS, IN_EACH = 3 * LINES, RUNS // LINES
REQUESTS = RUNS // PAGE + COLLECTIONS * (ceil(IN_EACH / 100) + ceil(IN_EACH / MANIFESTS))
"""Pages of runs, and of each collection's versions the pages and the questions for their manifests."""

pytestmark = [pytest.mark.hard, pytest.mark.timeout(how_many(quick=600, ci=1800, long=0))]


@dataclass(frozen=True, slots=True)
class Read:
    """An instance that was read."""

    watched: Watched
    killed: int
    """How many requests two syncs made that were killed."""
    resumed: Synced
    """The rest, after them."""
    whole: Synced
    """Everything from first to last, on what was known."""
    unchanged: Synced


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Read]:
    with Sandbox(empty=True) as sandbox:
        grow(sandbox.world, RUNS)
        source = {"name": "lab", "platform": "wandb", "url": sandbox.url, "token": "${WANDB_KEY}"}
        source |= {"also": [sandbox.storage.url], "options": {"page_size": PAGE}}
        folder = tmp_path_factory.mktemp("large")
        watched = Watched(folder, source, lambda: len(sandbox.calls), WANDB_KEY=KEY)
        killed = sum(watched.killed(REQUESTS // 3) for _ in range(2))
        resumed, whole, unchanged = (watched.sync() for _ in range(3))
        yield Read(watched, killed, resumed, whole, unchanged)


def test_every_run_version_and_edge_is_there(instance: Read) -> None:
    graph = instance.watched.graph()
    assert graph.records(AssetKind.RUN) == RUNS
    assert graph.edges(EdgeKind.WRITE, AssetKind.RUN) == versions(RUNS)
    assert graph.edges(EdgeKind.READ, AssetKind.MODEL_VERSION) == used(RUNS)
    assert graph.edges(EdgeKind.DERIVE, AssetKind.DATASET) == versions(RUNS)
    assert instance.whole.row["complete"]


def test_a_killed_sync_goes_on_where_it_stood(instance: Read) -> None:
    assert instance.killed + instance.resumed.requests < REQUESTS * 1.2
    assert instance.whole.row["written"] == 0


def test_an_unchanged_instance_costs_two_of_a_hundred_requests_and_no_row(instance: Read) -> None:
    assert (instance.unchanged.row["written"], instance.unchanged.row["removed"]) == (0, 0)
    assert instance.unchanged.requests <= max(12, (instance.killed + instance.resumed.requests) * 0.02)


def test_it_takes_little_memory(instance: Read) -> None:
    assert max(one.megabytes for one in (instance.resumed, instance.whole, instance.unchanged)) < MOST_MEGABYTES
