"""The level COLUMN: columns where they are told, the table where only the table is told.

Every vertex of the assets stands here twice. The first is exact; there a table with columns means "the table, coming
from one of its columns" and offers only what no column lineage says more closely. The second is for what lies behind
such a table: there everything is as at ASSET.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..columns import EVER
from ..model import AssetKind, Direction, EdgeKind
from .levels import Pairs, Plane, World, crossings, edge_keys
from .refined import through, through_any
from .roads import Crossing, Roads, Steps, joined
from .things import NOWHERE, Marks, Positions, ranges


@dataclass(frozen=True, slots=True)
class ByColumn:
    """The assets with their columns."""

    world: World
    plane: Plane
    told: Steps
    """Column lineage, from upstream to downstream, between vertices of the exact half."""
    refined: NDArray[np.int64]
    """Rows (flow, above, below) that column lineage says more closely."""

    @classmethod
    def of(cls, world: World, plane: Plane) -> "ByColumn":
        """Find what columns say."""
        told = _column_lineage(world, plane)
        return cls(world, plane, told, _refined(world, plane, told))

    @property
    def lift(self) -> Positions:
        """Per told vertex where it lies here, reached from outside the columns."""
        shown, columns = self.world.told.shown, self.world.things.are(AssetKind.COLUMN)
        lift = self.plane.lift
        tables = self._is_table[lift]
        lift = np.where(tables, lift + self.plane.shown.size, lift).astype(np.int32)
        return np.where(columns[shown], shown, lift)

    @property
    def pairs(self) -> Pairs:
        """Which claims stand behind an edge that is shown."""
        claims, count, pairs = self.world.claims, self.world.things.ids.size, self.plane.pairs
        claim = self.told.claim
        keys = edge_keys(claims, claims.up[claim], claims.down[claim], claim, count)
        keys = np.concatenate([pairs.keys, keys])
        order = np.argsort(keys, kind="stable")
        return Pairs(keys[order], np.concatenate([pairs.claim, claim])[order], count)

    @property
    def _is_table(self) -> Marks:
        """Per vertex of the assets: a thing with columns."""
        count = self.world.things.ids.size
        return np.append(self.world.structure.has_columns, np.zeros(self.plane.shown.size - count, np.bool_))

    def roads(self, direction: Direction) -> Roads:
        """The level to walk on."""
        size, table = self.plane.shown.size, self._is_table
        facing = self._facing(self.plane.steps, direction)
        shift = np.int32(size)
        behind = facing.moved(facing.near + shift, facing.far + shift)
        columns = self._facing(self.told, direction)
        columns = columns.moved(columns.near, np.where(table[columns.far], columns.far + shift, columns.far))
        exact = _onward(facing.taken(~self._of_columns(facing)), table, size)
        exact, rest, rest_shown = self._without_refined(exact, direction)
        steps = joined(behind, columns, exact, rest)
        steps = joined(steps, self._tables_of_columns(np.unique(steps.near), direction))
        return Roads.of(
            direction,
            self.world.claims,
            steps,
            np.concatenate([self.plane.shown, self.plane.shown, rest_shown]),
            np.concatenate([~table, np.zeros(size + rest_shown.size, np.bool_)]),
            _twice(crossings(self.world, self.plane, direction), size),
            gate=np.concatenate([table, np.zeros(size, np.bool_), np.ones(rest_shown.size, np.bool_)]),
        )

    def _facing(self, steps: Steps, direction: Direction) -> Steps:
        return steps.turned() if direction is Direction.UPSTREAM else steps

    def _of_columns(self, steps: Steps) -> Marks:
        """Steps that stand for column lineage in a graph of assets."""
        claims, columns = self.world.claims, self.world.things.are(AssetKind.COLUMN)
        return columns[claims.up[steps.claim]] | columns[claims.down[steps.claim]]

    def _without_refined(self, steps: Steps, direction: Direction) -> tuple[Steps, Steps, Positions]:
        """From a table that came from a column: enter a remainder of each flow that columns say more closely.

        Returns the steps up to the remainders, those beyond, and what the remainders are shown as.
        """
        size = self.plane.shown.size
        flow, above, below = self.refined.T
        near, far = (below, above) if direction is Direction.UPSTREAM else (above, below)
        from_table = self._is_table[near]
        closer = np.unique(np.column_stack([flow, near, far])[from_table], axis=0)
        entries = np.unique(closer[:, :2], axis=0)
        if not entries.size:
            return steps, steps.taken(np.zeros(steps.near.size, np.bool_)), np.zeros(0, np.int32)
        entered = _pair(steps.far, steps.near, size)
        known = _pair(entries[:, 0], entries[:, 1], size)
        place = np.searchsorted(known, entered)
        place[place == known.size] = 0
        redirected = known[place] == entered
        rest = self._remainders(direction, entries, closer)
        left = np.unique(rest.near)
        target = np.where(redirected, 2 * size + place, steps.far).astype(np.int32)
        kept = ~redirected | np.isin(target, left)
        return steps.moved(steps.near, target).taken(kept), rest, self.plane.shown[entries[:, 0]]

    def _remainders(self, direction: Direction, entries: NDArray[np.int64], closer: NDArray[np.int64]) -> Steps:
        """What leaves a flow beyond, but for what columns say more closely."""
        size = self.plane.shown.size
        facing = self._facing(self.plane.steps, direction)
        order = np.argsort(facing.near, kind="stable")
        facing = facing.taken(order)
        first = np.searchsorted(facing.near, entries[:, 0], "left")
        last = np.searchsorted(facing.near, entries[:, 0], "right")
        entry = np.repeat(np.arange(first.size, dtype=np.int64), last - first)
        row = ranges(first, last)
        known = _pair(entries[:, 0], entries[:, 1], size)
        said = np.searchsorted(known, _pair(closer[:, 0], closer[:, 1], size)) * size + closer[:, 2]
        open_ones = ~np.isin(entry * size + facing.far[row], said)
        entry, row = entry[open_ones], row[open_ones]
        steps = facing.taken(row)
        return steps.moved((2 * size + entry).astype(np.int32), (steps.far + size).astype(np.int32))

    def _tables_of_columns(self, offering: Positions, direction: Direction) -> Steps:
        """From a column to its table, where the table offers anything."""
        claims, structure = self.world.claims, self.world.structure
        claim = claims.of(EdgeKind.PART_OF)
        claim = claim[self.world.things.are(AssetKind.COLUMN)[claims.up[claim]]]
        column = claims.up[claim]
        table = structure.rolled[column]
        fits = (table != column) & np.isin(table, offering)
        claim, column, table = claim[fits], column[fits], table[fits]
        return Steps(
            near=column,
            far=table,
            claim=claim,
            start=claims.start[claim],
            seen=claims.seen[claim],
            began=claims.start[claim],
            ended=np.full(claim.size, EVER, np.int64),
            inferred=np.zeros(claim.size, np.bool_),
            backward=np.full(claim.size, direction is Direction.UPSTREAM),
        )


def _column_lineage(world: World, plane: Plane) -> Steps:
    """Claims with a column at an end, between columns and what has none."""
    told, claims = world.told, world.claims
    columns = world.things.are(AssetKind.COLUMN)
    claim = told.claim
    which = np.flatnonzero((columns[claims.up[claim]] | columns[claims.down[claim]]) & ~claims.planned[claim])
    lift = np.where(columns[told.shown], told.shown, plane.lift)
    up, down, claim = lift[told.up[which]], lift[told.down[which]], claim[which]
    apart = up != down
    up, down, claim = up[apart], down[apart], claim[apart]
    return Steps(
        near=up,
        far=down,
        claim=claim,
        start=claims.start[claim],
        seen=claims.seen[claim],
        began=claims.start[claim],
        ended=claims.end[claim],
        inferred=np.zeros(claim.size, np.bool_),
        backward=np.zeros(claim.size, np.bool_),
    )


def _refined(world: World, plane: Plane, told: Steps) -> NDArray[np.int64]:
    """Pairs of flows that columns say more closely, and have said as long."""
    claims, structure, steps = world.claims, world.structure, plane.steps
    above, below = structure.rolled[claims.up[told.claim]], structure.rolled[claims.down[told.claim]]
    via = claims.via[told.claim]
    process = np.where(via == NOWHERE, NOWHERE, structure.process[via])
    named, unnamed = np.flatnonzero(via != NOWHERE), np.flatnonzero(via == NOWHERE)
    found: list[NDArray[np.int64]] = []
    rows = (claims, plane.shown, steps.near, steps.far, steps.claim)
    for places, (place, read, write) in (
        (named, through(*rows, process[named], above[named], below[named])),
        (unnamed, through_any(*rows, above[unnamed], below[unnamed])),
    ):
        row = places[place]
        as_long = told.start[row] <= np.maximum(steps.start[read], steps.start[write])
        row, read = row[as_long], read[as_long]
        found.append(np.column_stack([steps.far[read], above[row], below[row]]).astype(np.int64))
    return np.unique(np.concatenate(found), axis=0)


def _onward(steps: Steps, table: Marks, size: int) -> Steps:
    """Steps of the exact half: they lead into the other half behind a table, and to a table."""
    leaves = table[steps.near] | table[steps.far]
    return steps.moved(steps.near, np.where(leaves, steps.far + size, steps.far).astype(np.int32))


def _twice(crossing: Crossing, size: int) -> Crossing:
    steps = crossing.steps
    return Crossing(joined(steps, steps.moved(steps.near + np.int32(size), steps.far + np.int32(size))))


def _pair(first: NDArray[np.int64] | Positions, second: NDArray[np.int64] | Positions, size: int) -> NDArray[np.int64]:
    # Far ends in the other half count as their like in this one.
    return (first.astype(np.int64) % size) * size + second
