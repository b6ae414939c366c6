"""The graph as told and the graph of assets: vertices, steps, and where one lies in the other."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..columns import EVER, SINCE_BEFORE
from ..model import Direction, EdgeKind
from .flows import Told
from .refined import refined
from .roads import Crossing, Roads, Steps
from .things import Claims, Marks, Positions, Seconds, Structure, Things

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))


@dataclass(frozen=True, slots=True)
class World:
    """What every level is made of."""

    things: Things
    claims: Claims
    structure: Structure
    told: Told


@dataclass(frozen=True, slots=True)
class Plane:
    """One level without directions: steps from upstream (near) to downstream (far)."""

    shown: Positions
    """Per vertex the thing that it is shown as."""
    steps: Steps
    lift: Positions
    """Per vertex of `Told` where it lies here."""
    loops: Positions
    """Claims from a thing to itself, which are counted and not shown."""
    pairs: "Pairs"
    """Which claims stand behind an edge that is shown."""

    def roads(self, world: World, direction: Direction) -> Roads:
        """The same to walk on."""
        steps = self.steps if direction is Direction.DOWNSTREAM else self.steps.turned()
        exact = np.ones(self.shown.size, np.bool_)
        crossing = crossings(world, self, direction)
        return Roads.of(direction, world.claims, steps, self.shown, exact, crossing)


@dataclass(frozen=True, slots=True)
class Pairs:
    """Claims by the edge that shows them."""

    keys: NDArray[np.int64]
    claim: Positions
    count: int

    @classmethod
    def of(cls, claims: Claims, up: Positions, down: Positions, claim: Positions, count: int) -> "Pairs":
        """Sort claims by their edges; `up` and `down` are things."""
        keys = edge_keys(claims, up, down, claim, count)
        order = np.argsort(keys, kind="stable")
        return cls(keys[order], claim[order], count)

    def behind(self, key: int) -> Positions:
        """The claims of one edge."""
        first, last = np.searchsorted(self.keys, [key, key + 1])
        return np.unique(self.claim[first:last])


def edge_keys(claims: Claims, up: Positions, down: Positions, claim: Positions, count: int) -> NDArray[np.int64]:
    """One number for each (upstream, downstream, kind, role); fits for graphs of up to 180 million assets."""
    pair = up.astype(np.int64) * count + down
    return (pair << 8) | (claims.kind[claim].astype(np.int64) << 4) | (claims.role[claim].astype(np.int64) & 15)


def as_told(world: World) -> Plane:
    """The level FINE: versions, runs, and jobs where only the job is told."""
    told, claims = world.told, world.claims
    shown = told.shown
    steps = _steps(world, told.up, told.down, told.claim, shown, told.is_flow)
    return Plane(
        shown=shown,
        steps=steps,
        lift=np.arange(shown.size, dtype=np.int32),
        loops=np.zeros(0, np.int32),
        pairs=Pairs.of(claims, shown[told.up], shown[told.down], told.claim, world.things.ids.size),
    )


def of_assets(world: World) -> Plane:
    """The level ASSET: equal flows of a job's runs are one vertex; versions and columns lie in what they belong to."""
    told, claims = world.told, world.claims
    count = world.things.ids.size
    fact = np.flatnonzero(~claims.planned[told.claim])
    lift, shown = _lifted(world, told, fact)
    up, down, claim = lift[told.up[fact]], lift[told.down[fact]], told.claim[fact]
    loop = shown[up] == shown[down]
    loops = np.unique(claim[loop])
    up, down, claim = up[~loop], down[~loop], claim[~loop]
    kept = ~refined(claims, world.structure, shown, up, down, claim)
    up, down, claim = up[kept], down[kept], claim[kept]
    is_flow = np.arange(shown.size) >= count
    return Plane(
        shown=shown,
        steps=_steps(world, up, down, claim, shown, is_flow),
        lift=lift,
        loops=loops,
        pairs=Pairs.of(claims, shown[up], shown[down], claim, count),
    )


def _lifted(world: World, told: Told, fact: NDArray[np.int64]) -> tuple[Positions, Positions]:
    """Where each told vertex lies among the assets, and what the vertices there are shown as."""
    structure, count = world.structure, world.things.ids.size
    process = structure.process[told.shown]
    lift = np.where(told.is_flow, process, structure.rolled[told.shown]).astype(np.int32)
    used = np.zeros(told.shown.size, np.bool_)
    used[told.up[fact]] = True
    used[told.down[fact]] = True
    flows = np.flatnonzero(told.is_flow & used).astype(np.int32)
    if not flows.size:
        return lift, np.arange(count, dtype=np.int32)
    marks = _signatures(world, told, fact, lift)[flows]
    owner = process[flows]
    _, first, same = np.unique(
        np.column_stack([owner.astype(np.uint64), marks]), axis=0, return_index=True, return_inverse=True
    )
    lift[flows] = count + same.reshape(-1).astype(np.int32)
    return lift, np.concatenate([np.arange(count, dtype=np.int32), owner[first]])


def _signatures(world: World, told: Told, fact: NDArray[np.int64], lift: Positions) -> NDArray[np.uint64]:
    """Per told vertex what goes in and out; equal for flows that say the same at every time."""
    claims = world.claims
    claim = told.claim[fact]
    flow = np.concatenate([told.up[fact], told.down[fact]])
    other = np.concatenate([told.down[fact], told.up[fact]])
    both = np.concatenate([claim, claim])
    side = np.repeat(np.array([0, 1], np.uint64), claim.size)
    words = [
        side,
        lift[other].astype(np.uint64),
        claims.kind[both].astype(np.uint64),
        claims.role[both].astype(np.uint64),
        claims.evidence[both].astype(np.uint64),
        claims.confidence[both].view(np.uint32).astype(np.uint64),
    ]
    hashed = np.zeros(both.size, np.uint64)
    for word in words:
        hashed = _mixed(hashed ^ word)
    rows = np.unique(np.column_stack([flow.astype(np.uint64), hashed]), axis=0)
    sums = np.zeros((told.shown.size, 3), np.uint64)
    place = rows[:, 0].astype(np.int64)
    np.add.at(sums[:, 0], place, rows[:, 1])
    np.add.at(sums[:, 1], place, _mixed(rows[:, 1]))
    apart = _uneven(claims, told, flow, other, both)
    sums[apart, 2] = apart.astype(np.uint64) + np.uint64(1)
    return sums


def _uneven(claims: Claims, told: Told, flow: Positions, other: Positions, claim: Positions) -> NDArray[np.int64]:
    """Flows whose claims do not all hold from one moment on for ever, or that touch another process: kept apart."""
    first, last = np.full(told.shown.size, EVER, np.int64), np.full(told.shown.size, SINCE_BEFORE, np.int64)
    np.minimum.at(first, flow, claims.start[claim])
    np.maximum.at(last, flow, claims.start[claim])
    uneven = first < last
    uneven[flow[(claims.end[claim] != EVER) | told.is_flow[other]]] = True
    return np.flatnonzero(uneven)


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """A number in which every bit depends on every bit (the finalizer of SplitMix64)."""
    values = values + _GOLDEN
    values = (values ^ (values >> np.uint64(30))) * _MIX[0]
    values = (values ^ (values >> np.uint64(27))) * _MIX[1]
    return values ^ (values >> np.uint64(31))


def _steps(world: World, up: Positions, down: Positions, claim: Positions, shown: Positions, is_flow: Marks) -> Steps:
    """One step for all claims that differ in their start and run only."""
    claims = world.claims
    if not claim.size:
        order, first = np.zeros(0, np.int64), np.zeros(0, np.int64)
    else:
        keys = (
            claims.start[claim], claims.end[claim], claims.confidence[claim], claims.evidence[claim],
            claims.role[claim], claims.kind[claim], down, up,
        )  # fmt: skip
        order = np.lexsort(keys)
        changes = np.zeros(claim.size, np.bool_)
        changes[0] = True
        for column in keys[1:]:
            changes[1:] |= column[order][1:] != column[order][:-1]
        first = np.flatnonzero(changes)
    rows = order[first]
    start, end = claims.start[claim], claims.end[claim]
    began = np.where(is_flow[up], world.things.started[claims.up[claim]], start)
    began = np.where(began == SINCE_BEFORE, start, began)
    ended = np.where(is_flow[down], world.things.ended[claims.down[claim]], end)
    return Steps(
        near=up[rows],
        far=down[rows],
        claim=claim[rows],
        start=start[rows],  # the order begins with the earliest
        seen=_over(np.maximum, claims.seen[claim][order], first),
        began=_over(np.minimum, began[order], first),
        ended=_over(np.maximum, ended[order], first),
        inferred=np.zeros(first.size, np.bool_),
        backward=np.zeros(first.size, np.bool_),
    )


def _over(best: np.ufunc, values: Seconds, first: NDArray[np.int64]) -> Seconds:
    return best.reduceat(values, first) if first.size else values[:0]


def crossings(world: World, plane: Plane, direction: Direction) -> Crossing:
    """VERSION_OF between vertices that both stand here: where one side of a reading names no version."""
    claims, things = world.claims, world.things
    claim = claims.of(EdgeKind.VERSION_OF)
    version, thing = claims.up[claim], claims.down[claim]
    rolled = plane.lift[: things.ids.size]
    apart = ~claims.planned[claim] & (rolled[version] == version) & (rolled[thing] == thing) & (version != thing)
    claim, version, thing = claim[apart], version[apart], thing[apart]
    is_up = direction is Direction.UPSTREAM
    steps = Steps(
        near=thing if is_up else version,
        far=version if is_up else thing,
        claim=claim,
        start=claims.start[claim],
        seen=claims.seen[claim],
        began=np.full(claim.size, SINCE_BEFORE, np.int64),  # whom one meets beyond decides
        ended=np.full(claim.size, EVER, np.int64),
        inferred=np.ones(claim.size, np.bool_),
        backward=np.zeros(claim.size, np.bool_),
    )
    return Crossing(steps)
