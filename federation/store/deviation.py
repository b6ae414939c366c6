"""Where the projection is not what the claims give; the same look serves who checks and who mends."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from ..model import Nature
from .codec import decode, encode
from .database import chunks
from .lives import died
from .merge import Merged
from .plan import claimed_of_row
from .projection import labels_of, merged_of, same
from .statements import Claimed, Said, intervals, unpack
from .tables import claim, label, member, record, scope, statement


@dataclass(frozen=True, slots=True)
class Strayed:
    """One record that is not what its facts and its deaths add up to."""

    record: int
    columns: tuple[str, ...]
    """Which of its columns; `labels` stands for its tags and owners."""
    values: Mapping[str, Any]
    """What its columns must be."""
    labels: frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Misheld:
    """One scope whose live claims are not what its statements give."""

    scope: int
    source: int
    missing: tuple[Claimed, ...]
    surplus: tuple[int, ...]
    """Ids of live claims that no statement bears out."""


@dataclass(frozen=True, slots=True)
class Misplaced:
    """One record whose asset is not the one that its membership names."""

    record: int
    asset: int
    wanted: int
    surplus: tuple[int, ...]
    """Assets of further memberships that are open, too."""


def strayed(connection: sa.Connection, ids: Sequence[int]) -> list[Strayed]:
    """Those of these records that are not what was said of them."""
    if not ids:
        return []
    rows = connection.execute(sa.select(record).where(record.c.id.in_(ids)).order_by(record.c.id)).all()
    results = merged_of(connection, rows)
    deaths = died(connection, ids)
    labels = _labels(connection, ids)
    found = (_compared(row, results[row.id], deaths.get(row.id), labels.get(row.id, frozenset())) for row in rows)
    return [one for one in found if one is not None]


def _compared(row: Any, result: Merged, died_at: int | None, labels: frozenset[tuple[str, str]]) -> Strayed | None:
    values = {**result.row, "body": encode(result.body), "tombstoned_at": died_at}
    wanted = frozenset(labels_of(result))
    columns = [name for name, value in values.items() if not same(getattr(row, name), value)]
    columns += ["labels"] if wanted != labels else []
    return Strayed(row.id, tuple(columns), values, wanted) if columns else None


def _labels(connection: sa.Connection, ids: Sequence[int]) -> dict[int, frozenset[tuple[str, str]]]:
    found: dict[int, set[tuple[str, str]]] = {}
    for row in connection.execute(sa.select(label).where(label.c.record.in_(ids))):
        found.setdefault(row.record, set()).add((row.type, row.text))
    return {number: frozenset(texts) for number, texts in found.items()}


def misheld(connection: sa.Connection, scopes: Sequence[int]) -> list[Misheld]:
    """Those of these scopes whose live claims are not what they said; what happened has no statements."""
    natures: dict[int, tuple[str, int]] = {}
    said: dict[int, list[Said]] = {}
    live: dict[int, dict[Claimed, list[int]]] = {}
    for some in chunks(scopes):
        told = sa.select(scope.c.id, scope.c.nature, scope.c.source).where(scope.c.id.in_(some))
        for row in connection.execute(told.where(scope.c.withheld.is_(None))):
            if row.nature != Nature.HAPPENED.value:
                natures[row.id] = (row.nature, row.source)
        for row in connection.execute(sa.select(statement).where(statement.c.scope.in_(some))):
            one = Said(row.stated_at, bytes(row.hash), unpack(decode(row.edges)))
            said.setdefault(row.scope, []).append(one)
        asked = sa.select(claim).where(claim.c.scope.in_(some), claim.c.retired_at.is_(None)).order_by(claim.c.id)
        for row in connection.execute(asked):
            live.setdefault(row.scope, {}).setdefault(claimed_of_row(row), []).append(row.id)
    compared = (
        _held(number, source, nature, said.get(number, ()), live.get(number, {}))
        for number, (nature, source) in natures.items()
    )
    return [one for one in compared if one.missing or one.surplus]


def _held(
    number: int, source: int, nature: str, said: Sequence[Said], live: Mapping[Claimed, Sequence[int]]
) -> Misheld:
    wanted = set(intervals(said, dated=nature == Nature.TIMED.value))
    surplus = [claim_id for edge, ids in live.items() for claim_id in (ids[1:] if edge in wanted else ids)]
    missing = sorted(wanted - live.keys(), key=repr)
    return Misheld(number, source, tuple(missing), tuple(surplus))


def misplaced(connection: sa.Connection, ids: Sequence[int]) -> list[Misplaced]:
    """Those of these records whose asset is another than their membership says; one alone needs no membership."""
    open_ones: dict[int, list[int]] = {}
    for some in chunks(ids):
        asked = sa.select(member.c.record, member.c.asset).where(
            member.c.record.in_(some), member.c.retired_at.is_(None)
        )
        for row in connection.execute(asked.order_by(member.c.recorded_at.desc(), member.c.asset)):
            open_ones.setdefault(row.record, []).append(row.asset)
    found: list[Misplaced] = []
    for some in chunks(ids):
        for row in connection.execute(sa.select(record.c.id, record.c.asset).where(record.c.id.in_(some))):
            wanted, *surplus = open_ones.get(row.id) or [row.id]
            if wanted != row.asset or surplus:
                found.append(Misplaced(row.id, row.asset, wanted, tuple(surplus)))
    return found
