"""Which sources there are, and what every pull of them did."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from ..clock import Clock
from ..connector import Cursor
from ..errors import NotFound
from ..model import LetterState, SyncState
from ..rows import SkipRow, SourceCounts, SourceRow, SyncRow, Written
from .codec import clean, decode, encode, micros, moment
from .database import Database, advance
from .known import is_known
from .tables import claim, cursor, letter, record, skip, source, sync

_OPEN = (SyncState.QUEUED.value, SyncState.RUNNING.value)


class Journal:
    """Sources, syncs, cursors and what was skipped. Sources are named by their configured id."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock
        self._numbers: dict[str, int] = {}

    # Sources

    def declare(self, sources: Sequence[SourceRow]) -> None:
        """Make the store's sources those of the configuration; one that is named no more becomes removed.

        Where they are already nothing is written, so that a store that may only be read can be asked.
        """
        if self._is_declared(sources):
            return
        fresh = self._db.ids("source", len(sources))
        now = micros(self._clock())
        with self._db.writing() as connection:
            known = {row.key: row for row in connection.execute(sa.select(source))}
            for number, one in zip(fresh, sources, strict=True):
                self._declare(connection, known.get(one.id), number, one, now)
            gone = [key for key, row in known.items() if key not in {one.id for one in sources} and not row.removed_at]
            connection.execute(sa.update(source).where(source.c.key.in_(gone)).values(removed_at=now))

    def _is_declared(self, sources: Sequence[SourceRow]) -> bool:
        with self._db.reading() as connection:
            known = {row.key: row for row in connection.execute(sa.select(source))}
        wanted = {one.id: _values(one) for one in sources}
        gone = (row for key, row in known.items() if key not in wanted)
        return wanted.keys() <= known.keys() and (
            all(_is_as(known[key], values) for key, values in wanted.items()) and all(row.removed_at for row in gone)
        )

    def _declare(self, connection: sa.Connection, known: Any, number: int, one: SourceRow, now: int | None) -> None:
        values = _values(one)
        if known is None:
            connection.execute(sa.insert(source).values(id=number, key=one.id, added_at=now, **values))
        elif not _is_as(known, values):
            connection.execute(sa.update(source).where(source.c.id == known.id).values(**values))

    def sources(self) -> list[SourceRow]:
        """Every source that was ever configured, in the order of the configuration."""
        with self._db.reading() as connection:
            return [_source(row) for row in connection.execute(sa.select(source).order_by(source.c.position))]

    def source(self, source_id: str) -> SourceRow:
        """One source by its id. Raises `NotFound`."""
        with self._db.reading() as connection:
            row = connection.execute(sa.select(source).where(source.c.key == source_id)).one_or_none()
        if row is None:
            raise NotFound(f"no source {source_id!r}: `watersmeet sources` lists them")
        return _source(row)

    def counts(self, source_id: str) -> SourceCounts:
        """What one source holds now: living records, live claims, things kept aside."""
        number = self.number(source_id)
        with self._db.reading() as connection:
            living = sa.and_(record.c.source == number, record.c.tombstoned_at.is_(None), is_known())
            held = sa.and_(claim.c.source == number, claim.c.retired_at.is_(None))
            aside = sa.and_(skip.c.source == number, skip.c.lost == 1)
            skipped = connection.execute(sa.select(sa.func.count()).select_from(skip).where(aside)).scalar_one()
            waits = sa.and_(letter.c.source == number, letter.c.state == LetterState.WAITING.value)
            asked = sa.select(sa.func.count(), sa.func.max(letter.c.at)).where(waits)
            letters, letter_at = connection.execute(asked).one()
            stub = sa.func.coalesce(sa.func.sum(1 - record.c.described), 0)
            held_by = sa.select(sa.func.count(), stub).select_from(record).where(living)
            assets, stubs = connection.execute(held_by).one()
            return SourceCounts(
                assets=assets,
                edges=connection.execute(sa.select(sa.func.count()).select_from(claim).where(held)).scalar_one(),
                skipped=skipped + letters,
                stubs=int(stubs),
                letters=letters,
                letter_at=moment(letter_at),
            )

    def number(self, source_id: str) -> int:
        """The store's number of a source. Raises `NotFound`."""
        if source_id not in self._numbers:
            with self._db.reading() as connection:
                found = connection.execute(sa.select(source.c.id).where(source.c.key == source_id)).scalar_one_or_none()
            if found is None:
                raise NotFound(f"no source {source_id!r}: `watersmeet sources` lists them")
            self._numbers[source_id] = found
        return self._numbers[source_id]

    def lose(self, source_id: str) -> None:
        """Ask the store again which number a source has: it may be there no more."""
        self._numbers.pop(source_id, None)

    # Syncs

    def enqueue(self, source_id: str, full: bool) -> int:
        """Write down that a pull is wanted; returns its id."""
        number = self.number(source_id)
        with self._db.writing() as connection:
            sync_id = advance(connection, "sync", 1)  # no block of ids: whichever process asks, newer is higher
            connection.execute(
                sa.insert(sync).values(
                    id=sync_id,
                    source=number,
                    state=SyncState.QUEUED.value,
                    full=int(full),
                    queued_at=micros(self._clock()),
                    complete=0,
                    read=0,
                    written=0,
                    removed=0,
                    skipped=0,
                    done=0,
                    grants=encode([]),
                    failures=encode([]),
                    cancel=0,
                )
            )
        return sync_id

    def start(self, sync_id: int) -> None:
        """The pull begins now."""
        self._set(sync_id, state=SyncState.RUNNING.value, started_at=micros(self._clock()))

    def progress(self, sync_id: int, written: Written, done: int, total: int | None) -> None:
        """How far it is: the sums so far."""
        self._set(sync_id, **_sums(written), done=done, total=total)

    def cancel(self, sync_id: int) -> None:
        """Ask a pull to stop after the batch at hand; one that waits is cancelled at once."""
        with self._db.writing() as connection:
            connection.execute(sa.update(sync).where(sync.c.id == sync_id).values(cancel=1))
            waits = sa.and_(sync.c.id == sync_id, sync.c.state == SyncState.QUEUED.value)
            ended = {"state": SyncState.CANCELLED.value, "ended_at": micros(self._clock())}
            connection.execute(sa.update(sync).where(waits).values(**ended))

    def finish(
        self,
        sync_id: int,
        state: SyncState,
        *,
        complete: bool,
        message: str | None = None,
        error: str | None = None,
        written: Written | None = None,
        grants: Sequence[str] = (),
        failures: Sequence[str] = (),
    ) -> None:
        """The pull has ended; `complete` says that everything meant to be read was read."""
        self._set(
            sync_id,
            state=state.value,
            ended_at=micros(self._clock()),
            complete=int(complete),
            message=message and clean(message),
            error=error,
            grants=encode(sorted(set(grants))),
            failures=encode([clean(failure) for failure in failures]),
            **(_sums(written) if written else {}),
        )

    def _set(self, sync_id: int, **values: Any) -> None:
        with self._db.writing() as connection:
            connection.execute(sa.update(sync).where(sync.c.id == sync_id).values(**values))

    def abandon(self, source_id: str, message: str, *, before: int) -> int:
        """Close pulls that a dead process left open (the caller holds the source's lock); returns how many ran.

        One that was wanted before the pull at hand and has not begun is cancelled: its process is gone, or too late.
        """
        mine = sync.c.source == self.number(source_id)
        open_ones = sa.and_(mine, sync.c.state == SyncState.RUNNING.value)
        waiting = sa.and_(mine, sync.c.state == SyncState.QUEUED.value, sync.c.id < before)
        ended = {
            "state": SyncState.FAILED.value,
            "ended_at": micros(self._clock()),
            "message": message,
            "error": "Killed",
        }
        late = {
            **ended,
            "state": SyncState.CANCELLED.value,
            "message": "a later sync of this source began before it",
            "error": "AlreadyRunning",
        }
        with self._db.writing() as connection:
            connection.execute(sa.update(sync).where(waiting).values(**late))
            return connection.execute(sa.update(sync).where(open_ones).values(**ended)).rowcount

    def sync(self, sync_id: int) -> SyncRow:
        """One pull. Raises `NotFound`."""
        with self._db.reading() as connection:
            row = connection.execute(_syncs().where(sync.c.id == sync_id)).one_or_none()
        if row is None:
            raise NotFound(f"no sync {sync_id}")
        return _sync(row)

    def syncs(self, source_id: str | None = None, first: int = 20, after: int | None = None) -> list[SyncRow]:
        """Pulls, newest first, older than the id `after`."""
        asked = _syncs().order_by(sync.c.id.desc()).limit(first)
        if source_id is not None:
            asked = asked.where(source.c.key == source_id)
        if after is not None:
            asked = asked.where(sync.c.id < after)
        with self._db.reading() as connection:
            return [_sync(row) for row in connection.execute(asked)]

    def count_syncs(self, source_id: str | None = None) -> int:
        """How many pulls the journal knows."""
        asked = sa.select(sa.func.count()).select_from(sync.join(source, source.c.id == sync.c.source))
        if source_id is not None:
            asked = asked.where(source.c.key == source_id)
        with self._db.reading() as connection:
            return connection.execute(asked).scalar_one()

    def running(self, source_id: str) -> SyncRow | None:
        """The pull of a source that waits or runs."""
        asked = _syncs().where(source.c.key == source_id, sync.c.state.in_(_OPEN)).order_by(sync.c.id.desc()).limit(1)
        with self._db.reading() as connection:
            row = connection.execute(asked).one_or_none()
        return _sync(row) if row is not None else None

    def last_complete(self, source_id: str) -> SyncRow | None:
        """The newest pull that read everything it meant to."""
        asked = _syncs().where(source.c.key == source_id, sync.c.complete == 1).order_by(sync.c.id.desc()).limit(1)
        with self._db.reading() as connection:
            row = connection.execute(asked).one_or_none()
        return _sync(row) if row is not None else None

    # Cursors, and what was kept aside

    def cursor(self, source_id: str, name: str = "read") -> Cursor | None:
        """Where reading a source goes on."""
        asked = sa.select(cursor.c.body).where(cursor.c.source == self.number(source_id), cursor.c.name == name)
        with self._db.reading() as connection:
            return decode(connection.execute(asked).scalar_one_or_none())

    def set_cursor(self, source_id: str, body: Cursor, name: str = "read") -> None:
        """Write a cursor by itself; a batch's goes with its batch."""
        with self._db.writing() as connection:
            put_cursor(connection, self.number(source_id), name, body)

    def begin_anew(self, source_id: str, body: Cursor, name: str) -> None:
        """Write a cursor, and let reading the source begin from the start."""
        number = self.number(source_id)
        with self._db.writing() as connection:
            connection.execute(sa.delete(cursor).where(cursor.c.source == number, cursor.c.name == "read"))
            put_cursor(connection, number, name, body)

    def skips(self, source_id: str | None = None, first: int = 100, after: int = 0) -> list[SkipRow]:
        """What was kept aside, newest first; `after` is how many to pass over."""
        asked = sa.select(skip, source.c.key.label("source_key")).join(source, source.c.id == skip.c.source)
        if source_id is not None:
            asked = asked.where(source.c.key == source_id)
        asked = asked.order_by(skip.c.at.desc(), skip.c.what).limit(first).offset(after)
        with self._db.reading() as connection:
            return [_skip(row) for row in connection.execute(asked)]


def put_cursor(connection: sa.Connection, number: int, name: str, body: Cursor) -> None:
    """Store a cursor within somebody's transaction."""
    here = sa.and_(cursor.c.source == number, cursor.c.name == name)
    if connection.execute(sa.update(cursor).where(here).values(body=encode(body))).rowcount == 0:
        connection.execute(sa.insert(cursor).values(source=number, name=name, body=encode(body)))


def _sums(written: Written) -> dict[str, int]:
    return {
        "read": written.read,
        "written": written.written,
        "removed": written.removed,
        "skipped": written.skipped,
    }


def _syncs() -> sa.Select[Any]:
    return sa.select(sync, source.c.key.label("source_key")).join(source, source.c.id == sync.c.source)


def _values(one: SourceRow) -> dict[str, Any]:
    return {
        "name": one.name,
        "platform": one.platform,
        "url": one.url,
        "position": one.position,
        "stale_after": one.stale_after_seconds,
        "removed_at": None,
    }


def _is_as(row: Any, values: dict[str, Any]) -> bool:
    return all(getattr(row, name) == value for name, value in values.items())


def _source(row: Any) -> SourceRow:
    return SourceRow(row.key, row.name, row.platform, row.url, row.position, moment(row.removed_at), row.stale_after)


def _skip(row: Any) -> SkipRow:
    at = moment(row.at)
    assert at is not None
    return SkipRow(row.source_key, row.what, row.reason, row.sample, bool(row.lost), at)


def _sync(row: Any) -> SyncRow:
    queued = moment(row.queued_at)
    assert queued is not None
    return SyncRow(
        id=row.id,
        source=row.source_key,
        state=SyncState(row.state),
        full=bool(row.full),
        queued_at=queued,
        started_at=moment(row.started_at),
        ended_at=moment(row.ended_at),
        complete=bool(row.complete),
        read=row.read,
        written=row.written,
        removed=row.removed,
        skipped=row.skipped,
        done=row.done,
        total=row.total,
        message=row.message,
        missing_grants=tuple(decode(row.grants)),
        failures=tuple(decode(row.failures)),
        error=row.error,
        cancel=bool(row.cancel),
    )
