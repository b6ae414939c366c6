"""What Marquez' lists say beyond the feed, noun by noun."""

from collections.abc import Iterable, Iterator
from typing import Any, cast

from ...federation.model import (
    AssetKind,
    Edge,
    EdgeKind,
    Evidence,
    Form,
    Json,
    Nature,
    Record,
    Run,
    RunState,
    Scope,
    Spelling,
)
from .names import Pair, column_id, dataset_id, job_id, moment, pair_of, run_id

DATASETS = "listed-dataset"
JOBS = "listed-job"
RUNS = "listed-run"
ALIASES = "job-alias"
_STATES = {
    "NEW": RunState.QUEUED,
    "RUNNING": RunState.RUNNING,
    "COMPLETED": RunState.SUCCEEDED,
    "FAILED": RunState.FAILED,
    "ABORTED": RunState.ABORTED,
}


def dataset(raw: dict[str, Any], namespace: str, name: str, *, is_heard: bool) -> Scope:
    """A dataset with its tags, description and columns; of one that the feed spoke of only what the feed cannot know.

    Type and source's type are constants to Marquez, so what kind of thing it is the events alone may say.
    """
    native_id = dataset_id(namespace, name)
    columns = [one for one in _objects(raw.get("fields")) if isinstance(one.get("name"), str)]
    facets: dict[str, Json] = {}
    if columns and not is_heard:
        facets["schema"] = [_told(one, "name", "type", "description") for one in columns]
    if raw.get("tags"):
        facets["tags"] = _tags(raw["tags"])
    table = Record(
        native_id,
        AssetKind.OTHER if is_heard else AssetKind.DATASET,
        name,
        described=not is_heard,
        description=raw.get("description") or None,
        created_at=moment(raw.get("createdAt")),
        spellings=tuple(_spellings(raw, namespace, name)),
        facets=facets,
    )
    shown = [one for one in columns if not is_heard or one.get("tags")]
    records = (table, *(_column(one, native_id, namespace, name) for one in shown))
    parts = tuple(Edge(one.native_id, native_id, EdgeKind.PART_OF) for one in records[1:])
    # updatedAt moves with every event, and is the server's clock or the event's time as it happens: it says nothing.
    return Scope(f"{DATASETS}/{native_id}", records, parts)


def _spellings(raw: dict[str, Any], namespace: str, name: str) -> Iterator[Spelling]:
    yield Spelling(Form.OPENLINEAGE, (namespace, name))
    physical = raw.get("physicalName")
    if isinstance(physical, str) and physical not in ("", name):
        yield Spelling(Form.NAME, (physical,), weak=True)  # a symlink's name, without the namespace it belongs to


def _column(raw: dict[str, Any], dataset: str, namespace: str, name: str) -> Record:
    return Record(
        column_id(dataset, raw["name"]),
        AssetKind.COLUMN,
        raw["name"],
        subtype=raw.get("type") or None,
        description=raw.get("description") or None,
        spellings=(Spelling(Form.FIELD, (namespace, name, raw["name"])),),
        facets={"tags": _tags(raw["tags"])} if raw.get("tags") else {},
    )


def job(raw: dict[str, Any], own: Pair, edges: Iterable[Edge] = ()) -> Scope:
    """A job under the name that its events bear; the list's (`parent.name`, rewritten namespace) is a spelling."""
    native_id = job_id(*own)
    names = dict.fromkeys([own, (raw["namespace"], raw["name"])])
    facets: dict[str, Json] = {}
    if raw.get("tags"):
        facets["tags"] = _tags(raw["tags"])
    if raw.get("labels"):
        facets["labels"] = raw["labels"]
    if raw.get("location"):
        facets["links"] = [{"name": "code", "url": raw["location"]}]
    record = Record(
        native_id,
        AssetKind.JOB,
        own[1],
        description=raw.get("description") or None,
        created_at=moment(raw.get("createdAt")),
        spellings=tuple(Spelling(Form.OPENLINEAGE_JOB, pair) for pair in names),
        facets=facets,
    )
    edges = tuple(edges)
    return Scope(f"{JOBS}/{native_id}", (record, *_ends(edges)), edges)


def declared(inputs: Iterable[Pair], outputs: Iterable[Pair], job: Pair) -> Iterator[Edge]:
    """What a job without any run in the feed says that it reads and writes."""
    here = job_id(*job)
    for pair in dict.fromkeys(inputs):
        yield Edge(dataset_id(*pair), here, EdgeKind.READ, evidence=Evidence.DECLARED)
    for pair in dict.fromkeys(outputs):
        yield Edge(here, dataset_id(*pair), EdgeKind.WRITE, evidence=Evidence.DECLARED)


def run(raw: dict[str, Any], job: Pair) -> Scope:
    """A run that the feed no longer holds. Its state is that of the event which was processed last (marquez#2264)."""
    native_id, started = run_id(raw["id"]), moment(raw.get("startedAt"))
    told = Run(_STATES.get(str(raw.get("state")), RunState.UNKNOWN), started, moment(raw.get("endedAt")))
    record = Record(
        native_id,
        AssetKind.RUN,
        raw["id"],
        created_at=moment(raw.get("createdAt")),
        run=told,
        spellings=(Spelling(Form.OPENLINEAGE_RUN, (raw["id"],)),),
    )
    read, wrote = _versions(raw.get("inputDatasetVersions")), _versions(raw.get("outputDatasetVersions"))
    edges = (
        Edge(native_id, job_id(*job), EdgeKind.RUN_OF, evidence=Evidence.OBSERVED),
        *_observed(native_id, told, read, wrote),
    )
    return Scope(f"{RUNS}/{raw['id']}", (record, *map(stub, dict.fromkeys([*read, *wrote]))), edges, Nature.HAPPENED)


def _observed(native_id: str, told: Run, read: Iterable[Pair], wrote: Iterable[Pair]) -> Iterator[Edge]:
    """What a run read and wrote; what a failed one says it wrote is a plan."""
    common: dict[str, Any] = {"evidence": Evidence.OBSERVED, "outcome": told.state, "valid_from": told.started_at}
    for pair in read:
        yield Edge(dataset_id(*pair), native_id, EdgeKind.READ, **common)
    planned = told.state in (RunState.FAILED, RunState.ABORTED)
    for pair in wrote:
        yield Edge(native_id, dataset_id(*pair), EdgeKind.WRITE, planned=planned, **common)


def alias(former: Pair, present: Pair) -> Scope:
    """A job that leads to another (301): the two names are one job."""
    record = Record(
        job_id(*present),
        AssetKind.JOB,
        present[1],
        spellings=tuple(Spelling(Form.OPENLINEAGE_JOB, pair) for pair in (present, former)),
    )
    return Scope(f"{ALIASES}/{job_id(*former)}", (record,))


def part_of(job: Pair, parent: Pair) -> Edge:
    """A task of its parent."""
    return Edge(job_id(*job), job_id(*parent), EdgeKind.PART_OF)


def stub(pair: Pair) -> Record:
    """A dataset that is only named."""
    spelling = Spelling(Form.OPENLINEAGE, pair)
    return Record(dataset_id(*pair), AssetKind.DATASET, pair[1], described=False, spellings=(spelling,))


def pairs(listed: Json) -> list[Pair]:
    """The names in a list of datasets."""
    return [pair for one in _objects(listed) if (pair := pair_of(one)) is not None]


def _versions(listed: Json) -> list[Pair]:
    return [pair for one in _objects(listed) if (pair := pair_of(one.get("datasetVersionId"))) is not None]


def _ends(edges: Iterable[Edge]) -> Iterator[Record]:
    """A stub says what kind of thing stands at the other end of a PART_OF between jobs."""
    for edge in edges:
        if edge.kind is EdgeKind.PART_OF:
            name = edge.downstream.rpartition("/")[2]
            yield Record(edge.downstream, AssetKind.JOB, name, described=False)


def _tags(tags: list[str]) -> list[dict[str, str]]:
    return [{"key": tag} for tag in sorted(tags)]


def _told(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: row[name] for name in names if row.get(name) is not None}


def _objects(listed: Json) -> list[dict[str, Any]]:
    rows = cast(list[Any], listed) if isinstance(listed, list) else []
    return [cast(dict[str, Any], row) for row in rows if isinstance(row, dict)]
