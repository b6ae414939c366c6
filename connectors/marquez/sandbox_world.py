"""What a Marquez server makes of the events it is sent, with everything that surprises about it."""

import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, cast

from ...federation.clock import Clock
from ...federation.naming import run_uuid
from .sandbox_things import Dataset, Job, Pair, Row, Run, Version

TERMINAL = {"COMPLETE": "COMPLETED", "FAIL": "FAILED", "ABORT": "ABORTED"}
ASKABLE = re.compile(r"[a-zA-Z:;=/0-9_\-.@+]{1,1024}")
"""What a namespace in a path may hold."""
_STORABLE = re.compile(r"[^a-z:/A-Z0-9\-_.@+]")
_IDS = uuid.UUID("0d3c7f6e-3f7f-4d0e-9c39-7c8a9f3b6a11")
_DEFAULT = (
    "The default global namespace for dataset, job, and run metadata not belonging to a user-specified namespace."
)


def rewritten(namespace: str) -> str:
    """A job's namespace as it is stored."""
    return _STORABLE.sub("_", namespace)


def identifier(*parts: object) -> str:
    """A UUID that always is the same for the same parts."""
    return str(uuid.uuid5(_IDS, "\0".join(map(str, parts))))


class Broken(Exception):
    """The model cannot take an event: 400 or 500 as a page, though the feed holds it already."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class World:
    """Everything that the server holds."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.namespaces: dict[str, Row] = {}
        self.sources: dict[str, Row] = {}
        self.datasets: dict[Pair, Dataset] = {}
        self.jobs: dict[Pair, Job] = {}
        self.runs: dict[str, Run] = {}
        self.tags: dict[str, str | None] = {}
        self.events: list[tuple[datetime, str, Row]] = []
        self.poisoned: set[str] = set()
        """Lists that answer 500 for good: `namespaces`, `jobs`, `jobs/<namespace>`, `job/…`, `run/…`, `sources`."""
        self._touch("default", clock(), _DEFAULT)

    # Events

    def run_event(self, at: datetime, event: Row) -> None:
        """Process a RunEvent: the last one processed wins, whatever its time. Raises `Broken`."""
        if event.get("eventType") is None:
            self._run(run_uuid(event["run"]["runId"]), at, self._job(at, event), None)
            raise Broken(500)
        kind = str(event["eventType"]).upper()
        job = self._job(at, event)
        run = self._run(run_uuid(event["run"]["runId"]), at, job, kind)
        self._told_of_run(run, job, event)
        inputs = [self._dataset(at, one, None) for one in _objects(event.get("inputs"))]
        try:
            outputs = [self._dataset(at, one, run, ended=kind in TERMINAL) for one in _objects(event.get("outputs"))]
        except Broken:
            self.poisoned |= {"jobs", f"jobs/{job.namespace}", f"job/{job.namespace}/{job.name}", f"run/{run.id}"}
            raise
        self._columns(outputs, inputs, event)
        run.inputs |= {(one.namespace, one.name): one.versions[-1].id for one in inputs}
        run.outputs |= {(one.namespace, one.name): one.versions[-1].id for one in outputs}
        self._redraw(job, run, kind, at, [(one.namespace, one.name) for one in inputs], list(run.outputs))

    def job_event(self, at: datetime, event: Row) -> None:
        """Process a JobEvent: its datasets are drawn in `/lineage`, while the job's own lists stay empty."""
        job = self._job(at, event)
        inputs = [self._dataset(at, one, None) for one in _objects(event.get("inputs"))]
        outputs = [self._dataset(at, one, None) for one in _objects(event.get("outputs"))]
        job.drawn = ([(one.namespace, one.name) for one in inputs], [(one.namespace, one.name) for one in outputs])
        job.versions.append(self._job_version(job, None, at))

    def dataset_event(self, at: datetime, event: Row) -> None:
        """Process a DatasetEvent."""
        dataset = self._dataset(at, event["dataset"], None)
        dataset.updated_at = self.clock()
        dataset.versions.append(Version(identifier(dataset.namespace, dataset.name, at), at, None))

    def _job(self, at: datetime, event: Row) -> Job:
        told: Row = event["job"]
        namespace = rewritten(told["namespace"])
        self._touch(namespace, at)
        parent = self._parent(at, event, namespace)
        name = str(told["name"])
        simple = name.removeprefix(f"{parent[1]}.") if parent else name
        full = f"{parent[1]}.{simple}" if parent else name
        job = self._job_of((namespace, full), simple, at, parent)
        job.hidden = False
        # After a START a job bears the server's time, else the event's: so the list's order jumps while it is read.
        job.updated_at = self.clock() if str(event.get("eventType")).upper() == "START" else at
        facets = _told(told.get("facets"))
        job.facets |= facets
        job.description = _member(facets, "documentation", "description") or job.description
        job.location = _member(facets, "sourceCodeLocation", "url") or job.location
        processing = _member(facets, "jobType", "processingType")
        job.type = {"STREAMING": "STREAM", "SERVICE": "SERVICE"}.get(processing or "", job.type)
        return job

    def _job_of(self, pair: Pair, simple: str, at: datetime, parent: Pair | None = None) -> Job:
        if pair not in self.jobs:
            self.jobs[pair] = Job(pair[0], pair[1], simple, at, at, parent)
        return self.jobs[pair]

    def _parent(self, at: datetime, event: Row, namespace: str) -> Pair | None:
        """The parent's job; one whose run is unknown is made up beside the child, in the child's state."""
        facet = _told(_told(_told(event.get("run")).get("facets")).get("parent"))
        told = _told(facet.get("job"))
        run_id = _told(facet.get("run")).get("runId")
        if not told.get("name") or not run_id:
            return None
        known = self.runs.get(run_uuid(run_id))
        if known is not None:
            return known.job
        job = self._job_of((namespace, told["name"]), told["name"], at)
        kind = str(event.get("eventType") or "START").upper()
        job.updated_at = self.clock() if kind == "START" else at
        self._run(run_uuid(run_id), at, job, kind)
        return job.namespace, job.name

    def _run(self, run_id: str, at: datetime, job: Job, kind: str | None) -> Run:
        run = self.runs.get(run_id)
        if run is None:
            run = self.runs[run_id] = Run(run_id, (job.namespace, job.name), at, at)
            job.runs.append(run_id)
        run.updated_at = at
        if kind is None:
            return run
        run.state = TERMINAL.get(kind, "RUNNING")
        if kind in TERMINAL:
            run.ended_at = at
        elif run.started_at is None:
            run.started_at = at
        return run

    def _told_of_run(self, run: Run, job: Job, event: Row) -> None:
        facets = _told(event["run"].get("facets"))
        run.facets |= _without_nulls(facets)
        if run.facets.get("parent"):
            run.facets["parent"] = known_of_parent(run.facets["parent"])
        run.job_facets |= _without_nulls(_told(event["job"].get("facets")))
        run.nominal |= {
            name: facets["nominalTime"][name] for name in _told(facets.get("nominalTime")) if name[0] != "_"
        }
        parent = _told(facets.get("parent"))
        if parent:
            told = parent["job"]
            run.args |= {"run_id": parent["run"]["runId"], "name": told["name"], "namespace": told["namespace"]}

    def _redraw(self, job: Job, run: Run, kind: str, at: datetime, read: list[Pair], written: list[Pair]) -> None:
        """A START leaves of the drawn edges those that it names; an end draws all that its run has named."""
        if kind not in TERMINAL:
            named = set(read), set(written)
            job.drawn = (
                [one for one in job.inputs if one in named[0]],
                [one for one in job.outputs if one in named[1]],
            )
            return
        job.inputs, job.outputs = list(run.inputs), list(run.outputs)
        job.drawn = (job.inputs, job.outputs)
        version = self._job_version(job, run.id, at)
        run.version = version["version"]
        former = [one for one in job.versions if one["version"] == version["version"]]
        version["at"] = former[0]["at"] if former else at
        job.versions = [one for one in job.versions if one not in former] + [version]
        for pair in run.outputs:
            self.datasets[pair].updated_at = self.clock()

    def _job_version(self, job: Job, run: str | None, at: datetime) -> Row:
        number = identifier(job.namespace, job.name, sorted(job.inputs), sorted(job.outputs))
        return {
            "version": number,
            "at": at,
            "run": run,
            "inputs": job.inputs,
            "outputs": job.outputs,
            "location": job.location,
        }

    # Datasets

    def _dataset(self, at: datetime, told: Row, run: Run | None, *, ended: bool = False) -> Dataset:
        pair = (str(told["namespace"]), str(told["name"]))
        self._check(pair)
        facets = _told(told.get("facets"))
        dataset = self.datasets.get(pair) or self._new_dataset(at, pair, facets)
        dataset.hidden = False
        self._touch(pair[0], at)
        dataset.updated_at = self.clock() if ended else at
        self._describe(dataset, at, facets)
        if run is not None and ended and all(one.run != run.id for one in dataset.versions):
            if [(one.run, one.created_at) for one in dataset.versions] == [(None, at)]:
                dataset.versions.clear()  # it was made by this very event
            dataset.versions.append(Version(identifier(*pair, run.id), at, run.id))
        return dataset

    def _new_dataset(self, at: datetime, pair: Pair, facets: Row) -> Dataset:
        dataset = Dataset(*pair, at, at, pair[1], versions=[Version(identifier(*pair, at), at, None)])
        self.datasets[pair] = dataset
        for one in _objects(_told(facets.get("symlinks")).get("identifiers")):
            other = (one["namespace"], one["name"])
            if not ASKABLE.fullmatch(other[0]):
                self.poisoned.add("namespaces")
            self._touch(other[0], at)
            if other not in self.datasets:
                self.datasets[other] = dataset
                dataset.physical_name = other[1]
        return dataset

    def _describe(self, dataset: Dataset, at: datetime, facets: Row) -> None:
        dataset.facets |= {name: one for name, one in _without_nulls(facets).items() if name != "symlinks"}
        source = _told(facets.get("dataSource"))
        if source.get("uri"):
            dataset.source = str(source.get("name") or "default")
            known = self.sources.setdefault(dataset.source, {"createdAt": at, "description": None})
            known |= {"updatedAt": at, "connectionUrl": source["uri"]}
        else:
            self.poisoned.add("sources")
        schema = _objects(_told(facets.get("schema")).get("fields"))
        before = {one["name"]: one for one in dataset.fields}
        if "schema" in facets and facets["schema"] is not None:
            dataset.fields = [
                {
                    "name": one["name"],
                    "type": one.get("type"),
                    "tags": before.get(one["name"], {}).get("tags", []),
                    "description": one.get("description"),
                }
                for one in schema
            ]
        dataset.description = _member(facets, "documentation", "description") or dataset.description
        dataset.lifecycle = _member(facets, "lifecycleStateChange", "lifecycleStateChange") or dataset.lifecycle

    def _columns(self, outputs: Iterable[Dataset], inputs: Iterable[Dataset], event: Row) -> None:
        """Column lineage counts only from fields of the run's inputs to fields of the schema."""
        read: dict[Any, set[str]] = {(one.namespace, one.name): {row["name"] for row in one.fields} for one in inputs}
        for dataset, told in zip(outputs, _objects(event.get("outputs")), strict=True):
            lineage = _told(_told(_told(told.get("facets")).get("columnLineage")).get("fields"))
            known = {one["name"] for one in dataset.fields}
            kept = [
                {
                    "name": name,
                    "inputFields": [
                        {
                            "namespace": one["namespace"],
                            "dataset": one["name"],
                            "field": one["field"],
                            "transformationDescription": facet.get("transformationDescription"),
                            "transformationType": facet.get("transformationType"),
                        }
                        for one in _objects(facet.get("inputFields"))
                        if one.get("field") in read.get((one.get("namespace"), one.get("name")), ())
                    ],
                    "transformationDescription": facet.get("transformationDescription"),
                    "transformationType": facet.get("transformationType"),
                }
                for name, facet in lineage.items()
                if name in known
            ]
            if lineage:
                dataset.columns = [one for one in kept if one["inputFields"]]

    def _check(self, pair: Pair) -> None:
        if not ASKABLE.fullmatch(pair[0]):
            self.poisoned.add("namespaces")
            raise Broken(400)
        others = [one for one in self.datasets if one[1] == pair[1] and one[0] != pair[0]]
        if any(rewritten(one[0]) == rewritten(pair[0]) for one in others):
            raise Broken(500)

    def _touch(self, name: str, at: datetime, description: str | None = None) -> None:
        known = self.namespaces.setdefault(name, {"createdAt": at, "description": description, "isHidden": False})
        known["isHidden"] = False

    # What people do

    def listed_datasets(self, namespace: str) -> list[Dataset]:
        """Those that are not hidden, by name."""
        found = [one for pair, one in self.datasets.items() if pair == (one.namespace, one.name) and not one.hidden]
        return sorted((one for one in found if one.namespace == namespace), key=lambda one: one.name)

    def listed_jobs(self, namespace: str | None = None) -> list[Job]:
        """Those that are not hidden, the one that moved last first."""
        found = [one for one in self.jobs.values() if not one.hidden and one.symlink is None]
        wanted = [one for one in found if namespace is None or one.namespace == namespace]
        return sorted(wanted, key=lambda one: one.updated_at, reverse=True)

    def hide_namespace(self, name: str) -> None:
        """Delete a namespace with all that is in it; the next event brings back what it names."""
        self.namespaces[name]["isHidden"] = True
        for one in (*self.datasets.values(), *self.jobs.values()):
            one.hidden = one.hidden or one.namespace == name


def known_of_parent(facet: Row) -> Row:
    """Of the parent's run and job only what is known is kept; `root` is kept whole."""
    run, job = _told(facet.get("run")), _told(facet.get("job"))
    known = {"run": {"runId": run.get("runId")}, "job": {"namespace": job.get("namespace"), "name": job.get("name")}}
    return {**facet, **known}


def _told(value: Any) -> Row:
    return cast(Row, value) if isinstance(value, Mapping) else {}


def _objects(value: Any) -> list[Row]:
    return (
        [cast(Row, one) for one in cast(list[Any], value) if isinstance(one, dict)] if isinstance(value, list) else []
    )


def _member(facets: Row, facet: str, name: str) -> str | None:
    return _told(facets.get(facet)).get(name)


def _without_nulls(facets: Row) -> Row:
    return {name: one for name, one in facets.items() if one is not None}


def node_pairs(pairs: Iterable[Pair]) -> Iterator[Row]:
    """Pairs as the answers write them."""
    yield from ({"namespace": namespace, "name": name} for namespace, name in pairs)
