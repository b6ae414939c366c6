"""A batch's scopes in the store's terms, before anything is looked up; pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from ..model import Edge, Nature, Record, Scope
from .codec import clean, describe, digest, encode, micros, position, told

ROWS = 5000
"""About as many rows as one transaction writes."""


@dataclass(frozen=True, slots=True)
class Described:
    """One record as one scope describes it."""

    native_id: str
    hash: bytes
    body: bytes
    described: bool
    """False: the scope only names it."""
    stated_at: int
    told: bool
    """Whether the record brought a time of its own, which then is content."""

    @property
    def content(self) -> bytes:
        """What of it is hashed into its scope."""
        time = str(self.stated_at).encode() if self.told else b""
        return b"\1".join((self.native_id.encode(), self.hash, time))


@dataclass(frozen=True, slots=True)
class Prepared:
    """One scope, hashed. `told` is False when the platform gave the statement no time."""

    scope: Scope
    key_hash: bytes
    hash: bytes
    stated_at: int
    told: bool
    described: tuple[Described, ...]

    @property
    def rows(self) -> int:
        """How much work it is."""
        return 1 + len(self.described) + len(self.scope.edges)


def prepare(scope: Scope, read_started_at: datetime, now: int) -> Prepared:
    """Hash a scope's content. Times of statements order them and are no part of what is hashed (design §3)."""
    at = told(scope.stated_at, now)
    stated_at = at if at is not None else micros(read_started_at) or 0
    united = _united(scope.records)
    described = tuple(_described(record, stated_at, now) for record in united)
    edges = sorted(encode(_edge_content(edge, now)) for edge in scope.edges)
    parts = [scope.nature.value.encode(), *sorted(one.content for one in described), *edges]
    content = digest(b"\0".join(parts))
    return Prepared(scope, digest(scope.key), content, stated_at, at is not None, described)


def _united(records: Sequence[Record]) -> Iterable[Record]:
    """A scope says one thing a record; the same native id twice keeps the description over the stub, else the later."""
    kept: dict[str, Record] = {}
    for record in records:
        before = kept.get(record.native_id)
        if before is None or record.described or not before.described:
            kept[record.native_id] = record
    return kept.values()


def _described(record: Record, stated_at: int, now: int) -> Described:
    body = encode(describe(record, now))
    at = told(record.stated_at, now)
    return Described(
        clean(record.native_id), digest(body), body, record.described, stated_at if at is None else at, at is not None
    )


def _edge_content(edge: Edge, now: int) -> list[object]:
    return [
        edge.upstream,
        edge.downstream,
        edge.kind.value,
        position(edge.role),
        edge.flow,
        edge.evidence.value,
        edge.confidence,
        edge.via,
        edge.planned,
        position(edge.outcome),
        told(edge.valid_from, now),
        told(edge.valid_to, now),
        edge.transformation,
        edge.alias,
        edge.weight,
    ]


def rounds(prepared: Iterable[Prepared]) -> Iterator[list[Prepared]]:
    """Groups small enough for one transaction, in none of which a scope comes twice."""
    group: list[Prepared] = []
    keys: set[bytes] = set()
    rows = 0
    for one in prepared:
        if group and (rows + one.rows > ROWS or one.key_hash in keys):
            yield group
            group, keys, rows = [], set[bytes](), 0
        group.append(one)
        keys.add(one.key_hash)
        rows += one.rows
    if group:
        yield group


def native_ids(group: Iterable[Prepared]) -> list[str]:
    """Every native id that a group names, once, in order."""
    named: dict[str, None] = {}
    for one in group:
        named.update(dict.fromkeys(described.native_id for described in one.described))
        for edge in one.scope.edges:
            named[clean(edge.upstream)] = None
            named[clean(edge.downstream)] = None
            if edge.via is not None:
                named[clean(edge.via)] = None
    return list(named)


def is_happened(one: Prepared) -> bool:
    """Whether nothing of the scope expires."""
    return one.scope.nature is Nature.HAPPENED
