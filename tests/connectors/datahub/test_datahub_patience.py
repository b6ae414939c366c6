"""A server that is pressed, restarts or forgets: what is waited for, how long, and what is begun again."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from watersmeet.config.settings import Source
from watersmeet.connectors.datahub.read import DataHub
from watersmeet.connectors.datahub.sandbox import Sandbox
from watersmeet.federation.errors import SourceUnavailable
from watersmeet.federation.model import SyncState
from watersmeet.federation.naming import Registry
from watersmeet.federation.rows import SourceRow
from watersmeet.federation.store import Store
from watersmeet.federation.sync import pull

from ..conftest import NOW, Told
from .asking import Clock, properties
from .catalog import URL, Catalog
from .conftest import Connect, Read
from .following import A, three
from .names import dataset

PAGES: dict[str, Any] = {"options": {"events": False, "page_size": 2}}
KEEP_ALIVE = 300
NAMES = [f"db.t{number}" for number in range(7)]


@pytest.fixture
def pinned(sandbox: Sandbox) -> Sandbox:
    """A server with some tables, whose every scroll looks at a point in time."""
    sandbox.pin()
    properties(sandbox, *NAMES)
    return sandbox


def passes(clock: Clock, seconds: float, times: int) -> Callable[[Any], None]:
    """Time goes by before some pages of the tables."""
    left = [times]

    def before(asked: Any) -> None:
        is_next = "scrollId" in asked.path and "dataset" in asked.body["entities"]
        if left[0] and is_next:
            left[0] -= 1
            clock.now += seconds

    return before


def tables(told: Told) -> list[str]:
    return sorted(one for one in told.records if ":dataset:" in one)


def test_a_point_in_time_that_is_kept_alive_lasts(pinned: Sandbox, clock: Clock, read: Read) -> None:
    pinned.between.append(passes(clock, KEEP_ALIVE - 1, times=99))
    told = read(pinned.url, **PAGES)
    assert (tables(told), told.failures) == ([dataset(one) for one in NAMES], [])
    begun = [one for one in pinned.calls if "scroll?" in one.path and one.body["entities"] == ["dataset"]]
    assert len([one for one in begun if "scrollId" not in one.path]) == 1


@pytest.mark.parametrize("times", [1, 2])
def test_a_point_in_time_that_expired_is_begun_again_at_once(
    pinned: Sandbox, clock: Clock, read: Read, waited: list[float], times: int
) -> None:
    """DataHub, check 7: its time passes between two pages; known without the retry ladder, no duplicates, no loss."""
    pinned.between.append(passes(clock, KEEP_ALIVE + 1, times))
    told = read(pinned.url, **PAGES)
    assert (told.failures, told.skipped, waited) == ([], [], [])
    assert tables(told) == [dataset(one) for one in NAMES]
    assert ("dataset" in told.listed, told.complete) == (True, True)
    begun = [one for one in pinned.calls if "scroll?" in one.path and one.body["entities"] == ["dataset"]]
    assert len([one for one in begun if "scrollId" not in one.path]) == 1 + times


def test_a_point_in_time_that_always_expires_is_unstable_and_nothing_is_gone(
    pinned: Sandbox, clock: Clock, read: Read, waited: list[float]
) -> None:
    """DataHub, check 7: after two restarts the type is named, the others are read."""
    pinned.put("urn:li:tag:t", "tagProperties", {"name": "t"})
    pinned.between.append(passes(clock, KEEP_ALIVE + 1, times=99))
    told = read(pinned.url, **PAGES)
    assert [one.partition(" ")[2][:15] for one in told.failures] == ["scroll_unstable"]
    assert told.failures[0].startswith("dataset: ")
    assert ("dataset" in told.listed, told.complete, waited) == (False, False, [])
    assert "urn:li:tag:t" in told.records


def test_a_scan_that_was_begun_again_stores_everything_once(pinned: Sandbox, clock: Clock, tmp_path: Path) -> None:
    """DataHub, check 7: in the store."""
    pinned.between.append(passes(clock, KEEP_ALIVE + 1, times=2))
    with sources(tmp_path, catalog=pinned.url) as store:
        assert synced(store, "catalog", pinned.url, **PAGES) is SyncState.SUCCEEDED
        assert store.journal.counts("catalog").assets == len(pinned.world.entities)
        assert synced(store, "catalog", pinned.url, **PAGES) is SyncState.SUCCEEDED
        assert store.journal.syncs("catalog")[0].written == 0


# Patience


@pytest.fixture
def catalog() -> Catalog:
    return three()


def test_what_the_server_asks_for_is_waited_and_told(catalog: Catalog, connect: Connect, waited: list[float]) -> None:
    """DataHub, check 5: a number and a date are honoured, and the total wait is visible."""
    catalog.fail("scroll", 429, 1, headers={"retry-after": "3"})
    catalog.fail("scroll", 429, 1, headers={"retry-after": "Thu, 26 Nov 2026 12:00:05 GMT"})
    told = Told.by(connect(URL, transport=catalog.transport).read(None))
    assert (told.complete, waited[:2]) == (True, [3.0, 5.0])
    *_, last = [one for one in told.skipped if one.what == "waiting for the server"]
    assert last.reason == f"{sum(waited):,.0f} s in all: the server asked for patience, or was in trouble"
    assert not last.lost
    catalog.faults.clear()
    assert Told.by(connect(URL, transport=catalog.transport).read(None)).skipped == []


@pytest.mark.parametrize(("asked", "is_waited"), [("120", True), ("121", False)])
def test_a_wait_is_capped_at_two_minutes(
    catalog: Catalog, connect: Connect, waited: list[float], asked: str, is_waited: bool
) -> None:
    """DataHub, check 5: capped."""
    catalog.fail("scroll", 429, 1, headers={"retry-after": asked})
    told = connect(URL, transport=catalog.transport).read(None)
    if is_waited:
        assert Told.by(told).complete
        assert waited[0] == 120.0
    else:
        with pytest.raises(SourceUnavailable, match="it asks us to come back at 2026-11-26T12:02:01Z"):
            list(told)
        assert waited == []


def test_where_the_server_names_no_time_the_waits_grow_and_differ(
    catalog: Catalog, connect: Connect, waited: list[float]
) -> None:
    """DataHub, check 5: jittered, so that many who were sent away do not come back together."""
    firsts = set[float]()
    for _ in range(8):
        waited.clear()
        catalog.faults.clear()
        catalog.fail("config", 429, 3)
        assert Told.by(connect(URL, transport=catalog.transport).read(None)).complete
        assert 0.25 <= waited[0] <= 0.5
        firsts.add(waited[0])
    assert len(firsts) > 1


def test_another_source_does_not_wait_for_one_that_is_pressed(catalog: Catalog, tmp_path: Path) -> None:
    """DataHub, check 5: other sources are unaffected."""
    pressed, calm = [], []
    catalog.fail("scroll", 429, headers={"retry-after": "60"})
    with Sandbox() as other, sources(tmp_path, catalog=URL, other=other.url) as store:
        before = synced(store, "catalog", URL, transport=catalog.transport, waited=pressed)
        assert synced(store, "other", other.url, waited=calm) is SyncState.SUCCEEDED
        assert (before, calm) == (SyncState.FAILED, [])
        assert pressed
        assert all(one >= 60 for one in pressed[:1])
        assert store.journal.counts("other").assets > 25
        catalog.faults.clear()
        assert synced(store, "catalog", URL, transport=catalog.transport, waited=pressed) is SyncState.SUCCEEDED
        assert store.reader.find_native([A])


def sources(folder: Path, **addresses: str) -> Store:
    """A store that knows some sources."""
    store = Store.open(f"sqlite:///{folder / 'told.db'}")
    rows = enumerate(addresses.items())
    store.journal.declare([SourceRow(name, name, "datahub", url, place) for place, (name, url) in rows])
    return store


def synced(
    store: Store, name: str, url: str, *, transport: Any = None, waited: list[float] | None = None, **settings: Any
) -> SyncState:
    """One sync of one of them."""
    source = Source.model_validate({"name": name, "platform": "datahub", "url": url, **settings})
    sleep = waited.append if waited is not None else lambda seconds: None
    reading = DataHub(source, transport=transport, clock=lambda: NOW, sleep=sleep)
    try:
        return pull(store, name, reading, registry=Registry.EMPTY).state
    finally:
        reading.close()
