"""One pull of one source: what it says goes into the store, and how it went into the journal."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import structlog

from .connector import Batch, Connector, Event
from .errors import AlreadyRunning, SourceError, SourceRefused, WatersmeetError, word_for
from .listing import Listing
from .model import Scope, Skipped, SyncState, Tombstone
from .naming import Registry
from .openlineage import Admitted, Refused, admit, project, scrub
from .rows import SyncRow, Written
from .store import Store
from .store.ledger import Missed

EVENTS = "events"
"""The name of the cursor that says how far a source's raw events have become scopes: `{"after": number}`."""
EVERY = timedelta(seconds=0.5)
"""How often the journal learns of progress at most."""
_ROUND = 500
"""How many missing scopes are asked for and retired at a time."""
_log = structlog.get_logger(__name__)


def utcnow() -> datetime:
    """The time now, aware."""
    return datetime.now(UTC)


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a pull is."""

    written: Written
    done: int
    total: int | None


def lock_of(source_id: str) -> str:
    """The name of the lock that whoever writes for a source holds."""
    return f"sync/{source_id}"


def pull(
    store: Store,
    source_id: str,
    connector: Connector,
    *,
    registry: Registry,
    sync_id: int | None = None,
    full: bool = False,
    clock: Callable[[], datetime] = utcnow,
    stopping: Callable[[], bool] = _never,
    on_progress: Callable[[Progress], None] | None = None,
) -> SyncRow:
    """Read what is new (`full`: everything), store it batch by batch, join what is the same. Raises `AlreadyRunning`.

    Errors of the source do not come out: they end the sync as FAILED or PARTIAL, with the remedy in its message.
    """
    number = store.journal.enqueue(source_id, full) if sync_id is None else sync_id
    try:
        with store.lock(lock_of(source_id)):
            if store.journal.sync(number).state is not SyncState.CANCELLED:
                _Pull(store, source_id, connector, number, full, registry, clock, stopping, on_progress).run()
    except AlreadyRunning:
        message = f"another sync of {source_id!r} is running: wait for it, or cancel it"
        store.journal.finish(number, SyncState.CANCELLED, complete=False, message=message, error="AlreadyRunning")
        raise AlreadyRunning(message) from None
    return store.journal.sync(number)


def project_events(
    store: Store, source_id: str, registry: Registry, *, limit: int = 500, clock: Callable[[], datetime] = utcnow
) -> int:
    """Make scopes of the next raw events; returns of how many entities, 0 when done. Raises `AlreadyRunning`."""
    with store.lock(lock_of(source_id)):
        return _project_next(store, source_id, registry, limit, clock())


def lag(store: Store, source_id: str) -> int:
    """How many of a source's raw events have not become scopes yet."""
    return store.events.lag(source_id, _projected(store, source_id))


def _project_next(store: Store, source_id: str, registry: Registry, limit: int, now: datetime) -> int:
    before = _projected(store, source_id)
    entities, last = store.events.entities_after(source_id, before, limit)
    if last == before:
        return 0
    news = replace(_projections(store, source_id, entities), resume={"after": last})
    store.ledger.write(source_id, news, read_started_at=now, cursor_name=EVENTS)
    store.resolve(registry)
    return len(entities)


def _projected(store: Store, source_id: str) -> int:
    cursor = store.journal.cursor(source_id, EVENTS)
    return int(cursor["after"]) if cursor else 0


def _projections(store: Store, source_id: str, entities: Sequence[str]) -> Batch:
    """What all events of these entities add up to."""
    scopes: list[Scope] = []
    tombstones: list[Tombstone] = []
    skipped: list[Skipped] = []
    for entity in entities:
        projection = project(entity, store.events.of(source_id, entity))
        scopes += projection.scopes
        tombstones += projection.tombstones
        skipped += projection.skipped
    return Batch(scopes=tuple(scopes), tombstones=tuple(tombstones), skipped=tuple(skipped))


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
        clock: Callable[[], datetime],
        stopping: Callable[[], bool],
        on_progress: Callable[[Progress], None] | None,
    ) -> None:
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
        self._store.journal.abandon(self._source, "the process of this sync ended without a word")
        self._store.journal.start(self._sync)
        try:
            self._read()
        except _Cancelled:
            self._finish(SyncState.CANCELLED, "cancelled; the next sync goes on from here")
        except SourceError as error:
            self._grants.update(dict.fromkeys(error.grants if isinstance(error, SourceRefused) else ()))
            self._finish(self._broken(), f"{error} ({error.remedy})", error)
        except WatersmeetError as error:
            self._finish(self._broken(), str(error), error)
        except Exception as error:  # so that one source cannot stop the others
            name = type(error).__name__
            self._finish(self._broken(), f"an error that nobody foresaw ({name}): its trace is in the log", error)
            _log.exception("sync failed", source=self._source, sync=self._sync)
        else:
            self._finish(*self._outcome())

    def _read(self) -> None:
        started = self._clock()
        while _project_next(self._store, self._source, self._registry, 500, started):
            self._stop_if_asked()  # what a killed sync had received, but not yet understood
        self._store.resolve(self._registry)
        since = None if self._full else self._store.journal.cursor(self._source)
        for batch in self._connector.read(since):
            self._take(batch, started)
            self._stop_if_asked()
        for family, unsure in self._listing.finished():
            self._retire(family, unsure, started)
        if self._full and self._complete and not self._failures:
            self._store.ledger.forget_skips(self._source, started)

    def _take(self, batch: Batch, started: datetime) -> None:
        """The connector's cursor is stored with the batch, and never before what its events say is."""
        self._listing.note(batch)
        said, last = self._understood(batch)
        written = self._store.ledger.write(self._source, said, read_started_at=started)
        self._store.resolve(self._registry)
        if last is not None:
            self._store.journal.set_cursor(self._source, {"after": last}, EVENTS)
        self._grants.update(dict.fromkeys(batch.missing_grants))
        self._failures += batch.failures
        self._complete = batch.complete
        self._went_on(written, batch.done, batch.total)

    def _understood(self, batch: Batch) -> tuple[Batch, int | None]:
        """The batch with its raw events kept and made scopes, and the number of the last event."""
        if not batch.events:
            return batch, None
        admitted, refused = self._admitted(batch.events)
        appended = self._store.events.append(self._source, admitted)
        news = _projections(self._store, self._source, appended.entities)
        said = replace(
            batch,
            events=(),
            scopes=batch.scopes + news.scopes,
            tombstones=batch.tombstones + news.tombstones,
            skipped=batch.skipped + news.skipped + refused,
        )
        return said, appended.last

    def _admitted(self, events: Sequence[Event]) -> tuple[list[Admitted], tuple[Skipped, ...]]:
        admitted: list[Admitted] = []
        refused: list[Skipped] = []
        for event in events:
            try:
                admitted.append(admit(event.body, key=self._store.secret()))
            except Refused as error:
                body = scrub(event.body)
                self._store.events.dead_letter(self._source, event.place, error.reason, error.path, body)
                where = f"{error.reason} at {error.path}" if error.path else error.reason
                refused.append(Skipped(f"event {event.place}".strip(), where, body[:2000].decode("utf-8", "replace")))
        return admitted, tuple(refused)

    def _retire(self, family: str, unsure: bool, started: datetime) -> None:
        """End what a complete listing lacked, if the platform confirms that it is gone."""
        missed = self._store.ledger.missed(self._source, family, self._listing.seen(family))
        for start in range(0, len(missed), _ROUND):
            confirmed = self._confirmed(missed[start : start + _ROUND])
            written = self._store.ledger.retire(self._source, confirmed, started, unsure=unsure)
            self._store.resolve(self._registry)
            self._went_on(written, self._progress.done, self._progress.total)
            self._stop_if_asked()

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
        if self._stopping() or self._store.journal.sync(self._sync).cancel:
            raise _Cancelled

    def _broken(self) -> SyncState:
        sums = self._progress.written
        return SyncState.PARTIAL if sums.written or sums.removed else SyncState.FAILED

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
