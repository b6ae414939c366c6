"""Many versions: their manifests are read together, each of them once, however often a reading is broken off."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice

import pytest

from watersmeet.connectors.wandb.manifests import MANIFESTS
from watersmeet.connectors.wandb.read import Wandb
from watersmeet.connectors.wandb.sandbox import Sandbox
from watersmeet.connectors.wandb.sandbox_artifacts import Artifact
from watersmeet.connectors.wandb.sandbox_world import reference
from watersmeet.federation.connector import Batch, Cursor

from .miniature import read, records, skipped, source

COLLECTIONS, VERSIONS = 5, 30
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def logged(sandbox: Sandbox, collection: int, number: int) -> Artifact:
    """One more version of a collection."""
    run = sandbox.world.project("acme/fraud").all_runs[0]
    entries = {"a": reference(f"s3://lake/{collection}/{number}", f"{collection}-{number}")}
    return sandbox.world.log_artifact(run, f"set-{collection}", "dataset", entries)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Some collections of many versions each, all of long ago."""
    with Sandbox(empty=True) as running:
        running.world.told_time = LONG_AGO
        running.world.log_run("acme/fraud", "maker")
        for collection in range(COLLECTIONS):
            for number in range(VERSIONS):
                logged(running, collection, number)
        running.world.told_time = None
        yield running


def handed_out(sandbox: Sandbox) -> Counter[str]:
    """How often the address of each version's manifest was asked for."""
    found = Counter[str]()
    for one in sandbox.calls:
        if one.operation.startswith("WatersmeetManifest"):
            found.update(str(id_) for id_ in one.variables.values())
    return found


def with_manifest(batches: list[Batch]) -> set[str]:
    told = (one for batch in batches for scope in batch.scopes for one in scope.records)
    return {one.native_id for one in told if "manifest" in one.facets}


def versions(sandbox: Sandbox) -> set[str]:
    return {f"version/{one}" for one in sandbox.world.artifacts}


def some_of(sandbox: Sandbox, since: Cursor | None, count: int) -> list[Batch]:
    """The first batches of a read that is broken off then."""
    reader = Wandb(source(sandbox), sleep=lambda seconds: None)
    try:
        return list(islice(reader.read(since), count))
    finally:
        reader.close()


def kept(batches: list[Batch]) -> Cursor | None:
    """The cursor as a store holds it."""
    return json.loads(json.dumps(batches[-1].resume))


def test_the_manifests_of_many_versions_are_asked_for_together(sandbox: Sandbox) -> None:
    told = read(sandbox)
    questions = [one for one in sandbox.calls if one.operation.startswith("WatersmeetManifest")]
    assert len(questions) == COLLECTIONS * -(-VERSIONS // MANIFESTS)
    assert set(handed_out(sandbox).values()) == {1}
    assert with_manifest(told) == versions(sandbox)


def test_one_that_is_gone_meanwhile_takes_no_other_with_it(sandbox: Sandbox) -> None:
    gone = next(iter(sandbox.world.artifacts.values()))
    sandbox.fail("WatersmeetManifests", kind="bent", bend=lambda told: deleted(sandbox, gone, told))
    told = read(sandbox)
    assert with_manifest(told) == versions(sandbox) - {f"version/{gone.id}"}
    assert [one.what for one in skipped(told)] == [f"manifest of version/{gone.id}"]
    assert not skipped(told)[0].lost


def deleted(sandbox: Sandbox, gone: Artifact, told: dict[str, dict[str, object]]) -> dict[str, dict[str, object]]:
    """The answer as if a version had been deleted before its turn came."""
    sandbox.world.delete_artifact(gone)
    data = {
        name: {**one, "currentManifest": None} if isinstance(one, dict) and one["id"] == gone.id else one
        for name, one in told["data"].items()
    }
    return {"data": data}


def test_where_several_cannot_be_asked_for_each_is_asked_for_alone(sandbox: Sandbox) -> None:
    sandbox.fail("WatersmeetManifests", status=400, body='{"errors":[{"message":"too complex"}]}', times=1000)
    assert with_manifest(read(sandbox)) == versions(sandbox)


def test_a_full_reading_that_is_broken_off_at_any_batch_asks_for_no_manifest_again(sandbox: Sandbox) -> None:
    """What the batch that was not kept any more had asked for is asked for again, and no more."""
    whole = read(sandbox)
    for count in range(3, len(whole)):  # the entities and their projects come first
        sandbox.calls.clear()
        first = some_of(sandbox, None, count)
        second = read(sandbox, kept(first))
        assert with_manifest(first) | with_manifest(second) == versions(sandbox)
        assert records(first).keys() | records(second).keys() == records(whole).keys()
        again = sum(handed_out(sandbox).values()) - len(versions(sandbox))
        assert 0 <= again <= VERSIONS, f"broken off after {count} batches"
        assert not any(one.startswith("version:") for one in second[-1].listed)  # it has not seen them all


def test_what_is_made_behind_the_place_of_a_broken_off_reading_is_not_missed(sandbox: Sandbox) -> None:
    first = some_of(sandbox, None, len(read(sandbox)) // 2)
    late = [logged(sandbox, collection, VERSIONS) for collection in range(COLLECTIONS)]
    second = read(sandbox, kept(first))
    third = read(sandbox, kept(second))
    assert {f"version/{one.id}" for one in late} <= with_manifest(second) | with_manifest(third)
    assert third[-1].listed
