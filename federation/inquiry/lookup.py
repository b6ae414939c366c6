"""Which asset a person means by what they pasted."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby

from ..errors import Ambiguous
from ..graph.things import EDGE_KIND
from ..model import EdgeKind
from ..naming import Lookup, Registry, spellings_of
from ..rows import EdgeRow, Match
from .ports import Reader

_ALIAS_OF = EDGE_KIND[EdgeKind.ALIAS_OF]


def find(reader: Reader, text: str, source: str | None, as_of: datetime | None, registry: Registry) -> int | None:
    """The one asset of that name, exact spellings before folded ones. Raises `Ambiguous`."""
    for _, lookups in groupby(spellings_of(text, registry), key=lambda lookup: lookup.folded):
        some = list(lookups)
        if (own := _by_number(reader, some, source)) is not None:
            return own
        found = list(dict.fromkeys(_matches(reader, some, source, as_of)))
        if found:
            return _the_one(reader, text, found, as_of)
    return None


def _by_number(reader: Reader, lookups: Sequence[Lookup], source: str | None) -> int | None:
    """Our own id goes before whatever bears the same digits elsewhere, unless a source is named."""
    numbers = [int(str(lookup.value)) for lookup in lookups if lookup.kind == "asset"]
    found = (reader.present_id(number) for number in numbers if number < 2**63) if source is None else iter(())
    return next((asset for asset in found if asset is not None), None)


def _matches(reader: Reader, lookups: Sequence[Lookup], source: str | None, as_of: datetime | None) -> Iterator[Match]:
    plain: dict[str, list[str]] = {"native": [], "key": [], "anywhere": []}
    # Who names an alias means a version, never the thing that bears none of that name.
    aliased = {lookup.value[0] for lookup in lookups if lookup.kind == "alias"}
    for lookup in (lookup for lookup in lookups if lookup.value not in aliased):
        match lookup.kind, lookup.value:
            case "alias", (thing, alias):
                yield from _aliased(reader, thing, alias, source, as_of)
            case ("native" | "key" | "anywhere") as kind, str(value):
                plain[kind].append(value)
            case _:
                pass
    for ask, values in (
        (reader.find_native, plain["native"]),
        (reader.find_keys, plain["key"]),
        (reader.find_places, plain["anywhere"]),
    ):
        if values:
            yield from ask(values, source)


def _aliased(reader: Reader, thing: str, alias: str, source: str | None, as_of: datetime | None) -> Iterator[Match]:
    """The versions that bore an alias of a thing at a time."""
    things = reader.find_places([thing], source)
    edges = reader.edges_of([match.record for match in things], kinds=[_ALIAS_OF])
    named = [edge for edge in edges if edge.alias == alias and _held(edge, as_of)]
    assets = reader.assets_of(edge.upstream for edge in named)
    for edge in named:
        if edge.upstream in assets:
            yield Match(assets[edge.upstream], edge.upstream, edge.source, f"{thing}@{alias}")


def _held(edge: EdgeRow, as_of: datetime | None) -> bool:
    if as_of is None:
        return edge.valid_to is None
    since = edge.valid_from is None or edge.valid_from <= as_of
    return since and (edge.valid_to is None or as_of < edge.valid_to)


def _the_one(reader: Reader, text: str, found: Sequence[Match], as_of: datetime | None) -> int:
    assets = list(dict.fromkeys(match.asset for match in found))
    if len(assets) > 1:
        assets = _living(reader, assets, as_of) or assets
    if len(assets) == 1:
        return assets[0]
    named = [match for match in found if match.asset in assets]
    shown = ", ".join(f"{match.asset} ({match.source}: {match.native_id})" for match in named[:10])
    raise Ambiguous(
        f"{text!r} may mean {len(assets)} assets: {shown}. Ask by id, or name the source",
        candidates=[(match.asset, match.source, match.native_id) for match in named],
    )


def _living(reader: Reader, assets: Sequence[int], as_of: datetime | None) -> list[int]:
    """What was not gone by then: a name may have passed on to something new."""
    heads = reader.heads(assets)
    gone = {
        asset: head.tombstoned_at
        for asset, head in heads.items()
        if head.tombstoned_at is not None and (as_of is None or head.tombstoned_at <= as_of)
    }
    return [asset for asset in assets if asset not in gone]
