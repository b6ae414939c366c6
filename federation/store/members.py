"""Which records are one asset: keys derived, joins decided by `identity`, both kept in step with the records."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from ..clock import Clock
from ..identity import Joins, Member, resolve
from ..model import AssetKind
from ..naming import RULES, Key, Registry, keys_of
from .changes import ChangeLog
from .codec import clean, decode, digest, encode, kind_at, micros, spellings
from .database import Database, chunks
from .ledger import mark_dirty
from .projection import same
from .tables import dirty, info, link, member, record, refusal, source, spelled

STEP = 400
"""Records whose keys one transaction derives."""


@dataclass(frozen=True, slots=True)
class _Row:
    """One record with its keys, as identity judges it."""

    id: int
    source: str
    teller: str
    kind: AssetKind
    suspect: bool
    asset: int


class Members:
    """Resolves identity for the records that changed, and for no others."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock

    def adopt(self, registry: Registry) -> bool:
        """Derive every key again if the rules or the registry are others than the store's; says whether they were."""
        mark = digest(f"{RULES}\0{registry.fingerprint}")
        here = info.c.name == "rules"
        asked = sa.select(info.c.value).where(here)
        with self._db.reading() as connection:
            before = connection.execute(asked).scalar_one_or_none()
        if before is not None and bytes(before) == mark:
            return False
        with self._db.writing() as connection:
            before = connection.execute(asked).scalar_one_or_none()
            if before is None:
                connection.execute(sa.insert(info).values(name="rules", value=mark))
            else:
                connection.execute(sa.update(info).where(here).values(value=mark))
            mark_dirty(connection, connection.execute(sa.select(record.c.id)).scalars().all())
        self.resolve(registry)
        return True

    def resolve(self, registry: Registry) -> int:
        """Derive keys and joins of every record that waits for it; returns how many records moved to another asset."""
        moved = 0
        while True:
            with self._db.reading() as connection:
                waiting = (
                    connection.execute(sa.select(dirty.c.record).order_by(dirty.c.record).limit(STEP)).scalars().all()
                )
                spelt = _spellings(connection, waiting)
            if not waiting:
                return moved
            derived = {number: _derive(rows, registry) for number, rows in spelt.items()}
            moved += self._step(waiting, derived)

    def _step(self, waiting: Sequence[int], derived: Mapping[int, Mapping[bytes, Key]]) -> int:
        now = micros(self._clock()) or 0
        with self._db.writing() as connection:
            self._alone(connection)
            touched = _put_keys(connection, waiting, derived)
            near = _neighbourhood(connection, waiting, touched)
            moved = _join(connection, near, now) if near else 0
            connection.execute(sa.delete(dirty).where(dirty.c.record.in_(waiting)))
        return moved

    def _alone(self, connection: sa.Connection) -> None:
        """Joins of different sources meet: on PostgreSQL one at a time."""
        if not self._db.is_sqlite:
            number = int.from_bytes(digest("watersmeet/identity")[:8], "big", signed=True)
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(number)))


def miskeyed(connection: sa.Connection, ids: Sequence[int], registry: Registry) -> list[int]:
    """Those of these records whose keys are not what their spellings give; one that waits for them is none."""
    waiting = set(connection.execute(sa.select(dirty.c.record).where(dirty.c.record.in_(ids))).scalars())
    held: dict[int, dict[bytes, Any]] = {}
    for row in connection.execute(sa.select(spelled).where(spelled.c.record.in_(ids))):
        held.setdefault(row.record, {})[bytes(row.key_hash)] = row
    derived = {number: _derive(row, registry) for number, row in _spellings(connection, ids).items()}
    return [n for n in ids if n not in waiting and not _are_same(_key_rows(n, derived.get(n, {})), held.get(n, {}))]


def misjoined(connection: sa.Connection, ids: Sequence[int]) -> list[int]:
    """Those of these records that their keys join otherwise, where nobody near waits for keys or joins."""
    near: set[int] = set()
    marks: set[bytes] = set()
    for some in chunks(ids):
        asked = sa.select(spelled.c.key_hash).where(spelled.c.record.in_(some), spelled.c.strong == 1)
        marks.update(bytes(mark) for mark in connection.execute(asked).scalars())
    near = _neighbourhood(connection, ids, marks)
    for some in chunks(sorted(near)):
        if connection.execute(sa.select(dirty.c.record).where(dirty.c.record.in_(some)).limit(1)).first() is not None:
            return []
    rows, members = _members(connection, sorted(near))
    wanted = {number: min(group) for group in resolve(members).groups for number in group}
    asked_for = set(ids)
    return [row.id for row in rows if row.id in asked_for and wanted.get(row.id, row.id) != row.asset]


def _spellings(connection: sa.Connection, records: Sequence[int]) -> dict[int, Any]:
    asked = sa.select(record.c.id, record.c.kind, record.c.body, source.c.key.label("source"))
    asked = asked.join(source, source.c.id == record.c.source).where(record.c.id.in_(records))
    return {row.id: row for row in connection.execute(asked)}


def _derive(row: Any, registry: Registry) -> dict[bytes, Key]:
    spelt = spellings(decode(row.body)["spellings"])
    return {digest(clean(key.text)): key for key in keys_of(spelt, kind_at(row.kind), registry.within(row.source))}


def _put_keys(
    connection: sa.Connection, waiting: Sequence[int], derived: Mapping[int, Mapping[bytes, Key]]
) -> set[bytes]:
    """Write the keys that changed; returns every strong key that these records hold or held."""
    held: dict[int, dict[bytes, Any]] = {}
    for row in connection.execute(sa.select(spelled).where(spelled.c.record.in_(waiting))):
        held.setdefault(row.record, {})[bytes(row.key_hash)] = row
    touched: set[bytes] = set()
    former: list[int] = []
    fresh: list[dict[str, Any]] = []
    for number in waiting:
        now, before = derived.get(number, {}), held.get(number, {})
        touched |= {mark for mark, row in before.items() if row.strong} | {m for m, key in now.items() if key.strong}
        said = _key_rows(number, now)
        if _are_same(said, before):
            continue
        if before:
            former.append(number)
        fresh.extend(said.values())
    if former:
        connection.execute(sa.delete(spelled).where(spelled.c.record.in_(former)))
    if fresh:
        connection.execute(sa.insert(spelled), fresh)
    return touched


def _key_rows(number: int, keys: Mapping[bytes, Key]) -> dict[bytes, dict[str, Any]]:
    return {mark: _key_row(number, mark, key) for mark, key in keys.items()}


def _are_same(said: Mapping[bytes, Mapping[str, Any]], held: Mapping[bytes, Any]) -> bool:
    if said.keys() != held.keys():
        return False
    return all(same(getattr(held[mark], name), value) for mark, row in said.items() for name, value in row.items())


def _key_row(number: int, mark: bytes, key: Key) -> dict[str, Any]:
    return {
        "record": number,
        "key_hash": mark,
        "place_hash": digest(clean(key.placeless)),
        "key": clean(key.text),
        "strong": int(key.strong),
        "rule": key.rule,
    }


def _neighbourhood(connection: sa.Connection, waiting: Sequence[int], touched: set[bytes]) -> set[int]:
    """Every record that these could be joined with, or are now: closed over strong keys and present assets."""
    seen: set[int] = set()
    marks: set[bytes] = set()
    fresh, fresh_marks = set(waiting), touched
    while fresh or fresh_marks:
        seen |= fresh
        marks |= fresh_marks
        found: set[int] = set()
        for some in chunks(sorted(fresh_marks)):
            asked = sa.select(spelled.c.record).where(spelled.c.key_hash.in_(some), spelled.c.strong == 1)
            found.update(connection.execute(asked).scalars())
        for some in chunks(sorted(fresh)):
            assets = sa.select(record.c.asset).where(record.c.id.in_(some))
            found.update(connection.execute(sa.select(record.c.id).where(record.c.asset.in_(assets))).scalars())
        fresh = found - seen
        fresh_marks = set[bytes]()
        for some in chunks(sorted(fresh)):
            asked = sa.select(spelled.c.key_hash).where(spelled.c.record.in_(some), spelled.c.strong == 1)
            fresh_marks.update(bytes(mark) for mark in connection.execute(asked).scalars())
        fresh_marks -= marks
    return seen


def _join(connection: sa.Connection, near: Iterable[int], now: int) -> int:
    rows, members = _members(connection, sorted(near))
    joins = resolve(members)
    wanted = {number: min(group) for group in joins.groups for number in group}
    log = ChangeLog(0, now)
    moved = 0
    for row in rows:
        asset = wanted.get(row.id, row.id)
        if asset != row.asset:
            moved += 1
            _move(connection, row, asset, now)
            log.record(
                "split" if asset == row.id else "joined", row.id, {"asset": row.asset}, {"asset": asset}, other=asset
            )
    _put_links(connection, rows, joins, wanted, now)
    _put_refusals(connection, rows, joins, now)
    log.write(connection)
    return moved


def _members(connection: sa.Connection, near: Sequence[int]) -> tuple[list[_Row], list[Member]]:
    rows: list[_Row] = []
    held: dict[int, list[Key]] = {}
    for some in chunks(near):
        asked = (
            sa.select(record.c.id, record.c.kind, record.c.suspect, record.c.teller, record.c.asset, source.c.key)
            .join(source, source.c.id == record.c.source)
            .where(record.c.id.in_(some))
        )
        for row in connection.execute(asked):
            teller = row.teller or row.key
            rows.append(_Row(row.id, row.key, teller, kind_at(row.kind), bool(row.suspect), row.asset))
        for row in connection.execute(sa.select(spelled).where(spelled.c.record.in_(some)).order_by(spelled.c.key)):
            held.setdefault(row.record, []).append(Key(row.key, bool(row.strong), row.rule))
    members = [Member(r.id, r.source, r.teller, r.kind, tuple(held.get(r.id, ())), r.suspect) for r in rows]
    return rows, members


def _move(connection: sa.Connection, row: _Row, asset: int, now: int) -> None:
    connection.execute(sa.update(record).where(record.c.id == row.id).values(asset=asset))
    live = sa.and_(member.c.record == row.id, member.c.retired_at.is_(None))
    connection.execute(sa.update(member).where(live).values(retired_at=now))
    here = sa.and_(member.c.record == row.id, member.c.asset == asset, member.c.recorded_at == now)
    if connection.execute(sa.select(member.c.record).where(here)).first() is None:
        connection.execute(sa.insert(member).values(record=row.id, asset=asset, recorded_at=now))
    else:
        connection.execute(sa.update(member).where(here).values(retired_at=None))


def _put_links(
    connection: sa.Connection, rows: Sequence[_Row], joins: Joins, wanted: Mapping[int, int], now: int
) -> None:
    """Why each asset is one, in step with the decision."""
    live: dict[tuple[Any, ...], int] = {}
    for some in chunks([row.id for row in rows]):
        asked = sa.select(link).where(link.c.left.in_(some), link.c.retired_at.is_(None))
        live.update(
            {(r.left, r.right, r.rule, r.score, bytes(r.evidence), r.asset): r.id for r in connection.execute(asked)}
        )
    said = {
        (
            one.left,
            one.right,
            one.rule,
            float(one.score),
            encode(list(one.evidence)),
            wanted.get(one.left, one.left),
        ): one
        for one in joins.links
    }
    gone = [number for what, number in live.items() if what not in said]
    for some in chunks(gone):
        connection.execute(sa.update(link).where(link.c.id.in_(some)).values(retired_at=now))
    fresh = [what for what in said if what not in live]
    if fresh:
        highest = connection.execute(sa.select(sa.func.coalesce(sa.func.max(link.c.id), 0))).scalar_one()
        names = ("left", "right", "rule", "score", "evidence", "asset")
        values = [
            {"id": highest + 1 + place, "recorded_at": now, **dict(zip(names, what, strict=True))}
            for place, what in enumerate(fresh)
        ]
        connection.execute(sa.insert(link), values)


def _put_refusals(connection: sa.Connection, rows: Sequence[_Row], joins: Joins, now: int) -> None:
    marks = {digest(clean(one.key)): one for one in joins.refused}
    near = {row.id for row in rows}
    known = {bytes(row.key_hash): row for row in connection.execute(sa.select(refusal))}
    for mark, row in known.items():
        if mark not in marks and set(decode(row.records)) <= near:
            connection.execute(sa.delete(refusal).where(refusal.c.key_hash == mark))
    for mark, one in marks.items():
        values: dict[str, Any] = {"reason": one.reason, "records": encode(sorted(one.records))}
        if mark in known:
            connection.execute(sa.update(refusal).where(refusal.c.key_hash == mark).values(**values))
        else:
            connection.execute(sa.insert(refusal).values(key_hash=mark, key=clean(one.key), at=now, **values))
