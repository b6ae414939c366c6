"""Which experiments and runs are read each time: the new, the finished, the open, the recent, and now and then all."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice

from ...federation.model import Json
from . import wire
from .api import V2, Api, Missing
from .cursor import OPEN_RUNS, Mark, Sweep
from .options import Options
from .paging import Ask, Pages, posting
from .runs import ended, is_open, run_id, started

CHUNK = 100
"""As many experiments as one search is asked about."""
FIRST = -(2**62)
"""Before every start: importers write any number, even negative ones."""


@dataclass(slots=True)
class Seen:
    """What a read of runs has come across."""

    start: int
    end: int
    latest: int
    """A time later than this (a day ahead of our clock) is somebody's mistake and moves no watermark."""
    open: dict[str, None] = field(default_factory=dict[str, None])
    ids: set[str] = field(default_factory=set[str])

    def note(self, run: Json) -> None:
        """Remember what the next read starts from."""
        if started(run) <= self.latest:
            self.start = max(self.start, started(run))
        if ended(run) <= self.latest:
            self.end = max(self.end, ended(run))
        if is_open(run):
            self.open[run_id(run)] = None
        else:
            self.open.pop(run_id(run), None)

    def fresh(self, runs: Iterable[Json]) -> list[Json]:
        """Of these, those that did not come up before; for reads that ask in several ways."""
        new = [one for one in runs if run_id(one) not in self.ids]
        self.ids.update(map(run_id, new))
        for one in new:
            self.note(one)
        return new

    def remembered(self) -> tuple[str, ...]:
        """The open runs as the cursor keeps them."""
        return tuple(list(self.open)[:OPEN_RUNS])


@dataclass(frozen=True, slots=True)
class Runs:
    """One page of runs, and where a killed sync goes on."""

    runs: list[Json]
    sweep: Sweep | None = None


class Searches:
    """The searches of runs in one workspace."""

    def __init__(self, api: Api, pages: Pages, experiments: Sequence[str], options: Options) -> None:
        self._api = api
        self._pages = pages
        self._experiments = sorted(experiments, key=lambda one: (len(one), one))
        self._options = options

    # From first to last

    def all(self, mark: Mark) -> Iterator[Runs]:
        """Every run, deleted ones too, oldest first, a hundred experiments at a time."""
        sweep = mark.sweep or Sweep(self._experiments[0] if self._experiments else "", FIRST, self._newest_end())
        begin = (len(sweep.experiment), sweep.experiment)
        rest = [one for one in self._experiments if (len(one), one) >= begin]
        start = sweep.start
        for chunk in chunks(rest, CHUNK):
            for page in self._ascending(chunk, "", start):
                start = max((started(one) for one in page), default=start)
                yield Runs(page, Sweep(chunk[0], start, sweep.newest_end))
            start = FIRST

    def _newest_end(self) -> int:
        newest = 0
        for chunk in chunks(self._experiments, CHUNK):
            body = self._body(chunk, "", "attributes.end_time DESC") | {"max_results": 1}
            newest = max([newest, *map(ended, wire.rows(self._api.post(f"{V2}/runs/search", body), "runs"))])
        return newest

    # What is new

    def news(self, mark: Mark, seen: Seen) -> Iterator[list[Json]]:
        """New runs, those that ended since, open ones, and those that were open last time."""
        overlap = self._options.overlap // timedelta(milliseconds=1)
        for chunk in chunks(self._experiments, CHUNK):
            for page in self._ascending(chunk, "", mark.start - overlap):
                yield seen.fresh(page)
            yield from self._matching(chunk, f"attributes.end_time >= {max(mark.end - overlap, 1)}", seen)
            # A filter knows no OR, and IN for run ids only; an open run matches no filter on its end.
            for status in ("RUNNING", "SCHEDULED"):
                yield from self._matching(chunk, f"attributes.status = '{status}'", seen)
        yield from map(seen.fresh, self.by_id(one for one in mark.open if one not in seen.ids))

    def recent(self, mark: Mark, seen: Seen) -> Iterator[list[Json]]:
        """Runs that are young enough for late tags, metrics and deletions, none of which moves a timestamp."""
        since = mark.start - self._options.recheck_window // timedelta(milliseconds=1)
        for chunk in chunks(self._experiments, CHUNK):
            for page in self._ascending(chunk, "", since):
                yield seen.fresh(page)

    def _matching(self, chunk: Sequence[str], condition: str, seen: Seen) -> Iterator[list[Json]]:
        for page in self._ascending(chunk, condition, FIRST):
            yield seen.fresh(page)

    def by_id(self, ids: Iterable[str]) -> Iterator[list[Json]]:
        """Runs by their ids, a hundred a call; those that are gone do not come."""
        for some in chunks(ids, CHUNK):
            quoted = ", ".join(f"'{one}'" for one in some)
            for chunk in chunks(self._experiments, CHUNK):
                body = self._body(chunk, f"attributes.run_id IN ({quoted})", "attributes.start_time ASC")
                for page in self._pages.listing(posting(self._api.post, f"{V2}/runs/search", body), "runs"):
                    yield list(page)

    def get(self, identity: str) -> Json | None:
        """One run with all that a search leaves out, if it is there."""
        try:
            answer = self._api.get(f"{V2}/runs/get", {"run_id": identity})
        except Missing:
            return None
        return wire.field(answer, "run")

    def _ascending(self, chunk: Sequence[str], condition: str, start: int) -> Iterator[list[Json]]:
        def since(after: int) -> Ask:
            conditions = [condition] if condition else []
            conditions += [f"attributes.start_time >= {after}"] if after > 0 else []
            body = self._body(chunk, " AND ".join(conditions), "attributes.start_time ASC")
            return posting(self._api.post, f"{V2}/runs/search", body)

        for page in self._pages.ascending(since, "runs", start, started, run_id):
            yield list(page)

    def _body(self, chunk: Sequence[str], condition: str, order: str) -> dict[str, Json]:
        body: dict[str, Json] = {"experiment_ids": list(chunk), "run_view_type": "ALL", "order_by": [order]}
        return body | {"filter": condition} if condition else body


def experiments(api: Api, pages: Pages) -> Iterator[list[dict[str, Json]]]:
    """All experiments, deleted ones too."""
    body = {"view_type": "ALL", "order_by": ["last_update_time ASC"]}
    yield from pages.listing(posting(api.post, f"{V2}/experiments/search", body), "experiments")


def chunks(values: Iterable[str], size: int) -> Iterator[list[str]]:
    """Lists of at most `size`."""
    rest = iter(values)
    while some := list(islice(rest, size)):
        yield some
