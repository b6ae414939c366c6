"""How Marquez writes what it holds."""

from datetime import UTC, datetime
from typing import Any, cast

from .sandbox_things import Dataset, Job, Pair, Row, Run, Version
from .sandbox_world import World, identifier, known_of_parent, node_pairs

_RUN_FACETS = ("nominalTime", "parent")
_JOB_FACETS = ("documentation", "sourceCodeLocation", "sql", "jobType")
_DATASET_FACETS = (
    "documentation",
    "schema",
    "dataSource",
    "description",
    "lifecycleStateChange",
    "columnLineage",
    "symlinks",
)


def instant(at: datetime | None) -> str | None:
    """A time as Java's Instant: the fraction in threes, or none."""
    if at is None:
        return None
    at = at.astimezone(UTC)
    whole = at.strftime("%Y-%m-%dT%H:%M:%S")
    if not at.microsecond:
        return f"{whole}Z"
    return f"{whole}.{at.microsecond:06}Z" if at.microsecond % 1000 else f"{whole}.{at.microsecond // 1000:03}Z"


def zoned(at: datetime) -> str:
    """A time as Java's ZonedDateTime: the fraction without zeros behind."""
    return (
        (instant(at) or "").removesuffix("Z").rstrip("0").removesuffix(".") + "Z"
        if at.microsecond
        else instant(at) or ""
    )


class Shapes:
    """The answers, each as its endpoint gives it."""

    def __init__(self, world: World) -> None:
        self._world = world

    def namespace(self, name: str) -> Row:
        """One namespace; it never moves once it is made."""
        told = self._world.namespaces[name]
        at = instant(told["createdAt"])
        return {
            "name": name,
            "createdAt": at,
            "updatedAt": at,
            "ownerName": "anonymous",
            "description": told["description"],
            "isHidden": told["isHidden"],
        }

    def source(self, name: str) -> Row:
        """One source, its credentials in clear text."""
        told = self._world.sources[name]
        return {
            "type": "POSTGRESQL",
            "name": name,
            "createdAt": instant(told["createdAt"]),
            "updatedAt": instant(told["updatedAt"]),
            "connectionUrl": told["connectionUrl"],
            "description": told["description"],
        }

    def dataset(self, one: Dataset, asked: Pair | None = None) -> Row:
        """One dataset, under the name that it was asked by."""
        namespace, name = asked or (one.namespace, one.name)
        physical = name if asked is not None and asked != (one.namespace, one.name) else one.physical_name
        return {
            **self._dataset(one, namespace, name, physical),
            "lastModifiedAt": None,
            "lastLifecycleState": one.lifecycle,
            "description": one.description,
            "currentVersion": one.versions[-1].id if one.versions else None,
            "columnLineage": one.columns or None,
            "facets": one.facets,
            "deleted": False,
        }

    def tagged_dataset(self, one: Dataset) -> Row:
        """A dataset in the answer to a change: its column lineage is left out."""
        return {**self.dataset(one), "columnLineage": None}

    def short_dataset(self, one: Dataset) -> Row:
        """A dataset in a graph: without facets and version."""
        return {
            **self._dataset(one, one.namespace, one.name, one.physical_name),
            "tags": [],
            "lastModifiedAt": None,
            "description": one.description,
            "lastLifecycleState": one.lifecycle,
        }

    def dataset_version(self, one: Dataset, version: Version) -> Row:
        """One version of a dataset, with the run that made it."""
        run = self._world.runs.get(version.run or "")
        shape = {
            **self._dataset(one, one.namespace, one.name, one.physical_name),
            "createdAt": instant(version.created_at),
            "version": version.id,
            "lifecycleState": one.lifecycle,
            "description": one.description,
            "currentSchemaVersion": identifier("schema", one.namespace, one.name),
            "createdByRun": self.run(run) if run else None,
            "facets": one.facets,
        }
        del shape["updatedAt"]
        return shape

    def _dataset(self, one: Dataset, namespace: str, name: str, physical: str) -> Row:
        return {
            "id": {"namespace": namespace, "name": name},
            "type": "DB_TABLE",
            "name": name,
            "physicalName": physical,
            "createdAt": instant(one.created_at),
            "updatedAt": instant(one.updated_at),
            "namespace": namespace,
            "sourceName": one.source,
            "fields": one.fields,
            "tags": one.tags,
        }

    def job(self, one: Job) -> Row:
        """One job, with its ten latest runs."""
        runs = [self.run(self._world.runs[run]) for run in self._runs(one)[:10]]
        return {
            **self._job(one),
            "inputs": list(node_pairs(one.inputs)),
            "outputs": list(node_pairs(one.outputs)),
            "latestRun": runs[0] if runs else None,
            "latestRuns": runs or None,
            "facets": one.facets if runs else {},
            "currentVersion": one.versions[-1]["version"] if one.versions else None,
            "labels": [],
            "tags": one.tags,
        }

    def bare_job(self, one: Job) -> Row:
        """A job in the answer to a tag: its runs and facets are left out."""
        return {**self.job(one), "latestRun": None, "latestRuns": None, "facets": {}}

    def short_job(self, one: Job) -> Row:
        """A job in a graph."""
        runs = self._runs(one)
        latest = self._world.runs[runs[0]] if runs else None
        if latest is not None:  # of a run with a parent the parent is shown
            latest = self._world.runs.get(str(latest.args.get("run_id")), latest)
        return {
            **self._job(one),
            "currentRunUuid": latest.id if latest else None,
            "inputs": list(node_pairs(one.drawn[0])),
            "outputs": list(node_pairs(one.drawn[1])),
            "latestRun": self.run(latest) if latest else None,
        }

    def _job(self, one: Job) -> Row:
        return {
            "id": {"namespace": one.namespace, "name": one.name},
            "type": one.type,
            "name": one.name,
            "simpleName": one.simple_name,
            "parentJobName": one.parent[1] if one.parent else None,
            "parentJobUuid": identifier("job", *one.parent) if one.parent else None,
            "createdAt": instant(one.created_at),
            "updatedAt": instant(one.updated_at),
            "namespace": one.namespace,
            "location": one.location,
            "description": one.description,
        }

    def _runs(self, one: Job) -> list[str]:
        return sorted(one.runs, key=lambda run: self._world.runs[run].created_at, reverse=True)

    def runs(self, one: Job) -> list[Row]:
        """All runs of a job, the latest first."""
        return [self.run(self._world.runs[run]) for run in self._runs(one)]

    def job_version(self, one: Job, version: Row) -> Row:
        """One version of a job."""
        run = self._world.runs.get(version["run"] or "")
        latest = {**self.run(run), "facets": run.job_facets} if run else None
        return {
            "id": {"namespace": one.namespace, "name": one.name, "version": version["version"]},
            "name": one.name,
            "createdAt": instant(version["at"]),
            "version": version["version"],
            "namespace": one.namespace,
            "location": version["location"],
            "inputs": list(node_pairs(version["inputs"])),
            "outputs": list(node_pairs(version["outputs"])),
            "latestRun": latest,
        }

    def run(self, one: Run) -> Row:
        """One run."""
        duration = one.ended_at - one.started_at if one.ended_at and one.started_at else None
        version = {"namespace": one.job[0], "name": one.job[1], "version": one.version} if one.version else None
        return {
            "id": one.id,
            "createdAt": instant(one.created_at),
            "updatedAt": instant(one.updated_at),
            "nominalStartTime": one.nominal.get("nominalStartTime"),
            "nominalEndTime": one.nominal.get("nominalEndTime"),
            "state": one.state,
            "startedAt": instant(one.started_at),
            "endedAt": instant(one.ended_at),
            "durationMs": int(duration.total_seconds() * 1000) if duration is not None else None,
            "args": one.args,
            "jobVersion": version,
            "inputDatasetVersions": [_dataset_version(pair, number) for pair, number in one.inputs.items()],
            "outputDatasetVersions": [_dataset_version(pair, number) for pair, number in one.outputs.items()],
            "facets": one.facets,
        }


def _dataset_version(pair: Pair, number: str) -> Row:
    return {"datasetVersionId": {"namespace": pair[0], "name": pair[1], "version": number}, "facets": {}}


def fed(at: datetime, event: Row) -> Row:
    """An event as the feed gives it back: in UTC, without the nulls that were sent, with those that were not."""
    shown = {**_plain(event), "eventTime": zoned(at)}
    run = dict(event["run"])
    run["facets"] = _with_nulls(run.get("facets"), _RUN_FACETS)
    if run["facets"] and run["facets"].get("parent"):
        run["facets"]["parent"] = known_of_parent(run["facets"]["parent"])
    job = {**event["job"], "facets": _with_nulls(event["job"].get("facets"), _JOB_FACETS)}
    inputs = [_dataset(one) for one in event["inputs"]] if event.get("inputs") is not None else None
    outputs = [_dataset(one) for one in event["outputs"]] if event.get("outputs") is not None else None
    return {**shown, "run": run, "job": job, "inputs": inputs, "outputs": outputs}


def _dataset(told: Row) -> Row:
    facets = _with_nulls(told.get("facets"), _DATASET_FACETS)
    for row in _member(_member(facets, "schema"), "fields") or ():
        row.setdefault("description", None)
        row.setdefault("fields", [])
    columns: dict[str, Row] = _member(_member(facets, "columnLineage"), "fields") or {}
    for column in columns.values():
        column.setdefault("transformationDescription", None)
        column.setdefault("transformationType", None)
    name, namespace = told["name"], told["namespace"]
    more = {"inputFacets": told.get("inputFacets"), "outputFacets": told.get("outputFacets")}
    return {"namespace": namespace, "name": name, "facets": facets, **more}


def _member(facet: Row | None, name: str) -> Any:
    return facet.get(name) if facet else None


def _with_nulls(facets: Any, known: tuple[str, ...]) -> Row | None:
    return {**dict.fromkeys(known), **_plain(facets)} if isinstance(facets, dict) else None


def _plain(value: Any) -> Any:
    """A copy without nulls in objects."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in cast(Row, value).items() if one is not None}
    if isinstance(value, list):
        return [_plain(one) for one in cast(list[Any], value)]
    return value
