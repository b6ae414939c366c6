"""Whether the audit log is what was written: every entry, every chain, every seal."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec
import sqlalchemy as sa

from ..rows import AuditProof, Broken
from .codec import moment
from .tables import audit, audit_head

_PAGE = 2000


@dataclass(slots=True)
class _Chain:
    """What is known of one chain once it was walked."""

    began_at: int
    seq: int = 0
    hash: bytes = b""
    marks: dict[int, bytes] = field(default_factory=dict[int, bytes])
    """The hashes of entries that something else names."""


@dataclass(slots=True)
class _Walk:
    """One pass over all entries, chain by chain."""

    chains: dict[str, _Chain] = field(default_factory=dict[str, _Chain])
    broken: dict[str, Broken] = field(default_factory=dict[str, Broken])
    named: list[tuple[str, int, bytes]] = field(default_factory=list[tuple[str, int, bytes]])
    """What the seals say of heads and of the seals before them."""
    entries: int = 0
    seals: int = 0
    newest: tuple[int, str] | None = None
    """Time and hash of the newest seal."""

    def blame(self, chain: str, seq: int, reason: str) -> None:
        """Only the first entry of a chain that is wrong says something; the rest follows from it."""
        known = self.broken.get(chain)
        if known is None or seq < known.seq:
            self.broken[chain] = Broken(chain, seq, reason)


def prove(connection: sa.Connection) -> AuditProof:
    """Read the whole log once, in pages, and check it."""
    walk = _Walk()
    wanted = _named_by_seals(connection)
    for row in _rows(connection):
        _step(walk, row, wanted)
    _check_seals(walk)
    _check_heads(connection, walk)
    order = {name: chain.began_at for name, chain in walk.chains.items()}
    broken = sorted(walk.broken.values(), key=lambda one: (order.get(one.chain, 0), one.chain))
    at, seal = walk.newest or (None, None)
    return AuditProof(walk.entries, len(walk.chains), walk.seals, tuple(broken), moment(at), seal)


def _rows(connection: sa.Connection) -> Iterator[Any]:
    last: tuple[str, int] = ("", 0)
    while True:
        after = sa.tuple_(audit.c.chain, audit.c.seq) > sa.tuple_(sa.literal(last[0]), sa.literal(last[1]))
        asked = sa.select(audit).where(after).order_by(audit.c.chain, audit.c.seq).limit(_PAGE)
        rows = connection.execute(asked).all()
        yield from rows
        if len(rows) < _PAGE:
            return
        last = (rows[-1].chain, rows[-1].seq)


def _named_by_seals(connection: sa.Connection) -> set[tuple[str, int]]:
    """The entries whose hashes must be remembered, so that nothing else need be."""
    found: set[tuple[str, int]] = set()
    for body in connection.execute(sa.select(audit.c.body).where(audit.c.what == "seal")).scalars():
        found.update((chain, seq) for chain, seq, _ in _names(_entry(body)))
    return found


def _step(walk: _Walk, row: Any, wanted: set[tuple[str, int]]) -> None:
    """One entry: is it itself, and does it follow the one before it?"""
    chain = walk.chains.setdefault(row.chain, _Chain(row.at))
    body, mark = bytes(row.body), bytes(row.hash)
    entry = _entry(body)
    walk.entries += 1
    if row.seq > chain.seq + 1:
        walk.blame(row.chain, chain.seq + 1, "it is missing")
    if hashlib.sha256(body).digest() != mark:
        walk.blame(row.chain, row.seq, "it was changed: its hash is of something else")
    elif (entry.get("chain"), entry.get("seq")) != (row.chain, row.seq):
        walk.blame(row.chain, row.seq, "it stands in another place than it was written to")
    elif (entry.get("at"), entry.get("what")) != (row.at, row.what):
        walk.blame(row.chain, row.seq, "it was changed: its time or kind is not the one that was written")
    elif row.seq == chain.seq + 1 and entry.get("before") != chain.hash.hex():
        walk.blame(row.chain, max(chain.seq, 1), f"it was changed: entry {row.seq} follows another one")
    if row.what == "seal":
        walk.seals += 1
        walk.named += _names(entry)
        walk.newest = max(walk.newest or (0, ""), (row.at, mark.hex()))
    if (row.chain, row.seq) in wanted:
        chain.marks[row.seq] = mark
    chain.seq, chain.hash = row.seq, mark


def _check_seals(walk: _Walk) -> None:
    """What a seal names must be there, and be the same."""
    for name, seq, mark in walk.named:
        chain = walk.chains.get(name)
        if chain is None or chain.seq < seq:
            there = 0 if chain is None else chain.seq
            walk.blame(name, there + 1, f"it is missing: a seal names entries up to {seq}")
        elif seq in chain.marks and chain.marks[seq] != mark:
            walk.blame(name, seq, "it was changed: a seal names another one")


def _check_heads(connection: sa.Connection, walk: _Walk) -> None:
    """The newest entries, which no seal names yet, against what the store remembers of them."""
    heads = {row.chain: row for row in connection.execute(sa.select(audit_head))}
    for name, head in heads.items():
        chain = walk.chains.get(name)
        there = 0 if chain is None else chain.seq
        if there < head.seq:
            walk.blame(name, there + 1, f"it is missing: the store remembers entries up to {head.seq}")
        elif chain is not None and there == head.seq and chain.hash != bytes(head.hash):
            walk.blame(name, there, "it was changed: the store remembers another one")
    for name, chain in walk.chains.items():
        if name not in heads or heads[name].seq < chain.seq:
            known = heads[name].seq if name in heads else 0
            walk.blame(name, known + 1, "it was put in: the store remembers no such entry")


def _entry(body: bytes | memoryview) -> dict[str, Any]:
    try:
        told = msgspec.json.decode(bytes(body))
    except msgspec.DecodeError:
        return {}
    return told if isinstance(told, dict) else {}  # pyright: ignore[reportUnknownVariableType]  # any JSON


def _names(entry: dict[str, Any]) -> list[tuple[str, int, bytes]]:
    """Which entries a seal names; nothing for one that was forged beyond reading."""
    detail = entry.get("detail")
    try:
        told: list[Any] = [*detail["heads"], *([detail["before"]] if detail["before"] else [])]  # pyright: ignore[reportOptionalSubscript]  # caught below
        return [(str(chain), int(seq), bytes.fromhex(mark)) for chain, seq, mark in told]
    except (TypeError, KeyError, ValueError):
        return []
