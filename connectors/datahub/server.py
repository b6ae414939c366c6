"""How a server is read: everything in scrolls, group by group; between two such readings what its log says changed."""

from collections.abc import Iterable, Iterator
from typing import Any

from ...config.settings import Source
from ...federation.clock import Clock
from ...federation.connector import Batch, Cursor, Health
from ...federation.model import Scope, Tombstone
from ..http import Denied
from .changes import ChangeLog, News, NoLog
from .cursor import Marks, written
from .entities import Entities
from .full import READ, Full, batch, without_log
from .gone import Gone
from .mapping import SERIES, TYPES
from .options import Options
from .rest import Rest
from .saying import Place, Told, scope_key
from .selection import SECRET, selects
from .urn import plain
from .wire import field

_SOME = 100
UNASKED = frozenset(
    {
        *("browsePaths", "browsePathsV2", "testResults", "access", "forms", "assetSettings", "incidentsSummary"),
        *("datasetProfile", "datasetUsageStatistics", "operation", "chartUsageStatistics", "dashboardUsageStatistics"),
        *("queryUsageStatistics", "documentUsageStatistics", "datahubIngestionCheckpoint"),
        *("datahubIngestionRunSummary", *SERIES.values()),
    }
)
"""Aspects that say nothing of what a thing is or comes from, and series of events, which no scroll gives."""


class Server:
    """One server, for as long as one connector lives."""

    def __init__(self, source: Source, options: Options, place: Place, rest: Rest, clock: Clock) -> None:
        self._source = source
        self._options = options
        self._rest = rest
        self._clock = clock
        self._log = ChangeLog(rest)
        self._entities = Entities(rest, place, lambda one: selects(source, one, options.ignore), options.run_events)
        self.refused: list[str] = []

    def check(self) -> Health:
        """Version, what the server can, and which grants are missing."""
        config = self._rest.config()
        registry = self._rest.types()
        missing = list[str]()
        try:
            self._rest.page(("dataset",), None, 1, None)
        except Denied as error:
            if error.answer.status == 401:
                raise
            missing.append(READ)
        follows = False
        try:
            follows = bool(self._log.begin()) if self._options.events else False
        except NoLog as error:
            missing += error.grants
        told = field(field(field(config, "versions"), "acryldata/datahub"), "version")
        flavour = field(field(config, "datahub"), "serverEnv")
        return Health(
            reachable=True,
            version=told if isinstance(told, str) else None,
            message=f"{flavour}, {len(registry)} types of entities" if registry else "no registry of types",
            missing_grants=tuple(missing),
            capabilities={
                "registry": registry is not None,
                "change_log": follows,
                "patch": bool(field(config, "patchCapable")),
            },
        )

    def read(self, since: Cursor | None) -> Iterator[Batch]:
        """What is new; everything, where the change log cannot say it or a full reading is due."""
        self.refused.clear()
        self._entities.begin()
        self._rest.config()
        marks = Marks.of(since)
        registry = self._rest.types()
        aspects = {one: tuple(a for a in listed if a not in UNASKED) for one, listed in (registry or {}).items()}
        # Who changed is read aspect by aspect, so their names must be known.
        if registry and self._options.events and not marks.is_due(self._options, self._clock()):
            try:
                yield from self._news(marks, aspects)
                return
            except NoLog as error:
                yield without_log(error)
        types = [one for one in registry or TYPES if one not in SECRET and one not in self._options.ignore]
        log = self._log if self._options.events else None
        reading = Full(self._rest, log, self._entities, self._options.page_size, self._clock)
        yield from reading.batches(marks, types, aspects)

    def gone(self, native_ids: Iterable[str]) -> Iterator[str]:
        """Those that answer 404."""
        asking = Gone(self._rest)
        yield from asking.of(native_ids)
        self.refused += asking.refused

    # What changed

    def _news(self, marks: Marks, aspects: dict[str, tuple[str, ...]]) -> Iterator[Batch]:
        done = 0
        for news in self._log.news(marks.offsets):
            told = self._changed(news, aspects)
            done += len(news.changed)
            marks = marks.moved(offsets=news.offsets, polled=written(self._clock()))
            yield batch(told, marks, done)
        failures = tuple(self._entities.failures)
        yield Batch(resume=marks.json(), failures=failures, complete=not failures, done=done)

    def _changed(self, news: News, aspects: dict[str, tuple[str, ...]]) -> Told:
        """The entities that changed, as they are now; those that are not there any more, and said to be deleted."""
        told, there = Told(skipped=tuple(news.skipped)), dict[str, set[str]]()
        by_type: dict[str, list[str]] = {}
        for one in news.changed.values():
            if selects(self._source, one, self._options.ignore):
                by_type.setdefault(one.type, []).append(one.text)
        for type_, urns in by_type.items():
            for start in range(0, len(urns), _SOME):
                rows = self._rows(type_, urns[start : start + _SOME], aspects.get(type_, ()))
                there.update({str(field(row, "urn")): set(row) for row in rows})
                told += self._entities.told(rows)
        stones = tuple(
            Tombstone(plain(one), reason="deleted in DataHub") for name, one in news.gone.items() if name not in there
        )
        ended = tuple(
            Scope(scope_key(one, aspect))
            for (name, aspect), one in news.dropped.items()
            if aspect not in there.get(name, ())
        )
        return told + Told(ended, stones)

    def _rows(self, type_: str, urns: list[str], aspects: tuple[str, ...]) -> list[dict[str, Any]]:
        """Some entities; one that may not be read refuses them all, so that it is looked for by halves."""
        try:
            return self._rest.entities(type_, urns, aspects)
        except Denied as error:
            if error.answer.status == 401:
                raise
            if len(urns) == 1:
                self.refused += urns
                return []
        half = len(urns) // 2
        return self._rows(type_, urns[:half], aspects) + self._rows(type_, urns[half:], aspects)
