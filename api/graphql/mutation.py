"""What can be set going."""

import strawberry

from ...federation.errors import AlreadyRunning, BadInput
from ...federation.rows import SyncRow
from ..services import Services
from .context import Info
from .query import source_id_of, source_names
from .records import Sync


@strawberry.type
class Mutation:
    @strawberry.mutation(
        description="Pull a source now (`full`: everything). One that is being pulled is not pulled twice."
    )
    async def sync(self, info: Info, source: str, full: bool = False) -> Sync:
        names = await source_names(info.context)
        row = await info.context.call(_begin, info.context.services, source_id_of(names, source), full)
        return Sync.of(row, names)


def _begin(services: Services, source_id: str, full: bool) -> SyncRow:
    """The pull that now waits or runs. Raises `BadInput`, `AlreadyRunning`."""
    journal = services.store.journal
    if source_id == services.settings.inlet.id:
        raise BadInput(f"{source_id!r} is posted to, not pulled: `sources {{ lag }}` says how much of it is on its way")
    if source_id not in {source.id for source in services.settings.sources}:
        raise BadInput(f"{source_id!r} is not in the configuration any more: put it back under `sources` to pull it")
    try:
        return journal.sync(services.start_sync(source_id, full))
    except AlreadyRunning:
        running = journal.running(source_id)
        if running is None or (full and not running.full):
            raise
        return running
