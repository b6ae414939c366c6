"""The shortest ways from one thing downstream to another, the shortest first."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count

import numpy as np
from numpy.typing import NDArray

from ..graph import Cut, Roads, Snapshot
from ..graph.roads import LEAST, Steps
from ..graph.things import NOWHERE
from ..model import Direction, Level

_ROUNDS = 200_000
"""How many beginnings of ways are looked at before giving up."""


@dataclass(frozen=True, slots=True)
class Hop:
    """One edge of a way, by things and claim."""

    up: int
    down: int
    claim: int
    inferred: bool


@dataclass(frozen=True, slots=True)
class Way:
    """One way without a thing twice."""

    things: tuple[int, ...]
    hops: tuple[Hop, ...]
    exact: tuple[bool, ...]
    """Per thing, whether it was reached without leaving the columns for a table that has some."""


@dataclass(frozen=True, slots=True)
class Ways:
    """What was found: the shortest ways, how many there are if that is known, and whether the search ended early."""

    found: tuple[Way, ...]
    total: int | None
    cut_short: bool


@dataclass(frozen=True, slots=True)
class _Begun:
    vertex: int
    brought: int
    """What the last step offers to a port, or the limit on a port or twin."""
    way: Way


def ways(snapshot: Snapshot, start: int, goal: int, level: Level, cut: Cut, first: int, deadline: float) -> Ways:
    """The `first` shortest ways; more are counted as long as time allows."""
    if start == goal:
        return Ways((Way((start,), (), (True,)),)[:first], 1, cut_short=False)
    if level is Level.COLUMN:
        # Columns lead to tables but not back, so what is behind the goal is asked of the tables; how far it is,
        # that does not tell.
        table = int(snapshot.structure.rolled[goal])
        behind = snapshot.walk(table, Direction.UPSTREAM, Level.ASSET, cut, deadline=deadline)
        inside = np.flatnonzero(np.isin(snapshot.structure.rolled, behind.things))
        to_go = dict.fromkeys([*behind.things.tolist(), *inside.tolist()], 0)
    else:
        behind = snapshot.walk(goal, Direction.UPSTREAM, level, cut, deadline=deadline)
        to_go = dict(zip(behind.things.tolist(), behind.depth.tolist(), strict=True))
    return _Search(snapshot, start, goal, level, cut, to_go).run(first, deadline, late=behind.truncated)


class _Search:
    """Best first: a beginning is as good as its length and the least that is still to go."""

    def __init__(
        self, snapshot: Snapshot, start: int, goal: int, level: Level, cut: Cut, to_go: Mapping[int, int]
    ) -> None:
        self._roads: Roads = snapshot.roads(level, Direction.DOWNSTREAM)
        self._start = snapshot.start(start, level, Direction.DOWNSTREAM, cut)
        self._cut = cut
        self._root, self._goal = start, goal
        self._to_go = to_go
        self._last = _last_hops(snapshot, goal, level, cut)
        self._heap: list[tuple[int, int, _Begun]] = []
        self._number = count()

    def run(self, first: int, deadline: float, *, late: bool) -> Ways:
        """Search; `late` says that what lies behind the goal is not known in full."""
        found: dict[tuple[int, ...], Way] = {}
        self._begin()
        for rounds in count():
            if not self._heap:
                return Ways(tuple(found.values())[:first], None if late else len(found), cut_short=late)
            if rounds >= _ROUNDS or time.monotonic() > deadline:
                break
            begun = heappop(self._heap)[2]
            if begun.way.things[-1] == self._goal:
                found.setdefault(begun.way.things, begun.way)
                continue
            for onward in self._onward(begun):
                self._push(onward)
        return Ways(tuple(found.values())[:first], None, cut_short=len(found) < first)

    def _begin(self) -> None:
        nothing = Way((self._root,), (), (True,))
        for vertex in self._start.vertices.tolist():
            self._push(_Begun(vertex, int(LEAST) - 1, nothing))
        for entry in self._start.entries[:1]:
            for onward in self._taken(nothing, entry.steps, np.arange(entry.steps.near.size), None):
                self._push(onward)

    def _push(self, begun: _Begun) -> None:
        to_go = self._to_go.get(begun.way.things[-1])
        if to_go is not None:
            heappush(self._heap, (len(begun.way.hops) + to_go, next(self._number), begun))

    def _onward(self, begun: _Begun) -> Iterator[_Begun]:
        roads, vertex = self._roads, begun.vertex
        limit = begun.brought if roads.limited[vertex] else None
        yield from self._taken(begun.way, roads.steps, _rows(roads, vertex), limit)
        port = int(roads.port[vertex])
        if port != NOWHERE and begun.brought >= LEAST:
            yield from self._taken(begun.way, roads.steps, _rows(roads, port), begun.brought)
        yield from self._arrived(begun)

    def _arrived(self, begun: _Begun) -> Iterator[_Begun]:
        """The goal may be a whole: then arriving at a part of it is arriving."""
        for hop in self._last.get(begun.way.things[-1], ()):
            yield _Begun(
                begun.vertex, begun.brought, _further(begun.way, self._goal, hop, is_exact=begun.way.exact[-1])
            )

    def _taken(self, way: Way, steps: Steps, rows: NDArray[np.int64], limit: int | None) -> Iterator[_Begun]:
        """One step further, over every open row; of equal steps the first."""
        roads = self._roads
        claim, inferred = steps.claim[rows], steps.inferred[rows]
        is_open = self._cut.passes(roads.claims, claim, steps.start[rows], steps.seen[rows], inferred)
        if limit is not None:
            is_open &= -np.clip(steps.ended[rows], LEAST, -LEAST) <= limit
        offers = -np.clip(steps.began[rows], LEAST, -LEAST)
        seen: set[int] = set()
        for row, offer in zip(rows[is_open].tolist(), offers[is_open].tolist(), strict=True):
            far = int(steps.far[row])
            thing = int(roads.shown[far])
            if thing in way.things or far in seen:
                continue
            seen.add(far)
            here = way.things[-1]
            up, down = (thing, here) if steps.backward[row] else (here, thing)
            hop = Hop(up, down, int(steps.claim[row]), bool(steps.inferred[row]))
            brought = limit if limit is not None and roads.limited[far] else offer
            yield _Begun(far, brought, _further(way, thing, hop, is_exact=bool(roads.exact[far])))


def _rows(roads: Roads, vertex: int) -> NDArray[np.int64]:
    return np.arange(int(roads.begin[vertex]), int(roads.end[vertex]), dtype=np.int64)


def _further(way: Way, thing: int, hop: Hop, *, is_exact: bool) -> Way:
    return Way((*way.things, thing), (*way.hops, hop), (*way.exact, is_exact))


def _last_hops(snapshot: Snapshot, goal: int, level: Level, cut: Cut) -> dict[int, list[Hop]]:
    """How the goal is entered besides its own vertices: from its versions and parts, or as a run within its job."""
    roads = snapshot.roads(level, Direction.UPSTREAM)
    hops: dict[int, list[Hop]] = {}
    for entry in snapshot.start(goal, level, Direction.UPSTREAM, cut).entries[:1]:
        steps = entry.steps
        is_open = cut.passes(roads.claims, steps.claim, steps.start, steps.seen, steps.inferred)
        for row in np.flatnonzero(is_open).tolist():
            thing = int(roads.shown[steps.far[row]])
            hops.setdefault(thing, []).append(Hop(thing, goal, int(steps.claim[row]), bool(steps.inferred[row])))
    return hops
