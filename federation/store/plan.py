"""What a group of scopes changes in the store: looked up and compared, not yet written."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from ..model import Edge, Nature
from .codec import clean, decode, digest, encode, position, told
from .database import Database, chunks
from .prepare import Described, Prepared, is_happened, native_ids
from .statements import Claimed, Said, intervals, pack, unpack
from .tables import claim, doc, fact, record, scope, statement

Rows = list[dict[str, Any]]


@dataclass(slots=True)
class Plan:
    """Rows to add and to retire, and what the change log will say."""

    scopes: Rows = field(default_factory=Rows)
    heads: Rows = field(default_factory=Rows)
    """Known scopes that say something newer: scope_id, said (the hash), at, told (the platform's time)."""
    heard: list[int] = field(default_factory=list[int])
    """Scopes that a complete listing had missed and that are there after all."""
    statements: Rows = field(default_factory=Rows)
    records: Rows = field(default_factory=Rows)
    docs: Rows = field(default_factory=Rows)
    facts: Rows = field(default_factory=Rows)
    retired_facts: list[int] = field(default_factory=list[int])
    claims: Rows = field(default_factory=Rows)
    retired_claims: list[int] = field(default_factory=list[int])
    touched: set[int] = field(default_factory=set[int])
    """Records whose facts change."""
    spoken: set[int] = field(default_factory=set[int])
    """Records that are described anew: a tombstone ends."""
    edges: list[tuple[str, Claimed, Claimed | None]] = field(default_factory=list[tuple[str, Claimed, Claimed | None]])
    """What becomes of edges: (what, the edge, what it was before)."""


class Planner:
    """Compares a group with the store. Its source has one writer at a time, so what it reads stays so."""

    def __init__(
        self, database: Database, number: int, now: int, read_started_at: int, dead: frozenset[str] = frozenset()
    ) -> None:
        self._db = database
        self.source = number
        self.now = now
        self._read_started_at = read_started_at
        self._dead = (
            dead  # native ids that the same batch says are gone, without a time: describing them revives nothing
        )

    def plan(self, group: Sequence[Prepared]) -> Plan:
        """Everything that writing this group would change."""
        with self._db.reading() as connection:
            known = self._known(connection, group)
            said = self._said(connection, [row.id for row in known.values() if row.nature != Nature.HAPPENED.value])
            changed = [one for one in group if self._is_news(one, known.get(one.key_hash), said)]
            plan = Plan(heard=[row.id for row in known.values() if row.missed_at is not None and row.gone_at is None])
            if not changed:
                return plan
            ids = self._records(connection, changed, plan)
            docs = self._docs(connection, changed, plan)
            held = [known[one.key_hash].id for one in changed if one.key_hash in known]
            facts, claims = self._facts(connection, held), self._claims(connection, held)
        for one in changed:
            row = known.get(one.key_hash)
            scope_id, is_head, at = self._head(one, row, plan)
            if is_head:
                returned = row is not None and row.gone_at is not None
                self._compare_facts(one, scope_id, facts.get(scope_id, {}), ids, docs, plan, returned=returned)
            wanted = self._wanted(one, scope_id, at, said.get(scope_id, ()), ids, plan)
            self._compare_claims(scope_id, wanted, claims.get(scope_id, {}), plan)
        self._number(plan)
        return plan

    # What is there

    def _known(self, connection: sa.Connection, group: Sequence[Prepared]) -> dict[bytes, Any]:
        found: dict[bytes, Any] = {}
        for some in chunks([one.key_hash for one in group]):
            asked = sa.select(scope).where(scope.c.source == self.source, scope.c.key_hash.in_(some))
            found.update({bytes(row.key_hash): row for row in connection.execute(asked)})
        return found

    def _said(self, connection: sa.Connection, ids: Sequence[int]) -> dict[int, list[Said]]:
        found: dict[int, list[Said]] = {}
        for some in chunks(ids):
            for row in connection.execute(sa.select(statement).where(statement.c.scope.in_(some))):
                said = Said(row.stated_at, bytes(row.hash), unpack(decode(row.edges)))
                found.setdefault(row.scope, []).append(said)
        return found

    def _is_news(self, one: Prepared, row: Any, said: Mapping[int, Sequence[Said]]) -> bool:
        if row is None or row.gone_at is not None:
            return True
        if one.scope.nature is Nature.TIMED:  # an older statement may still come, so the time of each one counts
            return all((s.at, s.hash) != (one.stated_at, one.hash) for s in said.get(row.id, ()))
        return bytes(row.hash) != one.hash

    def _records(self, connection: sa.Connection, group: Sequence[Prepared], plan: Plan) -> dict[str, int]:
        names = native_ids(group)
        ids: dict[str, int] = {}
        for some in chunks([digest(name) for name in names]):
            asked = sa.select(record.c.id, record.c.native_id)
            asked = asked.where(record.c.source == self.source, record.c.native_hash.in_(some))
            ids.update({row.native_id: row.id for row in connection.execute(asked)})
        fresh = [name for name in names if name not in ids]
        for name, number in zip(fresh, self._db.ids("record", len(fresh)), strict=True):
            ids[name] = number
            plan.records.append(self._stub(number, name))
            plan.touched.add(number)
        return ids

    def _stub(self, number: int, name: str) -> dict[str, Any]:
        return {
            "id": number,
            "source": self.source,
            "native_hash": digest(name),
            "native_id": name,
            "asset": number,
            "kind": 19,
            "name": name,
            "described": 0,
            "suspect": 0,
            "recorded_at": self.now,
            "body": encode({"spellings": [], "facets": {}}),
        }

    def _docs(self, connection: sa.Connection, group: Sequence[Prepared], plan: Plan) -> dict[bytes, int]:
        bodies = {described.hash: described.body for one in group for described in one.described}
        ids: dict[bytes, int] = {}
        for some in chunks(list(bodies)):
            asked = sa.select(doc.c.id, doc.c.hash).where(doc.c.source == self.source, doc.c.hash.in_(some))
            ids.update({bytes(row.hash): row.id for row in connection.execute(asked)})
        fresh = [mark for mark in bodies if mark not in ids]
        for mark, number in zip(fresh, self._db.ids("doc", len(fresh)), strict=True):
            ids[mark] = number
            plan.docs.append({"id": number, "source": self.source, "hash": mark, "body": bodies[mark]})
        return ids

    def _facts(self, connection: sa.Connection, ids: Sequence[int]) -> dict[int, dict[int, Any]]:
        """Live facts by scope and record."""
        found: dict[int, dict[int, Any]] = {}
        for some in chunks(ids):
            asked = sa.select(fact).where(fact.c.scope.in_(some), fact.c.retired_at.is_(None))
            for row in connection.execute(asked):
                found.setdefault(row.scope, {})[row.record] = row
        return found

    def _claims(self, connection: sa.Connection, ids: Sequence[int]) -> dict[int, dict[Claimed, int]]:
        """Live claims by scope."""
        found: dict[int, dict[Claimed, int]] = {}
        for some in chunks(ids):
            asked = sa.select(claim).where(claim.c.scope.in_(some), claim.c.retired_at.is_(None))
            for row in connection.execute(asked):
                found.setdefault(row.scope, {})[claimed_of_row(row)] = row.id
        return found

    # What becomes of it

    def _head(self, one: Prepared, row: Any, plan: Plan) -> tuple[int, bool, int]:
        """The scope's id, whether this statement is its newest, and when it counts as made."""
        if row is None:
            [number] = self._db.ids("scope", 1)
            plan.scopes.append(
                {
                    "id": number,
                    "source": self.source,
                    "key_hash": one.key_hash,
                    "key": clean(one.scope.key),
                    "family": clean(one.scope.family),
                    "nature": one.scope.nature.value,
                    "hash": one.hash,
                    "stated_at": one.stated_at,
                    "told_at": one.stated_at if one.told else None,
                }
            )
            return number, True, one.stated_at
        at = self._time_of(one, row)
        newest = is_happened(one) or (at, one.hash) >= (row.stated_at, bytes(row.hash))
        if newest:
            told_at = one.stated_at if one.told else row.told_at
            plan.heads.append({"scope_id": row.id, "said": one.hash, "at": at, "told": told_at})
        return row.id, newest, at

    def _time_of(self, one: Prepared, row: Any) -> int:
        """When a statement counts as made. Of two that the platform dated, its own times say which is newer; a time
        that did not move though the content did orders nothing: then our read does."""
        if one.scope.nature is not Nature.STANDING or not one.told or row.told_at is None:
            return one.stated_at
        if one.stated_at < row.told_at:
            return one.stated_at
        stuck = one.stated_at == row.told_at
        former = max(row.stated_at, row.gone_at or 0)
        return max(one.stated_at, former + 1, self._read_started_at if stuck else 0)

    def _compare_facts(
        self,
        one: Prepared,
        scope_id: int,
        live: Mapping[int, Any],
        ids: Mapping[str, int],
        docs: Mapping[bytes, int],
        plan: Plan,
        *,
        returned: bool,
    ) -> None:
        wanted = {ids[described.native_id]: described for described in one.described}
        dated = one.scope.nature is Nature.TIMED
        for record_id, described in wanted.items():
            row = live.get(record_id)
            if row is not None and not returned and _says(row, described, docs, dated=dated):
                continue
            if row is not None:
                plan.retired_facts.append(row.id)
            plan.facts.append(
                {
                    "scope": scope_id,
                    "record": record_id,
                    "doc": docs[described.hash],
                    "described": int(described.described),
                    "stated_at": described.stated_at,
                    "recorded_at": self.now,
                }
            )
            plan.touched.add(record_id)
        speaking = ((number, said) for number, said in wanted.items() if said.described)
        plan.spoken.update(number for number, said in speaking if said.native_id not in self._dead)
        gone = [row for record_id, row in live.items() if record_id not in wanted]
        plan.retired_facts.extend(row.id for row in gone)
        plan.touched.update(row.record for row in gone)

    def _wanted(
        self, one: Prepared, scope_id: int, at: int, said: Iterable[Said], ids: Mapping[str, int], plan: Plan
    ) -> set[Claimed]:
        edges = tuple(dict.fromkeys(_claimed_of(edge, ids, self.now) for edge in one.scope.edges))
        if is_happened(one):
            return set(edges)
        before = tuple(said)  # what was said at one time is kept once, however often it is heard
        if all(
            (former.at, former.hash) != (at, one.hash) for former in before
        ):  # said once at a time, however often heard
            plan.statements.append(
                {
                    "scope": scope_id,
                    "stated_at": at,
                    "hash": one.hash,
                    "recorded_at": self.now,
                    "edges": encode(pack(edges)),
                }
            )
            before += (Said(at, one.hash, edges),)
        return set(intervals(before, dated=one.scope.nature is Nature.TIMED))

    def _compare_claims(self, scope_id: int, wanted: set[Claimed], live: Mapping[Claimed, int], plan: Plan) -> None:
        before = {edge.what: edge for edge in live if edge not in wanted}
        for edge in sorted(wanted - live.keys(), key=repr):
            plan.claims.append(self._row(edge, scope_id))
            was = before.pop(edge.what, None)
            plan.edges.append((_fate(edge, was), edge, was))
        for edge, claim_id in live.items():
            if edge not in wanted:
                plan.retired_claims.append(claim_id)
        plan.edges.extend(("edge_removed", edge, edge) for edge in before.values())

    def _row(self, edge: Claimed, scope_id: int) -> dict[str, Any]:
        values = {name: getattr(edge, name) for name in Claimed.__slots__}
        return {"source": self.source, "scope": scope_id, "recorded_at": self.now, **values}

    def _number(self, plan: Plan) -> None:
        for table, rows in (("fact", plan.facts), ("claim", plan.claims)):
            for row, number in zip(rows, self._db.ids(table, len(rows)), strict=True):
                row["id"] = number


def _says(row: Any, described: Described, docs: Mapping[bytes, int], *, dated: bool) -> bool:
    """Whether a live fact says this already, at this time if the record or its TIMED scope brought one."""
    is_timeless = not (described.told or dated)
    return row.doc == docs[described.hash] and (is_timeless or row.stated_at == described.stated_at)


def _fate(edge: Claimed, was: Claimed | None) -> str:
    if was is None:
        return "edge_added"
    return "edge_ended" if edge.valid_to is not None and was.valid_to is None else "edge_changed"


def claimed_of_row(row: Any) -> Claimed:
    """A row of claims as the edge that it claims."""
    return Claimed(**{name: getattr(row, name) for name in Claimed.__slots__})


def _claimed_of(edge: Edge, ids: Mapping[str, int], now: int) -> Claimed:
    return Claimed(
        up=ids[clean(edge.upstream)],
        down=ids[clean(edge.downstream)],
        kind=position(edge.kind),
        role=position(edge.role),
        flow=edge.flow,
        evidence=position(edge.evidence),
        confidence=float(edge.confidence),
        via=ids[clean(edge.via)] if edge.via is not None else 0,
        planned=int(edge.planned),
        outcome=position(edge.outcome),
        valid_from=told(edge.valid_from, now),
        valid_to=told(edge.valid_to, now),
        transformation=clean(edge.transformation) if edge.transformation is not None else None,
        alias=clean(edge.alias) if edge.alias is not None else None,
        weight=float(edge.weight) if edge.weight is not None else None,
    )
