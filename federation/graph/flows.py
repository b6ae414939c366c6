"""What passes through a run or job: the vertices that a walk enters and leaves it by."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..columns import NONE
from ..model import AssetKind, EdgeKind, Role
from .things import EDGE_KIND, KIND, LINEAGE_KINDS, ROLES, Claims, Marks, Positions, Structure, Things

_READ, _WRITE = EDGE_KIND[EdgeKind.READ], EDGE_KIND[EdgeKind.WRITE]
_EVALUATION = ROLES.index(Role.EVALUATION)


@dataclass(frozen=True, slots=True)
class Told:
    """Lineage claims between vertices, as they were told.

    A thing is the vertex of its own number; for a process that vertex is its flow 0, in which all its records meet.
    Numbered flows belong to one record, and so does every declaration of a job. They follow behind the things.
    """

    shown: Positions
    """Per vertex the thing that it is shown as."""
    is_flow: Marks
    up: Positions
    down: Positions
    claim: Positions


def told(things: Things, claims: Claims, structure: Structure) -> Told:
    """Every lineage claim as a step between vertices."""
    which = np.flatnonzero(claims.kind < LINEAGE_KINDS).astype(np.int32)
    process = _processes(things, claims)
    up = _keys(things, claims.up[which], claims.up_record[which], _flows(claims, which, _WRITE), process)
    down = _keys(things, claims.down[which], claims.down_record[which], _flows(claims, which, _READ), process)
    keys = np.unique(np.concatenate([up, down]))
    keys = keys[keys > 0]
    count = things.ids.size
    shown = np.concatenate([np.arange(count, dtype=np.int32), things.of_record[(keys >> 32) - 1]])
    plain = Told(
        shown=shown,
        is_flow=process[shown],
        up=_vertices(up, keys, claims.up[which], count),
        down=_vertices(down, keys, claims.down[which], count),
        claim=which,
    )
    return _without_evaluations(things, claims, structure, plain)


def _processes(things: Things, claims: Claims) -> Marks:
    """Runs, jobs, and whatever else reads or writes."""
    process = things.are(AssetKind.RUN, AssetKind.JOB)
    process[claims.down[claims.kind == _READ]] = True
    process[claims.up[claims.kind == _WRITE]] = True
    return process


def _flows(claims: Claims, which: Positions, kind: int) -> NDArray[np.int64]:
    return np.where(claims.kind[which] == kind, claims.flow[which], 0).astype(np.int64)


def _keys(
    things: Things, ends: Positions, records: Positions, flows: NDArray[np.int64], process: Marks
) -> NDArray[np.int64]:
    """0 for a thing's own vertex, else one number for each flow of each record."""
    apart = process[ends] & ((flows != 0) | (things.kind[ends] == KIND[AssetKind.JOB]))
    return np.where(apart, ((records.astype(np.int64) + 1) << 32) | flows, 0)


def _vertices(keys: NDArray[np.int64], known: NDArray[np.int64], ends: Positions, count: int) -> Positions:
    return np.where(keys == 0, ends, count + np.searchsorted(known, keys)).astype(np.int32)


def _without_evaluations(things: Things, claims: Claims, structure: Structure, plain: Told) -> Told:
    """Split flows in which a model is written beside what it was judged by: the judging reaches all but the model."""
    model = things.are(AssetKind.MODEL, AssetKind.MODEL_VERSION)
    kind, made = claims.kind[plain.claim], model[claims.down[plain.claim]]
    training = np.unique(plain.up[(kind == _WRITE) & made])
    split = _judging(claims, structure, plain.claim, things.ids.size) & np.isin(plain.down, training)
    if not split.any():
        return plain
    flows, twin = np.unique(plain.down[split], return_inverse=True)
    first = plain.shown.size
    down = plain.down.copy()
    down[split] = first + twin
    copied = np.flatnonzero((kind == _WRITE) & ~made & np.isin(plain.up, flows))
    return Told(
        shown=np.concatenate([plain.shown, plain.shown[flows]]),
        is_flow=np.concatenate([plain.is_flow, np.ones(flows.size, np.bool_)]),
        up=np.concatenate([plain.up, (first + np.searchsorted(flows, plain.up[copied])).astype(np.int32)]),
        down=np.concatenate([down, plain.down[copied]]),
        claim=np.concatenate([plain.claim, plain.claim[copied]]),
    )


def _judging(claims: Claims, structure: Structure, which: Positions, count: int) -> Marks:
    """READs for evaluation; one without a role is, too, if elsewhere the same pair is told so and never otherwise."""
    reads, role = claims.kind[which] == _READ, claims.role[which]
    pair = structure.rolled[claims.up[which]].astype(np.int64) * count + claims.down[which]
    judged = np.isin(pair, pair[reads & (role == _EVALUATION)])
    used = np.isin(pair, pair[reads & (role != _EVALUATION) & (role != NONE)])
    return reads & ((role == _EVALUATION) | ((role == NONE) & judged & ~used))
