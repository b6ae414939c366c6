"""Dead letters: events that could not be taken, why, and what became of them since."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from ..clock import Clock
from ..errors import NotFound
from ..model import LetterState
from ..rows import LetterRow
from .codec import clean, digest, micros, moment
from .database import Database, advance
from .journal import Journal
from .tables import letter, source


class Letters:
    """Bodies are kept as they are given: the caller frees them of secrets."""

    def __init__(self, database: Database, journal: Journal, clock: Clock) -> None:
        self._db = database
        self._journal = journal
        self._clock = clock

    def bury(self, source_id: str, place: str, reason: str, path: str, body: bytes) -> int | None:
        """Keep a body that cannot be taken, durably; returns its id, None if it is there for this reason already."""
        number = self._journal.number(source_id)
        mark = digest(body + reason.encode())
        now = micros(self._clock())
        here = sa.and_(letter.c.source == number, letter.c.hash == mark)
        with self._db.writing(durable=True) as connection:
            letter_id = advance(connection, "letter", 1)  # first: its lock keeps two from burying the same at once
            if connection.execute(sa.update(letter).where(here).values(seen_at=now)).rowcount:
                return None
            connection.execute(
                sa.insert(letter).values(
                    id=letter_id,
                    source=number,
                    hash=mark,
                    place=clean(place),
                    reason=clean(reason),
                    path=clean(path),
                    body=body,
                    at=now,
                    seen_at=now,
                    state=LetterState.WAITING.value,
                )
            )
        return letter_id

    def one(self, letter_id: int) -> LetterRow:
        """A letter by its id. Raises `NotFound`."""
        with self._db.reading() as connection:
            row = connection.execute(_letters().where(letter.c.id == letter_id)).one_or_none()
        if row is None:
            raise NotFound(f"no letter {letter_id}: `watersmeet letters` lists them")
        return _letter(row)

    def page(
        self,
        first: int = 100,
        after: int | None = None,
        *,
        source_id: str | None = None,
        since: datetime | None = None,
        state: LetterState | None = None,
    ) -> list[LetterRow]:
        """Letters, newest first, older than the id `after`; of one source, since a time, in one state."""
        asked = self._chosen(_letters(), source_id, since, state)
        if after is not None:
            asked = asked.where(letter.c.id < after)
        with self._db.reading() as connection:
            return [_letter(row) for row in connection.execute(asked.order_by(letter.c.id.desc()).limit(first))]

    def count(
        self, source_id: str | None = None, since: datetime | None = None, state: LetterState | None = None
    ) -> int:
        """How many letters there are."""
        asked = self._chosen(sa.select(sa.func.count()).select_from(letter), source_id, since, state)
        with self._db.reading() as connection:
            return connection.execute(asked).scalar_one()

    def settle(self, letter_id: int, state: LetterState, *, note: str | None = None, event: int | None = None) -> None:
        """Write down what became of a letter; its body stays."""
        values = {"state": state.value, "settled_at": micros(self._clock()), "note": note and clean(note)}
        with self._db.writing(durable=True) as connection:
            connection.execute(sa.update(letter).where(letter.c.id == letter_id).values(**values, event=event))

    def forget(self, source_id: str, before: datetime, *, but: str) -> int:
        """Discard what waits and did not come up again in a complete full read that began then; returns how many.

        What waits for the reason `but` comes up no more, and stays.
        """
        number = self._journal.number(source_id)
        waits = sa.and_(letter.c.source == number, letter.c.state == LetterState.WAITING.value, letter.c.reason != but)
        values = {
            "state": LetterState.DISCARDED.value,
            "settled_at": micros(self._clock()),
            "note": "a complete read of its source brought it no more",
        }
        with self._db.writing() as connection:
            gone = sa.update(letter).where(waits, letter.c.seen_at < micros(before)).values(**values)
            return connection.execute(gone).rowcount

    def _chosen(
        self, asked: sa.Select[Any], source_id: str | None, since: datetime | None, state: LetterState | None
    ) -> sa.Select[Any]:
        if source_id is not None:
            asked = asked.where(letter.c.source == self._journal.number(source_id))
        if since is not None:
            asked = asked.where(letter.c.at >= micros(since))
        if state is not None:
            asked = asked.where(letter.c.state == state.value)
        return asked


def _letters() -> sa.Select[Any]:
    return sa.select(letter, source.c.key).join(source, source.c.id == letter.c.source)


def _letter(row: Any) -> LetterRow:
    at = moment(row.at)
    assert at is not None
    return LetterRow(
        id=row.id,
        source=row.key,
        place=row.place,
        reason=row.reason,
        path=row.path,
        body=bytes(row.body),
        at=at,
        state=LetterState(row.state),
        settled_at=moment(row.settled_at),
        note=row.note,
        event=row.event,
    )
