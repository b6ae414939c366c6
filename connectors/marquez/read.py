"""How a Marquez server is read: its feed from where the last sync stood, its lists now and then."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, ClassVar

import httpx2

from ...config.settings import Misconfigured, Source
from ...federation.clock import Clock, utcnow
from ...federation.connector import Batch, Cursor, Event, Health
from ...federation.model import Form, Json, Record, Skipped
from ..http import Absent, Failing, Http
from .cursor import Mark
from .feed import START, Fed, Feed
from .gone import Gone
from .heard import Heard
from .lists import Lists
from .mapping import DATASETS, JOBS
from .names import pair_of, spell, stored
from .options import Options
from .snapshot import Snapshot

AHEAD = timedelta(hours=1)
"""Events beyond this are left for later: one from 2099 would else hide all that come before it."""
_NAMED_AHEAD = 100
"""So many of them are named."""
_NAMED = (Form.OPENLINEAGE, Form.OPENLINEAGE_JOB)
_BROKEN_LISTS = (
    "the feed is good, but the list of namespaces answers 500: one namespace that Marquez cannot show breaks it. "
    "Tags, descriptions and deletions are not read until it is repaired in its database"
)


class Marquez:
    """One Marquez server, upstream's or the fork's."""

    platform: ClassVar[str] = "marquez"

    def __init__(
        self,
        source: Source,
        *,
        transport: httpx2.BaseTransport | None = None,
        clock: Clock = utcnow,
        http: Http | None = None,
    ) -> None:
        if source.url is None:
            reason = "platform marquez is read over HTTP; events in files are read by platform openlineage"
            raise Misconfigured(f"source {source.name!r}: {reason}, e.g. url: https://marquez.acme.io")
        self._source = source
        self._options = Options.of(source.options, source.name)
        self._clock = clock
        self._name = f"marquez {source.name!r}"
        self._http = http or Http.of(source, transport=transport, clock=clock)
        self._lists = Lists(self._http, self._name, self._options.page_size, self._options.jobs_page)
        self._snapshot: Snapshot | None = None

    @property
    def requests(self) -> int:
        """How many requests went out."""
        return self._http.requests

    def check(self) -> Health:
        """Whether the feed answers, whether the lists do, and which of the two servers it is."""
        self._http.get_json("/api/v1/events/lineage", {"limit": 1, "before": spell(self._clock() + AHEAD)})
        lists, fork = self._answers("/api/v1/namespaces"), self._answers("/api/v1/search/simple", q="a")
        return Health(
            reachable=True,
            version="Marquez (ilum fork)" if fork else "Marquez",
            message="" if lists else _BROKEN_LISTS,
            capabilities={"lists": lists, "fork": fork},
        )

    def read(self, since: Cursor | None) -> Iterator[Batch]:
        """The events since then; everything, with the lists, if there is no cursor or a snapshot is due."""
        self._http.begin()
        self._snapshot = None
        mark, now = Mark.of(since), self._clock()
        is_due = mark.snapshot_at is None or now - mark.snapshot_at >= self._options.snapshot_every
        # A pass that was cut off has not heard all names, by which the lists are understood: it is only finished here.
        resumed, heard = mark.sweep is not None, Heard()
        done = 0
        for batch in self._events(mark, heard, now, is_sweep=is_due):
            done = batch.done
            yield batch
        if is_due and not resumed:
            yield from self._everything_else(mark, heard, now)
        failures = mark.failures
        families = (DATASETS, JOBS) if self._is_listed(failures) else ()
        complete = not failures and (not is_due or not resumed)
        yield Batch(
            resume=mark.json(),
            failures=failures,
            listed=families,
            unsure=True,
            complete=complete,
            done=done,
            total=done,
        )

    def gone(self, native_ids: Iterable[str]) -> Iterator[str]:
        """Those that Marquez answers with 404 though it lists their namespace."""
        if self._options.retention:
            return
        if self._snapshot is None:
            self._snapshot = self._new_snapshot(Mark(), Heard())
            self._snapshot.namespaces = self._lists.namespaces()
        yield from Gone(self._lists, self._snapshot.namespaces, self._snapshot.listed).of(native_ids)

    @property
    def selection(self) -> str:
        """Which namespaces are read."""
        return self._source.selection

    def left_out(self, records: Iterable[Record]) -> Iterator[str]:
        """Jobs and datasets by their namespaces."""
        for one in records:
            for spelt in one.spellings:
                if spelt.form in _NAMED and not self._wants(spelt.parts[0]):
                    yield one.native_id
                    break

    def close(self) -> None:
        """Give back connections."""
        self._http.close()

    # The feed

    def _events(self, mark: Mark, heard: Heard, now: datetime, *, is_sweep: bool) -> Iterator[Batch]:
        newest, done = mark.newest, 0
        after = mark.sweep or START
        if not is_sweep and newest is not None:
            after = newest - self._options.overlap
        feed = Feed(self._http, self._options.page_size, self._name)
        for page in feed.pages(after, now + AHEAD):
            for one in page:
                heard.note(one.event)
            wanted = [one for one in page if self._wants_event(one.event)]
            fresh = [one for one in wanted if one.hash not in mark.known]
            done += len(page)
            mark.heard(one.hash for one in wanted)
            mark.newest = max([one.at for one in page] + ([mark.newest] if mark.newest else []), default=None)
            mark.sweep = page[-1].at if is_sweep and page else mark.sweep
            strange = feed.strange()
            if fresh or strange:
                yield Batch(events=tuple(map(_event, fresh)), skipped=strange, resume=mark.json(), done=done)
        mark.sweep = None
        yield Batch(resume=mark.json(), done=done, skipped=self._waiting(feed, now) + feed.strange())

    def _waiting(self, feed: Feed, now: datetime) -> tuple[Skipped, ...]:
        """The events that are left for later, by name: they come when their time has come."""
        ahead = [one for one in feed.waiting(now + AHEAD, _NAMED_AHEAD) if self._wants_event(one.event)]
        reason = "its time lies ahead of our clock: it waits, and is read when its time has come"
        return tuple(Skipped(_event(one).place, reason, lost=False) for one in ahead)

    def _wants_event(self, event: dict[str, Any]) -> bool:
        job = pair_of(event.get("job"))
        return job is None or self._wants(job[0])

    def _wants(self, namespace: str) -> bool:
        chosen = self._source.namespaces
        is_chosen = not chosen or namespace in chosen or stored(namespace) in map(stored, chosen)
        return is_chosen and self._source.selects(namespace)

    # The lists

    def _everything_else(self, mark: Mark, heard: Heard, now: datetime) -> Iterator[Batch]:
        snapshot = self._snapshot = self._new_snapshot(mark, heard)
        yield from snapshot.read()
        mark.failures = tuple(snapshot.failures)
        mark.snapshot_at = now
        if not snapshot.failures:
            mark.listed = snapshot.hashes
        if snapshot.grants:
            yield Batch(missing_grants=tuple(snapshot.grants))

    def _new_snapshot(self, mark: Mark, heard: Heard) -> Snapshot:
        # Where the server forgets, nothing that is missing was deleted: so nothing is remembered as having been there.
        return Snapshot(self._lists, heard, self._wants, set() if self._options.retention else mark.listed)

    def _is_listed(self, failures: tuple[str, ...]) -> bool:
        """Whether this read has listed everything, on a server that forgets nothing."""
        return self._snapshot is not None and not failures and not self._options.retention

    def _answers(self, path: str, **params: Json) -> bool:
        try:
            self._http.get_json(path, params, retries=0)
        except (Absent, Failing):
            return False
        return True


def _event(one: Fed) -> Event:
    job = pair_of(one.event.get("job"))
    return Event(one.body, f"the feed at {spell(one.at)}, job {'/'.join(job) if job else 'unknown'}")
