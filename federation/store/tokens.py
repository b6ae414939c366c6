"""Bearer tokens: which there are, what they may do, when they were last used. The tokens themselves are not here."""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from ..clock import Clock
from ..errors import BadInput, NotFound
from ..rows import TokenRow
from .audit import AuditLog
from .codec import clean, micros, moment
from .database import Database
from .tables import token, token_address

COARSE = timedelta(minutes=5)
"""How exactly the last use is known, so that a request costs no write."""
ADDRESSES = 1000
"""So many addresses are remembered of one token, the newest."""


class Tokens:
    """Makes, lists and revokes tokens; each of that stands in the audit log."""

    def __init__(self, database: Database, audit: AuditLog, clock: Clock) -> None:
        self._db = database
        self._audit = audit
        self._clock = clock

    def create(self, made: TokenRow, *, by: str) -> TokenRow:
        """Keep a new token (its hash). Raises `BadInput` if a token in force bears the name."""
        name = clean(made.name)
        with self._db.writing(durable=True) as connection:
            if any(_is_valid(row, self._clock()) and row.name == name for row in _rows(connection)):
                raise BadInput(f"a token named {name!r} is in force: choose another name, or revoke it first")
            values = {
                "id": made.id,
                "name": name,
                "role": made.role,
                "hash": made.hash,
                "created_at": micros(made.created_at),
                "expires_at": micros(made.expires_at),
            }
            connection.execute(sa.insert(token).values(values))
            expires = made.expires_at.isoformat() if made.expires_at else None
            detail = {"id": made.id, "name": name, "role": made.role, "expires": expires}
            self._audit.append(connection, "token.create", by=by, detail=detail)
        self._audit.seal()
        return made

    def revoke(self, token_id: str, *, by: str) -> TokenRow:
        """Take a token's rights away for good; doing it twice changes nothing. Raises `NotFound`."""
        with self._db.writing(durable=True) as connection:
            found = [row for row in _rows(connection) if row.id == token_id]
            if not found:
                raise NotFound(f"no token has the id {token_id[:40]!r}: `watersmeet token list` shows them")
            if found[0].revoked_at is None:
                now = micros(self._clock())
                connection.execute(sa.update(token).where(token.c.id == token_id).values(revoked_at=now))
                detail = {"id": token_id, "name": found[0].name, "role": found[0].role}
                self._audit.append(connection, "token.revoke", by=by, detail=detail)
            [row] = [row for row in _rows(connection) if row.id == token_id]
        self._audit.seal()
        return row

    def all(self) -> list[TokenRow]:
        """Every token that was ever made, the oldest first."""
        with self._db.reading() as connection:
            return _rows(connection)

    def valid(self) -> list[TokenRow]:
        """Those that open something now."""
        now = self._clock()
        return [row for row in self.all() if _is_valid(row, now)]

    def used(self, token_id: str, address: str) -> bool:
        """Write down that a token was used; says whether this address is new (then it stands in the audit log)."""
        now = micros(self._clock()) or 0
        here = (token_address.c.token == token_id) & (token_address.c.address == address)
        with self._db.writing() as connection:
            late = token.c.used_at.is_(None) | (token.c.used_at <= now - COARSE // timedelta(microseconds=1))
            fresh = late | token.c.used_from.is_distinct_from(address)
            noted = sa.update(token).where(token.c.id == token_id, fresh).values(used_at=now, used_from=address)
            connection.execute(noted)
            if connection.execute(sa.select(token_address.c.token).where(here)).first() is not None:
                return False
            connection.execute(sa.insert(token_address).values(token=token_id, address=address, seen_at=now))
            _forget_oldest(connection, token_id)
            detail = {"id": token_id}
            self._audit.append(connection, "token.new_address", by=f"token {token_id}", address=address, detail=detail)
        return True


def _rows(connection: sa.Connection) -> list[TokenRow]:
    return [_row(row) for row in connection.execute(sa.select(token).order_by(token.c.created_at, token.c.id))]


def _row(row: Any) -> TokenRow:
    created = moment(row.created_at)
    assert created is not None
    times = (moment(row.expires_at), moment(row.revoked_at), moment(row.used_at))
    return TokenRow(row.id, row.name, row.role, bytes(row.hash), created, *times, row.used_from)


def _is_valid(row: TokenRow, now: datetime) -> bool:
    return row.revoked_at is None and (row.expires_at is None or row.expires_at > now)


def _forget_oldest(connection: sa.Connection, token_id: str) -> None:
    mine = token_address.c.token == token_id
    newest = sa.select(token_address.c.address).where(mine).order_by(token_address.c.seen_at.desc()).limit(ADDRESSES)
    count = connection.execute(sa.select(sa.func.count()).select_from(token_address).where(mine)).scalar_one()
    if count > ADDRESSES:
        connection.execute(sa.delete(token_address).where(mine, token_address.c.address.not_in(newest)))
