"""What belongs to an asset by structure: its columns, runs, versions and aliases."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ...federation.model import AssetKind, EdgeKind
from ...federation.rows import EdgeRow, Head
from ...federation.store import Store

_KINDS = list(EdgeKind)
STRUCTURE = tuple(
    _KINDS.index(kind) for kind in (EdgeKind.PART_OF, EdgeKind.RUN_OF, EdgeKind.VERSION_OF, EdgeKind.ALIAS_OF)
)
"""The kinds of edges that hold an asset's parts, as the store counts them."""
_DIGITS = re.compile(r"(\d+)")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class AliasRow:
    """A name that a version bears or bore."""

    name: str
    version: int
    source: str
    valid_from: datetime | None
    valid_to: datetime | None


@dataclass(frozen=True, slots=True)
class Parts:
    """The neighbours of one asset along its structure."""

    columns: tuple[Head, ...] = ()
    runs: tuple[Head, ...] = ()
    versions: tuple[Head, ...] = ()
    aliases: tuple[AliasRow, ...] = ()
    job: int | None = None
    """The job that a run is of."""


@dataclass(slots=True)
class _Found:
    children: dict[EdgeKind, dict[int, None]] = field(default_factory=dict[EdgeKind, dict[int, None]])
    aliases: dict[AliasRow, None] = field(default_factory=dict[AliasRow, None])
    job: int | None = None


def parts(store: Store, assets: Iterable[int]) -> dict[int, Parts]:
    """The parts of all these assets, in four reads whatever their number."""
    records = {row.id: asset for asset, rows in store.reader.assets(assets).items() for row in rows}
    edges = store.reader.edges_of(records, kinds=STRUCTURE)
    asset_of = store.reader.assets_of({end for edge in edges for end in (edge.upstream, edge.downstream)})
    names = {row.id: row.name for row in store.journal.sources()}
    found = {asset: _Found() for asset in records.values()}
    for edge in edges:
        _sort_in(edge, asset_of, names, found)
    children = {one for each in found.values() for group in each.children.values() for one in group}
    heads = store.reader.heads(children)
    return {asset: _parts(each, heads) for asset, each in found.items()}


def _sort_in(edge: EdgeRow, asset_of: Mapping[int, int], names: Mapping[str, str], found: dict[int, _Found]) -> None:
    child, parent = asset_of[edge.upstream], asset_of[edge.downstream]
    if edge.kind is EdgeKind.ALIAS_OF:
        told = AliasRow(edge.alias or "", child, names.get(edge.source, edge.source), edge.valid_from, edge.valid_to)
        for end in (child, parent):
            if end in found:
                found[end].aliases[told] = None
    elif edge.valid_to is None and child != parent:
        if parent in found:
            found[parent].children.setdefault(edge.kind, {})[child] = None
        if edge.kind is EdgeKind.RUN_OF and child in found:
            found[child].job = parent


def _parts(found: _Found, heads: Mapping[int, Head]) -> Parts:
    def of(*kinds: EdgeKind) -> list[Head]:
        return [heads[one] for kind in kinds for one in found.children.get(kind, ()) if one in heads]

    inside = of(EdgeKind.PART_OF)
    runs = {head.id: head for head in of(EdgeKind.RUN_OF, EdgeKind.PART_OF) if head.kind is AssetKind.RUN}
    return Parts(
        columns=tuple(head for head in inside if head.kind in (AssetKind.COLUMN, AssetKind.FEATURE)),
        runs=tuple(sorted(runs.values(), key=_started, reverse=True)),
        versions=tuple(sorted(of(EdgeKind.VERSION_OF), key=lambda head: _natural(head.name), reverse=True)),
        aliases=tuple(sorted(found.aliases, key=lambda one: (one.valid_to is not None, one.name, -_age(one)))),
        job=found.job,
    )


def in_order(columns: Sequence[Head], places: Mapping[str, int]) -> list[Head]:
    """Columns as the schema lists them, the rest behind, by name."""
    return sorted(columns, key=lambda head: (places.get(head.name, len(places)), head.name, head.id))


def _started(head: Head) -> tuple[float, int]:
    started = head.run.started_at if head.run is not None else None
    return (started.timestamp() if started is not None else float("-inf"), head.id)


def _natural(name: str) -> list[tuple[int, int, str]]:
    """`v10` behind `v9`."""
    return [(1, int(part), "") if part.isdigit() else (0, 0, part) for part in _DIGITS.split(name)]


def _age(alias: AliasRow) -> float:
    return (alias.valid_from or _EPOCH).timestamp()
