"""Assets and claims as positions in arrays: every record under its asset, every claim between two assets."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..columns import EVER, SINCE_BEFORE, GraphColumns
from ..identity import kind_of
from ..model import LINEAGE, AssetKind, EdgeKind, Role, RunState

Positions = NDArray[np.int32]
Seconds = NDArray[np.int64]
Marks = NDArray[np.bool_]

KINDS = list(AssetKind)
EDGE_KINDS = list(EdgeKind)
ROLES = list(Role)
STATES = list(RunState)
KIND = {kind: place for place, kind in enumerate(KINDS)}
EDGE_KIND = {kind: place for place, kind in enumerate(EDGE_KINDS)}
LINEAGE_KINDS = len(LINEAGE)
"""Edge kinds below this position carry lineage."""
NOWHERE = -1
"""No such position."""
_NESTING = 8
"""How deep columns and versions may lie in one another before roll-up gives up."""


@dataclass(frozen=True, slots=True)
class Things:
    """All assets, by id ascending. A position in these arrays stands for the asset everywhere in `graph`."""

    ids: NDArray[np.int64]
    of_record: Positions
    """Per record position."""
    kind: NDArray[np.uint8]
    tombstoned: Seconds
    started: Seconds
    ended: Seconds

    def position(self, asset_id: int) -> int:
        """Where an asset stands, or `NOWHERE`."""
        place = int(np.searchsorted(self.ids, asset_id))
        return place if place < self.ids.size and self.ids[place] == asset_id else NOWHERE

    def are(self, *kinds: AssetKind) -> Marks:
        """Which things are of one of these kinds."""
        return np.isin(self.kind, [KIND[kind] for kind in kinds])


@dataclass(frozen=True, slots=True)
class Claims:
    """All claims with both ends known; ends and `via` are positions of things."""

    id: NDArray[np.int64]
    up: Positions
    down: Positions
    up_record: Positions
    down_record: Positions
    kind: NDArray[np.uint8]
    role: NDArray[np.uint8]
    flow: NDArray[np.int32]
    evidence: NDArray[np.uint8]
    confidence: NDArray[np.float32]
    start: Seconds
    end: Seconds
    via: Positions
    planned: Marks
    outcome: NDArray[np.uint8]
    source: NDArray[np.int16]
    run: Positions
    """The run that a claim tells of, or `NOWHERE`."""
    seen: Seconds
    """When that run was last heard of; `SINCE_BEFORE` for what no run told."""

    def of(self, kind: EdgeKind) -> Positions:
        """Positions of the claims of one kind."""
        return np.flatnonzero(self.kind == EDGE_KIND[kind]).astype(np.int32)


def things_of(columns: GraphColumns) -> Things:
    """The assets that the records make up."""
    ids, of_record = np.unique(columns.asset, return_inverse=True)
    places = of_record.astype(np.int32)
    told_end = np.where(columns.ended == EVER, SINCE_BEFORE, columns.ended)
    ended = _most(places, told_end, ids.size, SINCE_BEFORE)
    return Things(
        ids=ids,
        of_record=places,
        kind=_kinds(columns, places, ids.size),
        tombstoned=_most(places, columns.tombstoned, ids.size, SINCE_BEFORE),
        started=_started(columns, places, ids.size),
        ended=np.where(ended == SINCE_BEFORE, EVER, ended),
    )


def claims_of(columns: GraphColumns, things: Things) -> Claims:
    """The claims, with their ends as positions; one whose end is no known record is left out."""
    up, down, via = (_places(columns.record, column) for column in (columns.up, columns.down, columns.via))
    known = np.flatnonzero((up != NOWHERE) & (down != NOWHERE))
    up, down, via = up[known], down[known], via[known]
    tail = np.concatenate([things.of_record, np.array([NOWHERE], np.int32)])
    ups, downs, vias = things.of_record[up], things.of_record[down], tail[via]
    kind = columns.edge_kind[known]
    run = _runs(things, kind, ups, downs, vias)
    start = columns.valid_from[known]
    return Claims(
        id=columns.claim[known],
        up=ups,
        down=downs,
        up_record=up,
        down_record=down,
        kind=kind,
        role=columns.role[known],
        flow=columns.flow[known],
        evidence=columns.evidence[known],
        confidence=columns.confidence[known],
        start=start,
        end=columns.valid_to[known],
        via=vias,
        planned=columns.planned[known],
        outcome=columns.outcome[known],
        source=columns.edge_source[known],
        run=run,
        seen=_seen(things, run, start),
    )


@dataclass(frozen=True, slots=True)
class Structure:
    """What hangs below what, whatever the time: where the coarser levels show a thing."""

    job_of: Positions
    """Per run its job, else `NOWHERE`."""
    rolled: Positions
    """Per thing what stands for it at `ASSET`: a dataset version's dataset, a column's dataset, else itself."""
    process: Positions
    """Per thing what stands for it as a process at `ASSET`: a run's job, else itself."""
    has_columns: Marks

    @classmethod
    def of(cls, things: Things, claims: Claims) -> "Structure":
        """Read it from the claims."""
        everything = np.arange(things.ids.size, dtype=np.int32)
        job_of = _parents(things, claims, EdgeKind.RUN_OF, things.are(AssetKind.RUN))
        columns = things.are(AssetKind.COLUMN)
        parent = everything.copy()
        for kind, children in (
            (EdgeKind.VERSION_OF, things.are(AssetKind.DATASET_VERSION)),
            (EdgeKind.PART_OF, columns),
        ):
            found = _parents(things, claims, kind, children)
            parent = np.where(found == NOWHERE, parent, found)
        for _ in range(_NESTING):
            parent = parent[parent]
        has_columns = np.zeros(things.ids.size, np.bool_)
        has_columns[parent[columns & (parent != everything)]] = True
        return cls(job_of, parent, np.where(job_of == NOWHERE, everything, job_of), has_columns)


def _parents(things: Things, claims: Claims, kind: EdgeKind, children: Marks) -> Positions:
    """The parent of each child by claims of one kind; of several the one that the earliest source tells, then the one
    with the lowest id: which source was read first must not show."""
    count = things.ids.size
    nothing = np.iinfo(np.int64).max
    found = np.full(count, nothing, np.int64)
    which = claims.of(kind)
    which = which[children[claims.up[which]] & (claims.up[which] != claims.down[which])]
    np.minimum.at(found, claims.up[which], claims.source[which].astype(np.int64) * count + claims.down[which])
    return np.where(found == nothing, NOWHERE, found % max(count, 1)).astype(np.int32)


def _kinds(columns: GraphColumns, places: Positions, count: int) -> NDArray[np.uint8]:
    kinds = np.zeros(count, np.uint8)
    kinds[places] = columns.kind
    disputed = np.unique(places[kinds[places] != columns.kind])
    for place in disputed.tolist():
        told: list[int] = columns.kind[places == place].tolist()
        kinds[place] = KIND[kind_of(KINDS[one] for one in told)]
    return kinds


def _started(columns: GraphColumns, places: Positions, count: int) -> Seconds:
    """The earliest start that was told."""
    told = np.where(columns.started == SINCE_BEFORE, EVER, columns.started)
    first = np.full(count, EVER, np.int64)
    np.minimum.at(first, places, told)
    return np.where(first == EVER, SINCE_BEFORE, first)


def _most(places: Positions, values: Seconds, count: int, least: int) -> Seconds:
    most = np.full(count, least, np.int64)
    np.maximum.at(most, places, values)
    return most


def _places(ids: NDArray[np.int64], wanted: NDArray[np.int64]) -> Positions:
    """Positions of ids in a sorted array, `NOWHERE` for what is not there."""
    if not ids.size:
        return np.full(wanted.size, NOWHERE, np.int32)
    found = np.searchsorted(ids, wanted)
    found[found == ids.size] = 0
    return np.where(ids[found] == wanted, found, NOWHERE).astype(np.int32)


def _runs(things: Things, kind: NDArray[np.uint8], up: Positions, down: Positions, via: Positions) -> Positions:
    """Which run a claim tells of: the one it went through, else the one at its end."""
    is_run = np.append(things.are(AssetKind.RUN), False)
    lineage = kind < LINEAGE_KINDS
    run = np.where(is_run[via], via, NOWHERE)
    for end in (down, up):
        run = np.where((run == NOWHERE) & lineage & is_run[end], end, run)
    return run.astype(np.int32)


def _seen(things: Things, run: Positions, start: Seconds) -> Seconds:
    ended, started = (np.append(column, SINCE_BEFORE) for column in (things.ended, things.started))
    last = np.where(ended[run] == EVER, started[run], ended[run])
    last = np.where(last == SINCE_BEFORE, start, last)
    return np.where(run == NOWHERE, SINCE_BEFORE, last)


def rows_of(keys: NDArray[Any], count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Order the rows by a small integer key: the order, and where each key's rows begin (one more at the end)."""
    order = np.argsort(keys, kind="stable")
    begin = np.zeros(count + 1, np.int64)
    np.cumsum(np.bincount(keys, minlength=count)[:count], out=begin[1:])
    return order, begin


def ranges(begin: NDArray[Any], end: NDArray[Any]) -> NDArray[np.int64]:
    """All positions of several ranges, one range after the other."""
    lengths = (end - begin).astype(np.int64)
    total = int(lengths.sum())
    first = np.repeat(begin - (np.cumsum(lengths) - lengths), lengths)
    return first + np.arange(total, dtype=np.int64)
