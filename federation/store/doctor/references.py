"""Whether every number in the store leads somewhere, and the logs have neither holes nor loose ends."""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from ...rows import Finding, Weight
from ..database import Database
from ..tables import (
    change,
    claim,
    counter,
    dirty,
    doc,
    event,
    fact,
    label,
    letter,
    life,
    link,
    member,
    record,
    scope,
    source,
    spelled,
    statement,
    sync,
)

_SHOWN = 5
_REBUILD = "`watersmeet rebuild` derives them again"
_RESTORE = (
    "`watersmeet restore` the newest backup; without one, `watersmeet source forget` the source "
    "and read it again with `watersmeet sync --full`"
)

_CLAIMS: tuple[tuple[str, sa.Column[Any], sa.Column[Any]], ...] = (
    ("claims name an upstream record that is not there", claim.c.up, record.c.id),
    ("claims name a downstream record that is not there", claim.c.down, record.c.id),
    ("claims belong to a scope that is not there", claim.c.scope, scope.c.id),
    ("claims belong to a source that is not there", claim.c.source, source.c.id),
    ("descriptions belong to a scope that is not there", fact.c.scope, scope.c.id),
    ("descriptions are of a record that is not there", fact.c.record, record.c.id),
    ("descriptions lack their text", fact.c.doc, doc.c.id),
    ("statements belong to a scope that is not there", statement.c.scope, scope.c.id),
    ("scopes belong to a source that is not there", scope.c.source, source.c.id),
    ("records belong to a source that is not there", record.c.source, source.c.id),
    ("deaths are of a record that is not there", life.c.record, record.c.id),
    ("memberships are of a record that is not there", member.c.record, record.c.id),
    ("events belong to a source that is not there", event.c.source, source.c.id),
    ("letters belong to a source that is not there", letter.c.source, source.c.id),
    ("syncs belong to a source that is not there", sync.c.source, source.c.id),
)
_DERIVED: tuple[tuple[str, sa.Column[Any], sa.Column[Any]], ...] = (
    ("keys are of a record that is not there", spelled.c.record, record.c.id),
    ("labels are of a record that is not there", label.c.record, record.c.id),
    ("marks are of a record that is not there", dirty.c.record, record.c.id),
    ("records are shown under an asset that is not there", record.c.asset, record.c.id),
)
_COUNTED = (source, sync, scope, record, doc, fact, claim, letter, event)


def examine(database: Database) -> Iterator[Finding]:
    """Everything, in one view of the store."""
    with database.reading() as connection:
        for what, one, other in _CLAIMS:
            yield from _lost(connection, what, one, other, "reference", _RESTORE)
        for what, one, other in _DERIVED:
            yield from _lost(connection, what, one, other, "projection", _REBUILD)
        yield from _lost_links(connection)
        yield from _log(connection)
        yield from _counters(connection)
        yield from _intervals(connection)


def _lost(
    connection: sa.Connection,
    what: str,
    one: sa.Column[Any],
    other: sa.Column[Any],
    code: str,
    remedy: str,
) -> Iterator[Finding]:
    there = other.table.alias()
    missing = ~sa.exists(sa.select(sa.literal(1)).where(there.c[other.name] == one))
    count = connection.execute(sa.select(sa.func.count()).select_from(one.table).where(missing)).scalar_one()
    if count:
        asked = sa.select(one).where(missing).distinct().order_by(one).limit(_SHOWN)
        examples = tuple(f"{other.table.name} {number}" for number in connection.execute(asked).scalars())
        yield Finding(code, Weight.BROKEN, f"{count} {what}", remedy, count, examples)


def _lost_links(connection: sa.Connection) -> Iterator[Finding]:
    for end in (link.c.left, link.c.right):
        missing = ~sa.exists(sa.select(sa.literal(1)).where(record.c.id == end))
        asked = sa.select(sa.func.count()).select_from(link).where(missing, link.c.retired_at.is_(None))
        count = connection.execute(asked).scalar_one()
        if count:
            what = f"{count} reasons of joins name a record that is not there"
            yield Finding("projection", Weight.BROKEN, what, _REBUILD, count)


def _log(connection: sa.Connection) -> Iterator[Finding]:
    head = connection.execute(sa.select(counter.c.value).where(counter.c.name == "change")).scalar_one_or_none() or 0
    sums = (
        sa.func.count(),
        sa.func.coalesce(sa.func.min(change.c.seq), 1),
        sa.func.coalesce(sa.func.max(change.c.seq), 0),
    )
    count, first, last = connection.execute(sa.select(*sums).select_from(change)).one()
    if last != head:
        what = f"the change log ends at {last}, but its head says {head}"
        yield Finding("change-log", Weight.BROKEN, what, _RESTORE)
    if count != last - first + 1 or first != 1:
        holes = head - count
        what = f"the change log has holes: {count} entries between {first} and {last}"
        yield Finding("change-log", Weight.BROKEN, what, _RESTORE, max(holes, 1))


def _counters(connection: sa.Connection) -> Iterator[Finding]:
    values = {row.name: row.value for row in connection.execute(sa.select(counter))}
    for table in _COUNTED:
        last = connection.execute(sa.select(sa.func.coalesce(sa.func.max(table.c.id), 0))).scalar_one()
        if last > values.get(table.name, -1):
            what = f"the numbers of {table.name} go up to {last}, but {values.get(table.name)} are given out"
            yield Finding("counter", Weight.BROKEN, what, _RESTORE)


def _intervals(connection: sa.Connection) -> Iterator[Finding]:
    clock = "nothing for it: a clock went back, or the source tells it so; answers for those times lack them"
    ends_early = sa.and_(claim.c.retired_at.is_(None), claim.c.valid_to < claim.c.valid_from)
    for table, what, backward in (
        (claim, "live claims end before they begin", ends_early),
        (claim, "claims were retired before they were recorded", claim.c.retired_at < claim.c.recorded_at),
        (fact, "descriptions were retired before they were recorded", fact.c.retired_at < fact.c.recorded_at),
        (member, "memberships ended before they were recorded", member.c.retired_at < member.c.recorded_at),
        (life, "things came back before they died", life.c.revived_at < life.c.died_at),
    ):
        count = connection.execute(sa.select(sa.func.count()).select_from(table).where(backward)).scalar_one()
        if count:
            yield Finding("interval", Weight.NOTE, f"{count} {what}", clock, count)
