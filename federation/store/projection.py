"""Records as all that was said of them adds up: kept in step with the facts, rebuilt from them at any time."""

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any, cast

import sqlalchemy as sa

from .changes import ChangeLog
from .codec import decode, digest, encode, kind_at
from .database import chunks
from .lives import relapse, revive
from .merge import Merged, Said, merged
from .plan import Plan
from .tables import doc, fact, label, record

_SHOWN = ("name", "subtype", "description", "url", "run_state", "run_error", "created_at")


def project(connection: sa.Connection, plan: Plan, now: int, log: ChangeLog) -> None:
    """Bring the records that a plan touched up to date, and end the tombstones of those it describes anew."""
    fresh = {row["id"] for row in plan.records}
    for some in chunks(sorted(plan.touched), 1000):
        rows = connection.execute(sa.select(record).where(record.c.id.in_(some)).order_by(record.c.id)).all()
        results = merged_of(connection, rows)
        _update(connection, [(row, results[row.id]) for row in rows], fresh, log)
    revive(connection, plan.spoken, log)
    relapse(connection, plan.touched, log)


def merged_of(connection: sa.Connection, rows: Sequence[Any], known: int | None = None) -> dict[int, Merged]:
    """What each of these records (rows of the table) must be, from all that was said of it, or was by `known`."""
    said = _said(connection, [row.id for row in rows], _live(known))
    return {row.id: merged(said.get(row.id, ()), row.native_id) for row in rows}


def _live(known: int | None) -> sa.ColumnElement[bool]:
    if known is None:
        return fact.c.retired_at.is_(None)
    return sa.and_(fact.c.recorded_at <= known, sa.or_(fact.c.retired_at.is_(None), fact.c.retired_at > known))


def _said(connection: sa.Connection, records: Iterable[int], live: sa.ColumnElement[bool]) -> Mapping[int, list[Said]]:
    """The newest saying of each different document about each record."""
    newest = sa.func.max(fact.c.stated_at).label("at")
    asked = (
        sa.select(fact.c.record, newest, doc.c.hash, doc.c.body)
        .join(doc, doc.c.id == fact.c.doc)
        .where(fact.c.record.in_(list(records)), live)
        .group_by(fact.c.record, doc.c.id, doc.c.hash, doc.c.body)
    )
    found: dict[int, list[Said]] = {}
    for row in connection.execute(asked):
        found.setdefault(row.record, []).append(Said(row.at, bytes(row.hash), decode(row.body)))
    return found


def _update(connection: sa.Connection, results: Sequence[tuple[Any, Merged]], fresh: Set[int], log: ChangeLog) -> None:
    rows: list[dict[str, Any]] = []
    labelled: list[tuple[int, Merged]] = []
    for before, result in results:
        row: dict[str, Any] = {**result.row, "body": encode(result.body)}
        is_new = before.id in fresh
        if not is_new and all(same(getattr(before, name), value) for name, value in row.items()):
            continue
        rows.append({"record_id": before.id, **row})
        labelled.append((before.id, result))
        if is_new:
            log.record("created", before.id, None, {"kind": kind_at(row["kind"]).value, "name": row["name"]})
        else:
            _log(before, row, result, log)
    if rows:
        values: dict[str, Any] = {name: sa.bindparam(name) for name in rows[0] if name != "record_id"}
        connection.execute(sa.update(record).where(record.c.id == sa.bindparam("record_id")).values(values), rows)
        put_labels(connection, [(number, labels_of(result)) for number, result in labelled])


def same(before: Any, now: Any) -> bool:
    """Whether a column holds a value already."""
    return bytes(before) == now if isinstance(now, bytes) else before == now


def _log(before: Any, row: Mapping[str, Any], result: Merged, log: ChangeLog) -> None:
    former = {name: getattr(before, name) for name in _SHOWN if getattr(before, name) != row[name]}
    present: dict[str, Any] = {name: row[name] for name in former}
    if before.kind != row["kind"]:
        former["kind"], present["kind"] = kind_at(before.kind).value, kind_at(row["kind"]).value
    facets = decode(before.body)["facets"]
    moved = [key for key in {*facets, *result.body["facets"]} if facets.get(key) != result.body["facets"].get(key)]
    if moved:
        former["facets"] = {key: facets[key] for key in sorted(moved) if key in facets}
        present["facets"] = {key: result.body["facets"][key] for key in sorted(moved) if key in result.body["facets"]}
    if former or present:
        log.record("renamed" if "name" in former and before.described else "changed", before.id, former, present)


def put_labels(connection: sa.Connection, labelled: Sequence[tuple[int, Set[tuple[str, str]]]]) -> None:
    """Tags and owners, folded, so that search can filter by them."""
    connection.execute(sa.delete(label).where(label.c.record.in_([number for number, _ in labelled])))
    rows = [
        {"record": number, "type": kind, "text_hash": digest(text), "text": text}
        for number, texts in labelled
        for kind, text in sorted(texts)
    ]
    if rows:
        connection.execute(sa.insert(label), rows)


def labels_of(result: Merged) -> set[tuple[str, str]]:
    """The tags and owners of a record: (type, folded text)."""
    facets = result.body["facets"]
    return {
        (kind, text.casefold())
        for kind, facet, names in (("tag", "tags", ("key", "value")), ("owner", "owners", ("name",)))
        for item in _items(facets.get(facet))
        for text in _texts(item, names)
    }


def _items(facet: Any) -> list[Any]:
    return list(cast("list[Any]", facet)) if isinstance(facet, list) else []


def _texts(item: Any, names: tuple[str, ...]) -> list[str]:
    if isinstance(item, str):
        return [item]
    if not isinstance(item, dict):
        return []
    parts = [str(item[name]) for name in names if item.get(name) not in (None, "")]  # pyright: ignore[reportUnknownArgumentType,reportUnknownMemberType] - foreign JSON
    return [*parts[:1], "=".join(parts)] if len(parts) > 1 else parts
