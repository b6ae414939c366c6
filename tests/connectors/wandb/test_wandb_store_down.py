"""The store of manifests is another host: while it gives nothing the rest is read, and what it owes is caught up."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import pytest

from watersmeet.connectors.wandb.cursor import PENDING
from watersmeet.connectors.wandb.manifests import REFUSALS, TROUBLES
from watersmeet.connectors.wandb.read import Wandb
from watersmeet.connectors.wandb.sandbox import Sandbox
from watersmeet.connectors.wandb.sandbox_world import reference
from watersmeet.federation.connector import Batch, Cursor

from .miniature import read, records, skipped, source

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
TRIES = 6
"""As often is one request tried."""


def log(sandbox: Sandbox, count: int, start: int = 0) -> None:
    """So many versions of one collection, made one minute after another."""
    run = sandbox.world.project("acme/fraud").all_runs[0]
    for number in range(start, start + count):
        sandbox.world.told_time = LONG_AGO + timedelta(minutes=number)
        sandbox.world.log_artifact(run, "set", "dataset", {"a": reference(f"s3://lake/{number}", str(number))})
    sandbox.world.told_time = None


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(empty=True) as running:
        running.world.told_time = LONG_AGO
        running.world.log_run("acme/fraud", "maker")
        yield running


def ids(sandbox: Sandbox) -> list[str]:
    return [f"version/{one}" for one in sandbox.world.artifacts]


def with_manifest(batches: Sequence[Batch]) -> set[str]:
    told = (one for batch in batches for scope in batch.scopes for one in scope.records)
    return {one.native_id for one in told if "manifest" in one.facets}


def fetched(sandbox: Sandbox) -> int:
    return sum("manifest" in one.path for one in sandbox.storage.calls)


def failures(batches: Sequence[Batch]) -> list[str]:
    return [one for batch in batches for one in batch.failures]


def kept(batches: Sequence[Batch]) -> Cursor:
    """The cursor as a store holds it."""
    return json.loads(json.dumps(batches[-1].resume))


def down(sandbox: Sandbox, **fault: Any) -> None:
    sandbox.storage.fail("wandb_manifest", **{"times": 1_000_000, **fault})


def up(sandbox: Sandbox) -> None:
    sandbox.storage.faults.clear()
    sandbox.storage.calls.clear()
    sandbox.calls.clear()


def test_one_manifest_in_trouble_is_a_named_gap_that_the_next_read_closes(sandbox: Sandbox) -> None:
    log(sandbox, 5)
    down(sandbox, times=TRIES, skip=1)
    told = read(sandbox)
    (gap,) = skipped(told)
    assert gap.lost
    assert "503" in gap.reason
    assert with_manifest(told) == {*ids(sandbox)} - {gap.what.removeprefix("manifest of ")}
    assert [key.rpartition("/")[2] for batch in told for key in batch.unread] == [gap.what.rpartition("/")[2]]
    assert told[-1].complete
    up(sandbox)
    mended = read(sandbox, kept(told))
    assert with_manifest(mended) == {gap.what.removeprefix("manifest of ")}
    assert [(one.what, one.lost) for one in skipped(mended)] == [(gap.what, False)]
    assert fetched(sandbox) == 1


@pytest.mark.parametrize("fault", [{"status": 503}, {"kind": "reset"}, {"status": 429}])
def test_a_store_that_is_down_is_left_in_peace_and_the_rest_is_read(sandbox: Sandbox, fault: dict[str, Any]) -> None:
    log(sandbox, 60)
    down(sandbox, **fault)
    told = read(sandbox)
    assert fetched(sandbox) == TROUBLES * TRIES
    assert records(told).keys() >= {*ids(sandbox)}
    assert len(skipped(told)) == TROUBLES
    (said,) = failures(told)
    assert f"put off until the next sync: {60 - TROUBLES}" in said
    assert "version:" in "".join(told[-1].listed)
    assert not told[-1].complete
    up(sandbox)
    mended = read(sandbox, kept(told))
    assert with_manifest(mended) == {*ids(sandbox)}
    assert mended[-1].complete
    assert fetched(sandbox) == 60


def test_a_store_that_refuses_everything_is_left_in_peace_too(sandbox: Sandbox) -> None:
    log(sandbox, 60)
    down(sandbox, status=403)
    told = read(sandbox)
    assert fetched(sandbox) == 2 * REFUSALS
    assert "403" in failures(told)[0]
    up(sandbox)
    assert len(with_manifest(read(sandbox, kept(told)))) == 60 - REFUSALS
    assert with_manifest(read(sandbox)) == {*ids(sandbox)}


def test_what_was_put_off_is_asked_for_though_newer_ones_stand_before_it(sandbox: Sandbox) -> None:
    log(sandbox, 30)
    down(sandbox)
    told = read(sandbox)
    up(sandbox)
    log(sandbox, 30, start=30)
    since = kept(told)
    assert with_manifest(read(sandbox, since)) == {*ids(sandbox)}
    gone = next(iter(sandbox.world.artifacts.values()))
    del sandbox.world.artifacts[gone.id]
    assert with_manifest(read(sandbox, since)) == {*ids(sandbox)}


@pytest.mark.parametrize("status", [503, 403])
def test_more_than_can_be_remembered_is_not_forgotten(sandbox: Sandbox, status: int) -> None:
    log(sandbox, PENDING + 60)
    down(sandbox, status=status)
    told = read(sandbox)
    up(sandbox)
    again = read(sandbox, kept(told))
    found = with_manifest(again)
    if status == 403:  # those that were asked for and refused wait for a full read
        found |= with_manifest(read(sandbox, full_due(kept(again))))
    assert found == {*ids(sandbox)}
    assert again[-1].complete


def full_due(since: Cursor) -> Cursor:
    """As if the last full read were long ago."""
    projects = {id_: one | {"reconciled": "2026-01-01T00:00:00Z"} for id_, one in since["projects"].items()}
    return {**since, "projects": projects}


def test_more_than_can_be_remembered_is_not_forgotten_by_a_reading_that_is_broken_off(sandbox: Sandbox) -> None:
    log(sandbox, PENDING + 260)
    down(sandbox)
    reader = Wandb(source(sandbox), sleep=lambda seconds: None)
    first = list(islice(reader.read(None), 60))  # in the midst of the versions
    reader.close()
    assert not first[-1].complete
    up(sandbox)
    second = read(sandbox, kept(first))
    third = read(sandbox, kept(second))
    assert with_manifest(second) | with_manifest(third) == {*ids(sandbox)}
    assert third[-1].complete


def test_manifests_that_are_too_large_are_asked_for_once_and_say_nothing_of_the_store(sandbox: Sandbox) -> None:
    large, others = REFUSALS + 5, 5
    log(sandbox, large + others)
    down(sandbox, kind="bomb", times=large)
    told = read(sandbox, http={"page_bytes": 4_000_000})
    assert len(with_manifest(told)) == others
    assert len([one for one in skipped(told) if "page_bytes" in one.reason]) == large
    assert fetched(sandbox) == large + others
    assert not failures(told)
