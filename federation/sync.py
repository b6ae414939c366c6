"""One pull of one source: what it says goes into the store, and how it went into the journal."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from .clock import Clock, utcnow
from .connector import Batch, Connector, Refusing, Selective
from .errors import AlreadyRunning, SourceError, SourceRefused, WatersmeetError, word_for
from .events import EVENTS, INTERNAL, keep, lag, lock_of, project_events, project_next, tell
from .listing import Listing
from .model import Skipped, SyncState
from .naming import Registry
from .rows import SyncRow, Written
from .store import Store
from .store.ledger import Missed
from .store.lock import Held

__all__ = ["EVENTS", "Progress", "follow", "lag", "lock_of", "project_events", "pull"]

SELECTION = "selection"
"""The name of the cursor that says which selection the source was last read with: `{"is": text}`."""
EVERY = timedelta(seconds=0.5)
"""How often the journal learns of progress at most."""
_HIDDEN = 100
"""So many things that are refused now are named."""
_ROUND = 500
"""How many missing scopes are asked for and retired at a time."""
_log = structlog.get_logger(__name__)


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a pull is."""

    written: Written
    done: int
    total: int | None


def pull(
    store: Store,
    source_id: str,
    connector: Connector,
    *,
    registry: Registry,
    sync_id: int | None = None,
    full: bool = False,
    clock: Clock = utcnow,
    stopping: Callable[[], bool] = _never,
    on_progress: Callable[[Progress], None] | None = None,
) -> SyncRow:
    """Read what is new (`full`: everything), store it batch by batch, join what is the same. Raises `AlreadyRunning`.

    Errors of the source do not come out: they end the sync as FAILED or PARTIAL, with the remedy in its message.
    """
    number = store.journal.enqueue(source_id, full) if sync_id is None else sync_id
    try:
        with store.lock(lock_of(source_id)) as lock:
            if store.journal.sync(number).state is not SyncState.CANCELLED:
                _Pull(store, source_id, connector, number, full, registry, clock, stopping, on_progress, lock).run()
    except AlreadyRunning:
        message = f"another sync of {source_id!r} is running: wait for it, or cancel it"
        store.journal.finish(number, SyncState.CANCELLED, complete=False, message=message, error="AlreadyRunning")
        raise AlreadyRunning(message) from None
    return store.journal.sync(number)


def follow(
    store: Store,
    source_id: str,
    registry: Registry,
    *,
    full: bool = False,
    clock: Clock = utcnow,
    pause: Callable[[], object] = _never,
) -> SyncRow:
    """Make all raw events of a source part of the graph (`full`: those that are, again), and say so in the journal.

    `pause` is called while another process is at it.
    """
    sync_id = store.journal.enqueue(source_id, full)
    store.journal.start(sync_id)
    written, wanted = Written(), full
    try:
        while wanted or lag(store, source_id):
            try:
                with store.lock(lock_of(source_id)):
                    if wanted:
                        store.journal.set_cursor(source_id, {"after": 0}, EVENTS)
                        wanted = False
                    written += project_next(store, source_id, registry, _ROUND, clock())[1]
            except AlreadyRunning:
                pause()
    except BaseException as error:
        name = type(error).__name__
        message = str(error) if isinstance(error, WatersmeetError) else f"it ended in the middle ({name})"
        store.journal.finish(sync_id, SyncState.FAILED, complete=False, message=message, error=name, written=written)
        raise
    store.journal.finish(sync_id, SyncState.SUCCEEDED, complete=True, written=written)
    return store.journal.sync(sync_id)


class _Cancelled(Exception):
    """Somebody asked the pull to stop; the cursor stays at the last stored batch."""


class _Pull:
    """The state of one pull while it lasts."""

    def __init__(
        self,
        store: Store,
        source_id: str,
        connector: Connector,
        sync_id: int,
        full: bool,
        registry: Registry,
        clock: Clock,
        stopping: Callable[[], bool],
        on_progress: Callable[[Progress], None] | None,
        lock: Held,
    ) -> None:
        self._lock = lock
        self._store = store
        self._source = source_id
        self._connector = connector
        self._sync = sync_id
        self._full = full
        self._registry = registry
        self._clock = clock
        self._stopping = stopping
        self._on_progress = on_progress
        self._listing = Listing()
        self._progress = Progress(Written(), 0, None)
        self._grants: dict[str, None] = {}
        self._failures: list[str] = []
        self._complete = False
        self._reported_at: datetime | None = None

    def run(self) -> None:
        """Pull, and write down how it ended."""
        self._store.journal.abandon(self._source, "the process of this sync ended without a word", before=self._sync)
        self._store.journal.start(self._sync)
        try:
            self._read()
        except _Cancelled:
            self._finish(SyncState.CANCELLED, "cancelled; the next sync goes on from here")
        except SourceError as error:
            self._grants.update(dict.fromkeys(error.grants if isinstance(error, SourceRefused) else ()))
            self._break_off(f"{error} ({error.remedy})", error)
        except WatersmeetError as error:
            self._break_off(str(error), error)
        except Exception as error:  # so that one source cannot stop the others
            name = type(error).__name__
            self._break_off(f"an error that nobody foresaw ({name}): its trace is in the log", error)
            _log.exception("sync failed", source=self._source, sync=self._sync)
        else:
            self._finish(*self._outcome())

    def _read(self) -> None:
        started = self._clock()
        self._recall()
        while project_next(self._store, self._source, self._registry, 500, started)[0]:
            self._stop_if_asked()  # what a killed sync had received, but not yet understood
        self._store.resolve(self._registry)
        self._select()
        since = None if self._full else self._store.journal.cursor(self._source)
        for batch in self._connector.read(since):
            self._take(batch, started)
            self._stop_if_asked()
        for family, unsure in self._listing.finished():
            self._retire(family, unsure, started)
        self._name_hidden(started)
        if self._full and self._complete and not self._failures:
            self._store.ledger.forget_skips(self._source, started)
            self._store.letters.forget(self._source, started, but=INTERNAL)

    def _recall(self) -> None:
        """A source that was forgotten and is read again: the events that were kept count again, too."""
        kept = self._store.journal.cursor(self._source, EVENTS)
        if kept and kept.get("again"):
            self._store.journal.set_cursor(self._source, {"after": 0}, EVENTS)

    def _select(self) -> None:
        """Where another selection is in force: withhold what it leaves out, and let everything be read anew."""
        if not isinstance(self._connector, Selective):
            return
        former = self._store.journal.cursor(self._source, SELECTION)
        present = {"is": self._connector.selection}
        if former == present:
            return
        written = self._store.withholding.select(self._source, self._connector.left_out)
        self._store.resolve(self._registry)
        if former is None:  # a store that never heard of selections was read by this one
            self._store.journal.set_cursor(self._source, present, SELECTION)
        else:
            self._store.journal.begin_anew(self._source, present, SELECTION)
        self._went_on(written, 0, None)

    def _take(self, batch: Batch, started: datetime) -> None:
        """The connector's cursor is stored with the batch, and never before what its events say is."""
        self._listing.note(batch)
        written, last = self._understood(batch, started)
        written += self._store.ledger.write(self._source, replace(batch, events=()), read_started_at=started)
        self._store.resolve(self._registry)
        if last is not None:
            self._store.journal.set_cursor(self._source, {"after": last}, EVENTS)
        self._grants.update(dict.fromkeys(batch.missing_grants))
        self._failures += batch.failures
        self._complete = batch.complete
        self._went_on(written, batch.done, batch.total)

    def _understood(self, batch: Batch, started: datetime) -> tuple[Written, int | None]:
        """Keep the batch's raw events and make scopes of them; returns the number of the last."""
        if not batch.events:
            return Written(), None
        kept = keep(self._store, self._source, batch.events)
        written = tell(self._store, self._source, kept.entities, started)
        return written + Written(skipped=kept.refused), kept.last

    def _retire(self, family: str, unsure: bool, started: datetime) -> None:
        """End what a complete listing lacked, if the platform confirms that it is gone."""
        missed = self._store.ledger.missed(self._source, family, self._listing.seen(family))
        for start in range(0, len(missed), _ROUND):
            confirmed = self._confirmed(missed[start : start + _ROUND])
            written = self._store.ledger.retire(self._source, confirmed, started, unsure=unsure)
            self._store.resolve(self._registry)
            self._went_on(written, self._progress.done, self._progress.total)
            self._stop_if_asked()

    def _name_hidden(self, started: datetime) -> None:
        """What was read before and is refused now stays as it was, and is named until a full read finds it again."""
        hidden = self._connector.refused if isinstance(self._connector, Refusing) else ()
        if hidden:
            reason = "unreachable: it is refused now, not gone; what was read of it stays as it was. Grant it again"
            aside = tuple(Skipped(one, reason) for one in hidden[:_HIDDEN])
            written = self._store.ledger.write(self._source, Batch(skipped=aside), read_started_at=started)
            self._went_on(written, self._progress.done, self._progress.total)
            self._grants[f"READ on what was read before: {hidden[0]}, one of {len(hidden)}"] = None

    def _confirmed(self, missed: Sequence[Missed]) -> list[Missed]:
        """What is really gone. A scope that alone describes nothing is a statement that is made no more."""
        asked = [native_id for one in missed for native_id in one.native_ids]
        gone = set(self._connector.gone(asked)) if asked else set[str]()
        left = [replace(one, native_ids=tuple(name for name in one.native_ids if name in gone)) for one in missed]
        return [now for was, now in zip(missed, left, strict=True) if now.native_ids or not was.native_ids]

    def _went_on(self, written: Written, done: int, total: int | None) -> None:
        sums = replace(self._progress.written + written, touched=())
        self._progress = Progress(sums, max(done, self._progress.done), total or self._progress.total)
        now = self._clock()
        if self._reported_at is None or now - self._reported_at >= EVERY:
            self._reported_at = now
            self._store.journal.progress(self._sync, sums, self._progress.done, self._progress.total)
            if self._on_progress is not None:
                self._on_progress(self._progress)

    def _stop_if_asked(self) -> None:
        self._lock.check()  # or another pull of the source may have begun
        if self._is_to_stop():
            raise _Cancelled

    def _is_to_stop(self) -> bool:
        return self._stopping() or self._store.journal.sync(self._sync).cancel

    def _break_off(self, message: str, error: Exception) -> None:
        """End with an error: a pull that was asked to stop meanwhile is a cancelled one, which met trouble."""
        sums = self._progress.written
        state = SyncState.PARTIAL if sums.written or sums.removed else SyncState.FAILED
        if self._is_to_stop():
            state, message = SyncState.CANCELLED, f"cancelled; the next sync goes on from here. Until then: {message}"
        self._finish(state, message, error)

    def _outcome(self) -> tuple[SyncState, str | None]:
        if self._failures:
            return SyncState.PARTIAL, f"{len(self._failures)} parts could not be read: {'; '.join(self._failures[:3])}"
        if not self._complete:
            return SyncState.PARTIAL, "the source had more to say than was read: the next sync goes on from here"
        return SyncState.SUCCEEDED, None

    def _finish(self, state: SyncState, message: str | None, error: Exception | None = None) -> None:
        progress = self._progress
        self._store.journal.progress(self._sync, progress.written, progress.done, progress.total)
        self._store.journal.finish(
            self._sync,
            state,
            complete=state is SyncState.SUCCEEDED,
            message=message,
            error=word_for(error) if error is not None else None,
            written=progress.written,
            grants=tuple(self._grants),
            failures=self._failures,
        )
        if self._on_progress is not None:
            self._on_progress(progress)
