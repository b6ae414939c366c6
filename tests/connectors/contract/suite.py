"""What every connector owes to the store and to people: a platform joins with one line and its house."""

import itertools
import logging
import re
import tracemalloc
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from watersmeet.api.exporting import exported
from watersmeet.federation.model import SyncState

from ...federation.databases import put_store
from ...scale import how_many
from .conftest import Databases
from .house import Bench, House, Killed, Picture
from .life_suite import SourceLife

DAY = timedelta(days=1, minutes=1)
SECRET = "s3cr3t-Kq8ZtV5w2XyB"
NOISE = 100_000
"""Bytes that come and go whatever is read; what a kept page of the smallest run would hold is several times as much."""
edits = st.lists(st.integers(0, 10_000) | st.none(), min_size=1, max_size=8)
"""A history: edits by number, and None where a sync comes between."""


PASSING = ("429 with Retry-After", "429", "503", "500", "truncated", "reset")
"""Faults that pass: every second one where time is short."""


class ConnectorContract(SourceLife):
    """`class TestShelf(ConnectorContract): house = ShelfHouse`, and the shelf is held to it."""

    house: ClassVar[type[House]]

    @pytest.fixture(autouse=True)
    def able(self, request: pytest.FixtureRequest) -> None:
        """What a platform cannot show is skipped by name, with the reason."""
        reason = self.house.cannot.get(request.node.originalname)
        if reason is not None:
            pytest.skip(f"{self.house.platform}: {reason}")

    @pytest.fixture
    def bench(self, tmp_path: Path) -> Iterator[Bench]:
        """A store that has read nothing of a house yet."""
        put_store(tmp_path / "store.db")
        with self.house.opened() as house, Bench.open(house, f"sqlite:///{tmp_path / 'store.db'}") as bench:
            yield bench

    @contextmanager
    def beside(self, bench: Bench, folder: Path) -> Generator[Bench]:
        """A second store that follows the same house."""
        put_store(folder / "beside.db")
        with following(bench, f"sqlite:///{folder}/beside.db") as other:
            yield other

    # Reading

    def test_nothing_is_read_before_it_is_asked_for(self, bench: Bench) -> None:
        """One page at a time: a kill loses one, and memory holds one."""
        bench.house.grow(20)
        connector = bench.house.connect(bench.now, **bench.house.small)
        before = bench.house.asked
        batches = connector.read(None)
        assert bench.house.asked == before
        asked = [before]
        for _ in batches:
            asked.append(bench.house.asked)
        connector.close()
        steps = [after - earlier for earlier, after in itertools.pairwise(asked)]
        assert len(steps) > 8
        assert max(steps) < sum(steps) / 3

    @pytest.mark.law
    def test_a_second_read_brings_nothing(self, each: Bench) -> None:
        each.house.grow(5)
        first, second, again = each.sync(), each.sync(), each.sync(full=True)
        assert [one.state for one in (first, second, again)] == [SyncState.SUCCEEDED] * 3
        assert first.written > 0
        assert [(one.written, one.removed) for one in (second, again)] == [(0, 0), (0, 0)]

    def test_ids_are_stable(self, bench: Bench, tmp_path: Path) -> None:
        """Two readers that never met call everything alike; a name may change, its id does not."""
        bench.house.grow(3)
        bench.sync()
        with self.beside(bench, tmp_path) as other:
            other.sync(**bench.house.small)
            assert other.picture == bench.picture
        before = set(bench.picture.things)
        bench.house.edit(9)
        bench.sync(DAY)
        assert before <= set(bench.picture.things)

    @pytest.mark.hard
    @pytest.mark.timeout(600)
    @settings(
        max_examples=how_many(quick=1, ci=10, long=120),
        deadline=None,
        suppress_health_check=[
            HealthCheck.differing_executors,
            HealthCheck.too_slow,
            HealthCheck.function_scoped_fixture,
        ],
    )
    @given(history=edits)
    def test_incremental_reading_ends_where_a_full_one_does(
        self, databases: Databases, history: list[int | None]
    ) -> None:
        """Design §6: what no timestamp tells is found at the latest when everything is read again."""
        with (
            databases() as url,
            self.house.opened() as house,
            Bench.open(house, url, **house.small) as bench,
        ):
            bench.sync()
            for edit in history:
                if edit is None:
                    bench.sync()
                else:
                    house.edit(edit)
            followed = [bench.sync(DAY).state for _ in range(2)]
            assert followed == [SyncState.SUCCEEDED] * 2
            with databases() as second, following(bench, second) as other:
                other.sync(full=True)
                buried = bench.picture.buried | other.picture.buried
                gone = {one for one in bench.picture.things if one.startswith(house.outlives)}
                buried |= gone - set(other.picture.things)
                followed_on, new = bench.picture.without(buried), other.picture.without(buried)
                assert_alike(followed_on.present(), new.present())
                assert set(new.edges) <= set(followed_on.edges)  # who was there longer remembers more

    # Kills

    @pytest.mark.hard
    @pytest.mark.timeout(600)
    def test_a_kill_between_two_batches_loses_and_doubles_nothing(self, bench: Bench, databases: Databases) -> None:
        house = bench.house
        house.grow(6)
        bench.sync(**house.small)
        connector = house.connect(bench.now, **house.small)
        boundaries = sum(1 for _ in connector.read(None))
        connector.close()
        assert boundaries > 3
        step = max(1, boundaries // how_many(quick=1, ci=5, long=400))
        for boundary in range(step // 2, boundaries, step):
            with databases() as url, following(bench, url) as killed:
                with pytest.raises(Killed):
                    killed.sync(killed_after=boundary, **house.small)
                going_on = killed.sync(**house.small)
                assert going_on.state in (SyncState.SUCCEEDED, SyncState.PARTIAL), going_on
                killed.sync(DAY, **house.small)
                assert_alike(killed.picture, bench.picture)
                assert killed.store.journal.counts(house.name) == bench.store.journal.counts(house.name)
                assert [one.error for one in killed.store.journal.syncs(house.name)][-1] == "Killed"

    @pytest.mark.hard
    def test_killed_again_and_again_it_comes_to_its_end(self, bench: Bench, databases: Databases) -> None:
        """Each time a batch further, and never from the start again."""
        house = bench.house
        house.grow(4)
        bench.sync(**house.small)
        with databases() as url, following(bench, url) as killed:
            for _ in range(how_many(quick=6, ci=20, long=20)):
                with suppress(Killed):
                    killed.sync(timedelta(seconds=1), killed_after=2, **house.small)
            assert killed.sync(**house.small).state in (SyncState.SUCCEEDED, SyncState.PARTIAL)
            killed.sync(DAY, **house.small)
            assert_alike(killed.picture, bench.picture)

    # Faults that pass

    @pytest.mark.law
    @pytest.mark.parametrize("kind", PASSING[:: how_many(quick=2, ci=1, long=1)])
    def test_a_fault_that_passes_is_waited_out(self, bench: Bench, tmp_path: Path, kind: str) -> None:
        house = bench.house
        house.grow(5)
        house.stumble(kind)
        assert bench.sync(**house.small).state is SyncState.SUCCEEDED
        house.mend()
        with self.beside(bench, tmp_path) as other:
            other.sync(**house.small)
            assert_alike(bench.picture, other.picture)
        assert bench.look(house.root).completeness.exact

    def test_an_empty_page_is_not_the_end(self, bench: Bench) -> None:
        house: Any = bench.house
        house.grow(5)
        house.empty_page()
        assert bench.sync(**house.small).state is SyncState.SUCCEEDED
        house.mend()
        assert bench.sync(full=True, **house.small).written == 0

    # Odd things

    def test_a_clock_that_is_ahead_hides_nothing_in_silence(self, bench: Bench) -> None:
        """What comes later is found, and what is dated ahead is there or is said to be missing."""
        house = bench.house
        bench.sync()
        ahead = house.add("ahead", bench.now + timedelta(days=2))
        bench.sync(DAY)
        assert ahead in bench.picture.things or not bench.look(house.root).completeness.exact
        later = house.add("later", bench.now - timedelta(minutes=5))
        bench.sync()
        assert later in bench.picture.things
        bench.sync(timedelta(days=3), full=True)
        assert ahead in bench.picture.things
        assert bench.look(house.root).completeness.exact

    def test_a_huge_thing_is_taken_or_said_to_be_too_large(self, bench: Bench) -> None:
        house = bench.house
        bench.sync()
        known = set(bench.picture.things)
        huge = house.huge("huge", 3_000_000)
        bench.sync(DAY, http={"page_bytes": 1_000_000})
        seen = bench.look(house.root)
        assert not seen.completeness.exact, "it was left out, and nobody said so"
        assert known <= set(bench.picture.things)
        assert bench.sync(DAY, full=True).state is SyncState.SUCCEEDED
        assert huge in bench.picture.things
        assert bench.look(house.root).completeness.exact

    def test_what_nobody_knows_is_kept_and_goes_out_again(self, bench: Bench) -> None:
        bench.house.unknown("acme_grain")
        bench.sync()
        lines = b"".join(exported(bench.store, "full"))
        assert b'"acme_grain"' in lines
        assert re.search(rb'"grain":\[1,\{("a":null)?\}\]', lines)

    # Secrets

    def test_planted_secrets_are_found_nowhere(
        self, bench: Bench, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Not in the store's file, its events and letters, the log, an answer, or an error."""
        caplog.set_level(logging.DEBUG)
        token: dict[str, Any] = {} if bench.house.platform == "openlineage" else {"token": SECRET}
        bench.house.plant(SECRET)
        bench.sync(**token)
        bench.house.trip(SECRET)
        bench.sync(full=True, **token)
        seen = bench.look(bench.house.root)
        events = bench.store.events.after(None, 0, 10_000)
        printed = capsys.readouterr()
        told = [repr(seen), repr(bench.picture), repr(events), repr(bench.store.journal.syncs()), caplog.text]
        told += [repr(bench.store.journal.skips()), repr(bench.store.letters.page()), printed.out, printed.err]
        assert not seen.completeness.exact
        for text in told:
            assert SECRET not in text, text[max(text.index(SECRET) - 300, 0) :][:700]
        bench.close()
        for file in bench.file.parent.glob("store.db*"):
            if file.is_file():
                assert SECRET.encode() not in file.read_bytes()

    # Memory

    @pytest.mark.hard
    def test_memory_does_not_grow_with_the_pages(self, bench: Bench) -> None:
        few = how_many(quick=60, ci=250, long=1000)
        bench.house.grow(few)
        peaks = [peak_of_reading(bench)]
        bench.house.grow(3 * few)
        peaks.append(peak_of_reading(bench))
        assert peaks[1] < peaks[0] * 1.3 + 3 * few * 400 + NOISE, peaks


@contextmanager
def following(bench: Bench, url: str) -> Generator[Bench]:
    """A store at this address that follows the same house."""
    with Bench.open(bench.house, url, **bench.settings) as other:
        other.clock.now = bench.now
        yield other


def peak_of_reading(bench: Bench) -> int:
    """The most that is held while everything is read and nothing kept, in bytes."""
    connector = bench.house.connect(bench.now, **bench.house.small)
    tracemalloc.start()
    try:
        for _ in connector.read(None):
            pass
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        connector.close()


def assert_alike(one: Picture, other: Picture) -> None:
    """Two stores know the same; the difference is told in short."""
    different = {
        name: (told, other.things.get(name)) for name, told in one.things.items() if told != other.things.get(name)
    }
    assert not different, different
    assert set(other.things) - set(one.things) == set()
    assert dict(one.edges.items() - other.edges.items()) == {}
    assert dict(other.edges.items() - one.edges.items()) == {}
