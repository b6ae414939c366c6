"""Which derivations only say more closely what a flow says already."""

import numpy as np
from numpy.typing import NDArray

from ..model import EdgeKind
from .things import EDGE_KIND, NOWHERE, Claims, Marks, Positions, Structure

_READ, _WRITE, _DERIVE = (EDGE_KIND[kind] for kind in (EdgeKind.READ, EdgeKind.WRITE, EdgeKind.DERIVE))


def refined(
    claims: Claims, structure: Structure, shown: Positions, up: Positions, down: Positions, claim: Positions
) -> Marks:
    """DERIVE steps through a process that has a flow with both ends, over the whole time of the derivation."""
    wanted = np.flatnonzero((claims.kind[claim] == _DERIVE) & (claims.via[claim] != NOWHERE))
    marks = np.zeros(claim.size, np.bool_)
    if not wanted.size:
        return marks
    row, read, write = through(
        claims, shown, up, down, claim, structure.process[claims.via[claim[wanted]]], up[wanted], down[wanted]
    )
    derived = claim[wanted[row]]
    since = np.maximum(claims.start[claim[read]], claims.start[claim[write]])
    until = np.minimum(claims.end[claim[read]], claims.end[claim[write]])
    covers = (since <= claims.start[derived]) & (until >= claims.end[derived])
    marks[wanted[row[covers]]] = True
    return marks


def through(
    claims: Claims,
    shown: Positions,
    up: Positions,
    down: Positions,
    claim: Positions,
    process: Positions,
    above: Positions,
    below: Positions,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """For each (process, above, below): its place, and the rows that read above and write below in one flow."""
    count = np.int64(shown.size)
    reads = np.flatnonzero(claims.kind[claim] == _READ)
    reads, keys = _by(reads, shown[down[reads]].astype(np.int64) * count + up[reads])
    row, found = matches(keys, process.astype(np.int64) * count + above)
    return _and_written(claims, shown, up, down, claim, row, reads[found], below)


def through_any(
    claims: Claims,
    shown: Positions,
    up: Positions,
    down: Positions,
    claim: Positions,
    above: Positions,
    below: Positions,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """The same for each (above, below), whatever the process."""
    reads = np.flatnonzero(claims.kind[claim] == _READ)
    reads, keys = _by(reads, up[reads].astype(np.int64))
    row, found = matches(keys, above.astype(np.int64))
    return _and_written(claims, shown, up, down, claim, row, reads[found], below)


def _and_written(
    claims: Claims,
    shown: Positions,
    up: Positions,
    down: Positions,
    claim: Positions,
    row: NDArray[np.int64],
    read: NDArray[np.int64],
    below: Positions,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    count = np.int64(shown.size)
    writes = np.flatnonzero(claims.kind[claim] == _WRITE)
    writes, keys = _by(writes, up[writes].astype(np.int64) * count + down[writes])
    pair, found = matches(keys, down[read].astype(np.int64) * count + below[row])
    return row[pair], read[pair], writes[found]


def _by(rows: NDArray[np.int64], keys: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    order = np.argsort(keys, kind="stable")
    return rows[order], keys[order]


def matches(known: NDArray[np.int64], wanted: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """All pairs (place in `wanted`, place in the sorted `known`) of equal keys."""
    first, last = np.searchsorted(known, wanted, "left"), np.searchsorted(known, wanted, "right")
    lengths = last - first
    places = np.repeat(np.arange(wanted.size, dtype=np.int64), lengths)
    offset = np.repeat(first - (np.cumsum(lengths) - lengths), lengths)
    return places, offset + np.arange(int(lengths.sum()), dtype=np.int64)
