"""The store as the configuration wants it: opened, and its sources declared."""

from ..config.settings import Settings
from ..federation.naming import Registry
from ..federation.rows import SourceRow
from ..federation.store import Store


def open_store(settings: Settings) -> Store:
    """Open (or make) the store and tell it the configured sources. Raises `Misconfigured`, `StoreUnavailable`."""
    store = Store.open(settings.store.url)
    try:
        store.journal.declare(source_rows(settings))
        store.members.adopt(registry_of(settings))
        store.identity()  # made by the first who may write, for those who may only read
        store.secret()
    except BaseException:
        store.close()
        raise
    return store


def registry_of(settings: Settings) -> Registry:
    """Which names the configuration says mean one place."""
    return Registry.of(settings.authorities, settings.bindings, settings.sources)


def source_rows(settings: Settings) -> list[SourceRow]:
    """The configured sources in their order, and the inlet behind them."""
    rows = [
        SourceRow(
            id=source.id,
            name=source.name,
            platform=source.platform,
            url=source.url or (str(source.path) if source.path else None),
            position=position,
            stale_after_seconds=source.schedule.longest_gap.total_seconds() if source.schedule else None,
        )
        for position, source in enumerate(settings.sources)
    ]
    inlet = settings.inlet
    return [*rows, SourceRow(inlet.id, inlet.name, "openlineage", None, len(rows))]
