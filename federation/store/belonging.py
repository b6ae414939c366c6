"""What belongs to an asset by structure, read page by page: its runs, its columns and versions, the job of a run."""

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from ..identity import kind_of
from ..model import AssetKind, EdgeKind
from ..rows import Named, Runs
from .codec import EDGE_KINDS, KINDS, kind_at
from .database import chunks
from .tables import claim, record, source

NEVER = -(2**62)
"""Stands for a start that nobody told: it comes before all others."""
_owner, _end, _part = record.alias("owner"), record.alias("part_end"), record.alias("part")


def runs(
    connection: sa.Connection, assets: Iterable[int], first: int, behind: tuple[int, int] | None
) -> dict[int, Runs]:
    """One page of each asset's runs, the newest first, behind a start (microseconds) and an id; and how many in all."""
    found: dict[int, Runs] = {}
    for some in chunks(sorted(set(assets))):
        every = _runs(some).subquery()
        counted = sa.select(every.c.owner, sa.func.count().label("total")).group_by(every.c.owner)
        totals = {row.owner: row.total for row in connection.execute(counted)}
        page: dict[int, list[tuple[int, int]]] = {}
        for row in connection.execute(_page(every, first, behind)):
            page.setdefault(row.owner, []).append((row.part, row.started))
        found |= {owner: Runs(tuple(page.get(owner, ())), total) for owner, total in totals.items()}
    return found


def _runs(assets: Sequence[int]) -> sa.Select[*tuple[Any, ...]]:
    started = sa.func.coalesce(sa.func.max(_part.c.run_started), NEVER).label("started")
    chosen = _parts(assets, (EdgeKind.RUN_OF, EdgeKind.PART_OF)).where(_part.c.kind == KINDS.index(AssetKind.RUN))
    return chosen.with_only_columns(_owner.c.asset.label("owner"), _end.c.asset.label("part"), started).group_by(
        _owner.c.asset, _end.c.asset
    )


def _page(every: sa.Subquery, first: int, behind: tuple[int, int] | None) -> sa.Select[Any]:
    order = (every.c.started.desc(), every.c.part.desc())
    place = sa.func.row_number().over(partition_by=every.c.owner, order_by=order).label("place")
    asked = sa.select(every, place)
    if behind is not None:
        started, part = behind
        later = sa.and_(every.c.started == started, every.c.part < part)
        asked = asked.where(sa.or_(every.c.started < started, later))
    placed = asked.subquery()
    return sa.select(placed).where(placed.c.place <= first).order_by(placed.c.owner, placed.c.place)


def parts(connection: sa.Connection, assets: Iterable[int], kind: EdgeKind) -> dict[int, list[Named]]:
    """What is tied to each asset by edges of one kind, with no more than it takes to put it in order."""
    rows: dict[tuple[int, int], list[Any]] = {}
    for some in chunks(sorted(set(assets))):
        chosen = _parts(some, (kind,)).join(source, source.c.id == _part.c.source)
        asked = chosen.with_only_columns(
            _owner.c.asset.label("owner"),
            _end.c.asset.label("part"),
            _part.c.id,
            _part.c.name,
            _part.c.kind,
            _part.c.described,
            source.c.position,
        )
        for row in connection.execute(asked.distinct()):
            rows.setdefault((row.owner, row.part), []).append(row)
    found: dict[int, list[Named]] = {}
    for (owner, part), told in rows.items():
        best = min(told, key=lambda row: (not row.described, row.position, row.id))
        found.setdefault(owner, []).append(Named(part, best.name, kind_of(kind_at(row.kind) for row in told)))
    return found


def jobs(connection: sa.Connection, assets: Iterable[int]) -> dict[int, int]:
    """The job of each run that has one; of several that which the earliest source tells, as the graph has it."""
    found: dict[int, int] = {}
    for some in chunks(sorted(set(assets))):
        asked = _tied((EdgeKind.RUN_OF,)).join(source, source.c.id == claim.c.source).where(_end.c.asset.in_(some))
        asked = asked.with_only_columns(_end.c.asset.label("run"), _owner.c.asset.label("job"))
        for row in connection.execute(asked.order_by(source.c.position, source.c.id, _owner.c.asset)):
            found.setdefault(row.run, row.job)
    return found


def _tied(kinds: Iterable[EdgeKind]) -> sa.Select[Any]:
    """Living claims from a part to its owner."""
    return (
        sa.select(claim.c.id)
        .join(_owner, _owner.c.id == claim.c.down)
        .join(_end, _end.c.id == claim.c.up)
        .where(
            claim.c.kind.in_([EDGE_KINDS.index(kind) for kind in kinds]),
            claim.c.retired_at.is_(None),
            claim.c.valid_to.is_(None),
            _end.c.asset != _owner.c.asset,
        )
    )


def _parts(assets: Sequence[int], kinds: Iterable[EdgeKind]) -> sa.Select[Any]:
    """The same of some owners, with all records of the parts."""
    return _tied(kinds).join(_part, _part.c.asset == _end.c.asset).where(_owner.c.asset.in_(assets))
