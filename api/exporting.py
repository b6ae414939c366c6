"""What is exported of the store's graph, and in which form."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from ..federation.model import Form
from ..federation.openlineage import Event, Profile, export, lines
from ..federation.rows import RecordRow
from ..federation.store import Store
from .whole import Whole

_NAMED = (Form.OPENLINEAGE, Form.OPENLINEAGE_JOB)


@dataclass(frozen=True, slots=True)
class Chosen:
    """What goes out; empty: all. What lies outside is named at the ends of edges and described nowhere: an import makes
    a stub of it, so the boundary can be seen."""

    platforms: Sequence[str] = ()
    namespaces: Sequence[str] = ()
    """OpenLineage namespaces of datasets and jobs; a run goes with its job."""
    since: datetime | None = None
    """Runs that started from then on; what never runs has no start and is not cut by this."""

    def takes(self, rows: Sequence[RecordRow]) -> bool:
        """Whether an asset goes out, given its records."""
        if self.platforms and not any(row.platform in self.platforms for row in rows):
            return False
        if self.namespaces and not any(map(self._is_in, rows)):
            return False
        starts = [row.run.started_at for row in rows if row.run and row.run.started_at]
        return self.since is None or not starts or min(starts) >= self.since

    def _is_in(self, row: RecordRow) -> bool:
        spaces = {spelling.parts[0] for spelling in row.spellings if spelling.form in _NAMED}
        return bool(spaces & set(self.namespaces)) or row.run is not None


def events(store: Store, profile: str, chosen: Chosen | None = None) -> Iterator[Event]:
    """The graph as OpenLineage events; of runs, one page at a time is in memory."""
    whole = Whole(store, (chosen or Chosen()).takes)
    return export(whole, profile=Profile(profile), only=whole.is_inside)


def exported(store: Store, profile: str, chosen: Chosen | None = None) -> Iterator[bytes]:
    """The same as lines."""
    return lines(events(store, profile, chosen))
