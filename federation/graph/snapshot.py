"""One state of the graph: every level of it, to be walked and summed up."""

from dataclasses import fields, is_dataclass
from functools import cached_property
from threading import RLock
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from ..columns import GraphColumns
from ..model import AssetKind, Direction, Level
from . import roots
from .by_column import ByColumn
from .cut import Cut
from .flows import told
from .levels import Pairs, Plane, World, as_told, of_assets
from .roads import Roads, Walked, united
from .things import KINDS, NOWHERE, Claims, Positions, Structure, Things, claims_of, things_of


class Snapshot:
    """The whole graph at one number of the change log; never changes. Things are positions, see `things.ids`."""

    def __init__(self, columns: GraphColumns, world: World) -> None:
        self.seq = columns.seq
        self.epoch = columns.epoch
        self.sources = columns.sources
        self.record_source = columns.record_source
        """Per record position, which source's it is."""
        self._record = columns.record
        self._world = world
        self._roads: dict[tuple[Level, Direction], Roads] = {}
        self._building = RLock()

    @classmethod
    def of(cls, columns: GraphColumns) -> "Snapshot":
        """Build it; the levels follow when they are asked for."""
        things = things_of(columns)
        claims = claims_of(columns, things)
        structure = Structure.of(things, claims)
        world = World(things, claims, structure, told(things, claims, structure))
        return cls(columns, world)

    @property
    def bytes(self) -> int:
        """What its arrays take by now; levels that nobody has asked for are not there."""
        with self._building:
            return sum(_arrays(list(vars(self).values())).values())

    @property
    def things(self) -> Things:
        """All assets."""
        return self._world.things

    @property
    def claims(self) -> Claims:
        """All claims between them."""
        return self._world.claims

    @property
    def structure(self) -> Structure:
        """What lies within what."""
        return self._world.structure

    def position_of(self, any_id: int) -> int:
        """Where the asset stands that a record or a former asset id belongs to, or `NOWHERE`."""
        place = int(np.searchsorted(self._record, any_id))
        if place == self._record.size or self._record[place] != any_id:
            return NOWHERE
        return int(self.things.of_record[place])

    def level_for(self, thing: int, level: Level | None) -> Level:
        """The level of a walk: a column as root implies COLUMN."""
        if KINDS[int(self.things.kind[thing])] is AssetKind.COLUMN and level is not Level.FINE:
            return Level.COLUMN
        return level or Level.ASSET

    def roads(self, level: Level, direction: Direction) -> Roads:
        """A level to walk on in one direction."""
        with self._building:
            if (level, direction) not in self._roads:
                self._roads[level, direction] = self._built(level, direction)
            return self._roads[level, direction]

    def _built(self, level: Level, direction: Direction) -> Roads:
        match level:
            case Level.FINE:
                return self._fine.roads(self._world, direction)
            case Level.ASSET:
                return self._assets.roads(self._world, direction)
            case Level.COLUMN:
                return self._columns.roads(direction)

    def pairs(self, level: Level) -> Pairs:
        """Which claims stand behind an edge of a level."""
        with self._building:
            match level:
                case Level.FINE:
                    return self._fine.pairs
                case Level.ASSET:
                    return self._assets.pairs
                case Level.COLUMN:
                    return self._column_pairs

    def loops(self, level: Level) -> Positions:
        """Claims from a thing to itself that a level does not show."""
        with self._building:
            return self._fine.loops if level is Level.FINE else self._assets.loops

    def start(self, root: int, level: Level, direction: Direction, cut: Cut) -> roots.Start:
        """Where a walk from a thing begins."""
        with self._building:
            lift = self._lift(level)
        roads = self.roads(level, direction)
        vertices = np.flatnonzero((roads.shown == root) & ~roads.limited).astype(np.int32)
        if level is Level.COLUMN:
            vertices = vertices[vertices < self._assets.shown.size]
        ground = roots.Ground(
            self._world, self._kinship, roads, self.roads(Level.FINE, direction), lift, vertices, level
        )
        return roots.start(ground, root, cut)

    def walk(
        self,
        root: int,
        direction: Direction,
        level: Level,
        cut: Cut,
        *,
        depth: int | None = None,
        deadline: float | None = None,
    ) -> Walked:
        """All that is upstream or downstream of a thing; BOTH is the union of the two."""
        if direction is Direction.BOTH:
            up = self.walk(root, Direction.UPSTREAM, level, cut, depth=depth, deadline=deadline)
            down = self.walk(root, Direction.DOWNSTREAM, level, cut, depth=depth, deadline=deadline)
            return united(up, down)
        start = self.start(root, level, direction, cut)
        return self.roads(level, direction).walk(root, start, cut, depth, deadline)

    def sources_of(self, things: Positions) -> list[str]:
        """The sources (their ids) that have a record of any of these things."""
        wanted = np.zeros(self.things.ids.size, np.bool_)
        wanted[things] = True
        return [self.sources[int(one)] for one in np.unique(self.record_source[wanted[self.things.of_record]])]

    def _lift(self, level: Level) -> Positions:
        match level:
            case Level.FINE:
                return self._fine.lift
            case Level.ASSET:
                return self._assets.lift
            case Level.COLUMN:
                return self._columns.lift

    @cached_property
    def _fine(self) -> Plane:
        return as_told(self._world)

    @cached_property
    def _assets(self) -> Plane:
        return of_assets(self._world)

    @cached_property
    def _columns(self) -> ByColumn:
        return ByColumn.of(self._world, self._assets)

    @cached_property
    def _kinship(self) -> roots.Kinship:
        return roots.Kinship.of(self._world)

    @cached_property
    def _column_pairs(self) -> Pairs:
        return self._columns.pairs


def _arrays(waiting: list[Any]) -> dict[int, int]:
    """The bytes of each array below these values, by its identity; a view counts as what it is a view of."""
    found: dict[int, int] = {}
    while waiting:
        one = waiting.pop()
        if isinstance(one, np.ndarray):
            array = cast("NDArray[Any]", one)
            held: Any = array if array.base is None else array.base
            found[id(held)] = getattr(held, "nbytes", 0)
        elif is_dataclass(one):
            waiting += [getattr(one, each.name) for each in fields(one)]
        elif isinstance(one, dict):
            waiting += cast("dict[Any, Any]", one).values()
    return found


__all__ = ["NOWHERE", "Snapshot"]
