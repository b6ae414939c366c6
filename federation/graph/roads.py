"""Walking one way: breadth first over rows of steps, with what may be crossed only by those who met in time."""

import time
from dataclasses import dataclass, field, fields, replace

import numpy as np
from numpy.typing import NDArray

from ..model import Direction
from .cut import Cut
from .things import NOWHERE, Claims, Marks, Positions, Seconds, ranges, rows_of

LEAST = np.int64(-(2**62))
MOST = np.int64(2**62)
"""Clipped times: they can be negated."""
_NOTHING: Positions = np.zeros(0, np.int32)


@dataclass(frozen=True, slots=True)
class Steps:
    """Edges between vertices; one stands for all equal claims. `near` and `far` are for the way that is walked."""

    near: Positions
    far: Positions
    claim: Positions
    start: Seconds
    """The earliest start of the claims."""
    seen: Seconds
    began: Seconds
    """When what is upstream began: a process, or else the edge."""
    ended: Seconds
    """When what is downstream ended."""
    inferred: Marks
    backward: Marks
    """Walked against what it says: from a whole to its parts downwards, from a part to its whole upwards."""

    def taken(self, which: NDArray[np.int64] | Marks) -> "Steps":
        """Some of them."""
        return Steps(
            self.near[which],
            self.far[which],
            self.claim[which],
            self.start[which],
            self.seen[which],
            self.began[which],
            self.ended[which],
            self.inferred[which],
            self.backward[which],
        )

    def moved(self, near: Positions, far: Positions) -> "Steps":
        """The same between other vertices."""
        return replace(self, near=near, far=far)

    def turned(self) -> "Steps":
        """The same, walked the other way."""
        return self.moved(self.far, self.near)


def joined(*several: Steps) -> Steps:
    """One table after the other."""
    return Steps(*(np.concatenate([getattr(one, column.name) for one in several]) for column in fields(Steps)))


@dataclass(frozen=True, slots=True)
class Crossing:
    """Steps from versions to their things (near: the thing upwards, the version downwards), all inferred."""

    steps: Steps


@dataclass(frozen=True, slots=True)
class Entry:
    """Steps with which a walk begins at one depth, outside the roads: their near ends are things, not vertices."""

    steps: Steps


@dataclass(frozen=True, slots=True)
class Start:
    """Where a walk begins: the root's own vertices, and per depth what else the root stands for."""

    vertices: Positions
    entries: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True)
class Walked:
    """What a walk came by: things in breadth-first order, and the edges between things."""

    things: Positions
    depth: NDArray[np.int32]
    exact: Marks
    """Reached without leaving the columns for a table that has some."""
    up: Positions
    down: Positions
    claim: Positions
    """One claim of each edge; the same edge may come several times."""
    inferred: Marks
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class Roads:
    """All steps of one direction, by the vertex they leave, and the extra vertices of crossings.

    A port stands beside a vertex from which a version or thing may be crossed to; beyond it lie twins of the vertices
    crossed to, with the same steps. Ports and twins carry a limit, the best of all who came by: a step from a twin is
    open if its own time is within the limit.
    """

    direction: Direction
    claims: Claims
    steps: Steps
    begin: NDArray[np.int64]
    end: NDArray[np.int64]
    shown: Positions
    exact: Marks
    port: Positions
    limited: Marks
    gate: Marks
    """Vertices that are entered only by who gets further from there: one does not stop between two halves of a step."""
    offer: Seconds = field(repr=False)
    """What a step brings along to a port: the end of a reader, or minus the beginning of a writer."""
    need: Seconds = field(repr=False)
    """The limit that a step from a twin needs."""

    @classmethod
    def of(
        cls,
        direction: Direction,
        claims: Claims,
        steps: Steps,
        shown: Positions,
        exact: Marks,
        crossing: Crossing,
        gate: Marks | None = None,
    ) -> "Roads":
        """Build them; `steps` and `crossing` must already face the direction."""
        count = shown.size
        places, twins = np.unique(crossing.steps.near), np.unique(crossing.steps.far)
        port = np.full(count + places.size + twins.size, NOWHERE, np.int32)
        port[places] = np.arange(count, count + places.size, dtype=np.int32)
        beyond = crossing.steps.moved(
            (count + np.searchsorted(places, crossing.steps.near)).astype(np.int32),
            (count + places.size + np.searchsorted(twins, crossing.steps.far)).astype(np.int32),
        )
        order, begin = rows_of(steps.near, count)
        further, further_begin = rows_of(beyond.near - count, places.size)
        every = joined(steps.taken(order), beyond.taken(further))
        starts = np.concatenate([begin[:-1], order.size + further_begin[:-1], begin[:-1][twins]])
        ends = np.concatenate([begin[1:], order.size + further_begin[1:], begin[1:][twins]])
        offer, need = _times(direction, every)
        return cls(
            direction=direction,
            claims=claims,
            steps=every,
            begin=starts,
            end=ends,
            shown=np.concatenate([shown, shown[places], shown[twins]]),
            exact=np.concatenate([exact, exact[places], exact[twins]]),
            port=port,
            limited=np.arange(port.size) >= count,
            gate=_gates(np.zeros(count, np.bool_) if gate is None else gate, places.size, twins.size),
            offer=offer,
            need=need,
        )

    def leaving(self, vertices: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The vertex that each step leaves, and the step, for all steps of some vertices."""
        begin, end = self.begin[vertices], self.end[vertices]
        return np.repeat(vertices, end - begin), ranges(begin, end)

    def walk(
        self, root: int, start: Start, cut: Cut, depth: int | None = None, deadline: float | None = None
    ) -> Walked:
        """Everything that can be reached from a root, at most `depth` steps away, until a monotonic `deadline`."""
        return _Walk(self, cut, root).run(start, depth, deadline)


def _gates(plain: Marks, ports: int, twins: int) -> Marks:
    return np.concatenate([plain, np.zeros(ports, np.bool_), np.ones(twins, np.bool_)])


def _times(direction: Direction, steps: Steps) -> tuple[Seconds, Seconds]:
    began, ended = np.clip(steps.began, LEAST, MOST), np.clip(steps.ended, LEAST, MOST)
    return (ended, began) if direction is Direction.UPSTREAM else (-began, -ended)


class _Walk:
    """The state of one walk."""

    def __init__(self, roads: Roads, cut: Cut, root: int) -> None:
        self._roads = roads
        self._cut = cut
        self._root = root
        self._reached = np.zeros(roads.shown.size, np.bool_)
        self._limit = np.full(roads.shown.size, LEAST - 1, np.int64)
        self._order: list[NDArray[np.int64]] = []
        self._depths: list[int] = []
        self._edges: list[tuple[Positions, Positions, Positions, Marks]] = []

    def run(self, start: Start, depth: int | None, deadline: float | None) -> Walked:
        frontier = np.unique(start.vertices).astype(np.int64)
        self._reached[frontier] = True
        self._note(frontier, 0)
        at, late = 0, False
        while (frontier.size or at < len(start.entries)) and (depth is None or at < depth):
            if deadline is not None and time.monotonic() > deadline:
                late = True
                break
            arrivals = self._expand(frontier)
            if at < len(start.entries):
                arrivals = [*arrivals, *self._enter(start.entries[at])]
            at += 1
            frontier = self._settle(arrivals)
            self._note(frontier, at)
        return self._walked(late)

    def _expand(self, frontier: NDArray[np.int64]) -> list[tuple[NDArray[np.int64], Seconds]]:
        """Take every open step from the frontier: where they lead, and what each brings along."""
        roads = self._roads
        near, row = roads.leaving(frontier)
        steps = roads.steps
        is_open = self._cut.passes(
            roads.claims, steps.claim[row], steps.start[row], steps.seen[row], steps.inferred[row]
        )
        limited = roads.limited[near]
        is_open &= ~limited | (roads.need[row] <= self._limit[near])
        gated = is_open & roads.gate[steps.far[row]]
        is_open[gated] = self._leads_on(steps.far[row[gated]].astype(np.int64), self._limit[near[gated]])
        near, row, limited = near[is_open], row[is_open], limited[is_open]
        far = steps.far[row].astype(np.int64)
        self._record(roads.shown[near], roads.shown[far], steps.claim[row], steps.inferred[row], steps.backward[row])
        return [(far, np.where(limited & roads.limited[far], self._limit[near], roads.offer[row]))]

    def _leads_on(self, gates: NDArray[np.int64], limits: Seconds) -> Marks:
        """Whether there is an open step beyond each gate, within the limit that one would bring there."""
        leads = np.zeros(gates.size, np.bool_)
        if not gates.size:
            return leads
        roads, steps = self._roads, self._roads.steps
        begin, end = roads.begin[gates], roads.end[gates]
        gate, row = np.repeat(np.arange(gates.size), end - begin), ranges(begin, end)
        is_open = self._cut.passes(
            roads.claims, steps.claim[row], steps.start[row], steps.seen[row], steps.inferred[row]
        )
        is_open &= ~roads.limited[gates[gate]] | (roads.need[row] <= limits[gate])
        further = is_open & roads.gate[steps.far[row]]
        is_open[further] = self._leads_on(steps.far[row[further]].astype(np.int64), limits[gate[further]])
        leads[gate[is_open]] = True
        return leads

    def _enter(self, entry: Entry) -> list[tuple[NDArray[np.int64], Seconds]]:
        roads, steps = self._roads, entry.steps
        is_open = self._cut.passes(roads.claims, steps.claim, steps.start, steps.seen, steps.inferred)
        steps = steps.taken(is_open)
        self._record(steps.near, roads.shown[steps.far], steps.claim, steps.inferred, steps.backward)
        return [(steps.far.astype(np.int64), _times(roads.direction, steps)[0])]

    def _record(self, near: Positions, far: Positions, claim: Positions, inferred: Marks, backward: Marks) -> None:
        far_is_up = backward != (self._roads.direction is Direction.UPSTREAM)
        self._edges.append((np.where(far_is_up, far, near), np.where(far_is_up, near, far), claim, inferred))

    def _settle(self, arrivals: list[tuple[NDArray[np.int64], Seconds]]) -> NDArray[np.int64]:
        """What was reached for the first time, or with a better limit than before."""
        roads = self._roads
        far = np.concatenate([one[0] for one in arrivals])
        brought = np.concatenate([one[1] for one in arrivals])
        is_plain = ~roads.limited[far]
        fresh = far[is_plain]
        fresh = _in_order(fresh[~self._reached[fresh]])
        self._reached[fresh] = True
        ports = roads.port[far].astype(np.int64)
        at_port = is_plain & (ports != NOWHERE)
        places = np.concatenate([far[~is_plain], ports[at_port]])
        offers = np.concatenate([brought[~is_plain], brought[at_port]])
        return np.concatenate([fresh, self._raise(places, offers)])

    def _raise(self, places: NDArray[np.int64], offers: Seconds) -> NDArray[np.int64]:
        before = self._limit[places]
        np.maximum.at(self._limit, places, offers)
        return _in_order(places[self._limit[places] > before])

    def _note(self, vertices: NDArray[np.int64], depth: int) -> None:
        self._order.append(vertices)
        self._depths.append(depth)

    def _walked(self, late: bool) -> Walked:
        roads = self._roads
        vertices = np.concatenate(self._order)
        depth = np.repeat(np.array(self._depths, np.int32), [one.size for one in self._order])
        shown = np.concatenate([np.array([self._root], np.int32), roads.shown[vertices]])
        depth = np.concatenate([np.zeros(1, np.int32), depth])
        things, first, place = np.unique(shown, return_index=True, return_inverse=True)
        exact = np.zeros(things.size, np.bool_)
        np.logical_or.at(exact, place, np.concatenate([np.ones(1, np.bool_), roads.exact[vertices]]))
        order = np.argsort(first, kind="stable")
        return Walked(
            things[order],
            depth[first][order],
            exact[order],
            up=np.concatenate([_NOTHING, *(edges[0] for edges in self._edges)]),
            down=np.concatenate([_NOTHING, *(edges[1] for edges in self._edges)]),
            claim=np.concatenate([_NOTHING, *(edges[2] for edges in self._edges)]),
            inferred=np.concatenate([_NOTHING.astype(np.bool_), *(edges[3] for edges in self._edges)]),
            truncated=late,
        )


def _in_order(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Each once, in the order of first appearance."""
    once, first = np.unique(values, return_index=True)
    return once[np.argsort(first, kind="stable")]


def no_steps() -> Steps:
    """A table without rows."""
    none, times = np.zeros(0, np.int32), np.zeros(0, np.int64)
    marks = np.zeros(0, np.bool_)
    return Steps(none, none, none, times, times, times, times, marks, marks)


def united(first: Walked, second: Walked) -> Walked:
    """Two walks from one root as one answer: each thing at its lesser depth."""
    things = np.concatenate([first.things, second.things])
    depth = np.concatenate([first.depth, second.depth])
    exact = np.concatenate([first.exact, second.exact])
    order = np.argsort(depth, kind="stable")
    once, place, inverse = np.unique(things[order], return_index=True, return_inverse=True)
    any_exact = np.zeros(once.size, np.bool_)
    np.logical_or.at(any_exact, inverse, exact[order])
    by_place = np.argsort(place, kind="stable")
    return Walked(
        once[by_place],
        depth[order][place][by_place],
        any_exact[by_place],
        np.concatenate([first.up, second.up]),
        np.concatenate([first.down, second.down]),
        np.concatenate([first.claim, second.claim]),
        np.concatenate([first.inferred, second.inferred]),
        first.truncated or second.truncated,
    )
