"""Graphs told by hand: names instead of numbers, seconds instead of dates."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import inf
from typing import Any

import numpy as np

from watersmeet.federation.columns import EVER, NONE, SINCE_BEFORE, GraphColumns
from watersmeet.federation.graph import Cut, Snapshot
from watersmeet.federation.inquiry.ways import ways
from watersmeet.federation.model import AssetKind, Direction, EdgeKind, Evidence, Level, Role, RunState


@dataclass(frozen=True)
class Said:
    """One claim between records, by name."""

    up: str
    down: str
    kind: EdgeKind
    role: Role | None = None
    flow: int = 0
    evidence: Evidence = Evidence.OBSERVED
    confidence: float = 1.0
    start: int | None = None
    end: int | None = None
    via: str | None = None
    planned: bool = False
    source: str = "one"


@dataclass
class Told:
    """Records and claims; a record's asset is its own unless it is `same` as another's."""

    records: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    said: list[Said] = field(default_factory=list[Said])

    def __call__(self, kind: AssetKind, *names: str, same: str | None = None, source: str = "one", **run: int) -> None:
        """Describe records of one kind."""
        for name in names:
            self.records[name] = {"kind": kind, "same": same, "source": source, **run}

    def edge(self, up: str, kind: EdgeKind, down: str, **more: Any) -> None:
        """Claim an edge."""
        self.said.append(Said(up, down, kind, **more))

    def ran(
        self,
        run: str,
        reads: Iterable[str] = (),
        writes: Iterable[str] = (),
        *,
        job: str | None = None,
        at: int | None = None,
        ended: int | None = None,
        **more: Any,
    ) -> None:
        """One run with one flow, and its job."""
        times = {"started": at} if at is not None else {}
        if ended is not None:
            times["ended"] = ended
        self.records.setdefault(run, {"kind": AssetKind.RUN, "same": None, "source": "one", **times})
        for name in reads:
            self.edge(name, EdgeKind.READ, run, start=at, **more)
        for name in writes:
            self.edge(run, EdgeKind.WRITE, name, start=at, **more)
        if job is not None:
            self.records.setdefault(job, {"kind": AssetKind.JOB, "same": None, "source": "one"})
            self.edge(run, EdgeKind.RUN_OF, job, start=at)

    def columns(self) -> GraphColumns:
        """What the store would hand over."""
        for said in self.said:
            for name in (said.up, said.down, said.via):
                if name is not None:
                    self.records.setdefault(name, {"kind": AssetKind.DATASET, "same": None, "source": "one"})
        number = {name: place for place, name in enumerate(self.records, 1)}
        rows = list(self.records.values())
        asset = {name: number[row["same"] or name] for name, row in self.records.items()}
        sources = sorted({row["source"] for row in rows} | {said.source for said in self.said})
        claims = sorted(
            enumerate(self.said, 1),
            key=lambda one: (number[one[1].up], number[one[1].down], list(EdgeKind).index(one[1].kind), one[0]),
        )
        said = [one for _, one in claims]
        return GraphColumns(
            seq=1,
            sources=tuple(sources),
            record=np.array(list(number.values()), np.int64),
            asset=np.array([asset[name] for name in self.records], np.int64),
            kind=np.array([list(AssetKind).index(row["kind"]) for row in rows], np.uint8),
            record_source=np.array([sources.index(row["source"]) for row in rows], np.int16),
            stub=np.zeros(len(rows), np.bool_),
            tombstoned=np.array([row.get("tombstoned", EVER) for row in rows], np.int64),
            state=np.full(len(rows), NONE, np.uint8),
            started=np.array([row.get("started", SINCE_BEFORE) for row in rows], np.int64),
            ended=np.array([row.get("ended", EVER) for row in rows], np.int64),
            claim=np.array([place for place, _ in claims], np.int64),
            up=np.array([number[one.up] for one in said], np.int64),
            down=np.array([number[one.down] for one in said], np.int64),
            edge_kind=np.array([list(EdgeKind).index(one.kind) for one in said], np.uint8),
            role=np.array([NONE if one.role is None else list(Role).index(one.role) for one in said], np.uint8),
            flow=np.array([one.flow for one in said], np.int32),
            evidence=np.array([list(Evidence).index(one.evidence) for one in said], np.uint8),
            confidence=np.array([one.confidence for one in said], np.float32),
            valid_from=np.array([SINCE_BEFORE if one.start is None else one.start for one in said], np.int64),
            valid_to=np.array([EVER if one.end is None else one.end for one in said], np.int64),
            via=np.array([number[one.via] if one.via else 0 for one in said], np.int64),
            planned=np.array([one.planned for one in said], np.bool_),
            outcome=np.full(len(said), NONE, np.uint8),
            edge_source=np.array([sources.index(one.source) for one in said], np.int16),
        )

    def walk(
        self,
        root: str,
        direction: Direction,
        level: Level | None = None,
        *,
        depth: int | None = None,
        at: int | None = None,
        cut: Cut | None = None,
    ) -> "Walk":
        """Walk from a root, told back by name."""
        snapshot = Snapshot.of(self.columns())
        names = list(self.records)
        shown = {int(place): names[int(number) - 1] for place, number in enumerate(snapshot.things.ids)}
        number = names.index(self.records[root]["same"] or root) + 1
        place = snapshot.things.position(number)
        wanted = snapshot.level_for(place, level)
        cut = cut or (Cut() if at is None else Cut.at(at))
        walked = snapshot.walk(place, direction, wanted, cut, depth=depth)
        columns = (walked.things.tolist(), walked.depth.tolist(), walked.exact.tolist())
        kinds = snapshot.claims.kind[walked.claim].tolist()
        return Walk(
            depth={shown[thing]: depth for thing, depth, _ in zip(*columns, strict=True)},
            exact={shown[thing]: exact for thing, _, exact in zip(*columns, strict=True)},
            edges={
                (shown[up], list(EdgeKind)[kind].value, shown[down])
                for up, down, kind in zip(walked.up.tolist(), walked.down.tolist(), kinds, strict=True)
            },
            inferred={
                (shown[up], shown[down])
                for up, down, guess in zip(walked.up.tolist(), walked.down.tolist(), walked.inferred, strict=True)
                if guess
            },
            order=[shown[thing] for thing in walked.things.tolist()],
        )

    def ways(
        self, start: str, goal: str, level: Level = Level.ASSET, *, first: int = 10, at: int | None = None
    ) -> list[tuple[str, ...]]:
        """The shortest ways from one thing to another."""
        snapshot = Snapshot.of(self.columns())
        names = list(self.records)
        shown = [names[int(number) - 1] for number in snapshot.things.ids]
        begin, end = (snapshot.position_of(names.index(name) + 1) for name in (start, goal))
        cut = Cut() if at is None else Cut.at(at)
        found = ways(snapshot, begin, end, level, cut, first, deadline=inf)
        assert found.total is not None
        return [tuple(shown[thing] for thing in way.things) for way in found.found]

    def upstream(self, root: str, level: Level | None = None, **more: Any) -> set[str]:
        """Everything upstream of a root."""
        return set(self.walk(root, Direction.UPSTREAM, level, **more).depth) - {root}

    def downstream(self, root: str, level: Level | None = None, **more: Any) -> set[str]:
        """Everything downstream of a root."""
        return set(self.walk(root, Direction.DOWNSTREAM, level, **more).depth) - {root}


@dataclass(frozen=True)
class Walk:
    """A walk by name."""

    depth: dict[str, int]
    exact: dict[str, bool]
    edges: set[tuple[str, str, str]]
    inferred: set[tuple[str, str]]
    order: list[str]


__all__ = ["RunState", "Said", "Told", "Walk"]
