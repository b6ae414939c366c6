"""What can be asked."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, cast

import strawberry

from ...federation.errors import BadInput, CursorExpired, NotFound
from ...federation.model import Level as Levels
from ...federation.store import Wanted
from .assets import Asset, Record, asset_of
from .context import Context, Info
from .records import Change, Gap, Identity, Letter, Link, Source, Sync
from .relay import Connection, Counted, Numbered, connection
from .scalars import ID, AssetKind, Direction, Level, number_of, numbers_of
from .standing import standings
from .walks import Impact, Lineage, PathList, Walk

_Root = Annotated[ID, strawberry.argument(name="root")]  # strawberry gives a parameter `root` another meaning
_From = Annotated[datetime | None, strawberry.argument(name="from")]
_To = Annotated[datetime | None, strawberry.argument(name="to")]


@strawberry.type
class Query:
    @strawberry.field(description="One asset, by exactly one of its id and any name a person would paste.")
    async def asset(
        self,
        info: Info,
        id: ID | None = None,
        key: str | None = None,
        source: str | None = None,
        as_of: datetime | None = None,
    ) -> Asset | None:
        context = info.context
        wanted = None if id is None else number_of(id)
        number = await context.call(context.services.inquiry.asset, wanted, key, source, as_of)
        return None if number is None else await asset_of(context, number, as_of)

    @strawberry.field(description="Assets by words of their names: exact names first, then names that begin so.")
    async def search(
        self,
        info: Info,
        text: str,
        kinds: list[AssetKind] | None = None,
        platforms: list[str] | None = None,
        sources: list[str] | None = None,
        tags: list[str] | None = None,
        owners: list[str] | None = None,
        first: int = 20,
        after: str | None = None,
    ) -> Connection[Asset]:
        wanted = Wanted(text, kinds or (), platforms or (), sources or (), tags or (), owners or ())
        question = ["search", text, kinds, platforms, sources, tags, owners]
        return await _search(info.context, wanted, question, first, after)

    @strawberry.field(description="What is upstream and downstream of an asset.")
    async def lineage(
        self,
        info: Info,
        root_id: _Root,
        direction: Direction = Direction.BOTH,
        depth: int = 3,
        level: Level | None = None,
        as_of: datetime | None = None,
        known_at: datetime | None = None,
        walk: Walk | None = None,
        kinds: list[AssetKind] | None = None,
        platforms: list[str] | None = None,
        first: int = 500,
        after: str | None = None,
    ) -> Lineage | None:
        context = info.context
        answer = await context.call(
            context.services.inquiry.lineage,
            number_of(root_id),
            direction,
            depth=_depth(depth),
            kinds=kinds,
            platforms=platforms,
            first=context.page(first),
            after=after,
            **_walking(level, as_of, known_at, walk),
        )
        return cast(Lineage, answer)

    @strawberry.field(description="The shortest ways from one asset downstream to another.")
    async def paths(
        self,
        info: Info,
        from_: Annotated[ID, strawberry.argument(name="from")],
        to: ID,
        level: Level | None = None,
        as_of: datetime | None = None,
        known_at: datetime | None = None,
        walk: Walk | None = None,
        first: int = 10,
    ) -> PathList | None:
        context = info.context
        answer = await context.call(
            context.services.inquiry.paths,
            number_of(from_),
            number_of(to),
            first=context.page(first),
            **_walking(level, as_of, known_at, walk),
        )
        return cast(PathList, answer)

    @strawberry.field(description="What depends on an asset; without `depth` as far as it goes.")
    async def impact(
        self,
        info: Info,
        root_id: _Root,
        depth: int | None = None,
        level: Level | None = None,
        as_of: datetime | None = None,
        known_at: datetime | None = None,
        walk: Walk | None = None,
        kinds: list[AssetKind] | None = None,
        first: int = 100,
        after: str | None = None,
    ) -> Impact | None:
        context = info.context
        answer = await context.call(
            context.services.inquiry.impact,
            number_of(root_id),
            depth=None if depth is None else _depth(depth),
            kinds=kinds,
            first=context.page(first),
            after=after,
            **_walking(level, as_of, known_at, walk),
        )
        return cast(Impact, answer)

    @strawberry.field(description="What became of assets, of all without `ids`, oldest first.")
    async def changes(
        self,
        info: Info,
        ids: list[ID] | None = None,
        from_: _From = None,
        to: _To = None,
        first: int = 100,
        after: str | None = None,
    ) -> Connection[Change]:
        return await _changes(info.context, numbers_of(ids), from_, to, first, after)

    @strawberry.field(description="Which records an asset is made of, and why.")
    async def identity(self, info: Info, id: ID) -> Identity | None:
        context = info.context
        reader = context.services.store.reader
        number = await _present(context, id)
        records = await context.loaders.records.load(number)
        links = await context.call(reader.links, number)
        return Identity(
            id=ID(str(number)),
            members=[Record.of(row) for row in records or ()],
            links=[Link.of(row) for row in links],
            decisions=[],
        )

    @strawberry.field(description="Every source, in the order of the configuration.")
    async def sources(self, info: Info) -> list[Source]:
        services = info.context.services
        inlet = services.settings.inlet.id
        found = await info.context.call(standings, services.store, inlet, services.next_sync)
        return [Source.of(standing) for standing in found]

    @strawberry.field(description="Pulls, the newest first.")
    async def syncs(
        self, info: Info, source: str | None = None, first: int = 20, after: str | None = None
    ) -> Connection[Sync]:
        return await _syncs(info.context, source, first, after)

    @strawberry.field(description="What is known to be missing or in dispute.")
    async def gaps(self, info: Info, first: int = 50, after: str | None = None) -> Connection[Gap]:
        context = info.context
        first, place = context.page(first), Counted.of(context.cursors, "gaps", after)
        read = context.services.store.reader.gaps
        rows, total = await context.call(read, first + place.again, place.start - place.again)
        ids = place.checked([row.asset for row in rows])
        nodes = [Gap.of(row) for row in rows[place.again :]]
        return place.connected(context.cursors, "gaps", ids, nodes, total)

    @strawberry.field(description="Posted events that could not be taken, the newest first.")
    async def letters(self, info: Info, first: int = 50, after: str | None = None) -> Connection[Letter]:
        return await _letters(info.context, first, after)


def _depth(depth: int) -> int:
    if depth < 0:
        raise BadInput(f"depth: {depth} is no number of steps")
    return depth


def _walking(
    level: Levels | None, as_of: datetime | None, known_at: datetime | None, walk: Walk | None
) -> dict[str, Any]:
    """What all walks take alike."""
    return {
        "level": level,
        "as_of": as_of,
        "known_at": known_at,
        "walk": walk.value() if walk is not None else None,
    }


async def _present(context: Context, id: ID) -> int:
    """The asset that an id stands for today. Raises `BadInput`, `NotFound`."""
    number = await context.call(context.services.store.reader.present_id, number_of(id))
    if number is None:
        raise NotFound(f"no asset {id}")
    return number


async def _search(
    context: Context, wanted: Wanted, question: object, first: int, after: str | None
) -> Connection[Asset]:
    reader = context.services.store.reader
    first = context.page(first)
    place = Counted.of(context.cursors, question, after)
    # A page of nothing still tells the total.
    found = await context.call(reader.search, wanted, max(first, 1) + place.again, place.start - place.again)
    shown = place.checked(found.ids)[:first]
    heads = await context.call(reader.heads, shown)
    if len(heads) < len(shown):
        raise CursorExpired("the list has changed while it was read: ask again")
    nodes = [Asset.of(heads[one]) for one in shown]
    return place.connected(context.cursors, question, shown, nodes, found.total)


async def _numbered(context: Context, question: object) -> Numbered:
    """Places in a list by number, in the epoch that the store is in."""
    epoch, _ = await context.call(context.services.store.reader.moment)
    return Numbered(context.cursors, question, epoch)


async def _changes(
    context: Context,
    ids: list[int] | None,
    start: datetime | None,
    end: datetime | None,
    first: int,
    after: str | None,
) -> Connection[Change]:
    reader = context.services.store.reader
    question = ["changes", ids, start, end]
    first = context.page(first)
    places = await _numbered(context, question)
    behind = places.read(after)
    rows, total = await context.call(reader.changes, ids, start, end, first + 1, behind)
    shown = rows[:first]
    ends = {end for row in shown for end in (row.record, row.other) if end is not None}
    assets = await context.call(reader.assets_of, ends)
    names = await source_names(context)
    return connection(
        [Change.of(row, assets, names) for row in shown],
        [places.write(row.seq) for row in shown],
        total,
        more=len(rows) > first,
        before=behind is not None,
    )


async def _syncs(context: Context, source: str | None, first: int, after: str | None) -> Connection[Sync]:
    journal = context.services.store.journal
    names = await source_names(context)
    source_id = None if source is None else source_id_of(names, source)
    question = ["syncs", source_id]
    first = context.page(first)
    places = await _numbered(context, question)
    behind = places.read(after)
    rows = await context.call(journal.syncs, source_id, first + 1, behind)
    shown = rows[:first]
    return connection(
        [Sync.of(row, names) for row in shown],
        [places.write(row.id) for row in shown],
        await context.call(journal.count_syncs, source_id),
        more=len(rows) > first,
        before=behind is not None,
    )


async def _letters(context: Context, first: int, after: str | None) -> Connection[Letter]:
    letters = context.services.store.letters
    first = context.page(first)
    places = await _numbered(context, "letters")
    behind = places.read(after)
    rows = await context.call(letters.page, first + 1, behind)
    names = await source_names(context)
    shown = rows[:first]
    return connection(
        [Letter.of(row, names) for row in shown],
        [places.write(row.id) for row in shown],
        await context.call(letters.count),
        more=len(rows) > first,
        before=behind is not None,
    )


async def source_names(context: Context) -> Mapping[str, str]:
    """The name of each source by its id, as the configuration has it now."""
    rows = await context.call(context.services.store.journal.sources)
    return {row.id: row.name for row in rows}


def source_id_of(names: Mapping[str, str], given: str) -> str:
    """The id of a source that somebody names, by its name or its id. Raises `NotFound`."""
    if given in names:
        return given
    for source_id, name in names.items():
        if name == given:
            return source_id
    raise NotFound(f"no source {given!r}; there are: {', '.join(names.values()) or 'none yet'}")
