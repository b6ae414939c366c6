"""The audit log: who did what, one hash chain for each process that writes, the chains sealed into one another."""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa
import structlog
from sqlalchemy.dialects import postgresql, sqlite

from ..clock import Clock
from ..model import Json
from ..openlineage.confidential import redacted
from ..openlineage.redact import redact
from ..openlineage.refused import Refused
from ..rows import AuditProof, AuditRow
from .audit_proof import prove
from .codec import clean, decode, digest, encode, micros, moment
from .database import Database
from .tables import audit, audit_head

SEAL = "seal"
_EVERY = timedelta(hours=1)
_LOOK = timedelta(minutes=1)
_SECONDS = 1_000_000
_LONGEST = 2000
"""Characters that a text of an entry may have."""
_NOTHING: Mapping[str, Json] = {}
_log = structlog.get_logger(__name__)


class AuditLog:
    """Appends and reads entries; nothing here changes or deletes one."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock
        self._chain = secrets.token_hex(8)
        self._looked: datetime | None = None

    def record(
        self, what: str, *, by: str, address: str | None = None, detail: Mapping[str, Json] = _NOTHING
    ) -> AuditRow:
        """Write down one thing that was done, and seal the chains where that is due. Raises `StoreUnavailable`.

        `what` is a word such as `source.forget`; `by` names the caller; secrets in `detail` are cut.
        """
        with self._db.writing(durable=True) as connection:
            row = self.append(connection, what, by=by, address=address, detail=detail)
        now = self._clock()
        if self._looked is None or now - self._looked >= _LOOK:
            self.seal()
        return row

    def append(
        self,
        connection: sa.Connection,
        what: str,
        *,
        by: str,
        address: str | None = None,
        detail: Mapping[str, Json] = _NOTHING,
    ) -> AuditRow:
        """The same within a transaction of the store: what is done and its entry are kept together or not at all."""
        return self._put(connection, what, by, address, _fit(detail))[0]

    def seal(self, *, every: timedelta = _EVERY) -> bool:
        """Name the heads of all chains in one entry, if the newest seal is as old as `every`; says whether it did.

        A seal names the seal before it and each head that moved since, so it stands for all that was written.
        """
        self._looked = self._clock()
        with self._db.reading() as connection:
            if not self._due(connection, every)[1]:
                return False
        with self._db.writing(durable=True) as connection:
            self._alone(connection)
            last, moved = self._due(connection, every)
            if not moved:
                return False
            detail: dict[str, Json] = {
                "before": None if last is None else [last.chain, last.seq, bytes(last.hash).hex()],
                "heads": [[head.chain, head.seq, bytes(head.hash).hex()] for head in moved],
            }
            row, mark = self._put(connection, SEAL, "watersmeet", None, detail)
            for head in moved:
                _sealed(connection, head.chain, head.seq)
            _sealed(connection, row.chain, row.seq)
        # Where the log of the process is kept elsewhere, this is what a forger cannot reach.
        _log.info("the audit log was sealed", chain=row.chain, seq=row.seq, hash=mark.hex())
        return True

    def entries(
        self, since: datetime | None = None, until: datetime | None = None, what: str | None = None, first: int = 1000
    ) -> list[AuditRow]:
        """The newest entries within the times, the oldest of them first."""
        asked = sa.select(audit).order_by(audit.c.at.desc(), audit.c.chain.desc(), audit.c.seq.desc())
        if since is not None:
            asked = asked.where(audit.c.at >= micros(since))
        if until is not None:
            asked = asked.where(audit.c.at <= micros(until))
        if what is not None:
            asked = asked.where(audit.c.what == what)
        with self._db.reading() as connection:
            rows = connection.execute(asked.limit(first)).all()
        return [_read(row) for row in reversed(rows)]

    def prove(self) -> AuditProof:
        """Check every entry against its chain, and the chains against their seals and heads."""
        with self._db.reading() as connection:
            return prove(connection)

    def _due(self, connection: sa.Connection, every: timedelta) -> tuple[Any, Sequence[Any]]:
        """The newest seal, and the heads that a new one would name; none where it is too early."""
        last = connection.execute(_NEWEST_SEAL).first()
        late = last is None or (micros(self._clock()) or 0) - last.at >= every.total_seconds() * _SECONDS
        return last, connection.execute(_MOVED).all() if late else ()

    def _put(
        self, connection: sa.Connection, what: str, by: str, address: str | None, detail: Mapping[str, Json]
    ) -> tuple[AuditRow, bytes]:
        begun = _insert(self._db.is_sqlite).values(chain=self._chain, seq=0, hash=b"", sealed=0)
        connection.execute(begun.on_conflict_do_nothing())
        mine = audit_head.c.chain == self._chain
        taken = sa.update(audit_head).where(mine).values(seq=audit_head.c.seq + 1)
        seq, before = connection.execute(taken.returning(audit_head.c.seq, audit_head.c.hash)).one()
        at = micros(self._clock()) or 0
        entry: dict[str, Json] = {
            "chain": self._chain,
            "seq": seq,
            "at": at,
            "what": what,
            "by": _short(by),
            "address": None if address is None else _short(address),
            "detail": dict(detail),
            "before": bytes(before).hex(),
        }
        body = encode(entry)
        mark = hashlib.sha256(body).digest()
        connection.execute(sa.insert(audit).values(chain=self._chain, seq=seq, at=at, what=what, hash=mark, body=body))
        connection.execute(sa.update(audit_head).where(mine).values(hash=mark))
        return _row_of(entry), mark

    def _alone(self, connection: sa.Connection) -> None:
        """Two processes must not seal at the same time: on PostgreSQL one waits for the other."""
        if not self._db.is_sqlite:
            number = int.from_bytes(digest("watersmeet/seal")[:8], "big", signed=True)
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(number)))


_NEWEST_SEAL = (
    sa.select(audit.c.chain, audit.c.seq, audit.c.at, audit.c.hash)
    .where(audit.c.what == SEAL)
    .order_by(audit.c.at.desc(), audit.c.seq.desc())
    .limit(1)
)
_MOVED = (
    sa.select(audit_head.c.chain, audit_head.c.seq, audit_head.c.hash)
    .where(audit_head.c.seq > audit_head.c.sealed)
    .order_by(audit_head.c.chain)
)


def _row_of(entry: Mapping[str, Any]) -> AuditRow:
    at = moment(entry["at"])
    assert at is not None
    told = (entry["chain"], entry["seq"], at, entry["what"], entry["by"], entry["address"], entry["detail"])
    return AuditRow(*told)


def _read(row: Any) -> AuditRow:
    """An entry as its body tells it; one that was spoiled says so, and `prove` says more."""
    try:
        return _row_of(decode(bytes(row.body)))
    except (msgspec.DecodeError, KeyError, TypeError, OverflowError):
        at = moment(row.at)
        assert at is not None
        return AuditRow(row.chain, row.seq, at, row.what, "unknown", None, {"spoiled": True})


def _sealed(connection: sa.Connection, chain: str, seq: int) -> None:
    connection.execute(sa.update(audit_head).where(audit_head.c.chain == chain).values(sealed=seq))


def _insert(is_sqlite: bool) -> "sqlite.Insert | postgresql.Insert":
    return sqlite.insert(audit_head) if is_sqlite else postgresql.insert(audit_head)


def _fit(detail: Mapping[str, Json]) -> dict[str, Json]:
    """The same without secrets, and no text longer than it may be."""
    try:
        return _cut(redact(dict(detail), depth=20)[0])
    except Refused as error:
        return {"left_out": error.reason}


def _cut(value: Any) -> Any:
    if isinstance(value, str):
        return value[:_LONGEST]
    if isinstance(value, list | tuple):
        return [_cut(item) for item in value[:_LONGEST]]  # pyright: ignore[reportUnknownVariableType]  # any JSON
    if isinstance(value, dict):
        return {str(key): _cut(item) for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]  # any JSON
    return value


def _short(text: str) -> str:
    return redacted(clean(text))[0][:200]
