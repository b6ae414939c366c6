"""What a writer would be handed of a source: everything that the source says, read into a store and out of it again."""

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from watersmeet.config.settings import Source
from watersmeet.connectors.catalogue import connector
from watersmeet.federation.dossier import Dossier, Look, Outcome, Verdict
from watersmeet.federation.model import SyncState
from watersmeet.federation.naming import Registry
from watersmeet.federation.rows import SourceRow
from watersmeet.federation.store import Store
from watersmeet.federation.sync import pull

LONGEST_WORD = 8
"""Names that are as short may be words of a reason by accident: `model`."""


def among(dossiers: Iterable[Dossier]) -> Look:
    """Looks up any of them."""
    return {one.record.native_id: one for one in dossiers}.get


def naming(outcomes: Iterable[Outcome], dossiers: Iterable[Dossier]) -> list[Outcome]:
    """Outcomes whose reason names a thing of the source: `target` is for that, and reasons are to be counted.
    What a target said when it refused is its own."""
    names = {name for one in dossiers for name in (one.record.name, one.record.native_id) if len(name) > LONGEST_WORD}
    ours = (one for one in outcomes if one.verdict is not Verdict.FAILED)
    return [one for one in ours if any(name in one.reason for name in names)]


@contextmanager
def filled(folder: Path, platform: str, where: str | Path, name: str = "origin", **settings: Any) -> Generator[Store]:
    """A store that has read one source, at an address or from a path."""
    place = {"path": str(where)} if isinstance(where, Path) else {"url": where}
    source = Source.model_validate({"name": name, "platform": platform, **place, **settings})
    with Store.open(f"sqlite:///{folder / f'{name}.db'}") as store:
        store.journal.declare([SourceRow(source.id, source.name, platform, str(where), 0)])
        reading = connector(source)
        try:
            told = pull(store, source.id, reading, registry=Registry.EMPTY)
        finally:
            reading.close()
        assert told.state is SyncState.SUCCEEDED, told
        yield store


def handed(folder: Path, platform: str, where: str | Path, name: str = "origin", **settings: Any) -> list[Dossier]:
    """All dossiers of one source."""
    with filled(folder, platform, where, name, **settings) as store:
        return [dossier for _, dossier in store.dossiers.of(name)]
