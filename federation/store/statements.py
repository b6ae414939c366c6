"""From when to when a scope's edges held, given all that the scope ever said; pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Claimed:
    """One edge as a scope claims it, between record ids; enumerated values are positions, times microseconds."""

    up: int
    down: int
    kind: int
    role: int
    flow: int
    evidence: int
    confidence: float
    via: int
    planned: int
    outcome: int
    valid_from: int | None
    valid_to: int | None
    transformation: str | None
    alias: str | None
    weight: float | None

    @property
    def what(self) -> tuple[object, ...]:
        """What is claimed, whenever and however well it is known."""
        return (
            self.up,
            self.down,
            self.kind,
            self.role,
            self.flow,
            self.via,
            self.planned,
            self.outcome,
            self.alias,
            self.weight,
        )


@dataclass(frozen=True, slots=True)
class Said:
    """One statement of a scope."""

    at: int
    hash: bytes
    edges: tuple[Claimed, ...]


def intervals(statements: Iterable[Said], *, dated: bool) -> Iterator[Claimed]:
    """The claims that follow from a scope's statements, whatever order they arrived in.

    An edge holds from the statement that first names it to the one that leaves it out. `dated` says that the first
    statement's time is when it became true (a JobEvent's), not only when we first looked: else the edge is undated.
    """
    held: dict[tuple[object, ...], Claimed] = {}
    for number, said in enumerate(sorted(statements, key=lambda one: (one.at, one.hash))):
        named = {edge.what: edge for edge in said.edges}
        for what in [what for what in held if what not in named]:
            yield _ended(held.pop(what), said.at)
        start = said.at if dated or number else None
        for what, edge in named.items():
            before = held.get(what)
            held[what] = _begun(edge, start) if before is None else _going_on(before, edge)
    yield from held.values()


def _begun(edge: Claimed, start: int | None) -> Claimed:
    return edge if edge.valid_from is not None else replace(edge, valid_from=start)


def _going_on(before: Claimed, now: Claimed) -> Claimed:
    """The later statement knows best how an edge is known; it began when it began."""
    starts = [start for start in (before.valid_from, now.valid_from) if start is not None]
    return replace(now, valid_from=min(starts) if before.valid_from is not None and starts else None)


def _ended(edge: Claimed, at: int) -> Claimed:
    return edge if edge.valid_to is not None and edge.valid_to <= at else replace(edge, valid_to=at)


def pack(edges: Sequence[Claimed]) -> list[list[object]]:
    """Edges as plain lists, for the store."""
    return [[getattr(edge, name) for name in Claimed.__slots__] for edge in edges]


def unpack(rows: Iterable[Sequence[object]]) -> tuple[Claimed, ...]:
    """What `pack` made."""
    return tuple(Claimed(*row) for row in rows)  # type: ignore[arg-type]  # the store's own format
