"""One project, read noun by noun: what is new in it, or all of it, and what of it could not be had."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from ...federation.connector import Batch
from ...federation.errors import SourceChanged, SourceRefused
from ...federation.model import Json, Scope
from . import besides, runs
from .api import Api, Reply
from .cursor import Mark, Marks
from .documents import BESIDES, RUN_INPUTS, RUN_OUTPUTS, SWEEPS
from .manifests import Manifests
from .place import Place, Project
from .scan import Page, Scan, Seen, changed_since, knows_updates
from .shelf import Shelf
from .wire import edges, field, moment, nodes, stamp, text

_MANY = 100


class Inaccessible(Exception):
    """The platform says nothing of a project: it is gone, or hidden from this key."""


class Reading:
    """Reads one project once. `listed` holds the families that were read from first to last."""

    def __init__(
        self,
        api: Api,
        project: Project,
        place: Place,
        marks: Marks,
        shared: set[int],
        store: Manifests,
        done: int = 0,
    ) -> None:
        self._api = api
        self._project = project
        self._place = place
        self._marks = marks
        self._shared = shared  # scopes of jobs and code that this read has already told
        self._store = store
        self._failed = False
        self.listed: set[str] = set()
        self.done = done

    def read(self) -> Iterator[Batch]:
        """What is new, or everything if that is due or a full reading was broken off. Raises `Inaccessible`."""
        project, options, now = self._project, self._place.options, self._place.now
        mark = self._marks.move(project.id, entity=project.entity, name=project.name)
        is_resumed = mark.is_open
        is_full = is_resumed or mark.is_due(options.reconcile_every, now)
        if is_full and not is_resumed:
            mark = self._marks.put(project.id, mark.opened(stamp(now)))
        seen = Seen(moment(mark.newest))
        scan = Scan(self._api, project, options.page_size, seen, now)
        told = (self._batch, self._shared, self._store, self._move)
        shelf = Shelf(self._api, project, self._place, mark, *told, is_full=is_full)
        start = (mark.page, mark.shown, mark.counted) if is_full else ("", 0, 0)
        for page in scan.pages(self._filters(mark, is_full=is_full), *start):
            if field(page.reply.data, "project") is None:
                raise Inaccessible("; ".join(page.reply.problems) or "it answers null")
            if is_full:
                self._move(page=page.after, shown=page.shown, counted=page.counted)
            yield self._runs(page)
            if page.is_first:
                yield from self._sweeps(page.reply.data)
                yield from shelf.read(page.reply.data)
                self._shelved(shelf, moment(mark.began) if is_resumed else None)
                yield from self._put_off(shelf.open.put_off_now)
        if is_full and options.besides:
            yield from self._besides()
        if not scan.is_whole:
            yield self._batch((), (f"{scan.shown} of {scan.counted} runs are shown: the key may not see the others",))
        self._settle(seen, is_full=is_full, is_resumed=is_resumed)

    def _move(self, **changes: Any) -> None:
        self._marks.move(self._project.id, **changes)

    def _filters(self, mark: Mark, *, is_full: bool) -> dict[str, Json]:
        if is_full:
            return {}
        if self._marks.updated_filter is None and mark.newest:
            self._marks.updated_filter = knows_updates(self._api, self._project)
        return changed_since(mark, self._place.options.overlap, updated=self._marks.updated_filter is True)

    def _shelved(self, shelf: Shelf, began: datetime | None) -> None:
        """`began`: when a reading began that was broken off. What was made since may stand where it had passed by."""
        newest, ids = shelf.open.before(shelf.newest), shelf.newest_ids
        if newest != shelf.newest:
            ids = ()
        if began is not None and newest is not None and newest > began - self._place.options.overlap:
            newest, ids = began - self._place.options.overlap, ()
        if not self._failed:  # else they are asked for again
            versions = newest.isoformat() if newest else ""
            self._move(versions=versions, newest_versions=ids, **shelf.open.marks())

    def _settle(self, seen: Seen, *, is_full: bool, is_resumed: bool) -> None:
        """What failed is asked for again: then the marks stay where they were."""
        project, changes = self._project, dict[str, Any]()
        if not self._failed:
            changes["newest"] = stamp(seen.newest) if seen.newest else ""
        if is_full and not is_resumed:
            changes["reconciled"] = stamp(self._place.now)
            if not self._failed:
                what = ("run", "collection", "version", "alias", "link", "sweep")
                self.listed |= {project.family(one) for one in what}
        self._marks.put(project.id, self._marks.of_project(project.id).opened(""))
        self._move(**changes)

    def _batch(self, scopes: Iterable[Scope], problems: Sequence[str] = (), **more: Any) -> Batch:
        self._failed = self._failed or bool(problems)
        failures = tuple(f"{self._project.path}: {one}" for one in problems)
        told = tuple(self._once(scopes))
        return Batch(scopes=told, failures=failures, resume=self._marks.json(), done=self.done, **more)

    def _once(self, scopes: Iterable[Scope]) -> Iterator[Scope]:
        """Thousands of runs share their code and job: each is told once a read."""
        for scope in scopes:
            if scope.family in ("job", "git"):
                if hash(scope.key) in self._shared:
                    continue
                self._shared.add(hash(scope.key))
            yield scope

    # Runs

    def _runs(self, page: Page) -> Batch:
        told = [
            runs.run(
                one, self._all(one, "inputArtifacts"), self._all(one, "outputArtifacts"), self._project, self._place
            )
            for one in page.runs
        ]
        self.done += len(told)
        skipped = tuple(one for some in told for one in some.skipped)
        return self._batch((one for some in told for one in some.scopes), page.reply.problems, skipped=skipped)

    def _all(self, run: Json, connection: str) -> list[Json]:
        """What a run used or logged; more than a page holds is asked for run by run."""
        found = edges(run, connection)
        info = field(run, connection, "pageInfo")
        if field(info, "hasNextPage") is True:
            document = RUN_INPUTS if connection == "inputArtifacts" else RUN_OUTPUTS
            names = ("project", "run", connection)
            variables = {"entity": self._project.entity, "project": self._project.name, "run": text(run, "name")}
            for reply in self._api.pages(document, variables, _MANY, *names, after=text(info, "endCursor") or None):
                self._failed = self._failed or bool(reply.problems)
                found += edges(reply.data, *names)
        return found

    def _sweeps(self, data: Json) -> Iterator[Batch]:
        names = ("project", "sweeps")
        found = nodes(data, *names)
        info = field(data, *names, "pageInfo")
        if found:
            yield self._batch(runs.sweep(one, self._project, self._place) for one in found)
        if field(info, "hasNextPage") is True:
            variables = {"entity": self._project.entity, "project": self._project.name}
            for reply in self._api.pages(SWEEPS, variables, _MANY, *names, after=text(info, "endCursor") or None):
                told = [runs.sweep(one, self._project, self._place) for one in nodes(reply.data, *names)]
                yield self._batch(told, reply.problems)

    def _besides(self) -> Iterator[Batch]:
        variables = {"entity": self._project.entity, "project": self._project.name}
        try:
            reply = self._api.ask(BESIDES, variables)
        except (SourceRefused, SourceChanged) as error:
            reply = Reply(None, (f"reports, queues and automations are not readable: {error}",))
        yield self._beside(besides.told(reply.data, self._project, self._place), reply.problems)

    def _put_off(self, count: int) -> Iterator[Batch]:
        if count:
            why = f"the store of manifests is not asked any more, since it gives nothing: {self._store.reason}"
            yield self._beside((), (f"{why}. Manifests put off until the next sync: {count}",))

    def _beside(self, scopes: Iterable[Scope], problems: Sequence[str]) -> Batch:
        """What is told beside the runs: that it could not be had is no reason to read them again."""
        failed = self._failed
        batch = self._batch(scopes, problems)
        self._failed = failed
        return batch
