"""What can be watched. Everything is read from the store, so that any process can tell what another one does."""

import asyncio
from collections.abc import AsyncGenerator

import strawberry

from ...federation.rows import SyncRow
from .context import Context, Info
from .glance import EVERY
from .query import source_names
from .records import Change, Sync
from .scalars import ID, numbers_of

_WATCHED = 50
"""So many of the newest syncs are watched."""
_AT_ONCE = 500


@strawberry.type
class Subscription:
    @strawberry.subscription(description="The syncs that wait or run, then each of them whenever it gets further.")
    async def syncs(self, info: Info) -> AsyncGenerator[Sync]:
        seen: dict[int, SyncRow] | None = None
        while True:
            rows = await info.context.watched.syncs.fresh(lambda: _newest(info.context))
            news = [row for row in rows if (row.ended_at is None if seen is None else seen.get(row.id) != row)]
            if news:
                names = await source_names(info.context)
                for row in news:
                    yield Sync.of(row, names)
            seen = {row.id: row for row in rows}
            await asyncio.sleep(EVERY)

    @strawberry.subscription(description="What becomes of these assets from now on.")
    async def changes(self, info: Info, ids: list[ID]) -> AsyncGenerator[Change]:
        reader = info.context.services.store.reader
        assets = numbers_of(ids) or []
        seen = await info.context.call(reader.head)
        while True:
            head = await info.context.watched.head.fresh(lambda: info.context.call(reader.head))
            while seen < head:
                rows, _ = await info.context.call(reader.changes, assets, None, None, _AT_ONCE, seen)
                if not rows:
                    seen = head
                    break
                names = await source_names(info.context)
                ends = {end for row in rows for end in (row.record, row.other) if end is not None}
                present = await info.context.call(reader.assets_of, ends)
                for row in rows:
                    yield Change.of(row, present, names)
                seen = rows[-1].seq
            await asyncio.sleep(EVERY)


async def _newest(context: Context) -> list[SyncRow]:
    """Oldest first, so that a watcher sees them in order."""
    rows = await context.call(context.services.store.journal.syncs, None, _WATCHED)
    return rows[::-1]
