"""What several events about one thing add up to: facets by their time, ends as a union, whatever the order."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

from ..model import RunState
from ..naming import openlineage_canonical
from .times import moment

Pair = tuple[str, str]
Facets = Mapping[str, Mapping[str, Any]]
_NEVER = datetime.min.replace(tzinfo=UTC)
_TERMINAL = {"FAIL": RunState.FAILED, "ABORT": RunState.ABORTED, "COMPLETE": RunState.SUCCEEDED}
_RANK = {RunState.FAILED: 3, RunState.ABORTED: 2, RunState.SUCCEEDED: 1}


@dataclass(slots=True)
class Told:
    """One dataset, as the events tell of it: its own facets, those of each end, and which events named it."""

    pair: Pair
    facets: dict[str, Any] = field(default_factory=dict[str, Any])
    ends: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    """`inputs` and `outputs`: the facets of that end."""
    in_terminal: set[str] = field(default_factory=set[str])
    """The ends at which a terminal event names it."""
    spellings: set[Pair] = field(default_factory=set[Pair])
    told_at: datetime = _NEVER


@dataclass(slots=True)
class Union:
    """All events of one thing."""

    first: datetime | None = None
    last: datetime | None = None
    started: datetime | None = None
    ended: datetime | None = None
    state: RunState = RunState.UNKNOWN
    conflict: bool = False
    producer: str = ""
    run_facets: dict[str, Any] = field(default_factory=dict[str, Any])
    run_spellings: set[str] = field(default_factory=set[str])
    jobs: dict[Pair, dict[str, Any]] = field(default_factory=dict[Pair, dict[str, Any]])
    datasets: dict[Pair, Told] = field(default_factory=dict[Pair, Told])
    terminal_ends: set[str] = field(default_factory=set[str])
    """The ends at which a terminal event names anything."""
    quarantine: dict[str, Any] = field(default_factory=dict[str, Any])
    extra: dict[str, Any] = field(default_factory=dict[str, Any])
    """Members that the standard does not know."""

    @property
    def job(self) -> Pair:
        """The job: of several, the smallest name."""
        return min(self.jobs)

    @property
    def is_batch(self) -> bool:
        """Whether it is a process that ends."""
        kind = self.jobs[self.job].get("jobType", {}).get("processingType", "BATCH") if self.jobs else "BATCH"
        return str(kind).upper() not in ("STREAMING", "SERVICE")

    def ends(self, side: str) -> list[Told]:
        """The datasets at one end, by name."""
        return [self.datasets[pair] for pair in sorted(self.datasets) if side in self.datasets[pair].ends]


def united(bodies: Iterable[bytes]) -> Union:
    """Merge events (see the platform's guide §4): sorted by time, then by content, so that arrival does not matter."""
    events = {orjson.dumps(event, option=orjson.OPT_SORT_KEYS): event for event in map(orjson.loads, bodies)}
    timed = sorted((moment(event.get("eventTime")) or _NEVER, mark, event) for mark, event in events.items())
    union = Union()
    for at, _, event in timed:
        _take(union, at, event)
    _conclude(union, [(at, str(event.get("eventType") or "").upper()) for at, _, event in timed])
    snapshot = union.jobs and _snapshot(union)
    if snapshot:
        _keep_last(union, [event for _, _, event in timed])
    return union


def _take(union: Union, at: datetime, event: dict[str, Any]) -> None:
    if at > _NEVER:
        union.first = min(union.first or at, at)
        union.last = max(union.last or at, at)
    union.producer = str(event.get("producer") or union.producer)
    run, job = event.get("run"), event.get("job")
    if isinstance(run, dict):
        put(union.run_facets, run.get("facets"))
        union.run_spellings.add(str(run["runId"]))
    if isinstance(job, dict) and job.get("namespace") and job.get("name"):
        put(union.jobs.setdefault((job["namespace"], job["name"]), {}), job.get("facets"))
    terminal = str(event.get("eventType") or "").upper() in _TERMINAL
    for side in ("inputs", "outputs"):
        for end in event.get(side) or ():
            told = _dataset(union, at, end)
            put(told.ends.setdefault(side, {}), end.get(f"{side[:-1]}Facets"))
            if terminal:
                told.in_terminal.add(side)
                union.terminal_ends.add(side)
    if isinstance(event.get("dataset"), dict):
        _dataset(union, at, event["dataset"])
    union.quarantine.update(event.get("_quarantine") or {})
    known = {
        "eventTime",
        "eventType",
        "producer",
        "schemaURL",
        "run",
        "job",
        "inputs",
        "outputs",
        "dataset",
        "_quarantine",
    }
    union.extra.update({name: value for name, value in event.items() if name not in known and value is not None})


def _dataset(union: Union, at: datetime, raw: dict[str, Any]) -> Told:
    pair = openlineage_canonical(raw["namespace"], raw["name"])
    told = union.datasets.setdefault(pair, Told(pair))
    told.spellings.add((raw["namespace"], raw["name"]))
    told.told_at = max(told.told_at, at)
    put(told.facets, raw.get("facets"))
    return told


def put(facets: dict[str, Any], news: Any) -> None:
    """A facet told again replaces the former; null says nothing, `_deleted` takes it away."""
    for name, facet in (news or {}).items():
        if facet is None:
            continue
        if facet.get("_deleted") is True:
            facets.pop(name, None)
        else:
            facets[name] = {key: value for key, value in facet.items() if value is not None}


def _conclude(union: Union, told: list[tuple[datetime, str]]) -> None:
    """FAIL outranks ABORT outranks COMPLETE, at any time: Spark says COMPLETE after a failure."""
    ends = [(_RANK[_TERMINAL[kind]], at, _TERMINAL[kind]) for at, kind in told if kind in _TERMINAL]
    union.conflict = len({end[2] for end in ends}) > 1
    starts = [at for at, kind in told if kind == "START" and at > _NEVER]
    union.started = min(starts, default=union.first)
    if ends:
        _, at, union.state = max(ends)
        union.ended = at if at > _NEVER else None
    elif any(kind for _, kind in told):
        union.state = RunState.RUNNING


def _snapshot(union: Union) -> bool:
    pattern = union.jobs[union.job].get("jobType", {}).get("emissionPattern") or {}
    return str(pattern.get("eventContentMode", "")).upper() == "COMPLETE_SNAPSHOT"


def _keep_last(union: Union, events: list[dict[str, Any]]) -> None:
    """Each event says all: the last one that names datasets is what holds."""
    last = next((event for event in reversed(events) if event.get("inputs") or event.get("outputs")), None)
    if last is None:
        return
    for side in ("inputs", "outputs"):
        named = {openlineage_canonical(end["namespace"], end["name"]) for end in last.get(side) or ()}
        for told in union.datasets.values():
            if told.pair not in named:
                told.ends.pop(side, None)
