"""The miniature over real HTTP: what its story tells is read, and what is done to it is followed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from watersmeet.connectors.datahub.sandbox import Sandbox
from watersmeet.federation.model import AssetKind, EdgeKind

from ..conftest import Told
from ..contract.datahub_house import DataHubHouse
from ..contract.house import Bench
from .conftest import Connect, Read, proposal, written

LOG = {"options": {"events": False}}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


def test_the_story_is_read_whole_and_what_changes_is_followed(sandbox: Sandbox, connect: Connect) -> None:
    """DataHub, check 19: without GraphQL; DataHub, check 16: names beyond ASCII survive the change log."""
    told = Told.by(connect(sandbox.url).read(None))
    assert (told.failures, told.skipped, told.complete) == ([], [], True)
    kinds = {one.kind for one in told.records.values()}
    assert {AssetKind.DATASET, AssetKind.JOB, AssetKind.RUN, AssetKind.MODEL_VERSION, AssetKind.DEPLOYMENT} <= kinds
    table = next(one for one in sandbox.world.entities if ":dataset:" in one)
    sandbox.put(table, "datasetProperties", {"name": "größer", "customProperties": {}})
    changed = Told.by(connect(sandbox.url).read(told.cursor))
    assert "größer" in {one.name for scope in changed.scopes for one in scope.records}
    sandbox.hard_delete(table)
    assert [one.native_id for one in Told.by(connect(sandbox.url).read(changed.cursor)).tombstones] == [table]
    assert list(connect(sandbox.url).gone([table])) == [table]
    assert not any("graphql" in one.path for one in sandbox.calls)


def test_a_restart_and_a_hidden_type_cost_nothing_else(sandbox: Sandbox, read: Read) -> None:
    """DataHub, check 6: a plain scroll continues after a restart; DataHub, check 4: a forbidden type stays alone."""
    sandbox.hide("assertion")
    sandbox.between.append(lambda asked: sandbox.restart())
    told = read(sandbox.url, **LOG)
    assert [one.partition(":")[0] for one in told.failures] == ["assertion"]
    assert "assertion" not in told.listed
    assert {"dataset", "incident", "mlModel"} <= told.listed


def test_one_broken_aspect_is_put_aside_alone(sandbox: Sandbox, read: Read) -> None:
    """DataHub, check 12: over real HTTP."""
    table = next(one for one in sandbox.world.entities if ":dataset:" in one)
    sandbox.break_aspect(table, "ownership", "broken")
    told = read(sandbox.url, **LOG)
    assert [one.what for one in told.skipped] == [f"{table} ownership"]
    assert told.records[table].described


def test_lineage_that_became_unreadable_stands_as_it_was_known(tmp_path: Path) -> None:
    with DataHubHouse.opened() as house, Bench.open(house, f"sqlite:///{tmp_path / 'store.db'}") as bench:
        bench.sync()
        before = bench.picture.edges
        house.sandbox.break_aspect(house.root, "upstreamLineage", {"upstreams": 5})
        for full in (False, True, True):
            bench.sync(full=full)
            assert bench.picture.edges == before
        assert any("upstreamLineage: upstreams" in one for one in bench.look(house.root).skips)


def test_the_log_that_may_not_be_followed_is_named(sandbox: Sandbox, connect: Connect) -> None:
    sandbox.may_follow = False
    assert connect(sandbox.url).check().missing_grants == ("GET_METADATA_CHANGE_LOG_EVENTS",)


def test_a_server_from_before_the_scroll_is_too_old(connect: Connect) -> None:
    """DataHub, check 14: over real HTTP."""
    with Sandbox(has_scroll=False) as old, pytest.raises(Exception, match="too old to be read"):
        list(connect(old.url, **LOG).read(None))


def test_a_file_and_the_server_say_the_same_over_real_http(sandbox: Sandbox, read: Read, tmp_path: Path) -> None:
    """DataHub, check 1: the same graph from the API as from a file."""
    records = [
        proposal(urn, name, aspect.value)
        for urn, entity in sandbox.world.entities.items()
        for name, aspect in entity.aspects.items()
    ]
    by_file, by_rest = read(written(tmp_path / "x.json", *records)), read(sandbox.url, **LOG)
    for kind in EdgeKind:
        assert by_file.pairs(kind) == by_rest.pairs(kind), kind
    assert {one for one, told in by_file.records.items() if told.described} == {
        one for one, told in by_rest.records.items() if told.described
    }
