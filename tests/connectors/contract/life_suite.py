"""What every connector owes to a source whose settings change: its life from the first sync to the last."""

from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

from watersmeet.federation.model import SyncState
from watersmeet.federation.naming import Registry
from watersmeet.federation.rows import SourceRow, Weight
from watersmeet.federation.store import examine

from .conftest import Databases
from .house import BESIDE, Bench, House, Picture


class SourceLife:
    """Renamed, narrowed, removed from the file, forgotten, brought back: on both databases."""

    house: ClassVar[type[House]]

    @pytest.fixture
    def each(self, databases: Databases) -> Iterator[Bench]:
        """A store in each kind of database in turn, that has read nothing of a house yet."""
        with databases() as url, self.house.opened() as house, Bench.open(house, url) as bench:
            yield bench

    @pytest.mark.law
    def test_a_source_renamed_in_the_file_is_the_same_source(self, each: Bench) -> None:
        each.house.grow(3)
        each.sync()
        before, ids, head = each.picture, numbers(each), each.store.reader.head()
        declare(each, name="called otherwise")
        again = [each.sync(), each.sync(full=True)]
        assert [(one.state, one.written, one.removed) for one in again] == [(SyncState.SUCCEEDED, 0, 0)] * 2
        assert (each.picture, numbers(each), each.store.reader.head()) == (before, ids, head)
        assert each.store.journal.source(each.house.name).name == "called otherwise"

    @pytest.mark.law
    def test_what_exclude_newly_hides_is_withheld_and_comes_back_the_same(self, each: Bench) -> None:
        house = each.house
        hidden = house.add("apart", each.now)
        each.sync()
        before, ids = each.picture, numbers(each)
        assert hidden in before.things
        narrowed = [each.sync(exclude=house.narrowing).state for _ in range(2)]
        assert narrowed == [SyncState.SUCCEEDED] * 2
        shown = told(each)
        assert hidden not in shown
        assert house.root in shown
        assert shown < set(ids)
        assert each.picture.buried == before.buried, "what is hidden is not dead"
        assert is_sound(each)
        assert each.sync().state is SyncState.SUCCEEDED
        assert (each.picture, numbers(each)) == (before, ids)
        assert is_sound(each)

    @pytest.mark.law
    def test_a_source_removed_from_the_file_stays_and_answers_say_so(self, each: Bench) -> None:
        house = each.house
        each.sync()
        before, head = each.picture, each.store.reader.head()
        each.store.journal.declare([BESIDE])
        seen = each.look(house.root)
        assert seen.status == "REMOVED"
        assert not seen.completeness.exact
        remedies = [one.remedy for one in seen.completeness.stale if one.source == house.name]
        assert [f"forget {house.name}" in one for one in remedies] == [True]
        assert (each.picture, each.store.reader.head()) == (before, head)
        declare(each)
        assert each.sync(full=True).written == 0
        assert each.picture == before
        assert each.look(house.root).completeness.exact

    @pytest.mark.law
    @pytest.mark.parametrize("purge", [False, True], ids=["retired", "erased"])
    def test_a_forgotten_source_takes_only_its_own_and_comes_back_whole(self, each: Bench, purge: bool) -> None:
        house, store = each.house, each.store
        house.grow(2)
        each.sync()
        before, ids, beside = each.picture, numbers(each), Picture.of(store, BESIDE.id)
        assert beside.edges
        store.journal.declare([BESIDE])
        done = store.forget(house.name, Registry.EMPTY, purge=purge, by="a test")
        assert done.retired > 0
        assert (done.erased > 0) is purge
        assert told(each) == set()
        assert Picture.of(store, BESIDE.id) == beside
        assert (house.name in [row.id for row in store.journal.sources()]) is not purge
        assert is_sound(each)
        declare(each)
        assert each.sync().state is SyncState.SUCCEEDED
        assert each.picture == before
        back = numbers(each)
        assert (back == ids) is not purge, "ids that were erased are never given again"
        assert each.sync(full=True).written == 0
        assert Picture.of(store, BESIDE.id) == beside
        assert is_sound(each)


def declare(bench: Bench, **changed: Any) -> None:
    """Put the source back into the file, perhaps changed."""
    house = bench.house
    told: dict[str, Any] = {
        "name": house.name,
        "platform": house.platform,
        "url": house.address,
        "position": 0,
        **changed,
    }
    bench.store.journal.declare([SourceRow(house.name, **told), BESIDE])


def numbers(bench: Bench) -> dict[str, int]:
    """The record ids of what the source describes, by native id."""
    columns = bench.store.reader.columns()
    rows = (row for rows in bench.store.reader.assets(columns.asset.tolist()).values() for row in rows)
    own = (row for row in rows if row.source == bench.house.name and row.tombstoned_at is None)
    return {row.native_id: row.id for row in own if row.described}


def told(bench: Bench) -> set[str]:
    """The native ids of what the source describes."""
    return set(numbers(bench))


def is_sound(bench: Bench) -> bool:
    """Whether the doctor finds nothing broken."""
    found = examine(str(bench.store.url), Registry.EMPTY, full=True, clock=bench.clock)
    return not [one for one in found if one.weight is Weight.BROKEN]
