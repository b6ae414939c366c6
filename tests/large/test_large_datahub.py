"""A DataHub of many datasets with ten columns each: read through kills, in little memory, and then hardly asked."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import pytest

from watersmeet.connectors.datahub.options import Options
from watersmeet.connectors.datahub.sandbox import Sandbox
from watersmeet.federation.model import AssetKind, EdgeKind

from ..scale import how_many
from .datahub_world import COLUMNS, Grown, table_edges
from .watched import MOST_MEGABYTES, Synced, Watched

DATASETS = how_many(quick=1_200, ci=4_000, long=200_000)
"""In the long run two million edges between columns."""
PAGES = DATASETS // Options().page_size
BEFORE = 4
"""What the server is, what it knows, and where its two logs end, is asked before the first page."""

pytestmark = [pytest.mark.hard, pytest.mark.timeout(how_many(quick=600, ci=1800, long=0))]


@dataclass(frozen=True, slots=True)
class Read:
    """A catalogue that was read."""

    watched: Watched
    resumed: Synced
    """The rest, after kills."""
    whole: Synced
    """Everything from first to last, on what was known."""
    unchanged: Synced


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Read]:
    with Sandbox(empty=True, world=partial(Grown, datasets=DATASETS)) as sandbox:
        source = {"name": "catalog", "platform": "datahub", "url": sandbox.url}
        watched = Watched(tmp_path_factory.mktemp("large"), source, lambda: len(sandbox.calls))
        for _ in range(2):
            watched.killed(BEFORE + PAGES // 3 + 1)
        resumed, whole, unchanged = (watched.sync() for _ in range(3))
        yield Read(watched, resumed, whole, unchanged)


def test_every_dataset_column_and_edge_is_there(catalog: Read) -> None:
    graph = catalog.watched.graph()
    assert graph.records(AssetKind.DATASET) == DATASETS
    assert graph.records(AssetKind.COLUMN) == DATASETS * COLUMNS
    assert graph.edges(EdgeKind.DERIVE, AssetKind.DATASET) == table_edges(DATASETS)
    assert graph.edges(EdgeKind.DERIVE, AssetKind.COLUMN) == table_edges(DATASETS) * COLUMNS
    assert catalog.whole.row["complete"]


def test_a_killed_sync_goes_on_where_it_stood(catalog: Read) -> None:
    assert catalog.resumed.requests < catalog.whole.requests - PAGES // 2
    assert catalog.whole.row["written"] == 0


def test_an_unchanged_catalogue_costs_two_of_a_hundred_requests_and_no_row(catalog: Read) -> None:
    """By the change log; without it (options.events, or a server that has none) everything is read each time."""
    assert (catalog.unchanged.row["written"], catalog.unchanged.row["removed"]) == (0, 0)
    assert catalog.unchanged.requests <= max(4, catalog.whole.requests * 0.02)


def test_it_takes_little_memory(catalog: Read) -> None:
    assert max(one.megabytes for one in (catalog.resumed, catalog.whole, catalog.unchanged)) < MOST_MEGABYTES
