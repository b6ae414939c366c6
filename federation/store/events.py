"""The log of raw OpenLineage events."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import sqlalchemy as sa

from ..clock import Clock
from .codec import clean, digest, micros, told
from .database import Database, advance, chunks
from .journal import Journal
from .tables import event


class Arrived(Protocol):
    """What `openlineage.admit` makes of a body."""

    @property
    def hash(self) -> bytes: ...
    @property
    def entity(self) -> str: ...
    @property
    def event_time(self) -> datetime | None: ...
    @property
    def body(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Appended:
    """What an append did; `last` is the log's newest number of these."""

    new: int
    duplicates: int
    last: int | None
    entities: tuple[str, ...] = ()
    """The entities that got something new."""


class EventLog:
    """Events kept whole but for secrets, numbered in commit order, found by the entity they speak of."""

    def __init__(self, database: Database, journal: Journal, clock: Clock) -> None:
        self._db = database
        self._journal = journal
        self._clock = clock

    def append(self, source_id: str, arrived: Sequence[Arrived]) -> Appended:
        """Keep what is new of these, durably: after this returns, a kill loses nothing of it."""
        number = self._journal.number(source_id)
        now = micros(self._clock()) or 0
        with self._db.writing(durable=True) as connection:
            if not self._db.is_sqlite:
                advance(connection, "event", 0)  # its lock keeps two processes from appending the same at once
            known: set[bytes] = set()
            for some in chunks([one.hash for one in arrived]):
                asked = sa.select(event.c.hash).where(event.c.source == number, event.c.hash.in_(some))
                known.update(bytes(found) for found in connection.execute(asked).scalars())
            fresh = {one.hash: one for one in arrived if one.hash not in known}
            if not fresh:
                return Appended(0, len(arrived), None)
            last = advance(connection, "event", len(fresh))
            first = last - len(fresh) + 1
            rows = [
                {
                    "id": first + place,
                    "source": number,
                    "hash": one.hash,
                    "entity_hash": digest(one.entity),
                    "entity": clean(one.entity),
                    "event_time": told(one.event_time, now),
                    "received_at": now,
                    "body": one.body,
                }
                for place, one in enumerate(fresh.values())
            ]
            connection.execute(sa.insert(event), rows)
        entities = tuple(dict.fromkeys(one.entity for one in fresh.values()))
        return Appended(len(fresh), len(arrived) - len(fresh), last, entities)

    def of(self, source_id: str, entity: str) -> list[bytes]:
        """Every event of one entity, in order of arrival."""
        asked = (
            sa.select(event.c.body)
            .where(event.c.source == self._journal.number(source_id), event.c.entity_hash == digest(entity))
            .order_by(event.c.id)
        )
        with self._db.reading() as connection:
            return [bytes(body) for body in connection.execute(asked).scalars()]

    def entities_after(self, source_id: str, number: int, limit: int = 500) -> tuple[list[str], int]:
        """The entities that the next `limit` events after a number speak of, and the last number looked at."""
        asked = (
            sa.select(event.c.id, event.c.entity)
            .where(event.c.source == self._journal.number(source_id), event.c.id > number)
            .order_by(event.c.id)
            .limit(limit)
        )
        with self._db.reading() as connection:
            rows = connection.execute(asked).all()
        return list(dict.fromkeys(row.entity for row in rows)), rows[-1].id if rows else number

    def after(self, source_id: str | None, number: int, limit: int = 500) -> list[tuple[int, bytes]]:
        """Raw events after a number, of one source or of all: (number, body)."""
        asked = sa.select(event.c.id, event.c.body).where(event.c.id > number).order_by(event.c.id).limit(limit)
        if source_id is not None:
            asked = asked.where(event.c.source == self._journal.number(source_id))
        with self._db.reading() as connection:
            return [(row.id, bytes(row.body)) for row in connection.execute(asked)]

    def lag(self, source_id: str, number: int) -> int:
        """How many events after a number there are."""
        where = sa.and_(event.c.source == self._journal.number(source_id), event.c.id > number)
        with self._db.reading() as connection:
            return connection.execute(sa.select(sa.func.count()).select_from(event).where(where)).scalar_one()

    def count(self, source_id: str | None = None) -> int:
        """How many events are kept."""
        asked = sa.select(sa.func.count()).select_from(event)
        if source_id is not None:
            asked = asked.where(event.c.source == self._journal.number(source_id))
        with self._db.reading() as connection:
            return connection.execute(asked).scalar_one()

    def number_of(self, source_id: str, mark: bytes) -> int | None:
        """The number of an event by its hash."""
        asked = sa.select(event.c.id).where(event.c.source == self._journal.number(source_id), event.c.hash == mark)
        with self._db.reading() as connection:
            return connection.execute(asked).scalar_one_or_none()
