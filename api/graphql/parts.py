"""What belongs to an asset by structure, in the order in which people read it: columns, versions, aliases."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from ...federation.model import AssetKind, EdgeKind
from ...federation.rows import Named
from ...federation.store import Store

_ALIASES = (list(EdgeKind).index(EdgeKind.ALIAS_OF),)
"""The kind of edge that holds them, as the store counts it."""
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


def aliases(store: Store, assets: Iterable[int]) -> dict[int, list[AliasRow]]:
    """The names that each asset or its versions bear or bore, in four reads whatever their number."""
    records = {row.id: asset for asset, rows in store.reader.assets(assets).items() for row in rows}
    edges = store.reader.edges_of(records, kinds=_ALIASES)
    asset_of = store.reader.assets_of({end for edge in edges for end in (edge.upstream, edge.downstream)})
    names = {row.id: row.name for row in store.journal.sources()}
    found: dict[int, dict[AliasRow, None]] = {asset: {} for asset in records.values()}
    for edge in edges:
        version, source = asset_of[edge.upstream], names.get(edge.source, edge.source)
        told = AliasRow(edge.alias or "", version, source, edge.valid_from, edge.valid_to)
        for end in (version, asset_of[edge.downstream]):
            if end in found:
                found[end][told] = None
    return {asset: sorted(told, key=_by_age) for asset, told in found.items()}


def newest_first(versions: Iterable[Named]) -> list[int]:
    """Versions by their names, `v10` before `v9`."""
    return [one.id for one in sorted(versions, key=lambda one: (_natural(one.name), one.id), reverse=True)]


def in_order(parts: Iterable[Named], places: Mapping[str, int]) -> list[int]:
    """Columns as the schema lists them, the rest behind, by name."""
    columns = [one for one in parts if one.kind in (AssetKind.COLUMN, AssetKind.FEATURE)]
    columns.sort(key=lambda one: (places.get(one.name, len(places)), one.name, one.id))
    return [one.id for one in columns]


def _natural(name: str) -> list[tuple[int, int, str]]:
    """`v10` behind `v9`."""
    return [(1, int(part), "") if part.isdigit() else (0, 0, part) for part in _DIGITS.split(name)]


def _by_age(alias: AliasRow) -> tuple[bool, str, float]:
    return (alias.valid_to is not None, alias.name, -(alias.valid_from or _EPOCH).timestamp())
