"""What waits, and what a dead process left behind."""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta

import sqlalchemy as sa

from ...model import LetterState, SyncState
from ...rows import Finding, Weight
from .. import marks
from ..codec import decode, moment
from ..database import Database
from ..lock import is_held
from ..tables import cursor, dirty, event, letter, scope, source, sync

QUEUED = timedelta(hours=1)
"""A pull that nobody has begun for so long was forgotten."""


def examine(database: Database, now: datetime, configured: Collection[str] | None) -> Iterator[Finding]:
    """Syncs, events, letters, joins."""
    yield from _syncs(database, now)
    with database.reading() as connection:
        yield from _lag(connection)
        yield from _letters(connection)
        yield from _joins(connection)
        yield from _removed(connection, configured)
        begun = connection.execute(sa.select(source.c.key)).scalars().all()
        halves = [key for key in begun if marks.value(connection, f"forget/{key}") is not None]
    for key in halves:
        what = f"the source {key!r} is forgotten by half: its forgetting was ended before its time"
        yield Finding("forget", Weight.NOTE, what, f"`watersmeet source forget {key}` goes on with it")


def _syncs(database: Database, now: datetime) -> Iterator[Finding]:
    open_ones = (SyncState.RUNNING.value, SyncState.QUEUED.value)
    asked = sa.select(sync.c.id, sync.c.state, sync.c.queued_at, source.c.key).join(
        source, source.c.id == sync.c.source
    )
    with database.reading() as connection:
        rows = connection.execute(asked.where(sync.c.state.in_(open_ones)).order_by(sync.c.id)).all()
    for row in rows:
        again = f"`watersmeet sync {row.key}` closes it and goes on from where it stood"
        if row.state == SyncState.RUNNING.value:
            if not is_held(database, f"sync/{row.key}"):
                what = f"sync {row.id} of {row.key!r} is written down as running, but its process is gone"
                yield Finding("sync", Weight.NOTE, what, again)
        elif (begun := moment(row.queued_at)) is not None and now - begun > QUEUED:
            what = f"sync {row.id} of {row.key!r} has waited since {begun:%Y-%m-%d %H:%M} and nobody began it"
            yield Finding("sync", Weight.NOTE, what, f"`watersmeet sync {row.key}` reads the source now")


def _lag(connection: sa.Connection) -> Iterator[Finding]:
    asked = sa.select(cursor.c.source, cursor.c.body).where(cursor.c.name == "events")
    projected = {row.source: int(decode(row.body)["after"]) for row in connection.execute(asked)}
    for number, key in connection.execute(sa.select(source.c.id, source.c.key)).all():
        later = sa.and_(event.c.source == number, event.c.id > projected.get(number, 0))
        count = connection.execute(sa.select(sa.func.count()).select_from(event).where(later)).scalar_one()
        if count:
            what = f"{count} events of {key!r} are kept but not yet part of the graph"
            yield Finding(
                "lag", Weight.NOTE, what, "a running server takes them in, and so does `watersmeet sync`", count
            )


def _letters(connection: sa.Connection) -> Iterator[Finding]:
    waiting = sa.select(sa.func.count()).select_from(letter).where(letter.c.state == LetterState.WAITING.value)
    count = connection.execute(waiting).scalar_one()
    if count:
        what = f"{count} events could not be taken and wait as letters"
        yield Finding("letters", Weight.NOTE, what, "`watersmeet letters` lists them with their reasons", count)


def _joins(connection: sa.Connection) -> Iterator[Finding]:
    count = connection.execute(sa.select(sa.func.count()).select_from(dirty)).scalar_one()
    if count:
        what = f"{count} records wait for their keys and joins"
        yield Finding("joins", Weight.NOTE, what, "the next `watersmeet sync` derives them", count)


def _removed(connection: sa.Connection, configured: Collection[str] | None) -> Iterator[Finding]:
    """Sources that still hold something, and are no longer read."""
    if configured is None:
        return
    holds = sa.exists(sa.select(sa.literal(1)).where(scope.c.source == source.c.id, scope.c.gone_at.is_(None)))
    for key in connection.execute(sa.select(source.c.key).where(holds).order_by(source.c.position)).scalars():
        if key not in configured:
            what = f"the source {key!r} is no longer in the configuration: what it said stays, nothing new comes"
            yield Finding("source", Weight.NOTE, what, f"put it back, or run `watersmeet source forget {key}`")
