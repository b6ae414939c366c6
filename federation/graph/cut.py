"""Which claims a walk may use: what held at a time, and what whoever asks lets count."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..columns import EVER, NONE, SINCE_BEFORE
from ..model import EdgeKind, Evidence, Role
from .things import EDGE_KIND, EDGE_KINDS, LINEAGE_KINDS, ROLES, Claims, Marks, Positions, Seconds

EVIDENCE = list(Evidence)
_INFERRED = EVIDENCE.index(Evidence.INFERRED)
_READ = EDGE_KIND[EdgeKind.READ]


@dataclass(frozen=True, slots=True)
class Cut:
    """A claim counts if it began by `begun_by`, ended after `ends_after`, and passes the rest."""

    begun_by: int = EVER
    ends_after: int = SINCE_BEFORE
    kinds: Marks | None = None
    roles: Marks | None = None
    evidence: Marks | None = None
    min_confidence: float | None = None
    seen_since: int | None = None
    synced: Seconds = field(default_factory=lambda: np.zeros(0, np.int64))
    """Per source its last complete sync, `SINCE_BEFORE` if there was none; wanted with `seen_since`."""

    @classmethod
    def at(cls, when: int) -> "Cut":
        """What held at a second."""
        return cls(begun_by=when, ends_after=when)

    def narrowed(
        self,
        *,
        edges: Sequence[EdgeKind] | None = None,
        roles: Sequence[Role] | None = None,
        evidence: Sequence[Evidence] | None = None,
        min_confidence: float | None = None,
        seen_since: int | None = None,
    ) -> "Cut":
        """The same times, fewer claims."""
        return Cut(
            self.begun_by,
            self.ends_after,
            None if edges is None else _marks(EDGE_KINDS, edges),
            None if roles is None else _marks(ROLES, roles),
            None if evidence is None else _marks(EVIDENCE, evidence),
            min_confidence,
            seen_since,
            self.synced,
        )

    def passes(self, claims: Claims, which: Positions, start: Seconds, seen: Seconds, inferred: Marks) -> Marks:
        """Judge steps by their claims; `start` and `seen` are of all equal claims that one stands for."""
        fits = self.holds(claims, which, start)
        kind = claims.kind[which]
        structure = kind >= LINEAGE_KINDS  # a part or a version: it carries nothing by itself and is no matter of taste
        if self.kinds is not None:
            fits &= structure | self.kinds[kind]
        if self.roles is not None:
            role = claims.role[which]
            fits &= (kind != _READ) | ((role != NONE) & self.roles[np.where(role == NONE, 0, role)])
        if self.evidence is not None:
            fits &= self.evidence[np.where(inferred, _INFERRED, claims.evidence[which])] | (structure & ~inferred)
        if self.min_confidence is not None:
            fits &= structure | (claims.confidence[which] >= np.float32(self.min_confidence))
        if self.seen_since is not None:
            fits &= structure | (last_seen(claims, which, seen, self.synced) >= self.seen_since)
        return fits

    def holds(self, claims: Claims, which: Positions, start: Seconds) -> Marks:
        """Judge by time alone."""
        return (start <= self.begun_by) & (claims.end[which] > self.ends_after)


def last_seen(claims: Claims, which: Positions, seen: Seconds, synced: Seconds) -> Seconds:
    """When a claim was last heard of: its run; else its end; else the last complete sync of its source."""
    source = claims.source[which]
    said = synced[source] if synced.size else np.full(which.size, SINCE_BEFORE, np.int64)
    said = np.where(said == SINCE_BEFORE, claims.start[which], said)
    said = np.where(claims.end[which] != EVER, claims.end[which], said)
    return np.where(seen == SINCE_BEFORE, said, seen)


def _marks(words: Sequence[object], wanted: Sequence[object]) -> NDArray[np.bool_]:
    return np.array([word in wanted for word in words], np.bool_)
