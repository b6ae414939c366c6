"""The graph that answers stand on: the present one, those of the last minutes, and those of other knowledge."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from threading import Lock, RLock
from typing import Protocol

from .. import patience
from ..clock import Clock, utcnow
from ..columns import GraphColumns
from ..errors import CursorExpired
from .snapshot import Snapshot

KEEP_SECONDS = 300.0
"""How long a page sequence may go on over a snapshot that has been replaced."""
KEEP_BYTES = 64 * 2**20
"""What all replaced snapshots may take together: of a large graph that changes all the time, few are kept, but two of
the present one's size have room whatever that is."""
_KNOWN = 4
"""How many states of former knowledge are kept."""


class GraphReader(Protocol):
    """As much of the store's reader as the graph needs."""

    def moment(self) -> tuple[str, int]:
        """The store's epoch and the newest number of its change log."""
        ...

    def columns(self, known_at: datetime | None = None) -> GraphColumns:
        """The whole graph, now or as known then."""
        ...


class GraphStore(Protocol):
    """Whatever has such a reader."""

    @property
    def reader(self) -> GraphReader:
        """It."""
        ...


@dataclass(slots=True)
class _Kept:
    snapshot: Snapshot
    replaced_at: float | None = None
    bytes: int = 0
    """What it took when it was replaced."""


class Graph:
    """Snapshots of a store, safe to ask from many threads."""

    def __init__(
        self,
        store: GraphStore,
        *,
        clock: Clock = utcnow,
        monotonic: Callable[[], float] = time.monotonic,
        keep_bytes: int = KEEP_BYTES,
    ) -> None:
        self._reader = store.reader
        self._clock = clock
        self._monotonic = monotonic
        self._keep_bytes = keep_bytes
        self._kept: dict[int, _Kept] = {}
        self._newest: Snapshot | None = None
        self._epoch = ""
        self._known: OrderedDict[tuple[str, datetime], Snapshot] = OrderedDict()
        self._lock = RLock()
        self._learning = Lock()

    @property
    def newest(self) -> Snapshot | None:
        """The graph as it was last read, without a look whether it is still so; None: nobody asked yet."""
        return self._newest

    def now(self) -> Snapshot:
        """The present graph; read anew if the store has moved on. Raises `StoreUnavailable`."""
        with self._lock:
            moment = self._moment()
            if self._newest is None or (self._newest.epoch, self._newest.seq) != moment:
                with patience.until(None):  # all will ask it, not only who does so first
                    self._replace(Snapshot.of(self._reader.columns()))
            assert self._newest is not None
            return self._newest

    def at(self, seq: int, epoch: str = "") -> Snapshot:
        """The graph that a page sequence began on. Raises `CursorExpired`."""
        with self._lock:
            self._forget()
            present, _ = self._moment()
            if epoch == present:
                if seq in self._kept:
                    return self._kept[seq].snapshot
                newest = self.now()
                if newest.seq == seq:
                    return newest
        raise CursorExpired("the graph that this page sequence began on is gone: ask again from the start")

    def known(self, known_at: datetime) -> Snapshot:
        """The graph as it was known at a time. Raises `StoreUnavailable`."""
        if known_at >= self._clock():  # more may still be known by then
            return self.now()
        with self._lock:
            epoch, _ = self._moment()
        with self._learning:  # a lock of its own, so that what is known now can be asked meanwhile
            patience.check()
            wanted = epoch, known_at
            if wanted not in self._known:
                self._known[wanted] = Snapshot.of(self._reader.columns(known_at))
            self._known.move_to_end(wanted)
            while len(self._known) > _KNOWN:
                self._known.popitem(last=False)
            return self._known[wanted]

    def _moment(self) -> tuple[str, int]:
        """Where the store stands; another epoch than ours makes all snapshots worthless."""
        moment = self._reader.moment()
        if moment[0] != self._epoch:
            self._epoch, self._newest = moment[0], None
            self._kept.clear()
        return moment

    def _replace(self, snapshot: Snapshot) -> None:
        if self._newest is not None and self._newest.seq in self._kept:
            before = self._kept[self._newest.seq]
            before.replaced_at, before.bytes = self._monotonic(), before.snapshot.bytes
        self._newest = snapshot
        self._kept[snapshot.seq] = _Kept(snapshot)
        self._forget()

    def _forget(self) -> None:
        """Let go of what was replaced too long ago, and of the oldest beyond what all may take."""
        present = 0 if self._newest is None else self._newest.bytes
        oldest, left = self._monotonic() - KEEP_SECONDS, max(self._keep_bytes, 2 * present)
        for seq, one in reversed(list(self._kept.items())):
            if one.replaced_at is None:
                continue
            left -= one.bytes
            if left < 0 or one.replaced_at < oldest:
                del self._kept[seq]
