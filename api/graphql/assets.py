"""An asset with all that its sources say of it, fetched only as far as it is asked for."""

from collections.abc import Sequence
from datetime import datetime
from typing import cast

import strawberry
from strawberry.scalars import JSON

from ...federation.errors import CursorExpired, NotFound
from ...federation.inquiry import answers
from ...federation.model import Direction
from ...federation.rows import Head, RecordRow, Runs
from .context import Context, Info, RunsAsked
from .facets import column_order, first_told, listed, merged, text
from .parts import AliasRow, in_order, newest_first
from .relay import Connection, Part, connection, part_of
from .scalars import ID, AssetKind
from .walks import Lineage, Run


@strawberry.type(description="One source's saying about an asset.")
class Record:
    source: str
    platform: str
    native_id: str
    url: str | None
    kind: AssetKind
    name: str
    seen_at: datetime | None = strawberry.field(description="The last complete sync of its source.")
    recorded_at: datetime
    facets: JSON
    id: ID = strawberry.field(description="The record's own id; an asset has the smallest of its records'.")
    subtype: str | None
    description: str | None
    tombstoned_at: datetime | None

    @classmethod
    def of(cls, row: RecordRow) -> "Record":
        """The store's row as GraphQL shows it."""
        return cls(
            source=row.source_name,
            platform=row.platform,
            native_id=row.native_id,
            url=row.url,
            kind=row.kind,
            name=row.name,
            seen_at=row.seen_at,
            recorded_at=row.recorded_at,
            facets=cast(JSON, row.facets),
            id=ID(str(row.id)),
            subtype=row.subtype,
            description=row.description,
            tombstoned_at=row.tombstoned_at,
        )


@strawberry.type(description="A name that a version bears or bore.")
class Alias:
    name: str
    version: ID
    valid_from: datetime | None
    valid_to: datetime | None
    source: str


@strawberry.type(description="Somebody who answers for an asset, as a source names them.")
class Owner:
    name: str
    role: str | None
    source: str


@strawberry.type(description="A label that a source gave.")
class Tag:
    key: str
    value: str | None
    source: str


@strawberry.type(description="A thing, whatever each tool calls it: the records that identity has joined.")
class Asset:
    head: strawberry.Private[Head]
    as_of: strawberry.Private[datetime | None] = None
    id: ID
    kind: AssetKind
    subtype: str | None
    name: str
    platforms: list[str]
    tombstoned_at: datetime | None
    stub: bool = strawberry.field(description="Nobody described it: known only as the end of an edge.")

    @classmethod
    def of(cls, head: Head, as_of: datetime | None = None) -> "Asset":
        """An asset of which no more than its head is known yet."""
        return cls(
            head=head,
            as_of=as_of,
            id=ID(str(head.id)),
            kind=head.kind,
            subtype=head.subtype,
            name=head.name,
            platforms=list(head.platforms),
            tombstoned_at=head.tombstoned_at,
            stub=head.stub,
        )

    @strawberry.field
    async def description(self, info: Info) -> str | None:
        return first_told(await _records(self, info), lambda row: row.description)

    @strawberry.field
    async def created_at(self, info: Info) -> datetime | None:
        return first_told(await _records(self, info), lambda row: row.created_at)

    @strawberry.field
    async def updated_at(self, info: Info) -> datetime | None:
        return first_told(await _records(self, info), lambda row: row.updated_at)

    @strawberry.field(description="Set when `kind` is RUN.")
    async def run(self, info: Info) -> Run | None:
        run = self.head.run
        if run is None or self.head.kind is not AssetKind.RUN:
            return None
        job = await info.context.loaders.jobs.load(self.head.id)
        return cast(Run, answers.Run(run.state, run.started_at, run.ended_at, run.error, job))

    @strawberry.field(description="What each source says, the best one first.")
    async def records(self, info: Info) -> list[Record]:
        return [Record.of(row) for row in await _records(self, info)]

    @strawberry.field(description="Everything else that was told; of two sources that fill a facet, the first counts.")
    async def facets(self, info: Info) -> JSON:
        return cast(JSON, merged(await _records(self, info)))

    @strawberry.field
    async def owners(self, info: Info) -> list[Owner]:
        found = listed(await _records(self, info), "owners")
        told = [
            (name, text(entry.get("role")), row.source_name)
            for row, entry in found
            if (name := text(entry.get("name")))
        ]
        return [Owner(name=name, role=role, source=source) for name, role, source in dict.fromkeys(told)]

    @strawberry.field
    async def tags(self, info: Info) -> list[Tag]:
        found = listed(await _records(self, info), "tags")
        told = [
            (key, text(entry.get("value")), row.source_name) for row, entry in found if (key := text(entry.get("key")))
        ]
        return [Tag(key=key, value=value, source=source) for key, value, source in dict.fromkeys(told)]

    @strawberry.field(description="What `identity` compares: one text for every way to spell it.")
    async def keys(self, info: Info) -> list[str]:
        return await info.context.loaders.keys.load(self.head.id) or []

    @strawberry.field(description="The names it bears, or its versions bear; with `asOf` those that held then.")
    async def aliases(self, info: Info) -> list[Alias]:
        return [
            Alias(
                name=one.name,
                version=ID(str(one.version)),
                valid_from=one.valid_from,
                valid_to=one.valid_to,
                source=one.source,
            )
            for one in await info.context.loaders.aliases.load(self.head.id) or ()
            if _holds(one, self.as_of)
        ]

    @strawberry.field(description="As the schema lists them.")
    async def columns(self, info: Info, first: int = 100, after: str | None = None) -> Connection["Asset"]:
        context, question = info.context, ["columns", self.head.id]
        first, behind = context.page(first), context.cursors.read(question, after)
        columns = in_order(
            await context.loaders.columns.load(self.head.id) or (), column_order(await _records(self, info))
        )
        return await _page(self, context, question, columns, part_of(columns, first, behind))

    @strawberry.field(description="The newest first.")
    async def runs(self, info: Info, first: int = 20, after: str | None = None) -> Connection["Asset"]:
        context, question = info.context, ["runs", self.head.id]
        first, behind = context.page(first), context.cursors.read_all(question, after)
        asked = RunsAsked(self.head.id, first + 1, None if behind is None else (behind[0], behind[1]))
        found = await context.loaders.runs.load(asked) or Runs((), 0)
        return connection(
            await _assets(self, context, [run for run, _ in found.page[:first]]),
            [context.cursors.write(question, (started, run)) for run, started in found.page[:first]],
            found.total,
            more=len(found.page) > first,
            before=behind is not None,
        )

    @strawberry.field(description="The newest first.")
    async def versions(self, info: Info, first: int = 20, after: str | None = None) -> Connection["Asset"]:
        context, question = info.context, ["versions", self.head.id]
        first, behind = context.page(first), context.cursors.read(question, after)
        versions = newest_first(await context.loaders.versions.load(self.head.id) or ())
        return await _page(self, context, question, versions, part_of(versions, first, behind))

    @strawberry.field
    async def upstream(self, info: Info, depth: int = 3, first: int = 100) -> Lineage:
        return await _walk(self, info.context, Direction.UPSTREAM, depth, first)

    @strawberry.field
    async def downstream(self, info: Info, depth: int = 3, first: int = 100) -> Lineage:
        return await _walk(self, info.context, Direction.DOWNSTREAM, depth, first)


async def asset_of(context: Context, number: int, as_of: datetime | None = None) -> Asset:
    """An asset by its id. Raises `NotFound`."""
    head = await context.loaders.heads.load(number)
    if head is None:
        raise NotFound(f"no asset {number}")
    return Asset.of(head, as_of)


async def _records(asset: Asset, info: Info) -> list[RecordRow]:
    return await info.context.loaders.records.load(asset.head.id) or []


def _holds(alias: AliasRow, as_of: datetime | None) -> bool:
    if as_of is None:
        return True
    began = alias.valid_from is None or alias.valid_from <= as_of
    return began and (alias.valid_to is None or as_of < alias.valid_to)


async def _page(
    asset: Asset, context: Context, question: object, every: Sequence[int], part: Part
) -> Connection[Asset]:
    marks = [context.cursors.write(question, one) for one in part.ids]
    shown = await _assets(asset, context, part.ids)
    return connection(shown, marks, len(every), more=part.more, before=part.before)


async def _assets(asset: Asset, context: Context, ids: Sequence[int]) -> list[Asset]:
    """Assets as of the same time as another one. Raises `CursorExpired` if one has gone while the page was read."""
    heads = await context.loaders.heads.load_many(ids)
    if None in heads:
        raise CursorExpired("the list has changed while it was read: ask again")
    return [Asset.of(head, asset.as_of) for head in heads if head is not None]


async def _walk(asset: Asset, context: Context, direction: Direction, depth: int, first: int) -> Lineage:
    answer = await context.call(
        context.services.inquiry.lineage,
        asset.head.id,
        direction,
        depth=depth,
        as_of=asset.as_of,
        first=context.page(first),
    )
    return cast(Lineage, answer)
