"""What a walk begins with: a root is never rolled up, and stands for its versions and parts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..model import AssetKind, Direction, EdgeKind, Level
from .cut import Cut
from .levels import World
from .roads import Entry, Roads, Start, Steps, joined, no_steps
from .things import EDGE_KIND, KINDS, Claims, Positions, rows_of

_WHOLES = (
    AssetKind.FEATURE_TABLE,
    AssetKind.EXPERIMENT,
    AssetKind.RUN,
    AssetKind.JOB,
    AssetKind.AGENT,
    AssetKind.DASHBOARD,
    AssetKind.OTHER,
)
"""What stands for its parts. A table stands for its columns at COLUMN only."""
_NESTING = 8
"""How deep parts within parts are followed."""


@dataclass(frozen=True, slots=True)
class Kinship:
    """Structural claims by their ends, and told vertices by what they are shown as."""

    claims: Claims
    parents: Positions
    by_parent: Positions
    children: Positions
    by_child: Positions
    vertices: NDArray[np.int64]
    first_vertex: NDArray[np.int64]

    @classmethod
    def of(cls, world: World) -> "Kinship":
        """Sort them."""
        claims = world.claims
        which = np.concatenate([claims.of(kind) for kind in (EdgeKind.VERSION_OF, EdgeKind.PART_OF, EdgeKind.RUN_OF)])
        by_parent = which[np.argsort(claims.down[which], kind="stable")]
        by_child = which[np.argsort(claims.up[which], kind="stable")]
        vertices, first = rows_of(world.told.shown, world.things.ids.size)
        return cls(claims, claims.down[by_parent], by_parent, claims.up[by_child], by_child, vertices, first)

    def standing(self, thing: int) -> NDArray[np.int64]:
        """The told vertices of a thing."""
        return self.vertices[self.first_vertex[thing] : self.first_vertex[thing + 1]]

    def below(self, thing: int, kinds: Sequence[EdgeKind], cut: Cut) -> Positions:
        """Claims that something is a version, a part or a run of a thing, held at the time."""
        return self._held(self.parents, self.by_parent, thing, kinds, cut)

    def above(self, thing: int, kinds: Sequence[EdgeKind], cut: Cut) -> Positions:
        """Claims that a thing is a version, a part or a run of something."""
        return self._held(self.children, self.by_child, thing, kinds, cut)

    def _held(self, ends: Positions, order: Positions, thing: int, kinds: Sequence[EdgeKind], cut: Cut) -> Positions:
        first, last = np.searchsorted(ends, [thing, thing + 1])
        which = order[first:last]
        fits = np.isin(self.claims.kind[which], [EDGE_KIND[kind] for kind in kinds])
        which = which[fits & (self.claims.up[which] != self.claims.down[which])]
        return which[cut.holds(self.claims, which, self.claims.start[which])]


@dataclass(frozen=True, slots=True)
class Ground:
    """What is needed of a level to stand on it."""

    world: World
    kinship: Kinship
    roads: Roads
    fine: Roads
    """The level FINE, facing the same way."""
    lift: Positions
    """Per told vertex where it lies here."""
    vertices: Positions
    """The vertices that the root has here itself."""
    level: Level


def start(ground: Ground, root: int, cut: Cut) -> Start:
    """Where a walk from a thing begins."""
    entries: list[Steps] = [joined(_own(ground, root), _of_the_whole(ground, root, cut))]
    parents, known = [root], {root}
    for depth in range(_NESTING):
        found = _members(ground, parents, known, cut)
        if not found.size:
            break
        steps = _steps_to(ground, found, root)
        if depth == 0:
            entries = [joined(entries[0], steps)]
        else:
            entries.append(steps)
        parents = ground.world.claims.up[found].tolist()
    is_idle = len(entries) == 1 and not entries[0].near.size
    return Start(ground.vertices, () if is_idle else tuple(map(Entry, entries)))


def _own(ground: Ground, root: int) -> Steps:
    """The steps of a thing that lies within another here: a run with a job, a version of a dataset."""
    is_rolled = ground.roads.shown[ground.lift[root]] != root
    return _lifted(ground, root, root) if is_rolled else no_steps()


def _of_the_whole(ground: Ground, root: int, cut: Cut) -> Steps:
    """What is told of a thing without naming a version counts for each of its versions."""
    wholes = ground.kinship.above(root, (EdgeKind.VERSION_OF,), cut)
    things = dict.fromkeys(ground.world.claims.down[wholes].tolist())
    steps = joined(no_steps(), *(_lifted(ground, thing, root) for thing in things))
    return replace(steps, inferred=np.ones(steps.near.size, np.bool_))


def _lifted(ground: Ground, thing: int, shown_as: int) -> Steps:
    """The steps that leave a thing as they were told, up to where they lead here."""
    _, rows = ground.fine.leaving(ground.kinship.standing(thing))
    steps = ground.fine.steps.taken(rows)
    if ground.level is not Level.FINE:
        steps = steps.taken(~ground.world.claims.planned[steps.claim])
    far = ground.lift[steps.far]
    apart = ground.roads.shown[far] != shown_as
    return steps.moved(np.full(far.size, shown_as, np.int32), far).taken(apart)


def _members(ground: Ground, parents: Sequence[int], known: set[int], cut: Cut) -> Positions:
    """Claims to versions and parts that are not known yet, which thereby are."""
    claims = ground.world.claims
    found: list[int] = []
    for parent in parents:
        for claim in ground.kinship.below(parent, _member_kinds(ground, parent), cut).tolist():
            member = int(claims.up[claim])
            if member not in known and _is_alive(ground, member, cut):
                known.add(member)
                found.append(claim)
    return np.array(found, np.int32)


def _is_alive(ground: Ground, thing: int, cut: Cut) -> bool:
    # `ends_after` is the time asked for, also where it is the present.
    return bool(ground.world.things.tombstoned[thing] > cut.ends_after)


def _member_kinds(ground: Ground, parent: int) -> Sequence[EdgeKind]:
    kind = KINDS[int(ground.world.things.kind[parent])]
    wanted = [EdgeKind.VERSION_OF]
    if kind in _WHOLES or (ground.level is Level.COLUMN and ground.world.structure.has_columns[parent]):
        wanted.append(EdgeKind.PART_OF)
    if kind is AssetKind.JOB and ground.level is Level.FINE:
        wanted.append(EdgeKind.RUN_OF)
    return wanted


def _steps_to(ground: Ground, members: Positions, root: int) -> Steps:
    """From what shows each parent to every vertex that its member has here."""
    claims, shown = ground.world.claims, ground.roads.shown
    near: list[int] = []
    far: list[int] = []
    which: list[int] = []
    for claim in members.tolist():
        parent = int(claims.down[claim])
        place = root if parent == root else int(shown[ground.lift[parent]])
        vertices = np.unique(ground.lift[ground.kinship.standing(int(claims.up[claim]))])
        vertices = vertices[shown[vertices] != place]
        near += [place] * vertices.size
        far += vertices.tolist()
        which += [claim] * vertices.size
    return _structural(ground, np.array(near, np.int32), np.array(far, np.int32), np.array(which, np.int32))


def _structural(ground: Ground, near: Positions, far: Positions, which: Positions) -> Steps:
    claims = ground.world.claims
    return Steps(
        near=near,
        far=far,
        claim=which,
        start=claims.start[which],
        seen=claims.seen[which],
        began=claims.start[which],
        ended=claims.end[which],
        inferred=np.zeros(which.size, np.bool_),
        backward=np.full(which.size, ground.roads.direction is Direction.DOWNSTREAM),
    )
