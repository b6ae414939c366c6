"""What is asked of the graph: where from, how far, how fine, at which time, and what counts."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..columns import EVER
from ..errors import BadInput
from ..graph import Cut
from ..model import AssetKind, Direction, Level
from .answers import Walk
from .ports import seconds


@dataclass(frozen=True, slots=True)
class Terms:
    """What every walk takes alike."""

    level: Level | None = None
    as_of: datetime | None = None
    known_at: datetime | None = None
    walk: Walk | None = None

    def cut(self, now: int) -> Cut:
        """Which claims count; `now` is the second that the answer calls the present. Raises `BadInput`."""
        walk = self.walk or Walk()
        if walk.min_confidence is not None and not 0 <= walk.min_confidence <= 1:
            raise BadInput(f"minConfidence: {walk.min_confidence} is not between 0 and 1")
        # Without `as_of` a claim that a fast clock dates a little ahead is there at once.
        at = Cut(EVER, now) if self.as_of is None else Cut.at(seconds(self.as_of))
        return at.narrowed(
            edges=walk.edges,
            roles=walk.roles,
            evidence=walk.evidence,
            min_confidence=walk.min_confidence,
            seen_since=None if walk.seen_since is None else seconds(walk.seen_since),
        )

    def plain(self) -> list[Any]:
        """The same as JSON, for the signature of a cursor."""
        walk = self.walk or Walk()
        words = [None if some is None else sorted(some) for some in (walk.edges, walk.roles, walk.evidence)]
        return [self.level, self.as_of, self.known_at, *words, walk.min_confidence, walk.seen_since]


@dataclass(frozen=True, slots=True)
class Question:
    """One walk, and which part of it is shown."""

    root: int
    direction: Direction
    depth: int | None
    terms: Terms
    kinds: tuple[AssetKind, ...] | None = None
    platforms: tuple[str, ...] | None = None

    def checked(self) -> "Question":
        """Itself. Raises `BadInput`."""
        if self.depth is not None and self.depth < 0:
            raise BadInput(f"depth: {self.depth} is no number of steps")
        for name, moment in (("asOf", self.terms.as_of), ("knownAt", self.terms.known_at)):
            if moment is not None and moment.tzinfo is None:
                raise BadInput(f"{name} has no time zone; for example 2026-11-20T12:00:00Z")
        return self

    def plain(self) -> list[Any]:
        """The same as JSON, for the signature of a cursor."""
        kinds = None if self.kinds is None else sorted(self.kinds)
        platforms = None if self.platforms is None else sorted(self.platforms)
        return [self.root, self.direction, self.depth, kinds, platforms, *self.terms.plain()]
