"""Whether an answer is exact, and which sources may know more.

Of a source that the answer stands on (it has a record of anything shown) everything that is wrong counts: that it is
gone from the configuration, overdue, or kept things aside. Of every other configured source counts what may hide whole
assets and edges from any answer: that it has never been read completely, or that its last pull failed in part or whole.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from .. import errors
from ..model import SyncState
from ..rows import SourceRow, SyncRow
from .answers import Completeness, StaleSource, SyncFailure
from .ports import Journal

_GRACE = timedelta(minutes=1)
"""A pull that is due takes its time."""
_BROKEN = (SyncState.FAILED, SyncState.PARTIAL)


@dataclass(frozen=True, slots=True)
class Standing:
    """One source and its pulls."""

    row: SourceRow
    last: SyncRow | None
    """The newest pull that has ended."""
    complete: SyncRow | None
    kept_aside: int
    letters: int = 0
    letter_at: datetime | None = None
    """When the newest event that could not be taken came in."""

    @property
    def is_pulled(self) -> bool:
        """False for the inlet, to which events are posted."""
        return self.row.url is not None or self.last is not None


def standings(journal: Journal) -> tuple[Standing, ...]:
    """How every source stands."""
    return tuple(_standing(journal, row) for row in journal.sources())


def _standing(journal: Journal, row: SourceRow) -> Standing:
    ended = (sync for sync in journal.syncs(row.id, first=5) if sync.ended_at is not None)
    counts = journal.counts(row.id)
    aside, complete = counts.skipped - counts.letters, journal.last_complete(row.id)
    return Standing(row, next(ended, None), complete, aside, counts.letters, counts.letter_at)


def completeness(
    sources: Iterable[Standing],
    used: Iterable[str],
    *,
    now: datetime,
    undated: int = 0,
    lowest_confidence: float | None = None,
    truncated: bool = False,
    changed: int = 0,
) -> Completeness:
    """What is to be said of an answer that stands on the sources `used` (their ids)."""
    standing_on = frozenset(used)
    stale: list[StaleSource] = []
    failures: list[SyncFailure] = []
    for source in sources:
        is_used = source.row.id in standing_on
        if source.row.removed_at is not None:
            stale += [_removed(source.row)] if is_used else []
            continue
        stale += _stale(source, now, is_used=is_used)
        failures += _failures(source, now, is_used=is_used)
    return Completeness(
        exact=not (truncated or changed or stale or failures),
        truncated=truncated,
        changed=changed,
        undated=undated,
        lowest_confidence=lowest_confidence,
        stale=tuple(stale),
        failures=tuple(failures),
    )


def _removed(row: SourceRow) -> StaleSource:
    return StaleSource(
        row.name,
        row.removed_at,
        "it is no longer in the configuration: what it said stays, nothing new comes",
        f"put it back, or run `watersmeet source forget {row.id}`",
    )


def _stale(source: Standing, now: datetime, *, is_used: bool) -> Iterator[StaleSource]:
    row, complete = source.row, source.complete
    if complete is None:
        if source.is_pulled:
            yield StaleSource(row.name, None, "it was never read completely", f"run `watersmeet sync {row.id}`")
        return
    since = complete.started_at
    if is_used and row.stale_after_seconds is not None and complete.ended_at is not None:
        late = now - complete.ended_at > timedelta(seconds=row.stale_after_seconds) + _GRACE
        if late:
            yield StaleSource(row.name, since, "its pull is overdue", f"run `watersmeet sync {row.id}`")


def _failures(source: Standing, now: datetime, *, is_used: bool) -> Iterator[SyncFailure]:
    row, last = source.row, source.last
    if last is not None and last.ended_at is not None:
        at = last.ended_at
        if last.state in _BROKEN and not last.failures:
            yield SyncFailure(row.name, at, last.message or "its last pull failed", _remedy(last))
        for failure in last.failures:
            yield SyncFailure(row.name, at, failure, f"mend what it names, then run `watersmeet sync {row.id}`")
        for grant in last.missing_grants:
            yield SyncFailure(row.name, at, f"the permission {grant} is missing", f"grant {grant}")
    if is_used and source.kept_aside:
        what = f"{source.kept_aside} things could not be read as meant and were kept aside"
        at = last.ended_at if last is not None and last.ended_at is not None else now
        yield SyncFailure(row.name, at, what, f"`watersmeet sources {row.id}` lists them with their reasons")
    if is_used and source.letters:
        what = f"{source.letters} events could not be taken and wait as letters"
        remedy = f"`watersmeet letters --source {row.id}` says why: correct and replay them, or discard them"
        yield SyncFailure(row.name, source.letter_at or now, what, remedy)


def _remedy(last: SyncRow) -> str:
    kind = getattr(errors, last.error or "", errors.SourceError)
    return str(getattr(kind, "remedy", errors.SourceError.remedy))
