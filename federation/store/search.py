"""Assets by name: FTS5 on SQLite, tsvector on PostgreSQL, one behaviour."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from ..model import AssetKind
from ..rows import Found
from .codec import digest, position
from .known import is_known
from .tables import label, record, source

_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a search asks for; an empty filter lets everything through. Filters of one sort are alternatives."""

    text: str = ""
    kinds: Sequence[AssetKind] = field(default=())
    platforms: Sequence[str] = field(default=())
    sources: Sequence[str] = field(default=())
    tags: Sequence[str] = field(default=())
    owners: Sequence[str] = field(default=())


def search(connection: sa.Connection, wanted: Wanted, first: int, after: int, *, is_sqlite: bool) -> Found:
    """A page of asset ids: what lives first; then exact names, names that begin so, names that hold the text, and what
    is found by its id or description; columns last of each."""
    where = _filters(wanted)
    words = _WORD.findall(wanted.text.casefold())
    if wanted.text.strip() and not words:
        return Found((), 0, None)
    if words:
        where.append(_matching(words, is_sqlite=is_sqlite))
    living = sa.func.min(sa.case((record.c.tombstoned_at.is_(None), 0), else_=1))
    rank = sa.func.min(_rank(wanted.text.strip()))
    is_column = sa.func.min(sa.case((record.c.kind == position(AssetKind.COLUMN), 1), else_=0))
    asked = (
        sa.select(record.c.asset, sa.func.count().over().label("total"))
        .join(source, source.c.id == record.c.source)
        .where(*where)
        .group_by(record.c.asset)
        .order_by(
            living,
            rank,
            is_column,
            sa.func.min(sa.func.length(record.c.name)),
            sa.func.min(record.c.name),
            record.c.asset,
        )
        .limit(first)
        .offset(after)
    )
    rows = connection.execute(asked).all()
    total = rows[0].total if rows else (_count(connection, where) if after else 0)
    end = after + len(rows)
    return Found(tuple(row.asset for row in rows), total, end if end < total else None)


def _count(connection: sa.Connection, where: Sequence[sa.ColumnElement[bool]]) -> int:
    asked = sa.select(sa.func.count(record.c.asset.distinct())).join(source, source.c.id == record.c.source)
    return connection.execute(asked.where(*where)).scalar_one()


def _rank(text: str) -> sa.Case[Any]:
    folded = sa.func.lower(record.c.name)
    low = text.lower()
    literal = low.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    begins, holds = (folded.like(pattern, escape="\\") for pattern in (f"{literal}%", f"%{literal}%"))
    return sa.case((folded == low, 0), (begins, 1), (holds, 2), else_=3)


def _filters(wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    where: list[sa.ColumnElement[bool]] = [is_known()]
    if wanted.kinds:
        where.append(record.c.kind.in_([position(kind) for kind in wanted.kinds]))
    if wanted.platforms:
        where.append(source.c.platform.in_(list(wanted.platforms)))
    if wanted.sources:
        where.append(sa.or_(source.c.key.in_(list(wanted.sources)), source.c.name.in_(list(wanted.sources))))
    for kind, texts in (("tag", wanted.tags), ("owner", wanted.owners)):
        if texts:
            marks = [digest(text.casefold()) for text in texts]
            bearing = sa.select(label.c.record).where(label.c.type == kind, label.c.text_hash.in_(marks))
            where.append(record.c.id.in_(bearing))
    return where


def _matching(words: Sequence[str], *, is_sqlite: bool) -> sa.ColumnElement[bool]:
    """Records that hold every word, the last of them perhaps unfinished."""
    if is_sqlite:
        asked = " ".join([f'"{word}"' for word in words[:-1]] + [f'"{words[-1]}"*'])
        return record.c.id.in_(
            sa.select(sa.literal_column("rowid", sa.BigInteger()))
            .select_from(sa.text("record_text"))
            .where(sa.text("record_text MATCH :asked").bindparams(asked=asked))
        )
    query = " & ".join([*words[:-1], f"{words[-1]}:*"])
    document = sa.literal_column("record.searched", sa.Text())
    return document.op("@@")(sa.func.to_tsquery(sa.literal_column("'simple'::regconfig"), query))
