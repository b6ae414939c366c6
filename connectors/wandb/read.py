"""How an instance of Weights & Biases is read: entity by entity, project by project, from where the last sync stood."""

import time
from collections.abc import Callable, Iterable, Iterator
from fnmatch import fnmatchcase
from typing import ClassVar

import httpx2

from ...config.settings import Source
from ...federation.clock import Clock, utcnow
from ...federation.connector import Batch, Cursor, Health
from ...federation.errors import SourceChanged, SourceRefused
from ...federation.model import Form, Json, Record, Skipped
from . import offline, runs
from .api import Api, Revoked
from .cursor import Marks
from .documents import VIEWER
from .entities import entities
from .gone import Gone
from .manifests import Manifests
from .options import Options
from .place import Place, Project
from .project import Inaccessible, Reading
from .wire import field, objects, text

_UNKNOWN = "this server does not know the field, so what it would tell is left out; a newer server has it"
_SEES_NOTHING = "the key is accepted and sees no project: give its owner access to a team or a project"


class Wandb:
    """The hosted service, or one instance of it, as far as a key sees it."""

    platform: ClassVar[str] = "wandb"

    def __init__(
        self,
        source: Source,
        *,
        transport: httpx2.BaseTransport | None = None,
        clock: Clock = utcnow,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._source = source
        self._options = Options.of(source.options, source.name)
        self._transport = transport
        self._clock = clock
        self._sleep = sleep
        self._opened: Api | None = None
        self._refused: list[str] = []

    def check(self) -> Health:
        """Reach it, and tell whose key it is and what the server can do."""
        if self._source.path is not None:
            count = len(offline.files(self._source.path))
            return Health(reachable=True, message=f"{count} runs on disk: {offline.OUTPUTS_ONLY}")
        data = self._viewer()
        told = list(entities(self._api, field(data, "viewer"), self._source.workspaces))
        sees = any(one.projects for one in told)
        capabilities = {
            text(one, "name"): field(one, "isEnabled") is True for one in objects(field(data, "serverInfo", "features"))
        }
        capabilities |= {f"{type_}.{name}": False for type_, name in sorted(self._api.lacking)}
        problems = "; ".join(problem for one in told for problem in one.problems)
        return Health(
            reachable=True,
            version=text(data, "serverInfo", "latestLocalVersionInfo", "versionOnThisInstanceString") or None,
            message=problems or ("" if sees else _SEES_NOTHING),
            missing_grants=() if sees else ("access to a project",),
            capabilities=capabilities,
        )

    def read(self, since: Cursor | None) -> Iterator[Batch]:
        """What is new since then; everything, where that is due. A project that fails does not stop the others."""
        self._refused.clear()
        if self._source.path is not None:
            yield from offline.read(self._source.path, since, Place("", "", self._clock(), self._options))
            return
        place = Place.of(self._source.url or "", self._clock(), self._options)
        marks, shared, done, failed = Marks.of(since), set[int](), 0, False
        listed = set[str]()
        projects: dict[str, Project] = {}
        store = Manifests(self._api, self._options.max_references)
        for batch in self._projects(marks, place, projects):
            failed = failed or bool(batch.failures)
            yield batch
        if not failed:
            listed.add("project")
        for project in projects.values():
            reading = Reading(self._api, project, place, marks, shared, store, done)
            for batch in _guarded(project, reading, marks):
                failed = failed or bool(batch.failures)
                yield batch
            listed |= reading.listed
            done = reading.done
        skipped = tuple(
            Skipped(f"field {type_}.{name}", _UNKNOWN, lost=False) for type_, name in sorted(self._api.lacking)
        )
        # What a key may not see looks like what is not there, so one listing alone proves nothing.
        yield Batch(
            skipped=skipped,
            resume=marks.json(),
            listed=tuple(sorted(listed)),
            unsure=True,
            complete=not failed,
            done=done,
        )

    def gone(self, native_ids: Iterable[str]) -> Iterator[str]:
        """Those that the platform, asked by their ids, does not have."""
        if self._source.path is not None:
            return
        asking = Gone(self._api)
        yield from asking.of(native_ids)
        self._refused += asking.refused

    @property
    def refused(self) -> tuple[str, ...]:
        """Those that are hidden now and were read before."""
        return tuple(self._refused)

    @property
    def selection(self) -> str:
        """Which entities and projects are read."""
        return self._source.selection

    def left_out(self, records: Iterable[Record]) -> Iterator[str]:
        """Projects by their path; what stands in them goes with them."""
        for one in records:
            if not one.native_id.startswith("project/"):
                continue
            named = (spelt.parts[2] for spelt in one.spellings if spelt.form is Form.WANDB and "/" in spelt.parts[2])
            entity, _, name = next(named, "").partition("/")
            if name and not self._selects(Project("", entity, name)):
                yield one.native_id

    def close(self) -> None:
        """Give back connections."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    @property
    def _api(self) -> Api:
        if self._opened is None:
            self._opened = Api(self._source, transport=self._transport, sleep=self._sleep)
        return self._opened

    def _viewer(self) -> Json:
        data = self._api.ask(VIEWER).data
        if field(data, "viewer") is None:
            # The hosted service answers 200 to a key that it does not know.
            raise SourceRefused(
                f"{self._api.name}: the key is nobody's here: it was revoked, or is one of another instance. Make one "
                "on the page /authorize, and look at the url",
                grants=("a valid API key",),
            )
        return data

    def _projects(self, marks: Marks, place: Place, found: dict[str, Project]) -> Iterator[Batch]:
        """The projects that are shown, and those that were read before and are not shown: these are asked for."""
        viewer, failed = field(self._viewer(), "viewer"), False
        for seen in entities(self._api, viewer, self._source.workspaces):
            wanted = [raw for raw in seen.projects if self._selects(Project.of(raw))]
            found |= {one.id: one for one in map(Project.of, wanted)}
            told = tuple(runs.project(raw, place) for raw in wanted)
            failed = failed or bool(seen.problems)
            yield Batch(scopes=told, failures=seen.problems, resume=marks.json())
        if not found and not marks.projects and not failed:
            yield Batch(failures=(_SEES_NOTHING,), missing_grants=("access to a project",), resume=marks.json())
        for id_, mark in marks.projects.items():
            former = Project(id_, mark.entity, mark.name)
            if id_ not in found and self._selects(former):
                found[id_] = former

    def _selects(self, project: Project) -> bool:
        """Patterns are held against `entity/project` and against the project's name alone."""
        source, names = self._source, (project.path, project.name)
        if source.workspaces and project.entity not in source.workspaces:
            return False
        included = not source.include or any(fnmatchcase(name, one) for one in source.include for name in names)
        return included and not any(fnmatchcase(name, one) for one in source.exclude for name in names)


def _guarded(project: Project, reading: Reading, marks: Marks) -> Iterator[Batch]:
    """A project's batches; what stops it is told, and stops it alone."""
    try:
        yield from reading.read()
    except Revoked:
        raise
    except (Inaccessible, SourceRefused) as error:
        failure = (
            f"{project.path}: inaccessible: {error}. It is gone, renamed or hidden from this key; what was read of it "
            "stays as it was. Grant access, or leave it out with `exclude`"
        )
        yield Batch(failures=(failure,), missing_grants=(f"access to {project.path}",), resume=marks.json())
    except SourceChanged as error:
        yield Batch(failures=(f"{project.path}: not readable: {error}",), resume=marks.json())
