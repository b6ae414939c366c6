"""How posted events reach the disk: one thread writes, and all who wait meanwhile share its next commit."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from ...federation.errors import StoreUnavailable
from ...federation.openlineage import Admitted
from ...federation.store import Store
from ...federation.store.events import Appended

_EVENTS = 1000
"""So many events go into one commit at most (one post is never parted)."""
_BYTES = 16 * 2**20


Heard = Callable[[Appended], None]


def _nothing(_appended: Appended) -> None:
    return None


class Busy(Exception):
    """Not now: the sender should try again in a moment."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    events: Sequence[Admitted]
    stored: "Future[None]" = field(default_factory=lambda: Future[None]())

    @property
    def size(self) -> int:
        return sum(len(event.body) for event in self.events)


class Intake:
    """Appends events to the store's log. A post returns when its events would survive a loss of power."""

    def __init__(self, store: Store, source_id: str, *, patience: float = 4.0, heard: Heard = _nothing) -> None:
        """`patience`: seconds that a post waits (emitters give up after five); `heard` is told what each commit did."""
        self._store = store
        self._source = source_id
        self._patience = patience
        self._waiting: deque[_Waiting] = deque()
        self._changed = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="intake", daemon=True)
        self._heard = heard

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def stop(self) -> None:
        """Write what waits, then end."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join()

    async def put(self, events: Sequence[Admitted]) -> None:
        """Keep events; safe once this returns. Raises `Busy`, `StoreUnavailable`."""
        waiting = _Waiting(events)
        with self._changed:
            if self._stopping:
                raise Busy("the server is stopping")
            self._waiting.append(waiting)
            self._changed.notify()
        try:
            async with asyncio.timeout(self._patience):
                await asyncio.wrap_future(waiting.stored)
        except TimeoutError as error:
            raise Busy("the store is busy: somebody else has been writing for some seconds") from error

    def _run(self) -> None:
        while batch := self._next():
            self._write(batch)

    def _next(self) -> list[_Waiting]:
        """All who wait, as far as they fit into one commit; empty when it is time to end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._stopping)
            batch: list[_Waiting] = []
            events = size = 0
            while self._waiting and (not batch or (events < _EVENTS and size < _BYTES)):
                one = self._waiting.popleft()
                events, size = events + len(one.events), size + one.size
                batch.append(one)
            return batch

    def _write(self, batch: Sequence[_Waiting]) -> None:
        alive = [one for one in batch if one.stored.set_running_or_notify_cancel()]
        if not alive:
            return
        try:
            self._append([event for one in alive for event in one.events])
        except StoreUnavailable as error:
            _tell(alive, error)
        except Exception as error:
            if len(alive) == 1:
                _tell(alive, error)
            else:  # one of them cannot be stored: the others shall not suffer
                for one in alive:
                    self._alone(one)
        else:
            for one in alive:
                one.stored.set_result(None)

    def _alone(self, one: _Waiting) -> None:
        try:
            self._append(one.events)
        except Exception as error:
            one.stored.set_exception(error)
        else:
            one.stored.set_result(None)

    def _append(self, events: Sequence[Admitted]) -> None:
        appended = self._store.events.append(self._source, events)
        self._heard(appended)


def _tell(waiting: Sequence[_Waiting], error: Exception) -> None:
    for one in waiting:
        one.stored.set_exception(error)
