"""Everything that is read from the store: the graph's columns, and the rows of a page."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from ..clock import Clock
from ..columns import GraphColumns
from ..identity import kind_of
from ..model import AssetKind, EdgeKind, SyncState
from ..rows import ChangeRow, EdgeRow, Found, GapRow, Head, LinkRow, Match, Named, RecordRow, Runs
from . import belonging, marks
from .changes import changes
from .codec import clean, decode, digest, kind_at, moment, run_of, said_of_edge, said_of_record
from .columns import load
from .database import Database, chunks
from .search import Wanted, search
from .tables import change, claim, counter, link, record, refusal, source, spelled, sync


class Reader:
    """Reads; each call sees one moment of the store."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock

    def head(self) -> int:
        """The newest number of the change log."""
        with self._db.reading() as connection:
            return _counter(connection, "change")

    def moment(self) -> tuple[str, int]:
        """The store's epoch and the newest number of its change log: two graphs of one moment are the same."""
        with self._db.reading() as connection:
            return marks.epoch(connection), _counter(connection, "change")

    def columns(self, known_at: datetime | None = None) -> GraphColumns:
        """The whole graph, as we know it now or knew it at `known_at`."""
        with self._db.reading() as connection:
            return load(connection, marks.epoch(connection), _counter(connection, "change"), known_at)

    def present_id(self, any_id: int) -> int | None:
        """The asset that a record or a former asset id belongs to now."""
        with self._db.reading() as connection:
            return connection.execute(sa.select(record.c.asset).where(record.c.id == any_id)).scalar_one_or_none()

    def assets(self, ids: Iterable[int]) -> dict[int, list[RecordRow]]:
        """The records of each asset, the best source's first."""
        found: dict[int, list[RecordRow]] = {}
        with self._db.reading() as connection:
            seen = _last_complete(connection)
            for row in _rows(connection, sorted(set(ids))):
                found.setdefault(row.asset, []).append(_record(row, seen))
        for rows in found.values():
            rows.sort(key=_rank)
        return found

    def heads(self, ids: Iterable[int]) -> dict[int, Head]:
        """As much of each asset as a page shows."""
        found: dict[int, list[Any]] = {}
        with self._db.reading() as connection:
            for row in _rows(connection, sorted(set(ids)), body=False):
                found.setdefault(row.asset, []).append(row)
        return {asset: _head(asset, rows) for asset, rows in found.items()}

    def changed_since(self, seq: int, assets: Iterable[int]) -> int:
        """How many of these assets, by an id of any time, the change log speaks of after the number `seq`."""
        found: set[int] = set()
        with self._db.reading() as connection:
            if _counter(connection, "change") == seq:
                return 0
            for some in chunks(sorted(set(assets))):
                owned = sa.select(record.c.id, record.c.asset).where(
                    sa.or_(record.c.asset.in_(some), record.c.id.in_(some))
                )
                asset_of = {row.id: row.asset for row in connection.execute(owned)}
                shown = set(some)
                for few in chunks(sorted(asset_of)):
                    for end in (change.c.record, change.c.other):
                        told = connection.execute(sa.select(end).distinct().where(change.c.seq > seq, end.in_(few)))
                        found |= {asset_of[one] if asset_of[one] in shown else one for one in told.scalars()}
        return len(found)

    def edges(self, claims: Iterable[int]) -> dict[int, EdgeRow]:
        """Claims by their ids."""
        found: dict[int, EdgeRow] = {}
        with self._db.reading() as connection:
            for some in chunks(sorted(set(claims))):
                asked = sa.select(claim, source.c.key).join(source, source.c.id == claim.c.source)
                for row in connection.execute(asked.where(claim.c.id.in_(some))):
                    found[row.id] = _edge(row)
        return found

    def edges_of(self, records: Iterable[int], *, kinds: Iterable[int] = ()) -> list[EdgeRow]:
        """Live claims that begin or end at these records, of these kinds (positions; none: all)."""
        found: dict[int, EdgeRow] = {}
        wanted = list(kinds)
        with self._db.reading() as connection:
            for some in chunks(sorted(set(records))):
                asked = sa.select(claim, source.c.key).join(source, source.c.id == claim.c.source)
                asked = asked.where(claim.c.retired_at.is_(None))
                asked = asked.where(claim.c.kind.in_(wanted)) if wanted else asked
                for end in (claim.c.up, claim.c.down):
                    found.update({row.id: _edge(row) for row in connection.execute(asked.where(end.in_(some)))})
        return [found[number] for number in sorted(found)]

    def runs_of(self, assets: Iterable[int], first: int, behind: tuple[int, int] | None = None) -> dict[int, Runs]:
        """One page of each asset's runs, the newest first, behind a start (microseconds) and an id."""
        with self._db.reading() as connection:
            return belonging.runs(connection, assets, first, behind)

    def parts_of(self, assets: Iterable[int], kind: EdgeKind) -> dict[int, list[Named]]:
        """What is tied to each asset by edges of one kind."""
        with self._db.reading() as connection:
            return belonging.parts(connection, assets, kind)

    def jobs_of(self, assets: Iterable[int]) -> dict[int, int]:
        """The job of each run that has one."""
        with self._db.reading() as connection:
            return belonging.jobs(connection, assets)

    def search(self, wanted: Wanted, first: int = 20, after: int = 0) -> Found:
        """Assets by name and filters, best first; `after` is how many to pass over."""
        with self._db.reading() as connection:
            return search(connection, wanted, first, after, is_sqlite=self._db.is_sqlite)

    def find_native(self, native_ids: Iterable[str], source_id: str | None = None) -> list[Match]:
        """Records by what their source calls them."""
        marks = {digest(clean(name)): clean(name) for name in native_ids}
        asked = _matches().where(record.c.native_hash.in_(list(marks)))
        return self._matches(asked, source_id)

    def find_keys(self, keys: Iterable[str], source_id: str | None = None) -> list[Match]:
        """Records by a key of `naming` (`class|system|authority|path`)."""
        asked = _matches(spelled.c.key).join(spelled, spelled.c.record == record.c.id)
        return self._matches(asked.where(spelled.c.key_hash.in_([digest(clean(key)) for key in keys])), source_id)

    def find_places(self, keys: Iterable[str], source_id: str | None = None) -> list[Match]:
        """Records by a key without its authority (`class|system||path`)."""
        asked = _matches(spelled.c.key).join(spelled, spelled.c.record == record.c.id)
        return self._matches(asked.where(spelled.c.place_hash.in_([digest(clean(key)) for key in keys])), source_id)

    def _matches(self, asked: sa.Select[Any], source_id: str | None) -> list[Match]:
        if source_id is not None:
            asked = asked.where(sa.or_(source.c.key == source_id, source.c.name == source_id))
        with self._db.reading() as connection:
            rows = connection.execute(asked.order_by(record.c.id)).all()
        return [Match(r.asset, r.id, r.source_key, r.native_id, getattr(r, "key", None)) for r in rows]

    def changes(
        self,
        assets: Sequence[int] | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        first: int = 100,
        after: int | None = None,
    ) -> tuple[list[ChangeRow], int]:
        """Entries of the change log about assets (None: all), oldest first, and how many there are in all."""
        with self._db.reading() as connection:
            records = None
            if assets is not None:
                within = sa.select(record.c.id).where(record.c.asset.in_(list(assets)))
                records = list(connection.execute(within).scalars())
            return changes(connection, records, start, end, first, after)

    def assets_of(self, records: Iterable[int]) -> dict[int, int]:
        """The present asset of each record."""
        found: dict[int, int] = {}
        with self._db.reading() as connection:
            for some in chunks(sorted(set(records))):
                rows = connection.execute(sa.select(record.c.id, record.c.asset).where(record.c.id.in_(some)))
                found.update({row.id: row.asset for row in rows})
        return found

    def links(self, asset: int) -> list[LinkRow]:
        """Why an asset's records are one."""
        asked = sa.select(link).where(link.c.asset == asset, link.c.retired_at.is_(None)).order_by(link.c.id)
        with self._db.reading() as connection:
            rows = connection.execute(asked).all()
        return [LinkRow(r.left, r.right, r.rule, r.score, tuple(decode(r.evidence))) for r in rows]

    def keys(self, assets: Iterable[int]) -> dict[int, list[str]]:
        """The keys of each asset, strong ones first."""
        found: dict[int, dict[str, int]] = {}
        with self._db.reading() as connection:
            for some in chunks(sorted(set(assets))):
                asked = (
                    sa.select(record.c.asset, spelled.c.key, sa.func.max(spelled.c.strong).label("strong"))
                    .join(spelled, spelled.c.record == record.c.id)
                    .where(record.c.asset.in_(some))
                    .group_by(record.c.asset, spelled.c.key)
                )
                for row in connection.execute(asked):
                    found.setdefault(row.asset, {})[row.key] = row.strong
        return {asset: sorted(keys, key=lambda key: (-keys[key], key)) for asset, keys in found.items()}

    def gaps(self, first: int = 50, after: int = 0) -> tuple[list[GapRow], int]:
        """What is known to be missing or in dispute, and how much there is in all."""
        with self._db.reading() as connection:
            rows = connection.execute(sa.select(refusal).order_by(refusal.c.key)).all()
            owners = {n for row in rows for n in decode(row.records)[:1]}
            asset_of = dict(
                connection.execute(sa.select(record.c.id, record.c.asset).where(record.c.id.in_(owners))).all()
            )  # pyright: ignore[reportArgumentType] - pairs
            several = sa.select(record.c.asset).where(record.c.described == 1).group_by(record.c.asset)
            several = several.having(sa.func.count(record.c.kind.distinct()) > 1).order_by(record.c.asset)
            disputed = connection.execute(several).scalars().all()
        gaps = [
            GapRow(
                asset_of[decode(row.records)[0]], f"not joined by {row.key}: {row.reason}", "look at `identity` of both"
            )
            for row in rows
            if decode(row.records) and decode(row.records)[0] in asset_of
        ]
        gaps += [
            GapRow(asset, "its sources disagree about its kind", "see `records`; the order of sources decides")
            for asset in disputed
        ]
        return gaps[after : after + first], len(gaps)


def _counter(connection: sa.Connection, name: str) -> int:
    return connection.execute(sa.select(counter.c.value).where(counter.c.name == name)).scalar_one()


_LIGHT = [column for column in record.c if column.name != "body"]


def _rows(connection: sa.Connection, assets: Sequence[int], *, body: bool = True) -> Iterable[Any]:
    """The rows of assets' records; a former id finds its present asset's."""
    columns = list(record.c) if body else _LIGHT
    origin = (source.c.key, source.c.name.label("source_name"), source.c.platform, source.c.position)
    for some in chunks(assets):
        asked = sa.select(*columns, *origin).join(source, source.c.id == record.c.source)
        yield from connection.execute(asked.where(record.c.asset.in_(some)))


def _last_complete(connection: sa.Connection) -> dict[int, int]:
    done = sa.and_(sync.c.complete == 1, sync.c.state.in_((SyncState.SUCCEEDED.value, SyncState.PARTIAL.value)))
    asked = sa.select(sync.c.source, sa.func.max(sync.c.started_at).label("at")).where(done).group_by(sync.c.source)
    return {row.source: row.at for row in connection.execute(asked) if row.at is not None}


def _rank(row: RecordRow) -> tuple[bool, int, int]:
    return (not row.described, row.position, row.id)


def _record(row: Any, seen: dict[int, int]) -> RecordRow:
    recorded = moment(row.recorded_at)
    assert recorded is not None
    return RecordRow(
        **said_of_record(row),
        id=row.id,
        asset=row.asset,
        source=row.key,
        source_name=row.source_name,
        platform=row.platform,
        tombstoned_at=moment(row.tombstoned_at),
        recorded_at=recorded,
        seen_at=moment(seen.get(row.source)),
        position=row.position,
    )


def _head(asset: int, rows: list[Any]) -> Head:
    rows = sorted(rows, key=lambda row: (not row.described, row.position, row.id))
    best = rows[0]
    living = [row for row in rows if row.tombstoned_at is None]
    runs = [run for row in rows if (run := run_of(row.run_state, row.run_started, row.run_ended, row.run_error))]
    kinds: list[AssetKind] = [kind_at(row.kind) for row in rows]
    return Head(
        id=asset,
        kind=kind_of(kinds),
        subtype=next((row.subtype for row in rows if row.subtype is not None), None),
        name=best.name,
        platforms=tuple(dict.fromkeys(row.platform for row in rows)),
        tombstoned_at=None if living else moment(max(row.tombstoned_at for row in rows)),
        run=runs[0] if runs else None,
        stub=not any(row.described for row in rows),
    )


def _edge(row: Any) -> EdgeRow:
    return EdgeRow(
        claim=row.id, upstream=row.up, downstream=row.down, source=row.key, via=row.via or None, **said_of_edge(row)
    )


def _matches(*more: sa.ColumnElement[Any]) -> sa.Select[Any]:
    asked = sa.select(record.c.id, record.c.asset, record.c.native_id, source.c.key.label("source_key"), *more)
    return asked.join(source, source.c.id == record.c.source)
