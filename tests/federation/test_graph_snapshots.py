"""Which state of the graph an answer stands on."""

from typing import Any

import pytest

from watersmeet.federation.errors import CursorExpired
from watersmeet.federation.graph import Cut, Graph, Snapshot
from watersmeet.federation.model import AssetKind, Direction, Level
from watersmeet.federation.store import Store

from .graphs import Told
from .houses import House, ran


@pytest.fixture
def house(store: Store, clock: Any) -> House:
    return House(store, clock)


def test_the_graph_is_read_anew_only_when_the_store_has_moved_on(house: House) -> None:
    house.say("pipes", ran("r1", ("orders",), ("report",)))
    first = house.graph.now()
    assert house.graph.now() is first
    house.say("pipes", ran("r2", ("clicks",), ("report",)))
    assert house.graph.now().seq > first.seq


def test_a_replaced_graph_is_kept_for_five_minutes(house: House) -> None:
    first = house.graph.now()
    house.say("pipes", ran("r1", ("orders",), ("report",)))
    house.graph.now()
    house.monotonic += 299
    assert house.graph.at(first.seq, first.epoch) is first
    house.monotonic += 2
    with pytest.raises(CursorExpired):
        house.graph.at(first.seq, first.epoch)


def test_replaced_graphs_are_kept_only_as_far_as_there_is_room(house: House) -> None:
    """The newest of them, and the present one whatever it takes."""
    house.say("pipes", ran("r0", ("orders",), ("report",)))
    room = 3 * house.graph.now().bytes
    graph = Graph(house.store, monotonic=lambda: house.monotonic, keep_bytes=room)
    seen = [graph.now()]
    for number in range(8):
        house.say("pipes", ran("r0", ("orders",), (f"report {number}",)))
        house.monotonic += 1
        seen.append(graph.now())
    assert graph.at(seen[-1].seq, seen[-1].epoch) is seen[-1]
    assert graph.at(seen[-2].seq, seen[-2].epoch) is seen[-2]
    for one in seen[:4]:
        with pytest.raises(CursorExpired, match="ask again from the start"):
            graph.at(one.seq, one.epoch)


def test_of_a_graph_that_fills_all_room_the_last_one_is_still_kept(house: House) -> None:
    house.say("pipes", ran("r0", ("orders",), ("report",)))
    graph = Graph(house.store, monotonic=lambda: house.monotonic, keep_bytes=0)
    seen = [graph.now()]
    for number in range(4):
        house.say("pipes", ran("r0", ("orders",), (f"report {number}",)))
        seen.append(graph.now())
    assert graph.at(seen[-2].seq, seen[-2].epoch) is seen[-2]
    with pytest.raises(CursorExpired):
        graph.at(seen[0].seq, seen[0].epoch)


def test_a_graph_takes_more_when_its_levels_are_built() -> None:
    told = Told()
    told.ran("r", ["orders"], ["report"])
    snapshot = Snapshot.of(told.columns())
    before = snapshot.bytes
    snapshot.roads(Level.COLUMN, Direction.UPSTREAM)
    assert before < snapshot.bytes < 100_000


def test_a_graph_that_is_still_to_come_has_no_cursor(house: House) -> None:
    with pytest.raises(CursorExpired):
        house.graph.at(4711)


def test_what_was_known_then_is_kept_and_what_is_known_now_is_not(house: House) -> None:
    house.say("pipes", ran("r1", ("orders",), ("report",)))
    then = house.clock.now
    house.clock.move(minutes=1)
    assert house.graph.known(then) is house.graph.known(then)
    assert house.graph.known(house.clock.now) is house.graph.now()


def test_of_former_knowledge_the_four_states_that_were_asked_last_are_kept(house: House) -> None:
    moments: list[Any] = []
    for number in range(5):
        house.say("pipes", ran(f"r{number}", ("orders",), ("report",)))
        moments.append(house.clock.now)
        house.clock.move(minutes=1)
    states = [house.graph.known(one) for one in moments[:4]]
    assert house.graph.known(moments[0]) is states[0]
    house.graph.known(moments[4])
    assert house.graph.known(moments[0]) is states[0], "it was asked for again meanwhile"
    assert house.graph.known(moments[3]) is states[3]
    assert house.graph.known(moments[1]) is not states[1]


def test_an_empty_store_has_an_empty_graph(house: House) -> None:
    assert house.graph.now().things.ids.size == 0


@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize("direction", Direction)
def test_a_thing_without_edges_stands_alone(level: Level, direction: Direction) -> None:
    told = Told()
    told(AssetKind.DATASET, "alone")
    assert told.walk("alone", direction, level).depth == {"alone": 0}


def test_a_former_id_finds_its_present_asset() -> None:
    told = Told()
    told(AssetKind.DATASET, "orders")
    told(AssetKind.DATASET, "orders elsewhere", same="orders")
    snapshot = Snapshot.of(told.columns())
    assert snapshot.position_of(2) == snapshot.position_of(1) == 0
    assert snapshot.position_of(3) == -1


@pytest.mark.parametrize(
    ("direction", "deadline", "truncated"),
    [
        (Direction.UPSTREAM, 0.0, True),
        (Direction.BOTH, 0.0, True),
        (Direction.BOTH, None, False),
    ],
)
def test_a_walk_that_runs_out_of_time_says_so(direction: Direction, deadline: float | None, truncated: bool) -> None:
    told = Told()
    told.ran("r", ["orders"], ["report"])
    snapshot = Snapshot.of(told.columns())
    report = snapshot.position_of(list(told.records).index("report") + 1)
    walked = snapshot.walk(report, direction, Level.ASSET, Cut(), deadline=deadline)
    assert bool(walked.truncated) is truncated
