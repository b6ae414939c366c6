"""What was walked, as it is shown: which nodes and edges, in which order, and only the page of them hydrated."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from .. import patience
from ..columns import EVER, NONE, SINCE_BEFORE
from ..graph import Cut, Snapshot, Walked, edge_keys, last_seen
from ..graph.cut import EVIDENCE
from ..graph.things import EDGE_KINDS, KINDS, NOWHERE, ROLES, STATES
from ..model import AssetKind, Evidence, Level, RunState
from ..rows import EdgeRow, Head
from .answers import LineageEdge, LineageNode, Run
from .ports import Reader

_INFERRED = EVIDENCE.index(Evidence.INFERRED)
_VIA = 10


@dataclass(frozen=True, slots=True)
class Edges:
    """The edges of a walk, each once, by key."""

    key: NDArray[np.int64]
    up: NDArray[np.int32]
    down: NDArray[np.int32]
    evidence: NDArray[np.int64]
    """The best, as its position; `INFERRED` where only a guess leads along."""
    confidence: NDArray[np.float32]
    is_undated: NDArray[np.bool_]

    def taken(self, which: NDArray[np.int64] | NDArray[np.bool_]) -> "Edges":
        """Some of them."""
        columns = (self.key, self.up, self.down, self.evidence, self.confidence, self.is_undated)
        return Edges(*(column[which] for column in columns))  # pyright: ignore[reportArgumentType] - each its own type

    @property
    def size(self) -> int:
        """How many."""
        return self.key.size


@dataclass(frozen=True, slots=True)
class View:
    """One walk on one graph, ready to be shown."""

    reader: Reader
    snapshot: Snapshot
    level: Level
    cut: Cut
    walked: Walked

    def nodes(self, kinds: Iterable[AssetKind] | None, platforms: NDArray[np.bool_] | None) -> NDArray[np.int64]:
        """Which things of the walk are shown, as places in it; `platforms` says per source if its records count."""
        things = self.walked.things
        fits = np.ones(things.size, np.bool_)
        if kinds is not None:
            fits &= np.isin(self.snapshot.things.kind[things], [KINDS.index(kind) for kind in kinds])
        if platforms is not None:
            known = np.zeros(self.snapshot.things.ids.size, np.bool_)
            known[self.snapshot.things.of_record[platforms[self.snapshot.record_source]]] = True
            fits &= known[things]
        return np.flatnonzero(fits)

    def edges(self) -> Edges:
        """All edges of the walk, summed up as far as it takes to order and count them."""
        claims, walked = self.snapshot.claims, self.walked
        keys = self._keys()
        key, first, place = np.unique(keys, return_index=True, return_inverse=True)
        evidence = np.full(key.size, len(EVIDENCE), np.int64)
        told = np.where(walked.inferred, _INFERRED, claims.evidence[walked.claim]).astype(np.int64)
        np.minimum.at(evidence, place, told)
        confidence = np.zeros(key.size, np.float32)
        np.maximum.at(confidence, place, claims.confidence[walked.claim])
        is_undated = np.zeros(key.size, np.bool_)
        is_undated[place[claims.start[walked.claim] == SINCE_BEFORE]] = True
        return Edges(key, walked.up[first], walked.down[first], evidence, confidence, is_undated)

    def loops(self) -> int:
        """How many edges from a thing of the walk to itself there are that the level does not show."""
        claims, rolled = self.snapshot.claims, self.snapshot.structure.rolled
        loops = self.snapshot.loops(self.level)
        none = np.zeros(loops.size, np.bool_)
        loops = loops[self.cut.passes(claims, loops, claims.start[loops], claims.seen[loops], none)]
        thing = rolled[claims.up[loops]]
        inside = np.isin(thing, self.walked.things)
        count = self.snapshot.things.ids.size
        return int(np.unique(edge_keys(claims, thing[inside], thing[inside], loops[inside], count)).size)

    def _keys(self) -> NDArray[np.int64]:
        walked, count = self.walked, self.snapshot.things.ids.size
        return edge_keys(self.snapshot.claims, walked.up, walked.down, walked.claim, count)

    def shown_nodes(self, places: NDArray[np.int64]) -> tuple[LineageNode, ...]:
        """The nodes at some places of the walk, hydrated."""
        things = self.walked.things[places]
        ids = self.snapshot.things.ids[things].tolist()
        heads = self._heads(ids)
        depths, exact = self.walked.depth[places].tolist(), self.walked.exact[places].tolist()
        return tuple(
            self._node(asset, thing, heads.get(asset), depth, is_exact)
            for asset, thing, depth, is_exact in zip(ids, things.tolist(), depths, exact, strict=True)
        )

    def _heads(self, ids: Sequence[int]) -> dict[int, Head]:
        """Heads by the ids that the snapshot knows; what was joined to another since is found there."""
        heads = self.reader.heads(ids)
        moved = [asset for asset in ids if asset not in heads]
        if moved:
            now = self.reader.assets_of(moved)
            there = self.reader.heads(set(now.values()))
            heads |= {asset: there[now[asset]] for asset in moved if now.get(asset) in there}
        return heads

    def _node(self, asset: int, thing: int, head: Head | None, depth: int, is_exact: bool) -> LineageNode:
        kind = KINDS[int(self.snapshot.things.kind[thing])]
        if head is None:
            return LineageNode(asset, kind, f"#{asset}", depth, column_exact=is_exact)
        run = None
        if head.run is not None and kind is AssetKind.RUN:
            job = int(self.snapshot.structure.job_of[thing])
            told = head.run
            job_id = None if job == NOWHERE else int(self.snapshot.things.ids[job])
            run = Run(told.state, told.started_at, told.ended_at, told.error, job_id)
        return LineageNode(
            asset,
            kind,
            head.name,
            depth,
            head.platforms,
            tombstoned_at=self._tombstone(thing, head),
            column_exact=is_exact,
            run=run,
        )

    def _tombstone(self, thing: int, head: Head) -> datetime | None:
        """When it went, as this graph knows; to the microsecond where the store still says the same."""
        gone = int(self.snapshot.things.tombstoned[thing])
        if gone == EVER:
            return None
        return head.tombstoned_at or _moment(gone)

    def shown_edges(self, edges: Edges) -> tuple[LineageEdge, ...]:
        """Edges, summed up over all their claims that count."""
        keys = self._keys()
        guessed: list[bool] = (edges.evidence == _INFERRED).tolist()
        behind = [self._behind(key, keys, guess) for key, guess in zip(edges.key.tolist(), guessed, strict=True)]
        telling = {claim for claims in behind for claim in self._telling(claims)}
        ids = self.snapshot.claims.id
        rows = self.reader.edges(int(ids[claim]) for claim in telling)
        return tuple(self._edge(edges, place, claims, rows) for place, claims in enumerate(behind))

    def _behind(self, key: int, keys: NDArray[np.int64], guessed: bool) -> NDArray[np.int32]:
        """The claims of an edge that count: those of the level, and those that it was walked by."""
        patience.check()
        claims, count = self.snapshot.claims, self.snapshot.things.ids.size
        found = self.snapshot.pairs(self.level).behind(key)
        if not found.size:
            walked = np.unique(self.walked.claim[keys == key])
            own = edge_keys(claims, claims.up[walked], claims.down[walked], walked, count)
            fine = self.snapshot.pairs(Level.FINE)
            found = np.unique(np.concatenate([walked, *(fine.behind(one) for one in own.tolist())]))
        guesses = np.full(found.size, guessed)
        return found[self.cut.passes(claims, found, claims.start[found], claims.seen[found], guesses)]

    def _telling(self, behind: NDArray[np.int32]) -> list[int]:
        """The claims of an edge that are worth a look: the best, the earliest, the one that ends last."""
        claims = self.snapshot.claims
        if not behind.size:
            return []
        best = np.lexsort((-claims.confidence[behind], claims.evidence[behind]))[0]
        picks = (best, np.argmin(claims.start[behind]), np.argmax(claims.end[behind]), self._last(behind))
        return list(dict.fromkeys(int(behind[pick]) for pick in picks))

    def _last(self, behind: NDArray[np.int32]) -> int:
        """The claim that was heard of last."""
        claims = self.snapshot.claims
        return int(np.argmax(np.maximum(claims.seen[behind], claims.start[behind])))

    def _edge(self, edges: Edges, place: int, behind: NDArray[np.int32], rows: dict[int, EdgeRow]) -> LineageEdge:
        patience.check()
        claims, things = self.snapshot.claims, self.snapshot.things
        word = int(edges.key[place]) & 255
        role = word & 15
        told = [rows[int(claims.id[one])] for one in self._telling(behind) if int(claims.id[one]) in rows]
        seen = last_seen(claims, behind, claims.seen[behind], self.cut.synced)
        runs = np.unique(claims.run[behind])
        runs = runs[runs != NOWHERE]
        start = int(claims.start[behind].min(initial=EVER))
        end = int(claims.end[behind].max(initial=SINCE_BEFORE))
        return LineageEdge(
            upstream=int(things.ids[edges.up[place]]),
            downstream=int(things.ids[edges.down[place]]),
            kind=EDGE_KINDS[word >> 4],
            role=None if role == NONE & 15 else ROLES[role],
            evidence=EVIDENCE[int(edges.evidence[place])],
            confidence=round(float(edges.confidence[place]), 6),
            sources=tuple(sorted({self.snapshot.sources[int(one)] for one in claims.source[behind]})),
            via=self._via(edges, place, behind),
            runs=int(runs.size),
            outcome=self._outcome(behind),
            valid_from=_exactly(start, (row.valid_from for row in told)),
            valid_to=_exactly(end, (row.valid_to for row in told), up=True),
            last_seen_at=_moment(int(seen.max(initial=SINCE_BEFORE))),
            transformation=next((row.transformation for row in told if row.transformation is not None), None),
        )

    def _via(self, edges: Edges, place: int, behind: NDArray[np.int32]) -> tuple[int, ...]:
        """What an edge went through, the latest first, but for its own ends."""
        claims = self.snapshot.claims
        through = np.where(claims.via[behind] == NOWHERE, claims.run[behind], claims.via[behind])
        order = np.argsort(-np.maximum(claims.seen[behind], claims.start[behind]), kind="stable")
        ends = {NOWHERE, int(edges.up[place]), int(edges.down[place])}
        found = dict.fromkeys(one for one in through[order].tolist() if one not in ends)
        return tuple(int(self.snapshot.things.ids[one]) for one in list(found)[:_VIA])

    def _outcome(self, behind: NDArray[np.int32]) -> RunState | None:
        """How the last run of an edge ended, where that was told."""
        if not behind.size:
            return None
        outcome = int(self.snapshot.claims.outcome[behind[self._last(behind)]])
        return None if outcome == NONE else STATES[outcome]


def _moment(second: int) -> datetime | None:
    return None if second in (EVER, SINCE_BEFORE) else datetime.fromtimestamp(second, UTC)


def _exactly(second: int, told: Iterable[datetime | None], *, up: bool = False) -> datetime | None:
    """A second of the graph, to the microsecond where a row says it."""
    rounded = _moment(second)
    if rounded is None:
        return None
    for moment in told:
        if moment is not None and 0 <= ((rounded - moment) if up else (moment - rounded)).total_seconds() < 1:
            return moment
    return rounded
