"""How each source stands: what its last pulls say about what we know of it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ...federation.model import SourceStatus, SyncState
from ...federation.rows import SourceCounts, SourceRow, SyncRow
from ...federation.store import Store
from ...federation.sync import lag

_GRACE = timedelta(minutes=1)
"""A pull that is due takes its time; only then is its source stale."""
_BY_ERROR = {"SourceRefused": SourceStatus.REFUSED, "SourceUnavailable": SourceStatus.UNREACHABLE}


@dataclass(frozen=True, slots=True)
class Standing:
    """One source, with all that is told of it."""

    row: SourceRow
    status: SourceStatus
    last_complete: datetime | None
    counts: SourceCounts
    missing_grants: tuple[str, ...]
    lag: int
    """Raw events that are not part of the graph yet."""
    next_sync: datetime | None
    message: str | None


def standings(store: Store, inlet: str, due: Callable[[str], datetime | None]) -> list[Standing]:
    """Every source in the order of the configuration; `due` says when one is pulled next."""
    now = datetime.now(UTC)
    return [_standing(store, row, inlet, due, now) for row in store.journal.sources()]


def _standing(
    store: Store, row: SourceRow, inlet: str, due: Callable[[str], datetime | None], now: datetime
) -> Standing:
    last = next(iter(store.journal.syncs(row.id, first=1)), None)
    complete = store.journal.last_complete(row.id)
    waiting = lag(store, row.id)
    if row.id == inlet and row.removed_at is None:
        status = _of_inlet(waiting, has_events=store.events.count(row.id) > 0)
    else:
        status = status_of(row, last, complete, now)
    return Standing(
        row=row,
        status=status,
        last_complete=complete.started_at if complete is not None else None,
        counts=store.journal.counts(row.id),
        missing_grants=last.missing_grants if last is not None else (),
        lag=waiting,
        next_sync=due(row.id) if row.removed_at is None else None,
        message=last.message if last is not None else None,
    )


def status_of(row: SourceRow, last: SyncRow | None, complete: SyncRow | None, now: datetime) -> SourceStatus:
    """What can be said of a source in one word, the worst that an operator can mend first."""
    if row.removed_at is not None:
        return SourceStatus.REMOVED
    if last is None:
        return SourceStatus.NEVER_SYNCED
    match last.state:
        case SyncState.QUEUED | SyncState.RUNNING:
            return SourceStatus.SYNCING
        case SyncState.FAILED:
            return _BY_ERROR.get(last.error or "", SourceStatus.DEGRADED)
        case SyncState.PARTIAL:
            return _BY_ERROR.get(last.error or "", SourceStatus.DEGRADED)
        case SyncState.CANCELLED if complete is None:
            return SourceStatus.NEVER_SYNCED
        case _:
            pass
    if last.missing_grants or last.failures:
        return SourceStatus.DEGRADED
    return SourceStatus.STALE if _is_stale(row, complete, now) else SourceStatus.OK


def _is_stale(row: SourceRow, complete: SyncRow | None, now: datetime) -> bool:
    if row.stale_after_seconds is None or complete is None or complete.ended_at is None:
        return False
    return now - complete.ended_at > timedelta(seconds=row.stale_after_seconds) + _GRACE


def _of_inlet(waiting: int, *, has_events: bool) -> SourceStatus:
    """The inlet is posted to, not pulled: it is up to date when nothing waits."""
    if not has_events:
        return SourceStatus.NEVER_SYNCED
    return SourceStatus.SYNCING if waiting else SourceStatus.OK
