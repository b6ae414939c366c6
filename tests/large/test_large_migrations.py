"""A catalogue and a tracker with much in them, each written to the other platform through kills."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from watersmeet.connectors.datahub.sandbox import Sandbox as DataHub
from watersmeet.connectors.wandb.sandbox import KEY
from watersmeet.connectors.wandb.sandbox import Sandbox as Wandb

from ..scale import how_many
from .datahub_world import COLUMNS, Grown
from .wandb_world import LINES, grow, versions
from .watched import MOST_MEGABYTES, Synced, Watched

DATASETS = how_many(quick=100, ci=600, long=20_000)
RUNS = how_many(quick=200, ci=600, long=10_000)

pytestmark = [pytest.mark.hard, pytest.mark.timeout(how_many(quick=600, ci=1800, long=0))]


@dataclass(frozen=True, slots=True)
class Written:
    """What was migrated through two kills, and once more after that."""

    target: Any
    before: list[int]
    """Requests of the two that were killed."""
    rest: Synced
    again: Synced


def _wandb(sandbox: Wandb, name: str) -> dict[str, Any]:
    told = {"name": name, "platform": "wandb", "url": sandbox.url, "token": "${WANDB_KEY}"}
    return told | {"also": [sandbox.storage.url], "options": {"page_size": 100}}


def _migrated(watched: Watched, target: Any, kills: int) -> Written:
    watched.sync()
    target.calls.clear()
    before = [watched.killed_migrating("there", kills) for _ in range(2)]
    return Written(target, before, watched.migrated("there"), watched.migrated("there"))


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Written]:
    """A catalogue, written to Weights & Biases."""
    with DataHub(empty=True, world=partial(Grown, datasets=DATASETS)) as origin, Wandb(empty=True) as target:
        source = {"name": "here", "platform": "datahub", "url": origin.url}
        folder = tmp_path_factory.mktemp("tables")
        calls = (target.calls, target.storage.calls)
        watched = Watched(folder, source, lambda: sum(map(len, calls)), _wandb(target, "there"), WANDB_KEY=KEY)
        yield _migrated(watched, target, DATASETS)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Written]:
    """A tracker, written to DataHub."""
    with Wandb(empty=True) as origin, DataHub(empty=True) as target:
        grow(origin.world, RUNS)
        there = {"name": "there", "platform": "datahub", "url": target.url}
        folder = tmp_path_factory.mktemp("runs")
        watched = Watched(folder, _wandb(origin, "here"), lambda: len(target.calls), there, WANDB_KEY=KEY)
        yield _migrated(watched, target, RUNS // 3)


@pytest.fixture(params=["tables", "runs"])
def migrated(request: pytest.FixtureRequest) -> Written:
    return request.getfixturevalue(request.param)


def test_every_fact_has_its_outcome_and_none_is_refused(migrated: Written) -> None:
    row = migrated.rest.row
    assert row["resumed"]
    assert (row["unaccounted"], row["verdicts"]["FAILED"]) == (0, 0)
    assert row["facts"] == sum(row["verdicts"].values())


def test_everything_stands_there_once(tables: Written, runs: Written) -> None:
    collections = tables.target.world.project("acme/watersmeet").collections
    assert [len(one.members) for one in collections] == [1] * DATASETS
    told = [json.loads(each.artifact.metadata)["_watersmeet"] for one in collections for each in one.members]
    columns = [len(one["columns"]) for one in told]
    assert columns == [COLUMNS] * DATASETS
    expected = {
        "dataProcessInstance": RUNS + RUNS,  # and one between each model and the file that it is in
        "mlModel": RUNS,
        "dataset": (versions(RUNS) - RUNS) + 2 * LINES + versions(RUNS),  # versions, collections and files
    }
    assert {kind: sum(1 for _ in runs.target.world.urns({kind})) for kind in expected} == expected


def test_a_killed_migration_goes_on_where_it_stood(migrated: Written) -> None:
    """What it counts over all runs is more than what arrived in the last one."""
    assert migrated.rest.requests < migrated.rest.row["requests"] <= migrated.rest.requests + sum(migrated.before)


def test_the_same_again_changes_nothing(migrated: Written) -> None:
    assert migrated.again.row["verdicts"] == migrated.rest.row["verdicts"]
    assert not migrated.again.row["resumed"]


def test_it_takes_little_memory(migrated: Written) -> None:
    assert max(migrated.rest.megabytes, migrated.again.megabytes) < MOST_MEGABYTES
