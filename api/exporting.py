"""What is exported of the store's graph, and in which form."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..federation.model import Form
from ..federation.openlineage import Event, Loss, Lost, Profile, export, lines
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


class Losses:
    """What the events cannot say, counted."""

    def __init__(self) -> None:
        self._counts: Counter[Loss] = Counter()

    def __call__(self, loss: Loss) -> None:
        self._counts[loss] += 1

    @property
    def total(self) -> int:
        """How many things are not told."""
        return self._counts.total()

    def told(self) -> list[dict[str, Any]]:
        """The report, the most frequent first."""
        most = sorted(self._counts.items(), key=lambda one: (-one[1], one[0].what, one[0].name, one[0].of))
        return [{"what": one.what, "name": one.name, "of": one.of.value, "count": count} for one, count in most]


def events(store: Store, profile: str, chosen: Chosen | None = None, lost: Lost | None = None) -> Iterator[Event]:
    """The graph as OpenLineage events; of runs, one page at a time is in memory; `lost` hears what they cannot say."""
    whole = Whole(store, (chosen or Chosen()).takes)
    return export(whole, profile=Profile(profile), only=whole.is_inside, lost=lost or Losses())


def exported(store: Store, profile: str, chosen: Chosen | None = None, lost: Lost | None = None) -> Iterator[bytes]:
    """The same as lines."""
    return lines(events(store, profile, chosen, lost))
