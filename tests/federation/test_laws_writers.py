"""Two writers at once and somebody who follows: nothing is lost of the change log, and nothing comes twice."""

from threading import Event, Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watersmeet.federation.connector import Batch
from watersmeet.federation.naming import Registry
from watersmeet.federation.store import Store

from .histories import Ground, Say, law, says, scope_of
from .laws import share

pytestmark = [pytest.mark.hard, pytest.mark.timeout(1200)]

lists = st.lists(says(st.sampled_from(("s/1", "s/2", "h/1", "t/1"))), min_size=4, max_size=8)


class Following(Thread):
    """Reads the change log all the while, from a store of its own."""

    def __init__(self, address: str, seq: int) -> None:
        super().__init__(daemon=True)
        self._address = address
        self.first = seq
        self.seen: list[tuple[int, str, int, int | None]] = []
        self.enough = Event()
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            with Store.open(self._address) as store:
                while True:
                    last = self.enough.is_set()
                    after = self.seen[-1][0] if self.seen else self.first
                    rows, _ = store.reader.changes(first=7, after=after)
                    self.seen += [(row.seq, row.what, row.record, row.other) for row in rows]
                    if last and not rows:
                        return
        except BaseException as error:
            self.error = error


class Writing(Thread):
    """Tells one source's words through a store of its own."""

    def __init__(self, address: str, source: str, words: list[Say], ground: Ground) -> None:
        super().__init__(daemon=True)
        self._address = address
        self._source = source
        self._words = words
        self._ground = ground
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            with Store.open(self._address, clock=self._ground.clock) as store:
                for number, word in enumerate(self._words):
                    started = self._ground.clock.now
                    store.ledger.write(self._source, Batch((scope_of(word),)), read_started_at=started)
                    if number % 2:
                        store.resolve(Registry.EMPTY)
                store.resolve(Registry.EMPTY)
        except BaseException as error:
            self.error = error


@law(share("follower"))
@given(lists, lists)
def test_a_follower_of_two_writers_sees_each_change_once_and_in_order(
    ground: Ground, mine: list[Say], yours: list[Say]
) -> None:
    ground.fresh()
    first = ground.head()
    follower = Following(ground.address, first)
    writers = [Writing(ground.address, name, words, ground) for name, words in (("one", mine), ("two", yours))]
    follower.start()
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(240)
    follower.enough.set()
    follower.join(240)
    assert [one.error for one in (*writers, follower)] == [None, None, None]
    assert [seq for seq, *_ in follower.seen] == list(range(first + 1, ground.head() + 1))
    state = ground.state()
    assert {row for _, what, row, _ in follower.seen if what == "created"} == {row[0] for row in state.records}
    edges = {(up, row) for _, what, row, up in follower.seen if what == "edge_added"}
    assert edges >= {(row[1], row[2]) for row in state.claims}
    assert ground.shown() == _alone(ground, mine, yours)


def _alone(ground: Ground, *words: list[Say]) -> object:
    """What one writer after the other would have told."""
    ground.fresh()
    for source, some in zip(("one", "two"), words, strict=True):
        for word in some:
            ground.hear([Say(source, word.scope, word.things, word.ties, word.at)])
    ground.store.resolve(Registry.EMPTY)
    return ground.shown()
