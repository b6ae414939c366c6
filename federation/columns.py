"""The graph as the store hands it over: one numpy column a property, nothing computed yet."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

EVER = np.iinfo(np.int64).max
"""`valid_to` of what holds on, `tombstoned` of what lives, `ended` of a run without an end."""
SINCE_BEFORE = np.iinfo(np.int64).min
"""`valid_from` of what nobody dated: since before we looked. `started` of a run without a start."""
NONE = 255
"""No role, no outcome, no run state."""


@dataclass(frozen=True, slots=True)
class GraphColumns:
    """All records and all live claims. Times are whole seconds since 1970 UTC, starts rounded down, ends up.

    Kinds, roles, evidence and states are positions in the model's enums (`list(AssetKind)`); sources in `sources`.
    """

    seq: int
    """The change-log number this state stands at."""
    sources: tuple[str, ...]
    """In the order of the configuration: where two sources disagree, the earlier one decides."""
    # One row a record, by record id ascending.
    record: NDArray[np.int64]
    asset: NDArray[np.int64]
    kind: NDArray[np.uint8]
    record_source: NDArray[np.int16]
    stub: NDArray[np.bool_]
    tombstoned: NDArray[np.int64]
    state: NDArray[np.uint8]
    started: NDArray[np.int64]
    ended: NDArray[np.int64]
    # One row a live claim of an edge, by (up, down, kind) ascending.
    claim: NDArray[np.int64]
    up: NDArray[np.int64]
    down: NDArray[np.int64]
    edge_kind: NDArray[np.uint8]
    role: NDArray[np.uint8]
    flow: NDArray[np.int32]
    evidence: NDArray[np.uint8]
    confidence: NDArray[np.float32]
    valid_from: NDArray[np.int64]
    valid_to: NDArray[np.int64]
    via: NDArray[np.int64]
    """A record id, 0 for none."""
    planned: NDArray[np.bool_]
    outcome: NDArray[np.uint8]
    edge_source: NDArray[np.int16]
    epoch: str = ""
    """The store's epoch: new after a rebuild, so that numbers of before mean another graph."""
