"""An asset with all that its sources say of it, fetched only as far as it is asked for."""

from collections.abc import Sequence
from datetime import datetime
from typing import cast

import strawberry
from strawberry.scalars import JSON

from ...federation.errors import NotFound
from ...federation.inquiry import answers
from ...federation.model import Direction
from ...federation.rows import Head, RecordRow
from .context import Context, Info
from .facets import column_order, first_told, listed, merged, text
from .parts import AliasRow, in_order
from .relay import Connection, page_of
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
        parts = await info.context.loaders.parts.load(self.head.id)
        job = parts.job if parts is not None else None
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
        parts = await info.context.loaders.parts.load(self.head.id)
        return [
            Alias(
                name=one.name,
                version=ID(str(one.version)),
                valid_from=one.valid_from,
                valid_to=one.valid_to,
                source=one.source,
            )
            for one in (parts.aliases if parts is not None else ())
            if _holds(one, self.as_of)
        ]

    @strawberry.field(description="As the schema lists them.")
    async def columns(self, info: Info, first: int = 100, after: str | None = None) -> Connection["Asset"]:
        first = info.context.page(first)
        parts = await info.context.loaders.parts.load(self.head.id)
        columns = in_order(parts.columns, column_order(await _records(self, info))) if parts is not None else ()
        return _page(self, info.context, "columns", columns, first, after)

    @strawberry.field(description="The newest first.")
    async def runs(self, info: Info, first: int = 20, after: str | None = None) -> Connection["Asset"]:
        first = info.context.page(first)
        parts = await info.context.loaders.parts.load(self.head.id)
        return _page(self, info.context, "runs", parts.runs if parts is not None else (), first, after)

    @strawberry.field(description="The newest first.")
    async def versions(self, info: Info, first: int = 20, after: str | None = None) -> Connection["Asset"]:
        first = info.context.page(first)
        parts = await info.context.loaders.parts.load(self.head.id)
        return _page(self, info.context, "versions", parts.versions if parts is not None else (), first, after)

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


def _page(
    asset: Asset, context: Context, what: str, heads: Sequence[Head], first: int, after: str | None
) -> Connection[Asset]:
    question = [what, asset.head.id]
    page = page_of(heads, first, after, context.cursors, question)
    return page.turned(lambda head: Asset.of(head, asset.as_of))


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
